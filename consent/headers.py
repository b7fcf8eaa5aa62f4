"""HTTP header fields, read and written as browsers and caches really treat them.

Pure functions over strings. ``http.cookies`` isn't used: one odd cookie of somebody else hides all the others there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from consent.choice import Permissions, Signals
from consent.policy import Policy, Service, StorageItem

Fields = list[tuple[str, str]]

EXPIRY_BUDGET: Final = 4096  # bytes of Set-Cookie a response may spend on expiring
_LONGEST_ATTRIBUTE: Final = 1024  # some browsers read no longer one of a cookie's (RFC 6265bis section 5.6)
_CDN_CACHING: Final = frozenset({"surrogate-control", "edge-control", "x-accel-expires"})
_SHARED: Final = frozenset({"public", "s-maxage", "proxy-revalidate"})
_PAST: Final = "Thu, 01 Jan 1970 00:00:00 GMT"
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def first(fields: Iterable[tuple[str, str]], name: str) -> str | None:
    """The value of the first field called ``name`` (lower case), or ``None``."""
    return next((value for key, value in fields if key.lower() == name), None)


def without(fields: Iterable[tuple[str, str]], *names: str) -> Fields:
    """The fields not called any of ``names`` (lower case)."""
    return [(key, value) for key, value in fields if key.lower() not in names]


def joined(fields: Iterable[tuple[str, str]], name: str) -> str:
    """The values of all fields called ``name`` (lower case), as one."""
    return ", ".join([value for key, value in fields if key.lower() == name])


def named(fields: Iterable[tuple[str, str]]) -> Fields:
    """The fields under the names that browsers read: Chromium passes over blanks before the colon."""
    return [(name.strip(" \t"), value) for name, value in fields]


def is_download(fields: Iterable[tuple[str, str]]) -> bool:
    """Whether a browser saves the response and shows nothing of it.

    What is no token, such as ``attachment filename=x`` without its semicolon, is shown (RFC 6266); around one there
    may be blanks and tabs, and no other space.
    """
    said = [value for key, value in fields if key.lower() == "content-disposition"]
    return bool(said) and all(value.partition(";")[0].strip(" \t").lower() == "attachment" for value in said)


# Content-Type (WHATWG Fetch, "extract a MIME type")

_MEMBER: Final = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*+"?)++')
_KIND: Final = re.compile(r"[\t ]*+([!#$%&'*+.^_`|~0-9a-z-]++/[!#$%&'*+.^_`|~0-9a-z-]++)(?=[\t (;]|\Z)", re.IGNORECASE)
_CHARSET: Final = re.compile(r';[\t ]*+charset=[\t ]*+("[^"]*+"?|[^;\'\t ][^;]*+)', re.IGNORECASE)
_DOUBTFUL: Final = re.compile(r"[,(]|charset[\t ]*+(?:(?<=[\t ])=|=[\t '])", re.IGNORECASE)


def content_type(fields: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The media type a browser takes a response for, ``""`` for none, and a field value that all browsers read so.

    It is the last valid one of all Content-Type fields; ``*/*`` says nothing. Parameters follow a semicolon or,
    wrongly, a space or a parenthesis; WebKit takes a charset with spaces around its equals sign, or in single quotes,
    and nobody else does. The value is as it came where it leaves no doubt.
    """
    return _content_type(tuple([value for name, value in fields if name.lower() == "content-type"]))


@lru_cache(maxsize=256)
def _content_type(values: tuple[str, ...]) -> tuple[str, str]:
    kind, charset = "", ""
    for member in (member for value in values for member in _MEMBER.findall(value)):
        match = _KIND.match(member)
        if match is None or match[1] == "*/*":
            continue
        label = _CHARSET.search(member)
        charset = label[1].strip() if label else charset if match[1].lower() == kind else ""
        kind = match[1].lower()
    if not kind or (len(values) == 1 and not _DOUBTFUL.search(values[0])):
        return kind, values[0] if values else ""
    return kind, f"{kind}; charset={charset}" if charset else kind


# Cookie (RFC 6265bis section 5.8)


def cookies(header: str) -> Iterator[tuple[str, str]]:
    """Each ``(name, value)`` of a Cookie field, in order, however odd its neighbours are."""
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            yield name.strip(" \t"), value.strip(" \t")


def cookie_values(header: str, name: str) -> list[str]:
    """Every value that came under this cookie name."""
    return [value for key, value in cookies(header) if key == name]


def hide_cookies(header: str, hidden: Callable[[str], bool]) -> str:
    """The Cookie field without the cookies whose name ``hidden`` says; untouched when there are none."""
    pairs = header.split(";")
    kept = [pair for pair in pairs if not hidden(pair.partition("=")[0].strip(" \t"))]
    return header if len(kept) == len(pairs) else ";".join(kept).strip(" ")


