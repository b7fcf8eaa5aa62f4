"""Visitors that are no people, and people without a script: crawlers, extensions, and a way on from every page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from banner_site import POLICY
from werkzeug.test import Client

from consent.wsgi import ConsentMiddleware

PAGE = (
    b'<!doctype html><html lang="en"><head><title>The ferry is back</title><link rel="canonical" href="/ferry">'
    b'<script type="application/ld+json">{"@type": "NewsArticle"}</script></head><body><main><h1>The ferry is back</h1>'
    b'<p>Words.</p><iframe src="https://www.youtube.com/embed/x"></iframe></main><footer></footer></body></html>'
)
CRAWLERS = {
    "Googlebot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "bingbot": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "a person": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
ENDS = {
    "": 200, "?lang=de&next=/ferry": 200, "embed?service=x&url=y": 400, "receipt": 404,
    "embed?service=youtube&url=https://www.youtube.com/embed/x": 403,
}  # fmt: skip


@pytest.fixture
def client() -> Client:
    def app(_: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [PAGE]

    return Client(ConsentMiddleware(app, POLICY, secret_key="a secret of the tests", log="memory://"))


def test_crawlers_get_what_people_get(client: Client) -> None:
    pages = {name: client.get("/ferry", headers={"User-Agent": agent}).data for name, agent in CRAWLERS.items()}
    assert len(set(pages.values())) == 1
    assert client.get("/ferry", headers={"Sec-GPC": "1"}).data != pages["a person"]  # the control


def test_a_page_keeps_all_that_crawlers_read_and_what_is_ours_is_no_snippet(client: Client) -> None:
    html = client.get("/ferry").text
    for part in ("<title>The ferry is back</title>", '{"@type": "NewsArticle"}', "<h1>The ferry is back</h1><p>Words."):
        assert part in html
    assert "noindex" not in html
    for ours in ("data-consent-banner", "cst-card"):
        tag = re.search(rf"<[^>]*{ours}[^>]*>", html)
        assert tag
        assert "data-nosnippet" in tag[0]


def test_pages_of_ours_stay_out_of_indexes_and_links_to_them_lead_no_crawler(client: Client) -> None:
    for path in ENDS:
        assert "noindex" in client.get(f"/consent/{path}").headers["X-Robots-Tag"]
    links = re.findall(r'<a href="/consent/[^>]*>', client.get("/ferry").text)
    assert len(links) >= 2
    assert all('rel="nofollow"' in link for link in links)


@pytest.mark.parametrize(("path", "status"), ENDS.items())
def test_every_page_of_ours_leads_on_without_a_script(client: Client, path: str, status: int) -> None:
    answer = client.get(f"/consent/{path}")
    assert answer.status_code == status
    assert '<a href="/" target="_top">' in answer.text, "in a frame it would lead nowhere else"


@pytest.mark.parametrize("action", ["accept", "reject", "save", "withdraw", "erase", "always", "nonsense", "hide"])
@pytest.mark.parametrize("artefact", ["", "shown"])
def test_every_answer_without_a_script_leads_back_or_to_a_page_that_leads_on(
    client: Client, action: str, artefact: str
) -> None:
    digest = re.search(r'name="artefact" value="(\w+)"', client.get("/ferry").text)
    assert digest
    form = {
        "action": action, "artefact": digest[1] if artefact else "", "layer": "first", "next": "/ferry",
        "service": "youtube", "url": "https://www.youtube.com/embed/x",
    }  # fmt: skip
    answer = client.post("/consent/", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    if answer.status_code == 303:
        assert answer.location == "/ferry"
        assert client.get(answer.location).status_code == 200
    else:
        assert '<a href="/" target="_top">' in answer.text
