"""What happens to an application's responses, over every adapter."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from typing import Final

import brotli
import pytest
from conftest import ARTICLE, HTML, Answer, Served, make_policy

from consent import Policy
from consent.policy import Site

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NOTICE = "data-consent-banner"
TEXT = ("Content-Type", "text/plain")


def page(body: bytes | list[bytes] = ARTICLE, status: int = 200, *fields: tuple[str, str]) -> dict[str, Answer]:
    return {"/": Answer(body, status, [("Content-Type", HTML), *fields])}


def accepted(site: Served) -> str:
    """The cookie of a visitor who accepted all."""
    from consent import Choice
    from consent.exchange import Request

    request = Request(method="GET", scheme="http", host="news.example", path="/")
    engine = site.engine
    everything = Choice.granting(*engine.policy.current.keys)
    (_, field), = engine.jar.write(everything, request, today=engine.today())  # fmt: skip
    return field.partition(";")[0]


def test_the_notice_is_first_in_the_body_of_a_document(site: Served) -> None:
    text = site.get().text
    assert text.index("<body>") < text.index(NOTICE) < text.index("<main>")
    assert "consent/static/" in text


@pytest.mark.parametrize(
    "fields",
    [
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_dest": "empty"},
        {"hx_request": "true"},
        {"turbo_frame": "x"},
        {"x_requested_with": "XMLHttpRequest"},
    ],
)
def test_frames_and_fragments_get_no_notice_but_are_gated(site: Served, fields: dict[str, str]) -> None:
    text = site.get(**fields).text
    assert NOTICE not in text
    assert ' src="https://stats.example' not in text
    assert NOTICE in site.get(sec_fetch_dest="document").text  # the control


def test_a_fragment_without_doctype_gets_no_notice(make_site: Callable[..., Served]) -> None:
    fragment = b'<p>More news</p><script src="https://stats.example/js/a.js"></script>'
    site = make_site(page(fragment))
    text = site.get().text
    assert NOTICE not in text
    assert " src=" not in text
    assert NOTICE in site.get(sec_fetch_dest="document").text


def test_pages_to_skip_get_no_notice_and_are_gated(make_site: Callable[..., Served]) -> None:
    site = make_site({"/admin/x": Answer(ARTICLE), "/": Answer(ARTICLE)}, policy=make_policy(skip=("/admin/*",)))
    text = site.get("/admin/x").text
    assert NOTICE not in text
    assert ' src="https://stats.example' not in text
    assert NOTICE in site.get("/").text


@pytest.mark.parametrize("status", [200, 404, 500])
def test_error_pages_are_gated_too(make_site: Callable[..., Served], status: int) -> None:
    reply = make_site(page(ARTICLE, status)).get()
    assert reply.status == status
    assert ' src="https://stats.example' not in reply.text
    assert NOTICE in reply.text


@pytest.mark.parametrize(
    "answer",
    [
        Answer(ARTICLE, 200, [("Content-Type", "text/plain")]),
        Answer(b"\x89PNG\r\n<script src=https://stats.example/a>", 200, [("Content-Type", "image/png")]),
        Answer(ARTICLE, 200, [("Content-Type", "application/rss+xml")]),
        Answer(b"GIF89a<script src=https://stats.example/a>", 200, []),
        Answer(ARTICLE, 200, [("Content-Type", HTML), ("Content-Disposition", 'attachment; filename="a.html"')]),
    ],
    ids=["text", "image", "feed", "unlabelled", "download"],
)
def test_what_is_no_page_passes_byte_for_byte(make_site: Callable[..., Served], answer: Answer) -> None:
    path = "/unlabelled" if not answer.fields else "/"
    assert make_site({path: answer}).get(path).body == b"".join(answer.pieces)


def test_a_part_that_was_asked_for_passes_and_one_that_was_not_is_a_page(make_site: Callable[..., Served]) -> None:
    """A browser shows a partial response that it didn't ask for as it shows any page."""
    part = Answer(ARTICLE, 206, [("Content-Type", HTML), ("Content-Range", f"bytes 0-{len(ARTICLE) - 1}/9999")])
    site = make_site({"/": part})
    assert site.get("/", range=f"bytes=0-{len(ARTICLE) - 1}").body == ARTICLE
    assert ' src="https://stats.example' not in site.get("/").text


