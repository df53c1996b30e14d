"""How many people must say yes to a post, and taking their yes back when what they read is no more."""

from collections.abc import Mapping

from sqlalchemy import Connection

from bot.domain import review
from bot.domain.audit import Act
from bot.domain.case import Case
from bot.domain.delivery import Reason, may_be_out
from bot.domain.errors import Refused
from bot.domain.people import Person
from bot.domain.post import Post
from bot.domain.review import Void
from bot.services.context import Context
from bot.store import approvals, deliveries


def needed_approvals(ctx: Context, tx: Connection, post: Post, named: Mapping[str, Case]) -> int:
    """`named` are the cases of the post as they stand now."""
    campaign = ctx.schedules.campaign(post.content.campaign)
    return review.needed_approvals(
        post.content,
        named.values(),
        campaign=campaign.approvals if campaign else review.MOST_APPROVALS,
        first_public=approvals.first_public(tx, post.content.cases),
        standing=post.standing_id is not None,
    )


def is_partly_sent(tx: Connection, post: Post) -> bool:
    """Some of it is out, or may be."""
    return any(may_be_out(delivery) for delivery in deliveries.of_post(tx, post.id))


def require_unsent(tx: Connection, post: Post) -> None:
    if is_partly_sent(tx, post):
        raise Refused(
            "Part of post {id} is out or being sent, so it stays as it is. Withdraw it, or write another.", id=post.id
        )


def unapprove(
    ctx: Context, tx: Connection, actor: Person | None, post: Post, why: Void, reason: Reason = Reason.POST_CHANGED
) -> int:
    """No yes to the post counts any more and nothing of it waits to be sent; returns how many did count."""
    voided = approvals.void(tx, post.id, ctx.now(), why)
    if voided:
        told = {"why": why.value, "approvals": voided, "digest": post.digest}
        ctx.record(tx, actor, Act.POST_APPROVAL_VOIDED, f"post:{post.id}", told)
    for delivery in deliveries.cancel_open(tx, post.id, reason):
        told = {"attempt": delivery.fence, "reason": reason.value}
        ctx.record(tx, actor, Act.DELIVERY_CANCELLED, f"delivery:{delivery.id}", told)
    return voided
