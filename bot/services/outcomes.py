"""What each outcome leads to: the delivery's next state, its audit entry, and what becomes of the post."""

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.delivery import (
    ENDED,
    LOOK_AFTER,
    LOOK_AGAIN,
    LOOK_SPREAD,
    LOOK_UNTIL,
    TRIES,
    WAITING,
    Delivery,
    DeliveryState,
    Reason,
    Sighting,
    back_off,
    look_again,
)
from bot.domain.post import PostState, canonical
from bot.domain.review import Void
from bot.ports import ALWAYS, Absent, Failure, Outcome, Published, Receipt, Unsure
from bot.services.context import Context
from bot.store import attempts, deliveries, holds, posts
from bot.store.deliveries import Kin

LOOKS = 2
WITHDRAW_AGAIN = timedelta(minutes=10)
PAUSING = frozenset({Failure.AUTH_BROKEN, Failure.BILLING, Failure.BLOCKED})


def conclude(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent | Unsure | None) -> bool:
    """Write down what came back if it was no receipt, unless the fence shows that somebody else has taken over.

    True where the delivery has ended, here and below: what comes of that is `follow`'s.
    """
    if isinstance(outcome, Absent):
        return _conclude_absent(ctx, tx, delivery, outcome)
    again = ctx.now() + _settling(ctx, delivery)
    move(ctx, tx, delivery, DeliveryState.UNKNOWN, Reason.NO_ANSWER, next_at=again)
    return False


def conclude_repeat(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent | Unsure | None) -> bool:
    """A repeat that was refused is surely absent; what it repeated may be out all the same, and stays unknown."""
    if not isinstance(outcome, Absent):
        return conclude(ctx, tx, delivery, outcome)
    _pause_if_broken(ctx, tx, delivery, outcome)
    again = max(outcome.retry_at or ctx.now(), ctx.now() + _settling(ctx, delivery))
    move(ctx, tx, delivery, DeliveryState.UNKNOWN, Reason.NO_ANSWER, next_at=again)
    return False


def repeats(ctx: Context, delivery: Delivery) -> timedelta | None:
    """How long after the first attempt its platform knows it again by its key; None: it must not be repeated."""
    channel = ctx.channels.get(delivery.channel)
    return channel.platform.repeats if channel else None


def _settling(ctx: Context, delivery: Delivery) -> timedelta:
    """What is under way must have arrived before anybody looks, or asks again where two at once could be two posts.

    Where they never could be, a repeat waits as after a refusal, and no longer than a look would.
    """
    settle = timedelta(seconds=ctx.publishing.settle_s)
    if repeats(ctx, delivery) == ALWAYS:
        return min(back_off(delivery.attempts - 1, _jitter()), settle)
    return settle


def _jitter() -> float:
    return random.SystemRandom().random()


def told(outcome: Outcome | None) -> tuple[str, str]:
    if isinstance(outcome, Published):
        return "published", outcome.receipt.remote_id
    if isinstance(outcome, Absent):
        return outcome.failure.value, outcome.detail
    return "unknown", outcome.detail if outcome else ""


def _conclude_absent(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent) -> bool:
    reason = Reason(outcome.failure.value)
    if outcome.failure is Failure.REJECTED:
        return end(ctx, tx, delivery, DeliveryState.FAILED, reason)
    if _pause_if_broken(ctx, tx, delivery, outcome):
        move(ctx, tx, delivery, DeliveryState.HELD, reason)
        return False
    again = outcome.retry_at or ctx.now() + back_off(delivery.attempts - 1, _jitter())
    if delivery.attempts >= TRIES:
        return end(ctx, tx, delivery, DeliveryState.FAILED, Reason.TRIES_SPENT)
    if again > delivery.not_after:
        return end(ctx, tx, delivery, DeliveryState.FAILED, reason)
    move(ctx, tx, delivery, DeliveryState.RETRY_WAIT, reason, next_at=again)
    return False


