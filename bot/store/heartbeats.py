"""When each daemon was last seen, so that the next one knows how long nobody was there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from bot.store.rows import upsert, value
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
    return tuple(value(Heartbeat, row) for row in tx.execute(select(heartbeats).order_by(heartbeats.c.at.desc())))


def beat(tx: Connection, worker: str, now: datetime, *, suspect: bool = False) -> None:
    top = max(now, highest(tx) or now)
    values = {"at": now, "highest_at": top, "suspect": suspect}
    new = upsert(tx, heartbeats).values(worker=worker, **values)
    tx.execute(new.on_conflict_do_update(index_elements=["worker"], set_=values))
