"""A month as people look at it: what is to be posted, whose days come round, and which observances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from sqlalchemy import Connection

from bot.domain.campaign import Observance
from bot.domain.case import Case, Precision, Status
from bot.domain.occasions import Occasion
from bot.domain.post import Post, PostState
from bot.domain.slots import at_local, local_date
from bot.services.context import Context
from bot.services.known import Known, everybody, occasions_between
from bot.store import posts

DAY = timedelta(days=1)
MOST_NAMED = 40


@dataclass(frozen=True, slots=True)
class Day:
    """`marked` pairs an occasion with the id of its post, or 0. So many `more` of either are not shown."""

    on: date
    posts: tuple[Post, ...] = ()
    marked: tuple[tuple[Occasion, int], ...] = ()
    observances: tuple[Observance, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Days:
    """`cases` are those that are named; `vague` observances are known by their month or year alone.

    `undated` people are held and have no exact date with a source: the first of them, by name, of so many.
    """

    days: tuple[Day, ...]
    cases: Mapping[str, Case]
    vague: tuple[Observance, ...]
    undated: tuple[Case, ...]
    undated_number: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader wants to see of a month, and at most how much a day."""

    posts: bool = True
    occasions: bool = True
    status: Status | None = None
    most: int = 6


def look(ctx: Context, start: date, end: date, zone: str, shown: Shown = Shown()) -> Days:
    """Both days included. Posts stand on their day in `zone`, all else on its day in Viet Nam."""
    with ctx.store.read() as tx:
        known = everybody(ctx, tx)
        days = {start + number * DAY: Day(start + number * DAY) for number in range((end - start).days + 1)}
        if shown.posts and not shown.status:
            _lay_posts(tx, days, zone, shown.most)
        if shown.occasions:
            _lay_occasions(tx, days, _wanted(ctx, tx, known, start, end, shown.status), shown.most)
    observances = () if shown.status or not shown.occasions else ctx.schedules.observances(start, end)
    for one in observances:
        if one.precision is Precision.DAY:
            on = max(one.on, start)
            days[on] = replace(days[on], observances=(*days[on].observances, one))
    named = {slug for day in days.values() for occasion, _ in day.marked for slug in occasion.cases}
    return Days(
        days=tuple(days.values()),
        cases={slug: known.cases[slug] for slug in named},
        vague=tuple(one for one in observances if one.precision is not Precision.DAY),
        undated=known.undated[:MOST_NAMED],
        undated_number=len(known.undated),
    )


def _lay_posts(tx: Connection, days: dict[date, Day], zone: str, most: int) -> None:
    """Only those that are shown are read."""
    first, last = min(days), max(days)
    start, end = at_local(first, time(), zone), at_local(last + DAY, time(), zone)
    numbers: dict[date, list[int]] = {}
    for post_id, due, state in posts.due_between(tx, start, end):
        if state is not PostState.CANCELLED:
            numbers.setdefault(local_date(due, zone), []).append(post_id)
    read = {post.id: post for post in posts.by_ids(tx, [each for ids in numbers.values() for each in ids[:most]])}
    for on, ids in numbers.items():
        shown = tuple(read[each] for each in ids[:most])
        days[on] = replace(days[on], posts=shown, more=days[on].more + len(ids) - len(shown))


def _wanted(
    ctx: Context, tx: Connection, known: Known, start: date, end: date, status: Status | None
) -> Sequence[Occasion]:
    found = occasions_between(ctx, tx, start, end)
    return [one for one in found if status is None or any(known.cases[slug].status is status for slug in one.cases)]


def _lay_occasions(tx: Connection, days: dict[date, Day], found: Sequence[Occasion], most: int) -> None:
    by_day: dict[date, list[Occasion]] = {}
    for one in found:
        by_day.setdefault(one.on, []).append(one)
    marked = posts.occasions_taken(tx, [one.key for of_day in by_day.values() for one in of_day[:most]])
    for on, of_day in by_day.items():
        shown = tuple((one, marked.get(one.key, 0)) for one in of_day[:most])
        days[on] = replace(days[on], marked=shown, more=days[on].more + len(of_day) - len(shown))
