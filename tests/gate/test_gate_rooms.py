"""What stands beside the scanner: placement, placeholders, encodings, header fields, the second policy."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import pytest
from harbour_policy import PAGE, in_pieces, make_policy

from consent import csp
from consent.choice import Choice, Signals, decide
from consent.config import load
from consent.gate import Embed, Gate
from consent.gate.fields import gate_fields
from consent.policy import Policy, Service, Site


def furnished(gate, permissions, html: bytes) -> bytes:
    return gate.rewrite(html, permissions, base_url=PAGE, insert=b"[N]", footer=b"[F]")


@pytest.mark.parametrize(
    ("html", "sent"),
    [
        (b"<!doctype html><html><head><title>x</title></head><body class=a>hi</body></html>",
         b"<!doctype html><html><head><title>x</title></head><body class=a>[N]hi[F]</body></html>"),
        (b"<title>x</title>\n<p>hi", b"<title>x</title>\n[N]<p>hi[F]"),
        (b"hello", b"[N]hello[F]"),
        (b"", b"[N][F]"),
        (b"<head><script>'<body>'</script></head>\n<main>", b"<head><script>'<body>'</script></head>\n[N]<main>[F]"),
        (b"<!-- <body> --><template><body></template><body>x", b"<!-- <body> --><template><body></template><body>[N]x[F]"),
        (b"<frameset><frame></frameset>", b"<frameset><frame></frameset>"),
        (b"<body><article><footer>a</footer></article><footer>b</footer></body>",
         b"<body>[N]<article><footer>a</footer></article><footer>b[F]</footer></body>"),
        (b"<body><footer>a</footer><footer>b</footer>", b"<body>[N]<footer>a[F]</footer><footer>b</footer>"),
        (b"<body><!-- </body> --><p title='</body>'>x</body>", b"<body>[N]<!-- </body> --><p title='</body>'>x[F]</body>"),
        (b"<body>x<p a='", b"<body>[N]x[F]<p a='"),
        (b"\xef\xbb\xbf<title>x</title>y", b"\xef\xbb\xbf<title>x</title>[N]y[F]"),
    ],
)  # fmt: skip
def test_the_notice_opens_the_body_and_the_link_closes_the_footer(gate, granted, html, sent) -> None:
    assert furnished(gate, granted, html) == sent


def test_what_is_inserted_knows_the_language_of_the_page(gate, granted) -> None:
    heard: list[str | None] = []

    def notice(lang: str | None) -> bytes:
        heard.append(lang)
        return b""

    gate.rewrite(b"<html lang=de><body>", granted, base_url=PAGE, insert=notice, footer=notice)
    gate.rewrite(b"<p>", granted, base_url=PAGE, insert=notice)
    assert heard == ["de", "de", None]


def test_a_placeholder_is_told_what_it_stands_for(gate, refused, policy) -> None:
    seen: list[Embed] = []

    def card(embed: Embed) -> bytes:
        seen.append(embed)
        return b"[CARD]"

    html = b'<html lang=en><iframe name=v width=560 height="315" title="A &amp; B" allow=fullscreen src=//www.youtube.com/embed/x>'
    sent = gate.rewrite(html, refused, base_url=PAGE, placeholder=card)
    assert sent == html.replace(
        b"<iframe",
        b'[CARD]<iframe data-consent-service="youtube" data-consent-category="video" data-consent-inert hidden',
    ).replace(b"src=", b"data-consent-src=")
    (embed,) = seen
    assert embed.service is policy.service("youtube")
    assert (embed.url, embed.tag, embed.width, embed.height, embed.title, embed.allow, embed.lang) == (
        "https://www.youtube.com/embed/x", "iframe", "560", "315", "A & B", "fullscreen", "en",
    )  # fmt: skip


@pytest.mark.parametrize(
    "html", [b"<iframe width=0 height=0 src=//a.stats.example>", b'<iframe style="display:none" src=//a.stats.example>']
)
def test_a_frame_nobody_sees_gets_no_placeholder(gate, refused, html) -> None:
    sent = gate.rewrite(html, refused, base_url=PAGE, placeholder=lambda _: b"[CARD]")
    assert b"[CARD]" not in sent
    assert b"data-consent-src" in sent


def test_undeclared_third_parties_pass_under_report_and_are_told_of() -> None:
    html = b"<img src=//other.example/x>"
    for mode, passes in (("report", True), ("allow", True), ("block", False)):
        heard = []
        open_gate = Gate(make_policy(undeclared=mode))
        sent = open_gate.rewrite(
            html, decide(open_gate.policy, Choice.refusing(), Signals()), base_url=PAGE, report=heard.append
        )
        assert (sent is html) is passes
        assert [(said.host, said.blocked) for said in heard] == [("other.example", not passes)]


def test_an_undeclared_host_is_told_to_the_developer_once(policy, refused, caplog) -> None:
    new = Gate(policy)
    for _ in range(3):
        new.rewrite(b"<img src=//other.example/x><img src=//other.example/y>", refused, base_url=PAGE)
    assert [r.message.count('load = ["other.example"]') for r in caplog.records] == [1]


SITE = """
[site]
name = "Harbour News"
controller = "Harbour News Trust"
contact = "privacy@harbour.example"
privacy_policy = "/privacy"

