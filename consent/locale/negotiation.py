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


def negotiate(policy: Policy, *, page: str | None = None, app: str | None = None, accept_language: str = "") -> str:
    """The available tag that suits best: the page's own language, the app's, the browser's, the site's. Never raises.

    ``page`` is the ``lang`` of the page's ``<html>``, ``app`` the framework's locale, ``accept_language`` the header
    (RFC 9110 section 12.5.4). Where none of them can be served, it is the site's default, then English if it is
    offered, then the first that is. A browser that asks for ``zh-TW, zh`` means the script it named first.
    """
    available = offered(policy)
    scripts: dict[str, str] = {}
    for wanted in (page or "", app or "", *_preferences(accept_language)):
        tag = Tag.read(wanted)
        if tag is None:
            continue
        found = nearest(wanted, available, script=scripts.get(tag.language, ""))
        if found is not None:
            return found
        if tag.stated:
            scripts.setdefault(tag.language, tag.script)
    return nearest(policy.site.default_language, available) or (SOURCE if SOURCE in available else available[0])


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


def _preferences(header: str) -> list[str]:
    """The language ranges of an Accept-Language header, best first, without those refused by ``q=0``."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_PREFERENCES]:
        tag, _, parameter = part.partition(";")
        name, _, weight = parameter.partition("=")
        quality = 1.0
        if name.strip().lower() == "q":
            weight = weight.strip()
            quality = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight, re.ASCII) else 0.0
        if quality > 0:
            weighed.append((quality, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]
