"""Deliveries from approval to receipt: commit, call the network, commit; one writer, one transaction a wave."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.audit import Act
from bot.domain.delivery import Delivery, DeliveryState, Reason, Ruling, Sighting, Verdict, may_repeat
from bot.domain.errors import StoreFailed, Tampered
from bot.ports import Published
from bot.services.audit import require_anchor
from bot.services.budget import cost
from bot.services.context import Context
from bot.services.errands import Done, Errand, parcel
from bot.services.gate import Wave, Worker, gather, open_wave, rule
from bot.services.outcomes import (
    conclude,
    conclude_look,
    conclude_repeat,
    conclude_revisit,
    conclude_withdrawal,
    end,
    follow,
    move,
    publish,
    repeats,
    told,
)
from bot.services.queue import stop
from bot.services.share import share
from bot.store import attempts, deliveries, heartbeats, holds, home, turns

RULINGS_A_CHANNEL = 50
BEFORE_ATTEMPT = timedelta(seconds=60)
ROOM_TO_LOOK = timedelta(minutes=5)


def start(ctx: Context, name: str) -> Worker:
    """Take note of how long nobody was here, and put in doubt whatever a dead worker was sending.

    Raises Misconfigured or StoreFailed where commits would not be safe. A database without what was signed
    from it last, or in another place than before, is a backup put back or a second copy: all of it is halted.
    """
    ctx.store.self_test()
    with ctx.store.write() as tx:
        worker = Worker(name, ctx.now(), heartbeats.last(tx))
        heartbeats.beat(tx, name, worker.up_since, suspect=heartbeats.in_doubt(tx))
        if (home.is_elsewhere(tx, ctx.store) or _went_back(ctx, tx)) and holds.find(tx, *holds.HALT) is None:
            stop(ctx, tx, None, holds.HALT, Reason.RESTORED.value)
    reap(ctx)
    return worker


def _went_back(ctx: Context, tx: Connection) -> bool:
    try:
        require_anchor(tx, ctx.keystore)
    except Tampered:
        return True
    return False


def reap(ctx: Context) -> tuple[Delivery, ...]:
    """An expired `sending` may have gone out: it becomes unknown, never claimable. A mere claim is free again."""
    with ctx.store.write() as tx:
        now = ctx.now()
        expired = deliveries.expired(tx, now)
        for delivery in expired:
            if delivery.state is DeliveryState.SENDING:
                attempts.end_attempts(tx, [(delivery, "unknown", Reason.LEASE_EXPIRED)], now)
                settle = timedelta(seconds=ctx.publishing.settle_s)
                move(ctx, tx, delivery, DeliveryState.UNKNOWN, Reason.LEASE_EXPIRED, next_at=now + settle)
            else:
                move(ctx, tx, delivery, DeliveryState.SCHEDULED, Reason.LEASE_EXPIRED)
    return expired


def is_to_look(ctx: Context) -> bool:
    """Whether anything published is to be seen again; that is no hour's work, so nothing wakes for it alone."""
    with ctx.store.read() as tx:
        return turns.any_unseen(tx, ctx.now())


def wave(
    ctx: Context,
    worker: Worker,
    done: Sequence[Done],
    free: Sequence[str],
    *,
    clock_suspect: bool = False,
    resting: Collection[str] = (),
) -> tuple[Errand, ...]:
    """In one transaction: what came back, and what each free channel may begin. Committed before any byte leaves.

    A channel that is `resting` is free to take down only.
    """
    with ctx.wave() as (within, tx):
        _conclude(within, tx, done)
        seen = open_wave(within, tx, worker, clock_suspect=clock_suspect)
        seen.resting = frozenset(resting)
        ours, room = share(ctx, tx, worker, free)
        errands = tuple(islice(_errands(within, seen, ours), room))
        # Those are no hurry, and the last wave of many begins nothing.
        for delivery in () if clock_suspect or errands else turns.orphaned(tx, ctx.channels, seen.now):
            unknown = delivery.state is DeliveryState.UNKNOWN
            move(within, tx, delivery, DeliveryState.HELD, Reason.CANNOT_LOOK if unknown else Reason.CHANNEL_GONE)
        _claim(within, seen)
        follow(within, tx, seen.ended)
        return errands


