"""Validators (RFC 9110 section 13): whose page may be confirmed, what is no page, and who writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import ARTICLE, HTML, Answer, Served
from contract_steps import choose, cookie

Make = Callable[..., Served]
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
FEED = {"accept": "application/rss+xml"}
VALID = [("ETag", '"v1"'), ("Last-Modified", DATE)]


def site_of(make_site: Make, kind: str) -> Served:
    return make_site({"/": Answer(b"{}" if kind != HTML else ARTICLE, 200, [("Content-Type", kind), *VALID])})


@pytest.mark.parametrize("kind", ["application/json", "application/rss+xml", "application/pdf"])
@pytest.mark.parametrize(
    "asked", [{"sec_fetch_dest": "empty"}, {"sec_fetch_dest": "document"}, FEED], ids=["fetch", "opened", "reader"]
)
def test_what_came_as_no_page_may_be_confirmed(make_site: Make, kind: str, asked: dict[str, str]) -> None:
    site = site_of(make_site, kind)
    known = {"if_none_match": '"v1"', "if_modified_since": DATE} | asked
    site.get(**known)
    assert "if-none-match" not in site.seen[-1], "it may be of a page from before"
    assert "if-modified-since" not in site.seen[-1]
    opened_as_page = kind.endswith("+xml") and asked.get("sec_fetch_dest") == "document"
    site.get(**known)
    assert (site.seen[-1].get("if-none-match") == '"v1"') is not opened_as_page
    site.get(**{"if_modified_since": DATE} | asked)
    assert (site.seen[-1].get("if-modified-since") == DATE) is not opened_as_page


def test_a_page_is_never_taken_for_something_else(make_site: Make) -> None:
    site = site_of(make_site, HTML)
    for _ in range(2):
        site.get(if_none_match='"v1"', if_modified_since=DATE)
        assert "if-none-match" not in site.seen[-1]
        assert "if-modified-since" not in site.seen[-1]


def test_what_one_asked_for_says_nothing_about_what_another_gets(make_site: Make) -> None:
    site = site_of(make_site, "application/json")
    site.get(sec_fetch_dest="empty")
    for fields in ({"sec_fetch_dest": "document"}, {"sec_fetch_dest": "empty", "accept": "text/html"}):
        site.get(if_none_match='"v1"', **fields)
        assert "if-none-match" not in site.seen[-1]
    site.get("/?other", if_none_match='"v1"', sec_fetch_dest="empty")
    assert "if-none-match" not in site.seen[-1]
    site.get(if_none_match='"v0", W/"v1"', if_modified_since=DATE, sec_fetch_dest="empty")
    assert site.seen[-1]["if-none-match"] == 'W/"v1"', "the control, without what is not known"
    assert "if-modified-since" not in site.seen[-1], "a date counts only where there is no tag"


def test_a_confirmation_of_what_is_no_page_keeps_its_fields(make_site: Make) -> None:
    site = site_of(make_site, "application/json")
    site.get(sec_fetch_dest="empty")
    site.pages["/"] = Answer(b"", 304, [("ETag", '"v1"'), ("Cache-Control", "max-age=9")])
    reply = site.get(if_none_match='"v1"', sec_fetch_dest="empty")
    assert (reply.get("etag"), reply.get("cache-control"), reply.get("vary")) == ('"v1"', "max-age=9", None)
    other = site.get(sec_fetch_dest="empty")
    assert "private" in str(other.get("cache-control")), "the control: a page's"


def test_only_so_many_are_remembered(make_site: Make) -> None:
    site = site_of(make_site, "application/json")
    page = site.pages["/"]
    site.get(sec_fetch_dest="empty")
    for number in range(4100):
        site.engine.closer.others.note(site.engine.open(_request(f"/{number}")).request, page.fields)
    site.get(if_none_match='"v1"', sec_fetch_dest="empty")
    assert "if-none-match" not in site.seen[-1]


def _request(path: str) -> object:
    from consent.exchange import Request

    return Request(
        method="GET", scheme="http", host="news.example", path=path, root="", query="", client="", fields={}
    )


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_whoever_writes_is_held_to_what_they_saw(make_site: Make, method: str) -> None:
    site = site_of(make_site, HTML)
    mine = str(site.get().get("etag"))
    theirs = str(site.get(cookie=cookie(choose(site, "accept"))).get("etag"))
    assert mine != theirs
    sent = ((mine, '"v1"'), (theirs, '"v1"'), ("*", "*"), ('"json", W/"other"', '"json", W/"other"'))
    for field in ("if_match", "if_none_match"):
        for tag, seen in sent:
            site.get("/doc", method=method, **{field: tag})
            assert site.seen[-1][field.replace("_", "-")] == seen
    site.get("/doc", method=method, if_unmodified_since=DATE, if_modified_since=DATE)
    assert site.seen[-1]["if-unmodified-since"] == site.seen[-1]["if-modified-since"] == DATE
    site.get("/doc", if_none_match="*", if_match=f'{mine}, "json"')
    assert "if-none-match" not in site.seen[-1], "the control: for reading it would show anybody's page"
    assert site.seen[-1]["if-match"] == '"v1", "json"'


def test_a_confirmation_says_nothing_of_a_body(make_site: Make) -> None:
    body = [("Content-Length", "5"), ("Content-Encoding", "br"), ("Repr-Digest", "x"), ("Accept-Ranges", "bytes")]
    site = make_site({"/": Answer(b"", 304, [("ETag", '"v1"'), *body])})
    assert not {name for name, _ in body} & {name.title() for name, _ in site.get().fields}
    style = site.get(sec_fetch_dest="style")
    assert style.get("repr-digest") == "x", "the control: of what is no page"
