"""Whom to tell what, and when: read from the log, so that a restart loses nothing and a storm is one message.

A message may be told twice, when the program is killed between telling and noting it; never not at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import SystemRandom
from typing import Any

from sqlalchemy import Connection

from bot.domain.alerts import ACTS, MOST_IDS, Happened, Notice, Topic, gathered, news, remembered
from bot.domain.delivery import back_off
from bot.domain.errors import NotFound
from bot.domain.post import PostState
from bot.services import anchors
from bot.services.channels import ailing, looked_in
from bot.services.context import PROGRAM, VIETNAM, Context
from bot.services.keeping import kept
from bot.store import alerts, audit, heartbeats, posts, turns
from bot.store.alerts import Progress

GATHER = timedelta(minutes=1)
MOST_ENTRIES = 2_000
CLAIM = timedelta(minutes=5)
SILENT = timedelta(minutes=5)
OVERDUE = timedelta(minutes=5)
UNSIGNED = timedelta(hours=2)
URGENT = timedelta(hours=48)
MORNING = 8
NEARLY = 0.8
"""Of the age at which a log without an anchor stops everything."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one way is to be told now; `progress` is its row, claimed."""

    notices: tuple[Notice, ...]
    progress: Progress
    seen: int
    said: dict[str, Any]


def pending(ctx: Context, name: str) -> Batch | None:
    """What is to be told by this way, claimed for a while; None while there is nothing, or it is too soon."""
    with ctx.store.read() as tx:
        row, size = alerts.get(tx, name), audit.size(tx)
        batch = _batch(ctx, tx, row, size) if row and row.seen <= size and row.next_at <= ctx.now() else None
    if row is None or row.seen > size or (batch and not batch.notices):
        _note(ctx, name, row, size, batch)
        return None
    if batch is None:
        return None
    claimed = ctx.now() + CLAIM
    with ctx.store.write() as tx:
        is_ours = alerts.change(tx, batch.progress, next_at=claimed)
    return replace(batch, progress=replace(batch.progress, next_at=claimed)) if is_ours else None


def _note(ctx: Context, name: str, row: Progress | None, size: int, batch: Batch | None) -> None:
    """Begin at the end of the log, also of one that was cut; pass over what was not worth telling."""
    with ctx.store.write() as tx:
        if row is None:
            if alerts.get(tx, name) is None:
                alerts.begin(tx, name, size, ctx.now())
        elif batch is None:
            alerts.change(tx, row, seen=size)
        else:
            alerts.change(tx, row, seen=batch.seen, said=batch.said)


def _batch(ctx: Context, tx: Connection, row: Progress, size: int) -> Batch | None:
    """Without notices where only the memory is to be brought up; None where nothing is to be written either."""
    topics = ctx.alerts[row.name].topics
    acts = [act for act, topic in ACTS.items() if topic in topics]
    entries = audit.entries(tx, after=row.seen - 1, act=acts, limit=MOST_ENTRIES) if acts else []
    ripe = bool(entries) and entries[0].ts <= ctx.now() - GATHER
    worth = [each for each in entries if each.act != "channel.paused" or each.actor == PROGRAM]
    happened = [Happened(each.act, each.obj, str(each.data.get("reason", ""))) for each in worth]
    day = ctx.today().isoformat()
    lasting = tuple(each for each in _lasting(ctx, tx) if each.topic in topics)
    fresh = news(lasting, row.said, day)
    notices = (*(gathered(happened, topics) if ripe else ()), *fresh)
    past = entries[-1].seq + 1 if len(entries) == MOST_ENTRIES else size
    seen = past if ripe else row.seen if entries else size
    said = remembered(lasting, fresh, row.said, day)
    idle = not notices and not ripe and said == row.said and seen - row.seen < MOST_ENTRIES
    return None if idle else Batch(notices, row, seen, said)


def _lasting(ctx: Context, tx: Connection) -> Iterator[Notice]:
    """Conditions, as they are now."""
    now = ctx.now()
    seen = heartbeats.last(tx)
    if seen is not None and now - seen > SILENT:
        yield Notice(Topic.SILENT)
    if ill := ailing(ctx, looked_in(ctx, tx)):
        yield Notice(Topic.AILING, len(ill))
    sealed = audit.latest_checkpoint(tx)
    oldest = audit.entry(tx, sealed.size if sealed else 0)
    if oldest and now - oldest.ts > UNSIGNED:
        yield Notice(Topic.UNSIGNED, audit.size(tx) - oldest.seq)
    exposed, limit = anchors.exposure(tx), timedelta(days=ctx.publishing.anchor_max_age_days)
    if exposed and exposed.records and now - exposed.since > (limit * NEARLY or anchors.WARN_AFTER):
        yield Notice(Topic.UNANCHORED, exposed.records)
    if kept(ctx, tx).is_ill:
        yield Notice(Topic.BACKUP)
    waiting = posts.count(tx, PostState.IN_REVIEW)
    if waiting and now.astimezone(VIETNAM).hour >= MORNING:
        yield Notice(Topic.APPROVALS, waiting)
    soon = posts.listed(tx, states=(PostState.IN_REVIEW,), start=now, end=now + URGENT, limit=MOST_IDS)
    if soon:
        yield Notice(Topic.URGENT, len(soon), tuple(post.id for post in soon))


def conclude(ctx: Context, batch: Batch, why: str) -> None:
    """`why` is empty when it was told; else it is tried again, ever more seldom, and the doctor says so."""
    now, row = ctx.now(), batch.progress
    with ctx.store.write() as tx:
        if why:
            wait = back_off(row.failures, SystemRandom().random())
            failed = {"failures": row.failures + 1, "error": why[: alerts.LONGEST_ERROR]}
            alerts.change(tx, row, next_at=now + wait, **failed)
        else:
            told = {"told_at": now, "failures": 0, "error": ""}
            alerts.change(tx, row, seen=batch.seen, said=batch.said, next_at=now + GATHER, **told)


def progress(ctx: Context, name: str) -> Progress | None:
    if name not in ctx.alerts:
        known = ", ".join(ctx.alerts) or "–"
        raise NotFound("There is no alert “{name}” in config.toml. There are: {known}.", name=name, known=known)
    with ctx.store.read() as tx:
        return alerts.get(tx, name)


def is_well(ctx: Context) -> bool:
    """Whether a daemon lives, trusts its clock, and sends what is due: else the dead man's ping must not go."""
    now = ctx.now()
    with ctx.store.read() as tx:
        seen, doubted = heartbeats.last(tx), heartbeats.in_doubt(tx)
        oldest = turns.next_moment(tx, ctx.channels)
    return seen is not None and now - seen <= SILENT and not doubted and (oldest is None or now - oldest <= OVERDUE)
