"""Anchors: signed checkpoints that somebody else keeps, up to which nobody, with whatever key, can rewrite the log."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.domain.audit import Act, Entry, Malformed
from bot.domain.checkpoint import note_in, parse_note
from bot.domain.delivery import Reason
from bot.domain.errors import BadInput, Tampered
from bot.domain.people import Duty, Person
from bot.services.audit import require_anchor
from bot.services.context import Context
from bot.services.queue import stop
from bot.services.verify import GOOD, verify
from bot.store import audit, holds

_OBJ = "log:1"
MAX_KEEPER = 200
WARN_AFTER = timedelta(days=30)
"""Without a limit of its own, an installation is reminded after this."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """`until` is when the newest record under it was written; `kept_by` is empty once who noted it was erased."""

    size: int
    root: str
    until: datetime
    noted_at: datetime
    noted_by: str
    kept_by: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """Since when, and in how many records, a rewriting by whoever holds the key would be found by nobody."""

    since: datetime
    records: int
    anchored: bool


def add(ctx: Context, actor: Person, text: str, kept_by: str) -> Anchor:
    """Notes that somebody keeps this checkpoint, once the whole log was compared with it.

    Raises BadInput if there is none in the text, Tampered if the log is not the one that it signs.
    """
    kept_by = " ".join(kept_by.split())
    if not 0 < len(kept_by) <= MAX_KEEPER:
        raise BadInput("Say in a few words who keeps it, so that you find it again.")
    try:
        written = note_in(text)
    except Malformed:
        raise BadInput("There is no signed checkpoint in this text. It has five lines; copy all of them.") from None
    note = parse_note(written)
    with ctx.acting(actor, Duty.EXPORT) as tx:
        verdict = verify(tx, vkeys=ctx.keystore.vkeys, anchors=[written], keystore=ctx.keystore)
        if verdict.code != GOOD or verdict.proven < note.size:
            raise Tampered("This log is not the one of that anchor: {why} Stop, and ask why.", why=str(verdict.reason))
        told = {"size": note.size, "root": note.root.hex()}
        said = audit.Payload(actor.pseudonym, {"kept_by": kept_by})
        ctx.record(tx, actor, Act.LOG_ANCHORED, _OBJ, told, said)
        return _anchor(ctx, tx, audit.entries(tx, act=Act.LOG_ANCHORED, newest_first=True, limit=1)[0])


def listed(ctx: Context, *, limit: int = 100) -> tuple[Anchor, ...]:
    """Newest first."""
    with ctx.store.read() as tx:
        found = audit.entries(tx, act=Act.LOG_ANCHORED, obj=_OBJ, newest_first=True, limit=limit)
        return tuple(_anchor(ctx, tx, entry) for entry in found)


def _anchor(ctx: Context, tx: Connection, entry: Entry) -> Anchor:
    last, payload = audit.entry(tx, int(entry.data["size"]) - 1), audit.read_payload(tx, entry.seq, ctx.keystore) or {}
    until = last.ts if last else entry.ts
    return Anchor(entry.data["size"], entry.data["root"], until, entry.ts, entry.actor, str(payload.get("kept_by", "")))


def exposure(tx: Connection) -> Exposure | None:
    """None before there is a log."""
    noted = audit.entries(tx, act=Act.LOG_ANCHORED, obj=_OBJ, newest_first=True, limit=20)
    reach = max((int(entry.data["size"]) for entry in noted), default=0)
    last = audit.entry(tx, max(reach - 1, 0))
    return Exposure(last.ts, audit.size(tx) - reach, bool(reach)) if last else None


def hold_if_old(ctx: Context) -> bool:
    """Where a limit is set and nobody outside has kept a checkpoint for so long, everything stops until one does."""
    most = timedelta(days=ctx.publishing.anchor_max_age_days)
    if not most:
        return False
    with ctx.store.write() as tx:
        found = exposure(tx)
        old = found is not None and ctx.now() - found.since > most
        if old and holds.find(tx, *holds.HALT) is None:
            stop(ctx, tx, None, holds.HALT, Reason.ANCHOR_OLD.value)
            return True
    return False


def hold_if_altered(ctx: Context) -> Tampered | None:
    """Where the log is not the one that was signed here, everything stops, and the log says from which entry.

    Once for each entry: two people may then end it knowingly. Answers what is wrong and what to do, or None.
    """
    with ctx.store.read() as tx:
        try:
            require_anchor(tx, ctx.keystore)
        except Tampered as error:
            why = error
            stopped = holds.find(tx, *holds.HALT) is not None
            verdict = None if stopped else verify(tx, vkeys=ctx.keystore.vkeys, keystore=ctx.keystore)
        else:
            return None
    if verdict:
        begins = verdict.proven if verdict.first_bad is None else verdict.first_bad
        with ctx.store.write() as tx:
            said = audit.find_last(tx, Act.LOG_ALTERED, _OBJ)
            if holds.find(tx, *holds.HALT) is None and (said is None or said.data["from"] != begins):
                stop(ctx, tx, None, holds.HALT, Reason.LOG_ALTERED.value)
                ctx.record(tx, None, Act.LOG_ALTERED, _OBJ, {"from": begins})
    return why


def altered_from(tx: Connection) -> int | None:
    """From which entry the log does not match, while everything is stopped for it."""
    halt, found = holds.find(tx, *holds.HALT), audit.find_last(tx, Act.LOG_ALTERED, _OBJ)
    return int(found.data["from"]) if found and halt and halt.reason == Reason.LOG_ALTERED else None
