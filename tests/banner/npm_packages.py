"""Files of npm packages, as their publishers ship them, fetched once for a run of tests."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

_FOLDER = tempfile.TemporaryDirectory(prefix="npm-")


@cache
def unpacked(package: str) -> Path | str:
    """The package's folder, or why it can't be had."""
    folder = Path(_FOLDER.name) / package.replace("/", "-")
    folder.mkdir()
    command = ["npm", "pack", package, "--silent"]
    try:
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def text_of(package: str, path: str) -> str:
    """A file of a package such as ``axe-core@4``; skips the test where npm can't be reached."""
    folder = unpacked(package)
    if isinstance(folder, str):
        pytest.skip(f"{package} could not be had from npm, so nothing was checked with it: {folder}")
    return (folder / path).read_text(encoding="utf-8")
