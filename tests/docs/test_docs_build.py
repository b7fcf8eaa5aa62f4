"""The documentation builds without a warning, and says only what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs_blocks import PAGES, ROOT


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the docs group isn't installed")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, words in {"checks": "E046", "commands": "consent log show", "catalogue": "jsdelivr"}.items():
        html = (tmp_path / "reference" / f"{name}.html").read_text("utf-8")
        assert words in re.sub(r"<[^>]*>", "", html), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_linked_or_named_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    missing = [target for target in targets if not (page.parent / target).exists()]
    named = set(re.findall(r"`((?:consent|tests|docs|examples)/[\w./-]+\.\w+)`", text))
    missing += [name for name in sorted(named) if not (ROOT / name).exists()]
    assert missing == []


def test_the_promises_name_tests_that_exist() -> None:
    text = (ROOT / "docs" / "explanation" / "promises.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/.]+\.py)::(\w+)`", text)
    assert len(named) >= 20
    missing = [f"{file}::{test}" for file, test in named if not is_defined(ROOT / file, test)]
    assert missing == []


def is_defined(file: Path, test: str) -> bool:
    return file.exists() and re.search(rf"^def {test}\b", file.read_text("utf-8"), re.MULTILINE) is not None


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert not is_defined(Path(__file__), "test_that_nobody_wrote")
    assert is_defined(Path(__file__), "test_a_test_that_does_not_exist_is_noticed")
