"""Everybody and their days as the pages need them: kept, and read anew one by one as they change."""

import re
from bisect import insort
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import RLock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from bot.domain.case import HELD, Case, vietnamese_key
from bot.domain.hearings import groups_of
from bot.domain.occasions import Occasion, written_order
from bot.services.context import Context
from bot.services.sketch import Desk, find_occasions
from bot.store import audit, cases, holds
from bot.store.engine import Store

MOST_RENEWED, MOST_CARRIED = 1_000, 50
# Looking for a week's days takes as long as for a season's, so more are found than were asked for.
BEHIND, AHEAD = timedelta(days=31), timedelta(days=99)
_KEPT_RANGES = 6
_NUMBERED = re.compile(r"case:([0-9]{1,15})")
_EXPORTED = "case:all"


@dataclass(frozen=True, slots=True)
class Known:
    """Everybody, as of one entry of the log; who may have been tried together, by their hearing; who is held and has no
    exact date with a source, by name; and the occasions of the days that were asked for.
    """

    version: int
    cases: Mapping[str, Case]
    heard: Mapping[Hashable, frozenset[str]]
    undated: tuple[Case, ...]
    occasions: dict[tuple[date, date], tuple[Occasion, ...]] = field(default_factory=dict)

    def near(self, *named: Case) -> dict[str, Case]:
        """These and whoever may have been tried with one of them."""
        slugs = {slug for case in named for group in groups_of(case) for slug in self.heard.get(group, ())}
        return {slug: self.cases[slug] for slug in sorted(slugs)} | {case.slug: case for case in named}


at_hand: WeakKeyDictionary[Store, Known] = WeakKeyDictionary()
# What takes a second is worked out by one thread, while the others wait for it.
one_at_a_time = RLock()


def everybody(ctx: Context, tx: Connection) -> Known:
    """Reading ten thousand cases takes a second, so they are kept, and read anew one by one as they change.

    For reading transactions only: what is rolled back must never be kept.
    """
    with one_at_a_time:
        version, kept = audit.newest_of(tx, "case", "campaign"), at_hand.get(ctx.store)
        if kept is None or kept.version != version:
            kept = at_hand[ctx.store] = _renewed(ctx, tx, kept, version)
        return kept


def _renewed(ctx: Context, tx: Connection, kept: Known | None, version: int) -> Known:
    """A case that did not change stays the same value."""
    changed = _changed(tx, kept) if kept and kept.version < version else None
    if kept is None or changed is None:
        found = {case.slug: case for case in cases.everyone(tx)}
        return Known(version, found, _regrouped({}, (), found.values()), _undated(found.values()))
    before = [kept.cases[case.slug] for case in changed if case.slug in kept.cases]
    found = {**kept.cases, **{case.slug: case for case in changed}}
    everyone = dict(sorted(found.items())) if changed else kept.cases
    after = Known(version, everyone, _regrouped(kept.heard, before, changed), _undated(everyone.values()))
    if len(changed) <= MOST_CARRIED and not audit.objects_since(tx, kept.version, "campaign"):
        touched = {*kept.near(*before), *after.near(*changed)}
        after.occasions.update(
            {days: _carried(ctx, tx, after, touched, days, old) for days, old in kept.occasions.items()}
        )
    return after


def _changed(tx: Connection, kept: Known) -> Sequence[Case] | None:
    """None where the log does not say which cases did."""
    told = audit.objects_since(tx, kept.version, "case") - {_EXPORTED}
    numbers = [_NUMBERED.fullmatch(each) for each in told]
    if len(told) > MOST_RENEWED or not all(numbers):
        return None
    return cases.by_ids(tx, [int(each[1]) for each in numbers if each])


def _regrouped(
    heard: Mapping[Hashable, frozenset[str]], before: Iterable[Case], after: Iterable[Case]
) -> Mapping[Hashable, frozenset[str]]:
    found = dict(heard)
    for case in before:
        found |= {group: found[group] - {case.slug} for group in groups_of(case)}
    for case in after:
        found |= {group: found.get(group, frozenset()) | {case.slug} for group in groups_of(case)}
    return found


def _undated(everyone: Iterable[Case]) -> tuple[Case, ...]:
    held = (case for case in everyone if case.status in HELD)
    found = (case for case in held if not any(each.date.exact and each.sources for each in case.events))
    return tuple(sorted(found, key=lambda case: (vietnamese_key(case.name_vi), case.slug)))


def _carried(
    ctx: Context, tx: Connection, known: Known, touched: set[str], days: tuple[date, date], old: Iterable[Occasion]
) -> tuple[Occasion, ...]:
    """The occasions of who changed, and of who may have been tried with them, are found anew; the others stay."""
    found = [one for one in old if touched.isdisjoint(one.cases)]
    near = known.near(*(known.cases[slug] for slug in touched))
    for one in _find(ctx, tx, near, *days):
        if not touched.isdisjoint(one.cases):
            insort(found, one, key=written_order)
    return tuple(found)


def _find(ctx: Context, tx: Connection, known: Mapping[str, Case], start: date, end: date) -> tuple[Occasion, ...]:
    return find_occasions(ctx, Desk(known, {}, holds.open_holds(tx)), start, end)


def occasions_between(ctx: Context, tx: Connection, start: date, end: date) -> tuple[Occasion, ...]:
    """Of people, both days included, in written order."""
    with one_at_a_time:
        known = everybody(ctx, tx)
        kept = (found for (first, last), found in known.occasions.items() if first <= start and end <= last)
        found = next(kept, None)
        if found is None:
            if len(known.occasions) >= _KEPT_RANGES:
                known.occasions.clear()
            days = (start - BEHIND, end + AHEAD)
            found = known.occasions[days] = _find(ctx, tx, known.cases, *days)
    return tuple(one for one in found if start <= one.on <= end)


def days_between(ctx: Context, tx: Connection, start: date, end: date) -> tuple[Occasion, ...]:
    """Of people and of the world, both days included, in written order."""
    observances = {(one.id, one.on): one for one in ctx.schedules.observances(start, end)}
    observed = find_occasions(ctx, Desk({}, observances, holds.open_holds(tx)), start, end)
    return tuple(sorted((*occasions_between(ctx, tx, start, end), *observed), key=written_order))
