"""A year of one case's days, worded now and approved on one page by two reviewers, post by post."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import Case
from bot.domain.delivery import Reason
from bot.domain.errors import BadInput, Refused
from bot.domain.occasions import Occasion
from bot.domain.people import Duty, Person, require
from bot.domain.post import OPEN, Post, PostState
from bot.domain.review import Void, require_reason
from bot.domain.slots import VIETNAM, at_local, local_date
from bot.services.cards import with_cards
from bot.services.context import Context
from bot.services.known import everybody
from bot.services.people import aliases
from bot.services.plan import draft
from bot.services.quorum import is_partly_sent, unapprove
from bot.services.readings import Fact, Reading, facts_of, read_all, require_ticked
from bot.services.review import Approved, approve_in
from bot.services.sketch import Desk, LeftOut, Sketch, find_occasions, open_desk, sketch
from bot.store import approvals, cases, posts
from bot.store.approvals import Standing
from bot.store.audit import Payload

A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Proposed:
    """The posts that two reviewers may now approve, and the days that will not speak by themselves, with why."""

    standing: Standing
    posts: tuple[Post, ...]
    barred: tuple[Occasion, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """How many of its posts are in which state; `by` is the alias of who proposed it."""

    standing: Standing
    by: str
    states: Mapping[str, int]

    @property
    def is_over(self) -> bool:
        return not OPEN & set(self.states)


@dataclass(frozen=True, slots=True)
class Year:
    """A standing approval as it lies before one person: what waits for a yes, the other posts, and the days of
    these people that are not covered, each with why or with the post that marks it by itself.
    """

    listed: Listed
    waiting: tuple[Reading, ...]
    facts: tuple[Fact, ...]
    others: tuple[Post, ...]
    uncovered: tuple[tuple[Occasion, int], ...]
    cases: Mapping[str, Case]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a proposal would draft, what waits already and would join, and what it would not cover, and why."""

    sketches: Sequence[Sketch]
    joining: tuple[Post, ...]
    barred: tuple[Occasion, ...]
    left_out: Sequence[LeftOut]
    end: date


def propose_standing(
    ctx: Context, actor: Person, slugs: Collection[str], channels: Sequence[str] = (), until: date | None = None
) -> Proposed:
    """Draft every day of these cases until then, a year at most, exactly as it will be posted.

    Days that are in review already join, those that were approved or turned down stay as they are.
    """
    require(actor, Duty.WRITE_POST)
    desk, ahead, marked = _look_ahead(ctx, slugs, channels, until)
    sketches = with_cards(ctx, desk, ahead.sketches)
    with ctx.store.write() as tx:
        waiting = [post for post in posts.by_ids(tx, marked) if _may_join(post)]
        if not sketches and not waiting:
            raise Refused("These cases have no day until {day} that may speak by itself.", day=ahead.end)
        for content in [*(each.content for each in sketches), *(post.content for post in waiting)]:
            require(actor, Duty.WRITE_POST, content.scope)
        campaign = (sketches[0].content if sketches else waiting[0].content).campaign
        standing = approvals.propose(tx, campaign, at_local(ahead.end, time(0), VIETNAM), actor.id, ctx.now())
        posts.bind(tx, [post.id for post in waiting], standing.id)
        drafted = draft(ctx, tx, None, sketches, standing.id)
        told = {"posts": len(waiting) + len(drafted), "until": ahead.end.isoformat()}
        ctx.record(tx, actor, Act.STANDING_PROPOSED, f"standing:{standing.id}", told)
        return Proposed(standing, posts.of_standing(tx, standing.id), ahead.barred, tuple(ahead.left_out))


def prospect(ctx: Context, slugs: Collection[str], channels: Sequence[str] = (), until: date | None = None) -> Prospect:
    """What `propose_standing` would do, done to nothing."""
    return _look_ahead(ctx, slugs, channels, until)[1]


def _look_ahead(
    ctx: Context, slugs: Collection[str], channels: Sequence[str], until: date | None
) -> tuple[Desk, Prospect, Collection[int]]:
    start = ctx.today()
    end = until or start + A_YEAR
    if not start <= end <= start + A_YEAR:
        raise BadInput(
            "A standing approval reaches at most a year ahead. Choose a day until {day}.", day=start + A_YEAR
        )
    for name in channels:
        ctx.channel(name)
    with ctx.store.read() as tx:
        for slug in slugs:
            cases.get(tx, slug)
        desk = _desk(ctx, tx, slugs, start, end)
        theirs = [one for one in find_occasions(ctx, desk, start, end) if not set(slugs).isdisjoint(one.cases)]
        marked = posts.occasions_taken(tx, [occasion.key for occasion in theirs])
        joining = tuple(post for post in posts.by_ids(tx, marked.values()) if _may_join(post))
    sketches, barred = sketch(ctx, desk, [one for one in theirs if one.key not in marked], channels)
    return desk, Prospect(sketches, joining, barred, desk.left_out, end), marked.values()


def _desk(ctx: Context, tx: Connection, slugs: Iterable[str], start: date, end: date) -> Desk:
    """With these people, and whoever may have been tried with them."""
    known = everybody(ctx, tx)
    near = known.near(*(known.cases[slug] for slug in slugs if slug in known.cases))
    return open_desk(ctx, tx, start, end, near)


