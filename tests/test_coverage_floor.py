"""The floor under the coverage gives way where a branch was not run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_branches_that_no_worker_ran_fail_a_run_whose_tests_all_pass() -> None:
    options = ["-p", "tests.coverage_floor", "-p", "no:cacheprovider", "-n", "1", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", *options, "tests/domain/test_domain_policy.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    assert " passed in " in ran.stdout
    assert " failed" not in ran.stdout
    assert "that is too little" in ran.stdout
