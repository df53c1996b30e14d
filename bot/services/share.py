"""How daemons on one PostgreSQL share the accounts: each takes its part, and an account has one request at a time."""

import random
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.services.context import Context
from bot.services.gate import Worker
from bot.store import deliveries, peers, turns


def share(ctx: Context, tx: Connection, worker: Worker, free: Sequence[str]) -> tuple[list[str], int]:
    """Those of the `free` channels that nobody else is talking to, in any order, and on how many to begin now.

    On SQLite there is one daemon, and whatever another has in flight there it left when it died.
    """
    if ctx.store.is_sqlite:
        return list(free), len(free)
    taken = {each.channel for each in deliveries.in_flight(tx) if each.worker != worker.name}
    part = -(-len(ctx.channels) // max(peers.there(tx), 1))
    busy = len(ctx.channels) - len(free)
    ours = [name for name in free if name not in taken]
    random.shuffle(ours)
    return ours, max(part - busy, 0)


def next_moment(ctx: Context, worker: Worker, free: Sequence[str]) -> datetime | None:
    """When there is something for this worker to begin on, of all that is queued now."""
    with ctx.store.read() as tx:
        ours, room = share(ctx, tx, worker, free)
        return turns.next_moment(tx, ours) if room else None