def _may_join(post: Post) -> bool:
    return post.state is PostState.IN_REVIEW and post.standing_id is None


def approve_standing(
    ctx: Context, actor: Person, standing_id: int, digests: Mapping[int, str], ticked: Collection[str] | None = None
) -> tuple[Approved, ...]:
    """This person's yes to each of these posts by its digest, all or none. Raises as `approve` does.

    `ticked` are the facts that were ticked on a page, which must be all of these posts'; None where none was shown.
    """
    with ctx.store.write() as tx:
        approvals.standing(tx, standing_id)
        theirs = {post.id: post for post in posts.of_standing(tx, standing_id)}
        if not digests or not digests.keys() <= theirs.keys():
            raise BadInput("Name posts of standing approval {id}, each with its digest.", id=standing_id)
        if ticked is not None:
            require_ticked({each.key for each in facts_of(ctx, tx, [theirs[post_id] for post_id in digests])}, ticked)
        ctx.record(tx, actor, Act.STANDING_APPROVED, f"standing:{standing_id}", {"posts": len(digests)})
        return tuple(approve_in(ctx, tx, actor, theirs[post_id], digest) for post_id, digest in digests.items())


def get_standing(ctx: Context, standing_id: int) -> Proposed:
    """As it stands now."""
    with ctx.store.read() as tx:
        return Proposed(approvals.standing(tx, standing_id), posts.of_standing(tx, standing_id))


def list_standings(ctx: Context) -> tuple[Listed, ...]:
    """The newest first."""
    with ctx.store.read() as tx:
        names, states = aliases(ctx, tx), approvals.states_of_standings(tx)
        return tuple(Listed(each, names[each.proposed_by], states.get(each.id, {})) for each in approvals.standings(tx))


def read_standing(ctx: Context, person: Person, standing_id: int) -> Year:
    """Raises NotFound."""
    with ctx.store.read() as tx:
        standing, theirs = approvals.standing(tx, standing_id), posts.of_standing(tx, standing_id)
        waiting = [post for post in theirs if post.state is PostState.IN_REVIEW]
        slugs = {slug for post in theirs for slug in post.content.cases}
        listed = Listed(
            standing,
            aliases(ctx, tx)[standing.proposed_by],
            {state: sum(post.state is state for post in theirs) for state in {post.state for post in theirs}},
        )
        uncovered = () if listed.is_over else _uncovered(ctx, tx, standing, theirs, slugs)
        named = cases.by_slug(tx, slugs | {slug for one, _ in uncovered for slug in one.cases})
        return Year(
            listed=listed,
            waiting=read_all(ctx, tx, person, waiting),
            facts=tuple(facts_of(ctx, tx, waiting)),
            others=tuple(post for post in theirs if post.state is not PostState.IN_REVIEW),
            uncovered=uncovered,
            cases=named,
        )


def _uncovered(
    ctx: Context, tx: Connection, standing: Standing, theirs: Sequence[Post], slugs: Collection[str]
) -> tuple[tuple[Occasion, int], ...]:
    start, end = ctx.today(), local_date(standing.until, VIETNAM)
    desk, own = _desk(ctx, tx, slugs, start, end), {post.occasion for post in theirs}
    found = [one for one in find_occasions(ctx, desk, start, end) if not set(slugs).isdisjoint(one.cases)]
    marked = posts.occasions_taken(tx, [one.key for one in found])
    return tuple((one, marked.get(one.key, 0)) for one in found if one.key not in own)


def end_standing(ctx: Context, actor: Person, standing_id: int, reason: str) -> tuple[int, ...]:
    """Every yes to what is not out is void: what the program drafted is cancelled, and its days are drafted anew in
    their time, for the usual review; what a person has edited is returned. Returns these posts.
    """
    require(actor, Duty.CANCEL_POST)
    said = require_reason(reason)
    with ctx.store.write() as tx:
        approvals.standing(tx, standing_id)
        ending = [post for post in posts.of_standing(tx, standing_id) if post.state in OPEN | {PostState.DRAFT}]
        unsent = [post for post in ending if not is_partly_sent(tx, post)]
        if not unsent:
            raise Refused("Standing approval {id} is over: none of its posts waits any more.", id=standing_id)
        for post in unsent:
            require(actor, Duty.CANCEL_POST, post.content.scope)
            _take_out(ctx, tx, actor, post)
        words = Payload(actor.pseudonym, {"reason": said})
        ctx.record(tx, actor, Act.STANDING_VOIDED, f"standing:{standing_id}", {"posts": len(unsent)}, words)
    return tuple(post.id for post in unsent)


def _take_out(ctx: Context, tx: Connection, actor: Person, post: Post) -> None:
    by_program = all(revision.author_id is None for revision in posts.revisions(tx, post.id))
    unapprove(ctx, tx, actor, post, Void.STANDING_ENDED, Reason.POST_CANCELLED if by_program else Reason.POST_CHANGED)
    state, act = PostState.RETURNED, Act.POST_RETURNED
    if by_program:
        posts.free_occasion(tx, post.id)
        state, act = PostState.CANCELLED, Act.POST_CANCELLED
    posts.set_state(tx, post.id, state, Void.STANDING_ENDED.value, ctx.now())
    ctx.record(tx, actor, act, f"post:{post.id}", {"reason": Void.STANDING_ENDED.value})
