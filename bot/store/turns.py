"""Whose turn it is: what is due, to be taken down or to be seen again, found by one step in an index."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    Connection,
    Select,
    String,
    TableValuedAlias,
    TextClause,
    bindparam,
    cast,
    column,
    func,
    select,
    union_all,
)

from bot.domain.delivery import Delivery, DeliveryState
from bot.store.deliveries import fetch
from bot.store.tables import DUE, UNSEEN, UNWANTED, deliveries

_c = deliveries.c


class Turns(NamedTuple):
    """By channel the one that is to be taken down, sent, or seen again next; none where there is nothing."""

    unwanted: dict[str, Delivery]
    due: dict[str, Delivery]
    unseen: dict[str, Delivery]


def _turns() -> Mapping[str, Select[Any]]:
    """By database: on each channel of a JSON list those whose turn it is, each found by one step in its index.

    On PostgreSQL they are locked, passing over what others hold.
    """
    given = bindparam("channels", type_=String)
    statements = {}
    for dialect, listed in (
        ("sqlite", func.json_each(given)),
        ("postgresql", func.json_array_elements_text(cast(given, JSON))),
    ):
        wanted = listed.table_valued(column("value", String), name="wanted")
        firsts = union_all(*(_first(wanted, *kind) for kind in _KINDS))
        statements[dialect] = select(deliveries).where(_c.id.in_(firsts)).with_for_update(skip_locked=True)
    return statements


def _first(wanted: TableValuedAlias, clause: TextClause, moment: str, *ties: str) -> Select[Any]:
    each = deliveries.alias("each")
    of_it = (each.c.channel == wanted.c.value, clause, each.c[moment] <= bindparam("now"))
    order = (each.c[moment], *(each.c[tie].desc() for tie in ties), each.c.id)
    first = select(each.c.id).where(*of_it).order_by(*order).limit(1).correlate(wanted)
    return select(first.scalar_subquery()).select_from(wanted)


# Of a thread the last part is taken down first, so that no answer is left hanging.
_KINDS = ((UNWANTED, "withdraw_at", "part"), (DUE, "next_at"), (UNSEEN, "look_at"))
_TURNS = _turns()
# Hidden in a function, the channel does not tempt a planner away from the index by time, whose first row this is.
_NEXT_MOMENT = (
    select(_c.next_at)
    .where(DUE, func.coalesce(_c.channel, "").in_(bindparam("channels", expanding=True)))
    .order_by(_c.next_at)
    .limit(1)
)
_NEXT_UNWANTED = select(func.min(_c.withdraw_at)).where(UNWANTED, _c.channel.in_(bindparam("channels", expanding=True)))
_ORPHANED = (
    select(deliveries)
    .where(DUE, _c.next_at <= bindparam("now"), _c.channel.not_in(bindparam("known", expanding=True)))
    .limit(100)
)
_ANY_UNSEEN = select(_c.id).where(UNSEEN, _c.look_at <= bindparam("now")).limit(1)


def whose_turn(tx: Connection, channels: Collection[str], now: datetime) -> Turns:
    turns = Turns({}, {}, {})
    given = {"channels": json.dumps(list(channels)), "now": now}
    for each in fetch(tx, _TURNS[tx.dialect.name], given) if channels else ():
        if each.state is not DeliveryState.PUBLISHED:
            turns.due[each.channel] = each
        elif each.withdraw_at and each.withdraw_at <= now:
            turns.unwanted[each.channel] = each
        else:
            turns.unseen[each.channel] = each
    return turns


def next_moment(tx: Connection, channels: Iterable[str]) -> datetime | None:
    """When the next delivery of any of these channels comes due, or is to be taken down, however far away."""
    given = {"channels": list(channels)}
    return min(
        filter(None, (tx.execute(query, given).scalar() for query in (_NEXT_MOMENT, _NEXT_UNWANTED))), default=None
    )


def any_unseen(tx: Connection, now: datetime) -> bool:
    return tx.execute(_ANY_UNSEEN, {"now": now}).first() is not None


def orphaned(tx: Connection, known: Iterable[str], now: datetime) -> tuple[Delivery, ...]:
    """Due on an account that is no longer configured."""
    return fetch(tx, _ORPHANED, {"now": now, "known": list(known)})
