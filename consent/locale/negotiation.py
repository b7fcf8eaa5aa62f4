"""Which of the languages there are suits a page and its visitor."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from consent.locale.shelf import AVAILABLE, SOURCE, site_folder, site_tags
from consent.locale.status import languages
from consent.locale.tags import Tag, nearest
from consent.policy import Policy

_MOST_PREFERENCES: Final = 20
_WEIGHT: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
_ANY: Final = "*"


def negotiate(policy: Policy, *, page: str | None = None, app: str | None = None, accept_language: str = "") -> str:
    """The available tag that suits best: the page's own language, the app's, the browser's, the site's. Never raises.

    ``page`` is the ``lang`` of the page's ``<html>``, ``app`` the framework's locale, ``accept_language`` the header
    (RFC 9110 section 12.5.4). Where none of them can be served, it is the site's default, then English if it is
    offered, then the first that is. A browser that asks for ``zh-TW, zh`` means the script it named first; what it
    refuses with ``q=0`` it doesn't get for a wider range, and ``*`` stands for the site's default.
    """
    return _negotiated(offered(policy), policy.site.default_language, page or "", app or "", accept_language)


@lru_cache(maxsize=512)
def _negotiated(available: tuple[str, ...], default: str, page: str, app: str, accept_language: str) -> str:
    weights = _weights(accept_language)
    welcome = [tag for tag in available if weights.get(tag.casefold()) != 0]
    ranges = sorted((tag for tag in weights if weights[tag] > 0), key=lambda tag: -weights[tag])
    scripts: dict[str, str] = {}
    for wanted, among in ((page, available), (app, available), *((tag, welcome) for tag in ranges)):
        if wanted == _ANY and default.casefold() not in weights:
            wanted = default
        tag = Tag.read(wanted)
        if tag is None:
            continue
        found = nearest(wanted, among, script=scripts.get(tag.language, ""))
        if found is not None:
            return found
        if tag.stated:
            scripts.setdefault(tag.language, tag.script)
    return nearest(default, available) or (SOURCE if SOURCE in available else available[0])


def offered(policy: Policy) -> tuple[str, ...]:
    """The languages this site may speak: narrowed by ``languages`` and ``allow_unreviewed``; never none."""
    site = policy.site
    return _offered(site_folder(policy), site.languages, site.allow_unreviewed)


@lru_cache(maxsize=256)
def _offered(folder: Path | None, narrowed: tuple[str, ...], unreviewed: bool) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys((*AVAILABLE, *site_tags(folder))))
    if not unreviewed:
        known = languages(folder)
        tags = tuple(tag for tag in tags if known[tag].may_stand_alone)
    if narrowed:
        wanted = [nearest(tag, tags) for tag in narrowed]
        tags = tuple(dict.fromkeys(tag for tag in wanted if tag is not None))
    return tags or (SOURCE,)


def _weights(header: str) -> dict[str, float]:
    """The language ranges of an Accept-Language header in its order, each with its weight; odd weights are left out."""
    weights: dict[str, float] = {}
    for part in header.split(",", _MOST_PREFERENCES)[:_MOST_PREFERENCES]:
        tag, *parameters = part.split(";")
        quality = "1"
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().casefold() == "q":
                quality = value.strip()
        if _WEIGHT.fullmatch(quality):
            weights.setdefault(tag.strip().casefold(), float(quality))
    return weights
