"""Scripts and style sheets too long to be held back are read in parts, whatever the pieces they come in."""

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate

GATE = Gate(make_policy())
OPEN = Gate(make_policy(undeclared="report"))
REFUSED = decide(GATE.policy, Choice.refusing(), Signals())
AGREED = decide(GATE.policy, Choice.granting("youtube", "stats"), Signals())
FILLER = b"var a = 1; /* x */\n" * 8000
RULES = b"a{color:red}\n" * 12000
REST = b'</script><script type="text/plain" data-consent-service="stats" data-consent-category="analytics">'


def sent_in(html: bytes, size: int) -> bytes:
    return in_pieces(GATE, REFUSED, html, size=size)


CASES = [
    (b"<script>" + FILLER, REST, b"_paq.push(1)" + FILLER + b"</script><p>"),
    (b"<script>" + FILLER, REST, b"_paq.push(1)"),
    (b"<script>" + FILLER, REST, b"_paq.push(1)</script><p>"),
    (b"<script>" + FILLER, REST, b"\\u005fpaq.push(1)" + FILLER + b"</script>"),
    (b"<script><!--<script>" + FILLER, b"-->" + REST, b"_paq.push(1)" + FILLER + b"</script></script>"),
    (b"<script type=module>" + FILLER, REST, b"import '//a.stats.example/x'" + FILLER + b"</script>"),
    (b"<style>" + RULES + b"b{c:url(", b"data-consent:", b"//a.stats.example/x)}" + RULES + b"</style><p>"),
    (b"<style>" + RULES + b"@import '", b"data-consent:", b"\\2f/a.stats.example/x';" + RULES),
]  # fmt: skip


@pytest.mark.parametrize(("before", "inserted", "after"), CASES)
def test_what_a_long_text_fetches_late_is_made_inert(before, inserted, after) -> None:
    html = before + after
    heard = []
    sent = GATE.rewrite(html, REFUSED, base_url=PAGE, report=heard.append)
    assert sent == before + inserted + after
    assert [said.service for said in heard] == ["stats"]
    for size in (65536, 50_000, 9_999):
        assert sent_in(html, size) == sent
    assert GATE.rewrite(sent, REFUSED, base_url=PAGE) == sent, "twice is once"
    assert OPEN.rewrite(html, AGREED, base_url=PAGE) is html, "the control: granted is untouched"


@pytest.mark.parametrize(
    "html",
    [
        b"<script>" + FILLER + b"ok()</script><p>",
        b"<script type=application/json>" + FILLER + b"_paq.push(1)</script><p>",
        b"<style>" + RULES + b"b{c:url(/own.png)}</style><p>",
        b"<script>" + FILLER,
    ],
)
def test_a_long_text_with_nothing_in_it_stays(html) -> None:
    assert GATE.rewrite(html, REFUSED, base_url=PAGE) is html
    assert sent_in(html, 65536) == html


@pytest.mark.parametrize(
    "html",
    [
        b"<script type=importmap>" + FILLER + b"</script>",
        b"<noscript><script>" + FILLER + b"</script></noscript>",
        b"<svg></p><style>" + RULES + b"</style>",
    ],
)
def test_a_long_text_that_has_to_be_read_whole_fails_closed(html) -> None:
    assert b' type="text/plain"' in GATE.rewrite(html, REFUSED, base_url=PAGE)
    assert b' type="text/plain"' in sent_in(html, 65536)
