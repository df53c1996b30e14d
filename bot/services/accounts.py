"""The accounts as people look after them: what each may do, how it fares, and what it has used up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bot.domain.budget import Price, Used
from bot.domain.errors import NotFound, Refused
from bot.ports import Account
from bot.services import budget
from bot.services.channels import EXPIRES_SOON, check
from bot.services.context import Channel, Context
from bot.services.people import aliases
from bot.store import channels, holds
from bot.store.channels import Failed, Looked, Out
from bot.store.holds import Pause

LOOK_AGAIN = timedelta(minutes=1)
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Row:
    """`looked` is None until somebody, or the daemon, has looked. `failed` is of the last 30 days.

    `expired` and `ends_soon` are of its permission, where the service tells when that ends.
    """

    channel: Channel
    looked: Looked | None
    pause: Pause | None
    paused_by: str
    held: bool
    out: Out | None
    failed: Failed | None
    used: Used
    price: Price | None
    expired: bool
    ends_soon: bool

    @property
    def name(self) -> str:
        return self.channel.profile.name


def rows(ctx: Context) -> tuple[Row, ...]:
    """In the order of config.toml."""
    with ctx.store.read() as tx:
        return _rows(ctx, tx, ctx.channels.values())


def get(ctx: Context, name: str) -> Row:
    if name not in ctx.channels:
        raise NotFound("There is no account “{name}” in config.toml.", name=name[:60])
    with ctx.store.read() as tx:
        return _rows(ctx, tx, [ctx.channels[name]])[0]


def _rows(ctx: Context, tx: Connection, wanted: Iterable[Channel]) -> tuple[Row, ...]:
    """What concerns all accounts is read once."""
    looks, names, held = channels.looked(tx), aliases(ctx, tx), holds.open_holds(tx)
    pauses = {each.channel: each for each in holds.pauses(tx)}

    def row(channel: Channel) -> Row:
        name = channel.profile.name
        pause = pauses.get(name)
        by = names.get(pause.paused_by, "") if pause else ""
        return _row(ctx, tx, channel, looks.get(name), pause, by, held=("channel", name) in held)

    return tuple(map(row, wanted))


def _row(
    ctx: Context, tx: Connection, channel: Channel, looked: Looked | None, pause: Pause | None, by: str, *, held: bool
) -> Row:
    name, now = channel.profile.name, ctx.now()
    ends = looked.expires_at if looked else None
    return Row(
        channel=channel,
        looked=looked,
        pause=pause,
        paused_by=by,
        held=held,
        out=channels.last_out(tx, name),
        failed=channels.last_failed(tx, name, now - REMEMBERED),
        used=budget.used(ctx, tx, name),
        price=budget.price(ctx, channel.profile),
        expired=ends is not None and ends <= now,
        ends_soon=ends is not None and now < ends < now + EXPIRES_SOON,
    )


def look(ctx: Context, name: str) -> Account:
    """Sign in and look, at most once a minute: a look may cost money. Raises Refused before that."""
    looked = get(ctx, name).looked
    if looked and looked.at + LOOK_AGAIN > ctx.now():
        raise Refused("Somebody looked less than a minute ago. What was found stands here; wait a little.")
    return check(ctx, name, apart=True)
