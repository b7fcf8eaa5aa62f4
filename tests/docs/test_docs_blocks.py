"""Everything that can be copied from the documentation works: each block of code on each page is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import flask
import pytest
from docs_blocks import BASE, PAGES, ROOT, SERVICES, SHORTEST_REASON, Block, blocks, completed, parse

from consent.config import load
from consent.flask import Consent
from consent.testing import grant

AFTERWARDS = Path(__file__).parent / "afterwards"
CODE = {"python", "toml", "sh", "html", "jinja", "json", "css", "js", "nginx", "vcl"}
PLAIN = {"text"}  # output and diagrams: nothing that is typed or copied
ALL = [block for page in PAGES for block in blocks(page)]


def named(block: Block) -> str:
    return str(block)


def of(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages and block.mark != "not run"]


def workspace(folder: Path, page: Path) -> Path:
    """The folder that a reader of this page has: the base policy, and every file that the page shows."""
    (folder / "consent.toml").write_text(BASE + SERVICES, "utf-8")
    for block in blocks(page):
        if block.mark == "file":
            path = folder / block.value
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, "utf-8")
    return folder


def run(arguments: list[str], folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", ALL, ids=named)
def test_every_block_says_what_it_is(block: Block) -> None:
    assert block.language in CODE | PLAIN, "name its language, or text for output"
    if block.mark == "not run":
        assert block.language in CODE
        assert len(block.value) >= SHORTEST_REASON, "say why it can't be run"


def test_few_blocks_are_not_run() -> None:
    unrun = [str(block) for block in ALL if block.mark == "not run"]
    assert len(unrun) <= 6, unrun


STORIES = sorted({block.page for block in of("python")})


@pytest.mark.parametrize("page", STORIES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    folder = workspace(tmp_path, page)
    name = str(page.relative_to(ROOT))
    story = [
        {"file": name, "line": block.line, "code": block.code}
        for block in blocks(page)
        if block.language == "python" and not block.mark
    ]
    afterwards = AFTERWARDS / f"{page.stem}.py"
    if afterwards.exists():
        story.append({"file": str(afterwards), "line": 1, "code": afterwards.read_text("utf-8")})
    (folder / "story.json").write_text(json.dumps(story), "utf-8")
    run([str(Path(__file__).parent / "docs_story.py"), "story.json"], folder)
    if tests := [block.value for block in blocks(page) if re.fullmatch(r"(.*/)?test_\w+\.py", block.value)]:
        run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], folder)


@pytest.mark.parametrize("block", [b for b in of("python") if b.mark == "file"], ids=named)
def test_a_python_file_is_used_on_its_page(block: Block) -> None:
    module = block.value.removesuffix(".py").replace("/", ".")
    elsewhere = [other.code for other in blocks(block.page) if other.line != block.line]
    afterwards = AFTERWARDS / f"{block.page.stem}.py"
    elsewhere += [afterwards.read_text("utf-8")] if afterwards.exists() else []
    is_used = any(re.search(rf"\b{re.escape(module)}\b", code) for code in elsewhere)
    assert is_used or block.value.rpartition("/")[2].startswith("test_"), f"nothing on the page runs {block.value}"


@pytest.mark.parametrize("block", of("toml"), ids=named)
def test_a_policy_loads(block: Block, tmp_path: Path) -> None:
    if block.mark == "file" and not block.value.endswith("consent.toml"):
        tomllib.loads(block.code)
        return
    path = tmp_path / "consent.toml"
    path.write_text(completed(block.code) if block.mark == "fragment" else block.code, "utf-8")
    load(path)


@pytest.mark.parametrize("block", of("html", "jinja"), ids=named)
def test_a_template_renders_behind_the_gate(block: Block, tmp_path: Path) -> None:
    workspace(tmp_path, block.page)
    (tmp_path / "consent.toml").write_text(BASE + SERVICES, "utf-8")
    app = flask.Flask("page", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    app.config.update(SECRET_KEY="for this test", TESTING=True)
    Consent(app, log="memory://")

    @app.get("/")
    def page() -> str:
        return flask.render_template_string(block.code)

    asked, client = app.test_client().get("/"), app.test_client()
    grant(client, "youtube", "matomo", "donorbox")
    granted = client.get("/")
    assert (asked.status_code, granted.status_code) == (200, 200)
    assert granted.text.strip()


@pytest.mark.parametrize("block", of("json"), ids=named)
def test_json_is_json(block: Block) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", of("css"), ids=named)
def test_a_theme_sets_what_the_notice_reads(block: Block) -> None:
    css = (ROOT / "consent/static/notice.css").read_text("utf-8")
    names = re.findall(r"--cst-[\w-]+(?=\s*:)", block.code)
    assert names
    assert [name for name in names if f"var({name.removesuffix('-dark')}," not in css] == []


@pytest.mark.parametrize("block", of("js"), ids=named)
def test_a_script_uses_what_the_page_has(block: Block) -> None:
    script = (ROOT / "consent/static/notice.js").read_text("utf-8")
    names = re.findall(r"\bconsent\.(\w+)\(", block.code) + re.findall(r'"(consent:\w+)"', block.code)
    assert names
    assert [name for name in names if name not in script] == []


# Shell

OTHER_COMMANDS = {"cd", "python", "python3", "pip", "flask", "git", "export", "source", "."}


def commands(block: Block) -> list[list[str]]:
    """What is typed, each as words; settings in front (``CONSENT_MODE=observe flask run``) are left out."""
    joined = block.code.replace("\\\n", " ")
    lines = [shlex.split(line.removeprefix("$ "), comments=True) for line in joined.splitlines()]
    stripped = []
    for words in lines:
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words:
            stripped.append(words)
    return stripped


@pytest.mark.parametrize("block", of("sh"), ids=named)
def test_a_command_exists_and_its_options_parse(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace(tmp_path, block.page))
    assert commands(block)
    for words in commands(block):
        program, *arguments = words
        if program == "consent":
            parses(arguments)
        elif program == "make":
            assert arguments[0] in targets(), f"the Makefile has no target {arguments[0]}"
        elif program == "pip":
            installs(arguments)
        else:
            assert program in OTHER_COMMANDS, f"nobody checks `{program}`"


def parses(arguments: list[str]) -> None:
    from consent.cli import cli

    command: click.Command = cli
    names = ["consent"]
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        names.append(arguments[0])
        found = command.get_command(click.Context(command), arguments[0])
        assert found is not None, f"there is no command {' '.join(names)}"
        command, arguments = found, arguments[1:]
    for word in arguments:
        if word.endswith(".html"):
            Path(word).touch()
    if "--help" not in arguments and "--version" not in arguments:
        with command.make_context(" ".join(names), list(arguments)):
            pass  # parsed, and what it opened is closed again


def targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def installs(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [re.fullmatch(r"([\w.-]+?)(?:\[([\w,]+)\])?", word) for word in arguments[1:] if not word.startswith("-")]
    for match in wanted:
        assert match is not None
        if match[1] == project["name"] and match[2]:
            assert set(match[2].split(",")) <= set(project["optional-dependencies"])


# The checks themselves can fail


@pytest.mark.parametrize("arguments", [["chekc"], ["check", "--lokc"], ["log", "shwo", "00"]])
def test_a_command_that_does_not_exist_is_noticed(arguments: list[str]) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        parses(arguments)


def test_a_mark_that_is_misspelt_is_noticed() -> None:
    with pytest.raises(ValueError, match="nobody can read"):
        parse("<!-- example: fragmnt -->\n```toml\n```\n", ROOT / "README.md")


def test_a_fragment_is_completed_and_a_wrong_one_is_not_hidden(tmp_path: Path) -> None:
    (path := tmp_path / "consent.toml").write_text(completed('[site]\nmarket = "de"\n'), "utf-8")
    policy = load(path)
    assert (policy.site.market, policy.site.name) == ("de", "Harbour News")
    path.write_text(completed("[ask]\nliftime_days = 200\n"), "utf-8")
    with pytest.raises(Exception, match="E010"):
        load(path)


def test_python_that_fails_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "story.json").write_text(json.dumps([{"file": "p.md", "line": 7, "code": "1 / 0"}]), "utf-8")
    with pytest.raises(AssertionError, match=r'"p\.md", line 7'):
        run([str(Path(__file__).parent / "docs_story.py"), "story.json"], tmp_path)
