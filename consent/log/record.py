"""A decision as the bytes that are kept and hashed: payload, commitment, public entry, leaf.

The payload is RFC 8785 canonical JSON of a closed schema: what is not listed here can't be stored, and every text in
it has a pattern that no address, user agent, URL or e-mail fits. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from consent.decision import ACTIONS, EVENTS, Decision
from consent.errors import NotRecorded
from consent.log.merkle import leaf_hash

SCHEMA: Final = "cb-1"
SALT_SIZE: Final = 32
_COMMIT_PREFIX: Final = b"consent-commit/v1\n"
_LARGEST: Final = 1 << 53  # whole numbers beyond it are not exact in every JSON reader (RFC 8785, 3.2.2.3)

_WORD = r"[A-Za-z0-9][A-Za-z0-9_+-]{0,63}"
_HOST = r"(\*?\.)?[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9a-f:]{2,39}|\[[0-9a-f:]{2,39}\]"
_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TEXTS: Final = {
    "receipt_id": re.compile(r"[0-9a-f]{32}"),
    "notice_hash": re.compile(r"[0-9a-f]{64}|"),
    "layer": re.compile(r"[a-z][a-z_]{0,15}"),
    "banner_version": re.compile(rf"({_WORD}(\.{_WORD}){{0,2}})?"),
    "material_version": re.compile(rf"({_WORD}(\.{_WORD}){{0,2}})?"),
    "texts_version": re.compile(rf"({_WORD}(\.{_WORD}){{0,2}})?"),
    "locale": re.compile(r"([A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4})?"),
    "market_profile": re.compile(r"[a-z]{2}(-[a-z]{2,8}){0,2}"),
    "controller_ref": re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63}|sha256:[0-9a-f]{64})?"),
    "lawful_basis": re.compile(
        r"([0-9]{1,3}(\([0-9a-z]{1,3}\)){0,3}([+,; ]{1,2}[0-9]{1,3}(\([0-9a-z]{1,3}\)){0,3}){0,4})?"
    ),
    "ui_class": re.compile(r"[a-z]{0,16}"),
    "software": re.compile(r"(consentry[ /][0-9][0-9A-Za-z.+-]{0,30}([ ;,]+[a-z]{1,16}[:=][0-9A-Za-z+-]{1,64}){0,4})?"),
}
_SCOPE_HOST: Final = re.compile(rf"({_HOST})(:[0-9]{{1,5}})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One decision as it is stored. ``entry`` survives erasure: it has no identifier and day precision only."""

    payload: bytes
    salt: bytes
    entry: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision that passed the schema; the store adds what came before it and seals it with a salt."""

    event_id: UUID
    receipt: bytes | None
    artefact: bytes | None
    occurred_at: datetime
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, decision: Decision) -> Draft:
        """The draft of this decision; raises :class:`NotRecorded` for anything outside the schema.

        Without a receipt, times are cut to the day, and an id whose time bits say more is refused.
        """
        try:
            return cls._of(decision)
        except NotRecorded:
            raise
        except Exception as error:  # a wrong type anywhere in the decision; it must never reach the site
            raise NotRecorded(f"The decision does not fit the record's schema: {type(error).__name__}.") from error

    @classmethod
    def _of(cls, decision: Decision) -> Draft:
        event_id = _event_id(decision)
        linked = decision.receipt_id is not None
        occurred, until = _utc(decision.occurred_at, exact=linked), _utc(decision.valid_until, exact=linked)
        fields: dict[str, Any] = {
            "v": 1,
            "schema_version": SCHEMA,
            "record_id": str(event_id),
            "receipt_id": decision.receipt_id,
            "subject_ref": None,
            "event": _one_of(decision.event, EVENTS, "event"),
            "action": _one_of(decision.action, ACTIONS, "action"),
            "occurred_at": _time(occurred),
            "valid_until": _time(until),
            "decisions": _answers(decision.decisions, "decisions"),
            "vendor_grants": _answers(decision.services, "services"),
            "no_js": _flag(decision.no_js, "no_js"),
            "notice_hash": decision.artefact,
            "scope_hosts": [_host(host) for host in decision.scope_hosts],
            "signals": {"gpc": _flag(decision.gpc, "gpc"), "dnt": _flag(decision.dnt, "dnt")},
        }
        for name in ("layer", "banner_version", "material_version", "texts_version", "locale", "market_profile",
                     "lawful_basis", "ui_class", "software"):  # fmt: skip
            fields[name] = getattr(decision, name)
        fields["controller_ref"] = _reference(decision.controller_ref)
        for name, pattern in _TEXTS.items():
            if fields[name] is not None and not pattern.fullmatch(fields[name]):
                raise NotRecorded(f"The record's field {name} does not have the form that its schema asks for.")
        _check(fields)
        return cls(
            event_id=event_id,
            receipt=bytes.fromhex(decision.receipt_id) if decision.receipt_id is not None else None,
            artefact=bytes.fromhex(decision.artefact) or None,
            occurred_at=occurred,
            fields=fields,
        )

    def payload(self, prev_record_id: str | None) -> bytes:
        """The canonical JSON with the record before it within its receipt."""
        return _dumped({**self.fields, "prev_record_id": prev_record_id})

    def seal(self, *, prev_record_id: str | None, salt: bytes, origin: str) -> Record:
        """The record, with its commitment salted so that few possible answers can't be guessed after erasure."""
        payload = self.payload(prev_record_id)
        entry = public_entry(self.fields, commitment(salt, payload), origin=origin)
        return Record(payload=payload, salt=salt, entry=entry, leaf=leaf_hash(entry))

    def is_same_as(self, payload: bytes) -> bool:
        """Whether a stored payload holds this very decision, so that it may be delivered again."""
        stored = json.loads(payload)
        return bool(self.payload(stored.get("prev_record_id")) == payload)


