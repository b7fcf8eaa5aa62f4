"""XML pages: tokens by the rules of XML, where no element holds text only and all readers agree.

What XML lets a page define for itself (entities, default attributes) can make an address out of anything. So a page
with an internal subset ends there, and one with a tag longer than the limit too: ``<`` before ``<`` is a fatal error.
"""

from __future__ import annotations

import re
from typing import Final

from consent.gate import elements, scripts
from consent.gate.candidates import CODE_LIMIT, LIMIT
from consent.gate.page import Blocked
from consent.gate.reader import Reader
from consent.gate.references import unescape
from consent.gate.starttag import StartTag
from consent.gate.tokens import Attribute, attributes

KINDS: Final = re.compile(
    r"[\t\n\r ]*(?:[a-z.\-]+/[a-z0-9.\-]+\+xml|(?:text|application)/xml)[\t\n\r ]*(?:;|\Z)", re.IGNORECASE
)
"""The content types of XML."""
_TOKEN: Final = re.compile(
    rb"<(?:(?P<open>[^\t\n\r />!?<][^\t\n\r />]*+)(?P<rest>(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*+)>"
    rb"|!--(?:[^-]++|-(?!->))*+-->|!\[CDATA\[(?P<data>(?:[^\]]++|\](?!\]>))*+)\]\]>"
    rb"|\?(?P<target>[^\t\n\r ?]*+)(?P<said>(?:[^?]++|\?(?!>))*+)\?>|/(?P<close>[^\t\n\r >]*+)[^>]*+>"
    rb"|!(?!--|\[)(?:[^>\[\"']++|\"[^\"]*+\"|'[^']*+')*+>)"
)
_BEGINS: Final = re.compile(rb"<(?:[^\t\n\r <>]|\Z)")
_SUBSET: Final = re.compile(rb"<!(?!--|\[)(?:[^>\[\"']++|\"[^\"]*+\"|'[^']*+')*+\[")
_LONG: Final = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_PSEUDO: Final = re.compile(rb"([^\t\n\r =\"']++)[\t\n\r ]*+=[\t\n\r ]*+(?:\"([^\"]*+)\"|'([^']*+)')")
_CAPITAL: Final = b"attributeName"
"""The one name that is read here and has a capital letter: in XML any other way to write a name is another name."""


