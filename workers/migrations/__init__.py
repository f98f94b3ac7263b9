"""The database's schema, brought up to date by Alembic from wherever the package is installed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from hwr.errors import ServiceError
from workers.database import Database, be_patient
from workers.database_engine import WRITES

#: Any number; all processes of hwr that change the schema meet at it.
ADVISORY_LOCK = 7_410_417


def upgrade(database: Database) -> None:
    """Bring the schema up to date. Safe to call in several processes at once: one does the work.

    Raises:
        ServiceError: a newer hwr changed the schema.
        DatabaseUnavailable: the database cannot be reached.
    """
    writing = database.engine.execution_options(**{WRITES: True})
    with database.outages_named(), writing.begin() as connection:
        be_patient(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK:d})"))
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            raise ServiceError(
                f"This hwr does not know the database's schema ({error}). Start the newer hwr that"
                " made it, or name another database with HWR_DATABASE_URL."
            ) from error


def require_current(database: Database) -> None:
    """See that the schema is this hwr's, and change nothing.

    Raises:
        ServiceError: it has none, or that of an older or newer hwr.
        DatabaseUnavailable: the database cannot be reached.
    """
    with database.outages_named(), database.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
        known = ScriptDirectory.from_config(_config(connection)).get_heads()
    if set(found) != set(known):
        raise ServiceError(
            f"The database {database.address} has the schema {', '.join(found) or 'of no hwr'}, "
            f"and this hwr needs {', '.join(known)}. Correct HWR_DATABASE_URL, or start the service"
            " of this hwr on it first."
        )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
