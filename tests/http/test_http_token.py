"""The choice cookie: what was signed is read back, and nothing else is."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Choice, ConfigError, Policy, Service
from consent.policy import Site
from consent.token import Token

KEYS = tuple(f"service-{number}" for number in range(60))
DAY = date(2026, 3, 1)
HOST = "news.example"
TOKEN = Token("a secret of the tests")


def policy(keys: tuple[str, ...] = KEYS, *, history: tuple[Policy, ...] = ()) -> Policy:
    services = tuple(Service(key=key, category="functional", name=key, purpose="A sentence.") for key in keys)
    versions = tuple(earlier.current for earlier in history)
    return Policy(site=Site(name="Harbour", controller="Harbour Trust"), services=services, history=versions)


POLICY = policy()
subsets = st.frozensets(st.sampled_from(KEYS))


def chosen(granted: frozenset[str] = frozenset(), asked: frozenset[str] | None = None) -> Choice:
    receipt = "ab" * 16 if granted else None
    return Choice(granted=granted, asked=asked, day=DAY, receipt=receipt)


@given(granted=subsets, more=subsets, override=st.booleans())
def test_what_was_signed_is_read_back(granted: frozenset[str], more: frozenset[str], override: bool) -> None:
    choice = replace(chosen(granted, granted | more), gpc_override=override)
    value = TOKEN.write(choice, policy=POLICY, scope=HOST)
    assert TOKEN.read(value, policy=POLICY, scope=HOST) == replace(choice, version=POLICY.current.version)


def test_sixty_services_fit_into_two_hundred_bytes() -> None:
    value = TOKEN.write(chosen(frozenset(KEYS)), policy=POLICY, scope=HOST)
    assert len("__Host-consent=" + value) <= 200


@given(position=st.integers(min_value=0, max_value=110), bit=st.integers(min_value=0, max_value=6))
def test_flipping_any_bit_means_no_choice(position: int, bit: int) -> None:
    value = TOKEN.write(chosen(frozenset(KEYS[:7])), policy=POLICY, scope=HOST)
    assert TOKEN.read(value, policy=POLICY, scope=HOST).made
    at = position % len(value)
    forged = value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :]
    assert not TOKEN.read(forged, policy=POLICY, scope=HOST).made


@given(cut=st.integers(min_value=0, max_value=200))
def test_a_truncated_cookie_means_no_choice(cut: int) -> None:
    value = TOKEN.write(chosen(frozenset(KEYS[:7])), policy=POLICY, scope=HOST)
    assert TOKEN.read(value[:cut], policy=POLICY, scope=HOST).made is (cut >= len(value))


@given(junk=st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_garbage_means_no_choice_and_never_an_error(junk: str) -> None:
    assert not TOKEN.read(junk, policy=POLICY, scope=HOST).made


def test_four_kilobytes_mean_no_choice() -> None:
    assert not TOKEN.read("A" * 4096, policy=POLICY, scope=HOST).made
    assert not TOKEN.read("." * 4096, policy=POLICY, scope=HOST).made


def test_a_cookie_of_another_host_means_no_choice() -> None:
    value = TOKEN.write(chosen(frozenset(KEYS[:1])), policy=POLICY, scope=HOST)
    assert TOKEN.read(value, policy=POLICY, scope=HOST).made
    assert not TOKEN.read(value, policy=POLICY, scope="other.example").made


def test_a_cookie_under_another_key_means_no_choice() -> None:
    value = Token("another secret").write(chosen(), policy=POLICY, scope=HOST)
    assert not TOKEN.read(value, policy=POLICY, scope=HOST).made


def test_keys_rotate_the_first_signs_and_all_verify() -> None:
    old, both = Token("old"), Token(["new", "old"])
    by_old = old.write(chosen(), policy=POLICY, scope=HOST)
    by_both = both.write(chosen(), policy=POLICY, scope=HOST)
    assert both.read(by_old, policy=POLICY, scope=HOST).made
    assert Token("new").read(by_both, policy=POLICY, scope=HOST).made
    assert not old.read(by_both, policy=POLICY, scope=HOST).made


def test_no_secret_key_is_a_start_up_error() -> None:
    for keys in ("", [], ["good", ""]):
        with pytest.raises(ConfigError, match="SECRET_KEY"):
            Token(keys)


def test_refusers_of_the_same_day_hold_identical_cookies() -> None:
    values = {TOKEN.write(replace(Choice.refusing(), day=DAY), policy=POLICY, scope=HOST) for _ in range(3)}
    assert len(values) == 1
    granters = {
        TOKEN.write(replace(chosen(frozenset(KEYS)), receipt=f"{n:032x}"), policy=POLICY, scope=HOST) for n in range(3)
    }
    assert len(granters) == 3


def test_an_answer_under_a_locked_version_is_read_in_that_versions_order() -> None:
    before = policy(("alpha", "beta", "gamma"))
    after = policy(("zeta", "gamma", "alpha"), history=(before,))
    value = TOKEN.write(chosen(frozenset({"alpha"})), policy=before, scope=HOST)
    read = TOKEN.read(value, policy=after, scope=HOST)
    assert read.granted == {"alpha"}
    assert read.version == before.current.version
    assert not TOKEN.read(value, policy=policy(("zeta", "gamma", "alpha")), scope=HOST).made


def test_a_signed_payload_of_a_wrong_shape_means_no_choice() -> None:
    small = policy(("alpha", "beta"))
    good = TOKEN.write(chosen(frozenset({"alpha"})), policy=small, scope=HOST)
    payload = base64.urlsafe_b64decode(good.partition(".")[0] + "==")
    signer = TOKEN._signer(HOST)

    def signed(raw: bytes) -> Choice:
        text = base64.urlsafe_b64encode(raw).rstrip(b"=")
        return TOKEN.read(signer.sign(text).decode(), policy=small, scope=HOST)

    assert signed(payload).made
    asked, granted = payload[8:9], payload[9:10]
    wrong = {
        "another format": b"\x02" + payload[1:],
        "an unknown flag": payload[:7] + b"\x80" + payload[8:],
        "granted but not asked": payload[:8] + b"\x02" + granted + payload[10:],
        "a service too many": payload[:8] + b"\x07" + granted + payload[10:],
        "a receipt without a grant": payload[:8] + asked + b"\x00" + payload[10:],
        "half a receipt": payload[:-5],
        "nothing": b"",
        "no bitmaps": payload[:8],
    }
    assert {name: signed(raw).made for name, raw in wrong.items()} == dict.fromkeys(wrong, False)


def test_a_leave_for_one_embed_is_for_that_embed_and_two_days() -> None:
    leave = TOKEN.permit("youtube", "https://video.example/1", scope=HOST, day=DAY)

    def permits(
        service: str = "youtube", url: str = "https://video.example/1", scope: str = HOST, later: int = 0
    ) -> bool:
        return TOKEN.permits(leave, service, url, scope=scope, today=DAY.replace(day=DAY.day + later))

    assert permits()
    assert permits(later=1)
    assert not permits(later=2)
    assert not permits(service="vimeo")
    assert not permits(url="https://video.example/2")
    assert not permits(scope="other.example")
    assert not TOKEN.permits("ü", "youtube", "https://video.example/1", scope=HOST, today=DAY)
