"""A visitor's own records: read, and erased, over every adapter."""

from __future__ import annotations

import json

import pytest
from conftest import Recording, Served
from contract_steps import choose, cookie, granted


@pytest.mark.parametrize(
    ("form", "kind", "ending"),
    [
        ("kantara", "application/json", "json"),
        ("iso27560", "application/ld+json", "jsonld"),
        ("text", "text/plain; charset=utf-8", "txt"),
    ],
)
def test_receipt_is_a_file_for_its_holder_alone(site: Served, form: str, kind: str, ending: str) -> None:
    jar = cookie(choose(site, "accept"))
    mine = site.get(f"/consent/receipt?form={form}", cookie=jar)
    assert (mine.status, mine.body) == (200, f"{form if form != 'text' else 'Allowed'}: granted".encode())
    assert mine.get("content-type") == kind
    assert mine.get("content-disposition") == f'attachment; filename="consent-receipt.{ending}"'
    assert mine.get("cache-control") == "no-store"
    for other in ("", cookie(choose(site, "reject")), jar[:-2] + "xx"):
        assert site.get(f"/consent/receipt?form={form}", cookie=other).status == 404


def test_odd_forms_of_a_receipt_are_not_found(site: Served) -> None:
    jar = cookie(choose(site, "accept"))
    assert site.get("/consent/receipt?form=pdf", cookie=jar).status == 404
    assert site.get("/consent/receipt", cookie=jar).body == b"Allowed: granted"
    assert site.get("/consent/receipt", method="DELETE", cookie=jar).status == 405


def test_receipt_says_so_while_the_log_cannot_be_read(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    log.failing = True
    assert site.get("/consent/receipt", cookie=jar).status == 503


def test_erasing_withdraws_and_leaves_no_record(site: Served, log: Recording) -> None:
    other = cookie(choose(site, "accept"))
    jar = cookie(choose(site, "accept"))
    reply = choose(site, "erase", jar)
    assert reply.status == 303
    assert granted(site, cookie(reply)) == set()
    assert log.order[-2:] == ["record", "erase"]
    assert [d.event for d in log.decisions] == ["granted"]  # the other visitor's
    assert granted(site, other) == {"stats", "youtube", "donate"}
    assert len(cookie(reply)) < len(jar)  # no receipt id any more


def test_erasing_without_a_receipt_is_a_withdrawal(site: Served, log: Recording) -> None:
    reply = choose(site, "erase", cookie(choose(site, "reject")))
    assert reply.status == 303
    assert "erase" not in log.order


@pytest.mark.parametrize("scripted", [False, True])
def test_withdrawn_and_told_the_number_when_the_log_cannot_erase_now(
    site: Served, log: Recording, *, scripted: bool
) -> None:
    jar = cookie(choose(site, "accept"))
    receipt = log.decisions[0].receipt_id
    assert receipt is not None
    log.failing = True
    how = {"x_consent": "fetch"} if scripted else {}
    reply = site.post({"action": "erase", "next": "/"}, cookie=jar, **how)
    assert reply.status == (200 if scripted else 503)
    text = json.loads(reply.body)["html"] if scripted else reply.text
    assert receipt in text
    assert granted(site, cookie(reply)) == set()


def test_only_our_own_page_can_erase(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    for place in ("cross-site", ""):
        reply = site.post({"action": "erase"}, cookie=jar, sec_fetch_site=place)
        assert reply.status == 403
        assert "consent" not in reply.set_cookies
    assert "erase" not in log.order
