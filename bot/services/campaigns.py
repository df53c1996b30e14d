"""The campaigns as this installation runs them, with what stops each."""

from dataclasses import dataclass

from bot.domain.campaign import Campaign, Slot
from bot.domain.errors import NotFound
from bot.domain.occasions import PlanningRules, campaign_of
from bot.services.context import Context
from bot.services.known import everybody
from bot.services.queue import Stopped, holds


@dataclass(frozen=True, slots=True)
class Row:
    """`accounts` are those it posts on, `cases` how many people it speaks for."""

    campaign: Campaign
    accounts: tuple[str, ...]
    slots: tuple[Slot, ...]
    cases: int
    hold: Stopped | None


def rows(ctx: Context) -> tuple[Row, ...]:
    """As they are written, with what config.toml decides differently."""
    rules = PlanningRules.of(ctx.schedules.campaigns)
    with ctx.store.read() as tx:
        speaks_for = [campaign_of(case, rules) for case in everybody(ctx, tx).cases.values()]
    held = {each.hold.target: each for each in holds(ctx) if each.hold.scope == "campaign"}
    return tuple(
        Row(
            campaign=each,
            accounts=each.channels or tuple(ctx.channels),
            slots=tuple(slot for slot in ctx.schedules.slots if slot.campaign == each.slug),
            cases=speaks_for.count(each.slug),
            hold=held.get(each.slug),
        )
        for each in ctx.schedules.campaigns
    )


def get(ctx: Context, slug: str) -> Row:
    for row in rows(ctx):
        if row.campaign.slug == slug:
            return row
    raise NotFound("There is no campaign “{slug}”.", slug=slug[:60])
