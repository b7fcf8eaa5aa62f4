"""Where a post comes from: the browser's own word, instead of a token in every page."""

from __future__ import annotations

from typing import Final

from consent.exchange import Request, netloc

SAME: Final = "same-origin"
UNKNOWN: Final = "unknown"
CROSS: Final = "cross-site"


def came_from(request: Request) -> str:
    """``SAME``, ``CROSS``, or ``UNKNOWN`` where the browser says neither ``Sec-Fetch-Site`` nor a usable ``Origin``.

    ``Sec-Fetch-Site`` can't be set by a page's script and goes first (W3C Fetch Metadata); ``Origin`` is compared
    with the host, not the scheme, since a proxy may have ended TLS.
    """
    site = request.get("sec-fetch-site").strip().lower()
    if site == "same-origin":
        return SAME
    if site in ("cross-site", "same-site"):
        return CROSS
    origin = request.get("origin").strip()
    if origin in ("", "null"):
        return UNKNOWN
    theirs = netloc(origin)
    ours = {netloc(f"{scheme}://{request.host}") for scheme in ("http", "https")}
    return SAME if theirs and theirs in ours else CROSS
