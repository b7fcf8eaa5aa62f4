"""Where browsers report what the second policy stopped, over every adapter."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from conftest import Recording, Reply, Served, make_policy

REPORT = json.dumps(
    {
        "csp-report": {
            "blocked-uri": "https://evil.example/a?b",
            "effective-directive": "img-src",
            "document-uri": "https://news.example/private",
        }
    }
)


def post(site: Served, body: str, kind: str = "application/csp-report", path: str = "/consent/report") -> Reply:
    return site.send("POST", path, body.encode(), scheme="http", root="", fields={"content_type": kind})


def test_policy_names_the_endpoint_and_the_endpoint_counts_by_host(site: Served, log: Recording) -> None:
    policy = str(site.get().get("content-security-policy"))
    assert policy.endswith("; report-uri /consent/report")
    reply = post(site, REPORT)
    assert (reply.status, reply.body, reply.get("content-length")) == (204, b"", None)
    post(site, REPORT)
    assert log.counted == {"csp img-src evil.example": 2}


@pytest.mark.parametrize("body", ["", "{", "[" * 5000, "x" * 70_000, '{"csp-report": {}}'])
def test_junk_is_answered_alike_and_counts_nothing(site: Served, log: Recording, body: str) -> None:
    assert post(site, body).status == 204
    assert log.counted == {}


def test_endpoint_takes_posts_alone(site: Served) -> None:
    reply = site.get("/consent/report")
    assert (reply.status, reply.get("allow")) == (405, "POST")


def test_endpoint_is_where_the_application_is_mounted(make_site: Callable[..., Served]) -> None:
    site = make_site(policy=make_policy(prefix="/choices/"))
    policy = str(site.get(root="/news").get("content-security-policy"))
    assert policy.endswith("; report-uri /news/choices/report")


def test_page_without_a_second_policy_has_no_reports(make_site: Callable[..., Served]) -> None:
    assert make_site(policy=make_policy(csp="off")).get().get("content-security-policy") is None