def test_an_unlabelled_page_is_gated(make_site: Callable[..., Served]) -> None:
    site = make_site({"/unlabelled": Answer(ARTICLE, 200, [])})
    text = site.get("/unlabelled").text
    assert "News." in text
    assert ' src="https://stats.example' not in text


def test_a_site_with_nothing_optional_is_left_as_it_is(make_site: Callable[..., Served]) -> None:
    site = make_site(page(b"<!doctype html><p>Hello"), policy=Policy(site=Site(name="Harbour", controller="Trust")))
    assert site.get().body == b"<!doctype html><p>Hello"


@pytest.mark.parametrize("state", ["none", "accepted"])
def test_every_page_is_private_and_varies(site: Served, state: str) -> None:
    reply = site.get(cookie=accepted(site) if state == "accepted" else "")
    assert reply.get("cache-control") == "private"
    assert {"Cookie", "Sec-GPC", "Sec-Fetch-Dest"} <= set(str(reply.get("vary")).split(", "))


def test_what_is_no_page_keeps_its_caching(make_site: Callable[..., Served]) -> None:
    site = make_site({"/": Answer(b"x", 200, [("Content-Type", "text/css"), ("Cache-Control", "public, max-age=9")])})
    reply = site.get()
    assert reply.fields == [("Content-Type", "text/css"), ("Cache-Control", "public, max-age=9")] or {
        (name.lower(), value) for name, value in reply.fields
    } == {("content-type", "text/css"), ("cache-control", "public, max-age=9")}


def test_length_and_digests_go_with_the_body_they_described(make_site: Callable[..., Served]) -> None:
    site = make_site(
        page(ARTICLE, 200, ("Content-Length", str(len(ARTICLE))), ("Digest", "x"), ("Accept-Ranges", "bytes"))
    )
    reply = site.get()
    assert not {"digest", "accept-ranges"} & {name.lower() for name, _ in reply.fields}
    assert reply.get("content-length") in (None, str(len(reply.body)))


def test_a_page_of_another_visitor_is_not_confirmed_as_unchanged(make_site: Callable[..., Served]) -> None:
    site = make_site(page(ARTICLE, 200, ("ETag", '"v1"')))
    mine, theirs = site.get().get("etag"), site.get(cookie=accepted(site)).get("etag")
    assert mine is not None
    assert mine.startswith('W/"v1;')
    assert mine != theirs
    site.get(if_none_match=str(theirs), if_modified_since="Thu, 01 Jan 2026 00:00:00 GMT")
    assert "if-none-match" not in site.seen[-1]
    assert "if-modified-since" not in site.seen[-1]
    site.get(if_none_match=mine)
    assert '"v1"' in site.seen[-1]["if-none-match"]  # the control: one's own page may be confirmed
    site.get(if_none_match='"v1"', if_modified_since="Thu, 01 Jan 2026 00:00:00 GMT", sec_fetch_dest="style")
    assert site.seen[-1]["if-none-match"] == '"v1"'
    assert site.seen[-1]["if-modified-since"]


def test_a_304_carries_the_tag_and_the_caching_of_its_page(make_site: Callable[..., Served]) -> None:
    reply = make_site({"/": Answer(b"", 304, [("ETag", '"v1"')])}).get()
    assert str(reply.get("etag")).startswith('W/"v1;')
    assert reply.get("cache-control") == "private"
    assert reply.body == b""


def test_a_head_request_gets_the_fields_of_the_page_and_no_body(site: Served) -> None:
    reply = site.get(method="HEAD")
    assert reply.body == b""
    assert reply.get("content-security-policy") == site.get().get("content-security-policy")


