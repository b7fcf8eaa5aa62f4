"""URLs as a browser resolves them (WHATWG URL standard), as far as it matters where a request goes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

SPECIAL: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_PLAIN = re.compile(
    r"(?:(https?):)?//([a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z][a-z0-9\-]*)(?::([0-9]{1,5}))?((?:/[!$-.0-9:;=@-Z_a-z~]*+)*+)(\?[!$-;=?-~]*)?(?:#.*)?"
)
_EDGE = "".join(map(chr, range(0x21)))
_TABS = str.maketrans("", "", "\t\n\r")
_FORBIDDEN = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_IGNORED = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]"
)
_YOUNG = str.maketrans(
    {0x1CCD6 + at: sign for at, sign in enumerate("abcdefghijklmnopqrstuvwxyz0123456789")} | {0xA7F1: "s"}
)
"""Letters and digits that are younger than the tables of some Pythons."""
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Url:
    """A resolved URL. ``host`` is ASCII, lower case and without a final dot; empty for ``data:`` and the like.

    ``port`` is ``None`` for the scheme's own. ``path`` has its dot segments removed and, for other schemes than
    those that go to a host, is everything after the colon.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    def __str__(self) -> str:
        if not self.host:
            return f"{self.scheme}:{self.path}"
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{self.host}{port}{self.path}{self.query}"


def resolve(text: str, base: Url | None) -> Url | None:
    """Where a browser would go for ``text`` on a page at ``base``; ``None`` where it is no URL at all."""
    if match := _PLAIN.fullmatch(text):
        scheme, host, port, path, query = match.groups()
        if (scheme or base) and "/." not in path:
            name = scheme or (base.scheme if base else "https")
            return Url(name, host, _port(port, name) if port else None, path or "/", query or "")
    text = squeezed(text)
    scheme_match = _SCHEME.match(text)
    if scheme_match:
        scheme = scheme_match[1].lower()
        rest = text[scheme_match.end() :]
        if scheme not in SPECIAL:
            return Url(scheme, "", None, rest, "")
        if base is None or scheme != base.scheme or (rest[:1] in "/\\" and rest[1:2] and rest[1] in "/\\"):
            return _with_authority(scheme, rest.lstrip("/\\"))
        text = rest
    if base is None:
        return None
    if not base.host:
        return None
    rest = text.partition("#")[0]
    path, mark, query = rest.partition("?")
    path = path.replace("\\", "/")
    if path.startswith("//"):
        return _with_authority(base.scheme, text.lstrip("/\\"))
    if not path:
        return Url(base.scheme, base.host, base.port, base.path, mark + query if mark else base.query)
    if not path.startswith("/"):
        path = base.path.rpartition("/")[0] + "/" + path
    return Url(base.scheme, base.host, base.port, _without_dots(path), mark + query)


def squeezed(text: str) -> str:
    """The text without what no URL keeps: controls and spaces around it, tabs and newlines in it."""
    text = text.strip(_EDGE)
    return text.translate(_TABS) if "\t" in text or "\n" in text or "\r" in text else text


def alone(text: str) -> str:
    """The squeezed address with the slashes that count where it has no base: ``http:host`` leads to a host then."""
    match = _SCHEME.match(text)
    if match is None or match[1].lower() not in SPECIAL:
        return text
    return match[0] + "//" + text[match.end() :].lstrip("/\\")


@lru_cache(maxsize=1024)
def parse_base(text: str) -> Url:
    """The URL of the page itself; anything that is not one counts as a page of its own at no host."""
    return resolve(text, None) or Url("https", "", None, "/", "")


def _with_authority(scheme: str, rest: str) -> Url | None:
    end = re.search(r"[/\\?#]", rest)
    authority, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    where = authority.rpartition("@")[2]
    name, port = where, ""
    if "]" in where:  # an address of version 6, also behind what is left out
        name, bracket, port = where.rpartition("]")
        name += bracket
        port = port.removeprefix(":")
    elif ":" in where:
        name, _, port = where.partition(":")
    host = hostname(name)
    port = port.lstrip("0") or port[:1]
    if not host or (port and not (port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536)):
        return None
    path, mark, query = tail.partition("#")[0].partition("?")
    return Url(scheme, host, _port(port, scheme), _without_dots(path.replace("\\", "/") or "/"), mark + query)


def _port(text: str, scheme: str) -> int | None:
    return int(text) if text and int(text) != SPECIAL[scheme] else None


def _without_dots(path: str) -> str:
    if "." not in path and "%2" not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            if kept:
                kept.pop()
        elif plain != ".":
            kept.append(segment)
            continue
        if index == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def hostname(text: str) -> str:
    """The host as it is asked for in the DNS: ASCII, lower case, no final dot; empty where there is none.

    What the standard forbids in one is percent-encoded, as in Chromium, which asks for many such hosts all the same.
    """
    if "%" in text:
        text = unquote_to_bytes(text).decode("utf-8", "replace")
    if not text.isascii():
        text = _idna(text)
    host = text.lower()
    if host.startswith("[") and host.endswith("]"):
        return host
    host = _FORBIDDEN.sub(lambda match: f"%{ord(match[0]):02x}", host.rstrip("."))
    last = host.rpartition(".")[2]
    if last and _NUMBER.fullmatch(last):
        return _ipv4(host)
    return host


def _idna(text: str) -> str:
    """UTS #46 without transitional processing, close enough to know a declared host again."""
    text = _IGNORED.sub("", text).translate(_YOUNG)
    folded = "".join(c if c in "ßς" else "ß" if c == "ẞ" else c.casefold() for c in text)
    folded = unicodedata.normalize("NFKC", folded).translate(_DOTS)
    folded = "".join(c if c in "ßς" else c.casefold() for c in folded)
    labels = (
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in folded.split(".")
    )
    return ".".join(labels)


def _ipv4(host: str) -> str:
    """An IPv4 address in its usual form, from octal, hexadecimal or fewer parts; empty where it is none."""
    parts = host.split(".")
    if len(parts) > 4:
        return ""
    numbers = []
    for part in parts:
        try:
            if part[:2] in ("0x", "0X"):
                numbers.append(int(part[2:] or "0", 16))
            else:
                numbers.append(int(part, 8 if len(part) > 1 and part[0] == "0" else 10))
        except ValueError:
            return ""
    *head, tail = numbers
    if any(number > 255 for number in head) or tail >= 256 ** (5 - len(numbers)):
        return ""
    value = tail + sum(number << (8 * (3 - index)) for index, number in enumerate(head))
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))
