"""What the page's script has to know, as attribute values: never code, so that no inline script is needed."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from consent.banner.view import View
from consent.policy import Policy

_GLOBAL: Final = re.compile(r"([A-Za-z_$][\w$]*)(\.push)?\(?")
_DELETABLE: Final = ("local_storage", "session_storage", "indexeddb", "cache_storage")


def state(policy: Policy, view: View) -> dict[str, str]:
    """The attributes of our script tag, by name without ``data-``.

    ``granted`` are the services the visitor has granted, ``necessary`` those that may run here without, and
    ``services`` all of them, as ``category:service``; ``stubs`` are the globals of blocked vendors as
    ``service:name()`` for a function and ``service:name[]`` for a queue.
    """
    allowed = view.permissions.allowed
    return {
        "prefix": view.prefix,
        "granted": " ".join(sorted(view.permissions.granted)),
        "necessary": " ".join(sorted(allowed - view.permissions.granted)),
        "services": " ".join(f"{service.category}:{service.key}" for service in policy.services),
        "stubs": " ".join(_stubs(policy, allowed)),
        **({"shared": ""} if view.shared else {}),
    }


def forget(policy: Policy, view: View) -> str:
    """What the script deletes now: the declared storage of services that may not run, as JSON lists by kind.

    Cookies are the server's work. What a service that may run declares as well is kept.
    """
    allowed = view.permissions.allowed
    names: dict[str, list[str]] = {}
    kept = {(item.kind, item.name) for service in policy.services if service.key in allowed for item in service.storage}
    for service in policy.optional:
        if service.key not in allowed:
            for item in service.storage:
                if item.kind in _DELETABLE and item.party == "first" and (item.kind, item.name) not in kept:
                    names.setdefault(item.kind, []).append(item.name)
    return json.dumps(names, sort_keys=True) if names else ""


def _stubs(policy: Policy, allowed: frozenset[str]) -> list[str]:
    running = {name for service in policy.services if service.key in allowed for name in _globals(service.inline)}
    return [
        f"{service.key}:{name}"
        for service in policy.optional
        if service.key not in allowed
        for name in _globals(service.inline)
        if name not in running
    ]


@lru_cache(maxsize=512)
def _globals(inline: tuple[str, ...]) -> tuple[str, ...]:
    """The global names in a service's inline tokens: ``gtag(`` is a function, ``_paq.push(`` a queue."""
    names = []
    for token in inline:
        found = _GLOBAL.fullmatch(token)
        if found and token.endswith(("(", ".push")):
            names.append(found[1] + ("[]" if found[2] else "()"))
    return tuple(dict.fromkeys(names))