PACKED: Final = {
    "gzip": gzip.compress(ARTICLE),
    "deflate": zlib.compress(ARTICLE),
    "Deflate": zlib.compress(ARTICLE, wbits=-15),  # without its wrapper
    "br": brotli.compress(ARTICLE),
    "zstd": zstd.compress(ARTICLE),
    "zstd, gzip": gzip.compress(zstd.compress(ARTICLE)),
    "gzip, br, zstd": zstd.compress(brotli.compress(gzip.compress(ARTICLE))),
}


@pytest.mark.parametrize("coding", PACKED)
def test_compressed_pages_are_read_and_gated(make_site: Callable[..., Served], coding: str) -> None:
    packed = PACKED[coding]
    said = ("Content-Encoding", coding)
    site = make_site({"/": page([packed[:9], packed[9:]], 200, said)["/"], "/file": Answer(packed, 200, [TEXT, said])})
    reply = site.get()
    assert reply.get("content-encoding") is None
    assert NOTICE in reply.text
    assert "News." in reply.text
    assert ' src="https://stats.example' not in reply.text
    assert ' src="https://stats.example' in site.get(cookie=accepted(site)).text  # the control: it was all there
    bare = site.get("/file")  # the control: what is no page stays packed
    assert (bare.get("content-encoding"), bare.body) == (coding, packed)


@pytest.mark.parametrize("coding", ["br", "zstd"])
def test_a_page_that_breaks_off_ends_where_it_broke(make_site: Callable[..., Served], coding: str) -> None:
    article = ARTICLE.replace(b"<main>", b"<main>" + bytes(range(97, 122)) * 400)
    packed = {"br": brotli.compress, "zstd": zstd.compress}[coding](article)
    reply = make_site(page(packed[:-3], 200, ("Content-Encoding", coding))).get()
    assert reply.status == 200
    assert ' src="https://stats.example' not in reply.text
    assert article.decode() not in reply.text
    whole = make_site(page(packed, 200, ("Content-Encoding", coding))).get(scheme="https")
    assert whole.text.endswith("</html>")  # the control


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_few_bytes_that_stand_for_many_go_out_in_bounded_pieces(
    make_site: Callable[..., Served], coding: str
) -> None:
    many = ARTICLE.replace(b"News.", b"News. " + b"x" * 5_000_000)
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}[coding]
    packed = pack(many)
    assert len(packed) < 10_000
    reply = make_site(page(packed, 200, ("Content-Encoding", coding))).get()
    assert max(map(len, reply.pieces)) < 2_000_000
    assert reply.text.count("x") > 5_000_000
    plain = make_site(page(many)).get()
    assert max(map(len, plain.pieces)) > 4_000_000  # the control: what comes as one piece goes as one


def test_a_page_that_needs_a_dictionary_is_not_let_through(make_site: Callable[..., Served]) -> None:
    words = zstd.train_dict([ARTICLE[at:] for at in range(200)], 1024)
    packed = zstd.compress(ARTICLE, zstd_dict=words)
    reply = make_site(page(packed, 200, ("Content-Encoding", "zstd"))).get()
    assert b"stats.example" not in reply.body
    assert len(reply.body) > 20


def test_a_page_that_cannot_be_read_is_not_let_through(make_site: Callable[..., Served]) -> None:
    site = make_site(page(b"\x5e\x2a\x4d\x18 some zstd", 200, ("Content-Encoding", "dcz")))
    reply = site.get(accept_encoding="br, gzip, zstd")
    assert site.seen[-1]["accept-encoding"] == "gzip"
    site.get(accept_encoding="br, gzip;q=0")
    assert site.seen[-1]["accept-encoding"] == "identity"
    assert b"some zstd" not in reply.body
    assert reply.status == 200


PAGE_FILES = [("text/html", "/kept/1"), ("unknown/unknown", "/kept/a.html"), ("unknown/unknown", "/kept/A.XHTML?1")]
FRONT = ("X-Accel-Redirect", "X-Sendfile", "x-lighttpd-send-file", "X-LiteSpeed-Location")


