"""A receipt taken away by the person it belongs to: the same history in three forms."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import grant, put

from consent.decision import Artefact
from consent.log.receipt import FORMS, receipt
from consent.log.store import Store

RECEIPT = "7e" * 16
SHOWN = Artefact.of(
    {
        "html": "<p>May we?</p>",
        "policy": {
            "site": {
                "controller": "Harbour News Trust, 1 Quay St, Cork", "contact": "privacy@harbour.example",
                "data_protection_officer": "dpo@harbour.example", "privacy_policy": "/privacy",
                "supervisory_authority": "Data Protection Commission, Ireland",
            },
            "services": [
                {
                    "key": "youtube", "category": "video", "name": "YouTube", "purpose": "Plays videos.",
                    "provider": "Google Ireland Limited", "country": "IE", "recipients": ["Google LLC"],
                    "processing_countries": ["IE", "US"], "provider_retention": "18 months",
                    "storage": [{"name": "VISITOR_INFO1_LIVE", "kind": "cookie"}],
                },
                {"key": "matomo", "category": "analytics", "name": "Matomo", "purpose": "Counts visits."},
            ],
        },
    }
)  # fmt: skip


@pytest.fixture
def history(store: Store) -> Store:
    """Something granted on one day, and withdrawn on another."""
    with store.transaction() as connection:
        store.archive(connection, [SHOWN])
    common = {"receipt_id": RECEIPT, "artefact": SHOWN.digest, "scope_hosts": ("harbour.example",)}
    first, last = datetime(2026, 7, 1, 12, 30, tzinfo=UTC), datetime(2026, 7, 9, 8, tzinfo=UTC)
    put(store, grant(**common, occurred_at=first, event="partial"))
    nothing = {"decisions": {"video": False, "analytics": False}, "services": {"youtube": False, "matomo": False}}
    put(store, grant(**common, **nothing, occurred_at=last, event="withdrawn", action="withdraw_all"))
    return store


def read(store: Store, form: str) -> str:
    found = receipt(store, RECEIPT, form)
    assert found is not None
    return found.decode()


def test_kantara_says_what_was_allowed_to_whom_and_that_it_was_withdrawn(history: Store) -> None:
    found = json.loads(read(history, "kantara"))
    assert found["version"] == "KI-CR-v1.1.0"
    assert found["consentReceiptID"] == found["piiPrincipalId"] == RECEIPT
    assert found["consentTimestamp"] == int(datetime(2026, 7, 1, 12, 30, tzinfo=UTC).timestamp())
    assert found["policyUrl"] == "https://harbour.example/privacy"
    (controller,) = found["piiControllers"]
    assert (controller["piiController"], controller["address"]["streetAddress"]) == (
        "Harbour News Trust", "1 Quay St, Cork",
    )  # fmt: skip
    (service,) = found["services"]
    (purpose,) = service["purposes"]
    assert (service["service"], purpose["thirdPartyName"]) == ("YouTube", "Google LLC")
    assert purpose["termination"] == "withdrawn 2026-07-09T08:00:00.000Z"
    assert set(found) == {
        "version", "jurisdiction", "consentTimestamp", "collectionMethod", "consentReceiptID", "publicKey", "language",
        "piiPrincipalId", "piiControllers", "policyUrl", "services", "sensitive", "spiCat",
    }  # fmt: skip


def test_kantara_says_until_when_what_was_not_withdrawn_lasts(store: Store) -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    put(store, grant(receipt_id=RECEIPT, valid_until=until))
    (service,) = json.loads(read(store, "kantara"))["services"]
    assert service["purposes"][0]["termination"] == "until 2027-01-01T00:00:00.000Z"


def test_iso_27560_has_a_record_for_each_answer_with_what_the_standard_asks(history: Store) -> None:
    found = json.loads(read(history, "iso27560"))
    assert found["@type"] == "dpv:ConsentReceipt"
    given, withdrawn = found["dpv:hasRecordOfActivity"]
    assert given["dpv:hasConsentStatus"]["@type"] == "dpv:ConsentGiven"
    assert withdrawn["dpv:hasConsentStatus"]["@type"] == "dpv:ConsentWithdrawn"
    matomo, youtube = given["dpv:hasProcess"]
    assert (matomo["dpv:hasConsentStatus"], youtube["dpv:hasConsentStatus"]) == (
        "dpv:ConsentRefused", "dpv:ConsentGiven",
    )  # fmt: skip
    assert youtube["dpv:hasRecipient"] == ["Google LLC"]
    assert youtube["dpv:hasStorageCondition"][0]["dpv:hasLocation"] == ["loc:IE", "loc:US"]
    assert {each["dpv:hasConsentStatus"] for each in withdrawn["dpv:hasProcess"]} == {"dpv:ConsentWithdrawn"}
    for each in (given, withdrawn):
        assert {
            "dct:identifier", "dct:conformsTo", "dct:language", "dpv:hasDataSubject", "dpv:hasDataController",
            "dpv:hasJurisdiction", "dpv:hasNotice", "dpv:hasRight", "dpv:hasConsentControl", "dpv:hasProcess",
        } <= each.keys()  # fmt: skip


def test_every_prefix_in_the_json_ld_is_declared(history: Store) -> None:
    found = json.loads(read(history, "iso27560"))

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return {key for key in value if ":" in key}.union(*map(names, value.values()))
        return set[str]().union(*map(names, value)) if isinstance(value, list) else set()

    context = found.pop("@context")
    assert {name.partition(":")[0] for name in names(found)} <= context.keys()


def test_the_text_reads_as_a_history(history: Store) -> None:
    found = read(history, "text")
    assert "Responsible for the processing: Harbour News Trust, 1 Quay St, Cork" in found
    assert "2026-07-01 12:30  Your selection is saved." in found
    assert "    Allowed: YouTube: Plays videos.\n        Recipients of the data: Google LLC" in found
    assert "    Not allowed: Matomo: Counts visits." in found
    assert found.index("Your selection") < found.index("2026-07-09 08:00  Your consent is withdrawn.")
    assert "Supervisory authority: Data Protection Commission, Ireland" in found
    assert f"        notice={SHOWN.digest}" in found
    assert max(map(len, found.splitlines())) <= 120


def test_the_notice_being_gone_or_damaged_leaves_what_was_answered(history: Store, path: Path) -> None:
    for statement in (
        f"UPDATE artefact SET content = x'7b7d' WHERE digest = x'{SHOWN.digest}'",
        "DELETE FROM artefact",
    ):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)
        for form in FORMS:
            assert "youtube" in read(history, form)


def test_one_damaged_record_hides_no_other(history: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET payload = x'ff' WHERE event = 'withdrawn'")
    assert "Your selection" in read(history, "text")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET payload = '[]'")
    assert receipt(history, RECEIPT, "text") is None


@pytest.mark.parametrize("wanted", ["", "7e", "7E" * 16, "00" * 16, "zz" * 16])
def test_an_unknown_or_odd_number_has_no_receipt(history: Store, wanted: str) -> None:
    assert receipt(history, RECEIPT, "text") is not None
    assert receipt(history, wanted, "text") is None


def test_an_unknown_form_is_no_receipt(history: Store) -> None:
    assert receipt(history, RECEIPT, "pdf") is None
