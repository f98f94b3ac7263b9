"""The database's schema, brought up to date by Alembic from wherever the package is installed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from hwr.errors import ServiceError
from workers.database import WRITES, Database, be_patient

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


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
