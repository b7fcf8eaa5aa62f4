"""One start tag and what is to be done about it, judged once however often it comes."""

from __future__ import annotations

from typing import Final, NamedTuple

from consent.gate.elements import Outcome, judge
from consent.gate.page import Page
from consent.gate.tokens import Attribute, attributes

_KEPT: Final = 256
_KEPT_LENGTH: Final = 512


class StartTag(NamedTuple):
    """A start tag as it was judged: its attributes and insertions, each at its place from the tag's ``<`` on."""

    name_end: int
    found: list[Attribute]
    outcome: Outcome
    insertions: list[tuple[int, bytes]]

    @classmethod
    def of(cls, page: Page, name_end: int, found: list[Attribute], outcome: Outcome) -> StartTag:
        """The tag with all that is to be done about it."""
        acts = outcome.blocks or any(said.blocked for said in outcome.said)
        return cls(name_end, found, outcome, outcome.insertions(page, name_end) if acts else [])


def read(page: Page, tag: bytes, name: bytes, name_end: int) -> StartTag:
    """What to do about the start tag ``tag``; the same tag is judged once, as sites repeat theirs on every page."""
    known = page.tags.get(tag)
    if known is None:
        found = attributes(tag, name_end, len(tag))
        known = StartTag.of(page, name_end, found, judge(page, name, found))
        if len(tag) <= _KEPT_LENGTH:
            if len(page.tags) >= _KEPT:
                page.tags.clear()
            page.tags[tag] = known
    return known
