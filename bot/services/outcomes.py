"""What each outcome leads to: the delivery's next state, its audit entry, and what becomes of the post."""

import random
from datetime import timedelta

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.delivery import (
    LOOK_AFTER,
    LOOK_AGAIN,
    LOOK_SPREAD,
    LOOK_UNTIL,
    TRIES,
    Delivery,
    DeliveryState,
    Reason,
    Sighting,
    back_off,
    look_again,
)
from bot.domain.post import PostState, canonical
from bot.ports import ALWAYS, Absent, Failure, Outcome, Published, Receipt, Unsure
from bot.services.context import Context
from bot.store import deliveries, holds, posts

LOOKS = 2
WITHDRAW_AGAIN = timedelta(minutes=10)
PAUSING = frozenset({Failure.AUTH_BROKEN, Failure.BILLING, Failure.BLOCKED})


def conclude(ctx: Context, tx: Connection, delivery: Delivery, outcome: Outcome | None) -> None:
    """Write down what came back from publishing, unless the fence shows that somebody else has taken over."""
    now = ctx.now()
    name, detail = _told(outcome)
    deliveries.end_attempt(tx, delivery.id, delivery.fence, now, name, detail)
    if isinstance(outcome, Published):
        publish(ctx, tx, delivery, outcome.receipt)
    elif isinstance(outcome, Absent):
        _conclude_absent(ctx, tx, delivery, outcome)
    else:
        move(ctx, tx, delivery, DeliveryState.UNKNOWN, Reason.NO_ANSWER, next_at=now + _settling(ctx, delivery))


def repeats(ctx: Context, delivery: Delivery) -> timedelta | None:
    """How long after the first attempt its platform knows it again by its key; None: it must not be repeated."""
    channel = ctx.channels.get(delivery.channel)
    return channel.platform.repeats if channel else None


def _settling(ctx: Context, delivery: Delivery) -> timedelta:
    """What is under way must have arrived before anybody looks, or asks again where two at once could be two posts."""
    if repeats(ctx, delivery) == ALWAYS:
        return back_off(delivery.attempts - 1, _jitter())
    return timedelta(seconds=ctx.publishing.settle_s)


def _jitter() -> float:
    return random.SystemRandom().random()


def _told(outcome: Outcome | None) -> tuple[str, str]:
    if isinstance(outcome, Published):
        return "published", outcome.receipt.remote_id
    if isinstance(outcome, Absent):
        return outcome.failure.value, outcome.detail
    return "unknown", outcome.detail if outcome else ""


def _conclude_absent(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent) -> None:
    reason = Reason(outcome.failure.value)
    if outcome.failure is Failure.REJECTED:
        end(ctx, tx, delivery, DeliveryState.FAILED, reason)
        return
    if outcome.failure in PAUSING:
        if holds.pause(tx, delivery.channel, ctx.now(), None, reason.value):
            ctx.record(tx, None, Act.CHANNEL_PAUSED, f"channel:{delivery.channel}", {"reason": reason.value})
        move(ctx, tx, delivery, DeliveryState.HELD, reason)
        return
    again = outcome.retry_at or ctx.now() + back_off(delivery.attempts - 1, _jitter())
    if delivery.attempts >= TRIES or again > delivery.not_after:
        end(ctx, tx, delivery, DeliveryState.FAILED, Reason.TRIES_SPENT if delivery.attempts >= TRIES else reason)
    else:
        move(ctx, tx, delivery, DeliveryState.RETRY_WAIT, reason, next_at=again)


def conclude_look(ctx: Context, tx: Connection, delivery: Delivery, outcome: Outcome | None) -> None:
    """Absence is believed only when seen twice, a settle time apart; no way to tell means a person decides."""
    now = ctx.now()
    if isinstance(outcome, Published):
        publish(ctx, tx, delivery, outcome.receipt)
    elif outcome is not None:
        _conclude_no_look(ctx, tx, delivery, outcome)
    elif delivery.looks + 1 < LOOKS:
        again = now + timedelta(seconds=ctx.publishing.settle_s)
        deliveries.change(tx, delivery, DeliveryState.UNKNOWN, delivery.reason, looks=delivery.looks + 1, next_at=again)
    elif delivery.attempts >= TRIES:
        end(ctx, tx, delivery, DeliveryState.FAILED, Reason.TRIES_SPENT)
    else:
        move(ctx, tx, delivery, DeliveryState.RETRY_WAIT, Reason.NOT_FOUND_TWICE, next_at=now)


def _conclude_no_look(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent | Unsure) -> None:
    """What only a person can tell goes to one at once; a look that merely failed is tried again for some hours."""
    now, only_a_person = ctx.now(), outcome.ask if isinstance(outcome, Unsure) else None
    tried = deliveries.attempts_of(tx, delivery.id)
    wait = look_again(now - (tried[-1].began_at if tried else delivery.due_at), _jitter())
    if only_a_person or wait is None:
        move(ctx, tx, delivery, DeliveryState.HELD, only_a_person or Reason.LOOKS_FAILED)
    else:
        deliveries.change(tx, delivery, DeliveryState.UNKNOWN, delivery.reason, next_at=now + wait)


