"""What a response says of itself, and how browsers really read it, over every adapter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import ARTICLE, HTML, Answer, Served, make_policy
from contract_steps import choose, cookie

Make = Callable[..., Served]
PAGE = [("Content-Type", HTML)]
LIVE = ' src="https://stats.example'
THIRD = "https://stats.example"
XML = (
    b'<a xmlns="http://www.w3.org/1999/xhtml" xmlns:x="http://www.w3.org/1999/xlink">'
    b'<link rel="preconnect" href="https://stats.example/"/><img src="https://stats.example/x"/></a>'
)
OTHERS = ["text/css", "text/plain", "application/json", "image/svg+xml", "text/xml", "image/png"]


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize(
    ("name", "value", "own"),
    [
        ("Link", f"<{THIRD}/>; rel=preconnect", "</a.css>; rel=preload; as=style"),
        ("Refresh", f"0;url={THIRD}/", "0;url=/next"),
        ("Reporting-Endpoints", f'default="{THIRD}/r"', 'default="/r"'),
        ("Content-Security-Policy", f"report-uri {THIRD}/r", "report-uri /r"),
    ],
)
def test_whatever_it_comes_with_no_field_leads_to_a_third_party(
    make_site: Make, kind: str, name: str, value: str, own: str
) -> None:
    site = make_site(
        {
            "/third": Answer(b"x", 200, [("Content-Type", kind), (name, value)]),
            "/own": Answer(b"x", 200, [("Content-Type", kind), (name, own)]),
        }
    )
    assert THIRD not in "".join(site.get("/third").all(name))
    assert own in site.get("/own").all(name)


@pytest.mark.parametrize("destination", ["worker", "sharedworker", "serviceworker"])
def test_a_worker_comes_with_a_policy_of_its_own(make_site: Make, destination: str) -> None:
    script = [("Content-Type", "text/javascript"), ("Cache-Control", "public, max-age=9")]
    site = make_site({"/": Answer(ARTICLE), "/own.js": Answer(b"1", 200, script)})
    jar = cookie(choose(site, "accept"))
    refused, granted = (site.get("/own.js", sec_fetch_dest=destination, cookie=sent) for sent in ("", jar))
    stays = destination == "serviceworker"
    for reply in (refused, granted):
        assert "Sec-Fetch-Dest" in str(reply.get("vary"))
        assert ("Cookie" in str(reply.get("vary"))) is ("private" in str(reply.get("cache-control"))) is not stays
        assert "evil.example" not in str(reply.get("content-security-policy"))
    assert ("stats.example" in str(refused.get("content-security-policy"))) is stays
    assert "stats.example" in str(granted.get("content-security-policy"))
    control = site.get("/own.js", sec_fetch_dest="script")
    assert (control.get("content-security-policy"), control.get("vary")) == (None, None)
    assert control.get("cache-control") == "public, max-age=9"


def test_a_site_without_a_policy_has_none_for_workers_either(make_site: Make) -> None:
    script = Answer(b"1", 200, [("Content-Type", "text/javascript")])
    site = make_site({"/own.js": script}, policy=make_policy(csp="off"))
    reply = site.get("/own.js", sec_fetch_dest="worker")
    assert (reply.get("content-security-policy"), reply.get("vary")) == (None, None)


@pytest.mark.parametrize("name", ["CDN-Cache-Control", "X-LiteSpeed-Cache-Control", "Akamai-Cache-Control"])
def test_no_cache_is_told_otherwise(make_site: Make, name: str) -> None:
    site = make_site({path: Answer(ARTICLE, 200, [("Content-Type", kind), (name, "max-age=9")]) for path, kind in (
        ("/page", HTML), ("/style.css", "text/css"),
    )})  # fmt: skip
    assert site.get("/page").get(name) is None
    assert site.get("/style.css").get(name) == "max-age=9", "the control"


def test_what_is_no_page_says_the_same_to_everybody(make_site: Make) -> None:
    link = ("Link", f"<{THIRD}/>; rel=preconnect")
    style, page = Answer(b"p{}", 200, [("Content-Type", "text/css"), link]), Answer(ARTICLE, 200, [*PAGE, link])
    site = make_site({"/": page, "/style.css": style})
    jar = cookie(choose(site, "accept"))
    assert site.get("/", cookie=jar).all("link") == [link[1]], "a page may name who was granted"
    assert site.get("/style.css", cookie=jar).all("link") == site.get("/style.css").all("link") == []


@pytest.mark.parametrize("kind", ["text/xml", "application/xml", "text/xsl", "image/svg+xml", "application/rdf+xml"])
def test_xml_that_is_opened_is_a_page_and_elsewhere_it_is_data(make_site: Make, kind: str) -> None:
    site = make_site({"/": Answer(XML, 200, [("Content-Type", kind)])})
    for fields in ({"sec_fetch_dest": "document"}, {"sec_fetch_dest": "iframe"}, {"accept": "text/html,*/*;q=0.8"}):
        reply = site.get(**fields)
        assert LIVE not in reply.text
        assert ' href="https://stats.example' not in reply.text
        assert "data-consent-banner" not in reply.text
        assert reply.get("cache-control") == "private"
    for fields in ({"sec_fetch_dest": "image"}, {"sec_fetch_dest": "empty"}, {"accept": "application/atom+xml"}):
        reply = site.get(**fields)
        assert reply.body == XML
        assert reply.get("cache-control") is None
        assert "default-src" in str(reply.get("content-security-policy"))


def test_xml_kept_as_data_for_who_granted_gives_nothing_to_who_opens_it(make_site: Make) -> None:
    fields = [("Content-Type", "image/svg+xml"), ("Cache-Control", "public, max-age=600"), ("Vary", "Accept-Encoding")]
    site = make_site({"/": Answer(ARTICLE, 200, PAGE), "/a.svg": Answer(XML, 200, fields)})
    jar = cookie(choose(site, "accept"))
    policies = {
        (dest, own): str(site.get("/a.svg", cookie=own, sec_fetch_dest=dest).get("content-security-policy"))
        for dest in ("image", "document")
        for own in (jar, "")
    }
    assert policies["image", jar] == policies["image", ""] == policies["document", ""]
    assert "stats.example" not in policies["image", jar]
    assert "stats.example" in policies["document", jar]
    data = site.get("/a.svg", cookie=jar, sec_fetch_dest="image")
    assert data.all("vary") == ["Accept-Encoding, Sec-Fetch-Dest"]
    assert data.get("cache-control") == "public, max-age=600"
    older = site.get("/a.svg", cookie=jar, accept="image/avif,image/*,*/*;q=0.8")
    assert older.body == data.body
    assert older.all("vary") == ["Accept-Encoding, Sec-Fetch-Dest, Accept"], "that is all that tells the two apart"


@pytest.mark.parametrize(
    "kinds",
    [["text/html, */*"], ["text/html(old)"], ['text/html;x="a, text/plain "'], ["text/plain, text/html"]],
)
def test_one_type_goes_out_and_the_body_is_read_as_that(make_site: Make, kinds: list[str]) -> None:
    body = b"hello " + ARTICLE
    site = make_site({"/": Answer(body, 200, [("Content-Type", kind) for kind in kinds])})
    reply = site.get()
    assert reply.all("content-type") == ["text/html"]
    assert LIVE not in reply.text


def test_what_is_no_page_goes_out_as_none(make_site: Make) -> None:
    site = make_site(
        {
            "/a": Answer(ARTICLE, 200, [("Content-Type", "text/html, text/plain")]),
            "/b": Answer(ARTICLE, 200, [("Content-Type", 'multipart/mixed; boundary="a,b"')]),
        }
    )
    assert site.get("/a").all("content-type") == ["text/plain"]
    assert site.get("/a").body == ARTICLE
    assert site.get("/b").all("content-type") == ['multipart/mixed; boundary="a,b"']


def test_pages_that_replace_each_other_have_a_policy(make_site: Make) -> None:
    kinds = {"push": "multipart/x-mixed-replace; boundary=b", "mixed": "multipart/mixed; boundary=b"}
    body = b"--b\r\nContent-Type: text/html\r\n\r\n" + ARTICLE + b"\r\n--b--\r\n"
    site = make_site({f"/{path}": Answer(body, 200, [("Content-Type", kind)]) for path, kind in kinds.items()})
    pushed = site.get("/push")
    assert pushed.body == body
    assert str(pushed.get("content-security-policy")).startswith("default-src 'self'")
    assert site.get("/mixed").get("content-security-policy") is None


@pytest.mark.parametrize("kind", ["unknown/unknown", "application/unknown", "application/x-unknown-content-type"])
def test_what_some_browser_looks_into_is_gated(make_site: Make, kind: str) -> None:
    kinds = {"/page": kind, "/data": "application/octet-stream"}
    site = make_site({path: Answer(ARTICLE, 200, [("Content-Type", kind)]) for path, kind in kinds.items()})
    assert LIVE not in site.get("/page").text
    assert LIVE in site.get("/data").text


@pytest.mark.parametrize("body", [b"<article>", b"<br/>", b"<p\tclass=a>", b"<pre>", b"<?xml version='1.0'?><a>"])
def test_what_has_no_type_is_gated_where_some_browser_takes_it_for_a_page(make_site: Make, body: bytes) -> None:
    site = make_site({"/unlabelled": Answer(body + b'<img src="https://stats.example/x">', 200, [])})
    assert LIVE not in site.get("/unlabelled", sec_fetch_dest="iframe").text


@pytest.mark.parametrize(
    ("disposition", "shown"),
    [("attachment filename=a.html", True), ("inline; filename=a.html", True), ("attachment; filename=a.html", False)],
)
def test_what_only_looks_like_a_download_is_gated(make_site: Make, disposition: str, shown: bool) -> None:
    site = make_site({"/": Answer(ARTICLE, 200, [("Content-Type", HTML), ("Content-Disposition", disposition)])})
    assert (LIVE in site.get().text) is not shown


@pytest.mark.parametrize("coding", ["none", "utf-8", "identity"])
def test_a_coding_that_no_browser_knows_is_none(make_site: Make, coding: str) -> None:
    reply = make_site({"/": Answer(ARTICLE, 200, [("Content-Type", HTML), ("Content-Encoding", coding)])}).get()
    assert "News." in reply.text
    assert LIVE not in reply.text
    assert reply.get("content-encoding") is None


def test_a_cookie_without_a_name_is_known_by_the_name_it_comes_back_under(make_site: Make) -> None:
    site = make_site({"/": Answer(ARTICLE, 200, [("Content-Type", HTML), ("Set-Cookie", "=_stats=1; Path=/")])})
    assert not any("_stats=1" in value for value in site.get().all("set-cookie"))
    site = make_site({"/": Answer(ARTICLE, 200, [("Content-Type", HTML), ("Set-Cookie", "=other=1; Path=/")])})
    assert "=other=1; Path=/" in site.get().all("set-cookie")


@pytest.mark.parametrize(("date", "passes"), [("Thu, 01 Jan 1970 00:00:00 GMT", True), ("Thu, 01 Jan 1970", False)])
def test_a_date_that_browsers_cannot_read_ends_no_cookie(make_site: Make, date: str, passes: bool) -> None:
    ending = f"_stats=1; Expires={date}"
    site = make_site({"/": Answer(ARTICLE, 200, [("Content-Type", HTML), ("Set-Cookie", ending)])})
    assert (ending in site.get().all("set-cookie")) is passes
