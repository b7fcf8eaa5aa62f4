"""The choice cookie: signed, bound to its host, and the same for everybody who refuses on the same day.

Only this module uses itsdangerous. Format 1, before signing and base64url: one byte format, four bytes material
version, two bytes day (days since 1970-01-01), one byte flags, the asked and the granted bitmap in the order of
that version's services, and 16 bytes receipt id if, and only if, something is granted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from itsdangerous import BadData, Signer

from consent.choice import Choice
from consent.errors import ConfigError
from consent.policy import Policy

FORMAT: Final = 1
LONGEST: Final = 512  # bytes of a cookie value that are worth looking at
_GPC_OVERRIDE: Final = 1
_EPOCH: Final = date(1970, 1, 1)
_HEAD: Final = 8
_RECEIPT: Final = 16


class Token:
    """Writes and reads the choice cookie's value. The first of ``secret_keys`` signs, all of them verify."""

    def __init__(self, secret_keys: str | bytes | Sequence[str | bytes] | None) -> None:
        keys = [secret_keys] if isinstance(secret_keys, str | bytes) else list(secret_keys or ())
        if not keys or not all(keys):
            raise ConfigError.of(
                "E901",
                "The consent cookie needs a secret key to be signed with, and there is none.",
                "Set SECRET_KEY (Flask) or pass secret_key=… with at least 16 random bytes.",
            )
        newest_last = [key.encode() if isinstance(key, str) else key for key in reversed(keys)]

        @lru_cache(maxsize=256)
        def signer(scope: str) -> Signer:
            return Signer(
                newest_last, salt=f"consent-choice/1|{scope}", key_derivation="hmac", digest_method=hashlib.sha256
            )

        self._signer = signer

    def write(self, choice: Choice, *, policy: Policy, scope: str) -> str:
        """The cookie value for ``choice``, answered under the policy's present version, bound to ``scope``.

        ``scope`` is the host, or the cookie domain. ``choice.day`` must be set.
        """
        if choice.day is None:
            raise ValueError("A choice needs its day before it can be signed.")
        keys = policy.current.keys
        asked = frozenset(keys) if choice.asked is None else policy.expand(choice.asked)
        granted = policy.expand(choice.granted) & asked
        payload = bytes([FORMAT]) + bytes.fromhex(policy.current.version)
        payload += (choice.day - _EPOCH).days.to_bytes(2) + bytes([_GPC_OVERRIDE if choice.gpc_override else 0])
        payload += _bitmap(keys, asked) + _bitmap(keys, granted)
        if granted and choice.receipt:
            payload += bytes.fromhex(choice.receipt)
        return self._signer(scope).sign(_encode(payload)).decode("ascii")

    def read(self, value: str, *, policy: Policy, scope: str) -> Choice:
        """The choice in a cookie value, or :meth:`Choice.none` for anything that isn't exactly one of ours.

        Forged, truncated, signed for another host, of an unknown material version, or garbage: never an error.
        """
        if len(value) > LONGEST:
            return Choice.none()
        try:
            raw = value.encode("ascii")
            text = self._signer(scope).unsign(raw)
            if not _is_canonical(raw.rpartition(b".")[2]):
                return Choice.none()
            return _parse(_decode(text), policy) or Choice.none()
        except (BadData, UnicodeEncodeError, binascii.Error, ValueError, OverflowError):
            return Choice.none()

    def permit(self, service: str, url: str, *, scope: str, day: date) -> str:
        """A signed leave to show one embed once: for this service, address and host, until the end of tomorrow."""
        return self._signer(scope + "|embed").get_signature(_leave(service, url, day)).decode("ascii")

    def permits(self, leave: str, service: str, url: str, *, scope: str, today: date) -> bool:
        """Whether ``leave`` was given for this embed, today or yesterday."""
        days = (today, today - timedelta(days=1))
        signer = self._signer(scope + "|embed")
        return leave.isascii() and any(
            signer.verify_signature(_leave(service, url, day), leave.encode()) for day in days
        )


def _leave(service: str, url: str, day: date) -> bytes:
    return f"{day.isoformat()} {service} {url}".encode()


def _parse(payload: bytes, policy: Policy) -> Choice | None:
    if len(payload) < _HEAD or payload[0] != FORMAT or payload[7] & ~_GPC_OVERRIDE:
        return None
    version = policy.version(payload[1:5].hex())
    if version is None:
        return None
    width = (len(version.keys) + 7) // 8
    maps, receipt = payload[_HEAD : _HEAD + 2 * width], payload[_HEAD + 2 * width :]
    if len(maps) != 2 * width or len(receipt) not in (0, _RECEIPT):
        return None
    asked, granted = _keys(version.keys, maps[:width]), _keys(version.keys, maps[width:])
    if asked is None or granted is None or not granted <= asked or (receipt and not granted):
        return None
    return Choice(
        asked=asked,
        granted=granted,
        version=version.version,
        day=_EPOCH + timedelta(days=int.from_bytes(payload[5:7])),
        gpc_override=bool(payload[7] & _GPC_OVERRIDE),
        receipt=receipt.hex() or None,
    )


def _bitmap(keys: Sequence[str], chosen: frozenset[str]) -> bytes:
    bits = sum(1 << index for index, key in enumerate(keys) if key in chosen)
    return bits.to_bytes((len(keys) + 7) // 8, "little")


def _keys(keys: Sequence[str], bitmap: bytes) -> frozenset[str] | None:
    bits = int.from_bytes(bitmap, "little")
    if bits >> len(keys):
        return None
    return frozenset(key for index, key in enumerate(keys) if bits >> index & 1)


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    if not _is_canonical(text):
        raise ValueError("not canonical base64url")
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _is_canonical(text: bytes) -> bool:
    """Whether base64url text has one spelling only, so that no byte of a cookie can change unnoticed."""
    return _encode(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))) == text