[[service]]
key = "tiles"
category = "functional"
name = "Map"
purpose = "Shows maps."
provider = "Maps Ltd"
load = ["tiles.example"]
"""


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("other.example", "other-example"), ("B390.other.example:8080", "b390-other-example"), ("127.0.0.9", "127-0-0-9"),
        ("under_score.example", "under_score-example"), ("_", "my-service"), ("b\u00fccher.example", "xn--bcher-kva-example"),
        ("x" * 39 + ".example", "x" * 39), ("tiles", "tiles-2"), ("analytics", "analytics-2"),
        ("a'b.example", ""), ("b390.stranger.examp&amp;le", ""), ("a&quot;b.example", ""), ("[::1]", ""), ("a-.example", ""),
        ("x" * 64 + ".example", ""),
    ],
)  # fmt: skip
def test_what_the_developer_is_told_to_add_is_what_consent_toml_takes(tmp_path, caplog, host, key) -> None:
    file = tmp_path / "consent.toml"
    file.write_text(SITE, encoding="utf-8")
    policy = load(file)
    html = f'<img src="//{host}/x">'.encode()
    Gate(policy).rewrite(html, decide(policy, Choice.none(), Signals()), base_url="https://harbour.example/")
    (said,) = [record.message for record in caplog.records]
    _, can_be, proposed = said.partition("To declare it, add:\n")
    assert bool(can_be) is bool(key) is not said.endswith("no host name.")
    if not key:
        return
    file.write_text(f"{SITE}\n{proposed}\n", encoding="utf-8")
    declared = load(file)
    assert [service.key for service in declared.services if service.key not in policy.keys] == [key]
    assert Gate(declared).service_of(f"//{host}/x", base_url="https://harbour.example/").key == key


def test_what_is_blocked_without_an_address_is_no_host_to_declare(policy, refused, caplog) -> None:
    new = Gate(policy)
    for _ in range(3):
        new.rewrite(b'<script type=speculationrules>{"prefetch":[{"where":{}}]}</script>', refused, base_url=PAGE)
    (said,) = [record.message for record in caplog.records]
    assert "speculationrules" in said
    assert "load =" not in said


@pytest.mark.parametrize("charset", ["utf-16le", "utf-16be", "iso-2022-jp"])
def test_an_encoding_that_hides_tags_is_read_through(gate, refused, granted, charset) -> None:
    text = "<p title='日本'>港</p><img src='//a.stats.example/x'>"
    html = text.encode(charset)
    kind = f"text/html; charset={charset}"
    sent = gate.rewrite(html, refused, base_url=PAGE, content_type=kind)
    assert "data-consent-src" in sent.decode(charset)
    assert sent.decode(charset).startswith("<p title='日本'>港</p>")
    assert gate.rewrite(html, granted, base_url=PAGE, content_type=kind) == html


def test_a_page_read_through_may_end_its_pieces_inside_a_character(gate, refused) -> None:
    html = ("<title>" + "港" * 40 + "</title><script>" + "日" * 300 + "</script>").encode("utf-16-le")
    assert in_pieces(gate, refused, html, size=7, content_type="text/html; charset=utf-16le") == html


def test_bytes_that_a_declared_encoding_has_not_are_not_sent(gate, refused) -> None:
    assert (
        gate.rewrite(b"\x1b$B\xff<img>", refused, base_url=PAGE, content_type="text/html; charset=iso-2022-jp") == b""
    )


def test_a_page_that_names_no_encoding_is_not_taken_for_iso_2022_jp(gate, refused) -> None:
    html = b"<p title='\x1b$B'><img src=//a.stats.example>\x1b(B'>"
    assert b"\x1b" not in gate.rewrite(html, refused, base_url=PAGE, content_type="text/html")
    assert b"\x1b" in gate.rewrite(html, refused, base_url=PAGE)


HEADERS = [
    ("Link", '<https://a.stats.example/x.js>; rel=preload; as=script, </own.css>; rel="stylesheet", <https://a.stats.example/>; rel=author'),
    ("Refresh", "0;url=https://a.stats.example/"),
    ("Refresh", "5;url=/next"),
    ("Speculation-Rules", '"/rules.json"'),
    ("Reporting-Endpoints", 'a="https://a.stats.example/r", b="/r"'),
    ("Report-To", '{"group":"a","max_age":1,"endpoints":[{"url":"https://a.stats.example/r"}]}'),
    ("NEL", '{"report_to":"a"}'),
    ("Content-Security-Policy", "default-src 'self'; report-uri /own https://a.stats.example/r"),
    ("X-Other", "https://a.stats.example/"),
]  # fmt: skip


def test_header_fields_contact_only_who_is_permitted(gate, refused) -> None:
    assert gate_fields(gate, HEADERS, refused, base_url=PAGE) == [
        ("Link", '</own.css>; rel="stylesheet", <https://a.stats.example/>; rel=author'),
        ("Refresh", "5;url=/next"),
        ("Reporting-Endpoints", 'b="/r"'),
        ("Content-Security-Policy", "default-src 'self'; report-uri /own"),
        ("X-Other", "https://a.stats.example/"),
    ]


def test_header_fields_stay_when_nothing_is_denied(granted) -> None:
    assert gate_fields(Gate(make_policy(undeclared="report")), HEADERS, granted, base_url=PAGE) == HEADERS


def test_the_second_policy_names_the_hosts_of_what_is_granted(policy, refused, granted) -> None:
    some = decide(policy, Choice.granting("youtube"), Signals())
    before = csp.tightening(policy, refused, host="harbour.example")
    own = "'self' cdn.harbour.example ws://cdn.harbour.example"
    assert before == f"default-src {own} 'unsafe-inline' 'unsafe-eval' data: blob:"
    after = csp.tightening(policy, some, host="harbour.example", report_uri="/consent/csp")
    assert "www.youtube.com *.ytimg.com" in after
    assert "stats" not in after
    assert after.endswith("; report-uri /consent/csp")
    assert "stats.example/js/" in csp.tightening(policy, granted, host="harbour.example")


def test_the_second_policy_stays_short_and_only_gets_tighter() -> None:
    services = tuple(
        Service(key=f"s{n}", category="video", name="n", purpose="p", load=(f"{'x' * 40}{n}.example",))
        for n in range(200)
    )
    many = Policy(site=Site(name="n", controller="c"), services=services)
    value = csp.tightening(many, decide(many, Choice.granting("video"), Signals()), host="own.example")
    assert 3900 < len(value) <= csp.LONGEST
    assert value.endswith("data: blob:")


@pytest.mark.parametrize(
    ("ask", "name"),
    [({}, "Content-Security-Policy"), ({"csp": "report-only"}, "Content-Security-Policy-Report-Only"), ({"csp": "off"}, None),
     ({"undeclared": "report"}, "Content-Security-Policy-Report-Only")],
)  # fmt: skip
def test_the_second_policy_is_enforced_only_where_the_site_says_so(ask, name) -> None:
    assert csp.header_name(make_policy(**ask)) == name


def test_whose_a_url_is_can_be_asked(gate) -> None:
    assert gate.service_of("//WWW.YouTube.com./embed/x", base_url=PAGE).key == "youtube"
    assert gate.service_of("https://notyoutube.com/", base_url=PAGE) is None
    kinds = [
        gate.verdict(url, base_url=PAGE).kind
        for url in ("/x", "//cdn.harbour.example", "//other.example", "data:,", "//i.ytimg.com")
    ]
    assert kinds == ["first-party", "first-party", "undeclared", "local", "service"]
