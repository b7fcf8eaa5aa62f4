"""What can be asked of a policy and of what a visitor's choice permits."""

from __future__ import annotations

import pytest

from consent import Choice, Policy, Service, Signals, UnknownKeyError, decide
from consent.policy import Material, Site, StorageItem

POLICY = Policy(
    site=Site(name="Harbour", controller="Harbour Trust"),
    services=(
        Service(key="stats", category="analytics", name="Statistics", purpose="Counts.", recipients=("One", "Two"),
                storage=(StorageItem(name="_a", days=30.0),)),
        Service(key="youtube", category="video", name="YouTube", purpose="Shows videos."),
        Service(key="vimeo", category="video", name="Vimeo", purpose="Shows videos."),
    ),
)  # fmt: skip


def test_a_policy_names_all_its_keys_in_one_namespace() -> None:
    assert {"stats", "youtube", "vimeo", "video", "analytics", "necessary"} <= set(POLICY.keys)
    assert len(set(POLICY.keys)) == len(POLICY.keys)
    for key in POLICY.keys:
        assert {service.key for service in POLICY.services_of(key)} <= {"stats", "youtube", "vimeo"}


def test_an_unknown_key_names_the_nearest_one_there_is() -> None:
    assert POLICY.service("vimeo").name == "Vimeo"
    assert POLICY.category("video").key == "video"
    for ask, key, near in (
        (POLICY.service, "vimoe", "vimeo"), (POLICY.service, "youtub", "youtube"), (POLICY.category, "vidoe", "video"),
        (POLICY.services_of, "analytic", "analytics"),
    ):  # fmt: skip
        with pytest.raises(UnknownKeyError, match=near):
            ask(key)


def test_a_category_is_no_service_and_a_service_no_category() -> None:
    with pytest.raises(UnknownKeyError):
        POLICY.service("video")
    with pytest.raises(UnknownKeyError):
        POLICY.category("youtube")


def test_the_material_facts_are_read_back_as_they_were_written() -> None:
    for locked in POLICY.current.services:
        material = locked.material
        again = Material.from_data(material.as_data())
        assert again == material
        assert again.digest() == locked.digest
        assert not again.asks_more_than(material)
    for broken in ({}, {**material.as_data(), "storage": [1]}, {**material.as_data(), "recipients": None}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Material.from_data(broken)


def test_the_state_of_a_service_is_granted_refused_or_not_asked() -> None:
    some = Choice(granted=frozenset({"youtube"}), asked=frozenset({"youtube", "vimeo"}), version=POLICY.current.version)
    permissions = decide(POLICY, some, Signals())
    assert {s.key: permissions.state(s.key) for s in POLICY.services} == {
        "stats": "not asked", "youtube": "granted", "vimeo": "refused",
    }  # fmt: skip


def test_what_is_loaded_once_is_allowed_and_not_granted() -> None:
    before = decide(POLICY, Choice.refusing(), Signals())
    once = before.plus("youtube")
    assert once.allows("youtube")
    assert not before.allows("youtube")
    assert not once.allows("vimeo")
    assert once.state("youtube") == "refused"
    assert before.plus("video").allowed >= {"youtube", "vimeo"}
    assert before.plus("nothing") == before
