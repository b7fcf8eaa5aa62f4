"""What a visitor was shown, as evidence: everything a decision's record has to be able to show again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from consent.banner import static
from consent.banner.view import View
from consent.decision import Artefact
from consent.policy import Policy


def artefact(
    policy: Policy,
    view: View,
    *,
    html: Mapping[str, str],
    labels: Mapping[str, str],
    texts_version: str,
    banner_version: str,
) -> Artefact:
    """The artefact of this neutral view; the same in every process that shows the same.

    ``html`` holds what was rendered by layer (``notice``, ``preferences``, ``placeholder:KEY``), ``labels`` the words
    on the buttons. ``banner_version`` is the digest of templates and static files.
    """
    css = "".join(static.content(name).decode() for name in static.sheets(policy.ask.theme, pages=True))
    scripts = ("notice.js", "stubs.js", *(("seen.js",) if policy.ask.pages == "shared" else ()))
    return Artefact.of(
        {
            "schema": 1,
            "html": dict(html),
            "html_sha256": {layer: _sha256(text) for layer, text in html.items()},
            "css": css,
            "css_sha256": _sha256(css),
            "js_sha256": {name: static.digest(name) for name in scripts},
            "labels": dict(labels),
            "locale": view.locale,
            "layout": policy.ask.position,
            "theme": policy.ask.theme,
            "profile": policy.site.market,
            "gpc": view.gpc,
            "asked": list(view.asking),
            "defaults": dict.fromkeys(view.asking, False),
            "material_version": policy.current.version,
            "policy_sha256": policy.digest(),
            "policy": snapshot(policy),
            "controller": policy.site.controller,
            "lifetime_days": {"granted": policy.ask.lifetime_days, "refused": policy.ask.lifetime_days},
            "banner_version": banner_version,
            "texts_version": texts_version,
        }
    )


def snapshot(policy: Policy) -> dict[str, Any]:
    """The whole policy as plain data: site, ask, categories and services as they were declared."""
    return {
        "site": _plain(policy.site),
        "ask": _plain(policy.ask),
        "categories": [_plain(category) for category in policy.categories],
        "services": [_plain(service) for service in policy.services],
    }


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
