"""The attempts at each delivery: begun with its claim, ended with what came back, and never changed again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.domain.delivery import Delivery
from bot.store.deliveries import LONGEST_DETAIL
from bot.store.rows import value
from bot.store.tables import attempts


@dataclass(frozen=True, slots=True)
class Attempt:
    fence: int
    began_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""
    detail: str = ""


_BEGUN = insert(attempts)
_ENDED = (
    update(attempts)
    .where(attempts.c.delivery_id == bindparam("of_delivery"), attempts.c.fence == bindparam("of_fence"))
    .values(ended_at=bindparam("now"), outcome=bindparam("outcome"), detail=bindparam("detail"))
)


def begin_attempts(tx: Connection, begun: Iterable[tuple[Delivery, int]], now: datetime) -> None:
    """Each as it was claimed, and its cost in millionths of a US dollar."""
    rows = [
        {"delivery_id": each.id, "channel": each.channel, "fence": each.fence, "cost": cost, "began_at": now}
        for each, cost in begun
    ]
    if rows:
        tx.execute(_BEGUN, rows)


def end_attempts(tx: Connection, ended: Iterable[tuple[Delivery, str, str]], now: datetime) -> None:
    """Each as it was claimed, its outcome, and what was said."""
    rows = [
        {"of_delivery": each.id, "of_fence": each.fence, "now": now, "outcome": how, "detail": said[:LONGEST_DETAIL]}
        for each, how, said in ended
    ]
    if rows:
        tx.execute(_ENDED, rows)


def attempts_of(tx: Connection, delivery_id: int) -> tuple[Attempt, ...]:
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.fence)
    return tuple(value(Attempt, row) for row in tx.execute(query))
