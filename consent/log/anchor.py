"""Has an outside authority stamp the newest checkpoint (RFC 3161), which bounds when its records can have been made.

The only user of rfc3161-client, and the only part of the log that speaks to the network, when a person asks for it.
What comes back is read and checked by the same code that an auditor's bundle carries, before it is kept: the library
insists on an order of certificates that OpenSSL, and with it many authorities, doesn't keep.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select

from consent.errors import ConsentError
from consent.log import sealer, tables, verifier
from consent.log.store import Store

TIMEOUT: Final = 20.0  # seconds
_LARGEST: Final = 1 << 20  # bytes of an answer
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class AnchorError(ConsentError):
    """The authority could not be asked, or what it answered is no time stamp of this log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A checkpoint of ``size`` leaves was stamped ``at`` this time; ``new`` is false if it had been before."""

    size: int
    at: datetime
    authority: str
    trusted: bool
    new: bool


def anchor(
    store: Store, url: str, *, trusted: bytes = b"", ask: Callable[[str, bytes], bytes] | None = None
) -> Anchored:
    """Get the newest signed checkpoint stamped by the authority at ``url`` and keep the stamp beside it.

    ``trusted`` are certificates in PEM which have to vouch for the stamp, if there are any. Raises
    :class:`AnchorError`; then nothing is kept.
    """
    from cryptography import x509

    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise AnchorError(f"The address of an authority for time stamps begins with https:// or http://, not {url!r}.")
    try:
        certificates = x509.load_pem_x509_certificates(trusted) if trusted else []
    except ValueError as error:
        raise AnchorError(f"The certificate that is to be trusted can't be read: {error}") from error
    size, note = _newest(store)
    known = _known(store, size, url)
    token = known if known is not None else (ask or _ask)(url, _request(note))
    try:
        at, authority, vouched = verifier.time_stamp(token, note, certificates)
    except ValueError as error:
        raise AnchorError(f"What {url} answered is no time stamp of this checkpoint: {error}.") from error
    if certificates and not vouched:
        raise AnchorError(f"The time stamp of {url} is by {authority}, for whom no trusted certificate vouches.")
    if known is None:
        with store.transaction() as connection:
            connection.execute(
                tables.anchor.insert().values(log_id=store.log_id, size=size, authority=url, token=token)
            )
    return Anchored(size=size, at=at, authority=authority, trusted=vouched, new=known is None)


def _newest(store: Store) -> tuple[int, bytes]:
    with store.reading() as connection:
        newest = sealer.signed(store, connection)
    if newest is None:
        raise AnchorError("The log has no signed checkpoint yet: there is nothing to stamp.")
    return newest[0], newest[1].encode()


def _known(store: Store, size: int, url: str) -> bytes | None:
    table = tables.anchor
    query = select(table.c.token).where(table.c.log_id == store.log_id, table.c.size == size, table.c.authority == url)
    with store.reading() as connection:
        token = connection.execute(query).scalar()
    return None if token is None else bytes(token)


def _request(note: bytes) -> bytes:
    try:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
    except ImportError:
        raise AnchorError('Time stamps need a package more: pip install "consentry[timestamp]".') from None
    return bytes(TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes())


def _ask(url: str, request: bytes) -> bytes:
    """Post the request, as RFC 3161 section 3.4 has it."""
    post = urllib.request.Request(url, data=request, headers={"Content-Type": _QUERY, "Accept": _REPLY})  # noqa: S310
    try:
        with urllib.request.urlopen(post, timeout=TIMEOUT) as answer:  # noqa: S310 - the caller has checked the scheme
            reply = answer.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise AnchorError(f"The authority at {url} can't be asked: {reason}.") from error
    if len(reply) > _LARGEST:
        raise AnchorError(f"The authority at {url} answers more than any time stamp has.")
    return bytes(reply)
