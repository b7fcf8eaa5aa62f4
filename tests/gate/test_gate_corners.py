"""Rarely visited corners of the gate's rooms, each for what it promises."""

# ruff: noqa: E501  # tables, one corner after another

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent.choice import Choice, Signals, decide
from consent.gate import Gate
from consent.gate.fields import gate_fields
from consent.gate.match import Matcher
from consent.gate.srcset import candidates
from consent.gate.urls import parse_base, resolve
from consent.policy import Policy, Service, Site

BASE = parse_base(PAGE)


@pytest.mark.parametrize(
    ("text", "address"),
    [("https:/a.example/x", "https://harbour.example/a.example/x"), ("?q", "https://harbour.example/news/today?q"),
     ("", "https://harbour.example/news/today"), ("http:a.example", "http://a.example/"), ("//[::1]:8080/x", "https://[::1]:8080/x"),
     ("//a b/", "https://a%20b/"), ("//a%20b.%7bx/", "https://a%20b.%7bx/"), ("//x\xa0y/", "https://x%20y/"), ("///", None), ("//./", None),
     ("//\xad[::1]:8080/x", "https://[::1]:8080/x"), ("//a\u2064b\U000e0100.x/", "https://ab.x/"), ("//a\U0001ccda\U0001ccf2.x/", "https://ae2.x/"), ("//%E2%80%8B[::1]", "https://[::1]/"), ("//x[::1]/", "https://x%5b%3a%3a1%5d/"),
     ("//a.example:" + "0" * 5000 + "80/", "https://a.example:80/"), ("//A.example:65536/", None), ("//a.example:" + "1" * 5000, None),
     ("//a.example:0000/", "https://a.example:0/"), ("//a.example:/", "https://a.example/"), ("//a:b:/", None), ("//a:1:2/", None), ("//a.example:x/", None), ("//1.2.3.4.5/", None),
     ("//256.1.1.1/", None), ("//0x/", "https://0.0.0.0/"), ("//09.1/", None), ("//1.2.999999/", None), ("//a/b/../../../c", "https://a/c"),
     ("//a/b/.", "https://a/b/"), ("//a/b/..", "https://a/"), ("//a/%2e%2E/c", "https://a/c"), ("mailto:x@y", "mailto:x@y"),
     ("//a.stats.example:8443/x?y", "https://a.stats.example:8443/x?y")],
)  # fmt: skip
def test_an_address_is_resolved_as_a_browser_does(text, address) -> None:
    url = resolve(text, BASE)
    assert (str(url) if url else None) == address


def test_a_page_at_no_host_has_no_relative_addresses() -> None:
    for base in ("data:text/html,x", "nonsense"):
        assert resolve("x.png", parse_base(base)) is None
        assert str(resolve("//a.example/x", None)) == "None"
    assert resolve("x.png", None) is None


def matcher(*load: str, hosts: tuple[str, ...] = ("harbour.example",)) -> Matcher:
    service = Service(key="one", category="analytics", name="One", purpose="Counts.", load=load)
    return Matcher(Policy(site=Site(name="N", controller="C", hosts=hosts), services=(service,)))


@pytest.mark.parametrize(
    ("pattern", "address", "hit"),
    [("a.example:8080", "//a.example:8080/", True), ("a.example:8080", "//a.example/", False), ("a.example:443", "//a.example/", True),
     ("www.one.*", "//www.one.test/x", True), ("www.one.*", "//www.two.test/x", False), ("//a.example/x/*.js", "//a.example/x/y.js", True),
     ("a.example/x", "//a.example/x;y", True), ("a.example/x", "//a.example/xy", False)],
)  # fmt: skip
def test_a_pattern_has_ports_paths_and_stars(pattern, address, hit) -> None:
    url = resolve(address, BASE)
    assert url is not None
    assert bool(matcher(pattern).services(url)) is hit


def test_the_most_exact_pattern_decides_whoever_else_claims_the_host() -> None:
    policy = Policy(
        site=Site(name="N", controller="C"),
        services=tuple(
            Service(key=key, category="analytics", name=key, purpose="Counts.", load=load)
            for key, load in (("wide", ("*.one.example",)), ("exact", ("a.one.example/js/*", "a.one.example/gs/*")))
        ),
    )
    found = Matcher(policy)
    for path, key in (("js/x", "exact"), ("%67s/x", "exact"), ("css/x", "wide"), ("", "wide")):
        url = resolve(f"//a.one.example/{path}", BASE)
        assert url is not None
        assert [service.key for service in found.services(url)] == [key]


