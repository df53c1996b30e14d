"""What every page says on top: whether publishing is on, when that was looked at last, how much waits for review."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.post import PostState
from bot.services.context import Context
from bot.services.queue import Stopped, halt_in
from bot.store import heartbeats, posts

SILENT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Running:
    """`seen` is when a daemon was last there; `waiting` are the posts in review."""

    halt: Stopped | None
    seen: datetime | None
    silent: bool
    waiting: int


def running(ctx: Context) -> Running:
    with ctx.store.read() as tx:
        seen = heartbeats.last(tx)
        silent = seen is None or seen + SILENT < ctx.now()
        return Running(halt_in(ctx, tx), seen, silent, posts.count(tx, PostState.IN_REVIEW))
