"""References in scripts and style sheets that are markup too name characters that the encoding hasn't got."""

from __future__ import annotations

import pytest

from consent.choice import Permissions
from consent.gate import Gate

BASE = "https://harbour.example/"
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
SVG = "<!doctype html><body><svg>{}</svg>"


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "shift_jis"])
@pytest.mark.parametrize(
    ("frame", "kind"), [(SVG, "text/html"), (XHTML, "application/xhtml+xml")], ids=["svg", "xhtml"]
)
@pytest.mark.parametrize(
    "code",
    [
        '<script>//&#x2028;import("{}//stats.example/a.js")</script>',
        "<style>a{{}} /* &#x2028; */ b{{ background: u&#114;l({}//stats.example/a.png) }}</style>",
    ],
    ids=["script", "style"],
)
def test_a_reference_is_the_character_it_names_in_any_encoding(
    gate: Gate, refused: Permissions, charset: str, frame: str, kind: str, code: str
) -> None:
    def gated(address: str) -> tuple[bytes, bytes]:
        page = frame.format(code.format(address)).encode(charset)
        return page, gate.rewrite(page, refused, base_url=BASE, content_type=f"{kind}; charset={charset}")

    before, after = gated("https:")
    assert b"data-consent-" in after
    assert after != before
    before, after = gated("https://harbour.example/to/")
    assert after == before