class Markup(Reader):
    """One XML page on its way: feed it the pieces, close it, and send what both return."""

    _takes_html = False
    _watched = 0
    _length = 0

    def _start(self, buffer: bytes, *, final: bool) -> None:
        self._watched = max(0, self._watched - self._length + len(self._rest))
        self._length = len(buffer)
        super()._start(buffer, final=final)

    def _step(self) -> bool:
        """Deal with the next token; false when the piece holds no more."""
        at = self._buffer.find(b"<", self._position)
        if at < 0:
            self._position = self._size
            return False
        token = _TOKEN.match(self._buffer, at)
        if token is None:
            return self._odd(at)
        if token["open"] is not None:
            if not self._element(at, token):
                return self._wait(at)
        elif token["target"] == b"xml-stylesheet":
            self._sheet(at, token)
        elif token["close"] is not None and _local(token["close"]) == b"body" and self._place.wants_footer:
            self._insert(at, self._place.settings())
        self._known = self._position = token.end()
        return True

    def _odd(self, at: int) -> bool:
        """What begins at ``at`` is not finished, or no XML, or too much of it."""
        buffer = self._buffer
        begins = _BEGINS.match(buffer, at) is not None
        if begins and not _SUBSET.match(buffer, at):
            if self._final:
                self._position = self._size
                return False
            if self._size - at <= LIMIT:
                return self._wait(at)
            for opening, closing in _LONG.items():
                if buffer.startswith(opening, at):
                    self._reading = closing
                    return self._suspend("long", self._size - 2)
        if begins:
            self._insert(at, b"<")
            if self._report:
                self._report(Blocked(service=None, host="markup", url="", tag="html", blocked=True))
        return self._suspend("over", self._size)

    def _resume(self) -> bool:
        """Go on inside what the last piece ended in; true when its end was found."""
        if self._mode == "over":
            return self._suspend("over", self._size)
        end = self._buffer.find(self._reading)
        if end < 0:
            return self._suspend("long", self._size if self._final else max(0, self._size - 2))
        self._mode = ""
        self._known = self._position = end + len(self._reading)
        return True

    def _settle(self) -> None:
        """Nothing is left that may be the beginning of something."""

    def _finish(self) -> None:
        """What has found no place has none: behind the page's last element is nothing."""

    def _element(self, at: int, token: re.Match[bytes]) -> bool:
        """A start tag; false where more of its text has to be there first."""
        name, name_end, end = _local(token["open"]), token.end("open") - at, token.end()
        found = [_plain(a) for a in attributes(token[0], name_end, end - at) if _is_read(token[0], a)]
        outcome = elements.judge(self._page, name, found)
        if name in (b"script", b"style") and self._buffer[end - 2] != 0x2F:
            text = self._text(end)
            if text is not None:
                self._code(name, found, text, outcome)
            elif not self._final and self._size - at <= CODE_LIMIT and at >= self._watched:
                return False
            elif scripts.applies(self._page, name, found):
                elements.disarm(outcome, found)
        self._apply(at, name, StartTag.of(self._page, name_end, found, outcome))
        if name == b"base":
            self._page = self._page.with_bases(elements.bases(self._page, found, outcome))
        elif name == b"html":
            self._place.note_html(token[0])
        elif name == b"body" and self._place.before_body:
            self._insert(end, self._place.notice())
        return True

    def _code(self, name: bytes, found: list[Attribute], text: bytes, outcome: elements.Outcome) -> None:
        page = self._page
        if name == b"script":  # whose source may count in another namespace alone, so that the text is the script
            more = scripts.inline_script(page, found, text, "utf-8")
            outcome.said += more.said
            outcome.renamed += more.renamed
            outcome.inert_script |= more.inert_script
        elif scripts.is_sheet(page, found):
            said = [finding for _, finding in page.sheet(text, "style", codec="utf-8")]
            outcome.said += said
            if any(finding.blocked for finding in said):
                elements.disarm(outcome, found)

    def _text(self, start: int) -> bytes | None:
        """The text of the element whose start tag ends at ``start``, without what its elements hold; or ``None``.

        It is in UTF-8, which has every character that a reference may name.
        """
        if start < self._watched:
            return None  # inside another's text, which was read already
        parts: list[str] = []
        codec = self._page.codec
        depth, position = 0, start
        limit = min(self._size, start + CODE_LIMIT)
        while depth >= 0:
            at = self._buffer.find(b"<", position, limit)
            token = _TOKEN.match(self._buffer, at) if at >= 0 else None
            if token is None:
                self._watched = limit if self._final or limit < self._size else 0
                return None
            if not depth:
                text = self._buffer[position:at].decode(codec, "replace")
                parts += (unescape(text), (token["data"] or b"").decode(codec, "replace"))
            if token["open"] is not None:
                depth += self._buffer[token.end() - 2] != 0x2F
            depth -= token["close"] is not None
            position = token.end()
        self._watched = position
        return "".join(parts).encode("utf-8", "replace")

    def _sheet(self, at: int, token: re.Match[bytes]) -> None:
        """An instruction that names a style sheet or a transformation."""
        page = self._page
        for name, double, single in _PSEUDO.findall(token["said"]):
            if name != b"href":
                continue
            address = page.text(double or single)
            opened = page.document(address, "link") + page.inner_sheet(address, "link")
            for said in opened or page.judge_each([address], "link"):
                page.tell(said, self._report)
                if said.blocked:
                    self._insert(at + 2, elements.PREFIX)
                    return


def _local(name: bytes) -> bytes:
    return name.rpartition(b":")[2].lower()


def _is_read(tag: bytes, attribute: Attribute) -> bool:
    """Whether the name of the attribute, as it is written, may mean something in XML; a prefix may be any."""
    local = attribute.name.rpartition(b":")[2]
    end = attribute.at + len(attribute.name)
    return tag[end - len(local) : end] in (local, _CAPITAL)


def _plain(attribute: Attribute) -> Attribute:
    """A link of any prefix is a link; what is put before its name goes behind the prefix."""
    prefix, colon, local = attribute.name.rpartition(b":")
    if local != b"href" or not colon:
        return attribute
    return attribute._replace(name=b"xlink:href", at=attribute.at + len(prefix) + 1)