# Signals (W3C Global Privacy Control: the field is exactly "1")


_SILENT: Final = Signals()


def signals(gpc: str | None, dnt: str | None) -> Signals:
    """What ``Sec-GPC`` and ``DNT`` say; several fields joined by commas count if one of them is exactly ``1``."""
    return _SILENT if gpc is None is dnt else Signals(gpc=_is_one(gpc), dnt=_is_one(dnt))


def _is_one(field: str | None) -> bool:
    return field is not None and any(part.strip(" \t") == "1" for part in field.split(","))


# Set-Cookie


class CookieRules:
    """Which of the site's own cookies belong to which services; compiled once per policy."""

    def __init__(self, policy: Policy) -> None:
        self._exact: dict[str, list[Service]] = {}
        self._globs: list[tuple[str, Service]] = []
        self._places: dict[str, list[StorageItem]] = {}
        for service in policy.services:
            for item in service.storage:
                if item.kind != "cookie":
                    continue
                self._places.setdefault(item.name, []).append(item)
                if "*" in item.name:
                    self._globs.append((item.name, service))
                else:
                    self._exact.setdefault(item.name, []).append(service)

    def services(self, name: str) -> list[Service]:
        """Every service that declares a cookie of this name."""
        return self._exact.get(name, []) + [service for glob, service in self._globs if fnmatchcase(name, glob)]

    def denies(self, name: str, permissions: Permissions) -> bool:
        """Whether a cookie of this name is declared, and by refused services only."""
        owners = self.services(name)
        return bool(owners) and not any(service.key in permissions.allowed for service in owners)

    def places(self, name: str) -> Iterator[tuple[str, str]]:
        """The declared ``(path, domain)`` of this cookie; ``("/", "")`` where nothing is declared."""
        items = [item for glob, found in self._places.items() if fnmatchcase(name, glob) for item in found]
        yield from dict.fromkeys((item.path or "/", item.domain.lstrip(".").lower()) for item in items) or [("/", "")]


def cookie_name(set_cookie: str) -> str:
    """The name that a Set-Cookie field's cookie has when it comes back.

    One without ``=``, or with nothing before it, has no name (RFC 6265bis section 5.6) and comes back as its bare
    value, which is read as a name again if there is another ``=`` in it.
    """
    name, equals, value = set_cookie.partition(";")[0].partition("=")
    if equals and not name.strip(" \t"):
        name, equals, _ = value.partition("=")
    return name.strip(" \t") if equals else ""


def deletes(set_cookie: str, *, now: datetime) -> bool:
    """Whether a Set-Cookie field deletes its cookie in every browser: ``Max-Age`` goes before ``Expires``."""
    parts = map(_partition, set_cookie.split(";")[1:])
    attributes = [(key.strip(" \t").lower(), value.strip(" \t")) for key, _, value in parts]
    if any(len(value) > _LONGEST_ATTRIBUTE for _, value in attributes):
        return False
    ages = [value for key, value in attributes if key == "max-age" and re.fullmatch(r"-?[0-9]+", value)]
    if ages:
        return all(value.startswith("-") or not value.strip("0") for value in ages)
    dates = [_cookie_date(value) for key, value in attributes if key == "expires"]
    return bool(dates) and all(date is not None and date <= now for date in dates)


