"""Gives the log a new signing key (C2SP signed-note): the tree itself says from which leaf on it signs.

For some days both keys sign, so that whoever knows the old one is led to its successor by a signature that they
trust. A stolen key signs along no longer: then the new one has to reach auditors by another way.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Final

from sqlalchemy import select

from consent.log import note, sealer, tables
from consent.log.announcement import announce
from consent.log.keyring import Keyring
from consent.log.store import Store

OVERLAP_DAYS: Final = 30


def rotate(store: Store, keyring: Keyring, *, stolen: bool = False) -> note.Signer:
    """Announce a new key and sign with it; begun and interrupted, it goes on with the key that it made.

    Raises :class:`~consent.log.sealer.SigningError` where the present key can't sign.
    """
    while sealer.seal(store):
        pass
    sealer.sign(store, keyring)
    signer = _unannounced(store, keyring) or keyring.generate(store.origin)
    last = store.now().astimezone(UTC).date() + timedelta(days=-1 if stolen else OVERLAP_DAYS)
    with store.transaction() as connection:
        size = sealer.head(store, connection).size
        announce(store, connection, "key", {"vkey": signer.vkey, "until": last.isoformat()})
        connection.execute(tables.log_key.insert().values(log_id=store.log_id, vkey=signer.vkey, first_size=size + 1))
    while sealer.seal(store):
        pass
    sealer.sign(store, keyring)
    return signer


def _unannounced(store: Store, keyring: Keyring) -> note.Signer | None:
    """A key that was made for the log but is not announced, because the process ended in between."""
    table = tables.log_key
    with store.reading() as connection:
        known = set(connection.execute(select(table.c.vkey).where(table.c.log_id == store.log_id)).scalars())
    new = [signer for signer in keyring.signers(store.origin) if signer.vkey not in known]
    return new[-1] if new and known else None
