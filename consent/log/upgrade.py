"""Brings the database of an earlier version to the present schema, by the migrations packaged beside this file.

The only user of Alembic; a new database gets its tables from :mod:`consent.log.tables` without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from consent.log.address import Address
from consent.log.database import database
from consent.log.tables import found_version

MIGRATIONS: Final = Path(__file__).with_name("migrations")


def upgrade(address: Address, *, to: str = "head") -> tuple[str | None, str]:
    """Migrate in one transaction; the versions before and after. Errors of the driver pass through."""
    place = database(address)
    engine = place.engine()
    try:
        with engine.connect() as connection:
            place.begin(connection)
            before = found_version(connection)
            migrate(connection, to=to)
            after = found_version(connection)
            connection.commit()
            return before, str(after)
    finally:
        engine.dispose()


def migrate(connection: Connection, *, to: str) -> None:
    """Run the migrations that are due up to ``to`` on a connection that is in a transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)

    def due(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs(to, revision)

    with EnvironmentContext(config, scripts, fn=due) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
