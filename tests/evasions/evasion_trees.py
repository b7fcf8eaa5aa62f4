"""What another parser (html5lib) makes of a page, and who is reached for in its tree, by the judgement of the gate."""

from __future__ import annotations

from collections.abc import Iterator

import html5lib
from html5lib.constants import prefixes
from html5lib.treebuilders import getTreeBuilder

from consent.gate import scripts
from consent.gate.elements import judge
from consent.gate.page import Page
from consent.gate.tokens import Attribute

_TREES = getTreeBuilder("etree")


def live(page: Page, html: bytes) -> list[str]:
    """Whom elements reach for who is denied, by their attributes and their own text, with scripting or without it."""
    return [said for scripting in (True, False) for said in _live(page, html, scripting)]


def _live(page: Page, html: bytes, scripting: bool) -> Iterator[str]:
    parser = html5lib.HTMLParser(tree=_TREES, namespaceHTMLElements=False)
    try:
        tree = parser.parse(html.decode("utf-8", "replace"), scripting=scripting)
    except AssertionError:
        return  # it doesn't take every page
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        name = element.tag.rpartition("}")[2].lower().encode()
        found = [Attribute(_name(key), _raw(value), 0, 0) for key, value in element.attrib.items()]
        said = list(judge(page, name, found).said)
        if name in (b"script", b"style") and scripts.applies(page, name, found):
            text = ((element.text or "") + "".join(child.tail or "" for child in element)).encode("utf-8", "replace")
            if name == b"style":
                said += [finding for _, finding in page.sheet(text, "style")]
            elif not any(a.name in (b"src", b"href", b"xlink:href") for a in found):
                said += page.script(text, "script")
        for one in said:
            # What can't be decoded is another character in a tree, by which a host becomes one that there can't be.
            if one.blocked and "xn--" not in one.host:
                yield f"{name.decode()}: {one.url or one.service}"


def _name(key: str) -> bytes:
    space, _, name = key.rpartition("}")
    return (f"{prefixes[space[1:]]}:{name}" if space[1:] in prefixes else key).lower().encode("utf-8", "replace")


def _raw(value: str) -> bytes:
    return value.replace("&", "&amp;").encode("utf-8", "replace")
