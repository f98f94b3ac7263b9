"""Run by Alembic: changes the schema over the connection, and in the transaction, it is given."""

from alembic import context

from workers.database import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