def _pause_if_broken(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent) -> bool:
    """Whether the service lets this account post no more; it is paused, once."""
    if outcome.failure not in PAUSING:
        return False
    reason = outcome.failure.value
    if holds.pause(tx, delivery.channel, ctx.now(), None, reason):
        ctx.record(tx, None, Act.CHANNEL_PAUSED, f"channel:{delivery.channel}", {"reason": reason})
    return True


def conclude_look(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent | Unsure | None) -> bool:
    """Absence is believed only when seen twice, a settle time apart; no way to tell means a person decides."""
    now = ctx.now()
    if outcome is not None:
        _conclude_no_look(ctx, tx, delivery, outcome)
    elif delivery.looks + 1 < LOOKS:
        again = now + timedelta(seconds=ctx.publishing.settle_s)
        deliveries.change(tx, delivery, DeliveryState.UNKNOWN, delivery.reason, looks=delivery.looks + 1, next_at=again)
    elif delivery.attempts >= TRIES:
        return end(ctx, tx, delivery, DeliveryState.FAILED, Reason.TRIES_SPENT)
    else:
        move(ctx, tx, delivery, DeliveryState.RETRY_WAIT, Reason.NOT_FOUND_TWICE, next_at=now)
    return False


def _conclude_no_look(ctx: Context, tx: Connection, delivery: Delivery, outcome: Absent | Unsure) -> None:
    """What only a person can tell goes to one at once; a look that merely failed is tried again for some hours."""
    now, only_a_person = ctx.now(), outcome.ask if isinstance(outcome, Unsure) else None
    tried = attempts.attempts_of(tx, delivery.id)
    wait = look_again(now - (tried[-1].began_at if tried else delivery.due_at), _jitter())
    if only_a_person or wait is None:
        move(ctx, tx, delivery, DeliveryState.HELD, only_a_person or Reason.LOOKS_FAILED)
    else:
        deliveries.change(tx, delivery, DeliveryState.UNKNOWN, delivery.reason, next_at=now + wait)


def conclude_withdrawal(ctx: Context, tx: Connection, delivery: Delivery, outcome: Outcome | None) -> bool:
    """Down is down; what is refused a person must take down; all else is tried again, however long it takes."""
    now = ctx.now()
    if isinstance(outcome, Published):
        deliveries.note_withdrawal(tx, delivery, withdrawn_at=now, again_at=None, note="")
        ctx.record(tx, None, Act.DELIVERY_WITHDRAWN, f"delivery:{delivery.id}", {"remote": delivery.remote_id})
        return False
    reason = Reason(outcome.failure.value) if isinstance(outcome, Absent) else Reason.NO_ANSWER
    again = (outcome.retry_at if isinstance(outcome, Absent) else None) or now + WITHDRAW_AGAIN
    given_up = reason is Reason.REJECTED
    deliveries.note_withdrawal(tx, delivery, withdrawn_at=None, again_at=None if given_up else again, note=reason.value)
    if reason.value != delivery.withdraw_note:
        said = {"reason": reason.value}
        ctx.record(tx, None, Act.DELIVERY_NOT_WITHDRAWN, f"delivery:{delivery.id}", said)
    return False


def conclude_revisit(ctx: Context, tx: Connection, delivery: Delivery, outcome: Sighting | Unsure) -> bool:
    """What became of it since is on record; where nobody can look it is left, after a few tries."""
    now = ctx.now()
    if isinstance(outcome, Unsure):
        over = outcome.ask or now + LOOK_AGAIN > (delivery.published_at or now) + LOOK_UNTIL
        deliveries.note_sighting(tx, delivery, again_at=None if over else now + LOOK_AGAIN)
        return False
    deliveries.note_sighting(tx, delivery, again_at=None, now=now, sighting=outcome.value)
    if outcome is not Sighting.THERE:
        said = {"remote": delivery.remote_id}
        act = Act.DELIVERY_GONE if outcome is Sighting.GONE else Act.DELIVERY_CHANGED
        ctx.record(tx, None, act, f"delivery:{delivery.id}", said)
    return False


