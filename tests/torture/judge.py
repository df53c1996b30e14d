"""What the ledgers say against what was promised: each approved text is there once, or it is said why not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.delivery import Delivery, DeliveryState
from bot.services.verify import verify
from bot.store import deliveries
from tests.torture.people import text_of, words
from tests.torture.world import World

_S = DeliveryState
PASSING = {_S.SCHEDULED, _S.CLAIMED, _S.SENDING, _S.UNKNOWN, _S.RETRY_WAIT}
GIVEN_UP = {_S.FAILED, _S.MISSED, _S.CANCELLED}
# A process that was ended in the very last moment is looked after when its lease is over.
STUCK = timedelta(seconds=15)
UNEXPECTED = ("Traceback", '"exception"', "crashed", "went wrong on our side")


@dataclass
class Verdict:
    """`figures` for the table; `faults` are what must not be, in words."""

    figures: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def blame(self, figure: str, what: str) -> None:
        self.figures[figure] += 1
        self.faults.append(f"{figure}: {what}")


def judge(world: World) -> Verdict:
    verdict = Verdict(Counter(world.done))
    with world.ctx.store.read() as tx:
        rows = deliveries.listed(tx, limit=1_000_000)
        log = verify(tx, keystore=world.ctx.keystore)
    there = {account.name: Counter(account.kind.seen(account.server)) for account in world.accounts}
    for row in rows:
        verdict.figures["deliveries"] += 1
        verdict.figures["waiting" if row.state in PASSING else row.state.value] += 1
        if row.state in PASSING:
            verdict.figures[f"  waiting on {row.channel.partition('-')[0]}: {row.state} {row.reason}"] += 1
        count = there[row.channel][text_of(row)]
        which = f"delivery {row.id} on {row.channel}: {row.state} {row.reason}, {count} times there"
        for figure in _amiss(world, row, count):
            verdict.blame(figure, which)
    verdict.figures["posts"] = len(world.people.approved)
    for post_id in world.people.approved - {row.post_id for row in rows}:
        verdict.blame("lost", f"post {post_id} was approved and has no delivery")
    _judge_arrivals(world, rows, verdict)
    for breach in world.people.breaches:
        verdict.blame("after a halt", breach)
    if log.first_bad is not None:
        verdict.blame("log", f"entry {log.first_bad}")
    if world.broken:
        verdict.blame("broken", world.broken)
    for line in world.log.read_text().splitlines() if world.log.exists() else ():
        if any(word in line for word in UNEXPECTED):
            verdict.blame("crashes", line[:2_000])
    return verdict


def _amiss(world: World, row: Delivery, count: int) -> Iterator[str]:
    """What must not be said of a delivery that stands `count` times in the ledger."""
    proves = next(account.kind.proves for account in world.accounts if account.name == row.channel)
    if count > 1:
        yield "double"
    if row.state is _S.PUBLISHED and count == 0:
        yield "lost"
    if row.state in GIVEN_UP and count:
        yield "misjudged"
    if row.state not in {*PASSING, _S.PUBLISHED} and not row.reason:
        yield "silent"
    if row.state in GIVEN_UP or (row.state is _S.HELD and proves):
        yield "given up"
    ended = world.calm_until or world.ctx.now()
    if row.state in PASSING and max(row.next_at, row.lease_until or row.next_at) < ended - STUCK:
        yield "stuck"


def _judge_arrivals(world: World, rows: tuple[Delivery, ...], verdict: Verdict) -> None:
    due = {(row.channel, text_of(row)): row.due_at for row in rows}
    for account in world.accounts:
        for arrival in account.server.arrivals:
            verdict.figures["requests"] += 1
            for word in words(arrival.asked.body):
                if (account.name, word) in due and arrival.at < due[account.name, word]:
                    verdict.blame("early", f"{account.name}: {word}")
