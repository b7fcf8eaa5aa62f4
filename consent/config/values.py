"""Reading one value: each function returns what it means, or reports what is wrong with it and returns ``None``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any, Final

from consent.config import country as countries_of
from consent.config.checks import Spot
from consent.duration import days
from consent.errors import nearest
from consent.names import HOST, KEY, as_key

DECIDE: Final = "DECIDE"
"""Begins a value that `consent init` could not know."""
Read = Callable[[object, Spot], Any]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:?//|//", re.IGNORECASE)


def text(value: object, spot: Spot) -> str | None:
    """Non-empty text on one line of thought: inner line breaks become spaces."""
    if not isinstance(value, str):
        _wrong_type(value, spot, "text in quotes", f'"{value}"' if type(value) in (int, float) else '"…"')
        return None
    words = " ".join(value.split())
    if not words:
        spot.add("E014", f"{_the(spot)} is empty.", "Write what it is, or take the line out.")
        return None
    control = next((ch for ch in words if unicodedata.category(ch) == "Cc"), "")
    if control:
        what = f"{_the(spot)} has a control character in it (U+{ord(control):04X})."
        spot.add("E012", what, "Take it out: it can't be read, and stands in no name.")
        return None
    if words.startswith(DECIDE):
        spot.add("W015", f"{_the(spot)} still waits for a person's decision.", "Visitors read it: write what is true.")
    return words


def flag(value: object, spot: Spot) -> bool | None:
    """``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    meant = "true" if str(value).strip().lower() in ("yes", "on", "1", "true") else "false"
    _wrong_type(value, spot, "true or false, without quotes", meant)
    return None


def number(value: object, spot: Spot) -> int | None:
    """A whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    digits = re.sub(r"\D", "", str(value)) if isinstance(value, str) else ""
    _wrong_type(value, spot, "a whole number, without quotes", digits or "184")
    return None


def day(value: object, spot: Spot) -> date | None:
    """A calendar day, as a TOML date or as the same in quotes."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    _wrong_type(value, spot, "a day", "2027-01-31")
    return None


def one_of(known: Collection[str]) -> Read:
    """One of these words."""

    def read(value: object, spot: Spot) -> str | None:
        if not isinstance(value, str):
            _wrong_type(value, spot, "text in quotes", f'"{next(iter(known))}"')
            return None
        word = text(value, spot)
        if word is None or word in known:
            return word
        listed = ", ".join(f'"{name}"' for name in known)
        spot.add(
            "E013",
            f'{_the(spot)} is "{word}", which is not one of its values.',
            f"Write one of {listed}.",
            near=nearest(word.lower(), known),
        )
        return None

    return read


def each(read: Read, *, example: str = "") -> Read:
    """A list whose elements are read by ``read``; what is wrong with one doesn't hide the others."""

    def read_all(value: object, spot: Spot) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            shown = f'["{value}"]' if isinstance(value, str | int | float) else '["…"]'
            _wrong_type(value, spot, "a list", example or shown)
            return None
        results = (read(item, spot.at(number)) for number, item in enumerate(value))
        return tuple(result for result in results if result is not None)

    return read_all


def key(value: object, spot: Spot) -> str | None:
    """A key: lower-case letters, digits, ``-`` and ``_``, at most 40; it goes into forms and attributes."""
    word = text(value, spot)
    if word is None or KEY.fullmatch(word):
        return word
    spot.add(
        "E026",
        f'{_the(spot)} is "{word}", which can\'t be a key.',
        f'Use lower-case letters, digits, "-" and "_", at most 40, such as "{as_key(word)}".',
    )
    return None


def url(value: object, spot: Spot) -> str | None:
    """An ``https://`` URL or a path on the site."""
    address = text(value, spot)
    if address is None:
        return None
    if re.fullmatch(r"https://[^\s/]+\.?\S*|/(?!/)\S*", address):
        return address
    if address.startswith("http://"):
        hint = f'Write "https://{address[7:]}".'
    elif " " in address:
        hint = "An address has no spaces."
    elif re.match(r"[\w-]+(\.[\w-]+)+", address):
        hint = f'Write "https://{address}", or a path such as "/privacy".'
    else:
        hint = f'Write a path on the site such as "/{address.strip("/") or "privacy"}", or a whole https:// address.'
    spot.add("E020", f'{_the(spot)} is "{address}", which is not an address.', hint)
    return None


def host(value: object, spot: Spot) -> str | None:
    """A host name alone, in lower case and as browsers send it (IDNA), perhaps with a port."""
    written = text(value, spot)
    if written is None:
        return None
    name = _ascii(written)
    if name is not None and HOST.fullmatch(name):
        return name
    bare = _SCHEME.sub("", written, count=1).split("/")[0].removeprefix("*.").replace(" ", "")
    spot.add(
        "E021",
        f'{_the(spot)} is "{written}", which is not a host name.',
        f'Write the host alone, such as "{bare or "www.example.org"}": no https://, path, space or "*".',
    )
    return None


