"""When each daemon was last seen, so that the next one knows how long nobody was there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from bot.store.tables import heartbeats


@dataclass(frozen=True, slots=True)
class Heartbeat:
    worker: str
    at: datetime
    suspect: bool


def last(tx: Connection) -> datetime | None:
    """When any daemon was last seen."""
    moment: datetime | None = tx.execute(select(func.max(heartbeats.c.at))).scalar()
    return moment


def highest(tx: Connection) -> datetime | None:
    """The latest moment any daemon's clock ever showed."""
    moment: datetime | None = tx.execute(select(func.max(heartbeats.c.highest_at))).scalar()
    return moment


def listed(tx: Connection) -> tuple[Heartbeat, ...]:
    query = select(heartbeats.c.worker, heartbeats.c.at, heartbeats.c.suspect).order_by(heartbeats.c.at.desc())
    return tuple(Heartbeat(row.worker, row.at, row.suspect) for row in tx.execute(query))


def beat(tx: Connection, worker: str, now: datetime, *, suspect: bool = False) -> None:
    top = max(now, highest(tx) or now)
    values = {"at": now, "highest_at": top, "suspect": suspect}
    changed = tx.execute(update(heartbeats).where(heartbeats.c.worker == worker).values(**values))
    if not changed.rowcount:
        tx.execute(insert(heartbeats).values(worker=worker, **values))