def commitment(salt: bytes, payload: bytes) -> bytes:
    """SHA-256 over a prefix, the salt and the payload: what the public entry has in the payload's place."""
    return hashlib.sha256(_COMMIT_PREFIX + salt + payload).digest()


def public_entry(fields: Mapping[str, Any], commit: bytes, *, origin: str) -> bytes:
    """What the tree's leaf hashes: commitment, day, kind, categories granted and refused, notice, and log."""
    decisions: Mapping[str, str] = fields["decisions"]
    return _dumped(
        {
            "v": 1,
            "s": origin,
            "c": b64encode(commit).decode(),
            "d": fields["occurred_at"][:10],
            "k": fields["event"],
            "g": sorted(key for key, answer in decisions.items() if answer == "granted"),
            "r": sorted(key for key, answer in decisions.items() if answer == "denied"),
            "p": b64encode(bytes.fromhex(fields["notice_hash"])).decode(),
        }
    )


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of restricted JSON; raises :class:`NotRecorded` for what JSON writers disagree about.

    Allowed are null, booleans, whole numbers below 2^53, texts without lone surrogates, lists, and objects with
    ASCII keys: for these the standard library's sorted, compact JSON is canonical already.
    """
    _check(value)
    return _dumped(value)


def _dumped(value: Any) -> bytes:
    """Canonical bytes of what was checked before: checking costs more than writing, and one writer does all of it."""
    return _encode(value).encode()


def day_of(moment: datetime) -> date:
    """The UTC day of an aware time."""
    return moment.astimezone(UTC).date()


def _check(value: Any) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotRecorded("A text in the record is not valid Unicode.") from None
    elif isinstance(value, int):
        if abs(value) >= _LARGEST:
            raise NotRecorded("A number in the record is too large to be exact.")
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotRecorded("A key in the record is not ASCII text.")
            _check(item)
    else:
        raise NotRecorded(f"A record can't hold a {type(value).__name__}.")


def _event_id(decision: Decision) -> UUID:
    """The record's id; of those without a receipt only ones that carry no time of day."""
    try:
        event_id = UUID(decision.record_id)
    except (ValueError, AttributeError, TypeError):
        raise NotRecorded("The record's id is not a UUID.") from None
    if str(event_id) != decision.record_id or event_id.version not in (4, 7):
        raise NotRecorded("The record's id is not a UUID of version 4 or 7 in lower case.")
    if decision.receipt_id is None and event_id.version == 7:
        milliseconds = event_id.int >> 80
        if milliseconds % 86_400_000:
            raise NotRecorded("A record without a receipt must have an id that carries no time of day.")
    return event_id


def _utc(moment: datetime, *, exact: bool) -> datetime:
    if moment.utcoffset() is None:
        raise NotRecorded("A time in the record has no zone.")
    moment = moment.astimezone(UTC)
    if not exact:
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _time(moment: datetime) -> str:
    """RFC 3339 in UTC, in milliseconds."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _answers(answers: Mapping[str, bool], name: str) -> dict[str, str]:
    for key, answer in answers.items():
        if not _KEY.fullmatch(key):
            raise NotRecorded(f"A key in the record's {name} is not the key of a service or category.")
        _flag(answer, name)
    return {key: "granted" if answer else "denied" for key, answer in answers.items()}


def _flag(value: bool, name: str) -> bool:
    if not isinstance(value, bool):
        raise NotRecorded(f"The record's field {name} must be yes or no.")
    return value


def _one_of(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise NotRecorded(f"The record's field {name} has none of its known values.")
    return value


def _reference(text: str) -> str:
    """An id as it is; a name and address, which the artefact has in full, by their SHA-256."""
    if _TEXTS["controller_ref"].fullmatch(text):
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _host(host: str) -> str:
    if not _SCOPE_HOST.fullmatch(host):
        raise NotRecorded("A host of the site in the record is not a host name.")
    return host


def intact(*, payload: bytes, salt: bytes, entry: bytes, leaf: bytes) -> bool:
    """Whether a stored record still says what was committed to: its leaf is the entry's, its entry the payload's."""
    try:
        fields = json.loads(payload)
        expected = public_entry(fields, commitment(salt, payload), origin=json.loads(entry)["s"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return entry == expected and leaf == leaf_hash(entry)
