"""What is asked of a platform: one errand, the parcel it carries, and what came of it."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.domain.delivery import Delivery, Sighting
from bot.domain.post import part_from_plain
from bot.library.images import image_path
from bot.ports import Absent, Failure, Image, Outcome, Parcel, Receipt, Unsure
from bot.services.context import Context
from bot.store import deliveries


@dataclass(frozen=True, slots=True)
class Errand:
    """One call to a platform: publish the parcel, look whether it is there since a moment, take it down, or see
    whether what was published still stands. A `repeat` publishes what may be out already.
    """

    delivery: Delivery
    parcel: Parcel
    look_since: datetime | None = None
    unwanted: bool = False
    revisit: bool = False
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    errand: Errand
    outcome: Outcome | Sighting | None


def parcel(ctx: Context, tx: Connection, delivery: Delivery) -> Parcel:
    part = part_from_plain(json.loads(delivery.content))
    parent = deliveries.get(tx, delivery.reply_to) if delivery.reply_to else None
    root = parent
    while root is not None and root.reply_to:
        root = deliveries.get(tx, root.reply_to)
    return Parcel(
        delivery_id=delivery.id,
        idem_key=delivery.idem_key,
        due_at=delivery.due_at,
        text=part.text,
        languages=part.languages,
        images=tuple(
            Image(i.digest, i.mime, image_path(ctx.data_dir, i.digest, i.mime), i.width, i.height, i.alt)
            for i in part.images
        ),
        deadline=ctx.clock.boot() + ctx.publishing.lease_s / 2,
        attempt=delivery.attempts,
        part=delivery.part,
        root=receipt_of(root) if root else None,
        parent=receipt_of(parent) if parent else None,
    )


def receipt_of(delivery: Delivery) -> Receipt:
    return Receipt(delivery.remote_id, delivery.url, delivery.reference or {})


def answer(ctx: Context, errand: Errand) -> Done:
    """Run one errand on its platform. Called outside any transaction; never raises."""
    platform = ctx.channels[errand.delivery.channel].platform
    try:
        if errand.revisit:
            return Done(errand, platform.look(receipt_of(errand.delivery), errand.parcel.text))
        if errand.unwanted:
            return Done(errand, platform.withdraw(receipt_of(errand.delivery)))
        if errand.look_since is not None:
            return Done(errand, platform.find(errand.parcel, errand.look_since))
        if ctx.clock.boot() > errand.parcel.deadline:
            return Done(errand, Absent(Failure.LATE, "the machine was asleep"))
        return Done(errand, platform.publish(errand.parcel))
    except Exception as error:  # noqa: BLE001 - an adapter's bug must not be taken for absence
        return Done(errand, Unsure(type(error).__name__))
