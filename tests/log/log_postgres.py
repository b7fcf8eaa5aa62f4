"""A PostgreSQL cluster of the tests' own, in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

REQUIRED = os.environ.get("CONSENT_REQUIRE_POSTGRES") == "1"


def programs() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` of the newest installed version are."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = places[-1] if places else shutil.which("initdb")
    return Path(found).parent if found else None


class Cluster:
    """One server; ``url`` names a database in it that is made at first use."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            reason = "PostgreSQL's initdb is not installed"
            if REQUIRED:
                pytest.fail(reason)
            pytest.skip(reason)
        self._bin = found
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "consent", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=60"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options, "-w", "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, folder: Path, *, more: str = "") -> str:
        """The address of a log in a database of this name; its key and spool are in ``folder``."""
        self._run(
            "psql", "-h", str(self.folder), "-U", "consent", "-d", "postgres", "-qc", f"CREATE DATABASE {database}"
        )
        return (
            f"postgresql://consent@/{database}?host={self.folder}&origin=news.example/consent"
            f"&keys={folder}/consent&spool={folder}/spool{more}"
        )

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            user=self._user, cwd="/", timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
