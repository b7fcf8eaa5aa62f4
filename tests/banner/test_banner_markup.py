"""How the notice and its company are built: one form, two equal buttons, nothing ticked, nothing inline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from banner_site import ANALYTICS, OWN, POLICY, YOUTUBE, banner, policy, text, view

from consent.banner import Banner
from consent.banner.banner import TITLES
from consent.banner.view import Written
from consent.choice import Choice
from consent.errors import UnknownKeyError
from consent.policy import Policy

GRANTED = Choice(granted=frozenset({"youtube"}), day=date(2026, 11, 20), receipt="ab" * 16)
VIDEO = "https://www.youtube.com/embed/dQw4w9WgXcQ"


@dataclass(frozen=True)
class Undeclared:
    service: None = None
    url: str = "https://odd.example/frame?a=1&b=2"
    tag: str = "iframe"
    width: str = "400"
    height: str = "300"
    title: str = ""
    allow: str = ""
    style: str = ""
    poster: str = ""


class Tags(HTMLParser):
    def __init__(self, html: bytes | str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html if isinstance(html, str) else html.decode("ascii"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            a for t, a in self.found if t == tag and all(a.get(k.replace("_", "-")) == v for k, v in wanted.items())
        ]


def everything(of: Policy = POLICY, locale: str = "en") -> Iterator[tuple[str, bytes | str]]:
    site, fresh, made = banner(of), view(locale, of=of), view(locale, GRANTED, of=of, message="saved")
    yield "head", site.head(fresh)
    yield "notice", site.notice(fresh)
    yield "confirmation", site.confirmation(made)
    yield "settings", site.settings_link(fresh)
    yield "declaration", site.declaration(fresh)
    yield "undeclared", site.placeholder(fresh, Undeclared())
    for service in of.optional:
        if service.embed:
            yield f"placeholder {service.key}", site.embed(fresh, service.key, "dQw4w9WgXcQ", title="A <b>title</b>")
    yield "preferences", site.preferences(made)
    for title in TITLES:
        yield title, site.plain(fresh, title)
    yield "wrapper", site.wrapper(service=of.optional[0].key, url=VIDEO, title="x", locale=locale, prefix="/consent/")


PARTS = [name for name, _ in everything()]


@pytest.mark.parametrize("name", PARTS)
def test_nothing_is_inline_and_nothing_is_loaded_from_elsewhere(name: str) -> None:
    for tag, attributes in Tags(dict(everything())[name]).found:
        assert tag != "style"
        assert "style" not in attributes
        assert not [attribute for attribute in attributes if attribute.startswith("on")]
        if tag == "script":
            assert str(attributes["src"]).startswith("/consent/static/")
        if tag == "link":
            assert str(attributes["href"]).startswith("/consent/static/")
        if tag == "iframe" and name != "wrapper":
            assert "src" not in attributes


@pytest.mark.parametrize("locale", ["en", "de"])
def test_what_goes_into_other_pages_is_ascii(locale: str) -> None:
    parts = [part for _, part in everything(locale=locale) if isinstance(part, bytes)]
    assert len(parts) >= 7
    assert all(part.isascii() for part in parts)
    assert any(b"&#" in part for part in parts)


def test_accepting_and_refusing_are_one_element_with_one_class() -> None:
    for html in (banner().notice(view()), banner().preferences(view())):
        pair = [
            Tags(html).of("button", data_consent_action="accept"),
            Tags(html).of("button", data_consent_action="reject"),
        ]
        (accept,), (reject,) = pair
        differing = {key for key in accept.keys() | reject.keys() if accept.get(key) != reject.get(key)}
        assert differing == {"value", "data-consent-action"}
        assert accept["class"] == "cst-button"
        assert (accept["value"], reject["value"]) == ("accept", "reject")


def test_accepting_and_refusing_share_one_container_in_both_layers() -> None:
    for html in (banner().notice(view()).decode(), banner().preferences(view())):
        container = re.search(r'<div class="cst-answers">(.*?)</div>', html, re.S)
        assert container
        assert [str(b["value"]) for b in Tags(container[1]).of("button")] == ["accept", "reject"]


def test_nothing_is_ticked_in_the_notice_even_for_somebody_who_granted_it() -> None:
    boxes = Tags(banner().notice(view(choice=GRANTED, asking=POLICY.current.keys))).of("input", type="checkbox")
    assert [box["value"] for box in boxes] == ["donations", "analytics", "video"]
    assert not [box for box in boxes if "checked" in box or "disabled" in box]


def test_preferences_tick_exactly_what_is_granted() -> None:
    boxes = Tags(banner().preferences(view(choice=GRANTED))).of("input", type="checkbox")
    assert {str(box["value"]): "checked" in box for box in boxes} == {
        "donorbox": False,
        "google-analytics-4": False,
        "youtube": True,
    }


def test_notice_is_one_labelled_region_with_one_real_form() -> None:
    tags = Tags(banner().notice(view()))
    (region,) = tags.of("section")
    assert (region["role"], region["aria-labelledby"], region["lang"], region["dir"]) == (
        "region",
        "cst-title",
        "en",
        "ltr",
    )
    assert {"data-consent-banner", "data-nosnippet"} <= region.keys()
    (form,) = tags.of("form")
    assert (form["method"], form["action"]) == ("post", "/consent/")
    assert tags.found[1] == ("a", {"class": "cst-skip", "href": "#cst-after"})
    assert tags.of("span", id="cst-after")


def test_enter_in_the_form_saves_what_is_ticked_and_never_accepts_all() -> None:
    for html in (banner().notice(view()), banner().preferences(view())):
        assert Tags(html).of("button", type="submit")[0]["value"] == "save"


def test_forms_carry_the_digest_of_what_they_show() -> None:
    asking = view()
    assert Tags(banner().notice(asking)).of("input", name="artefact")[0]["value"] == banner().artefact(asking).digest
    everything_asked = asking.asking_all(POLICY)
    (field,) = Tags(banner().preferences(view(choice=GRANTED))).of("input", name="artefact")
    assert field["value"] == banner().artefact(everything_asked).digest
    card = banner().embed(asking, "youtube", VIDEO)
    assert Tags(card).of("input", name="artefact")[0]["value"] == banner().artefact(asking).digest


def test_forms_return_to_the_page_and_carry_a_token_when_there_is_one() -> None:
    fields = {str(f["name"]): f["value"] for f in Tags(banner().notice(view(token="t0"))).of("input", type="hidden")}
    assert (fields["next"], fields["layer"], fields["lang"], fields["token"]) == (
        "/article?page=1",
        "first",
        "en",
        "t0",
    )
    assert not Tags(banner().notice(view())).of("input", name="token")


@pytest.mark.parametrize("name", PARTS)
def test_ids_are_unique_and_every_reference_has_its_target(name: str) -> None:
    tags = Tags(dict(everything())[name])
    ids = [a["id"] for _, a in tags.found if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in tags.found:
        for reference in ("aria-labelledby", "for"):
            assert attributes.get(reference) is None or attributes[reference] in ids


@pytest.mark.parametrize("locale", ["en", "de"])
def test_hostile_words_stay_words(locale: str) -> None:
    evil = '"><script>alert(1)</script>{{7*7}}{settings}'
    hostile = replace(
        YOUTUBE,
        **dict.fromkeys(("name", "purpose", "provider", "country", "privacy_policy", "opt_out", "transfer"), evil),
        provider_retention=evil,
        recipients=(evil,),
        storage=tuple(replace(item, name=evil, purpose=evil, kind=evil, lasts=evil) for item in YOUTUBE.storage),
    )
    site = policy(
        hostile, replace(ANALYTICS, privacy_policy="javascript:alert(1)"), name=evil, contact=evil, imprint=evil
    )
    for name, html in everything(site, locale):
        for tag, attributes in Tags(html).found:
            assert tag != "script" or str(attributes["src"]).startswith("/consent/static/"), name
            assert not str(attributes.get("href", "")).startswith("javascript:")
        assert "49" not in text(html)


def test_placeholder_says_who_where_why_and_what_is_stored() -> None:
    card = banner().embed(view(), "youtube", "dQw4w9WgXcQ", title="The harbour by night", width="640", height="360")
    said = text(card)
    for part in ("The harbour by night", "Google Ireland Limited in Ireland", "Shows videos hosted on YouTube", "YSC"):
        assert part in said
    tags = Tags(card)
    once, always = tags.of("button")
    (frame,) = tags.of("iframe")
    assert (once["value"], once["formtarget"]) == ("once", frame["name"])
    assert (always["value"], "formtarget" in always) == ("always", False)
    assert (frame["width"], frame["height"], frame["title"]) == ("640", "360", "The harbour by night")
    assert tags.of("a", href="https://www.youtube.com/watch?v=dQw4w9WgXcQ")
    assert {str(f["name"]): f["value"] for f in tags.of("input")}["url"] == VIDEO


def test_each_placeholder_of_a_page_has_its_own_frame() -> None:
    page, site = view(), banner()
    names = [Tags(site.embed(page, "youtube", VIDEO)).of("iframe")[0]["name"] for _ in range(3)]
    assert len(set(names)) == 3
    assert Tags(site.embed(view(), "youtube", VIDEO)).of("iframe")[0]["name"] == names[0]


def test_undeclared_content_is_named_and_offers_only_the_plain_link() -> None:
    card = banner().placeholder(view(), Undeclared())
    assert "This content from odd.example was blocked, because this site has not declared it." in text(card)
    assert not Tags(card).of("button")
    assert Tags(card).of("a", href="https://odd.example/frame?a=1&b=2")
    assert not Tags(banner().placeholder(view(), Undeclared(url="javascript:alert(1)"))).of("a")


def test_embed_is_live_where_it_is_allowed() -> None:
    live = Tags(banner().embed(view(choice=GRANTED), "youtube", "a/b?c", title="T", loading_="eager", data_x="1"))
    (frame,) = live.of("iframe")
    assert frame["src"] == "https://www.youtube.com/embed/a%2Fb%3Fc"
    assert frame["data-x"] == "1"
    assert live.found[0][0] == "iframe"


def test_embed_refuses_what_it_must_not_frame() -> None:
    site, allowed = banner(), view(choice=GRANTED)
    with pytest.raises(UnknownKeyError, match="youtube"):
        site.embed(allowed, "youtub", "x")
    with pytest.raises(ValueError, match="neither"):
        site.embed(allowed, "youtube", "javascript:alert(1)")
    with pytest.raises(ValueError, match="attribute"):
        site.embed(allowed, "youtube", "x", onload="alert(1)")
    with pytest.raises(ValueError, match="no embed pattern"):
        site.embed(view(), "google-analytics-4", "x")


def test_preferences_show_all_that_is_declared_and_the_present_state() -> None:
    said = text(banner().preferences(view(choice=GRANTED, message="saved")))
    for part in (
        "Your selection is saved.", "Made on November 20, 2026", "May 23, 2027", "ab" * 16, "Withdraw all",
        "Google Ireland Limited", "Google LLC", "Ireland and United States", "Adequacy decision", "14 months",
        "_ga", "2 years", "visitor id", "Local storage", "Until it is deleted", "Until the browser is closed",
        "Your consent, GDPR Article 6(1)(a)", "Keeps the answer that the visitor gave.", "Standard contractual clauses",
        "Harbour News Trust, 1 Quay St, Cork, Ireland", "dpo@harbour.example", "Data Protection Commission, Ireland",
        "3 years",
        "https://tools.google.com/dlpage/gaoptout", "*.google-analytics.com", "YouTube Allowed", "Donorbox Not allowed",
    ):  # fmt: skip
        assert part in said, part


def test_withdrawing_is_offered_only_where_something_is_granted() -> None:
    assert Tags(banner().preferences(view(choice=GRANTED))).of("button", value="withdraw")
    assert not Tags(banner().preferences(view(choice=Choice.refusing()))).of("button", value="withdraw")


def test_a_site_with_nothing_optional_has_nothing_to_choose() -> None:
    quiet = policy()
    html = banner(quiet).preferences(view(of=quiet))
    assert "There is nothing to choose" in text(html)
    assert not Tags(html).of("button", data_consent_action="accept")


def test_declaration_lists_every_stored_item_once_and_ours_too() -> None:
    names = re.findall(r"<code>(.*?)</code>", banner().declaration(view()).decode())
    assert sorted(names) == sorted(item.name for service in POLICY.services for item in service.storage)
    assert OWN.storage[0].name in names


def test_a_page_of_ours_that_asks_again_has_the_notice_and_others_do_not() -> None:
    assert "data-consent-banner" in banner().plain(view(choice=GRANTED), "cross-site")
    assert "data-consent-banner" not in banner().plain(view(), "unknown-embed")


def test_wrapper_frames_only_web_addresses() -> None:
    page = banner().wrapper(service="youtube", url=VIDEO, title="", locale="de", prefix="/app/consent/")
    (frame,) = Tags(page).of("iframe")
    assert (frame["src"], frame["title"]) == (VIDEO, "YouTube")
    assert "/app/consent/static/pages.css" in page
    with pytest.raises(ValueError, match="framed"):
        banner().wrapper(service="youtube", url="javascript:alert(1)", title="", locale="de", prefix="/consent/")


def test_a_site_replaces_a_template_by_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "settings.html").write_text("<p>{{ site.name }}</p>\n")
    own = Banner(POLICY, templates=tmp_path)
    assert own.settings_link(view()) == b"<p>Harbour News</p>"
    assert own.notice(view()).startswith(b"<section")
    assert own.artefact(view()).digest != banner().artefact(view()).digest


def test_links_to_the_settings_keep_language_and_page() -> None:
    (link,) = Tags(banner().settings_link(view("de"))).of("a")
    assert link["href"] == "/consent/?lang=de&next=%2Farticle%3Fpage%3D1"
    assert link["data-consent-action"] == "settings"


def test_an_answer_on_the_preferences_page_returns_there_in_the_same_language() -> None:
    (field,) = Tags(banner().preferences(view("de", next="/consent/"))).of("input", name="next")
    assert field["value"] == "/consent/?lang=de"
    (elsewhere,) = Tags(banner().preferences(view("de"))).of("input", name="next")
    assert elsewhere["value"] == "/article?page=1"


def test_a_provider_that_also_receives_is_named_once() -> None:
    provider = "Google Ireland Limited"
    site = policy(replace(YOUTUBE, recipients=(provider, "Google LLC"), provider=provider))
    (row,) = [r for r in banner(site).declaration(view(of=site)).decode().split("<tr") if "YSC" in r]
    assert row.count(provider) == 1
    assert "Google LLC" in row


def test_the_placeholder_is_as_wide_as_the_embed_says() -> None:
    """Also where the page's own style makes frames as wide as what is around them, which is then this."""
    film = Written(service=YOUTUBE, url=VIDEO, width="560", height="315")
    (size,) = Tags(banner().placeholder(view(), film)).of("svg")
    assert (size["width"], size["height"]) == ("560", "0")
    assert not Tags(banner().placeholder(view(), Written(service=YOUTUBE, url=VIDEO, width="100%"))).of("svg")
