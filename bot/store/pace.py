"""When posts went and go out on an account: what slots, spacing, daily caps and catching up go by."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from bot.domain.delivery import DeliveryState
from bot.store.tables import TAKEN, deliveries

_c = deliveries.c
_ON_CHANNEL = (_c.channel == bindparam("channel"), _c.reply_to.is_(None))
_PUBLISHED = (
    select(_c.channel, func.count())
    .where(
        _c.channel.in_(bindparam("channels", expanding=True)),
        _c.reply_to.is_(None),
        _c.published_at >= bindparam("since"),
    )
    .group_by(_c.channel)
)
_PUBLISHED_LATE = _PUBLISHED.where(_c.due_at < bindparam("before"))
_LAST_PUBLISHED = select(func.max(_c.published_at)).where(*_ON_CHANNEL)
_NEWEST = (
    select(_c.published_at, _c.due_at)
    .where(*_ON_CHANNEL, _c.published_at.is_not(None))
    .order_by(_c.published_at.desc())
    .limit(100)
)
_GIVEN_UP = (DeliveryState.CANCELLED, DeliveryState.MISSED)


def taken(tx: Connection, channel: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """When first parts go or went out on a channel between two moments."""
    between = (_c.due_at >= start, _c.due_at < end)
    query = select(_c.due_at).where(TAKEN, *_ON_CHANNEL, *between, _c.state.not_in(_GIVEN_UP))
    return tuple(tx.execute(query.order_by(_c.due_at), {"channel": channel}).scalars())


def published_counts(
    tx: Connection, channels: Iterable[str], since: datetime, *, due_before: datetime | None = None
) -> Counter[str]:
    """By channel the first parts published since a moment; with `due_before`, only those that were due before that."""
    given: dict[str, Any] = {"channels": list(channels), "since": since}
    query = _PUBLISHED if due_before is None else _PUBLISHED_LATE
    rows = tx.execute(query, given if due_before is None else given | {"before": due_before})
    return Counter({row[0]: row[1] for row in rows})


def last_published(tx: Connection, channel: str) -> datetime | None:
    """When the newest first part went out on a channel."""
    moment: datetime | None = tx.execute(_LAST_PUBLISHED, {"channel": channel}).scalar()
    return moment


def lateness(tx: Connection, channels: Iterable[str]) -> list[float]:
    """Seconds from due to published of the newest first parts of each channel, in rising order."""
    newest = (row for name in channels for row in tx.execute(_NEWEST, {"channel": name}))
    return sorted((row.published_at - row.due_at).total_seconds() for row in newest)
