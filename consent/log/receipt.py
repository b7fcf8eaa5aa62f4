"""One receipt's history, as the person it belongs to may take it away: Kantara 1.1, ISO/IEC TS 27560, plain text.

The record says what was answered; what was asked, and by whom, comes out of the archived notice that it points to.
Rendering only: nothing here decides what is true, and whoever wants proof takes a bundle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from consent.decision import Speech
from consent.errors import NotRecorded
from consent.log.history import Answer
from consent.log.narrative import ENGLISH, recipients, text

if TYPE_CHECKING:
    from consent.log.store import Store

FORMS: Final = ("kantara", "iso27560", "text")
KANTARA: Final = "KI-CR-v1.1.0"
ISO_27560: Final = "https://w3id.org/dpv/schema/dpv-27560#"
_CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_STATUS: Final = {
    "granted": "ConsentGiven", "partial": "ConsentGiven", "changed": "ConsentGiven", "signal_override": "ConsentGiven",
    "refused": "ConsentRefused", "objected": "ConsentRefused", "expired": "ConsentExpired",
    "withdrawn": "ConsentWithdrawn", "signal_opt_out": "ConsentWithdrawn",
}  # fmt: skip
_METHOD: Final = {
    "accept_all": "button that accepts all",
    "reject_all": "button that accepts only what is necessary",
    "save": "selection saved in a form",
    "close": "button that closes without accepting",
    "embed_click": "click on one embedded item",
    "withdraw_all": "button that withdraws all",
    "gpc": "Global Privacy Control signal of the browser",
    "api": "programming interface",
}


def receipt(store: Store, receipt_id: str, form: str, *, speech: Speech = ENGLISH) -> bytes | None:
    """The history as a document in one of :data:`FORMS`, UTF-8; ``None`` for another form or an unknown receipt.

    ``speech`` is the language of the text; the other forms are for programs. Raises what the store raises when it
    can't be read.
    """
    if form not in FORMS or len(receipt_id) != 32 or set(receipt_id) - set("0123456789abcdef"):
        return None
    answers = []
    for stored in store.history(bytes.fromhex(receipt_id)):
        fields = _fields(stored.payload)
        if fields is not None:
            answers.append(Answer(payload=fields, leaf=stored.leaf, shown=_shown(store, fields)))
    return render(receipt_id, answers, form, log=store.origin, speech=speech) if answers else None


def render(receipt_id: str, answers: Sequence[Answer], form: str, *, log: str, speech: Speech = ENGLISH) -> bytes:
    """The document of these answers, oldest first; at least one."""
    if form == "kantara":
        return _json(kantara(receipt_id, answers))
    if form == "iso27560":
        return _json(iso27560(receipt_id, answers, log=log))
    return text(receipt_id, answers, log=log, speech=speech).encode()


def kantara(receipt_id: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """A Kantara Consent Receipt 1.1.0: each service that was ever allowed, with the end of it.

    That format knows neither refusals nor withdrawals; ``termination`` says when a consent was withdrawn.
    """
    last = next((each for each in reversed(answers) if each.keys("granted")), answers[-1])
    services = []
    for key, (given, ended) in _periods(answers).items():
        service = given.service(key)
        services.append(
            {
                "service": service["name"],
                "purposes": [
                    {
                        "purpose": service["purpose"] or service["name"],
                        "purposeCategory": [service["category"] or "unknown"],
                        "consentType": "EXPLICIT",
                        "piiCategory": _stored(service) or ["online identifiers"],
                        "primaryPurpose": True,
                        "termination": f"withdrawn {ended}" if ended else f"until {given.payload['valid_until']}",
                        "thirdPartyDisclosure": bool(service["recipients"] or service["provider"]),
                        "thirdPartyName": ", ".join(recipients(service)),
                    }
                ],
            }
        )
    return {
        "version": KANTARA,
        "jurisdiction": str(last.payload["market_profile"]).upper(),
        "consentTimestamp": int(datetime.fromisoformat(last.at).timestamp()),
        "collectionMethod": _METHOD.get(last.payload["action"], last.payload["action"]),
        "consentReceiptID": receipt_id,
        "publicKey": "",
        "language": last.payload["locale"],
        "piiPrincipalId": receipt_id,
        "piiControllers": [_controller(last)],
        "policyUrl": _policy_url(last),
        "services": services,
        "sensitive": False,
        "spiCat": [],
    }


def iso27560(receipt_id: str, answers: Sequence[Answer], *, log: str) -> dict[str, Any]:
    """A consent receipt after ISO/IEC TS 27560:2023 in JSON-LD with the Data Privacy Vocabulary."""
    return {
        "@context": _CONTEXT,
        "@id": f"urn:consent-receipt:{receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt_id,
        "dct:conformsTo": ISO_27560 + "receipt-eu-gdpr",
        "dct:isPartOf": log,
        "dpv:hasRecordOfActivity": [_dpv_record(receipt_id, answer) for answer in answers],
    }


def _dpv_record(receipt_id: str, answer: Answer) -> dict[str, Any]:
    payload, controller = answer.payload, _controller(answer)
    countries = sorted({answer.service(key)["country"] for key in payload["vendor_grants"]} - {""})
    return {
        "@id": f"urn:uuid:{payload['record_id']}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": payload["record_id"],
        "dct:conformsTo": ISO_27560 + "record-eu-gdpr",
        "dct:hasVersion": payload["schema_version"],
        "dct:language": payload["locale"],
        "dct:created": _typed(answer.at, "dateTime"),
        "dpv:hasDataSubject": {"@id": f"urn:consent-receipt:{receipt_id}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": {
            "@type": "dpv:DataController",
            "dpv:hasName": controller["piiController"],
            "dpv:hasAddress": controller["address"]["streetAddress"],
            "dpv:hasContact": controller["contact"],
        },
        "dpv:hasJurisdiction": [str(payload["market_profile"]).upper()],
        "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
        "dpv:hasLocation": [f"loc:{country}" for country in countries],
        "dpv:hasNotice": {
            "@id": f"urn:sha256:{payload['notice_hash']}",
            "@type": "dpv:ConsentNotice",
            "dct:hasVersion": payload["material_version"],
            "dct:references": _policy_url(answer),
        },
        "dpv:hasRight": ["eu-gdpr:A7-3", "eu-gdpr:A15", "eu-gdpr:A17", "eu-gdpr:A77"],
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dct:description": "Cookie settings, on every page"},
        "dpv:hasProcess": [
            _dpv_process(answer.service(key), given == "granted", payload)
            for key, given in sorted(payload["vendor_grants"].items())
        ],
        "dpv:hasConsentStatus": {
            "@type": f"dpv:{_STATUS.get(payload['event'], 'ConsentUnknown')}",
            "dpv:isIndicatedBy": "dpv:DataSubject",
            "dpv:hasIndicationMethod": _METHOD.get(payload["action"], payload["action"]),
            "dpv:isIndicatedAtTime": _typed(answer.at, "dateTime"),
            "dct:valid": _typed(payload["valid_until"], "dateTime"),
        },
        "schema:sha256": answer.leaf.hex(),
    }


def _dpv_process(service: Mapping[str, Any], granted: bool, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "dpv:Process",
        "dct:identifier": service["key"],
        "dct:title": service["name"],
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose", "dct:title": service["category"], "dct:description": service["purpose"],
        },
        "dpv:hasConsentStatus": "dpv:ConsentGiven" if granted else f"dpv:{_not_given(payload['event'])}",
        "dpv:hasPersonalData": _stored(service) or ["online identifiers"],
        "dpv:hasRecipient": recipients(service),
        "dpv:hasStorageCondition": [
            {
                "@type": "dpv:StorageLocation",
                "dpv:hasLocation": [f"loc:{country}" for country in service["processing_countries"]],
            },
            {"@type": "dpv:StorageDuration", "dct:description": service["provider_retention"]},
        ],
    }  # fmt: skip


def _periods(answers: Sequence[Answer]) -> dict[str, tuple[Answer, str]]:
    """For each service that was ever allowed, the answer that last allowed it, and when that ended, if it did."""
    periods = dict[str, tuple[Answer, str]]()
    for answer in answers:
        granted = answer.keys("granted")
        for key in granted:
            periods[key] = (answer, "")
        for key, (given, ended) in periods.items():
            if not ended and key not in granted and (key in answer.keys("denied") or answer.payload["event"] in _ENDS):
                periods[key] = (given, answer.at)
    return dict(sorted(periods.items()))


_ENDS: Final = ("withdrawn", "expired", "refused", "objected")


def _not_given(event: str) -> str:
    status = _STATUS.get(event, "ConsentUnknown")
    return "ConsentRefused" if status == "ConsentGiven" else status


def _controller(answer: Answer) -> dict[str, Any]:
    """The party as declared: what is before the first comma is its name, the rest its address."""
    declared = str(answer.site.get("controller") or answer.payload["controller_ref"])
    name, _, address = declared.partition(",")
    contact = str(answer.site.get("contact", ""))
    return {
        "piiController": name.strip(),
        "onBehalf": False,
        "contact": str(answer.site.get("data_protection_officer") or contact),
        "address": {"streetAddress": address.strip()},
        "email": contact if "@" in contact else "",
        "phone": "",
        "piiControllerUrl": _host_url(answer),
    }


def _policy_url(answer: Answer) -> str:
    path = str(answer.site.get("privacy_policy", ""))
    return path if path.startswith(("https:", "http:")) else _host_url(answer) + path


def _host_url(answer: Answer) -> str:
    hosts = answer.payload.get("scope_hosts") or ()
    return f"https://{str(hosts[0]).lstrip('.*')}" if hosts else ""


def _stored(service: Mapping[str, Any]) -> list[str]:
    return [f"{item['kind']} {item['name']}" for item in service["storage"]]


def _typed(value: str, kind: str) -> dict[str, str]:
    return {"@type": f"xsd:{kind}", "@value": value}


def _fields(payload: bytes | None) -> dict[str, Any] | None:
    """The payload as data; ``None`` where it is none of ours, so that one damaged record hides no other."""
    try:
        fields = json.loads(payload or b"")
    except ValueError:
        return None
    needed = {"record_id", "occurred_at", "valid_until", "vendor_grants", "event", "action", "locale", "notice_hash"}
    return fields if isinstance(fields, dict) and needed <= fields.keys() else None


def _shown(store: Store, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        artefact = store.artefact(fields["notice_hash"]) if fields["notice_hash"] else None
    except NotRecorded:  # damaged: said by the verifier, and no reason to withhold the answer
        return {}
    return {} if artefact is None else artefact.content


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=2).encode() + b"\n"
