"""A visible thing that was blocked, as a placeholder needs to know it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from consent.gate.match import FIRST_PARTY
from consent.gate.page import Blocked, Page
from consent.gate.tokens import Attribute
from consent.policy import Service

_UNSEEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_TINY = re.compile(r"\s*[01](?:\.\d*)?(?:px)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """A frame, object or medium that was blocked where a visitor would have seen it.

    ``service`` is ``None`` for an undeclared third party. ``url`` is absolute, resolved as a browser does. ``poster``
    is a picture of the site's own for its place, or empty. ``lang`` is that of the page's ``<html>``, as seen so far.
    The texts are decoded; ``attributes`` are all of the tag's, in order.
    """

    service: Service | None
    url: str
    tag: str
    width: str = ""
    height: str = ""
    title: str = ""
    allow: str = ""
    style: str = ""
    poster: str = ""
    lang: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


def embed_of(page: Page, name: bytes, tag: list[Attribute], blocked: Blocked, lang: str | None) -> Embed | None:
    """What a placeholder is made from, or ``None`` where the element shows nothing (a tracking frame)."""
    pairs = [(a.name.decode("ascii", "replace"), page.text(a.value)) for a in tag]
    first: dict[str, str] = {}
    for key, value in pairs:
        first.setdefault(key, value)
    if "hidden" in first or _UNSEEN.search(first.get("style", "")):
        return None
    if any(_TINY.fullmatch(first.get(side, "")) for side in ("width", "height")):
        return None
    return Embed(
        service=page.permissions.policy.service(blocked.service) if blocked.service else None,
        url=blocked.url,
        tag=name.decode("ascii"),
        width=first.get("width", ""),
        height=first.get("height", ""),
        title=first.get("title", ""),
        allow=first.get("allow", ""),
        style=first.get("style", ""),
        poster=_poster(page, first.get("data-poster") or first.get("poster", "")),
        lang=lang,
        attributes=tuple(pairs),
    )


def _poster(page: Page, text: str) -> str:
    """The address of a picture if it is the site's own wherever the page's base may lead, else nothing."""
    kinds = {page.matcher.verdict(url, own=page.bases[0].host).kind for url in page.resolve(text)} if text else None
    return text if kinds == {FIRST_PARTY} else ""
