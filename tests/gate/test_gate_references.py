"""References in scripts and style sheets that are markup too name characters that the encoding hasn't got."""

# ruff: noqa: E501  # tables of markup

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


LONG = "0" * 5000


@pytest.mark.parametrize(
    "page",
    [
        f'<img src="&#{LONG}47;/stats.example/x">', f'<img src="&#x{LONG}2f/stats.example/x">', f'<img src="//&#x{"f" * 9};.stats.example/x">',
        f'<svg><style>p{{b:u&#{LONG}114;l(//stats.example/x)}}</style></svg>', f'<img src="//stats.example:{LONG}80/x">',
        f'<iframe srcdoc="<img src=&amp;#{LONG}47;/stats.example/x>"></iframe>', f'<svg><script>import("//stats.example&#{"1" * 5000};")</script></svg>',
    ],
)  # fmt: skip
def test_a_number_may_be_longer_than_any_character_has(gate: Gate, refused: Permissions, page: str) -> None:
    assert b"data-consent" in gate.rewrite(page.encode(), refused, base_url=BASE)
    own = page.replace("stats.example", "harbour.example")
    if "f" * 9 not in page and ":0" not in page and "1" * 9 not in page:
        assert b"data-consent" not in gate.rewrite(own.encode(), refused, base_url=BASE), "the control"
