"""The scheduled job: how many readings there were on each day."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from .database import readings, summaries


def summarise(engine: sa.Engine) -> None:
    day = sa.cast(readings.c.taken_at, sa.Date).label("day")
    counts = sa.select(day, sa.func.count().label("readings")).group_by(day)
    statement = insert(summaries).from_select(["day", "readings"], counts)
    statement = statement.on_conflict_do_update(
        index_elements=["day"], set_={"readings": statement.excluded.readings, "made_at": sa.func.now()}
    )
    with engine.begin() as connection:
        days = connection.execute(statement).rowcount
    print(f"summaries of {days} days are up to date")
