"""The gate compiled from the same source does the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "evasions" / "all_rewrites.py"
COMPILER = shutil.which("cc") or shutil.which("gcc")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the package as a compiled wheel holds it."""
    if not COMPILER:
        if os.environ.get("CONSENT_REQUIRE_COMPILER"):
            pytest.fail("no C compiler is here; on Debian: apt-get install gcc python3-dev")
        pytest.skip("no C compiler is here")
    folder = tmp_path_factory.mktemp("compiled")
    # By way of a source archive, so that nothing is left beside the source.
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, ROOT],
        env=os.environ | {"HATCH_BUILD_HOOK_ENABLE_MYPYC": "1"}, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    assert not wheel.name.endswith("-any.whl")
    zipfile.ZipFile(wheel).extractall(folder / "package")
    return folder / "package"


def rewrites(*arguments: str, package: Path | None = None) -> dict[str, object]:
    environment = os.environ | ({"PYTHONPATH": str(package)} if package else {})
    done = subprocess.run([sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_every_trick_and_what_is_bent_from_it_comes_out_the_same(compiled: Path) -> None:
    here, there = rewrites(), rewrites(package=compiled)
    assert (here["compiled"], there["compiled"]) == (False, True)
    assert here["pages"] == there["pages"]
    assert here["digest"] == there["digest"]
    assert rewrites("granted", package=compiled)["digest"] != here["digest"]


def test_every_module_of_the_gate_is_compiled_and_its_source_is_there_too(compiled: Path) -> None:
    names = {path.name.partition(".")[0] for path in (ROOT / "consent" / "gate").glob("*.py")}
    assert {path.name.partition(".")[0] for path in (compiled / "consent" / "gate").glob("*.so")} == names
    assert {path.stem for path in (compiled / "consent" / "gate").glob("*.py")} == names


def test_the_source_is_left_as_it_is(compiled: Path) -> None:
    assert list(compiled.rglob("*.so"))
    assert not list((ROOT / "consent").rglob("*.so"))