def test_a_javascript_frame_with_too_many_strings_is_not_opened() -> None:
    gate = Gate(make_policy())
    refused = decide(gate.policy, Choice.refusing(), Signals())
    for count, blocked in ((10, False), (20, True)):
        html = b"<iframe src=\"javascript:" + b"'<b>'," * count + b"''\"></iframe>"
        assert (gate.rewrite(html, refused, base_url=PAGE) is not html) is blocked
        plain = html.replace(b"<b>", b"b")
        assert gate.rewrite(plain, refused, base_url=PAGE) is plain, "the control: nothing in it is markup"


def test_what_is_no_address_is_none_with_any_base() -> None:
    gate = Gate(make_policy())
    refused = decide(gate.policy, Choice.refusing(), Signals())
    html = b"<base href=/a/><base href=/b/><img src=//x:y/>"
    assert gate.rewrite(html, refused, base_url=PAGE) is html
    other = html.replace(b"x:y", b"x:1")
    assert gate.rewrite(other, refused, base_url=PAGE) != other, "the control"


def test_hosts_below_one_of_the_site_are_its_own() -> None:
    found = matcher("x.example", hosts=("harbour.example", "*.harbour.test", "[::1]:80", "localhost:8000"))
    assert found.is_first_party("a.b.harbour.test", "harbour.example")
    assert not found.is_first_party("harbour.example.test", "harbour.example")
    assert found.is_first_party("localhost", "harbour.example")


def test_a_matcher_remembers_no_more_hosts_than_it_has_room_for() -> None:
    found = matcher("*.one.example")
    for number in range(5000):
        url = resolve(f"//h{number}.one.example/", BASE)
        assert url is not None
        assert found.services(url)


def test_candidates_end_where_a_browser_ends_them() -> None:
    assert list(candidates("a 1x, b (1,2) 2x, c,d 3x,,, e,")) == ["a", "b", "c,d", "e"]
    assert list(candidates(" ,, ")) == []
    assert list(candidates("a (1,2")) == ["a"]


def fields(name: str, value: str) -> str:
    gate = Gate(make_policy())
    refused = decide(gate.policy, Choice.refusing(), Signals())
    return dict(gate_fields(gate, [(name, value)], refused, base_url=PAGE)).get(name, "")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("Link", "nonsense", ""), ("Link", "</a>; rel=preload", "</a>; rel=preload"), ("Link", "", ""),
     ("Report-To", "nonsense", ""), ("Report-To", '{"endpoints":[{"url":"/r"}]}', '{"endpoints":[{"url":"/r"}]}'),
     ("Report-To", '{"endpoints":[{"url":"//a.stats.example"}]}', ""), ("Report-To", '{"endpoints":[{}]}', ""),
     ("Content-Security-Policy", "img-src *", "img-src *"), ("Content-Security-Policy", "report-uri /r", "report-uri /r"),
     ("Content-Security-Policy", "img-src *; report-uri //a.stats.example /r", "img-src *; report-uri /r"),
     ("Content-Security-Policy", "report-uri //a.stats.example; img-src *", " img-src *")],
)  # fmt: skip
def test_a_field_keeps_what_asks_nobody(name, value, kept) -> None:
    assert fields(name, value) == kept


@pytest.mark.parametrize(
    "html",
    [b"<svg><style>@import '//a.stats.example';<!-- --><![CDATA[x]]>&lt;</style></svg>", b"<a ping='//a.stats.example' href=/>x</a>",
     b"<script type=speculationrules>[1]</script>", b"<script type=speculationrules>{</script>",
     b"<script type=importmap>{\"imports\":{\"a\":\"\\q//a.stats.example\",\"b\":\"https://a.stats.example\"}}</script>",
     b"<img src='//a.stats.example/&notit;&#64;&amp'>", b"<iframe src='data:text/html;base64,%%%PGltZyBzcmM9Ly9hLnN0YXRzLmV4YW1wbGU+'>",
     b"<object data='//a.stats.example' hidden></object>", b"<style>a{b:url(//a.stats.example/\\110000)}</style>",
     b"<script>_paq.push(1); import('/a.js'); `${x}`</script>"],
)  # fmt: skip
def test_odd_markup_is_gated_and_comes_out_the_same_in_pieces(gate, refused, html) -> None:
    sent = gate.rewrite(html, refused, base_url=PAGE, placeholder=lambda _: b"")
    assert sent != html or b"%%%" in html
    assert gate.rewrite(sent, refused, base_url=PAGE) == sent
    assert in_pieces(gate, refused, html) == gate.rewrite(
        html, refused, base_url=PAGE
    )


def test_who_an_address_belongs_to_can_be_asked(gate, policy) -> None:
    assert gate.service_of("//a.stats.example/x", base_url=PAGE) is policy.service("stats")
    assert gate.service_of("/x", base_url=PAGE) is None
    assert gate.verdict("//a:x/", base_url=PAGE).kind == "local"