@pytest.mark.parametrize("name", FRONT)
@pytest.mark.parametrize(("kind", "file"), PAGE_FILES)
def test_a_page_that_a_server_in_front_would_send_is_not_let_through(
    make_site: Callable[..., Served], caplog: pytest.LogCaptureFixture, name: str, kind: str, file: str
) -> None:
    reply = make_site({"/": Answer(b"", 200, [("Content-Type", kind), (name, file)])}).get()
    assert reply.get(name.lower()) is None
    assert len(reply.body) > 20
    assert f"A page was to be sent by the server in front, from '{file}'" in caplog.text


@pytest.mark.parametrize("name", FRONT)
@pytest.mark.parametrize(
    "typed",
    [
        [("Content-Type", "image/png")],
        [("Content-Type", "unknown/unknown")],
        [("Content-Type", "text/html"), ("Content-Disposition", "attachment")],
        [("Content-Type", "image/svg+xml")],
    ],
)
def test_other_files_are_left_to_the_server_in_front(
    make_site: Callable[..., Served], name: str, typed: list[tuple[str, str]]
) -> None:
    reply = make_site({"/": Answer(b"", 200, [*typed, (name, "/kept/a.png")])}).get(sec_fetch_dest="image")
    assert reply.get(name.lower()) == "/kept/a.png"
    assert reply.body == b""


def test_streaming_stays_streaming(make_site: Callable[..., Served]) -> None:
    pieces = [ARTICLE[:60] + b"<p>" + b"x" * 2000, b"<p>y</p>" * 500, b"<p>z</p>" * 500, b"</body></html>"]
    reply = make_site(page(pieces)).get()
    assert len(reply.pieces) >= 4
    assert reply.get("content-length") is None
    assert reply.body.endswith(b"</html>")


def test_a_cookie_of_a_refused_service_is_neither_set_nor_shown_to_the_application(
    make_site: Callable[..., Served],
) -> None:
    setting = [("Set-Cookie", "_stats=1; Path=/"), ("Set-Cookie", "session=2"), ("Set-Cookie", "_stats=; Max-Age=0")]
    site = make_site(page(ARTICLE, 200, *setting))
    refused = site.get(cookie="_stats=9; session=8")
    values = refused.all("set-cookie")
    assert "_stats=1; Path=/" not in values
    assert "session=2" in values
    assert "_stats=; Max-Age=0" in values
    assert site.seen[-1]["cookie"] == "session=8"
    jar = accepted(site)
    granted = site.get(cookie=f"_stats=9; {jar}")  # the control
    assert "_stats=1; Path=/" in granted.all("set-cookie")
    assert "_stats=9" in site.seen[-1]["cookie"]


def test_what_a_refused_service_left_is_expired(site: Served) -> None:
    fields = site.get(cookie="_stats=9; session=8").all("set-cookie")
    assert any(field.startswith("_stats=; ") and "Max-Age=0" in field for field in fields)
    assert not any(field.startswith("session=") for field in fields)
    assert not site.get(cookie=f"_stats=9; {accepted(site)}").all("set-cookie")


def test_nothing_is_expired_on_what_is_no_page(make_site: Callable[..., Served]) -> None:
    site = make_site({"/": Answer(b"x", 200, [("Content-Type", "text/css")])})
    assert not site.get(cookie="_stats=9").all("set-cookie")


def test_a_second_policy_tightens_by_permissions(site: Served) -> None:
    strict = str(site.get().get("content-security-policy"))
    wide = str(site.get(cookie=accepted(site)).get("content-security-policy"))
    assert "stats.example" not in strict
    assert "stats.example" in wide


def test_the_policy_of_the_application_stays(make_site: Callable[..., Served]) -> None:
    site = make_site(page(ARTICLE, 200, ("Content-Security-Policy", "default-src 'self'")))
    values = site.get().all("content-security-policy")
    assert values[0] == "default-src 'self'"
    assert len(values) == 2


def test_a_link_field_to_a_refused_service_goes(make_site: Callable[..., Served]) -> None:
    site = make_site(page(ARTICLE, 200, ("Link", "<https://stats.example/js/a.js>; rel=preload; as=script")))
    assert "stats.example" not in str(site.get().get("link"))
    assert "stats.example" in str(site.get(cookie=accepted(site)).get("link"))


