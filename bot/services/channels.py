"""Looking whether accounts work, and what is done to their configuration, on record.

The files themselves are the caller's.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.people import Duty, Person
from bot.ports import Account
from bot.services.context import Context
from bot.store import channels
from bot.store.channels import Looked

LOOK_EVERY = timedelta(hours=24)
EXPIRES_SOON = timedelta(days=14)


def check(ctx: Context, name: str, *, apart: bool = False) -> Account:
    """Sign in and look, writing nothing there; what was found is remembered here.

    A process `apart` from the daemon may lack the secrets: that is not held against the account.
    """
    account = ctx.channel(name).check()
    if account.opened or not apart:
        with ctx.store.write() as tx:
            channels.note(tx, name, account, ctx.now())
    return account


def check_due(ctx: Context, stopping: Callable[[], bool] = lambda: False) -> None:
    """Once a day each account, so that a key that dies is known before a post needs it."""
    known = looked(ctx)
    for name in ctx.channels:
        if name not in known or known[name].at < ctx.now() - LOOK_EVERY:
            if stopping():
                return
            check(ctx, name)


def looked(ctx: Context) -> Mapping[str, Looked]:
    """What was last found, by the account's name; those of config.toml alone."""
    with ctx.store.read() as tx:
        return looked_in(ctx, tx)


def looked_in(ctx: Context, tx: Connection) -> Mapping[str, Looked]:
    return {name: one for name, one in channels.looked(tx).items() if name in ctx.channels}


def ailing(ctx: Context, found: Mapping[str, Looked]) -> tuple[str, ...]:
    """The accounts that lack something, or whose permission ends within two weeks."""
    soon = ctx.now() + EXPIRES_SOON
    return tuple(name for name, one in found.items() if one.missing or (one.expires_at and one.expires_at < soon))


def change(
    ctx: Context, actor: Person, act: Act, obj: str, facts: Mapping[str, Any], write: Callable[[], object]
) -> None:
    """What cannot be written is not recorded either. `facts` names fields, never what is in them."""
    with ctx.acting(actor, Duty.MANAGE_CHANNELS) as tx:
        ctx.record(tx, actor, act, obj, facts)
        write()
