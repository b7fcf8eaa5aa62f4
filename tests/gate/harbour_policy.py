"""The small policy that every test of the gate shares, and how they send a page in pieces."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

from typing import Any

from consent.choice import Permissions
from consent.gate import Gate
from consent.policy import Ask, Policy, Service, Site

PAGE = "https://harbour.example/news/today"


def in_pieces(gate: Gate, permissions: Permissions, html: bytes, *, size: int = 1, **keywords: Any) -> bytes:
    """What comes out where ``html`` is fed in pieces of so many bytes."""
    stream = gate.stream(permissions, base_url=PAGE, **keywords)
    return b"".join(stream.feed(html[at : at + size]) for at in range(0, len(html), size)) + stream.close()


def make_policy(**ask: str) -> Policy:
    return Policy(
        site=Site(name="Harbour News", controller="Harbour News Trust", hosts=("harbour.example", "cdn.harbour.example")),
        ask=Ask(**ask),
        services=(
            Service(
                key="youtube", category="video", name="YouTube", purpose="Shows videos.",
                load=("www.youtube.com", "*.ytimg.com"), inline=("YT.Player",),
            ),
            Service(
                key="stats", category="analytics", name="Statistics", purpose="Counts readers.",
                load=("*.stats.example", "stats.example/js/*", "xn--bcher-kva.example", "127.0.0.8"),
                inline=("_paq.push(", "tp.push(", "'gtm.start'"),
            ),
        ),
    )  # fmt: skip
