"""From draft to approved: submit freezes the bytes, approval binds to them, and any change takes it back."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import Case
from bot.domain.delivery import Reason
from bot.domain.errors import Refused
from bot.domain.people import Duty, Person, require
from bot.domain.post import EDITABLE, OPEN, Post, PostState
from bot.domain.review import (
    Void,
    after_fact_change,
    counting,
    has_lapsed,
    require_may_approve,
    require_reason,
    require_state,
    stale_cites,
)
from bot.services.content import freeze, renditions_if_ready
from bot.services.context import Context
from bot.services.enqueue import enqueue
from bot.services.outcomes import settle_posts
from bot.services.quorum import is_partly_sent, needed_approvals, require_unsent, unapprove
from bot.store import approvals, cases, deliveries, posts
from bot.store.audit import Payload

SUBMITTABLE = EDITABLE - OPEN
CANCELLABLE = EDITABLE


@dataclass(frozen=True, slots=True)
class Approved:
    """`missing` more people must say yes before it goes out."""

    post: Post
    missing: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a post when a fact it rests on changes: so many yeses are void, and it gets another state, or
    None where parts of it are out and only what waits is stopped.
    """

    post: Post
    voided: int
    becomes: PostState | None = None


def submit(ctx: Context, actor: Person | None, post_id: int) -> Post:
    """Freeze what every channel will get and put it before a reviewer. Raises Blocked with all that is to mend."""
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        if actor:
            require(actor, Duty.WRITE_POST, post.content.scope)
        require_state(post, SUBMITTABLE, "submit")
        return put_in_review(ctx, tx, actor, post)


def put_in_review(ctx: Context, tx: Connection, actor: Person | None, post: Post) -> Post:
    manifest, digest = freeze(post.id, post.document, renditions_if_ready(ctx, tx, post.content))
    posts.freeze(tx, [(post.id, manifest, digest)], ctx.now())
    ctx.record(tx, actor, Act.POST_SUBMITTED, f"post:{post.id}", {"digest": digest, "revision": post.revision})
    return posts.get(tx, post.id)


def approve(ctx: Context, actor: Person, post_id: int, digest: str) -> Approved:
    """This person's yes to exactly these bytes; the last one needed schedules the post.

    Raises Conflict if the text changed since it was read, Refused if this yes cannot count or comes too late.
    """
    with ctx.store.write() as tx:
        return approve_in(ctx, tx, actor, posts.get(tx, post_id), digest)


def require_approver(ctx: Context, actor: Person, post_id: int) -> None:
    """Raises Refused, before anybody reads the post, if this person's yes to it could not count."""
    with ctx.store.read() as tx:
        post = posts.get(tx, post_id)
        standing_yeses(tx, actor, post, post.digest)


def standing_yeses(tx: Connection, actor: Person, post: Post, digest: str) -> frozenset[int]:
    """Whose yes counts so far. Raises as `approve` does."""
    yeses = counting(approvals.of_post(tx, post.id), post.digest)
    authors = approvals.authors(tx, post.id, post.content.cites)
    require_may_approve(actor, post, digest, authors=authors, approved=yeses)
    return yeses


def approve_in(ctx: Context, tx: Connection, actor: Person, post: Post, digest: str) -> Approved:
    yeses = standing_yeses(tx, actor, post, digest)
    named = cases.by_slug(tx, post.content.cases)
    _require_still_true(ctx, post, named.values())
    needed = needed_approvals(ctx, tx, post, named)
    told = {"post": post.id, "digest": digest, "needed": needed}
    seq = ctx.record(tx, actor, Act.POST_APPROVED, f"post:{post.id}", told)
    approvals.add(tx, post.id, digest, actor.id, ctx.now(), seq)
    missing = max(0, needed - len(yeses) - 1)
    if missing == 0:
        posts.set_state(tx, post.id, PostState.SCHEDULED, "", ctx.now())
        ctx.record(tx, actor, Act.POST_SCHEDULED, f"post:{post.id}", {"digest": digest})
        post = posts.get(tx, post.id)
        enqueue(ctx, tx, post)
    return Approved(post, missing)


def _require_still_true(ctx: Context, post: Post, named: Collection[Case]) -> None:
    if has_lapsed(post, ctx.now()):
        raise Refused("The time of post {id} has passed. Give it a new one.", id=post.id)
    for case in named:
        if stale_cites(post.content.cites, case):
            raise Refused("A fact that post {id} rests on has changed. Return it to its author.", id=post.id)


