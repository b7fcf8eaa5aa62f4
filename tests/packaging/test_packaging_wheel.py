"""What is published works where nothing else is: built, installed into an empty environment, and used there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
POLICY = """\
[site]
name = "Harbour News"
controller = "Harbour News Trust, 1 Quay Street, Cork, Ireland"
contact = "privacy@harbour.example"

[[service]]
use = "youtube"
"""
USE = """
import re
from pathlib import Path

import consent
from werkzeug.test import Client
from consent.wsgi import ConsentMiddleware

assert "site-packages" in consent.__file__, consent.__file__
PAGE = (
    b'<!doctype html><html lang="de"><title>Film</title>'
    b'<iframe src="https://www.youtube.com/embed/M7lc1UVf-VE"></iframe></html>'
)

def site(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [PAGE]

app = ConsentMiddleware(site, "consent.toml", secret_key="for this test", log="sqlite:///log/consent.db")
client = Client(app)
same = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
page = client.get("/", headers=same).text
assert "data-consent-banner" in page
assert "Nur notwendige akzeptieren" in page, page
assert 'data-consent-src="https://www.youtube.com/' in page
for name in re.findall(r"/consent/static/[^\\"]+", page):
    assert client.get(name).status_code == 200, name
digest = re.search(r'name="artefact" value="([0-9a-f]{64})"', page)[1]
form = {"action": "accept", "artefact": digest, "next": "/"}
assert client.post("/consent/", data=form, headers=same).status_code == 303
assert ' src="https://www.youtube.com/' in client.get("/", headers=same).text
receipt = re.search(r"data-consent-receipt>([0-9a-f]{32})<", client.get("/consent/", headers=same).text)[1]
Path("receipt").write_text(receipt)
"""


def run(*arguments: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CONSENT_"))}
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the source archive and the wheel, which is made from that archive."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs of an environment in which there is the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    (wheel,) = built.glob("*.whl")
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=built)
    return folder / "bin"


def files_of_the_package() -> set[str]:
    """Every file that is in the package here, as Git would keep it."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "consent", cwd=ROOT).splitlines()
    return {name for name in listed if (ROOT / name).exists()}


def test_the_wheel_has_every_file_of_the_package(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = files_of_the_package()
    for sign in ("templates/notice.html", "static/notice.css", "static/notice.js", "locales/de.po",
                 "catalogue/youtube.toml", "log/migrations/versions/0001_first.py", "py.typed"):  # fmt: skip
        assert f"consent/{sign}" in expected
    assert expected - names == set()
    strange = {name for name in names if not name.startswith(("consent/", "consentry-"))}
    assert strange == set()


def test_the_source_archive_has_what_its_tests_need(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "docs/conf.py", "tests/docs/docs_blocks.py", "pyproject.toml",
                 "examples/flask_demo/app.py"):  # fmt: skip
        assert name in names


def test_the_installed_package_asks_grants_and_records(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "consent.toml").write_text(POLICY, "utf-8")
    (tmp_path / "use.py").write_text(USE, "utf-8")
    run(installed / "python", "-W", "error", "use.py", cwd=tmp_path)
    receipt = (tmp_path / "receipt").read_text("utf-8")
    shown = run(installed / "consent", "log", "show", receipt, "--url", "sqlite:///log/consent.db", cwd=tmp_path)
    assert "accept_all" in shown


def test_the_installed_command_helps_and_checks(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "consent.toml").write_text(POLICY, "utf-8")
    assert "check" in run(installed / "consent", "--help", cwd=tmp_path)
    run(installed / "consent", "check", cwd=tmp_path)
    assert "YouTube" in run(installed / "consent", "explain", cwd=tmp_path)


SPEAK = """
from pathlib import Path
import consent.locale.catalogue as catalogue
from consent.locale import AVAILABLE, texts

def unbuilt(path, tag):
    raise AssertionError(f"{path} was not compiled when the wheel was built")

catalogue.compiled = unbuilt
answers = {tag: texts(tag).gettext("Accept only necessary") for tag in AVAILABLE}
assert [tag for tag in AVAILABLE if tag != "en" and answers[tag] == answers["en"]] == []
print(len(answers))
"""


def test_the_installed_package_speaks_every_language_without_compiling_one(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "speak.py").write_text(SPEAK, "utf-8")
    spoken = run(installed / "python", "-W", "error", "speak.py", cwd=tmp_path)
    assert int(spoken) == 1 + len([n for n in files_of_the_package() if re.fullmatch(r".*/locales/[\w-]+\.po", n)
                                   and "-informal" not in n])  # fmt: skip