# RFC 6265bis section 5.1.1: what every part of a date looks like, wherever it stands.
_DATE_PARTS: Final = (
    ("time", re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")),
    ("day", re.compile(r"([0-9]{1,2})(?![0-9])")),
    ("month", re.compile(r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)),
    ("year", re.compile(r"([0-9]{2,4})(?![0-9])")),
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_WORD: Final = re.compile(r"[^\t -/;-@\[-`{-~]+")


def _cookie_date(text: str) -> datetime | None:
    """When a cookie ends, as browsers read it; ``None`` for what they don't take for a date."""
    found: dict[str, tuple[str, ...]] = {}
    for word in _DATE_WORD.findall(text):
        for part, pattern in _DATE_PARTS:
            if part not in found and (match := pattern.match(word)):
                found[part] = match.groups()
                break
    if len(found) < len(_DATE_PARTS):
        return None
    year = int(found["year"][0])
    year += 1900 if 70 <= year <= 99 else 2000 if year < 70 else 0
    month = _MONTHS.index(found["month"][0].lower()) + 1
    try:
        hour, minute, second = map(int, found["time"])
        date = datetime(year, month, int(found["day"][0]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return date if year >= 1601 else None


def _partition(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def expirations(
    names: Iterable[str], rules: CookieRules, *, host: str, secure: bool, budget: int = EXPIRY_BUDGET
) -> Fields:
    """Set-Cookie fields that delete these cookies wherever they may have been set, within ``budget`` bytes.

    Host-only and for each parent domain, on each declared path, with and without ``Partitioned``. A parent that is
    a public suffix is refused by the browser, so nothing is lost by naming it.
    """
    fields: Fields = []
    for name in dict.fromkeys(names):
        for path, declared in rules.places(name):
            for domain in dict.fromkeys(["", *_parents(host), *([declared] if declared else [])]):
                for partitioned in (False, True) if secure else (False,):
                    field = _expired(name, path=path, domain=domain, secure=secure, partitioned=partitioned)
                    budget -= len(field) + len("Set-Cookie: \r\n")
                    if budget < 0:
                        return fields
                    fields.append(("Set-Cookie", field))
    return fields


def _expired(name: str, *, path: str, domain: str, secure: bool, partitioned: bool) -> str:
    field = f"{name}=; Path={path}; Max-Age=0; Expires={_PAST}"
    if domain and not name.startswith("__Host-"):
        field += f"; Domain={domain}"
    if secure:
        field += "; Secure"
    return field + "; SameSite=None; Partitioned" if partitioned else field


def _parents(host: str) -> Iterator[str]:
    """The host and its parent domains, down to two labels; none for an address or a bare name."""
    if _DOMAIN.fullmatch(host) and not host.replace(".", "").isdigit():
        labels = host.split(".")
        yield from (".".join(labels[start:]) for start in range(len(labels) - 1))


# Caching (RFC 9111; RFC 9213 for the CDN fields)


def private(fields: Fields, vary: Iterable[str]) -> Fields:
    """The fields of a page that is for this visitor only: private, varied, and without leave for shared caches."""
    kept = [(k, v) for k, v in fields if k.lower() not in _CDN_CACHING and not k.lower().endswith("-cache-control")]
    directives = [d.strip() for k, v in kept if k.lower() == "cache-control" for d in v.split(",") if d.strip()]
    directives = [d for d in directives if d.partition("=")[0].strip().lower() not in _SHARED]
    if not any(d.lower() in ("private", "no-store") for d in directives):
        # A qualified private="field" protects that field only, so the bare word is still added.
        directives.insert(0, "private")
    return varied([*without(kept, "cache-control"), ("Cache-Control", ", ".join(directives))], vary)


def varied(fields: Fields, names: Iterable[str]) -> Fields:
    """The fields with these request fields among those that the response varies by, in one ``Vary``."""
    found = [name.strip() for name in joined(fields, "vary").split(",") if name.strip()]
    seen = {name.lower() for name in found}
    found += [name for name in names if name.lower() not in seen]
    return [*without(fields, "vary"), ("Vary", "*" if "*" in found else ", ".join(found))]


# Validators (RFC 9110 section 8.8)

_ENTITY_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VARIANT_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*);[0-9a-f]{10}"')


def tag_variant(etag: str, variant: str) -> str:
    """The weak entity tag of this variant of a page; an unreadable one becomes a tag that never matches."""
    match = _ENTITY_TAG.fullmatch(etag.strip())
    return f'W/"{match[2] if match else ""};{variant}"'


def own_validators(if_none_match: str, variant: str) -> str:
    """The tags of an ``If-None-Match`` that are of this variant, as the application wrote them; ``""`` if none."""
    suffix = ";" + variant
    tags = [match[2] for match in _ENTITY_TAG.finditer(if_none_match) if match[2].endswith(suffix)]
    originals = dict.fromkeys(tag.removesuffix(suffix) for tag in tags)
    # Both spellings: some applications compare tags as text, though the comparison is defined to be weak.
    return ", ".join(f'"{tag}", W/"{tag}"' for tag in originals)


def original_tags(precondition: str) -> str:
    """An ``If-Match``, or an ``If-None-Match`` of a request that writes, with the tags that the application knows.

    What is written is the same for everybody, so that it doesn't matter whose page the writer saw. The tags of what
    is no page, and ``*``, are as they were.
    """
    return _VARIANT_TAG.sub(r'"\1"', precondition)


# Encodings (RFC 9110 section 12.5.3)

_GZIP: Final = re.compile(r"[\t ]*+((?:x-)?gzip|\*)[\t ]*+(?:;[\t ]*+q=([01](?:\.[0-9]{0,3})?)[\t ]*+)?", re.IGNORECASE)


def takes_gzip(accepted: str) -> bool:
    """Whether an ``Accept-Encoding`` allows gzip: by its name with a weight above zero, else by ``*``."""
    found = filter(None, map(_GZIP.fullmatch, accepted.split(",")))
    weights = {match[1].lower().removeprefix("x-"): float(match[2] or 1) for match in found}
    return weights.get("gzip", weights.get("*", 0)) > 0
