"""Whose turn it is: what is due, to be taken down or to be seen again, found by one step in an index."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Select, String, TextClause, bindparam, cast, column, func, select

from bot.domain.delivery import Delivery
from bot.store.deliveries import fetch
from bot.store.tables import DUE, UNSEEN, UNWANTED, deliveries

_c = deliveries.c


def _turns(clause: TextClause, moment: str, *, last_part_first: bool = False) -> Mapping[str, Select[Any]]:
    """By database: on each channel of a JSON list the one whose turn it is, found by one step in its index.

    On PostgreSQL they are locked, passing over what others hold.
    """
    each, given = deliveries.alias("each"), bindparam("channels", type_=String)
    ties = [each.c.part.desc()] if last_part_first else []
    statements = {}
    for dialect, listed in (
        ("sqlite", func.json_each(given)),
        ("postgresql", func.json_array_elements_text(cast(given, JSON))),
    ):
        wanted = listed.table_valued(column("value", String), name="wanted")
        of_it = (each.c.channel == wanted.c.value, clause, each.c[moment] <= bindparam("now"))
        first = (
            select(each.c.id)
            .where(*of_it)
            .order_by(each.c[moment], *ties, each.c.id)
            .limit(1)
            .correlate(wanted)
            .scalar_subquery()
        )
        turns = select(deliveries).where(_c.id.in_(select(first).select_from(wanted)))
        statements[dialect] = turns.with_for_update(skip_locked=True)
    return statements


_DUE = _turns(DUE, "next_at")
_UNWANTED = _turns(UNWANTED, "withdraw_at", last_part_first=True)
_UNSEEN = _turns(UNSEEN, "look_at")
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


def next_due(tx: Connection, channels: Iterable[str], now: datetime) -> dict[str, Delivery]:
    """By channel the one delivery whose turn it is; none where nothing is due."""
    return _whose_turn(tx, _DUE, channels, now)


def next_unwanted(tx: Connection, channels: Iterable[str], now: datetime) -> dict[str, Delivery]:
    """By channel the one to be taken down next: of a thread the last part first, so that no answer is left hanging."""
    return _whose_turn(tx, _UNWANTED, channels, now)


def next_unseen(tx: Connection, channels: Iterable[str], now: datetime) -> dict[str, Delivery]:
    """By channel the published one that is to be looked at next, to see whether it still stands."""
    return _whose_turn(tx, _UNSEEN, channels, now)


def _whose_turn(
    tx: Connection, turns: Mapping[str, Select[Any]], channels: Iterable[str], now: datetime
) -> dict[str, Delivery]:
    given = {"channels": json.dumps(list(channels)), "now": now}
    return {each.channel: each for each in fetch(tx, turns[tx.dialect.name], given)}


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
