"""One open database with one log in it, used by one thread at a time: SQLAlchemy Core.

Errors of the driver pass through; :mod:`consent.log.writer` turns them into what the engine may see.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError, ProgrammingError

from consent.decision import Artefact
from consent.errors import NotRecorded
from consent.log import tables
from consent.log.address import Address
from consent.log.database import BUSY_SECONDS, database
from consent.log.record import SALT_SIZE, Draft

_CHUNK: Final = 500  # below the number of parameters that every SQLite build allows in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One record as it lies in the database; without ``payload`` and ``salt`` it was erased."""

    event_id: bytes
    received_at: int
    day: str
    event: str
    receipt: bytes | None
    artefact: bytes | None
    payload: bytes | None
    salt: bytes | None
    entry: bytes
    leaf: bytes


class Store:
    """A connection to the log at an address; opens, and makes what is missing, unless ``readonly``.

    ``wait`` is how many seconds a lock of somebody else is waited for before that is an error.

    Raises :class:`NotRecorded` when the database is of another version, ``sqlalchemy.exc.SQLAlchemyError``,
    ``sqlite3.Error`` or ``OSError`` when it can't be used.
    """

    def __init__(
        self,
        address: Address,
        *,
        readonly: bool = False,
        wait: float = BUSY_SECONDS,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.address = address
        self.now = now or (lambda: datetime.now(UTC))
        self.database = database(address)
        self._readonly = readonly
        if not readonly:
            self.database.create()
        self._engine = self.database.engine(readonly=readonly, wait=wait)
        self._connection: Connection = self._engine.connect()
        try:
            self._identity = self.database.identity
            if not readonly:
                self._prepare()
            self._check_version()
            self.log_id, self.origin = self._find_log()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back; SQLite folds its write-ahead log into it with the last connection."""
        self._connection.close()
        self._engine.dispose()

    @property
    def is_current(self) -> bool:
        """Whether the file at the address is still the one that is open, not deleted or replaced."""
        return self.database.identity == self._identity

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction that has its lock from the start, durable when the block ends without an error."""
        connection = self._connection
        try:
            self.database.begin(connection)
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; what others commit meanwhile may show."""
        try:
            yield self._connection
        finally:
            self._connection.rollback()

    def archive(self, connection: Connection, artefacts: Iterable[Artefact]) -> None:
        """Add the artefacts that are not there yet."""
        wanted = {bytes.fromhex(artefact.digest): artefact for artefact in artefacts}
        present = self.present(connection, wanted)
        day = self.now().astimezone(UTC).date().isoformat()
        rows = [
            {
                "log_id": self.log_id,
                "digest": digest,
                "content": artefact.canonical(artefact.content),
                "archived_on": day,
            }
            for digest, artefact in wanted.items()
            if digest not in present
        ]
        if rows:
            connection.execute(tables.artefact.insert(), rows)

    def present(self, connection: Connection, digests: Iterable[bytes]) -> set[bytes]:
        """Those of the digests whose artefacts are archived."""
        table = tables.artefact
        return _found(connection, table.c.log_id == self.log_id, table.c.digest, digests)

    def append(
        self, connection: Connection, drafts: Sequence[Draft], known: Mapping[str, Artefact]
    ) -> list[NotRecorded | None]:
        """Insert the drafts and their queue rows; for each, why it can't be recorded, or ``None``.

        A draft whose id is there with the same content counts as recorded. An artefact that is not archived here,
        because the database was replaced, is taken from ``known``.
        """
        outcomes: list[NotRecorded | None] = [None] * len(drafts)
        stored = self._payloads(connection, [draft.event_id.bytes for draft in drafts])
        latest = self._latest(connection, {draft.receipt for draft in drafts if draft.receipt is not None})
        shown = {draft.artefact for draft in drafts if draft.artefact is not None}
        present = self.present(connection, shown)
        self.archive(connection, [known[digest.hex()] for digest in shown - present if digest.hex() in known])
        present |= {digest for digest in shown if digest.hex() in known}
        records, queue = [], []
        for number, draft in enumerate(drafts):
            event_id = draft.event_id.bytes
            if event_id in stored:
                payload = stored[event_id]
                if payload is None or not draft.is_same_as(payload):
                    outcomes[number] = NotRecorded("Another decision has been recorded with this id.")
                continue
            if draft.artefact is not None and draft.artefact not in present:
                outcomes[number] = NotRecorded("What the visitor was shown has not been archived.")
                continue
            received_at, prev = self._place(draft, latest)
            salt = secrets.token_bytes(SALT_SIZE)
            sealed = draft.seal(prev_record_id=prev, salt=salt, origin=self.origin)
            stored[event_id] = sealed.payload
            key = {"log_id": self.log_id, "event_id": event_id, "received_at": received_at}
            queue.append(key)
            records.append(
                {
                    **key,
                    "day": draft.occurred_at.date().isoformat(),
                    "event": draft.fields["event"],
                    "receipt": draft.receipt,
                    "artefact": draft.artefact,
                    "payload": sealed.payload,
                    "salt": sealed.salt,
                    "entry": sealed.entry,
                    "leaf": sealed.leaf,
                }
            )
        if records:
            connection.execute(tables.record.insert(), records)
            connection.execute(tables.unsealed.insert(), queue)
        return outcomes

    def artefact(self, digest: str) -> Artefact | None:
        """The archived artefact; raises :class:`NotRecorded` if its bytes no longer have this digest."""
        table = tables.artefact
        query = select(table.c.content).where(table.c.log_id == self.log_id, table.c.digest == bytes.fromhex(digest))
        with self.reading() as connection:
            content = connection.execute(query).scalar()
        if content is None:
            return None
        if sha256(content).hexdigest() != digest:
            raise NotRecorded(f"The archived artefact {digest} is damaged.")
        return Artefact(content=json.loads(content), digest=digest)

    def history(self, receipt: bytes) -> list[Stored]:
        """Every record of one receipt, oldest first."""
        table = tables.record
        query = (
            select(table)
            .where(table.c.log_id == self.log_id, table.c.receipt == receipt)
            .order_by(table.c.received_at, table.c.event_id)
        )
        with self.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def _payloads(self, connection: Connection, event_ids: Sequence[bytes]) -> dict[bytes, bytes | None]:
        table, found = tables.record, dict[bytes, bytes | None]()
        for some in _chunks(event_ids):
            query = select(table.c.event_id, table.c.payload).where(
                table.c.log_id == self.log_id, table.c.event_id.in_(some)
            )
            found |= {row.event_id: row.payload for row in connection.execute(query)}
        return found

    def _latest(self, connection: Connection, receipts: set[bytes]) -> dict[bytes, tuple[int, str]]:
        """For each receipt that has records, when the latest was received, and its id."""
        table, found = tables.record, dict[bytes, tuple[int, str]]()
        for some in _chunks(sorted(receipts)):
            last = (
                select(table.c.receipt, func.max(table.c.received_at).label("at"))
                .where(table.c.log_id == self.log_id, table.c.receipt.in_(some))
                .group_by(table.c.receipt)
                .subquery()
            )
            query = select(table.c.receipt, table.c.received_at, table.c.event_id).where(
                table.c.log_id == self.log_id, table.c.receipt == last.c.receipt, table.c.received_at == last.c.at
            )
            for row in connection.execute(query):
                found[row.receipt] = (row.received_at, str(UUID(bytes=row.event_id)))
        return found

    def _place(self, draft: Draft, latest: dict[bytes, tuple[int, str]]) -> tuple[int, str | None]:
        """When the draft is received and which record of its receipt came before; noted in ``latest``.

        Within a receipt time never stands still or goes back, whatever the clock does.
        """
        if draft.receipt is None:
            return _microseconds(draft.occurred_at), None
        before, prev = latest.get(draft.receipt, (0, None))
        received_at = max(_microseconds(self.now()), before + 1)
        latest[draft.receipt] = (received_at, str(draft.event_id))
        return received_at, prev

    def _prepare(self) -> None:
        connection = self._connection
        self.database.prepare(connection)
        with self.reading():
            if tables.found_version(connection) is not None:
                return
        try:
            with self.transaction():
                if tables.found_version(connection) is None:  # another process may have been first
                    tables.create(connection)
        except (IntegrityError, ProgrammingError):  # it was, in this very moment
            with self.reading():
                if tables.found_version(connection) is None:
                    raise

    def _check_version(self) -> None:
        with self.reading() as connection:
            version = tables.found_version(connection)
        if version is None:
            raise NotRecorded("This database holds no consent log.")
        if version < tables.HEAD:
            raise NotRecorded(f"The consent log has schema {version}, not {tables.HEAD}: run `consent log upgrade`.")
        if version > tables.HEAD:
            raise NotRecorded(
                f"The consent log has schema {version}, of a newer consentry; this one has {tables.HEAD}."
            )

    def _find_log(self) -> tuple[int, str]:
        """The id and name of the log that the address means, made if it is missing."""
        query = select(tables.log.c.log_id, tables.log.c.origin).order_by(tables.log.c.log_id).limit(1)
        if self.address.origin:
            query = query.where(tables.log.c.origin == self.address.origin)
        with self.reading() as connection:
            row = connection.execute(query).first()
        if row is None and self._readonly:
            raise NotRecorded(f"This database has no consent log called {self.address.origin or 'anything'}.")
        if row is None:
            origin = self.address.origin or f"consent-log/{secrets.token_hex(8)}"
            day = self.now().astimezone(UTC).date().isoformat()
            with suppress(IntegrityError), self.transaction() as connection:  # another process may have been first
                if connection.execute(query).first() is None:
                    connection.execute(tables.log.insert().values(origin=origin, created_on=day))
            with self.reading() as connection:
                row = connection.execute(query).one()
        return row.log_id, row.origin


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _chunks(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _found(connection: Connection, where: Any, column: Any, values: Iterable[bytes]) -> set[bytes]:
    found = set[bytes]()
    for some in _chunks(sorted(set(values))):
        found |= set(connection.execute(select(column).where(where, column.in_(some))).scalars())
    return found


def _stored(row: Any) -> Stored:
    return Stored(**{name: getattr(row, name) for name in Stored.__slots__})
