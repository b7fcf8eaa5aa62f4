"""What follows from a choice: the properties that must hold for every policy and every answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Choice, Policy, Service, Signals, UnknownKeyError, decide
from consent.policy import BUILTIN_CATEGORIES, Site, StorageItem

TODAY = date(2026, 3, 1)
KEYS = ("stats", "heatmap", "donate", "youtube", "vimeo", "ads")
CATEGORY = {
    "stats": "analytics",
    "heatmap": "analytics",
    "donate": "donations",
    "youtube": "video",
    "vimeo": "video",
    "ads": "marketing",
}


def service(key: str, **more: object) -> Service:
    facts = {
        "category": CATEGORY.get(key, "functional"),
        "name": key,
        "purpose": "A sentence.",
        "provider": key.title(),
    }
    return Service(key=key, **(facts | more))  # type: ignore[arg-type]


def policy(*services: Service, **more: object) -> Policy:
    chosen = services or tuple(service(key, gpc=key == "ads") for key in KEYS)
    return Policy(site=Site(name="Harbour", controller="Harbour Trust"), services=chosen, **more)  # type: ignore[arg-type]


POLICY = policy(
    *(service(key, gpc=key == "ads", on_request=("/donate",) if key == "donate" else ()) for key in KEYS),
    service("session", category="necessary", legal_basis="necessary", exempt_reason="keeps the reader signed in"),
)
subsets = st.frozensets(st.sampled_from(KEYS))
signals = st.builds(Signals, gpc=st.booleans(), dnt=st.booleans())
paths = st.sampled_from(["/", "/donate", "/donate/", "/other"])
days = st.one_of(st.none(), st.dates(min_value=date(2024, 1, 1), max_value=date(2028, 1, 1)))
versions = st.sampled_from([None, POLICY.current.version, "00000000"])


def choices(granted: frozenset[str], asked: frozenset[str] | None, day: date | None, version: str | None) -> Choice:
    return Choice(granted=granted, asked=asked, day=day, version=version)


@given(smaller=subsets, more=subsets, asked=st.none() | subsets, day=days, version=versions, s=signals, path=paths)
def test_fewer_grants_never_allow_more(
    smaller: frozenset[str],
    more: frozenset[str],
    asked: frozenset[str] | None,
    day: date | None,
    version: str | None,
    s: Signals,
    path: str,
) -> None:
    few = decide(POLICY, choices(smaller, asked, day, version), s, today=TODAY, path=path)
    many = decide(POLICY, choices(smaller | more, asked, day, version), s, today=TODAY, path=path)
    assert few.allowed <= many.allowed


@given(granted=subsets, s=signals)
def test_an_unknown_version_is_no_choice(granted: frozenset[str], s: Signals) -> None:
    unknown = decide(POLICY, Choice(granted=granted, version="00000000"), s, today=TODAY)
    known = decide(POLICY, Choice(granted=granted, version=POLICY.current.version), Signals(), today=TODAY)
    assert unknown.allowed == {"session"}
    assert known.allowed == granted | {"session"}


@given(granted=subsets, age=st.integers(min_value=-400, max_value=800))
def test_a_choice_counts_until_its_life_ends_and_not_a_day_longer(granted: frozenset[str], age: int) -> None:
    choice = Choice(granted=granted, day=TODAY - timedelta(days=age))
    valid = -1 <= age < POLICY.ask.lifetime_days
    assert decide(POLICY, choice, Signals(), today=TODAY).granted == (granted if valid else frozenset())


@given(granted=subsets, asked=subsets)
def test_what_was_not_asked_is_neither_granted_nor_refused(granted: frozenset[str], asked: frozenset[str]) -> None:
    permissions = decide(POLICY, Choice(granted=granted, asked=asked), Signals())
    assert permissions.granted == granted & asked
    assert permissions.refused == asked - granted
    assert permissions.unasked == set(KEYS) - asked


def test_nothing_optional_is_allowed_without_a_choice() -> None:
    permissions = decide(POLICY, Choice.none(), Signals())
    assert permissions.allowed == {"session"}
    assert [permissions.state(key) for key in KEYS] == ["not asked"] * len(KEYS)


def test_refusing_allows_as_little_as_not_choosing() -> None:
    refused, none = (decide(POLICY, choice, Signals()) for choice in (Choice.refusing(), Choice.none()))
    assert refused.allowed == none.allowed
    assert refused.state("youtube") == "refused"


def test_a_category_grants_all_its_services_and_needs_all_of_them() -> None:
    permissions = decide(POLICY, Choice.granting("video"), Signals())
    assert permissions.allows("video")
    assert permissions.allows("youtube")
    assert not permissions.allows("analytics")
    assert not decide(POLICY, Choice.granting("youtube"), Signals()).allows("video")


def test_an_unknown_key_is_denied_and_named_in_debug() -> None:
    permissions = decide(POLICY, Choice.granting("video"), Signals())
    assert not permissions.allows("yuotube")
    with pytest.raises(UnknownKeyError, match="youtube") as caught:
        replace(permissions, debug=True).allows("yuotube")
    assert caught.value.near == "youtube"


def test_a_category_without_services_allows_nothing_unless_it_is_the_necessary_one() -> None:
    bare = policy(service("youtube"))
    permissions = decide(bare, Choice.granting("youtube", "social"), Signals())
    assert not permissions.allows("social")
    assert permissions.allows("necessary")


def test_a_service_is_allowed_on_the_routes_where_it_was_requested_and_nowhere_else() -> None:
    assert "donate" in decide(POLICY, Choice.refusing(), Signals(), path="/donate/").allowed
    assert "donate" not in decide(POLICY, Choice.refusing(), Signals(), path="/").allowed


def test_global_privacy_control_denies_its_services_until_they_are_granted_in_spite_of_it() -> None:
    granted = Choice.granting("ads", "stats")
    assert decide(POLICY, granted, Signals()).allows("ads")
    signalled = decide(POLICY, granted, Signals(gpc=True))
    assert not signalled.allows("ads")
    assert signalled.allows("stats")
    assert signalled.gpc_denied == {"ads"}
    assert decide(POLICY, replace(granted, gpc_override=True), Signals(gpc=True)).allows("ads")


@given(changed=subsets, granted=subsets)
def test_answers_survive_exactly_where_nothing_material_changed(
    changed: frozenset[str], granted: frozenset[str]
) -> None:
    before = policy()
    after = policy(
        *(service(key, gpc=key == "ads", recipients=("New Ltd",) if key in changed else ()) for key in KEYS),
        history=(before.current,),
    )
    permissions = decide(after, Choice(granted=granted, version=before.current.version), Signals())
    assert permissions.granted == granted - changed
    assert permissions.unasked == changed


@pytest.mark.parametrize(
    ("change", "asks_again"),
    [
        ({"purpose": "Another wording."}, False),
        ({"name": "YouTube player"}, False),
        ({"load": ("www.youtube.com",)}, False),
        ({"privacy_policy": "/elsewhere"}, False),
        ({"category": "social"}, True),
        ({"provider": "Somebody else"}, True),
        ({"recipients": ("Alpha",)}, False),
        ({"recipients": ("Alpha", "Beta", "Gamma")}, True),
        ({"processing_countries": ("IE", "US")}, True),
        ({"storage": (StorageItem(name="a", days=30),)}, False),
        ({"storage": (StorageItem(name="a", days=31),)}, True),
        ({"storage": (StorageItem(name="a", days=7),)}, False),
        ({"storage": (StorageItem(name="a", days=None),)}, True),
        ({"storage": (StorageItem(name="b", days=1),)}, True),
        ({"storage": ()}, False),
    ],
)
def test_only_what_matters_asks_again(change: dict[str, object], asks_again: bool) -> None:
    facts: dict[str, object] = {
        "recipients": ("Alpha", "Beta"),
        "processing_countries": ("IE",),
        "storage": (StorageItem(name="a", days=30),),
    }
    before = policy(service("youtube", **facts))
    after = policy(service("youtube", **(facts | change)), history=(before.current,))
    choice = Choice(granted=frozenset({"youtube"}), version=before.current.version)
    assert ("youtube" in decide(after, choice, Signals()).unasked) is asks_again


def test_another_controller_asks_everything_again() -> None:
    before = policy()
    after = replace(before, site=Site(name="Harbour", controller="Somebody else"), history=(before.current,))
    choice = Choice.granting("video")
    assert decide(before, replace(choice, version=before.current.version), Signals()).granted
    assert not decide(after, replace(choice, version=before.current.version), Signals()).granted


def test_the_digest_is_the_same_in_every_process() -> None:
    assert policy(service("youtube")).digest() == policy(service("youtube")).digest()
    assert policy(service("youtube")).digest() != policy(service("vimeo")).digest()


def test_builtin_categories_cover_the_design() -> None:
    assert [category.key for category in BUILTIN_CATEGORIES] == [
        "necessary", "donations", "analytics", "video", "functional", "social", "marketing",
    ]  # fmt: skip
