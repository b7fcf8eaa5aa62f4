"""Taking a visitor's answer, over every adapter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from conftest import Answer, Recording, Served, make_policy
from contract_steps import ALL, artefact_of, choose, cookie, granted, visit

from consent import Choice, Service


def test_nothing_of_a_third_party_is_live_before_a_choice(site: Served) -> None:
    page = site.get().text
    assert ' src="https://stats.example' not in page
    assert ' src="https://www.youtube.com' not in page
    jar = cookie(choose(site, "accept"))
    page = site.get(cookie=jar).text  # the control: the same page after accepting
    assert ' src="https://stats.example/js/a.js"' in page
    assert ' src="https://www.youtube.com/embed/abc"' in page


def test_accepting_grants_all_that_was_asked_and_returns_to_the_page(site: Served, log: Recording) -> None:
    reply = choose(site, "accept", next="/article?id=1")
    assert reply.status == 303
    assert reply.get("location") == "/article?id=1"
    assert granted(site, cookie(reply)) == ALL
    assert [decision.event for decision in log.decisions] == ["granted"]
    assert log.decisions[0].receipt_id
    assert log.order == ["archive", "record"]


def test_refusing_grants_nothing_and_leaves_no_identifier(site: Served, log: Recording) -> None:
    replies = [choose(site, "reject") for _ in range(2)]
    assert granted(site, cookie(replies[0])) == set()
    assert replies[0].all("set-cookie") == replies[1].all("set-cookie")
    assert [d.receipt_id for d in log.decisions] == [None, None]
    assert all(d.occurred_at.timetz() == datetime.min.replace(tzinfo=UTC).timetz() for d in log.decisions)
    assert log.decisions[0].record_id != log.decisions[1].record_id
    accepts = [choose(site, "accept") for _ in range(2)]  # the control: those who grant do get a receipt
    assert cookie(accepts[0]) != cookie(accepts[1])


def test_saving_grants_what_was_ticked_and_refuses_the_rest(site: Served, log: Recording) -> None:
    reply = choose(site, "save", grant=["video"])
    assert granted(site, cookie(reply)) == {"youtube"}
    assert log.decisions[0].event == "partial"
    assert log.decisions[0].services == {"stats": False, "youtube": True, "donate": False}
    assert log.decisions[0].decisions == {"analytics": False, "video": True, "donations": False}


def test_saving_nothing_is_a_refusal(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "save"))
    assert jar == cookie(choose(site, "reject"))
    assert log.decisions[0].event == "refused"


def test_a_form_cannot_grant_what_was_not_asked(site: Served) -> None:
    reply = choose(site, "save", grant=["necessary", "nonsense", "youtube"])
    assert granted(site, cookie(reply)) == {"youtube"}


def test_withdrawing_ends_the_receipt_and_records_under_it(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    reply = choose(site, "withdraw", jar, artefact="")
    assert granted(site, cookie(reply)) == set()
    assert cookie(reply) == cookie(choose(site, "reject"))
    first, second = log.decisions[:2]
    assert (second.event, second.action) == ("withdrawn", "withdraw_all")
    assert second.receipt_id == first.receipt_id


def test_changing_keeps_the_receipt(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    choose(site, "save", jar, grant=["stats"])
    assert [d.event for d in log.decisions] == ["granted", "changed"]
    assert len({d.receipt_id for d in log.decisions}) == 1


def test_always_grants_one_service_and_asks_about_the_others_still(site: Served, log: Recording) -> None:
    reply = choose(site, "always", service="youtube")
    jar = cookie(reply)
    assert granted(site, jar) == {"youtube"}
    assert "data-consent-banner" in site.get(cookie=jar).text
    assert log.decisions[0].action == "embed_click"
    assert log.decisions[0].services == {"youtube": True}


def test_once_leads_to_the_wrapper_and_leaves_no_cookie(site: Served, log: Recording) -> None:
    url = "https://www.youtube.com/embed/abc"
    reply = choose(site, "once", service="youtube", url=url)
    assert reply.status == 303
    assert not reply.all("set-cookie")
    assert log.decisions[0].receipt_id is None
    location = str(reply.get("location"))
    assert location.startswith("/consent/embed?")
    for _ in range(2):  # survives a reload
        wrapper = site.get(location)
        assert wrapper.status == 200
        assert f'src="{url}"' in wrapper.text
    assert "https://www.youtube.com" in str(wrapper.get("content-security-policy"))
    without_leave = re.sub("token=[^&]*", "token=forged", location)
    assert site.get(without_leave).status == 403
    assert url not in site.get(without_leave).text


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("//www.youtube.com/embed/abc", "http://www.youtube.com/embed/abc"),  # as the page itself came
        ("HTTPS:\\\\WWW.YouTube.com.\\embed\\abc#t=3", "https://www.youtube.com/embed/abc#t=3"),
        ("https://\uff57ww.youtube.com/\u4e2d", "https://www.youtube.com/\u4e2d"),
        ("https://www.youtube.com\\@evil.example/", "https://www.youtube.com/@evil.example/"),
    ],
)
def test_an_address_is_framed_as_browsers_resolve_it_however_it_is_written(
    site: Served, log: Recording, url: str, resolved: str
) -> None:
    reply = choose(site, "once", service="youtube", url=url)
    wrapper = site.get(str(reply.get("location")))
    assert f'src="{resolved}"' in wrapper.text
    scheme = resolved.partition(":")[0]
    assert f"frame-src {scheme}://www.youtube.com www.youtube.com;" in str(wrapper.get("content-security-policy"))
    assert len(log.decisions) == 1
    jar = cookie(choose(site, "always", service="youtube"))
    page = site.get(f"/consent/embed?{urlencode({'service': 'youtube', 'url': url})}", cookie=jar)
    assert f'src="{resolved}"' in page.text


@pytest.mark.parametrize("url", ["ftp://www.youtube.com/x", "ws://www.youtube.com/x", "https://www.youtube.com/x"])
def test_what_cannot_be_framed_is_neither_offered_nor_recorded(
    make_site: Callable[..., Served], log: Recording, url: str
) -> None:
    site = make_site({"/": Answer(f'<!doctype html><html><iframe src="{url}"></iframe>'.encode())})
    is_web = url.startswith("https:")
    assert ('value="once"' in site.get().text) is is_web
    assert choose(site, "once", service="youtube", url=url).status == (303 if is_web else 400)
    assert len(log.decisions) == is_web
    wrapper = f"/consent/embed?{urlencode({'service': 'youtube', 'url': url})}"
    assert site.get(wrapper).status == (403 if is_web else 400)
    jar = cookie(choose(site, "accept"))
    assert site.get(wrapper, cookie=jar).status == (200 if is_web else 400)


@pytest.mark.parametrize("behind", ["\\\u4e2d", "\\@evil.example/", "\\;script-src *", "\u3002/x", "\u3002:443/x"])
def test_the_wrapper_lets_in_the_host_that_a_browser_reads_in_an_address(site: Served, behind: str) -> None:
    location = choose(site, "once", service="youtube", url=f"https://www.youtube.com{behind}").get("location")
    wrapper = site.get(str(location))
    assert wrapper.status == 200
    plain = choose(site, "once", service="youtube", url="https://www.youtube.com/x").get("location")
    policy = wrapper.get("content-security-policy")
    assert policy == site.get(str(plain)).get("content-security-policy")
    other = choose(site, "once", service="youtube", url="https://www.youtube.com:8443/x").get("location")
    assert policy != site.get(str(other)).get("content-security-policy"), "the control: another port is another source"


def test_once_is_for_declared_addresses_only(site: Served, log: Recording) -> None:
    for url in ("https://evil.example/", "javascript:alert(1)", "https://stats.example/x", ""):
        assert choose(site, "once", service="youtube", url=url).status == 400
    assert not log.decisions


def test_a_decision_that_cannot_be_recorded_grants_nothing_and_says_so(site: Served, log: Recording) -> None:
    digest = visit(site)
    log.failing = True
    reply = site.post({"action": "accept", "artefact": digest, "next": "/"})
    assert reply.status == 303
    assert "consent" not in reply.set_cookies
    assert reply.set_cookies["consent-said"] == "not-recorded"
    page = site.get(cookie="consent-said=not-recorded")
    assert page.status == 200
    assert "could not be" in page.text or "couldn" in page.text
    log.failing = False  # the control: the same post, once the log can be written
    assert granted(site, cookie(site.post({"action": "accept", "artefact": digest, "next": "/"}))) == ALL


def test_a_refusal_is_honoured_even_if_it_cannot_be_recorded(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    digest = visit(site)
    log.failing = True
    reply = site.post({"action": "withdraw", "artefact": digest}, cookie=jar)
    assert granted(site, cookie(reply)) == set()
    assert len(log.decisions) == 1


def test_what_is_taken_back_is_taken_back_even_if_what_is_new_cannot_be_recorded(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "save", grant=["stats", "donate"]))
    digest = visit(site)
    log.failing = True
    reply = site.post({"action": "save", "artefact": digest, "grant": ["donate", "youtube"]}, cookie=jar)
    assert granted(site, cookie(reply)) == {"donate"}
    assert reply.set_cookies["consent-said"] == "not-recorded"


@pytest.mark.parametrize("digest", ["", "f" * 64, "nonsense"])
def test_an_unknown_artefact_grants_nothing(site: Served, log: Recording, digest: str) -> None:
    reply = choose(site, "accept", artefact=digest)
    assert "consent" not in reply.set_cookies
    assert reply.set_cookies["consent-said"] == "outdated"
    assert "consent" in choose(site, "reject", artefact=digest).set_cookies
    assert len(log.decisions) == 1


def test_an_artefact_of_another_material_version_grants_nothing(make_site: Callable[..., Served]) -> None:
    old = make_site()
    digest = visit(old)
    policy = make_policy()
    new = make_site(policy=replace(policy, services=(*policy.services, Service(
        key="extra", category="functional", name="Extra", purpose="Is new.", load=("extra.example",),
    ))))  # fmt: skip
    assert new.post({"action": "accept", "artefact": digest}).set_cookies["consent-said"] == "outdated"
    assert "consent" in old.post({"action": "accept", "artefact": digest}).set_cookies


def test_only_what_is_new_is_asked_and_the_other_answers_stay(make_site: Callable[..., Served]) -> None:
    before = make_policy()
    jar = cookie(choose(make_site(policy=before), "save", grant=["stats"]))
    extra = Service(key="extra", category="functional", name="Extra", purpose="Is new.", load=("extra.example",))
    after = replace(before, services=(extra, *before.services), history=(before.current,))
    site = make_site(policy=after)
    assert granted(site, jar) == {"stats"}
    digest = artefact_of(site.get(cookie=jar))
    accepted = cookie(site.post({"action": "accept", "artefact": digest}, cookie=jar))
    assert granted(site, accepted) == {"stats", "extra"}
    refused = cookie(site.post({"action": "reject", "artefact": digest}, cookie=jar))
    assert granted(site, refused) == {"stats"}
    assert "data-consent-banner" not in site.get(cookie=refused).text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site", "origin": "http://news.example"}, 403),
        ({"sec_fetch_site": "", "origin": "https://evil.example"}, 403),
        ({"sec_fetch_site": "", "origin": "http://news.example:81"}, 403),
        ({"sec_fetch_site": "", "origin": "http://news.example"}, 303),
        ({"sec_fetch_site": "", "origin": "https://news.example"}, 303),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, 303),
    ],
)
def test_a_post_from_another_site_is_refused(site: Served, log: Recording, fields: dict[str, str], status: int) -> None:
    reply = site.post({"action": "accept", "artefact": visit(site)}, **fields)
    assert reply.status == status
    assert ("consent" in reply.set_cookies) is (status == 303)
    assert len(log.decisions) == (status == 303)


@pytest.mark.parametrize("origin", ["", "null"])
def test_where_the_browser_says_nothing_a_refusal_counts_and_a_grant_is_asked_again(site: Served, origin: str) -> None:
    digest = visit(site)
    refusal = site.post({"action": "reject", "artefact": digest}, sec_fetch_site="", origin=origin)
    assert "consent" in refusal.set_cookies
    grant = site.post({"action": "accept", "artefact": digest}, sec_fetch_site="", origin=origin)
    assert grant.status == 403
    assert "consent" not in grant.set_cookies
    assert 'value="accept"' in grant.text
    assert grant.get("referrer-policy") == "same-origin"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\r\nSet-Cookie: x=1",
        "javascript:x",
        "",
    ],
)
def test_no_open_redirect(site: Served, target: str) -> None:
    assert choose(site, "reject", next=target).get("location") == "/consent/"
    assert choose(site, "reject", next="/ok?a=1#b").get("location") == "/ok?a=1#b"


def test_the_way_back_is_sent_in_ascii(site: Served) -> None:
    reply = choose(site, "reject", next="/caf\u00e9/\u4e2d%20a?q=\u00fc,;|#\u2028")
    assert reply.get("location") == "/caf%C3%A9/%E4%B8%AD%20a?q=%C3%BC,;|#%E2%80%A8"


def test_the_confirmation_is_shown_once_on_the_page_the_visitor_was_on(site: Served) -> None:
    reply = choose(site, "reject")
    said = f"{cookie(reply)}; consent-said={reply.set_cookies['consent-said']}"
    page = site.get(cookie=said)
    assert 'value="hide"' in page.text
    assert page.set_cookies["consent-said"] == ""
    assert 'value="hide"' not in site.get(cookie=cookie(reply)).text


def test_our_script_gets_its_answer_as_json(site: Served) -> None:
    reply = site.post({"action": "save", "grant": ["youtube"], "artefact": visit(site)}, x_consent="fetch")
    answer = json.loads(reply.body)
    assert reply.status == 200
    assert (answer["granted"], answer["message"], answer["reload"]) == (["youtube"], "saved", False)
    assert "data-consent" in answer["html"]
    reply = site.post({"action": "save", "grant": ["stats"], "artefact": visit(site)}, x_consent="fetch")
    assert json.loads(reply.body)["reload"] is True


def test_hiding_the_confirmation_ends_it(site: Served, log: Recording) -> None:
    reply = site.post({"action": "hide", "next": "/"}, cookie="consent-said=refused")
    assert reply.status == 303
    assert reply.set_cookies == {"consent-said": ""}
    assert not log.decisions


@pytest.mark.parametrize("form", [{}, {"action": "own"}, {"action": ""}])
def test_an_unknown_action_is_a_plain_error(site: Served, form: dict[str, str]) -> None:
    reply = site.post(form)
    assert reply.status == 400
    assert not reply.set_cookies


def test_a_post_of_another_type_is_no_answer(site: Served) -> None:
    digest = visit(site)
    form = {"action": "accept", "artefact": digest}
    assert site.post(form, content_type="text/plain").status == 400
    assert site.post(form).status == 303


def test_on_https_the_cookie_is_bound_to_the_host_and_the_plain_one_is_never_read(site: Served) -> None:
    plain = cookie(choose(site, "accept"))
    reply = site.post({"action": "accept", "artefact": visit(site)}, scheme="https")
    field = next(value for value in reply.all("set-cookie") if value.startswith("__Host-consent="))
    assert {part.strip() for part in field.split(";")[1:]} == {
        "Max-Age=15897600", "Path=/", "HttpOnly", "SameSite=Lax", "Secure",
    }  # fmt: skip
    value = reply.set_cookies["__Host-consent"]
    state = json.loads(site.get("/consent/state", scheme="https", cookie=f"__Host-consent={value}").body)
    assert set(state["granted"]) == ALL
    assert json.loads(site.get("/consent/state", scheme="https", cookie=plain).body)["granted"] == []
    assert granted(site, plain) == ALL


def test_a_cookie_domain_makes_one_choice_for_all_its_hosts(make_site: Callable[..., Served]) -> None:
    site = make_site(policy=make_policy(cookie_domain="news.example"))
    reply = site.post({"action": "accept", "artefact": visit(site)}, scheme="https")
    value = reply.set_cookies["__Secure-consent"]
    assert any("Domain=news.example" in field for field in reply.all("set-cookie"))
    there = site.get("/consent/state", scheme="https", host="www.news.example", cookie=f"__Secure-consent={value}")
    assert set(json.loads(there.body)["granted"]) == ALL


def test_a_choice_is_bound_to_its_host(site: Served) -> None:
    jar = cookie(choose(site, "accept"))
    assert granted(site, jar) == ALL
    moved = site.get("/consent/state", host="other.example", cookie=jar)
    assert json.loads(moved.body)["granted"] == []


def test_a_mounted_application_keeps_its_prefix(site: Served) -> None:
    page = site.get(root="/app")
    assert 'action="/app/consent/"' in page.text
    reply = site.post({"action": "reject", "artefact": artefact_of(page), "next": "/app/"}, root="/app")
    assert reply.get("location") == "/app/"


@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ("/\u4e2d", "/%E4%B8%AD"), ("/caf\u00e9", "/caf%C3%A9"), ("/a;b", "/a%3Bb"), ("/a,b", "/a%2Cb"),
        ("/my app", "/my%20app"), ("/a/~b", "/a/~b"), ("//evil.example", "/evil.example"),
    ],
)  # fmt: skip
def test_a_mount_may_have_any_name(site: Served, mount: str, said: str) -> None:
    root = mount if site.kind == "asgi" else mount.encode().decode("latin-1")
    page = site.get(root=root)
    assert f'action="{said}/consent/"' in page.text
    assert str(page.get("content-security-policy")).endswith(f"report-uri {said}/consent/report")
    assert page.status == site.get("/consent/", root=root).status == 200
    reply = site.post({"action": "reject", "artefact": artefact_of(page), "next": "nowhere"}, root=root)
    assert reply.get("location") == f"{said}/consent/"


@pytest.mark.parametrize("host", ["news.example.", "news.example.:8000", "NEWS.example:8000"])
def test_an_answer_counts_however_the_host_is_written(site: Served, host: str) -> None:
    reply = site.post({"action": "accept", "artefact": visit(site, host=host)}, host=host)
    assert granted(site, cookie(reply)) == ALL


def test_a_grant_in_spite_of_the_signal_is_recorded_as_such(site: Served, log: Recording) -> None:
    jar = cookie(choose(site, "accept"))
    assert "youtube" in granted(site, jar)
    signalled = site.get("/consent/state", cookie=jar, sec_gpc="1")
    assert json.loads(signalled.body)["granted"] == ["donate", "stats"]
    page = site.get(cookie=jar, sec_gpc="1")
    assert "data-consent-banner" in page.text
    reply = site.post({"action": "accept", "artefact": artefact_of(page)}, cookie=jar, sec_gpc="1")
    assert log.decisions[-1].event == "signal_override"
    again = site.get("/consent/state", cookie=cookie(reply), sec_gpc="1")
    assert "youtube" in json.loads(again.body)["granted"]


@pytest.mark.parametrize("value", ["", "garbage", "A" * 4096, "%", "a.b.c", "\xe4", '"'])
def test_a_bad_cookie_means_no_choice_and_the_site_works(site: Served, value: str) -> None:
    page = site.get(cookie=f"b[]=2; \xe4; consent={value}; other=1")
    assert page.status == 200
    assert "data-consent-banner" in page.text
    assert ' src="https://stats.example' not in page.text


def test_a_record_holds_what_the_law_asks_for(site: Served, log: Recording) -> None:
    choose(site, "accept", layer="preferences")
    decision = log.decisions[0]
    shown = log.artefacts[decision.artefact]
    assert shown.content["asked"] == ["stats", "youtube", "donate"]
    assert decision.layer == "preferences"
    assert decision.no_js is True
    assert decision.locale == "en"
    assert decision.scope_hosts == ("news.example",)
    assert (decision.valid_until.date() - decision.occurred_at.date()).days == 184
    assert decision.software.startswith("consentry ")


def test_answering_one_thing_never_moves_the_day_of_the_others(site: Served) -> None:
    engine = site.engine
    old = Choice(
        asked=frozenset({"stats"}), granted=frozenset({"stats"}), day=engine.today().replace(day=1), receipt="ab" * 16
    )
    from consent.exchange import Request

    request = Request(method="GET", scheme="http", host="news.example", path="/")
    (_, field), = engine.jar.write(old, request, today=engine.today())  # fmt: skip
    reply = choose(site, "always", field.partition(";")[0], service="youtube")
    value = reply.set_cookies["consent"]
    read = engine.token.read(value, policy=engine.policy, scope="news.example")
    assert read.granted == {"stats", "youtube"}
    assert read.day == old.day
    everything = choose(site, "accept", cookie(reply))
    assert (
        engine.token.read(everything.set_cookies["consent"], policy=engine.policy, scope="news.example").day
        == engine.today()
    )


def test_once_needs_what_was_shown(site: Served, log: Recording) -> None:
    url = "https://www.youtube.com/embed/abc"
    for digest in ("", "f" * 64):
        reply = choose(site, "once", service="youtube", url=url, artefact=digest)
        assert reply.get("location") is None
    assert not log.decisions
    assert choose(site, "once", service="youtube", url=url).get("location")


def test_once_is_recorded_as_a_leave_of_a_day_or_two_and_no_longer(site: Served, log: Recording) -> None:
    choose(site, "once", service="youtube", url="https://www.youtube.com/embed/abc")
    choose(site, "always", service="youtube")
    once, always = ((d.valid_until - d.occurred_at).days for d in log.decisions)
    assert once <= 2
    assert always >= 183


@pytest.mark.parametrize("key", ["bogus", "", "video", "necessary"])
def test_always_is_for_one_declared_service(site: Served, log: Recording, key: str) -> None:
    reply = choose(site, "always", service=key)
    assert reply.status == 400
    assert not reply.set_cookies
    assert not log.decisions


def test_closed_takes_back_under_its_receipt_and_grants_nothing(
    make_site: Callable[..., Served], log: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = cookie(choose(make_site(), "accept"))
    digest = next(iter(log.artefacts))
    monkeypatch.setenv("CONSENT_MODE", "closed")
    site = make_site()
    assert "consent" not in site.post({"action": "accept", "artefact": digest}).set_cookies
    reply = site.post({"action": "withdraw"}, cookie=jar)
    assert log.decisions[-1].event == "withdrawn"
    assert log.decisions[-1].receipt_id == log.decisions[0].receipt_id
    assert granted(site, cookie(reply)) == set()


def test_a_recorder_that_only_writes_will_do(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Recording, "artefact")
    assert choose(site, "accept", artefact="f" * 64).set_cookies["consent-said"] == "outdated"
    assert "consent" in choose(site, "accept").set_cookies
