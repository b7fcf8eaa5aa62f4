"""The URLs a style sheet fetches: ``url()``, ``@import``, ``image-set()`` (CSS Syntax 3, CSS Images 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from consent.gate.search import Marks

INERT: Final = b"data-consent:"
"""What is put before a URL in a style sheet: a scheme that no browser fetches."""

_HEX = rb"[0-9a-fA-F]{1,6}+(?:\r\n|[\t\n\r\f ])?+"
_ESCAPED = rb"\\(?:" + _HEX + rb"|[^\n\r\f0-9a-fA-F])"
_DOUBLE = rb"(?:[^\"\\\n\r\f]++|" + _ESCAPED + rb"|\\(?:\r\n|[\n\r\f]))*+"
_SINGLE = rb"(?:[^'\\\n\r\f]++|" + _ESCAPED + rb"|\\(?:\r\n|[\n\r\f]))*+"
_STRING = rb"(?:\"" + _DOUBLE + rb"\"?|'" + _SINGLE + rb"'?)"
_LETTERS = rb"(?:[a-zA-Z0-9_\-\x80-\xff]++|" + _ESCAPED + rb")*+"
_WORD = rb"(?:[a-zA-Z_\-\x80-\xff]|" + _ESCAPED + rb")" + _LETTERS
_REMARK = rb"\*(?:[^*]++|\*(?!/))*+(?:\*/)?+"
_SKIP = rb"(?:[\t\n\r\f ]++|/" + _REMARK + rb")*+"
_CALLED = b"".join(rb"(?<!(?i:" + name + rb")\()" for name in (b"url", b"src", b"image", b"image-set", b"cross-fade"))
# What is before the next thing that may fetch, in one go.
_CALM = re.compile(
    rb"(?:[^\"'()@/\\]++|\)|\(" + _CALLED + rb"|" + _STRING + rb"|/(?:" + _REMARK + rb"|(?!\*))"
    rb"|@(?!(?i:import|namespace)|[a-zA-Z0-9_\-\x80-\xff]*+\\)|" + _ESCAPED + _LETTERS + rb"(?!\()|\\[\n\r\f])*+"
)
# It begins with a set of characters, which is found far faster than what has no such beginning.
_STEP = re.compile(
    rb"[\"'()@/\\](?:(?<=/)" + _REMARK + rb"|(?<=\")" + _DOUBLE + rb"\"?|(?<=')" + _SINGLE + rb"'?"
    rb"|(?<=@)(?P<at>" + _WORD + rb")"
    rb"|(?<=\\)(?:(?:" + _HEX + rb"|[^\n\r\f0-9a-fA-F])" + _LETTERS + rb"|[\n\r\f])|(?<=[()]))"
)  # fmt: skip
_LONGEST: Final = 24
"""No name of a function that fetches is longer, in bytes."""
_PLAIN: Final = b"-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BARE = rb"(?:[^\"'()\\\t\n\r\f ]++|" + _ESCAPED + rb")*+"
_URL = re.compile(rb"[\t\n\r\f ]*+(?:(?P<quoted>" + _STRING + rb")|(?P<bare>" + _BARE + rb"))")
_CLOSED = re.compile(rb"[\t\n\r\f ]*+(?:\)|\Z)")
_REMNANTS = re.compile(rb"(?:[^)\\]|\\[\s\S])*+\)?")
_PREFIX = re.compile(rb"(?:" + _SKIP + _WORD + rb"(?!\())?+")
_TARGET = re.compile(_SKIP + rb"(?:(?P<string>" + _STRING + rb")|(?P<word>" + _WORD + rb")\()")
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[\t\n\r\f ])?|(\r\n|[\n\r\f])|([\s\S]))")
_LOOSE = re.compile(
    rb"(?<!(?<!\\)\\)(?:\"(?=(?P<double>" + _DOUBLE + rb"))|'(?=(?P<single>" + _SINGLE + rb")))"
    rb"|[(\t\n\r\f ](?P<bare>" + _BARE + rb")"
)
_BARE_IMPORT = re.compile(rb"@import[\t\n\f\r ]++([^\"'();\t\n\f\r ]++)", re.IGNORECASE)
_CALLED_WITH = re.compile(rb"\([\t\n\f\r ]*+([^\"'()\t\n\f\r ]++)")
_READ_ON = re.compile(rb"\"" + _DOUBLE + rb"|'" + _SINGLE + rb"|[(\t\n\f\r ]" + _BARE)
_BEGINS = re.compile(rb"[\"'(\t\n\r\f ]")
_BEFORE = bytes(range(0x21)) + b"\"'(/:\\0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What may stand between the beginning of an address and its mark, and what it begins with."""
ENDS_TWICE: Final = b"**/"
# Firefox's search for imports goes on to the next star behind each, so that a comment that ends so ends later.
_SCANNED = re.compile(
    rb"(?:[\t\n\r\f ]++|/\*(?:[^*]|\*[^/])*+\*/|@charset[^;]*+;)*+"
    rb"@import(?:[\t\n\r\f ]|/\*(?:[^*]|\*[^/])*+\*/)*+(?:url\([\t\n\r\f ]*+)?+"
    rb"(?:(?P<quote>[\"'])(?P<quoted>[^\"']*+)|(?P<bare>[^\"');\t\n\r\f ]++))[^;]*+;?+",
    re.IGNORECASE,
)
_BROKEN = [rb"[\t\n\r]*+".join(bytes((sign,)) for sign in name) for name in (b"https", b"ftp", b"wss", b"data:")]
_ADDRESS = re.compile(
    rb"[\x00-\x20]*+(?:(?:" + _BROKEN[0] + rb"?|" + _BROKEN[1] + rb"|" + _BROKEN[2] + rb"?)[\t\n\r]*+:|(" + _BROKEN[3]
    + rb")|[/\\][\t\n\r]*+[/\\])", re.IGNORECASE,
)  # fmt: skip
# How a style sheet begins, as far as all scanners for imports read it as CSS does: white space, comments, and rules
# without anything in which one of them may lose its way. Most scanners know neither strings nor escapes, and take a
# semicolon for the end of a rule wherever it is; behind one that is followed by a letter or a digit they are done.
_SPACE = rb"[\t\n\f\r ]"
_PATH = rb"(?:[^\"'\\\x00-\x20*();]++|;(?=[a-z0-9]))*+"
_NAMED = rb"(?:\"" + _PATH + rb"\"|'" + _PATH + rb"')"
_MEDIA = rb"a-z0-9_\-:,.\t\n\f\r "
_HEAD = re.compile(
    rb"(?:" + _SPACE + rb"++|/\*(?:[^*\0]++|\*++(?=[^*/\0]))*+(?<!\*)\*/"
    rb"|@charset" + _SPACE + rb"++\"[a-z0-9_\-]*+\"" + _SPACE + rb"*+;"
    rb"|@layer" + _SPACE + rb"++[a-z0-9_\-.,\t\n\f\r ]++;"
    rb"|@import(?:" + _SPACE + rb"*+" + _NAMED + rb"|" + _SPACE + rb"++url\(" + _SPACE + rb"*+(?:" + _NAMED + rb"|"
    + _PATH + rb")" + _SPACE + rb"*+\))(?:[" + _MEDIA + rb"]++|\([" + _MEDIA + rb"]*+\))*+(?:;|\Z))*+",
    re.IGNORECASE,
)  # fmt: skip
# What ends the search of each of them: not a brace alone, which Chromium's takes for a part of the rule's name.
_DONE = re.compile(
    rb"[a-z.#*:\[&>_\-]|@(?!import|charset|layer)[a-z\-]++(?:\{[^;\0\t\n\f\r ]*+)?+"
    rb"(?:" + _SPACE + rb"++[^;\0\t\n\f\r ]|;" + _SPACE + rb"*+[a-z}\-])"
    rb"|@layer" + _SPACE + rb"++[a-z0-9_\-.]++" + _SPACE
    + rb"*+\{(?:[^;@\"'\\/\0]++|\"[^\"\\\n;@/\0]*+\"|'[^'\\\n;@/\0]*+')*+;" + _SPACE + rb"*+[a-z}\-]",
    re.IGNORECASE,
)  # fmt: skip
_COMMENTED = re.compile(rb"(?:" + _SPACE + rb"++|/\*(?:[^*\0]++|\*(?!/))*+\*/)*+")
_COMMENTED_LONGER = re.compile(rb"(?:" + _SPACE + rb"++|/\*(?:[^*\0]|\*[^/\0])*+(?:\*/|\*?\Z))*+")
_HOLDING = re.compile(_BROKEN[3] + rb"|\\", re.IGNORECASE)
_IMPORTING = re.compile(rb"@(?:import|[a-z\-]*+\\)")
NEAR: Final = 64
"""So much of what is before an address says whether it may be imported, in bytes."""
FAR: Final = 4096
"""The longest address of an import that is read in a part of a style sheet, in bytes."""
_LONGEST_GAP: Final = NEAR - len("import")
_GAP: Final = b"\t\n\f\r ("
_FETCHING = frozenset(("image-set", "-webkit-image-set", "image", "src", "cross-fade", "-webkit-cross-fade"))