def test_the_settings_link_is_on_every_page_in_every_state(site: Served) -> None:
    for jar in ("", accepted(site)):
        assert 'data-consent-action="settings"' in site.get(cookie=jar).text


def test_no_notice_after_a_choice(site: Served) -> None:
    assert NOTICE not in site.get(cookie=accepted(site)).text
    assert NOTICE in site.get().text


def test_our_pages_are_never_kept_and_carry_their_own_policy(site: Served) -> None:
    reply = site.get("/consent/")
    assert reply.status == 200
    assert reply.get("cache-control") == "no-store"
    assert reply.get("referrer-policy") == "same-origin"
    assert "default-src 'none'" in str(reply.get("content-security-policy"))
    assert site.get("/consent").status == 200


def test_static_files_are_kept_for_ever_and_unknown_ones_are_not_found(site: Served) -> None:
    reply = site.get("/consent/static/notice.css")
    assert (
        reply.get(
            "content-type",
        )
        is not None
    )
    assert "immutable" in str(reply.get("cache-control"))
    assert site.get("/consent/static/../engine.py").status == 404
    assert site.get("/consent/static/nothing.css").status == 404


def test_other_paths_below_the_prefix_are_the_applications(make_site: Callable[..., Served]) -> None:
    site = make_site({"/consent/own": Answer(b"<!doctype html><p>Mine")})
    assert "Mine" in site.get("/consent/own").text
    assert site.get("/consent/state", method="DELETE").status == 405


@pytest.mark.parametrize("said", ["accepted", ""])
def test_a_message_waits_for_a_page_that_is_seen(make_site: Callable[..., Served], said: str) -> None:
    moved = Answer(ARTICLE, 302, [("Content-Type", HTML), ("Location", "/")])
    site = make_site({"/": Answer(ARTICLE), "/moved": moved})
    told = {"cookie": f"{accepted(site)}; consent-said={said}"}
    assert "consent-said" not in site.get("/moved", **told).set_cookies
    assert "consent-said" not in site.get(method="HEAD", **told).set_cookies
    assert "consent-said" not in site.get(sec_purpose="prefetch;prerender", **told).set_cookies
    assert ("consent-said" in site.get(**told).set_cookies) is bool(said), "the control"


def test_observing_passes_pages_unchanged(
    make_site: Callable[..., Served], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CONSENT_MODE", "observe")
    reply = make_site(page(ARTICLE, 200, ("Set-Cookie", "_stats=1"))).get()
    assert reply.body == ARTICLE
    assert reply.all("set-cookie") == ["_stats=1"]
    assert "Would block" in caplog.text


def test_closed_denies_all_and_hides_the_notice(
    make_site: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = accepted(make_site())
    monkeypatch.setenv("CONSENT_MODE", "closed")
    reply = make_site().get(cookie=jar)
    assert NOTICE not in reply.text
    assert ' src="https://stats.example' not in reply.text


def test_another_mode_is_a_start_up_error(make_site: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    from consent import ConfigError

    monkeypatch.setenv("CONSENT_MODE", "offf")
    with pytest.raises(ConfigError, match="CONSENT_MODE"):
        make_site()


def test_a_service_requested_by_its_route_is_live_there_only(make_site: Callable[..., Served]) -> None:
    form = b'<!doctype html><body><iframe src="https://donate.example/form"></iframe>'
    site = make_site({"/give": Answer(form), "/": Answer(form)})
    assert ' src="https://donate.example/form"' in site.get("/give").text
    assert ' src="https://donate.example/form"' not in site.get("/").text


def test_undeclared_third_parties_are_blocked_and_told_once(
    make_site: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(page(b'<!doctype html><script src="https://who.example/x.js"></script>'))
    for _ in range(2):
        assert ' src="https://who.example' not in site.get().text
    assert caplog.text.count("loads from who.example") == 1
