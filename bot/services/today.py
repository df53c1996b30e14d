"""What a person should see first: whether publishing is on, what needs somebody, what goes out, which days come."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from bot.domain.case import HELD, Case, is_confirmed
from bot.domain.checkpoint import Checkpoint
from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.occasions import Occasion
from bot.domain.people import DUTIES, Duty, Person, Role
from bot.domain.post import Post, PostState
from bot.domain.review import refusal
from bot.services.anchors import altered_from
from bot.services.channels import ailing, looked_in
from bot.services.context import Context
from bot.services.hearings import open_questions
from bot.services.keeping import Kept, kept
from bot.services.known import days_between, everybody
from bot.services.queue import Stopped, halt_in
from bot.store import approvals, audit, deliveries, heartbeats, people, posts
from bot.store.channels import Looked
from bot.store.engine import Store

SILENT = timedelta(minutes=5)
AHEAD = timedelta(hours=24)
RECENT = timedelta(days=3)
WEEK = timedelta(days=7)
LIMIT = 50
_TROUBLED = (DeliveryState.HELD, DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.MISSED)
_GOING = (PostState.IN_REVIEW, PostState.SCHEDULED, PostState.PUBLISHED, PostState.PARTLY_PUBLISHED)
_OUT = (PostState.SCHEDULED, PostState.PUBLISHED, PostState.PARTLY_PUBLISHED, PostState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Running:
    """`seen` is when a daemon was last there; `waiting` are the posts in review."""

    halt: Stopped | None
    seen: datetime | None
    silent: bool
    waiting: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A post some of whose deliveries need a person, each with why."""

    post: Post
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class ToReview:
    """Of the posts in review: how many of the next `looked` this person may approve, and which are due within a day."""

    number: int
    looked: int
    own: int
    soon: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Going:
    """A post about its time, with how many of its parts are out, of how many."""

    post: Post
    sent: int
    parts: int


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first things to do in a new installation."""

    name: str
    done: bool


@dataclass(frozen=True, slots=True)
class Today:
    troubles: tuple[Trouble, ...]
    lost: tuple[Delivery, ...]
    review: ToReview
    returned: tuple[Post, ...]
    lapsed: tuple[Post, ...]
    hearings: tuple[Post, ...]
    undated: int
    disputed: int
    unconfirmed: int
    held_cases: int
    clock_doubted: bool
    ailing: Mapping[str, Looked]
    going: tuple[Going, ...]
    days: tuple[tuple[Occasion, int], ...]
    cases: Mapping[str, Case]
    sealed: Checkpoint | None
    altered_from: int | None
    backup: Kept
    first_steps: tuple[Step, ...]


def running(ctx: Context) -> Running:
    with ctx.store.read() as tx:
        seen = heartbeats.last(tx)
        silent = seen is None or seen + SILENT < ctx.now()
        return Running(halt_in(ctx, tx), seen, silent, posts.count(tx, PostState.IN_REVIEW))


def look(ctx: Context, person: Person) -> Today:
    """One view of everything, as it stands now."""
    now = ctx.now()
    with ctx.store.read() as tx:
        known = _known(ctx, tx)
        counts = posts.counts(tx)
        marked = posts.occasions_taken(tx, [one.key for one in known.days])
        return Today(
            troubles=troubles(tx, now),
            lost=deliveries.lost(tx),
            review=_to_review(tx, person, counts.get(PostState.IN_REVIEW, 0), now),
            returned=_listed(tx, PostState.RETURNED),
            lapsed=_listed(tx, PostState.LAPSED, since=now - RECENT),
            hearings=open_questions(tx),
            undated=known.undated,
            disputed=known.disputed,
            unconfirmed=known.unconfirmed,
            held_cases=known.held,
            clock_doubted=heartbeats.in_doubt(tx),
            ailing=_ailing(ctx, tx),
            going=_going(tx, now),
            days=tuple((one, marked.get(one.key, 0)) for one in known.days),
            cases=everybody(ctx, tx).cases,
            sealed=audit.latest_checkpoint(tx),
            altered_from=altered_from(tx),
            backup=kept(ctx, tx),
            first_steps=_first_steps(ctx, tx, counts),
        )


def _ailing(ctx: Context, tx: Connection) -> Mapping[str, Looked]:
    found = looked_in(ctx, tx)
    return {name: found[name] for name in ailing(ctx, found)}


def troubles(tx: Connection, now: datetime) -> tuple[Trouble, ...]:
    """What a person must decide; what failed or came too late is shown for three days."""
    found = [
        each
        for each in deliveries.listed(tx, states=_TROUBLED, limit=4 * LIMIT)
        if each.state in {DeliveryState.HELD, DeliveryState.UNKNOWN} or each.due_at > now - RECENT
    ]
    return by_post(tx, found)


def by_post(tx: Connection, found: Iterable[Delivery]) -> tuple[Trouble, ...]:
    grouped: dict[int, list[Delivery]] = {}
    for each in found:
        grouped.setdefault(each.post_id, []).append(each)
    return tuple(Trouble(posts.get(tx, post_id), tuple(each)) for post_id, each in list(grouped.items())[:LIMIT])


def in_hand(ctx: Context) -> tuple[tuple[Trouble, ...], tuple[Trouble, ...]]:
    """What is being sent at this moment, and what is held for a person."""
    with ctx.store.read() as tx:
        held = deliveries.listed(tx, states=(DeliveryState.HELD,), limit=4 * LIMIT)
        return by_post(tx, deliveries.in_flight(tx)), by_post(tx, held)


def _listed(tx: Connection, state: PostState, since: datetime | None = None) -> tuple[Post, ...]:
    return posts.listed(tx, states=(state,), start=since, limit=LIMIT)


def _to_review(tx: Connection, person: Person, number: int, now: datetime) -> ToReview:
    """Whose yes would count is looked up for the next posts only: nobody reads more at a sitting."""
    waiting = _listed(tx, PostState.IN_REVIEW)
    own = _may_approve(tx, person, waiting) if person.roles & DUTIES[Duty.APPROVE_POST] else 0
    soon = tuple(post for post in waiting if post.content.due and now < post.content.due < now + AHEAD)
    return ToReview(number, len(waiting), own, soon)


def _may_approve(tx: Connection, person: Person, waiting: Collection[Post]) -> int:
    """How many of them."""
    authors = approvals.authors_of(tx, {post.id: post.content.cites for post in waiting})
    yeses = approvals.of_posts(tx, authors)
    return sum(refusal(person, post, authors[post.id], yeses.get(post.id, ())) is None for post in waiting)


def _going(tx: Connection, now: datetime) -> tuple[Going, ...]:
    """From half a day ago to a day ahead, in order."""
    found = posts.listed(tx, states=_GOING, start=now - AHEAD / 2, end=now + AHEAD, limit=LIMIT)
    return tuple(_progress(tx, post) for post in found)


def _progress(tx: Connection, post: Post) -> Going:
    parts = [each for each in deliveries.of_post(tx, post.id) if each.state is not DeliveryState.CANCELLED]
    return Going(post, sum(each.state is DeliveryState.PUBLISHED for each in parts), len(parts))


@dataclass(frozen=True, slots=True)
class _Known:
    """What only a change of the cases, or another day, can change."""

    days: tuple[Occasion, ...]
    undated: int
    disputed: int
    unconfirmed: int
    held: int


_seen: WeakKeyDictionary[Store, tuple[tuple[date, int], _Known]] = WeakKeyDictionary()


def _known(ctx: Context, tx: Connection) -> _Known:
    """Going through ten thousand cases takes a while, so what came of it is kept until one changes."""
    today = ctx.today()
    version = (today, audit.newest_of(tx, "case", "campaign"))
    kept = _seen.get(ctx.store)
    if kept is None or kept[0] != version:
        kept = _seen[ctx.store] = (version, _read_cases(ctx, tx, today))
    return kept[1]


def _read_cases(ctx: Context, tx: Connection, today: date) -> _Known:
    everyone = everybody(ctx, tx).cases.values()
    held = [case for case in everyone if case.status in HELD]
    age = ctx.planning.status_max_age_days
    return _Known(
        days=days_between(ctx, tx, today, today + WEEK),
        undated=sum(not any(event.date.exact for event in case.events) for case in held),
        disputed=sum(case.is_disputed for case in everyone),
        unconfirmed=sum(not is_confirmed(case, today, age) for case in held),
        held=len(held),
    )


def _first_steps(ctx: Context, tx: Connection, counts: Mapping[str, int]) -> tuple[Step, ...]:
    """Empty once a post was approved: then nobody is new here."""
    if any(counts.get(state) for state in _OUT):
        return ()
    here = [each.person for each in people.everyone(tx) if each.person.active]
    writers, readers = ({each.id for each in here if each.roles & {role}} for role in (Role.COORDINATOR, Role.REVIEWER))
    drafted = sum(counts.get(state, 0) for state in (PostState.DRAFT, PostState.RETURNED))
    return (
        Step("people", bool(writers) and bool(readers) and len(writers | readers) > 1),
        Step("accounts", bool(ctx.channels)),
        Step("post", bool(drafted or counts.get(PostState.IN_REVIEW))),
        Step("approval", done=False),
    )