class Fetched(NamedTuple):
    """What a style sheet fetches: where its URL begins, the URL without escapes, and whether it is another sheet.

    One that is ``cut`` holds another sheet, of which there may not be all in this part.
    """

    at: int
    url: str
    imported: bool
    cut: bool = False


def urls(sheet: bytes, codec: str) -> Iterator[Fetched]:
    """Each URL the sheet fetches.

    A string counts only where CSS takes a string for an address; ``content: "https://…"`` and ``@namespace`` don't.
    """
    if ENDS_TWICE in sheet:
        yield from _scanned(sheet, codec)
    fetching = [False]
    position, rule, target = 0, "", -1
    while True:
        if len(fetching) == 1:
            position = _end(_CALM, sheet, position)
        match = _STEP.search(sheet, position)
        if match is None:
            return
        begun, position = match.span()
        sign = match[0][:1]
        name, start = "", -1
        if sign == b"(" or (sign == b"\\" and sheet.startswith(b"(", position)):
            before = sheet[max(0, begun - _LONGEST) : begun]
            before = before[len(before.rstrip(_PLAIN)) :]
            start = begun - len(before)
            if sign == b"\\":
                before += match[0]  # up to here nothing of the name was escaped
                position += 1
                sign = b"("
            name = unescaped(before).lower()
        if sign in (b'"', b"'"):
            if fetching[-1]:
                yield Fetched(begun + 1, _quoted(match[0], codec), False)
        elif sign == b"@":
            rule = unescaped(match["at"]).lower()
            if rule in ("import", "namespace"):
                found = _TARGET.match(sheet, position if rule == "import" else _end(_PREFIX, sheet, position))
                if found and found["string"]:
                    if rule == "import":
                        yield Fetched(found.start("string") + 1, _quoted(found["string"], codec), True)
                    position = found.end()
                elif found:
                    target = found.start("word")
        elif sign == b"(":
            if name == "url" and (address := _URL.match(sheet, position)):
                text, bare = address["quoted"], address["bare"]
                of_rule = start == target
                if of_rule and rule == "namespace":
                    pass
                elif text:
                    yield Fetched(address.start("quoted") + 1, _quoted(text, codec), of_rule)
                elif bare:
                    yield Fetched(address.start("bare"), unescaped(bare, codec), of_rule)
                position = max(address.end(), position)
                if text or _CLOSED.match(sheet, position):
                    fetching.append(False)
                else:  # a bad url: what is left of it, quotes and all, goes up to the next parenthesis
                    position = _end(_REMNANTS, sheet, position)
            else:
                fetching.append(name in _FETCHING or (fetching[-1] and name not in ("type", "format")))
        elif sign == b")" and len(fetching) > 1:
            fetching.pop()


