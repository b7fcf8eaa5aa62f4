"""Keeps third parties out of a page until its visitor has agreed to them, and every other byte as it was."""

from consent.gate.embed import Embed
from consent.gate.match import Verdict
from consent.gate.page import Blocked
from consent.gate.rewrite import Gate

__all__ = ["Blocked", "Embed", "Gate", "Verdict"]
