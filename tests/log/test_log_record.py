"""What is stored of a decision, in which bytes, and what can't be stored at all."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from conftest import ARTEFACT, grant, refusal, uuid7
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.decision import ACTIONS, EVENTS, Decision
from consent.errors import NotRecorded
from consent.log.merkle import leaf_hash
from consent.log.record import Draft, canonical, intact

ALLOWED = {
    "v", "schema_version", "record_id", "receipt_id", "subject_ref", "prev_record_id", "event", "occurred_at",
    "valid_until", "decisions", "vendor_grants", "action", "layer", "no_js", "banner_version", "material_version",
    "texts_version", "notice_hash", "locale", "market_profile", "scope_hosts", "controller_ref", "lawful_basis",
    "signals", "ui_class", "software",
}  # fmt: skip
PERSONAL = {
    "an IPv4 address": "203.0.113.7",
    "an IPv6 address": "2001:db8::7:1",
    "an e-mail address": "ann@news.example",
    "a URL": "https://news.example/politics?id=7",
    "a path": "/politics/7",
    "a user agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "a name": "Ann Example",
    "a vendor's cookie": "GA1.2.1234567890.1700000000",
}


def sealed(decision: Decision, **changes: Any) -> Any:
    return Draft.of(decision).seal(**({"prev_record_id": None, "salt": bytes(32), "origin": "news.example"} | changes))


def test_the_payload_has_the_allowed_fields_and_no_other() -> None:
    for decision in (grant(), refusal()):
        assert set(json.loads(sealed(decision).payload)) == ALLOWED


def test_answers_say_yes_and_no_explicitly() -> None:
    payload = json.loads(sealed(grant()).payload)
    assert payload["decisions"] == {"video": "granted", "analytics": "denied"}
    assert payload["vendor_grants"] == {"youtube": "granted", "matomo": "denied"}


@pytest.mark.parametrize("kind", PERSONAL)
@pytest.mark.parametrize(
    "field",
    [f.name for f in fields(Decision) if f.type in ("str", "str | None") and f.name != "controller_ref"]
    + ["decisions", "services"],
)
def test_personal_data_fits_no_field(field: str, kind: str) -> None:
    value: Any = {PERSONAL[kind]: True} if field in ("decisions", "services") else PERSONAL[kind]
    with pytest.raises(NotRecorded) as refused:
        Draft.of(grant(**{field: value}))
    assert PERSONAL[kind] not in str(refused.value)


@pytest.mark.parametrize("kind", ["an e-mail address", "a URL", "a path", "a user agent", "a name"])
def test_personal_data_is_no_host(kind: str) -> None:
    with pytest.raises(NotRecorded):
        Draft.of(grant(scope_hosts=(PERSONAL[kind],)))


@pytest.mark.parametrize(
    "host", ["news.example", "127.0.0.1", "localhost", "127.0.0.1:5000", "[::1]", "*.news.example"]
)
def test_the_hosts_of_the_site_are_stored(host: str) -> None:
    assert json.loads(sealed(grant(scope_hosts=(host,))).payload)["scope_hosts"] == [host]


def test_the_controller_is_stored_as_a_reference() -> None:
    name = "Harbour News Trust, 1 Quay St, Cork; privacy@harbour.example"
    stored = sealed(grant(controller_ref=name)).payload
    assert json.loads(stored)["controller_ref"] == "sha256:" + hashlib.sha256(name.encode()).hexdigest()
    assert json.loads(sealed(grant(controller_ref="harbour")).payload)["controller_ref"] == "harbour"


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "agreed"},
        {"action": "scroll"},
        {"record_id": "1"},
        {"record_id": None},
        {"record_id": "00000000-0000-1000-8000-000000000000"},
        {"record_id": uuid7(datetime.now(UTC)).upper()},
        {"receipt_id": "abc"},
        {"receipt_id": "A" * 32},
        {"receipt_id": 5},
        {"artefact": "abc"},
        {"artefact": None},
        {"occurred_at": datetime(2026, 7, 1)},
        {"occurred_at": "2026-07-01"},
        {"decisions": {"video": "yes"}},
        {"decisions": {"video": 1}},
        {"decisions": None},
        {"services": ["youtube"]},
        {"no_js": 1},
        {"gpc": "yes"},
        {"locale": 5},
        {"locale": "d\ud800"},
        {"scope_hosts": (5,)},
        {"scope_hosts": None},
        {"software": "curl/8"},
        {"lawful_basis": "x" * 50},
        {"controller_ref": None},
    ],
)
def test_what_is_outside_the_schema_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotRecorded):
        Draft.of(grant(**changes))


def test_what_is_no_decision_is_refused() -> None:
    with pytest.raises(NotRecorded):
        Draft.of(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_of_the_domain_fits(event: str) -> None:
    assert json.loads(sealed(grant(event=event)).entry)["k"] == event


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_of_the_domain_fits(action: str) -> None:
    assert json.loads(sealed(grant(action=action)).payload)["action"] == action


def test_a_record_without_a_receipt_says_the_day_only() -> None:
    moment = datetime(2026, 7, 1, 23, 59, 59, 999999, tzinfo=UTC)
    text = sealed(refusal(occurred_at=moment, valid_until=moment + timedelta(days=184))).payload.decode()
    assert re.findall(r"\d\d:\d\d:\d\d\.\d+", text) == ["00:00:00.000"] * 2
    assert '"occurred_at":"2026-07-01T00' in text


def test_a_record_with_a_receipt_says_the_time() -> None:
    moment = datetime(2026, 7, 2, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=2)))
    assert '"occurred_at":"2026-07-01T23:02:03.456Z"' in sealed(grant(occurred_at=moment)).payload.decode()


def test_a_record_without_a_receipt_may_not_have_an_id_that_tells_the_time() -> None:
    noon = datetime(2026, 7, 1, 12, 0, 1, tzinfo=UTC)
    with pytest.raises(NotRecorded):
        Draft.of(refusal(record_id=uuid7(noon)))
    Draft.of(grant(record_id=uuid7(noon)))
    Draft.of(refusal(record_id=uuid7(noon.replace(hour=0, second=0))))


def test_the_public_entry_has_no_identifier_and_no_time_of_day() -> None:
    decision = grant()
    record = sealed(decision)
    entry = json.loads(record.entry)
    assert set(entry) == {"v", "s", "c", "d", "k", "g", "r", "p"}
    assert (entry["d"], entry["g"], entry["r"]) == (decision.occurred_at.date().isoformat(), ["video"], ["analytics"])
    assert entry["p"] == b64encode(bytes.fromhex(ARTEFACT.digest)).decode()
    assert (decision.receipt_id or "") not in record.entry.decode()
    assert decision.record_id not in record.entry.decode()
    assert not re.search(rb"\d\d:\d\d", record.entry)


def test_commitment_and_leaf_are_as_documented() -> None:
    record = sealed(grant(), salt=b"s" * 32)
    commit = hashlib.sha256(b"consent-commit/v1\n" + b"s" * 32 + record.payload).digest()
    assert json.loads(record.entry)["c"] == b64encode(commit).decode()
    assert record.leaf == leaf_hash(record.entry)


def test_the_salt_hides_which_of_few_answers_was_given() -> None:
    decision = refusal()
    assert sealed(decision).entry != sealed(decision, salt=b"1" * 32).entry


def test_a_record_is_intact_until_a_byte_changes() -> None:
    record = sealed(grant())
    parts = {"payload": record.payload, "salt": record.salt, "entry": record.entry, "leaf": record.leaf}
    assert intact(**parts)
    for name, value in parts.items():
        for changed in (value[:-1] + bytes([value[-1] ^ 1]), b"", b"{}", b"[]"):
            assert not intact(**(parts | {name: changed}))


scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values)
def test_restricted_json_is_canonical_byte_for_byte(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value", [1.0, -0.0, float("nan"), 2**53, -(2**53), "\ud800", {"\u20ac": 1}, {1: 1}, b"x", {"a": [{"b": 1.5}]}, {1}]
)
def test_what_json_writers_disagree_about_is_refused(value: Any) -> None:
    with pytest.raises(NotRecorded):
        canonical(value)


@settings(max_examples=50, deadline=None)
@given(
    st.booleans(), st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True), st.booleans(), max_size=5)
)
def test_every_payload_and_entry_is_canonical(no_js: bool, answers: dict[str, bool]) -> None:
    record = sealed(grant(no_js=no_js, decisions=answers, services=answers))
    for data in (record.payload, record.entry):
        assert rfc8785.dumps(json.loads(data)) == data