def _scanned(sheet: bytes, codec: str) -> Iterator[Fetched]:
    """Each import that a scanner finds that is mistaken about where a comment ends."""
    position = 0
    while match := _SCANNED.match(sheet, position):
        position = match.end()
        part = "bare" if match["quote"] is None else "quoted"
        yield Fetched(match.start(part), match[part].decode(codec, "replace"), True)


def _end(pattern: re.Pattern[bytes], sheet: bytes, position: int) -> int:
    match = pattern.match(sheet, position)
    return match.end() if match else position


def may_import(sheet: bytes) -> bool:
    """Whether there may be an ``@import`` in a style sheet in lower case."""
    return _IMPORTING.search(sheet) is not None


def may_hold_sheet(sheet: bytes) -> bool:
    """Whether there may be a ``data:`` URL in a part of a style sheet."""
    return _HOLDING.search(sheet) is not None


def is_scanned_alike(sheet: bytes, *, goes_on: bool = False) -> bool:
    """Whether all scanners for imports find those that CSS has, and no others, in a style sheet in HTML.

    ``goes_on`` is for the beginning of one.
    """

    def ends(head: re.Pattern[bytes]) -> bool:
        end = _end(head, sheet, 0)
        return _DONE.match(sheet, end) is not None or (end == len(sheet) and not goes_on)

    return ends(_HEAD) or (ENDS_TWICE in sheet and ends(_COMMENTED) and ends(_COMMENTED_LONGER))


