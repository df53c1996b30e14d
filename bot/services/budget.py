"""Whether an account can still pay for a post, what a post would cost, and what the month has used up."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.domain.budget import Budget, Price, Used, dollars, month_of, price_on
from bot.domain.delivery import Reason
from bot.domain.post import Part, Profile, Rendition
from bot.domain.remarks import Remark, remark
from bot.services.context import Channel, Context
from bot.store import budget as store

STALE = timedelta(days=180)


def price(ctx: Context, profile: Profile) -> Price | None:
    """A rehearsal reckons as the service it is like."""
    return price_on(ctx.schedules.prices, profile.like, ctx.now().date())


def cost(ctx: Context, profile: Profile, texts: Sequence[str]) -> int:
    """In millionths of a US dollar; each part of a thread is a post of its own."""
    found = price(ctx, profile)
    return sum(found.of(text) for text in texts) if found else 0


def stale_prices(ctx: Context) -> tuple[Price, ...]:
    """Those in use by some account that nobody has looked up for half a year."""
    in_use = {price(ctx, channel.profile) for channel in ctx.channels.values()} - {None}
    return tuple(each for each in in_use if each and ctx.now().date() - each.seen_on > STALE)


def costs(ctx: Context, renditions: Iterable[Rendition]) -> dict[str, int]:
    """What each account that pays would pay, in millionths of a US dollar."""
    found = {
        each.channel: cost(ctx, ctx.channels[each.channel].profile, [part.text for part in each.parts])
        for each in renditions
    }
    return {name: amount for name, amount in found.items() if amount}


def remarks(ctx: Context, tx: Connection, renditions: Iterable[Rendition]) -> Iterator[Remark]:
    """Where the budget as it stands today would not let a post out, or not in one piece."""
    for each in renditions:
        channel, parts = ctx.channels[each.channel], len(each.parts)
        most, amount = channel.budget.cost_per_month, costs(ctx, [each]).get(each.channel, 0)
        if most is not None and amount > (left := most - used(ctx, tx, each.channel).cost):
            yield remark(
                "On {channel} it costs {cost}, and of this month's {most} only {left} are left: it may not go out.",
                channel=each.channel, cost=dollars(amount), most=dollars(most), left=dollars(max(left, 0)),
            )  # fmt: skip
        hourly = channel.budget.per_hour
        if hourly is not None and parts > hourly:
            yield remark(
                "{channel} may post {most} an hour: this thread of {parts} would come in pieces.",
                channel=each.channel, most=hourly, parts=parts,
            )  # fmt: skip


def used(ctx: Context, tx: Connection, channel: str) -> Used:
    return store.used(tx, channel, month_of(ctx.now())[0])


def share(ctx: Context, tx: Connection) -> float:
    """Of the month's budget of the account that has used most of its own."""
    limited = [channel for channel in ctx.channels.values() if channel.budget.is_set]
    return max((used(ctx, tx, each.profile.name).share(each.budget) for each in limited), default=0.0)


def frees_at(
    ctx: Context, tx: Connection, now: datetime, channel: Channel, parts: Sequence[Part]
) -> tuple[datetime, Reason] | None:
    """When there is room for all of these parts, and what is used up until then; None if there is room now.

    A thread longer than a whole hour or day may have begins as soon as that is free, so that it is not stuck for ever.
    """
    budget, name = channel.budget, channel.profile.name
    waits = [(_slides(tx, name, budget, len(parts), now), Reason.BUDGET)]
    if budget.per_month is not None or budget.cost_per_month is not None:
        start, end = month_of(now)
        already = store.used(tx, name, start)
        if budget.per_month is not None and already.posts + len(parts) > budget.per_month:
            waits.append((end, Reason.BUDGET))
        most = budget.cost_per_month
        if most is not None and already.cost + cost(ctx, channel.profile, [part.text for part in parts]) > most:
            waits.append((end, Reason.SPENDING))
    return max(((until, reason) for until, reason in waits if until > now), default=None)


def _slides(tx: Connection, name: str, budget: Budget, parts: int, now: datetime) -> datetime:
    frees = now
    for most, span in budget.sliding:
        oldest_in_the_way = store.newest(tx, name, max(most - parts, 0))
        if oldest_in_the_way:
            frees = max(frees, oldest_in_the_way + span)
    return frees
