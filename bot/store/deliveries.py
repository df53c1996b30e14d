"""Deliveries. Every change after a claim names the fence: zero rows means another worker owns it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Update, bindparam, func, insert, or_, select, update

from bot.domain.delivery import IN_DOUBT, WAITING, Delivery, DeliveryState, Reason
from bot.domain.errors import NotFound, StoreFailed
from bot.domain.post import PostState
from bot.store.peers import tell
from bot.store.rows import batches, value
from bot.store.tables import COUNTED, IN_FLIGHT, LOST, deliveries, posts

LONGEST_DETAIL = 500
_c = deliveries.c
_OPEN = (*WAITING, DeliveryState.HELD, DeliveryState.CLAIMED)


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
    for each in new:
        answers = None if each.reply_to is None else ids[each.reply_to]
        next_at = each.due_at if answers is None else each.not_after
        row = asdict(each) | {"reply_to": answers, "state": DeliveryState.SCHEDULED, "next_at": next_at}
        ids.append(tx.execute(insert(deliveries).values(row).returning(_c.id)).scalar_one())
    tell(tx)


def _value(row: Row[Any]) -> Delivery:
    reference = json.loads(row.reference) if row.reference else None
    return value(Delivery, row, state=DeliveryState(row.state), reference=reference)


def fetch(tx: Connection, query: Select[Any], given: dict[str, Any] | None = None) -> tuple[Delivery, ...]:
    return tuple(_value(row) for row in tx.execute(query, given))


def get(tx: Connection, delivery_id: int) -> Delivery:
    for found in fetch(tx, _BY_ID, {"id": delivery_id}):
        return found
    raise NotFound("There is no delivery {id}.", id=delivery_id, command="delivery list")


def of_post(tx: Connection, post_id: int) -> tuple[Delivery, ...]:
    return of_posts(tx, [post_id]).get(post_id, ())


def of_posts(tx: Connection, post_ids: Iterable[int]) -> dict[int, tuple[Delivery, ...]]:
    """By post, of those that have any; in the order of channels and parts."""
    found: dict[int, tuple[Delivery, ...]] = {}
    for some in batches(post_ids):
        for each in fetch(tx, _OF_POSTS, {"posts": some}):
            found[each.post_id] = (*found.get(each.post_id, ()), each)
    return found


class Kin(NamedTuple):
    """A part of a post beside the others, without what it says, and how its post fares."""

    id: int
    post_id: int
    reply_to: int | None
    state: DeliveryState
    reason: str
    post_state: PostState


def kin(tx: Connection, post_ids: Iterable[int]) -> list[Kin]:
    """All parts of these posts, cancelled ones too."""
    rows = (row for some in batches(post_ids) for row in tx.execute(_KIN, {"posts": some}))
    return [Kin(*row[:3], DeliveryState(row.state), row.reason, PostState(row.post_state)) for row in rows]


class Progress(NamedTuple):
    """How one part of a post fares, without what it says."""

    post_id: int
    channel: str
    state: DeliveryState
    reason: str


def progress(tx: Connection, post_ids: Iterable[int]) -> dict[int, list[Progress]]:
    """Of each post the parts that were not cancelled."""
    found: dict[int, list[Progress]] = {}
    for some in batches(post_ids):
        query = select(_c.post_id, _c.channel, _c.state, _c.reason).where(_c.post_id.in_(some))
        for row in tx.execute(query.order_by(_c.channel, _c.part)):
            each = Progress(row.post_id, row.channel, DeliveryState(row.state), row.reason)
            if each.state is not DeliveryState.CANCELLED:
                found.setdefault(each.post_id, []).append(each)
    return found


def listed(
    tx: Connection,
    *,
    states: Iterable[DeliveryState] = (),
    channel: str = "",
    post_id: int | None = None,
    limit: int = 100,
) -> tuple[Delivery, ...]:
    """Newest due first."""
    query = select(deliveries).order_by(_c.due_at.desc(), _c.id.desc()).limit(limit)
    if wanted := list(states):
        query = query.where(COUNTED, _c.state.in_(wanted))
    if channel:
        query = query.where(_c.channel == channel)
    if post_id is not None:
        query = query.where(_c.post_id == post_id)
    return fetch(tx, query)


# Statements of the wave are built once: it runs them for every delivery, and building costs more than running.
_BY_ID = select(deliveries).where(_c.id == bindparam("id"))
_OF_POSTS = (
    select(deliveries)
    .where(_c.post_id.in_(bindparam("posts", expanding=True)))
    .order_by(_c.post_id, _c.channel, _c.part, _c.id)
)
_KIN = (
    select(_c.id, _c.post_id, _c.reply_to, _c.state, _c.reason, posts.c.state.label("post_state"))
    .join_from(deliveries, posts)
    .where(_c.post_id.in_(bindparam("posts", expanding=True)))
)
# Runs for many parents at once, so its states are written out: a list would be put in anew for each.
_RELEASED = (
    update(deliveries)
    .where(_c.reply_to == bindparam("parent"), or_(*(_c.state == state for state in WAITING)))
    .values(next_at=bindparam("now"))
)


def homeless(tx: Connection, known: Iterable[str]) -> dict[str, int]:
    """How many are still to be sent, however far away, by each account that is no longer configured."""
    query = select(_c.channel, func.count()).where(_c.state.in_(WAITING), _c.channel.not_in(list(known)))
    return {row[0]: row[1] for row in tx.execute(query.group_by(_c.channel).order_by(_c.channel))}


def ask_withdrawal(tx: Connection, post_id: int, now: datetime) -> tuple[Delivery, ...]:
    """What is out of the post is to be taken down from now on; returns all that is not down yet."""
    tell(tx)
    out = (_c.post_id == post_id, _c.state == DeliveryState.PUBLISHED, _c.withdrawn_at.is_(None))
    tx.execute(update(deliveries).where(*out).values(withdraw_at=now, withdraw_note="", look_at=None))
    return fetch(tx, select(deliveries).where(*out))


def note_withdrawal(
    tx: Connection, delivery: Delivery, *, withdrawn_at: datetime | None, again_at: datetime | None, note: str
) -> None:
    """What came of taking it down: it is down, it is tried again then, or neither: a person must."""
    values = {"withdrawn_at": withdrawn_at, "withdraw_at": again_at, "withdraw_note": note[:LONGEST_DETAIL]}
    tx.execute(update(deliveries).where(_c.id == delivery.id).values(values))


def note_sighting(
    tx: Connection, delivery: Delivery, *, again_at: datetime | None, now: datetime | None = None, sighting: str = ""
) -> None:
    """What a look found, or when to look again; with neither it is not looked at any more."""
    values = {"look_at": again_at, "looked_at": now, "sighting": sighting}
    tx.execute(update(deliveries).where(_c.id == delivery.id).values(values))


def lost(tx: Connection) -> tuple[Delivery, ...]:
    """Gone or changed behind our back, and nobody has said yet that they know; the newest look first."""
    unknown = (LOST, _c.acknowledged_at.is_(None))
    standing = (_c.withdrawn_at.is_(None), _c.withdraw_at.is_(None))
    return fetch(tx, select(deliveries).where(*unknown, *standing).order_by(_c.looked_at.desc(), _c.id))


def acknowledge(tx: Connection, delivery_id: int, now: datetime) -> None:
    tx.execute(update(deliveries).where(_c.id == delivery_id).values(acknowledged_at=now))


def expired(tx: Connection, now: datetime) -> tuple[Delivery, ...]:
    return fetch(tx, select(deliveries).where(IN_FLIGHT, _c.lease_until < now))


def unsent(tx: Connection) -> tuple[Delivery, ...]:
    """All that no byte has left of, the earliest first."""
    waits = _c.state.in_((*WAITING, DeliveryState.CLAIMED))
    return fetch(tx, select(deliveries).where(waits).order_by(_c.due_at, _c.id))


def in_flight(tx: Connection) -> tuple[Delivery, ...]:
    """Those whose first byte may have left, or may leave at any moment."""
    return fetch(tx, select(deliveries).where(IN_FLIGHT))


def change(tx: Connection, delivery: Delivery, state: DeliveryState, reason: Reason | str = "", **columns: Any) -> bool:  # noqa: ANN401
    """Move a delivery on, if it is still as it was read; False means another worker changed it meanwhile."""
    return bool(change_all(tx, state, reason, [(delivery, columns)]))


def change_all(
    tx: Connection, state: DeliveryState, reason: Reason | str, wanted: Sequence[tuple[Delivery, Mapping[str, Any]]]
) -> list[tuple[Delivery, Mapping[str, Any]]]:
    """As `change`, with the same columns for each; returns those that were still as they were read.

    Nobody else writes meanwhile, so what is found is what is changed, and the statement asks once more.
    """
    there = {
        tuple(row) for some in batches(each.id for each, _ in wanted) for row in tx.execute(_AS_READ, {"ids": some})
    }
    still = [(each, columns) for each, columns in wanted if (each.id, each.fence, each.state) in there]
    change_surely(tx, state, reason, still)
    return still


def change_surely(
    tx: Connection, state: DeliveryState, reason: Reason | str, wanted: Sequence[tuple[Delivery, Mapping[str, Any]]]
) -> None:
    """As `change_all`, of all or nothing: raises StoreFailed where one is not as it was read."""
    rows = [
        {"as_id": each.id, "as_fence": each.fence, "as_state": each.state, "state": state, "reason": reason, **columns}
        for each, columns in wanted
    ]
    if rows and tx.execute(_changing(("state", "reason", *wanted[0][1])), rows).rowcount != len(rows):
        raise StoreFailed("A delivery changed under its own lock. Nothing was sent.")


_AS_READ = select(_c.id, _c.fence, _c.state).where(_c.id.in_(bindparam("ids", expanding=True)))


@cache
def _changing(columns: tuple[str, ...]) -> Update:
    as_read = (_c.id == bindparam("as_id"), _c.fence == bindparam("as_fence"), _c.state == bindparam("as_state"))
    return update(deliveries).where(*as_read).values({name: bindparam(name) for name in columns})


def release_children(tx: Connection, parents: Iterable[int], now: datetime) -> None:
    """The parts that answer these may go now."""
    if rows := [{"parent": parent, "now": now} for parent in parents]:
        tx.execute(_RELEASED, rows)


def cancel_open(tx: Connection, post_id: int, reason: Reason | str) -> tuple[Delivery, ...]:
    """Cancel whatever of the post has not begun to be sent; returns what was cancelled.

    What is held because it may be out stays with the people who are to look.
    """
    where = (_c.post_id == post_id, _c.state.in_(_OPEN), _c.reason.not_in(IN_DOUBT))
    open_ones = fetch(tx, select(deliveries).where(*where))
    cancelled = {"state": DeliveryState.CANCELLED, "reason": reason, "fence": _c.fence + 1}
    tx.execute(update(deliveries).where(*where).values(cancelled))
    return open_ones


def revive(tx: Connection, post_id: int, digest: str) -> int:
    """Bring back cancelled deliveries of exactly this approved content that were never tried; returns how many."""
    tell(tx)
    untried = (_c.post_id == post_id, _c.digest == digest, _c.attempts == 0, _c.state == DeliveryState.CANCELLED)
    return tx.execute(update(deliveries).where(*untried).values(state=DeliveryState.SCHEDULED, reason="")).rowcount


def counts(tx: Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    return {row[0]: row[1] for row in tx.execute(select(_c.state, func.count()).where(COUNTED).group_by(_c.state))}