def _conclude(ctx: Context, tx: Connection, done: Sequence[Done]) -> None:
    tried = [
        (item.errand.delivery, *told(item.outcome))
        for item in done
        if _concluding(item.errand) in {conclude, conclude_repeat} and not isinstance(item.outcome, Sighting)
    ]
    attempts.end_attempts(tx, tried, ctx.now())
    out = {
        item.errand.delivery.id: (item.errand.delivery, item.outcome.receipt)
        for item in done
        if isinstance(item.outcome, Published) and not item.errand.unwanted
    }
    ended = publish(ctx, tx, tuple(out.values()))
    for item in done:
        delivery = item.errand.delivery
        if delivery.id not in out and _concluding(item.errand)(ctx, tx, delivery, item.outcome):
            ended.append(delivery)
    follow(ctx, tx, ended)


def _concluding(errand: Errand) -> Callable[[Context, Connection, Delivery, Any], bool]:
    if errand.revisit:
        return conclude_revisit
    if errand.unwanted:
        return conclude_withdrawal
    if errand.look_since is not None:
        return conclude_look
    return conclude_repeat if errand.repeat else conclude


def _errands(ctx: Context, seen: Wave, channels: Sequence[str]) -> Iterator[Errand]:
    """Taking down comes first, and needs no leave of the gate: nobody must wait for that.

    By a clock in doubt nothing is due, and nothing is too late: all else stays as it is.
    """
    unwanted, due, unseen = turns.whose_turn(seen.tx, channels, seen.now)
    callable_now = {name for name in channels if name not in unwanted and seen.may_call(name)}
    _gather_safely(ctx, seen, [each for name, each in due.items() if name in callable_now])
    for name in channels:
        if name in unwanted:
            yield _begin_withdrawal(ctx, seen, unwanted[name])
        elif name in callable_now and (
            errand := _begin_due(ctx, seen, due.get(name)) or _begin_revisit(ctx, seen, unseen.get(name))
        ):
            yield errand


def _begin_withdrawal(ctx: Context, seen: Wave, delivery: Delivery) -> Errand:
    again = seen.now + timedelta(seconds=ctx.publishing.lease_s)
    deliveries.note_withdrawal(seen.tx, delivery, withdrawn_at=None, again_at=again, note=delivery.withdraw_note)
    return Errand(delivery, parcel(ctx, seen.tx, delivery), unwanted=True)


def _begin_due(ctx: Context, seen: Wave, delivery: Delivery | None) -> Errand | None:
    """The first on the channel that the gate lets through, beginning with this one."""
    for _ in range(RULINGS_A_CHANNEL):
        if delivery is None:
            return None
        if delivery.state is DeliveryState.UNKNOWN:
            return _begin_repeat(ctx, seen, delivery) or _begin_look(ctx, seen, delivery)
        ruling = _rule_safely(ctx, seen, delivery)
        if ruling.verdict is Verdict.SEND:
            return _begin_sending(ctx, seen, delivery)
        _obey(ctx, seen, delivery, ruling)
        delivery = turns.whose_turn(seen.tx, [delivery.channel], seen.now).due.get(delivery.channel)
    return None


def _begin_revisit(ctx: Context, seen: Wave, delivery: Delivery | None) -> Errand | None:
    """Only where nothing is to be sent soon, so that no post waits for it."""
    if delivery is None:
        return None
    soon = turns.next_moment(seen.tx, [delivery.channel])
    if soon and soon < seen.now + ROOM_TO_LOOK:
        return None
    deliveries.note_sighting(seen.tx, delivery, again_at=seen.now + timedelta(seconds=ctx.publishing.lease_s))
    return Errand(delivery, parcel(ctx, seen.tx, delivery), revisit=True)


def _gather_safely(ctx: Context, seen: Wave, due: Collection[Delivery]) -> None:
    """What cannot be read is met again by its own ruling, which holds it; the others go on."""
    try:
        gather(ctx, seen, due)
    except (StoreFailed, SQLAlchemyError):
        raise
    except Exception:  # noqa: BLE001 - as in a ruling
        return


