"""What is stopped: the halt, holds with their two-person ending, and channels somebody paused."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bot.store.rows import upsert, value
from bot.store.tables import channels, holds

HALT = ("all", "")
_OPEN = select(holds).where(holds.c.ended_at.is_(None))
_PAUSED = select(channels).where(channels.c.paused_at.is_not(None)).order_by(channels.c.name)


@dataclass(frozen=True, slots=True)
class Hold:
    """`target` is a slug, a language, a channel's name or a post's number, by `scope`; the halt has none."""

    id: int
    scope: str
    target: str
    reason: str
    placed_by: int | None
    placed_at: datetime
    asked_by: int | None = None
    ended_by: int | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    channel: str
    reason: str
    paused_by: int | None
    paused_at: datetime


def open_holds(tx: Connection) -> frozenset[tuple[str, str]]:
    """(scope, target) of all that is held.

    In a writing transaction nobody else can halt, hold or pause until it ends: what a halt does not list has
    not begun.
    """
    return frozenset((row.scope, row.target) for row in tx.execute(_OPEN))


def current(tx: Connection) -> tuple[Hold, ...]:
    """All that is held, newest first."""
    newest = _OPEN.order_by(holds.c.placed_at.desc(), holds.c.id.desc())
    return tuple(value(Hold, row) for row in tx.execute(newest))


def find(tx: Connection, scope: str, target: str) -> Hold | None:
    row = tx.execute(_OPEN.where(holds.c.scope == scope, holds.c.target == target)).first()
    return value(Hold, row) if row else None


def place(tx: Connection, scope: str, target: str, reason: str, by: int | None, at: datetime) -> int:
    """One open hold for a target: a second one takes its place with the newer reason, and nobody has asked
    to end that yet.
    """
    values = {"reason": reason, "placed_by": by, "placed_at": at, "asked_by": None}
    old = find(tx, scope, target)
    if old is not None:
        tx.execute(update(holds).where(holds.c.id == old.id).values(**values))
        return old.id
    new = insert(holds).values(scope=scope, target=target, **values).returning(holds.c.id)
    return int(tx.execute(new).scalar_one())


def ask_end(tx: Connection, hold_id: int, by: int) -> None:
    tx.execute(update(holds).where(holds.c.id == hold_id).values(asked_by=by))


def end(tx: Connection, hold_id: int, by: int | None, at: datetime) -> None:
    tx.execute(update(holds).where(holds.c.id == hold_id).values(ended_by=by, ended_at=at))


def pause(tx: Connection, channel: str, now: datetime, by: int | None, reason: str) -> bool:
    """False if it was paused already; then the first reason stays."""
    if channel in paused_channels(tx):
        return False
    values = {"paused_at": now, "paused_by": by, "reason": reason}
    new = upsert(tx, channels).values(name=channel, **values)
    tx.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))
    return True


def resume(tx: Connection, channel: str) -> None:
    tx.execute(update(channels).where(channels.c.name == channel).values(paused_at=None, paused_by=None, reason=""))


def paused_channels(tx: Connection) -> frozenset[str]:
    return frozenset(row.name for row in tx.execute(_PAUSED))


def pauses(tx: Connection) -> tuple[Pause, ...]:
    return tuple(value(Pause, row, channel=row.name) for row in tx.execute(_PAUSED))
