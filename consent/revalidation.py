"""Which validators of a browser belong to what is no page, so that the application may answer with 304.

A date, or a tag without a variant, may be of a page from before consent was asked for. It is passed on only where it is
known to have come with something else.
"""

from __future__ import annotations

import re
from typing import Final

from consent import headers
from consent.exchange import Request
from consent.headers import Fields

_TAG: Final = re.compile(r'(?:W/)?"[^"]*"')
_MOST: Final = 4096


class Others:
    """The validators that went out with what is no page, each with the request it answered.

    Of one process: another one answers the first such request whole, and knows then. Where there are too many, all
    are forgotten.
    """

    def __init__(self) -> None:
        self._known: set[int] = set()

    def note(self, request: Request, fields: Fields) -> None:
        """A response that is no page goes out with these fields."""
        for name in ("etag", "last-modified"):
            if value := headers.first(fields, name):
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known.add(_key(request, value))

    def known(self, request: Request) -> tuple[bool, dict[str, str]]:
        """Whether the request has such validators, and the fields with no others; an entity tag goes before a date."""
        field, date = request.get("if-none-match"), request.get("if-modified-since")
        tags = [tag for tag in _TAG.findall(field) if _key(request, tag) in self._known]
        if not tags and (field or _key(request, date) not in self._known):
            return False, {}
        return True, {"if-none-match": ", ".join(tags), "if-modified-since": "" if tags else date}


def _key(request: Request, validator: str) -> int:
    """What the browser asked for, and as what: one address may answer with a page here and with data there."""
    asked = request.target, request.get("accept"), request.get("sec-fetch-dest")
    return hash((asked, validator.strip().removeprefix("W/")))
