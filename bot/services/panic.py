"""Panic: the machine may soon be in other hands. Everything stops, everybody is out, the keys are forgotten."""

from contextlib import suppress
from dataclasses import dataclass

from bot.domain.audit import Act
from bot.domain.errors import CampaignError, Refused
from bot.domain.people import Duty, Person
from bot.services.audit import checkpoint
from bot.services.context import Context
from bot.services.queue import stop
from bot.store import erasure, people
from bot.store.holds import HALT

WORD = "FORGET"
_REASON = "panic"


@dataclass(frozen=True, slots=True)
class Panicked:
    """`kept` is what could not be forgotten from here, and why; empty where all is gone."""

    people: int
    kept: str


def panic(ctx: Context, actor: Person, word: str) -> Panicked:
    """There is no way back but a backup. The signing key stays: the log goes on, and says when this was.

    Each step stands by itself: what stops publishing first, then what lets people in, then what can be read.
    """
    if word.strip().upper() != WORD:
        raise Refused("Nothing was done. To do it, type the word {word}.", word=WORD)
    with ctx.acting(actor, Duty.PANIC) as tx:
        stop(ctx, tx, actor, HALT, _REASON)
        everyone = [each.person for each in people.everyone(tx) if each.person.active]
        ctx.record(tx, actor, Act.PANICKED, "program:keys", {"people": len(everyone)})
        for person in everyone:
            erasure.shut_out(tx, person.id, ctx.now())
    kept = ctx.forget_secrets()
    ctx.keystore.forget_everybody()
    with suppress(CampaignError):
        checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    return Panicked(len(everyone), kept)
