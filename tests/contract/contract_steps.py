"""What a visitor does, step by step, over any adapter."""

from __future__ import annotations

import json
import re
from typing import Any

from conftest import Reply, Served

ALL = {"stats", "youtube", "donate"}


def artefact_of(reply: Reply) -> str:
    found = re.search(r'name="?artefact"? value="?([0-9a-f]{64})', reply.text)
    assert found, reply.text[:2000]
    return found[1]


def visit(site: Served, **fields: str) -> str:
    """Look at the front page as a visitor would; the digest of what was shown."""
    return artefact_of(site.get(**fields))


def cookie(reply: Reply) -> str:
    return f"consent={reply.set_cookies['consent']}"


def choose(site: Served, action: str, jar: str = "", **form: Any) -> Reply:
    form = {"action": action, "artefact": visit(site), "next": "/"} | form
    return site.post({k: v for k, v in form.items() if v is not None}, cookie=jar)


def granted(site: Served, jar: str) -> set[str]:
    return set(json.loads(site.get("/consent/state", cookie=jar).body)["granted"])