def _rule_safely(ctx: Context, seen: Wave, delivery: Delivery) -> Ruling:
    """Any doubt in the gate itself means no send. A database that fails ends the whole wave instead."""
    try:
        return rule(ctx, seen, delivery)
    except (StoreFailed, SQLAlchemyError):
        raise
    except Exception:  # noqa: BLE001 - whatever it was, the post must not go out
        return Ruling(Verdict.HOLD, Reason.GATE_FAILED)


def _obey(ctx: Context, seen: Wave, delivery: Delivery, ruling: Ruling) -> None:
    reason = ruling.reason or Reason.GATE_FAILED
    if ruling.verdict is Verdict.HOLD:
        move(ctx, seen.tx, delivery, DeliveryState.HELD, reason)
    elif ruling.verdict is Verdict.LATER:
        move(ctx, seen.tx, delivery, delivery.state, reason, next_at=ruling.until)
    else:
        tried = delivery.state is DeliveryState.RETRY_WAIT
        if end(ctx, seen.tx, delivery, DeliveryState.FAILED if tried else DeliveryState.MISSED, reason):
            seen.ended.append(delivery)


def _begin_sending(ctx: Context, seen: Wave, delivery: Delivery) -> Errand:
    fence = delivery.fence + 1
    said = {"attempt": fence, "digest": delivery.digest, "key": delivery.idem_key}
    ctx.record(seen.tx, None, Act.DELIVERY_SENDING, f"delivery:{delivery.id}", said)
    claimed = replace(delivery, state=DeliveryState.SENDING, fence=fence, attempts=delivery.attempts + 1, looks=0)
    seen.begun.append((delivery, claimed, _cost(ctx, delivery)))
    return Errand(claimed, parcel(ctx, seen.tx, claimed))


def _claim(ctx: Context, seen: Wave) -> None:
    """All that is to be sent becomes ours; if any of it does not, nothing of the wave stands, and nothing is sent."""
    lease = {"worker": seen.worker.name, "lease_until": seen.now + timedelta(seconds=ctx.publishing.lease_s)}
    wanted = [
        (delivery, lease | {"fence": claimed.fence, "attempts": claimed.attempts, "looks": 0})
        for delivery, claimed, _ in seen.begun
    ]
    deliveries.change_surely(seen.tx, DeliveryState.SENDING, "", wanted)
    attempts.begin_attempts(seen.tx, [(claimed, cost) for _, claimed, cost in seen.begun], seen.now)


def _begin_repeat(ctx: Context, seen: Wave, delivery: Delivery) -> Errand | None:
    """The same key again, through the whole gate; where that refuses, it is only looked for.

    The new fence is the only leave to send: whoever held the last one can neither begin nor be believed any more.
    """
    tried = attempts.attempts_of(seen.tx, delivery.id)
    if not tried or not may_repeat(delivery, tried[0].began_at, repeats(ctx, delivery), seen.now):
        return None
    may_send = _rule_safely(ctx, seen, delivery).verdict is Verdict.SEND
    return replace(_begin_sending(ctx, seen, delivery), repeat=True) if may_send else None


def _cost(ctx: Context, delivery: Delivery) -> int:
    return cost(ctx, ctx.channels[delivery.channel].profile, [json.loads(delivery.content)["text"]])


def _begin_look(ctx: Context, seen: Wave, delivery: Delivery) -> Errand:
    """Still unknown while somebody looks; the new fence and time keep others from looking as well."""
    fence = delivery.fence + 1
    again = seen.now + timedelta(seconds=ctx.publishing.lease_s)
    deliveries.change(seen.tx, delivery, DeliveryState.UNKNOWN, delivery.reason, fence=fence, next_at=again)
    looking = replace(delivery, fence=fence)
    tried = attempts.attempts_of(seen.tx, delivery.id)
    since = (tried[0].began_at if tried else delivery.due_at) - BEFORE_ATTEMPT
    return Errand(looking, parcel(ctx, seen.tx, looking), since)
