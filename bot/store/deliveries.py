"""Deliveries and their attempts. Every change after a claim names the fence: zero rows means another worker owns it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, bindparam, func, insert, select, update

from bot.domain.delivery import IN_FLIGHT, WAITING, Delivery, DeliveryState, Reason
from bot.domain.errors import NotFound
from bot.store.tables import attempts, deliveries

_LOOKED_AT = (DeliveryState.SCHEDULED.value, DeliveryState.RETRY_WAIT.value, DeliveryState.UNKNOWN.value)
LONGEST_DETAIL = 500
_OPEN = tuple(state.value for state in (*WAITING, DeliveryState.HELD, DeliveryState.CLAIMED))


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """`reply_to` is the index, in the same call, of the delivery this one answers."""

    post_id: int
    channel: str
    part: int
    digest: str
    content: str
    idem_key: str
    due_at: datetime
    not_after: datetime
    reply_to: int | None = None


def add(tx: Connection, new: Sequence[NewDelivery]) -> None:
    """A part that answers another waits until its parent is published; its own time is then set to that moment."""
    ids: list[int] = []
    for delivery in new:
        answers = None if delivery.reply_to is None else ids[delivery.reply_to]
        made = tx.execute(
            insert(deliveries)
            .values(
                post_id=delivery.post_id,
                channel=delivery.channel,
                part=delivery.part,
                reply_to=answers,
                state=DeliveryState.SCHEDULED.value,
                digest=delivery.digest,
                content=delivery.content,
                idem_key=delivery.idem_key,
                due_at=delivery.due_at,
                next_at=delivery.due_at if answers is None else delivery.not_after,
                not_after=delivery.not_after,
            )
            .returning(deliveries.c.id)
        )
        ids.append(made.scalar_one())


def _value(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        post_id=row.post_id,
        channel=row.channel,
        part=row.part,
        state=DeliveryState(row.state),
        digest=row.digest,
        content=row.content,
        idem_key=row.idem_key,
        due_at=row.due_at,
        next_at=row.next_at,
        not_after=row.not_after,
        reason=row.reason,
        reply_to=row.reply_to,
        fence=row.fence,
        worker=row.worker or "",
        lease_until=row.lease_until,
        attempts=row.attempts,
        looks=row.looks,
        asked_by=row.asked_by,
        remote_id=row.remote_id or "",
        url=row.url or "",
        reference=json.loads(row.reference) if row.reference else None,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
    )


def _all(tx: Connection, query: Select[Any]) -> tuple[Delivery, ...]:
    return tuple(_value(row) for row in tx.execute(query))


def get(tx: Connection, delivery_id: int) -> Delivery:
    row = tx.execute(_BY_ID, {"id": delivery_id}).first()
    if row is None:
        raise NotFound("There is no delivery {id}. `campaignbot delivery list` shows them.", id=delivery_id)
    return _value(row)


def of_post(tx: Connection, post_id: int) -> tuple[Delivery, ...]:
    return tuple(_value(row) for row in tx.execute(_OF_POST, {"post": post_id}))


def listed(
    tx: Connection,
    *,
    states: Iterable[DeliveryState] = (),
    channel: str = "",
    post_id: int | None = None,
    limit: int = 100,
) -> tuple[Delivery, ...]:
    """Newest due first."""
    query = select(deliveries).order_by(deliveries.c.due_at.desc(), deliveries.c.id.desc()).limit(limit)
    wanted = [state.value for state in states]
    if wanted:
        query = query.where(deliveries.c.state.in_(wanted))
    if channel:
        query = query.where(deliveries.c.channel == channel)
    if post_id is not None:
        query = query.where(deliveries.c.post_id == post_id)
    return _all(tx, query)


# Statements of the wave are built once: it runs them for every delivery, and building costs more than running.
_BY_ID = select(deliveries).where(deliveries.c.id == bindparam("id"))
_OF_POST = (
    select(deliveries)
    .where(deliveries.c.post_id == bindparam("post"))
    .order_by(deliveries.c.channel, deliveries.c.part, deliveries.c.id)
)
_PUBLISHED = (
    select(func.count())
    .select_from(deliveries)
    .where(deliveries.c.channel == bindparam("channel"), deliveries.c.published_at >= bindparam("since"))
    .where(deliveries.c.reply_to.is_(None))
)
_LAST_PUBLISHED = select(func.max(deliveries.c.published_at)).where(
    deliveries.c.channel == bindparam("channel"), deliveries.c.reply_to.is_(None)
)
_PUBLISHED_LATE = _PUBLISHED.where(deliveries.c.due_at < bindparam("before"))
_RELEASED = (
    update(deliveries)
    .where(deliveries.c.reply_to == bindparam("parent"), deliveries.c.state.in_([state.value for state in WAITING]))
    .values(next_at=bindparam("now"))
)
_BEGUN = insert(attempts)
_ENDED = (
    update(attempts)
    .where(attempts.c.delivery_id == bindparam("of_delivery"), attempts.c.fence == bindparam("of_fence"))
    .values(ended_at=bindparam("now"), outcome=bindparam("outcome"), detail=bindparam("detail"))
)
_DUE = (
    select(deliveries)
    .where(deliveries.c.channel == bindparam("channel"), deliveries.c.state.in_(_LOOKED_AT))
    .where(deliveries.c.next_at <= bindparam("now"))
    .order_by(deliveries.c.next_at, deliveries.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def next_due(tx: Connection, channel: str, now: datetime) -> Delivery | None:
    """The one delivery of this channel whose turn it is; on PostgreSQL locked, passing over what others hold."""
    row = tx.execute(_DUE, {"channel": channel, "now": now}).first()
    return _value(row) if row else None


def next_moment(tx: Connection, channels: Iterable[str]) -> datetime | None:
    """When the next delivery of any of these channels comes due, however far away."""
    query = select(func.min(deliveries.c.next_at)).where(deliveries.c.state.in_(_LOOKED_AT))
    moment: datetime | None = tx.execute(query.where(deliveries.c.channel.in_(list(channels)))).scalar()
    return moment


def orphaned(tx: Connection, known: Iterable[str], now: datetime) -> tuple[Delivery, ...]:
    """Due on an account that is no longer configured."""
    query = select(deliveries).where(deliveries.c.state.in_(_LOOKED_AT), deliveries.c.next_at <= now)
    return _all(tx, query.where(deliveries.c.channel.not_in(list(known))).limit(100))


def expired(tx: Connection, now: datetime) -> tuple[Delivery, ...]:
    states = [state.value for state in IN_FLIGHT - {DeliveryState.UNKNOWN}]
    return _all(tx, select(deliveries).where(deliveries.c.state.in_(states), deliveries.c.lease_until < now))


def in_flight(tx: Connection) -> tuple[Delivery, ...]:
    """Those whose first byte may have left, or may leave at any moment."""
    states = (DeliveryState.SENDING.value, DeliveryState.CLAIMED.value)
    return _all(tx, select(deliveries).where(deliveries.c.state.in_(states)))


def change(tx: Connection, delivery: Delivery, state: DeliveryState, reason: Reason | str = "", **columns: Any) -> bool:  # noqa: ANN401
    """Move a delivery on, if it is still as it was read; False means another worker changed it meanwhile."""
    as_read = {"as_id": delivery.id, "as_fence": delivery.fence, "as_state": delivery.state.value}
    values = {"state": state.value, "reason": str(reason), **columns}
    return tx.execute(_changing(tuple(values)), values | as_read).rowcount == 1


@cache
def _changing(columns: tuple[str, ...]) -> Update:
    where = (
        deliveries.c.id == bindparam("as_id"),
        deliveries.c.fence == bindparam("as_fence"),
        deliveries.c.state == bindparam("as_state"),
    )
    return update(deliveries).where(*where).values({name: bindparam(name) for name in columns})


def release_children(tx: Connection, delivery: Delivery, now: datetime) -> None:
    """The parts that answer this one may go now."""
    tx.execute(_RELEASED, {"parent": delivery.id, "now": now})


def cancel_open(tx: Connection, post_id: int, reason: Reason | str) -> tuple[Delivery, ...]:
    """Cancel whatever of the post has not begun to be sent; returns what was cancelled."""
    where = (deliveries.c.post_id == post_id, deliveries.c.state.in_(_OPEN))
    open_ones = _all(tx, select(deliveries).where(*where))
    tx.execute(
        update(deliveries)
        .where(*where)
        .values(state=DeliveryState.CANCELLED.value, reason=str(reason), fence=deliveries.c.fence + 1)
    )
    return open_ones


def revive(tx: Connection, post_id: int, digest: str) -> int:
    """Bring back cancelled deliveries of exactly this approved content that were never tried; returns how many."""
    result = tx.execute(
        update(deliveries)
        .where(deliveries.c.post_id == post_id, deliveries.c.digest == digest, deliveries.c.attempts == 0)
        .where(deliveries.c.state == DeliveryState.CANCELLED.value)
        .values(state=DeliveryState.SCHEDULED.value, reason="")
    )
    return result.rowcount


def taken(tx: Connection, channel: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """When first parts go or went out on a channel between two moments."""
    query = (
        select(deliveries.c.due_at)
        .where(deliveries.c.channel == channel, deliveries.c.reply_to.is_(None))
        .where(deliveries.c.due_at >= start, deliveries.c.due_at < end)
        .where(deliveries.c.state.not_in([DeliveryState.CANCELLED.value, DeliveryState.MISSED.value]))
    )
    return tuple(sorted(row[0] for row in tx.execute(query)))


def published_count(tx: Connection, channel: str, since: datetime, *, due_before: datetime | None = None) -> int:
    """First parts published since a moment; with `due_before`, only those that were due before that."""
    given = {"channel": channel, "since": since}
    if due_before is None:
        return int(tx.execute(_PUBLISHED, given).scalar_one())
    return int(tx.execute(_PUBLISHED_LATE, given | {"before": due_before}).scalar_one())


def last_published(tx: Connection, channel: str) -> datetime | None:
    """When the newest first part went out on a channel."""
    moment: datetime | None = tx.execute(_LAST_PUBLISHED, {"channel": channel}).scalar()
    return moment


def begin_attempt(tx: Connection, delivery_id: int, fence: int, now: datetime) -> None:
    tx.execute(_BEGUN, {"delivery_id": delivery_id, "fence": fence, "began_at": now})


def end_attempt(tx: Connection, delivery_id: int, fence: int, now: datetime, outcome: str, detail: str) -> None:
    told = {"now": now, "outcome": outcome, "detail": detail[:LONGEST_DETAIL]}
    tx.execute(_ENDED, {"of_delivery": delivery_id, "of_fence": fence} | told)


@dataclass(frozen=True, slots=True)
class Attempt:
    fence: int
    began_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str


def attempts_of(tx: Connection, delivery_id: int) -> tuple[Attempt, ...]:
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.fence)
    return tuple(
        Attempt(row.fence, row.began_at, row.ended_at, row.outcome or "", row.detail) for row in tx.execute(query)
    )


def lateness(tx: Connection, last: int = 100) -> float:
    """Median seconds from due to published, of the newest first parts; 0 when nothing was published yet."""
    query = (
        select(deliveries.c.published_at, deliveries.c.due_at)
        .where(deliveries.c.published_at.is_not(None), deliveries.c.reply_to.is_(None))
        .order_by(deliveries.c.id.desc())
        .limit(last)
    )
    late = sorted((row.published_at - row.due_at).total_seconds() for row in tx.execute(query))
    return late[len(late) // 2] if late else 0.0


def counts(tx: Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return {row[0]: row[1] for row in tx.execute(query)}