def base(value: object, spot: Spot) -> str | None:
    """Where something is hosted: a host, or a host and a folder on it."""
    if isinstance(value, str) and "/" in value.strip("/") and not _SCHEME.match(value.strip()):
        name, _, folder = value.strip().partition("/")
        good = host(name, spot)
        return f"{good}/{folder.strip('/')}" if good else None
    return host(value.strip("/") if isinstance(value, str) else value, spot)


def pattern(value: object, spot: Spot) -> str | None:
    """A load pattern: ``host``, ``*.host``, ``host/path*``."""
    written = text(value, spot)
    if written is None:
        return None
    fault, remedy = _pattern_fault(written)
    if fault:
        spot.add("E022", f'The pattern "{written}" in {spot.name} {fault}.', remedy)
        return None
    name, slash, path = written.partition("/")
    wild = "*." if name.startswith("*.") else ""
    return f"{wild}{_ascii(name.removeprefix('*.'))}{slash}{path}"


def _pattern_fault(written: str) -> tuple[str, str]:
    scheme = _SCHEME.match(written)
    if scheme:
        return f'begins with "{scheme[0]}"', f'Leave that out: "{written[scheme.end() :]}".'
    if " " in written:
        return "has a space in it", "Write each pattern as its own text in the list."
    if "?" in written or "#" in written:
        return "has a query or a fragment in it", f'Patterns see the path alone: "{re.split("[?#]", written)[0]}*".'
    name = written.partition("/")[0]
    bare = name.removeprefix("*.")
    if bare in ("", "*"):
        return "means every host", 'Name the host: "stats.example.org" or "*.example.org".'
    if "*" in bare:
        return 'has a "*" in the middle of the host', 'A host may only begin with "*.": write one pattern for each.'
    ascii_name = _ascii(bare)
    if ascii_name is None or not HOST.fullmatch(ascii_name):
        return "doesn't begin with a host name", 'Write it as "host", "*.host" or "host/path*".'
    if name.startswith("*.") and "." not in bare:
        return f'means every host under ".{bare}"', 'Name the domain as well: "*.example.org".'
    return "", ""


def route(value: object, spot: Spot) -> str | None:
    """A path on the site, ``*`` as in a glob."""
    path = text(value, spot)
    if path is None:
        return None
    if path.startswith("/") and " " not in path and "?" not in path:
        return path
    meant = "/" + re.sub(r"^(https?:)?//[^/]*", "", path).lstrip("/").split("?")[0].replace(" ", "-")
    spot.add(
        "E023",
        f'{_the(spot)} is "{path}", which is not a path.',
        f'Write a path from the root of the site, such as "{meant}".',
    )
    return None


def duration(value: object, spot: Spot) -> tuple[str, float | None] | None:
    """A life time in words, with its days."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        _wrong_type(value, spot, "a duration in words", f'"{value} days"')
        return None
    words = text(value, spot)
    if words is None:
        return None
    try:
        return words, days(words)
    except ValueError as error:
        spot.add(
            "E024",
            f'{_the(spot)} is "{words}", which is not a duration.',
            'Write it as "session", "30 minutes", "184 days", "13 months", "2 years" or "persistent".',
            near=error.args[1],
        )
        return None


def country(value: object, spot: Spot) -> str | None:
    """An ISO 3166-1 code, or ``EU``."""
    code = text(value, spot)
    if code is None or code in countries_of.names():
        return code
    spot.add(
        "E025",
        f'{_the(spot)} has the country "{code}", which is not a country code.',
        'Write two capital letters (ISO 3166-1), such as "IE" for Ireland.',
        near=countries_of.code_like(code),
    )
    return None


def token(value: object, spot: Spot) -> str | None:
    """A token that gives an inline script away."""
    word = text(value, spot)
    if word is None or (len(word) >= 4 and re.search(r"\w{3}", word)):
        return word
    spot.add(
        "E027",
        f'The inline token "{word}" in {spot.name} is too short: it would stop unrelated scripts.',
        'Write the whole call, such as "_paq.push(".',
    )
    return None


def _ascii(name: str) -> str | None:
    """A host name as browsers send it, or ``None`` where it can't be one."""
    bare, colon, port = name.lower().rstrip(".").partition(":")
    try:
        return bare.encode("idna").decode() + colon + port
    except UnicodeError:
        return None


def _the(spot: Spot) -> str:
    """What a sentence about this place begins with: ``"category" of the service "stats"``."""
    names = [step for step in spot.path if isinstance(step, str)]
    return f'"{names[-1]}" of {spot.name}' if names else spot.name


def _wrong_type(value: object, spot: Spot, wanted: str, example: str) -> None:
    given = {
        bool: "true or false", str: "text", int: "a number", float: "a number", list: "a list", dict: "a table",
    }.get(type(value), "a date or time")  # fmt: skip
    name = next((step for step in reversed(spot.path) if isinstance(step, str)), "value")
    list_item = bool(spot.path) and isinstance(spot.path[-1], int)
    remedy = f"Write {example} there." if list_item else f"Write {name} = {example}."
    spot.add("E012", f"{_the(spot)} is {given}; it has to be {wanted}.", remedy)
