"""Extensions that answer for their owners: the contributed rules in docs/rules against the notice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from banner_server import Running
from npm_packages import text_of
from playwright.sync_api import Browser, Page, expect
from test_banner_browser import site, visit  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser
RULES = Path(__file__).parents[2] / "docs/rules"
AUTOCONSENT = json.loads((RULES / "autoconsent.json").read_text("utf-8"))
CONSENT_O_MATIC = json.loads((RULES / "consent-o-matic.json").read_text("utf-8"))
CONFIG: dict[str, Any] = {
    "enabled": True, "disabledCmps": [], "enablePrehide": False, "enableCosmeticRules": False,
    "enableGeneratedRules": False,
    "enableHeuristicDetection": False, "enableHeuristicAction": False, "heuristicMode": "off", "detectRetries": 20,
    "isMainWorld": True, "prehideTimeout": 2000, "visualTest": False, "enableFilterList": False,
    "performanceLoggingEnabled": False,
    "logs": dict.fromkeys(("lifecycle", "rulesteps", "detectionsteps", "evals", "errors", "messages", "waits"), False),
}  # fmt: skip


def assisted(page: Page, site: Running, rules: list[Any], action: str) -> list[str]:  # noqa: F811
    """Loads the page with the extension's content script, told to do this; returns the kinds of messages it sent."""
    script = text_of("@duckduckgo/autoconsent", "dist/autoconsent.playwright.js")
    heard: list[dict[str, Any]] = []

    def receive(message: dict[str, Any]) -> None:
        heard.append(message)
        if message["type"] == "init":
            sent = {
                "type": "initResp",
                "config": CONFIG | {"autoAction": action},
                "rules": {"autoconsent": rules, "filterList": ""},
            }
            page.evaluate("(sent) => { setTimeout(() => autoconsentReceiveMessage(sent)) }", sent)

    page.expose_function("autoconsentSendMessage", receive)
    page.goto(site.origin + "/page")
    page.evaluate(script)
    for _ in range(100):
        if any(message["type"] in ("autoconsentDone", "autoconsentError") for message in heard):
            break
        page.wait_for_timeout(50)
        if not rules and len(heard) > 0 and _ > 30:
            break
    return [message["type"] for message in heard]


@pytest.mark.parametrize(("action", "answer", "granted"), [("optOut", "reject", False), ("optIn", "accept", True)])
def test_autoconsent_answers_as_a_person_would(
    browser: Browser, site: Running, action: str, answer: str, granted: bool  # noqa: F811
) -> None:  # fmt: skip
    page = visit(browser, site, path="/elsewhere")
    heard = assisted(page, site, [AUTOCONSENT], action)
    assert "autoconsentDone" in heard, heard
    assert [post["action"] for post in site.posts] == [[answer]]
    assert bool(site.granted) is granted
    expect(page.locator("[data-consent-banner]")).to_have_count(0)


def test_without_the_rule_autoconsent_answers_nothing(browser: Browser, site: Running) -> None:  # noqa: F811
    page = visit(browser, site, path="/elsewhere")
    heard = assisted(page, site, [], "optOut")
    assert "init" in heard
    assert "autoconsentDone" not in heard
    assert site.posts == []


def test_consent_o_matic_finds_what_its_rule_names_and_saves_what_it_ticks(browser: Browser, site: Running) -> None:  # noqa: F811
    """The extension isn't a package: its steps are taken here as its rule says."""
    page = visit(browser, site, width=320)
    rule = CONSENT_O_MATIC["consentry"]
    detector = rule["detectors"][0]
    for matcher in ("presentMatcher", "showingMatcher"):
        assert page.locator(detector[matcher][0]["target"]["selector"]).count() >= 1
    methods = {method["name"]: method.get("action") for method in rule["methods"]}
    opened, consents = methods["DO_CONSENT"]["actions"]
    page.locator(opened["target"]["selector"]).click()
    present = [each for each in consents["consents"] if page.locator(each["matcher"]["target"]["selector"]).count()]
    assert [each["type"] for each in present] == ["B"]
    assert not page.locator(present[0]["matcher"]["target"]["selector"]).is_checked()
    page.locator(present[0]["toggleAction"]["target"]["selector"]).click()
    page.locator(methods["SAVE_CONSENT"]["target"]["selector"]).click()
    expect(page.locator("[data-consent-confirmation]")).to_be_visible()
    assert site.granted == {"google-analytics-4"}
