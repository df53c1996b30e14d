"""What goes out in the next 30 days as things stand now, and why something will not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from bot.domain.budget import Used, month_of
from bot.domain.case import Case, Consent, Event
from bot.domain.delivery import Reason
from bot.domain.facts import EVENT_FACT
from bot.domain.occasions import Bar, Occasion
from bot.domain.post import Content, Post, PostState, Rendition, render
from bot.domain.review import stale_cites
from bot.domain.tiers import tier_borne
from bot.services import budget
from bot.services.context import VIETNAM, Channel, Context
from bot.services.known import Known, days_between, everybody
from bot.services.sketch import Desk, Sketch, open_desk, sketch
from bot.store import holds, posts
from bot.store.engine import Store

AHEAD = timedelta(days=30)
MOST_POSTS = 500
MOST_SHOWN = 12
_PENDING = frozenset({PostState.DRAFT, PostState.RETURNED, PostState.IN_REVIEW, PostState.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Coming:
    """A post that is there already, or the sketch of one that will be drafted; with why it will not go out, or
    `without` which of its accounts it will.
    """

    due: datetime
    content: Content
    post: Post | None = None
    occasion: Occasion | None = None
    why: tuple[Reason, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unspoken:
    """Days that make no post by themselves for one reason: the first of so many."""

    why: Bar
    number: int
    first: tuple[Occasion, ...]


@dataclass(frozen=True, slots=True)
class Lacking:
    """An account that gets no words on so many days; `missing` is what the models would need to know."""

    account: str
    why: Bar
    number: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spending:
    """Of an account with a price or a budget: what this month has used up, and what is to come in it."""

    channel: Channel
    used: Used
    coming: Used

    @property
    def is_short(self) -> bool:
        both = Used(self.used.posts + self.coming.posts, self.used.cost + self.coming.cost)
        return self.channel.budget.is_set and both.share(self.channel.budget) > 1


@dataclass(frozen=True, slots=True)
class Forecast:
    """`coming` by time; `more` posts are not looked at, being too many."""

    coming: tuple[Coming, ...]
    unspoken: tuple[Unspoken, ...]
    lacking: tuple[Lacking, ...]
    spending: tuple[Spending, ...]
    cases: Mapping[str, Case]
    halted: bool
    more: int


@dataclass(frozen=True, slots=True)
class _Sketched:
    version: tuple[object, ...]
    sketches: tuple[Sketch, ...]
    barred: tuple[Occasion, ...]
    lacking: tuple[Lacking, ...]


_seen: WeakKeyDictionary[Store, _Sketched] = WeakKeyDictionary()


def look(ctx: Context) -> Forecast:
    now = ctx.now()
    with ctx.store.read() as tx:
        everyone = everybody(ctx, tx)
        known, sketched = everyone.cases, _sketched(ctx, tx, everyone)
        due = [row[0] for row in posts.due_between(tx, now, now + AHEAD) if row[2] in _PENDING]
        stops = _Stops(holds.open_holds(tx), holds.paused_channels(tx))
        there = [_of_post(ctx, post, known, stops) for post in posts.by_ids(tx, due[:MOST_POSTS])]
        coming = [*there, *(_of_sketch(ctx, each, known, stops) for each in sketched.sketches)]
        coming = sorted((each for each in coming if each.due > now), key=lambda each: each.due)
        return Forecast(
            coming=tuple(coming),
            unspoken=_unspoken(sketched.barred),
            lacking=sketched.lacking,
            spending=tuple(_spending(ctx, tx, coming)),
            cases=known,
            halted=holds.HALT in stops.held,
            more=max(len(due) - MOST_POSTS, 0),
        )


def _sketched(ctx: Context, tx: Connection, known: Known) -> _Sketched:
    """Wording a month of ten thousand people takes a while: it is kept until a case changes, or the time that posts
    take up, or which days have one.
    """
    start, end = ctx.today(), ctx.today() + AHEAD
    desk, found = open_desk(ctx, tx, start, end, known.cases), days_between(ctx, tx, start, end)
    taken = posts.occasions_taken(tx, [one.key for one in found])
    times = frozenset((day, tuple(sorted(moments))) for day, moments in desk.taken.items())
    version, kept = (start, known.version, frozenset(taken), times), _seen.get(ctx.store)
    if kept is None or kept.version != version:
        sketches, barred = sketch(ctx, desk, [one for one in found if one.key not in taken])
        kept = _seen[ctx.store] = _Sketched(version, tuple(sketches), barred, _lacking(desk))
    return kept


def _unspoken(barred: Iterable[Occasion]) -> tuple[Unspoken, ...]:
    """The most frequent reason first."""
    by_bar: defaultdict[Bar, list[Occasion]] = defaultdict(list)
    for one in barred:
        if one.bar:
            by_bar[one.bar].append(one)
    found = [Unspoken(bar, len(of_bar), tuple(of_bar[:MOST_SHOWN])) for bar, of_bar in by_bar.items()]
    return tuple(sorted(found, key=lambda each: -each.number))


def _lacking(desk: Desk) -> tuple[Lacking, ...]:
    groups: defaultdict[tuple[str, Bar, tuple[str, ...]], int] = defaultdict(int)
    for each in desk.left_out:
        groups[each.channel, each.why, tuple(sorted(each.missing))] += 1
    found = [Lacking(account, why, number, missing) for (account, why, missing), number in groups.items()]
    return tuple(sorted(found, key=lambda each: (-each.number, each.account)))


@dataclass(frozen=True, slots=True)
class _Stops:
    held: frozenset[tuple[str, str]]
    paused: frozenset[str]

    def silence(self, channel: str) -> bool:
        return channel in self.paused or ("channel", channel) in self.held


def _of_post(ctx: Context, post: Post, known: Mapping[str, Case], stops: _Stops) -> Coming:
    assert post.due  # noqa: S101 - found by its time
    why = () if post.state is PostState.SCHEDULED else (Reason.NOT_APPROVED,)
    stopped = _why(ctx, post.content, post.due, known, stops, ("post", str(post.id)))
    return Coming(post.due, post.content, post=post, why=(*why, *stopped), without=_without(ctx, post.content, stops))


def _of_sketch(ctx: Context, each: Sketch, known: Mapping[str, Case], stops: _Stops) -> Coming:
    due = each.content.due
    assert due  # noqa: S101 - every sketch has its hour
    why = tuple(_why(ctx, each.content, due, known, stops))
    return Coming(due, each.content, occasion=each.occasion, why=why, without=_without(ctx, each.content, stops))


def _without(ctx: Context, content: Content, stops: _Stops) -> tuple[str, ...]:
    """The accounts on which nothing goes out, where there are others."""
    silent = tuple(name for name in content.channels if name not in ctx.channels or stops.silence(name))
    return silent if len(silent) < len(content.channels) else ()


def _why(
    ctx: Context, content: Content, due: datetime, known: Mapping[str, Case], stops: _Stops, *own: tuple[str, str]
) -> Iterator[Reason]:
    """As the gate will ask at its time, of what can be known today."""
    named = [known[slug] for slug in content.cases if slug in known]
    scopes = {("campaign", content.campaign), *(("case", slug) for slug in content.cases), *own}
    scopes |= {("language", one) for one, _ in content.texts}
    if holds.HALT in stops.held:
        yield Reason.HALT
    if not scopes.isdisjoint(stops.held):
        yield Reason.HOLD
    if ctx.channels.keys().isdisjoint(content.channels):
        yield Reason.CHANNEL_GONE
    elif all(stops.silence(name) for name in content.channels if name in ctx.channels):
        yield Reason.CHANNEL_PAUSED
    if any(case.consent is Consent.REFUSED for case in named):
        yield Reason.CONSENT
    if len(named) < len(content.cases) or any(stale_cites(content.cites, case) for case in named):
        yield Reason.FACT_CHANGED
    on, most = due.astimezone(VIETNAM).date(), ctx.planning.status_max_age_days
    if not all(tier_borne(content.tier, case, _cited(content, case), on, most) for case in named):
        yield Reason.STATUS_AGED


def _cited(content: Content, case: Case) -> tuple[Event, ...]:
    facts = {cite.fact for cite in content.cites if cite.case == case.slug}
    return tuple(event for event in case.events if EVENT_FACT + event.key in facts)


def _spending(ctx: Context, tx: Connection, coming: Sequence[Coming]) -> Iterator[Spending]:
    _, end = month_of(ctx.now())
    this_month = [each.content for each in coming if each.due < end]
    for name, channel in ctx.channels.items():
        if channel.budget.is_set or budget.price(ctx, channel.profile):
            mine = [render(each, channel.profile) for each in this_month if name in each.channels]
            texts = [part.text for each in mine if isinstance(each, Rendition) for part in each.parts]
            expected = Used(len(texts), budget.cost(ctx, channel.profile, texts))
            yield Spending(channel, budget.used(ctx, tx, name), expected)
