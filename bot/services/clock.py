"""A clock in doubt: nothing is sent by it until two hosts agree with it over HTTPS, or a person confirms it."""

from datetime import timedelta

from bot.domain.audit import Act
from bot.domain.errors import Refused
from bot.domain.people import Duty, Person
from bot.services.context import Context
from bot.store import heartbeats

TOLERANCE = timedelta(seconds=120)
WITNESSES = 2


def doubt(ctx: Context, worker: str) -> None:
    """Outlives the worker: the next one begins in doubt too."""
    with ctx.store.write() as tx:
        if not heartbeats.in_doubt(tx, worker):
            heartbeats.beat(tx, worker, ctx.now(), suspect=True)
            ctx.record(tx, None, Act.CLOCK_DOUBTED, f"daemon:{worker}")


def in_doubt(ctx: Context, worker: str = "") -> bool:
    """This worker's clock; without a name, any of them."""
    with ctx.store.read() as tx:
        return heartbeats.in_doubt(tx, worker)


def ask(ctx: Context, worker: str) -> bool:
    """Ask the accounts' hosts for the time, and trust this machine's clock again where two of them share it."""
    agreeing = [host for host, ahead in ctx.clocks_there().items() if abs(ahead) <= TOLERANCE]
    if len(agreeing) < WITNESSES:
        return False
    with ctx.store.write() as tx:
        if heartbeats.in_doubt(tx, worker):
            heartbeats.trust(tx, ctx.now(), worker)
            ctx.record(tx, None, Act.CLOCK_CONFIRMED, f"daemon:{worker}", {"hosts": len(agreeing)})
    return True


def confirm(ctx: Context, actor: Person) -> None:
    """A person has looked at the clock, and says that it is right on every machine."""
    with ctx.acting(actor, Duty.UNHALT) as tx:
        if not heartbeats.in_doubt(tx):
            raise Refused("No clock is in doubt. Nothing waits for you here.")
        heartbeats.trust(tx, ctx.now())
        ctx.record(tx, actor, Act.CLOCK_CONFIRMED, "daemon:all")