def publish(
    ctx: Context, tx: Connection, out: Sequence[tuple[Delivery, Receipt]], reason: Reason | str = ""
) -> list[Delivery]:
    """They are out: keep the receipts. Returns those that no other worker owns now."""
    wanted = [
        (
            delivery,
            {
                "remote_id": receipt.remote_id,
                "url": receipt.url,
                "reference": canonical(dict(receipt.reference)),
                "published_at": ctx.now(),
                "look_at": ctx.now() + LOOK_AFTER + LOOK_SPREAD * _jitter(),
            },
        )
        for delivery, receipt in out
    ]
    return _move(ctx, tx, DeliveryState.PUBLISHED, reason, wanted)


def end(ctx: Context, tx: Connection, delivery: Delivery, state: DeliveryState, reason: Reason) -> bool:
    """Over without having gone out; whatever would have answered it cannot go either."""
    if not move(ctx, tx, delivery, state, reason):
        return False
    for child in deliveries.of_post(tx, delivery.post_id):
        if child.reply_to == delivery.id and child.state is DeliveryState.SCHEDULED:
            end(ctx, tx, child, DeliveryState.MISSED, Reason.PARENT_MISSING)
    return True


def follow(ctx: Context, tx: Connection, ended: Collection[Delivery]) -> None:
    """What comes of those that have just ended: their answers may go, a post withdrawn meanwhile is taken down, and
    a post of which all has ended says what became of it.
    """
    now, ids = ctx.now(), {each.id for each in ended}
    kin = deliveries.kin(tx, dict.fromkeys(each.post_id for each in ended))
    out = {each.id: each.post_id for each in kin if each.id in ids and each.state is DeliveryState.PUBLISHED}
    deliveries.release_children(
        tx, {each.reply_to for each in kin if each.reply_to in out and each.state in WAITING}, now
    )
    withdrawn = {each.post_id for each in kin if each.post_state is PostState.WITHDRAWN}
    for post_id in withdrawn.intersection(out.values()):
        deliveries.ask_withdrawal(tx, post_id, now)
    standing: dict[int, list[Kin]] = {}
    for each in kin:
        if each.post_id not in withdrawn:
            standing.setdefault(each.post_id, []).append(each)
    settle_posts(ctx, tx, standing)


_REPLACED = frozenset({Reason.POST_CHANGED, Reason.POST_CANCELLED})
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
    return bool(_move(ctx, tx, state, reason, [(delivery, columns)]))


def _move(
    ctx: Context,
    tx: Connection,
    state: DeliveryState,
    reason: Reason | str,
    wanted: Sequence[tuple[Delivery, Mapping[str, object]]],
) -> list[Delivery]:
    moved = deliveries.change_all(tx, state, reason, wanted)
    for delivery, columns in moved:
        said = {"attempt": delivery.fence, "reason": str(reason)}
        if state is DeliveryState.PUBLISHED:
            said = {"attempt": delivery.fence, "remote": str(columns["remote_id"]), "digest": delivery.digest}
        ctx.record(tx, None, _ACTS[state], f"delivery:{delivery.id}", said)
    return [delivery for delivery, _ in moved]


def settle_posts(ctx: Context, tx: Connection, found: Mapping[int, Collection[Delivery | Kin]]) -> None:
    """When every delivery has ended, the post says what became of it; nothing sent at all goes back to a person."""
    become: dict[int, tuple[PostState, str]] = {}
    for post_id, all_of_it in found.items():
        states = [each.state for each in all_of_it if each.reason not in _REPLACED]
        if not states or not ENDED.issuperset(each.state for each in all_of_it):
            continue
        out = states.count(DeliveryState.PUBLISHED)
        state = PostState.PARTLY_PUBLISHED if out else PostState.RETURNED
        said: dict[str, object] = {"deliveries": out, "of": len(states)} if out else {"reason": Void.NOT_SENT.value}
        if out == len(states):
            state, said = PostState.PUBLISHED, {"deliveries": out}
        become[post_id] = state, "" if out else Void.NOT_SENT.value
        ctx.record(tx, None, Act.POST_PUBLISHED if out else Act.POST_RETURNED, f"post:{post_id}", said)
    posts.set_states(tx, become, ctx.now())
