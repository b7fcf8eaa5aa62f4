"""A posted form: read with limits, so that nothing larger or odder than ours costs anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

Form = Mapping[str, Sequence[str]]

LARGEST_BODY: Final = 65_536  # bytes; a form of ours has a few hundred, a report a few thousand


def parse_form(content_type: str, body: bytes) -> dict[str, list[str]]:
    """The fields of an ``application/x-www-form-urlencoded`` body, none of any other.

    Odd bytes become replacement characters.
    """
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return {}
    try:
        return parse_qs(body.decode("latin-1"), keep_blank_values=True, errors="replace", max_num_fields=500)
    except ValueError:
        return {}


def one(form: Form, name: str) -> str:
    """The first value of a form field, or the empty string."""
    values = form.get(name)
    return values[0] if values else ""
