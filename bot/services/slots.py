"""The hours that a campaign keeps free for its posts, as people ask for them: the next one, or one by its name."""

from collections.abc import Collection
from datetime import datetime

from bot.domain.campaign import Slot
from bot.domain.errors import BadInput, Refused
from bot.domain.post import Content
from bot.domain.slots import next_free
from bot.services.context import Context

NEXT_SLOT = "next"


def require_slot(ctx: Context, content: Content, wanted: str) -> None:
    serving = {slot.name for slot in ctx.schedules.slots for name in content.channels
               if _serves(slot, content.campaign, name, NEXT_SLOT)}  # fmt: skip
    if wanted not in {NEXT_SLOT, *serving}:
        known = ", ".join([NEXT_SLOT, *sorted(serving)])
        raise BadInput(
            "There is no slot “{name}” for these accounts. There are: {known}.", name=wanted[:40], known=known
        )


def next_slot(
    ctx: Context, campaign: str, name: str, slot: str, taken: Collection[datetime], after: datetime
) -> datetime:
    fitting = tuple(each for each in ctx.schedules.slots if _serves(each, campaign, name, slot))
    due = next_free(fitting, taken, after, ctx.channel(name).rhythm)
    if due is None:
        raise Refused("{channel} has no free slot within a year. Give a time, or add a slot.", channel=name)
    return due


def _serves(slot: Slot, campaign: str, channel: str, wanted: str) -> bool:
    return (
        slot.campaign == campaign
        and wanted in {NEXT_SLOT, slot.name}
        and (not slot.channels or channel in slot.channels)
    )
