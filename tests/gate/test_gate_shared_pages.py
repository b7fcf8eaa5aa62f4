"""Pages of one site share what was judged on them: never a verdict that was another page's or another visitor's."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from harbour_policy import PAGE

from consent.choice import Choice, Permissions, Signals, decide
from consent.gate import Embed, Gate
from consent.gate.fields import gate_fields
from consent.policy import Ask, Policy, Service, Site


def make_policy(undeclared: str = "block") -> Policy:
    """A site on several hosts, one of them with a path that belongs to a service."""
    facts = {"category": "analytics", "purpose": "Counts."}
    return Policy(
        site=Site(name="Harbour News", controller="Harbour News Trust", hosts=("harbour.example", "claimed.example")),
        ask=Ask(undeclared=undeclared),
        services=(
            Service(key="stats", name="Statistics", load=("*.stats.example",), inline=("_paq.push(",), **facts),
            Service(key="own", name="Own", load=("claimed.example/metrics/*",), inline=("own(",), **facts),
            Service(key="plain", name="Plain", load=("plain.example:80",), **facts),
        ),
    )


POLICY = make_policy()
VISITORS = {
    keys: decide(POLICY, Choice.granting(*keys) if keys else Choice.refusing(), Signals())
    for keys in ((), ("stats",), ("own",), ("stats", "own", "plain"))
}
PLACES = [
    scheme + host + path
    for scheme in ("http://", "https://")
    for host in ("harbour.example", "claimed.example", "claimed.example:8080", "elsewhere.example")
    for path in ("/", "/metrics/today", "/news/")
]
TYPES = ["text/html; charset=utf-8", "text/html", "text/html; charset=shift_jis", "text/html; charset=utf-16le", "application/xhtml+xml"]  # fmt: skip
TAGS = [
    b"<img src=x.png>", b"<img src=/metrics/x.png>", b"<img src=../metrics/x>", b"<img src=//a.stats.example/x>", b"<script src=//plain.example/x></script>",
    b"<script src=http://plain.example/x></script>", b"<p onclick='own(1)'>", b"<img src=//claimed.example/metrics/x>", b"<p style='a:url(x.png)'>",
    b"<p style='a:\"\x83\\\";b:url(//a.stats.example/x);c:\"'>", b"<img src=//harbour.example/x>", b"<img src=//elsewhere.example/x>", b"<iframe src=//a.stats.example/f></iframe>",
]  # fmt: skip
HEADS = [b"", b"<base href=/metrics/>", b"<base href=/news/>", b"<base href=//claimed.example/metrics/>", b"<base href=//elsewhere.example/>"]  # fmt: skip
PAGES = [head + b"".join(TAGS) for head in HEADS] + [
    b"<iframe srcdoc='" + head + b"<img src=x.png><img src=//a.stats.example/x>'></iframe>" + b"".join(TAGS) for head in HEADS
]  # fmt: skip


def everything(gate: Gate, html: bytes, permissions: Permissions, place: str, kind: str) -> tuple[object, ...]:
    """All that the gate says of a page: what is sent, whole and in pieces, what is reported, what embeds are told."""
    heard: list[object] = []
    embeds: list[Embed] = []

    def placeholder(embed: Embed) -> bytes:
        embeds.append(embed)
        return b"[P]"

    if "16" in kind:
        html = html.decode("latin-1").encode("utf-16-le")
    sent = gate.rewrite(
        html, permissions, base_url=place, content_type=kind, report=heard.append, placeholder=placeholder
    )
    stream = gate.stream(permissions, base_url=place, content_type=kind, placeholder=placeholder)
    pieces = b"".join(stream.feed(html[at : at + 50]) for at in range(0, len(html), 50)) + stream.close()
    fields = gate_fields(
        gate, [("Link", "<x.css>;rel=preload, <//a.stats.example>;rel=preload")], permissions, base_url=place
    )
    return sent, pieces, heard, embeds, fields


CASES = list(itertools.product(PAGES, VISITORS, PLACES, TYPES))


@pytest.mark.untraced
def test_the_cases_differ_in_what_is_sent() -> None:
    """The control: the same markup has to be answered in many ways, so that a mix-up would be seen."""
    for html in PAGES:
        answers = {Gate(POLICY).rewrite(html, VISITORS[keys], base_url=place) for keys in VISITORS for place in PLACES}
        assert len(answers) >= 12
        by_type = {everything(Gate(POLICY), html, VISITORS[()], PAGE, kind)[0] for kind in TYPES}
        assert len(by_type) >= 3


@pytest.mark.untraced
@pytest.mark.parametrize("seed", range(3))
def test_a_shared_gate_says_of_each_page_what_a_new_one_says(seed) -> None:
    rng = random.Random(seed)
    shared = Gate(POLICY)
    for html, keys, place, kind in rng.sample(CASES, 250):
        assert everything(shared, html, VISITORS[keys], place, kind) == everything(
            Gate(POLICY), html, VISITORS[keys], place, kind
        )


@pytest.mark.untraced
def test_visitors_at_the_same_time_do_not_meet() -> None:
    rng = random.Random(7)
    cases = rng.sample(CASES, 60) * 4
    rng.shuffle(cases)
    alone = {case: everything(Gate(POLICY), case[0], VISITORS[case[1]], *case[2:]) for case in set(cases)}
    shared = Gate(POLICY)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda case: everything(shared, case[0], VISITORS[case[1]], *case[2:]), cases))
    assert together == [alone[case] for case in cases]
    assert len({answer[0] for answer in together}) > 20, "the control: they are told different things"


def test_a_relative_address_is_judged_where_its_page_is() -> None:
    gate = Gate(POLICY)
    html = b"<img src=x.png>"
    inert = b'<img data-consent-service="own" data-consent-category="analytics" data-consent-src=x.png>'
    for path, sent in (("/", html), ("/metrics/a", inert), ("/news/", html), ("/metrics/", inert), ("/", html)):
        assert gate.rewrite(html, VISITORS[()], base_url=f"https://claimed.example{path}") == sent
        assert gate.rewrite(html, VISITORS[("own",)], base_url=f"https://claimed.example{path}") is html
        assert gate.rewrite(html, VISITORS[()], base_url=f"https://harbour.example{path}") is html


def test_an_address_without_a_scheme_has_the_pages() -> None:
    gate = Gate(POLICY)
    html = b"<script src=//plain.example/x></script>"
    for _ in range(2):
        for scheme, name in (("http", b"service"), ("https", b"undeclared")):
            sent = gate.rewrite(html, VISITORS[()], base_url=f"{scheme}://harbour.example/")
            assert b"data-consent-" + name in sent
        all_granted = VISITORS[("stats", "own", "plain")]
        assert gate.rewrite(html, all_granted, base_url="http://harbour.example/") is html
        assert gate.rewrite(html, all_granted, base_url="https://harbour.example/") != html


def test_a_base_counts_on_its_own_page_only() -> None:
    gate = Gate(make_policy("report"))
    refused = decide(gate.policy, Choice.refusing(), Signals())
    image = b"<img src=/metrics/x>"
    with_base = b"<base href=//claimed.example/>" + image
    for _ in range(2):
        assert gate.rewrite(with_base, refused, base_url=PAGE).count(b"data-consent-src") == 1
        assert gate.rewrite(image, refused, base_url=PAGE) is image
        frame = b"<iframe srcdoc='" + with_base + b"'></iframe>" + image
        assert gate.rewrite(frame, refused, base_url=PAGE) == frame.replace(
            b"<iframe srcdoc",
            b'<iframe data-consent-service="own" data-consent-category="analytics" data-consent-srcdoc',
        )


def test_a_tag_is_read_in_its_own_pages_encoding() -> None:
    gate = Gate(POLICY)
    tag = b'<p style=\'a:"\x83\\";b:url(//a.stats.example/x);c:"\'>'
    for _ in range(2):
        assert gate.rewrite(tag, VISITORS[()], base_url=PAGE) is tag, "a quote that is escaped goes on"
        assert gate.rewrite(tag, VISITORS[()], base_url=PAGE, content_type=TYPES[2]) != tag
        assert gate.rewrite(tag, VISITORS[()], base_url=PAGE, content_type=TYPES[1]) != tag
        marked = b"\xef\xbb\xbf" + tag
        assert gate.rewrite(marked, VISITORS[()], base_url=PAGE, content_type=TYPES[2]) is marked
        stream = gate.stream(VISITORS[()], base_url=PAGE, content_type=TYPES[2])
        assert stream.feed(marked) + stream.close() == marked


def test_more_pages_tags_and_addresses_than_there_is_room_for() -> None:
    gate, refused = Gate(POLICY), VISITORS[()]
    first = gate.page(refused, base_url=PAGE)
    assert gate.page(refused, base_url=PAGE) is first, "the control: it is kept"
    for number in range(3000):
        tag = b"<img src=https://a%d.stats.example/x>" % number
        assert b"data-consent-service" in gate.rewrite(tag, refused, base_url=PAGE)
        assert (
            gate.rewrite(b"<img src=https://harbour.example/%d>" % number, refused, base_url=PAGE).count(b"data-") == 0
        )
    assert 0 < len(first.tags) <= 256
    assert 0 < len(first.judged) <= 2048
    for number in range(600):
        place = f"https://h{number}.example/"
        own, other = b"<img src=%bx>" % place.encode(), b"<img src=%bx>" % PAGE.encode()
        assert gate.rewrite(own, refused, base_url=place) is own
        assert gate.rewrite(other + own, refused, base_url=place) == other + own
        assert b"undeclared" in gate.rewrite(own, refused, base_url=PAGE)
    assert gate.page(refused, base_url=PAGE) is not first, "it was forgotten to make room"
    long = b"<img alt='%b' src=//a.stats.example/x>" % (b"x" * 600)
    page = gate.page(refused, base_url=PAGE)
    before = len(page.tags)
    assert b"data-consent-service" in gate.rewrite(long, refused, base_url=PAGE)
    assert len(page.tags) == before, "a long tag isn't kept"


def test_what_is_reported_is_reported_for_each_page_and_told_to_the_developer_once(caplog) -> None:
    gate = Gate(make_policy("report"))
    refused = decide(gate.policy, Choice.refusing(), Signals())
    html = b"<img src=//other.example/x><img src=//other.example/x>"
    for _ in range(3):
        heard: list[object] = []
        assert gate.rewrite(html, refused, base_url=PAGE, report=heard.append) is html
        assert len(heard) == 2
    assert len([record for record in caplog.records if "other.example" in record.message]) == 1