def conclude_withdrawal(ctx: Context, tx: Connection, delivery: Delivery, outcome: Outcome | None) -> None:
    """Down is down; what is refused a person must take down; all else is tried again, however long it takes."""
    now = ctx.now()
    if isinstance(outcome, Published):
        deliveries.note_withdrawal(tx, delivery, withdrawn_at=now, again_at=None, note="")
        ctx.record(tx, None, Act.DELIVERY_WITHDRAWN, f"delivery:{delivery.id}", {"remote": delivery.remote_id})
        return
    reason = Reason(outcome.failure.value) if isinstance(outcome, Absent) else Reason.NO_ANSWER
    again = (outcome.retry_at if isinstance(outcome, Absent) else None) or now + WITHDRAW_AGAIN
    given_up = reason is Reason.REJECTED
    deliveries.note_withdrawal(tx, delivery, withdrawn_at=None, again_at=None if given_up else again, note=reason.value)
    if reason.value != delivery.withdraw_note:
        told = {"reason": reason.value}
        ctx.record(tx, None, Act.DELIVERY_NOT_WITHDRAWN, f"delivery:{delivery.id}", told)


def conclude_revisit(ctx: Context, tx: Connection, delivery: Delivery, outcome: Sighting | Unsure) -> None:
    """What became of it since is on record; where nobody can look it is left, after a few tries."""
    now = ctx.now()
    if isinstance(outcome, Unsure):
        over = outcome.ask or now + LOOK_AGAIN > (delivery.published_at or now) + LOOK_UNTIL
        deliveries.note_sighting(tx, delivery, again_at=None if over else now + LOOK_AGAIN)
        return
    deliveries.note_sighting(tx, delivery, again_at=None, now=now, sighting=outcome.value)
    if outcome is not Sighting.THERE:
        told = {"remote": delivery.remote_id}
        act = Act.DELIVERY_GONE if outcome is Sighting.GONE else Act.DELIVERY_CHANGED
        ctx.record(tx, None, act, f"delivery:{delivery.id}", told)


def publish(ctx: Context, tx: Connection, delivery: Delivery, receipt: Receipt, reason: Reason | str = "") -> None:
    """It is out: keep the receipt, let its answers go, and say so of the post when all is done."""
    moved = move(
        ctx,
        tx,
        delivery,
        DeliveryState.PUBLISHED,
        reason,
        remote_id=receipt.remote_id,
        url=receipt.url,
        reference=canonical(dict(receipt.reference)),
        published_at=ctx.now(),
        look_at=ctx.now() + LOOK_AFTER + LOOK_SPREAD * _jitter(),
    )
    if moved:
        if posts.get(tx, delivery.post_id).state is PostState.WITHDRAWN:
            deliveries.ask_withdrawal(tx, delivery.post_id, ctx.now())
        deliveries.release_children(tx, delivery, ctx.now())
        settle_post(ctx, tx, delivery.post_id)


def end(ctx: Context, tx: Connection, delivery: Delivery, state: DeliveryState, reason: Reason) -> None:
    """Over without having gone out; whatever would have answered it cannot go either."""
    if not move(ctx, tx, delivery, state, reason):
        return
    for child in deliveries.of_post(tx, delivery.post_id):
        if child.reply_to == delivery.id and child.state is DeliveryState.SCHEDULED:
            end(ctx, tx, child, DeliveryState.MISSED, Reason.PARENT_MISSING)
    settle_post(ctx, tx, delivery.post_id)


def drop(ctx: Context, tx: Connection, delivery: Delivery) -> None:
    """A person gives a held delivery up."""
    end(ctx, tx, delivery, DeliveryState.CANCELLED, Reason.SETTLED_DROP)


_ACTS = {
    DeliveryState.SCHEDULED: Act.DELIVERY_SCHEDULED,
    DeliveryState.RETRY_WAIT: Act.DELIVERY_RETRY,
    DeliveryState.UNKNOWN: Act.DELIVERY_UNKNOWN,
    DeliveryState.HELD: Act.DELIVERY_HELD,
    DeliveryState.PUBLISHED: Act.DELIVERY_PUBLISHED,
    DeliveryState.FAILED: Act.DELIVERY_FAILED,
    DeliveryState.MISSED: Act.DELIVERY_MISSED,
    DeliveryState.CANCELLED: Act.DELIVERY_CANCELLED,
}


def move(
    ctx: Context, tx: Connection, delivery: Delivery, state: DeliveryState, reason: Reason | str, **columns: object
) -> bool:
    """A change of state with its audit entry; False, and neither, when another worker owns the delivery now."""
    if not deliveries.change(tx, delivery, state, reason, **columns):
        return False
    told = {"attempt": delivery.fence, "reason": str(reason)}
    if state is DeliveryState.PUBLISHED:
        told = {"attempt": delivery.fence, "remote": str(columns.get("remote_id", "")), "digest": delivery.digest}
    ctx.record(tx, None, _ACTS[state], f"delivery:{delivery.id}", told)
    return True


def settle_post(ctx: Context, tx: Connection, post_id: int) -> None:
    """When every delivery has ended, the post says what became of it; nothing sent at all goes back to a person."""
    if not deliveries.all_ended(tx, post_id) or posts.get(tx, post_id).state is PostState.WITHDRAWN:
        return
    replaced = {Reason.POST_CHANGED, Reason.POST_CANCELLED}
    states = [delivery.state for delivery in deliveries.of_post(tx, post_id) if delivery.reason not in replaced]
    out = states.count(DeliveryState.PUBLISHED)
    if not states:
        return
    if out == len(states):
        posts.set_state(tx, post_id, PostState.PUBLISHED, "", ctx.now())
        ctx.record(tx, None, Act.POST_PUBLISHED, f"post:{post_id}", {"deliveries": out})
    elif out:
        posts.set_state(tx, post_id, PostState.PARTLY_PUBLISHED, "", ctx.now())
        ctx.record(tx, None, Act.POST_PUBLISHED, f"post:{post_id}", {"deliveries": out, "of": len(states)})
    else:
        posts.set_state(tx, post_id, PostState.RETURNED, "not_sent", ctx.now())
        ctx.record(tx, None, Act.POST_RETURNED, f"post:{post_id}", {"reason": "not_sent"})