def addresses(sheet: bytes) -> Iterator[bytes]:
    """Whatever may be an address to a scanner that knows no escapes, wherever it stands in a style sheet."""
    bare = _CALLED_WITH.findall(sheet) + _BARE_IMPORT.findall(sheet)
    for parts in (sheet.split(b'"')[1:], sheet.split(b"'")[1:], bare):
        yield from dict.fromkeys(parts)


def names_host(address: bytes) -> bool:
    """Whether an address leaves the site, or holds what it leads to."""
    return _ADDRESS.match(address) is not None


def cut_off(sheet: bytes, codec: str) -> int:
    """Where the URL of an import begins that holds another sheet and goes on behind the end of this part, or -1."""
    last = next(reversed([fetched for fetched in urls(sheet, codec) if fetched.imported]), None)
    if last is None or not (address := _ADDRESS.match(last.url.encode("utf-8", "replace"))) or not address[1]:
        return -1
    text = _READ_ON.match(sheet, last.at - 1)
    return last.at if text and text.end() == len(sheet) else -1


def _may_be_imported(sheet: bytes, at: int) -> bool:
    """Whether what begins at ``at`` in a part of a sheet may be the name of another; a comment may hide that it is."""
    near = sheet[max(0, at - NEAR) : at].lower()
    before = near.rstrip(_GAP).removesuffix(b"url").rstrip(_GAP)
    return len(near) - len(before) > _LONGEST_GAP or before.endswith((b"import", b"/")) or b"\\" in near


def loose(sheet: bytes, codec: str, places: Marks) -> Iterator[Fetched]:
    """Each address that leaves the site, wherever it stands in a style sheet, or in a part of one.

    ``places`` are the marks of the sheet in lower case.
    """
    size, passed = len(sheet), 0
    after, beginnings, read, names = places.after, _BEGINS.finditer, _LOOSE.match, _ADDRESS.match
    while (mark := after(passed)) < size:
        start = passed + len(sheet[passed:mark].rstrip(_BEFORE)) if mark > passed else mark
        passed = mark + 1
        for begins in beginnings(sheet, start, passed):
            at = begins.start()
            match = read(sheet, at)
            if match is None:
                continue
            part = match.lastindex or 0
            text = match[part]
            url = unescaped(text, codec) if b"\\" in text else ""
            if address := names(url.encode("utf-8", "replace") if url else text):
                imported = address[1] is not None and _may_be_imported(sheet, at)
                yield Fetched(at + 1, url or text.decode(codec, "replace"), imported, imported and len(text) > FAR)
            if match.end() > passed:
                passed = match.end()
                break


def _quoted(text: bytes, codec: str) -> str:
    return unescaped(text.strip(text[:1]), codec)


def unescaped(text: bytes, codec: str = "latin-1") -> str:
    """The text as CSS reads it: with its escapes undone."""
    plain = text.decode(codec, "replace")
    return _ESCAPE.sub(_character, plain) if "\\" in plain else plain


def _character(match: re.Match[str]) -> str:
    if match[1]:
        code = int(match[1], 16)
        return chr(code if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else 0xFFFD)
    return match[3] or ""
