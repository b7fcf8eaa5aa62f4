"""Every error the library raises, in one family; attributes carry the evidence a person needs to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding about a configuration: what is wrong, where it stands, and how to mend it.

    ``id`` is stable (``E…`` stops the start, ``W…`` warns); ``line`` counts from 1 and is ``None`` where no line
    can be named; ``near`` is the known name that was probably meant.
    """

    id: str
    what: str
    remedy: str
    file: str = ""
    line: int | None = None
    near: str | None = None

    @property
    def is_error(self) -> bool:
        return self.id.startswith("E")

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        hint = f" Did you mean {self.near!r}?" if self.near else ""
        return f"{where}: {self.id} {self.what}{hint} {self.remedy}".strip(": ")


class ConsentError(Exception):
    """The root of every error this library raises on purpose."""


class ConfigError(ConsentError):
    """A ``consent.toml`` or a start-up argument is wrong; ``problems`` lists every mistake, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, id: str, what: str, remedy: str, *, file: str = "", line: int | None = None) -> ConfigError:
        """The error with this one problem."""
        return cls([Problem(id=id, what=what, remedy=remedy, file=file, line=line)])


class UnknownKeyError(ConsentError, LookupError):
    """A service or category key that the policy doesn't have; ``near`` is the closest one it has."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        self.key = key
        self.near = nearest(key, known)
        hint = f" Did you mean {self.near!r}?" if self.near else ""
        super().__init__(f"The policy has no service or category {key!r}.{hint} Declare it in consent.toml.")


class NotRecorded(ConsentError):  # noqa: N818 — reads as what it says: raise NotRecorded
    """The decision could not be made durable in time; the caller must grant nothing (GDPR Art. 7(1))."""


class ProofError(ConsentError):
    """A Merkle proof is malformed or does not lead to the given root (RFC 9162, section 2.1)."""


class NoteError(ConsentError):
    """A signed note or a checkpoint is malformed, or no trusted key has signed it (C2SP signed-note)."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a person who typed ``name`` most likely meant, or ``None``."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
