"""What a visitor answers is what happens, by the third parties' own counters; each test has an ungated control."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from demo_visitor import ALL, DONATE, FRONT, OTHER_VIDEO, VIDEO, Visitor
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
SERVICE_OF = {"donations": "donorbox", "analytics": "matomo", "video": "youtube"}
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


@SCRIPT
def test_before_a_choice_nobody_is_told_anything(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(FRONT, VIDEO, DONATE)
    assert visitor.page.locator("[data-consent-banner]").is_visible()
    assert visitor.reached() == set()
    assert visitor.cookies() == {}
    visitor.control(VIDEO, DONATE, script=script)


def test_scrolling_waiting_escape_and_reading_on_grant_nothing(visit: Visit) -> None:
    visitor = visit()
    visitor.read(VIDEO)
    visitor.page.mouse.wheel(0, 5000)
    visitor.page.keyboard.press("Escape")
    visitor.page.mouse.click(5, 880)
    visitor.page.wait_for_timeout(1500)
    visitor.read(FRONT, OTHER_VIDEO)
    assert visitor.page.locator("[data-consent-banner]").is_visible()
    assert visitor.reached() == set()
    assert visitor.cookies() == {}
    visitor.control(VIDEO, DONATE)


@SCRIPT
def test_a_refusal_holds_on_reload_and_on_every_other_page(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(VIDEO)
    visitor.answer("reject")
    visitor.page.reload()
    visitor.settle()
    visitor.read(DONATE, OTHER_VIDEO)
    assert visitor.page.locator("[data-consent-banner]").count() == 0
    assert visitor.reached() == set()
    assert set(visitor.cookies()) <= {"consent", "consent-said"}
    visitor.control(VIDEO, DONATE, script=script)


@SCRIPT
@pytest.mark.parametrize("category", SERVICE_OF)
def test_one_category_alone_lets_only_its_own_service_through(visit: Visit, category: str, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(VIDEO)
    visitor.answer("save", category)
    visitor.read(VIDEO, DONATE)
    assert visitor.reached() == {SERVICE_OF[category]}
    assert ("_pk_id.1.1fff" in visitor.cookies("127.0.0.1")) == (category == "analytics" and script)
    visitor.control(VIDEO, DONATE, script=script)


@SCRIPT
def test_accept_all_lets_everybody_through(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(VIDEO)
    visitor.answer("accept")
    visitor.read(VIDEO, DONATE)
    assert visitor.reached() == ALL  # Matomo by its image where there is no script
    assert ("_pk_id.1.1fff" in visitor.cookies("127.0.0.1")) == script
    assert {"VISITOR_INFO1_LIVE", "_pk_uid", "__stripe_mid"} <= set(visitor.cookies("localhost"))
    visitor.control(VIDEO, DONATE, script=script)


def test_with_a_script_what_was_accepted_is_there_without_another_click(visit: Visit) -> None:
    visitor = visit()
    requests: list[str] = []
    visitor.page.on("request", lambda request: requests.append(request.url))
    visitor.read(VIDEO)
    assert {_origin(url) for url in requests} == {visitor.demo.site}
    visitor.answer("accept")
    _player(visitor).wait_for()
    for _ in range(100):
        if visitor.reached() == {"youtube", "matomo"}:
            break
        visitor.page.wait_for_timeout(50)
    assert visitor.reached() == {"youtube", "matomo"}
    assert {_origin(url) for url in requests} == {visitor.demo.site, visitor.demo.stand_ins["with"]}


def test_saving_two_of_three_lets_two_through(visit: Visit) -> None:
    visitor = visit()
    visitor.read(FRONT)
    visitor.answer("save", "donations", "video")
    visitor.read(VIDEO, DONATE)
    assert visitor.reached() == {"donorbox", "youtube"}
    visitor.control(VIDEO, DONATE)


def test_saving_with_nothing_ticked_is_a_refusal(visit: Visit) -> None:
    visitor = visit()
    visitor.read(FRONT)
    visitor.answer("save")
    visitor.read(VIDEO, DONATE)
    assert visitor.reached() == set()
    visitor.control(VIDEO, DONATE)


@SCRIPT
def test_withdrawal_stops_everything_and_takes_the_cookies_that_are_ours_to_take(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(VIDEO)
    visitor.answer("accept")
    visitor.read(VIDEO, DONATE)
    assert visitor.reached() == ALL
    visitor.page.get_by_role("link", name="Cookie settings").last.click()
    visitor.page.locator("[data-consent-action=withdraw]").click()
    visitor.settle()
    visitor.forget()
    visitor.read(FRONT, VIDEO, DONATE)
    assert visitor.reached() == set()
    assert [name for name in visitor.cookies("127.0.0.1") if name.startswith("_pk")] == []
    visitor.control(VIDEO, DONATE, script=script)


@SCRIPT
def test_load_once_shows_this_video_and_leaves_no_grant(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(VIDEO)
    visitor.page.locator("[data-consent-placeholder=youtube] [data-consent-action=once]").click()
    _player(visitor).wait_for()
    assert visitor.page.url.endswith(VIDEO)
    assert visitor.reached() == {"youtube"}
    visitor.forget()
    visitor.read(VIDEO, OTHER_VIDEO, DONATE)
    assert visitor.page.locator("[data-consent-banner]").is_visible()
    assert visitor.reached() == set()
    assert "consent" not in visitor.cookies()
    visitor.control(VIDEO, DONATE, script=script)


@SCRIPT
def test_always_shows_this_service_everywhere_and_no_other(visit: Visit, script: bool) -> None:
    visitor = visit(java_script_enabled=script)
    visitor.read(VIDEO)
    visitor.page.locator("[data-consent-placeholder=youtube] [data-consent-action=always]").click()
    _player(visitor).wait_for()
    visitor.forget()
    visitor.read(OTHER_VIDEO)
    _player(visitor).wait_for()
    visitor.read(DONATE)
    assert visitor.reached() == {"youtube"}
    assert visitor.page.locator("[data-consent-banner]").is_visible(), "the rest has not been answered"
    visitor.control(VIDEO, DONATE, script=script)


def test_loading_the_donation_form_once_brings_the_form(visit: Visit) -> None:
    visitor = visit()
    visitor.read(DONATE)
    visitor.page.locator("[data-consent-placeholder=donorbox] [data-consent-action=once]").click()
    visitor.third_party("/donorbox/embed/").get_by_role("button", name="Donate").wait_for()
    assert {contact.path for contact in visitor.contacts()} == {"/embed/roadstead"}
    visitor.control(DONATE, keys={"matomo", "donorbox"})


def test_a_forged_cookie_is_no_choice(visit: Visit) -> None:
    visitor = visit()
    visitor.read(FRONT)
    visitor.answer("accept")
    visitor.read(FRONT)
    assert visitor.reached() == {"matomo"}, "the real cookie grants"
    real = visitor.cookies()["consent"]
    for forgery in ("garbage", "signature", "grants", "long", "bytes"):
        visitor.context.clear_cookies()
        visitor.context.add_cookies([{"name": "consent", "value": _forged(real, forgery), "url": visitor.demo.site}])
        visitor.forget()
        visitor.read(VIDEO, DONATE)
        assert visitor.page.locator("[data-consent-banner]").is_visible(), forgery
        assert visitor.reached() == set(), forgery
    visitor.context.clear_cookies()
    visitor.context.add_cookies([{"name": "consent", "value": real, "url": visitor.demo.site}])
    visitor.read(VIDEO, DONATE)
    assert visitor.reached() == ALL, "a cookie that is put there by hand grants as well"
    visitor.control(VIDEO, DONATE)


def test_two_people_who_refuse_hold_the_same_bytes(visit: Visit) -> None:
    cookies = []
    for script in (True, False):
        visitor = visit(java_script_enabled=script)
        visitor.read(VIDEO)
        visitor.answer("reject")
        cookies.append(visitor.cookies()["consent"])
    third = visit(locale="de-DE")
    third.read("/de/")
    third.answer("save")
    cookies.append(third.cookies()["consent"])
    assert len(set(cookies)) == 1
    fourth = visit()
    fourth.read(VIDEO)
    fourth.answer("accept")
    fifth = visit()
    fifth.read(VIDEO)
    fifth.answer("accept")
    assert fourth.cookies()["consent"] != fifth.cookies()["consent"], "those who grant have a receipt each"


def test_german_pages_ask_in_german(visit: Visit) -> None:
    visitor = visit(locale="de-DE")
    visitor.read("/de/undersea-cables")
    notice = visitor.page.locator("[data-consent-banner]")
    expect(notice.get_by_role("button", name="Alle akzeptieren")).to_be_visible()
    expect(notice.get_by_role("button", name="Nur notwendige akzeptieren")).to_be_visible()
    visitor.answer("reject")
    visitor.read("/de/donate")
    assert visitor.reached() == set()
    visitor.control("/de/undersea-cables", "/de/donate")


def test_a_german_page_asks_an_english_browser_in_german(visit: Visit) -> None:
    visitor = visit(locale="en-GB")
    visitor.read("/de/privacy")
    expect(visitor.page.get_by_role("button", name="Alle akzeptieren")).to_be_visible()
    expect(visitor.page.locator("[data-consent-declaration]")).to_contain_text("die gewählte Größe")


def test_on_a_small_phone_in_german_without_a_script_both_answers_are_in_sight(visit: Visit) -> None:
    visitor = visit(viewport={"width": 320, "height": 568}, java_script_enabled=False, locale="de-DE")
    for path in ("/de/", "/de/undersea-cables", "/de/what-the-others-saw"):
        visitor.read(path)
        for action in ("accept", "reject"):
            box = visitor.page.locator(f"[data-consent-banner] [data-consent-action={action}]").bounding_box()
            assert box is not None
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 568
        assert visitor.page.evaluate("document.documentElement.scrollWidth") == 320


def _player(visitor: Visitor) -> Locator:
    """The stand-in's play button, in its own frame or in the wrapper page around it."""
    return visitor.third_party("/youtube/embed/").get_by_role("button", name="Play")


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _forged(real: str, forgery: str) -> str:
    body, _, signature = real.rpartition(".")
    if forgery == "garbage":
        return "yes"
    if forgery == "signature":
        return f"{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    if forgery == "grants":
        raw = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        raw[len(raw) // 2] ^= 0xFF
        return base64.urlsafe_b64encode(raw).decode().rstrip("=") + "." + signature
    return "A" * 3900 if forgery == "long" else "%E4%00%FF"
