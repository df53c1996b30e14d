"""When each daemon was last seen, so that the next one knows how long nobody was there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update

from bot.store.rows import upsert, value
from bot.store.tables import heartbeats

GONE = timedelta(minutes=5)
_c = heartbeats.c


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


def in_doubt(tx: Connection, worker: str = "") -> bool:
    """Whether the clock of this worker, or of any, is not to be trusted."""
    query = select(_c.worker).where(_c.suspect)
    return tx.execute(query.where(_c.worker == worker) if worker else query).first() is not None


def trust(tx: Connection, now: datetime, worker: str = "") -> None:
    """The clock is right: of this worker and of those that are gone, or of all. No later moment was a true one."""
    whose = or_(_c.worker == worker, _c.at < now - GONE, _c.at > now + GONE) if worker else _c.suspect
    tx.execute(update(heartbeats).where(_c.suspect, whose).values(suspect=False))
    tx.execute(update(heartbeats).where(_c.highest_at > now).values(highest_at=now))


def beat(tx: Connection, worker: str, now: datetime, *, suspect: bool | None = None) -> None:
    """A doubt once told stays until `trust`."""
    top = max(now, highest(tx) or now)
    values = {"at": now, "highest_at": top} | ({} if suspect is None else {"suspect": suspect})
    new = upsert(tx, heartbeats).values(worker=worker, **values)
    tx.execute(new.on_conflict_do_update(index_elements=["worker"], set_=values))
