"""A year of one case's days, worded now and approved on one page by two reviewers, post by post."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from bot.domain.audit import Act
from bot.domain.errors import BadInput, Refused
from bot.domain.occasions import Occasion
from bot.domain.people import Duty, Person, require
from bot.domain.post import Post, PostState
from bot.domain.slots import VIETNAM, at_local
from bot.services.cards import with_cards
from bot.services.context import Context
from bot.services.plan import draft
from bot.services.review import Approved, approve_in
from bot.services.sketch import LeftOut, find_occasions, open_desk, sketch
from bot.store import approvals, cases, posts
from bot.store.approvals import Standing

A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Proposed:
    """The posts that two reviewers may now approve, and the days that will not speak by themselves, with why."""

    standing: Standing
    posts: tuple[Post, ...]
    barred: tuple[Occasion, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def propose_standing(
    ctx: Context, actor: Person, slugs: Collection[str], channels: Sequence[str] = (), until: date | None = None
) -> Proposed:
    """Draft every day of these cases until then, a year at most, exactly as it will be posted.

    Days that are in review already join, those that were approved or turned down stay as they are.
    """
    require(actor, Duty.WRITE_POST)
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
        desk = open_desk(ctx, tx, start, end)
        theirs = [one for one in find_occasions(ctx, desk, start, end) if not set(slugs).isdisjoint(one.cases)]
        marked = posts.occasions_taken(tx, [occasion.key for occasion in theirs])
    worded, barred = sketch(ctx, desk, [one for one in theirs if one.key not in marked], channels)
    sketches = with_cards(ctx, desk, worded)
    with ctx.store.write() as tx:
        waiting = [post for post_id in marked.values() if _may_join(post := posts.get(tx, post_id))]
        if not sketches and not waiting:
            raise Refused("These cases have no day until {day} that may speak by itself.", day=end)
        campaign = (sketches[0].content if sketches else waiting[0].content).campaign
        standing = approvals.propose(tx, campaign, at_local(end, time(0), VIETNAM), actor.id, ctx.now())
        posts.bind(tx, [post.id for post in waiting], standing.id)
        drafted = draft(ctx, tx, None, sketches, standing.id)
        told = {"posts": len(waiting) + len(drafted), "until": end.isoformat()}
        ctx.record(tx, actor, Act.STANDING_PROPOSED, f"standing:{standing.id}", told)
        return Proposed(standing, posts.of_standing(tx, standing.id), barred, tuple(desk.left_out))


def _may_join(post: Post) -> bool:
    return post.state is PostState.IN_REVIEW and post.standing_id is None


def approve_standing(ctx: Context, actor: Person, standing_id: int, digests: Mapping[int, str]) -> tuple[Approved, ...]:
    """This person's yes to each of these posts by its digest, all or none. Raises as `approve` does."""
    with ctx.store.write() as tx:
        approvals.standing(tx, standing_id)
        theirs = {post.id: post for post in posts.of_standing(tx, standing_id)}
        if not digests or not digests.keys() <= theirs.keys():
            raise BadInput("Name posts of standing approval {id}, each with its digest.", id=standing_id)
        ctx.record(tx, actor, Act.STANDING_APPROVED, f"standing:{standing_id}", {"posts": len(digests)})
        return tuple(approve_in(ctx, tx, actor, theirs[post_id], digest) for post_id, digest in digests.items())


def get_standing(ctx: Context, standing_id: int) -> Proposed:
    """As it stands now."""
    with ctx.store.read() as tx:
        return Proposed(approvals.standing(tx, standing_id), posts.of_standing(tx, standing_id))
