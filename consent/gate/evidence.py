"""Where a page may reach for somebody else: the few marks without which no address leaves the site.

An address that goes to another host has two slashes, or something that a browser turns into them: a backslash, a
character reference, a tab or newline between them, or a scheme without them. These marks are far rarer than tags, and
each is found by an expression that begins with a literal, which costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from consent.gate.search import AUTOMATA, WINDOW, Marks, Search
from consent.gate.signs import PICTURED

_ANYWHERE: Final = b"".join(rb"(?<!" + re.escape(picture) + rb")" for picture in PICTURED)
_SCHEME: Final = (
    rb":(?!//)(?:(?<=ttp:)|(?<=tps:)|(?<=ipt:)|(?<=ata:)(?:(?!image/(?:gif|png|jpeg|webp|avif|x-icon)[;,])|" + _ANYWHERE
    + rb")|(?<=ftp:)|(?<=ws:)|(?<=wss:)|(?<=[\t\n\r]:)|(?<=[\t\n\r][apst]:)|(?<=[\t\n\r](?:tp|ps|ss|pt|ta):))"
)  # fmt: skip
_ENDS: Final = (b"ttp:", b"tps:", b"ipt:", b"ata:", b"ftp:", b"ws:", b"wss:")
_REFERENCE: Final = (
    rb"&(?:amp;?)*+(?:#(?!0*(?:34|39|60|62)(?![0-9])|x0*(?:22|27|3c|3e)(?![0-9a-f]))"
    rb"(?:0*+(?:1[01][0-9]|12[0-7]|[0-9]{1,2})(?![0-9])|x0*+[0-7]?[0-9a-f](?![0-9a-f]))|sol|bsol|colon|tab;|newline|lpar)"
)
_REFERENCES: Final = (b"&amp", b"&#", b"&sol", b"&bsol", b"&colon", b"&tab;", b"&newline", b"&lpar")
_BREAK: Final = rb"\n/"
_RARE: Final = {
    b"\\": Search(re.compile(rb"\\"), sign=b"\\"),
    b"\t": Search(re.compile(rb"\t/"), {b"\t/": 0}),
    b"\r": Search(re.compile(rb"\r/"), {b"\r/": 0}),
    b"\0": Search(re.compile(rb"\0"), sign=b"\0"),
}
"""The last is left out by the scanner of style sheets: there may be slashes around it."""
_CODE: Final = rb"(?:[01]?[0-9a-f]|20|2f|3a|5c|[46][1468]|[57][0347])"
_STANDING: Final = (
    rb"\\(?:0{4}" + _CODE + rb"|0{0,3}" + _CODE + rb"(?![0-9a-f])|[:/\\]"
    rb"|(?>[htpsw]|\r\n|[\x00-\x20])(?=[\x00-\x20htpsfwda:/\\]))"
)
_STYLED: Final = _RARE | {b"\\": Search(re.compile(_STANDING), sign=b"\\")}
"""In a style sheet a backslash matters that stands for what an address may begin with, up to its slashes."""
CALL: Final = Search(re.compile(rb"\("), sign=b"(")
# What may be an address only where the site's own paths may belong to a service.
_OWN: Final = (
    CALL,
    Search(re.compile(rb"&(?:lpar|#0*40(?![0-9])|#x0*28(?![0-9a-f]))"), {b"&lpar": 0, b"&#": 0}),
    Search(re.compile(rb"ping[\t\n\f\r ]*+="), {b"ping": 0}),
    Search(re.compile(rb"attributionsrc[\t\n\f\r ]*+="), {b"attributionsrc": 0}),
    Search(re.compile(rb"background[\t\n\f\r ]*+="), {b"background": 0}),
)


def _literals() -> dict[bytes, int]:
    """What each mark begins with, or a scheme ends with; a browser ignores breaks in the middle of one."""
    ends = {end[at:] for end in _ENDS for at in range(1, 4) if end[at:]}
    broken = {sign + end for sign in (b"\t", b"\n", b"\r") for end in ends}
    schemes = {literal: len(literal) - 1 for literal in (*_ENDS, *broken)}
    return {b"//": 0, b"///": 0, b"\n/": 0, **schemes, **dict.fromkeys(_REFERENCES, 0)}


_LITERALS: Final = _literals()
_IDLE: Final = (
    b'xmlns="http://',
    b'xlink="http://',
    *(before + b'<a href="' + scheme for before in (b">", b"> ", b">\n") for scheme in (b"http://", b"https://")),
)
"""Slashes that don't matter: in the name of a namespace, and in a plain link.

What is before the link says that it is one: in ``<link <a href="https://…">`` it would be an attribute.
"""


def _known(hosts: tuple[bytes, ...]) -> dict[bytes, int | None]:
    """Where most slashes are: behind a scheme, before one of the site's own ``hosts``, or in a plain link."""
    found: dict[bytes, int | None] = {}
    for scheme in _ENDS:
        found |= dict.fromkeys((scheme + b"//", scheme + b"///"), len(scheme))
    own = [scheme + b"//" + host + b"/" for scheme in (b"", b"ttp:", b"tps:") for host in hosts]
    for idle in (*own, *_IDLE):
        found |= {idle: None, idle + b"/": len(idle) - 1}
    return found


@lru_cache(maxsize=256)
def _everywhere(hosts: tuple[str, ...], *, together: bool) -> tuple[Search, ...]:
    """The searches for what matters on any page; an automaton finds all of it at once.

    Two slashes don't matter before one of the site's own hosts, in the name of a namespace, or in a plain link. A host
    ends at a slash: in ``"//harbour.example'@other.example"`` it is another's user.
    """
    names = tuple(host.encode("ascii", "replace") for host in hosts)
    own = b"|".join(map(re.escape, names))
    slashes = b"//" + b"".join(rb"(?<!" + idle + rb")" for idle in _IDLE) + (rb"(?!(?:" + own + rb")/)" if own else b"")
    if together:
        return (Search(re.compile(b"|".join((slashes, _SCHEME, _REFERENCE, _BREAK))), _LITERALS, known=_known(names)),)
    return (
        Search(re.compile(slashes)),
        Search(re.compile(_SCHEME), sign=b":"),
        Search(re.compile(_REFERENCE), sign=b"&"),
        Search(re.compile(_BREAK)),
    )


def searches(hosts: Iterable[str], *, code: bool, relative: bool) -> tuple[Search, ...]:
    """The searches, in lower-case text, by which everything that matters is found.

    ``hosts`` are the site's own; ``code`` says whether calls in event handlers matter, and ``relative`` whether
    addresses without a host do.
    """
    found = _everywhere(tuple(hosts), together=AUTOMATA)
    if relative:
        return found + _OWN
    return (*found, CALL) if code else found


def marks(
    searches: tuple[Search, ...], text: bytes, start: int = 0, *, window: int = WINDOW, is_sheet: bool = False
) -> Marks:
    """Where something may reach for somebody else in one piece of lower-case text, from ``start`` on.

    ``window`` is how much of it is read at first.
    ``is_sheet`` is for a style sheet, which has parentheses and backslashes of its own: there only addresses with a
    host are found.
    """
    rare = tuple(search for sign, search in (_STYLED if is_sheet else _RARE).items() if text.find(sign, start) >= 0)
    if is_sheet:
        searches = tuple(search for search in searches if search not in _OWN)
    return Marks(searches + rare, text, start, window)
