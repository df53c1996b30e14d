"""Taking back what is out: a wrong post, or all that names a person whose family asks."""

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.delivery import Delivery, Reason
from bot.domain.errors import Refused
from bot.domain.people import Duty, Person, require
from bot.domain.post import Content, Post, PostState
from bot.domain.review import Void, require_reason
from bot.services.context import Context
from bot.services.posts import When, add_in
from bot.services.queue import stop
from bot.services.quorum import is_partly_sent, unapprove
from bot.store import cases, deliveries, posts
from bot.store.audit import Payload

_TAKEN_BACK = (PostState.SCHEDULED, PostState.PUBLISHED, PostState.PARTLY_PUBLISHED, PostState.WITHDRAWN)


def withdraw_post(ctx: Context, actor: Person, post_id: int, reason: str) -> tuple[Delivery, ...]:
    """Nothing more of it goes out, and the daemon takes down what is; returns what is still to be taken down.

    Asking again tries again where it could not be taken down. Raises Refused where nothing of it is out.
    """
    require(actor, Duty.WITHDRAW)
    said = require_reason(reason)
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        require(actor, Duty.WITHDRAW, post.content.scope)
        if not _is_out(tx, post):
            raise Refused(
                "Nothing of post {id} is out. To stop it, cancel it.", id=post.id, command=f"post cancel {post.id}"
            )
        return _take_back(ctx, tx, actor, post, said)


def correct_post(ctx: Context, author: Person, post_id: int, content: Content, when: When) -> Post:
    """A draft that puts right what is or was out; it needs its own two people. Raises as `add_post`."""
    require(author, Duty.WRITE_POST)
    with ctx.store.write() as tx:
        if not is_partly_sent(tx, posts.get(tx, post_id)):
            raise Refused("Nothing of post {id} is out, so nothing needs to be corrected. Edit it.", id=post_id)
        return add_in(ctx, tx, author, content, when, corrects=post_id)[0]


def withdraw_case(ctx: Context, actor: Person, slug: str, reason: str) -> tuple[Delivery, ...]:
    """Hold the case, and take down everything published that names the person, in one step."""
    require(actor, Duty.WITHDRAW)
    said = require_reason(reason)
    with ctx.store.write() as tx:
        case = cases.get(tx, slug)
        require(actor, Duty.WITHDRAW, ctx.schedules.scope_of(case))
        stop(ctx, tx, actor, ("case", slug), said)
        ctx.record(tx, actor, Act.CASE_WITHDRAWN, f"case:{case.id}", {}, _payload(f"case:{case.id}", said))
        named = [post for post in posts.naming(tx, case.id, _TAKEN_BACK) if _is_out(tx, post)]
        return tuple(each for post in named for each in _take_back(ctx, tx, actor, post, said))


def progress(ctx: Context, wanted: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """How far it is with these."""
    with ctx.store.read() as tx:
        return tuple(deliveries.get(tx, each.id) for each in wanted)


def out_naming(ctx: Context, slug: str) -> tuple[tuple[Post, tuple[Delivery, ...]], ...]:
    """The posts that name the person, newest first, each with what of it is, or may be, or was out."""
    with ctx.store.read() as tx:
        named = posts.naming(tx, cases.get(tx, slug).id, _TAKEN_BACK)
        found = ((post, tuple(each for each in deliveries.of_post(tx, post.id) if each.attempts)) for post in named)
        return tuple((post, out) for post, out in found if out)[::-1]


def _is_out(tx: Connection, post: Post) -> bool:
    """A part whose answer is awaited counts: it is taken down as soon as it is known to be there."""
    return any(each.attempts and each.withdrawn_at is None for each in deliveries.of_post(tx, post.id))


def _take_back(ctx: Context, tx: Connection, actor: Person, post: Post, reason: str) -> tuple[Delivery, ...]:
    unapprove(ctx, tx, actor, post, Void.CANCELLED, Reason.POST_CANCELLED)
    posts.set_state(tx, post.id, PostState.WITHDRAWN, reason, ctx.now())
    unwanted = deliveries.ask_withdrawal(tx, post.id, ctx.now())
    told = {"deliveries": len(unwanted)}
    ctx.record(tx, actor, Act.POST_WITHDRAWN, f"post:{post.id}", told, _payload(f"post:{post.id}", reason))
    return unwanted


def _payload(subject: str, reason: str) -> Payload:
    return Payload(subject, {"reason": reason})