def return_post(ctx: Context, actor: Person, post_id: int, reason: str) -> Post:
    """Ask for changes, with a reason; whoever approved it before must do so anew."""
    require(actor, Duty.RETURN_POST)
    said = require_reason(reason)
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        require(actor, Duty.RETURN_POST, post.content.scope)
        require_state(post, OPEN, "return")
        return _end_review(ctx, tx, actor, post, PostState.RETURNED, said)


def cancel(ctx: Context, actor: Person, post_id: int, reason: str) -> Post:
    """Nothing of it goes out, ever; also a reviewer's rejection. The reason stays in the log."""
    require(actor, Duty.CANCEL_POST)
    said = require_reason(reason)
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        require(actor, Duty.CANCEL_POST, post.content.scope)
        require_state(post, CANCELLABLE, "cancel")
        require_unsent(tx, post)
        return _end_review(ctx, tx, actor, post, PostState.CANCELLED, said)


_ENDINGS = {
    PostState.RETURNED: (Void.RETURNED, Act.POST_RETURNED),
    PostState.CANCELLED: (Void.CANCELLED, Act.POST_CANCELLED),
    PostState.LAPSED: (Void.LAPSED, Act.POST_LAPSED),
}


def _end_review(ctx: Context, tx: Connection, actor: Person | None, post: Post, state: PostState, reason: str) -> Post:
    """`reason` is a person's own words, kept so that they can be erased, or a word of the program's."""
    require_unsent(tx, post)
    why, act = _ENDINGS[state]
    cancelled = Reason.POST_CANCELLED if state is PostState.CANCELLED else Reason.POST_CHANGED
    unapprove(ctx, tx, actor, post, why, cancelled)
    posts.set_state(tx, post.id, state, reason, ctx.now())
    if actor:
        ctx.record(tx, actor, act, f"post:{post.id}", {}, Payload(actor.pseudonym, {"reason": reason}))
    else:
        ctx.record(tx, None, act, f"post:{post.id}", {"reason": reason})
    return posts.get(tx, post.id)


def lapse_overdue(ctx: Context) -> tuple[int, ...]:
    """What was not approved in time does not go out."""
    with ctx.store.write() as tx:
        now = ctx.now()
        overdue = [post for post in posts.due_before(tx, PostState.IN_REVIEW, now) if has_lapsed(post, now)]
        for post in overdue:
            _end_review(ctx, tx, None, post, PostState.LAPSED, Void.LAPSED.value)
    return tuple(post.id for post in overdue)


def foresee(tx: Connection, case: Case, facts: Collection[str]) -> tuple[Fate, ...]:
    """What a revision of these facts to what they are in `case` does to the posts that rest on them as they were."""
    waiting = posts.naming(tx, case.id, OPEN | {PostState.DRAFT})
    return tuple(_fate(tx, post) for post in waiting if after_fact_change(post, facts, case))


def _fate(tx: Connection, post: Post) -> Fate:
    """What the program drafted is cancelled and its occasion freed, so that the next plan words it anew; what a
    person wrote is returned to them. What is out or being sent stays: the gate has ruled on it.
    """
    voided = len(counting(approvals.of_post(tx, post.id), post.digest))
    if is_partly_sent(tx, post):
        return Fate(post, voided)
    by_program = all(revision.author_id is None for revision in posts.revisions(tx, post.id))
    return Fate(post, voided, PostState.CANCELLED if post.occasion and by_program else PostState.RETURNED)


def void_citing(ctx: Context, tx: Connection, case: Case, facts: Collection[str]) -> tuple[int, ...]:
    """Take back every waiting post that rests on these facts of the case as they were; returns their ids."""
    fates = foresee(tx, case, facts)
    for fate in fates:
        _take_back(ctx, tx, fate)
    return tuple(fate.post.id for fate in fates)


def _take_back(ctx: Context, tx: Connection, fate: Fate) -> None:
    post, state = fate.post, fate.becomes
    unapprove(ctx, tx, None, post, Void.FACT_CHANGED, Reason.POST_CHANGED if state else Reason.FACT_CHANGED)
    if state is None:
        settle_posts(ctx, tx, {post.id: deliveries.of_post(tx, post.id)})
        return
    if state is PostState.CANCELLED:
        posts.free_occasion(tx, post.id)
    act = Act.POST_CANCELLED if state is PostState.CANCELLED else Act.POST_RETURNED
    posts.set_state(tx, post.id, state, Void.FACT_CHANGED.value, ctx.now())
    ctx.record(tx, None, act, f"post:{post.id}", {"reason": Void.FACT_CHANGED.value})
