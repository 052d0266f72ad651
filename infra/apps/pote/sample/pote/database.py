"""The database: readings of the town's meters, and a summary of each day."""

import os

import sqlalchemy as sa

metadata = sa.MetaData()

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("meter", sa.Text, nullable=False),
    sa.Column("value", sa.Numeric(12, 3), nullable=False),
    sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

summaries = sa.Table(
    "summaries",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("readings", sa.Integer, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


def engine() -> sa.Engine:
    """The application's database, from DATABASE_URL; the driver is pg8000, which is Python alone."""
    url = os.environ["DATABASE_URL"]
    return sa.create_engine("postgresql+pg8000" + url.removeprefix("postgresql"), pool_pre_ping=True)
