"""Alembic's environment: the application's own database, in one transaction."""

from alembic import context

from pote import database

with database.engine().connect() as connection:
    context.configure(connection=connection, target_metadata=database.metadata)
    with context.begin_transaction():
        context.run_migrations()
