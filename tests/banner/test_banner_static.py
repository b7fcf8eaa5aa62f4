"""The files in the browser, and what they are told by attributes."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace

import pytest
from banner_site import ANALYTICS, POLICY, banner, policy, view

from consent.banner import scripting
from consent.choice import Choice
from consent.policy import StorageItem

BUDGET = {
    "notice.css": 2_700,
    "pages.css": 1_100,
    "theme-ink.css": 300,
    "theme-plain.css": 300,
    "theme-warm.css": 300,
    "notice.js": 4_000,
    "stubs.js": 500,
    "seen.js": 500,
}
ALL = Choice(granted=frozenset(POLICY.current.keys))


@pytest.mark.parametrize(("name", "most"), BUDGET.items())
def test_files_keep_to_their_budget(name: str, most: int) -> None:
    found = banner().static(name)
    assert found
    assert 100 < len(gzip.compress(found[0], 9)) <= most


def test_only_our_files_are_served() -> None:
    for name in ("", "notice.html", "../banner.py", "NOTICE.CSS", "notice.css/"):
        assert banner().static(name) is None


def test_files_call_no_other_address_and_never_make_code_from_text() -> None:
    for name in BUDGET:
        found = banner().static(name)
        assert found
        assert not re.search(rb"https?:|//[a-z]+\.|@import|url\(|\beval\b|new Function", found[0].replace(b"// ", b""))


def test_addresses_of_files_follow_their_content() -> None:
    head = banner().head(view()).decode()
    assert re.findall(r"/consent/static/(notice\.css|stubs\.js|notice\.js)\?v=[0-9a-f]{12}", head) == [
        "notice.css",
        "stubs.js",
        "notice.js",
    ]


def test_stand_ins_are_only_for_what_is_blocked() -> None:
    stubs = scripting.state(POLICY, view())["stubs"]
    assert stubs == "google-analytics-4:gtag() google-analytics-4:dataLayer[]"
    assert b"stubs.js" not in banner().head(view(choice=ALL))
    shared = policy(ANALYTICS, replace(ANALYTICS, key="gtm", inline=("dataLayer.push",)))
    half = view(choice=Choice.granting("gtm"), of=shared)
    assert scripting.state(shared, half)["stubs"] == "google-analytics-4:gtag()"


def test_our_own_pages_call_no_vendor_and_wait_for_no_stand_ins() -> None:
    assert b"stubs.js" in banner().head(view())
    assert "stubs.js" not in banner().preferences(view()) + banner().plain(view(), "not-recorded")


def test_script_is_told_what_is_granted() -> None:
    state = scripting.state(POLICY, view(choice=Choice.granting("video")))
    assert (state["granted"], state["necessary"], state["prefix"]) == ("youtube", "consentry", "/consent/")
    assert "video:youtube" in state["services"].split()


def test_only_first_party_storage_of_services_that_may_not_run_is_deleted() -> None:
    assert json.loads(scripting.forget(POLICY, view())) == {"local_storage": ["ga-*"]}
    assert scripting.forget(POLICY, view(choice=ALL)) == ""
    kept = replace(ANALYTICS, key="same", storage=(StorageItem(name="ga-*", kind="local_storage"),))
    sharing = policy(ANALYTICS, kept)
    assert scripting.forget(sharing, view(choice=Choice.granting("same"), of=sharing)) == ""
