"""The files the notice is made of in the browser, and the addresses under which they may be cached for ever."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

TYPES: Final = MappingProxyType(
    {
        "notice.css": "text/css; charset=utf-8",
        "pages.css": "text/css; charset=utf-8",
        "theme-ink.css": "text/css; charset=utf-8",
        "theme-plain.css": "text/css; charset=utf-8",
        "theme-warm.css": "text/css; charset=utf-8",
        "notice.js": "text/javascript; charset=utf-8",
        "seen.js": "text/javascript; charset=utf-8",
        "stubs.js": "text/javascript; charset=utf-8",
    }
)
_COMMENT: Final = re.compile(rb"(?s:/\*.*?\*/)\n?|^ *// .*\n", re.MULTILINE)
_FOLDER: Final = Path(__file__).parent.parent / "static"


@lru_cache(maxsize=len(TYPES))
def content(name: str) -> bytes:
    """The bytes of one of our files, as they are served: without its comments."""
    return _COMMENT.sub(b"", (_FOLDER / name).read_bytes())


@lru_cache(maxsize=len(TYPES))
def digest(name: str) -> str:
    """SHA-256 of the file as 64 hex digits."""
    return hashlib.sha256(content(name)).hexdigest()


def address(prefix: str, name: str) -> str:
    """The file's URL; it changes with its content."""
    return f"{prefix}static/{name}?v={digest(name)[:12]}"


def sheets(theme: str, *, pages: bool) -> tuple[str, ...]:
    """The stylesheets in their order: the notice's, with ``pages`` that of our own pages, and the theme's.

    The theme called ``paper`` is what the notice's own stylesheet falls back to.
    """
    names = ("notice.css", "pages.css") if pages else ("notice.css",)
    return names if theme == "paper" else (*names, f"theme-{theme}.css")
