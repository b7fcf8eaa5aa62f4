"""A checkpoint: the size and root that a log commits to, as the text of a signed note (C2SP tlog-checkpoint)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from consent.errors import NoteError
from consent.log.merkle import EMPTY_ROOT, HASH_SIZE

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself: its name, how many leaves it has, and their root.

    ``extensions`` are further lines, which this log never writes and to which nobody may give a meaning.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The lines that are signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> Checkpoint:
    """The checkpoint in the text of a verified note; raises :class:`NoteError` unless it is written canonically.

    A size of zero goes with the root of the empty tree and no other does.
    """
    if not isinstance(text, str):
        raise NoteError("A checkpoint must be a text.")
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise NoteError("A checkpoint has three lines, origin, size and root, and ends in a newline.")
    if not all(lines[:-1]):
        raise NoteError("A checkpoint has no empty lines.")
    if any(character < " " or "\ud800" <= character <= "\udfff" for line in lines for character in line):
        raise NoteError("A checkpoint may hold no control characters but newlines, and must be valid UTF-8.")
    origin, decimal, encoded, *extensions, _ = lines
    if not _DECIMAL.fullmatch(decimal) or int(decimal) >= 1 << 63:
        raise NoteError("A checkpoint's size must be a decimal number without leading zeros.")
    try:
        root = b64decode(encoded, validate=True)
    except ValueError:
        raise NoteError("A checkpoint's root is not base64.") from None
    if len(root) != HASH_SIZE or b64encode(root).decode() != encoded:
        raise NoteError(f"A checkpoint's root must be {HASH_SIZE} bytes in canonical base64.")
    if (int(decimal) == 0) != (root == EMPTY_ROOT):
        raise NoteError("A checkpoint of size zero, and no other, has the root of the empty tree.")
    return Checkpoint(origin, int(decimal), root, tuple(extensions))
