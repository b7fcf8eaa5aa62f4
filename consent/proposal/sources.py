"""What a project's own files load from elsewhere and store on devices, read without running anything.

This looks at text, so it finds what is written out: an address put together at run time stays unseen, which is why
the gate blocks what nobody declared.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

MARKUP: Final = (".html", ".htm", ".xhtml", ".jinja", ".jinja2", ".j2", ".md", ".svg", ".txt")
STYLE: Final = (".css",)
SCRIPT: Final = (".js", ".mjs")
PYTHON: Final = (".py",)
LARGEST: Final = 2_000_000  # bytes; beyond that a file is a bundle or data, and is only searched for tags
_ELSEWHERE: Final = frozenset(
    {"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist", "tests", "test", "docs", "htmlcov"}
)

_URL = r"(?:https?:)?//[\w.-]+\.[a-z]{2,}(?::\d+)?(?:/[^\s\"'<>()\\{}]*)?"
_TAG = re.compile(
    r"<(script|iframe|img|link|source|video|audio|embed|object|track|image|input|amp-\w+)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_LOADING: Final = frozenset({"src", "href", "data", "poster", "srcset", "imagesrcset", "data-src", "xlink:href"})
_LINKS_THAT_LOAD = re.compile(
    r"\b(stylesheet|preload|prefetch|preconnect|dns-prefetch|modulepreload|icon|manifest|apple-touch-icon)\b",
    re.IGNORECASE,
)
_CSS = re.compile(rf"(?:url\(\s*|@import\s+)[\"']?({_URL})", re.IGNORECASE)
_LITERAL = re.compile(rf"[\"'`]({_URL})[\"'`$]", re.IGNORECASE)
_SCRIPT_BODY = re.compile(r"<script\b[^>]*>(.*?)</script>", re.IGNORECASE | re.DOTALL)
_OWN_ADDRESS = re.compile(
    rf"<(?:link[^>]*rel=[\"']canonical[\"'][^>]*href|meta[^>]*og:url[\"'][^>]*content)=[\"']({_URL})", re.IGNORECASE
)
_COOKIES = (
    re.compile(r"\bset_cookie\(\s*(?:key\s*=\s*)?[\"']([\w.-]+)[\"']"),
    re.compile(r"document\.cookie\s*=\s*[\"'`]([\w.-]+)="),
)
_FRAMEWORKS: Final = (
    ("flask", re.compile(r"^[ \t]*(?:from flask(?:_login)? import|import flask)\b", re.MULTILINE)),
    ("django", re.compile(r"[\"']django\.contrib\.(?:sessions|messages)\b|[\"']django\.middleware\.csrf\b")),
)
_LOCAL = re.compile(r"\blocalStorage\.setItem\(\s*[\"'`]([\w.:-]+)[\"'`]")
_NAMES_NOTHING: Final = ("w3.org", "schema.org", "ogp.me", "purl.org", "xmlns.com", "example.com", "example.org")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One thing in one place. ``kind`` is ``"url"``, ``"own"``, ``"cookie"``, ``"local_storage"``, ``"script"`` or
    ``"framework"``. ``what`` is the address, the name, or the script's text.
    """

    kind: str
    what: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def look_through(folder: Path) -> Iterator[Seen]:
    """Everything of note in the templates, static files and Python sources below ``folder``, file by file."""
    for path in _files(folder):
        try:
            text = path.read_text("utf-8", errors="replace")
        except OSError:
            continue
        yield from _in_text(text, path.relative_to(folder).as_posix(), path.suffix.lower())


def _files(folder: Path) -> Iterator[Path]:
    kinds = (*MARKUP, *STYLE, *SCRIPT, *PYTHON)
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _ELSEWHERE and not name.startswith(".") and not (Path(root) / name / "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            path = Path(root, name)
            if path.suffix.lower() in kinds and path.stat().st_size <= LARGEST:
                yield path


def _in_text(text: str, file: str, suffix: str) -> Iterator[Seen]:
    def seen(kind: str, what: str, at: int) -> Seen:
        return Seen(kind=kind, what=what, file=file, line=text.count("\n", 0, at) + 1)

    if suffix not in SCRIPT + STYLE:
        for match in _OWN_ADDRESS.finditer(text):
            yield seen("own", match[1], match.start())
        for match in _TAG.finditer(text):
            for url in _loaded_by(match[1].lower(), match[2]):
                yield seen("url", url, match.start())
        for match in _SCRIPT_BODY.finditer(text):
            if match[1].strip():
                yield seen("script", match[1], match.start(1) + len(match[1]) - len(match[1].lstrip()))
                for literal in _LITERAL.finditer(match[1]):
                    yield seen("url", literal[1], match.start(1) + literal.start())
    if suffix not in PYTHON + SCRIPT:
        for match in _CSS.finditer(text):
            yield seen("url", match[1], match.start())
    if suffix in SCRIPT:
        yield seen("script", text, len(text) - len(text.lstrip()))
        for match in _LITERAL.finditer(text):
            yield seen("url", match[1], match.start())
    if suffix in PYTHON:
        for key, pattern in _FRAMEWORKS:
            if used := pattern.search(text):
                yield seen("framework", key, used.start())
    for pattern in _COOKIES:
        for match in pattern.finditer(text):
            yield seen("cookie", match[1], match.start())
    for match in _LOCAL.finditer(text):
        yield seen("local_storage", match[1], match.start())


def _loaded_by(tag: str, attributes: str) -> Iterator[str]:
    found = {name.lower(): quoted or single or bare for name, quoted, single, bare in _ATTRIBUTE.findall(attributes)}
    if tag == "link" and not _LINKS_THAT_LOAD.search(found.get("rel", "")):
        return
    if tag == "input" and found.get("type", "").lower() != "image":
        return
    for name in _LOADING & found.keys():
        for candidate in found[name].split(","):
            if match := re.match(_URL, candidate.strip(), re.IGNORECASE):
                yield match[0]


def host_of(url: str) -> str:
    """The host of an address that may begin with ``//``; empty for names that are no address (XML namespaces)."""
    host = (urlsplit(url if "://" in url else f"https:{url}").hostname or "").rstrip(".")
    return "" if any(host == name or host.endswith(f".{name}") for name in _NAMES_NOTHING) else host


def path_of(url: str) -> str:
    """The path of an address, ``/`` where it has none."""
    return urlsplit(url).path or "/"
