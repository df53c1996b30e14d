"""A person decides what the program may not: a held delivery is live, may be sent again, or is dropped."""

from urllib.parse import urlsplit

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.delivery import Delivery, DeliveryState, Reason
from bot.domain.errors import BadInput, Refused
from bot.domain.people import Duty, Person, Scope, require, require_other_eyes
from bot.ports import Receipt
from bot.services.context import Context
from bot.services.outcomes import end, follow, publish
from bot.store import deliveries, posts

LONGEST_URL = 500


def settle_live(ctx: Context, actor: Person, delivery_id: int, url: str) -> Delivery:
    """It is there, at this address; answers to it may go out."""
    require(actor, Duty.SETTLE_DELIVERY)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(url) > LONGEST_URL:
        raise BadInput("“{url}” is not the address of a post. Copy it from the browser.", url=url[:60])
    with ctx.store.write() as tx:
        delivery = deliveries.get(tx, delivery_id)
        require(actor, Duty.SETTLE_DELIVERY, _scope(tx, delivery))
        _require_state(delivery, DeliveryState.HELD, DeliveryState.UNKNOWN)
        ctx.record(tx, actor, Act.DELIVERY_SETTLED, f"delivery:{delivery.id}", {"how": "live"})
        remote_id = parts.path.rstrip("/").rsplit("/", 1)[-1]
        follow(ctx, tx, publish(ctx, tx, [(delivery, Receipt(remote_id, url))], Reason.SETTLED_LIVE))
        return deliveries.get(tx, delivery_id)


def settle_resend(ctx: Context, actor: Person, delivery_id: int) -> Delivery:
    """Let it go again, through the whole gate. One reviewer frees what never left; what may have gone out takes two.

    The answer is still `held` when another person must ask for the same.
    """
    with ctx.store.write() as tx:
        delivery = deliveries.get(tx, delivery_id)
        _require_state(delivery, DeliveryState.HELD)
        if ctx.now() > delivery.not_after:
            raise Refused(
                "The time of delivery {id} is over. Give post {post} a new time.", id=delivery.id, post=delivery.post_id
            )
        require(actor, duty_to_resend(delivery), _scope(tx, delivery))
        if duty_to_resend(delivery) is Duty.SETTLE_DELIVERY:
            if delivery.asked_by is None:
                deliveries.change(tx, delivery, DeliveryState.HELD, delivery.reason, asked_by=actor.id)
                ctx.record(tx, actor, Act.DELIVERY_RESEND_ASKED, f"delivery:{delivery.id}")
                return deliveries.get(tx, delivery_id)
            if delivery.asked_by == actor.id:
                raise Refused("You asked for this already. Someone else must confirm it.")
            require_other_eyes(actor, {delivery.asked_by})
        ctx.record(tx, actor, Act.DELIVERY_SETTLED, f"delivery:{delivery.id}", {"how": "resend"})
        deliveries.change(
            tx, delivery, DeliveryState.SCHEDULED, Reason.SETTLED_RESEND, next_at=ctx.now(), asked_by=None
        )
        return deliveries.get(tx, delivery_id)


def duty_to_resend(delivery: Delivery) -> Duty:
    """What was never tried only needs another look; what may have gone out takes two people."""
    never_tried = not delivery.attempts and delivery.reason != Reason.RESTORED
    return Duty.APPROVE_POST if never_tried else Duty.SETTLE_DELIVERY


def settle_drop(ctx: Context, actor: Person, delivery_id: int) -> Delivery:
    """It stays unsent, and so does whatever would have answered it."""
    require(actor, Duty.SETTLE_DELIVERY)
    with ctx.store.write() as tx:
        delivery = deliveries.get(tx, delivery_id)
        require(actor, Duty.SETTLE_DELIVERY, _scope(tx, delivery))
        _require_state(delivery, DeliveryState.HELD)
        ctx.record(tx, actor, Act.DELIVERY_SETTLED, f"delivery:{delivery.id}", {"how": "drop"})
        if end(ctx, tx, delivery, DeliveryState.CANCELLED, Reason.SETTLED_DROP):
            follow(ctx, tx, [delivery])
        return deliveries.get(tx, delivery_id)


def lost(ctx: Context) -> tuple[Delivery, ...]:
    """Published, and since then taken down or changed by others; until somebody says that they know."""
    with ctx.store.read() as tx:
        return deliveries.lost(tx)


def acknowledge(ctx: Context, actor: Person, delivery_id: int) -> None:
    """Somebody knows that it is gone or changed, and has done what is to be done."""
    with ctx.acting(actor, Duty.SETTLE_DELIVERY) as tx:
        require(actor, Duty.SETTLE_DELIVERY, _scope(tx, deliveries.get(tx, delivery_id)))
        if delivery_id not in {each.id for each in deliveries.lost(tx)}:
            raise Refused("Delivery {id} is not gone or changed, or somebody knows already.", id=delivery_id)
        deliveries.acknowledge(tx, delivery_id, ctx.now())
        ctx.record(tx, actor, Act.DELIVERY_ACKNOWLEDGED, f"delivery:{delivery_id}")


def _scope(tx: Connection, delivery: Delivery) -> Scope:
    return posts.get(tx, delivery.post_id).content.scope_on(delivery.channel)


def _require_state(delivery: Delivery, *states: DeliveryState) -> None:
    if delivery.state is DeliveryState.UNKNOWN and delivery.state not in states:
        raise Refused(
            "It is not known whether delivery {id} was sent; the program is finding out. "
            "If you see it there, say so; else wait.",
            id=delivery.id,
            command=f"delivery settle {delivery.id} --live URL",
        )
    if delivery.state not in states:
        raise Refused(
            "Delivery {id} is {state}; nothing waits for you there.", id=delivery.id, state=delivery.state.value
        )
