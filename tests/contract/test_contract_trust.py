"""Whose posts count, and how often, over every adapter."""

from __future__ import annotations

import re

import pytest
from conftest import Recording, Reply, Served
from contract_steps import ALL, artefact_of, choose, cookie, granted, visit


def token_of(reply: Reply) -> str:
    found = re.search(r'name="?token"? value="?([0-9a-f]{32})', reply.text)
    assert found, reply.text
    return found[1]


def asked_again(site: Served) -> tuple[Reply, str]:
    """The page that explains, for a browser that doesn't say where a post comes from, and the jar it leaves."""
    reply = site.post({"action": "accept", "artefact": visit(site)}, sec_fetch_site="")
    assert reply.status == 403
    return reply, f"consent-token={reply.set_cookies['consent-token']}"


def test_old_browser_can_grant_with_the_token_of_the_page_that_explains(site: Served) -> None:
    page, jar = asked_again(site)
    form = {"action": "accept", "artefact": artefact_of(page), "token": token_of(page), "next": "/"}
    given = site.post(form, sec_fetch_site="", cookie=jar)
    assert given.status == 303
    assert granted(site, cookie(given)) == ALL


@pytest.mark.parametrize("place", ["", "cross-site", "same-site"])
def test_token_counts_only_beside_its_cookie(site: Served, place: str) -> None:
    page, jar = asked_again(site)
    other, _ = asked_again(site)
    form = {"action": "accept", "artefact": artefact_of(page)}
    for token, cookies in (
        (token_of(page), ""), (token_of(other), jar), ("", jar), ("", "consent-token="), ("é" * 32, jar),
        (token_of(page), f"consent-token={token_of(other)}"),
    ):  # fmt: skip
        reply = site.post(form | {"token": token}, sec_fetch_site=place, cookie=cookies)
        assert reply.status == 403
        assert "consent" not in reply.set_cookies


def test_pages_carry_no_token_before_such_a_post(site: Served) -> None:
    for path in ("/", "/consent/"):
        reply = site.get(path)
        assert "consent-token" not in reply.set_cookies
        assert not re.search(r'name="?token', reply.text)


def test_same_answer_again_makes_no_second_record(site: Served, log: Recording) -> None:
    for action in ("accept", "reject"):
        jar = cookie(choose(site, action))
        first = len(log.decisions)
        for _ in range(5):
            reply = choose(site, action, jar)
            assert reply.status == 303
            assert granted(site, cookie(reply)) == (ALL if action == "accept" else set())
        assert len(log.decisions) == first
    assert log.counted["repeated"] == 10
    assert log.counted["posted"] == 12


def test_another_answer_is_another_record_however_soon(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    jar = cookie(choose(site, "withdraw", jar))
    jar = cookie(choose(site, "accept", jar))
    choose(site, "save", jar, grant=["stats"])
    assert [d.event for d in log.decisions] == ["granted", "withdrawn", "granted", "changed"]


def test_two_visitors_behind_one_address_have_a_record_each(site: Served, log: Recording) -> None:
    for _ in range(2):
        choose(site, "accept")
        choose(site, "reject")
    assert len(log.decisions) == 4


def test_flood_from_one_address_grants_nothing_and_refusals_still_count(site: Served, log: Recording) -> None:
    shown = visit(site)
    for _ in range(60):
        assert site.post({"action": "reject", "artefact": shown}, client="203.0.112.9").status == 303
    recorded = len(log.decisions)
    reply = site.post({"action": "accept", "artefact": shown}, client="203.0.112.9")
    assert (reply.status, reply.get("retry-after")) == (429, "60")
    assert "consent" not in reply.set_cookies
    refused = site.post({"action": "reject", "artefact": shown}, client="203.0.112.9")
    assert granted(site, cookie(refused)) == set()
    assert len(log.decisions) == recorded
    assert log.counted["flood"] == 2
    assert site.post({"action": "accept", "artefact": shown}, client="203.0.112.10").status == 303


def test_the_log_says_once_that_an_address_reached_the_limit(site: Served, caplog: pytest.LogCaptureFixture) -> None:
    shown = visit(site)
    for _ in range(60):
        site.post({"action": "reject", "artefact": shown}, client="203.0.112.9")
    assert site.post({"action": "reject", "artefact": shown}, client="203.0.112.9").status == 303
    assert not caplog.records, "the control: nobody was turned away yet"
    for _ in range(2):
        assert site.post({"action": "accept", "artefact": shown}, client="203.0.112.9").status == 429
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("So many answers came from one address")
    assert "203.0.112.9" not in caplog.text


@pytest.mark.parametrize("client", ["10.0.0.7", "127.0.0.1", "", "fd00::7"])
def test_an_address_that_a_proxy_has_is_not_counted(site: Served, client: str) -> None:
    shown = visit(site)
    for _ in range(61):
        reply = site.post({"action": "accept", "artefact": shown}, client=client)
    assert reply.status == 303


def test_closing_the_notice_refuses_and_is_recorded_as_closing(site: Served, log: Recording) -> None:
    reply = choose(site, "close")
    assert granted(site, cookie(reply)) == set()
    assert (log.decisions[-1].event, log.decisions[-1].action) == ("refused", "close")
    assert cookie(reply) == cookie(choose(site, "reject"))  # nothing tells the two apart afterwards
