"""``consent.lock``: every material version that visitors were asked under, kept in version control beside the policy.

It is why an answer survives a change that asks nothing more: the cookie names a version, the lock says what it meant.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from consent.config.checks import Findings
from consent.material import Locked, Material, MaterialVersion

NAME: Final = "consent.lock"
FORMAT: Final = 1
_ABOUT: Final = "Written by `consent check --lock`. Keep it in version control: answers to these versions stay valid."
_RESTORE: Final = "Restore it from version control; without it every visitor is asked again."


def beside(config: Path) -> Path:
    """Where the lock of this ``consent.toml`` is."""
    return config.with_name(NAME)


def read(path: Path, findings: Findings) -> tuple[MaterialVersion, ...]:
    """The versions in the lock, oldest first; none without a lock, and a finding (E060) for a damaged one."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ()
    except OSError as error:
        findings.add("E060", f'"{path}" can\'t be read: {(error.strerror or str(error)).lower()}.', _RESTORE)
        return ()
    except UnicodeDecodeError:
        findings.add("E060", f'"{path}" is not UTF-8 text.', _RESTORE, line=1)
        return ()
    merge = re.search(r"^(?:<{7}|={7}|>{7})", text, re.MULTILINE)
    if merge:
        findings.add(
            "E060",
            "A merge has left its marks in the lock.",
            'Keep the "versions" of both sides, each once, and take the marks out.',
            line=text.count("\n", 0, merge.start()) + 1,
        )
        return ()
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        findings.add("E060", f"The lock is not valid JSON: {error.msg.lower()}.", _RESTORE, line=error.lineno)
        return ()
    try:
        if data["format"] != FORMAT:
            what = f"The lock has format {data['format']}, and this version knows {FORMAT}."
            findings.add("E060", what, "Update consentry.", line=1)
            return ()
        return tuple(_version(item, text, findings) for item in data["versions"])
    except (KeyError, TypeError, ValueError) as error:
        findings.add("E060", f"The lock is damaged ({type(error).__name__}: {error}).", _RESTORE, line=1)
        return ()


def write(path: Path, versions: Iterable[MaterialVersion]) -> None:
    """Replace the lock in one step: readers see the old or the new one, and a crash leaves one of the two."""
    data = {"about": _ABOUT, "format": FORMAT, "versions": [_as_data(version) for version in versions]}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _as_data(version: MaterialVersion) -> dict[str, Any]:
    services = [{"key": s.key, "digest": s.digest, "material": s.material.as_data()} for s in version.services]
    return {"version": version.version, "services": services}


def _version(item: dict[str, Any], text: str, findings: Findings) -> MaterialVersion:
    """One version, with every digest computed again: an edited lock would give answers a meaning they never had."""
    services = []
    for row in item["services"]:
        material = Material.from_data(row["material"])
        if material.digest() != row["digest"]:
            line = _line_of(str(row["digest"]), text)
            findings.add("E060", f'The entry of "{row["key"]}" was changed by hand.', _RESTORE, line=line)
        services.append(Locked(key=str(row["key"]), material=material, digest=str(row["digest"])))
    version = MaterialVersion.of(services)
    if version.version != item["version"]:
        line = _line_of(str(item["version"]), text)
        findings.add("E060", f'The version "{item["version"]}" was changed by hand.', _RESTORE, line=line)
    return version


def _line_of(word: str, text: str) -> int:
    return text.count("\n", 0, max(0, text.find(f'"{word}"'))) + 1
