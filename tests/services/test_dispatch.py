"""The daemon's loop: each account fails, waits and is slow for itself alone."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.daemon.dispatch import Dispatcher
from bot.domain.audit import Act
from bot.domain.post import Content
from bot.ports import Absent, Failure, Outcome, Parcel, Published, Receipt
from bot.services import deliver, posts, queue, review, withdraw
from bot.services.context import Context
from bot.services.errands import Done
from bot.services.posts import When
from bot.store import deliveries
from tests.farside import CAMPAIGN, NINE, TEXTS, FarSide, X, go_to
from tests.house import Crew, FakeClock, told

OTHER = "rehearsal-facebook"
ENOUGH_TURNS = 12


class Loop(Dispatcher):
    """Turned by hand; a turn begins when what was begun before has come back."""

    moments: list[datetime | None]

    def turns(self, number: int = ENOUGH_TURNS, but: str = "") -> None:
        for _ in range(number):
            self.turn()
            for _ in range(200):
                if self._busy <= {but, *(each.errand.delivery.channel for each in self._came_back())}:
                    break
                threading.Event().wait(0.01)

    def _came_back(self) -> list[Done]:
        waiting = []
        while not self._done.empty():
            waiting.append(self._done.get())
        for each in waiting:
            self._done.put(each)
        return waiting


@pytest.fixture
def sides() -> dict[str, FarSide]:
    return {X: FarSide(), OTHER: FarSide()}


@pytest.fixture
def both(ctx: Context, crew: Crew, sides: dict[str, FarSide]) -> Context:
    del crew
    rhythm = replace(ctx.channels[X].rhythm, spacing_minutes=0)
    return replace(
        ctx, channels={name: replace(ctx.channels[name], platform=side, rhythm=rhythm) for name, side in sides.items()}
    )


@pytest.fixture
def loop(both: Context) -> Iterator[Loop]:
    moments: list[datetime | None] = []
    made = Loop(both, deliver.start(both, "tester"), moments.append)
    made.moments = moments
    yield made
    made.stop()
    made.run()


def queued(both: Context, crew: Crew, *, minutes: float = 0) -> int:
    when = When(at=NINE + timedelta(minutes=minutes), grace=timedelta(hours=3))
    post = posts.add_post(both, crew.coordinator, Content(CAMPAIGN, TEXTS, (X, OTHER)), when)
    post = review.submit(both, crew.coordinator, post.id)
    for reviewer in (crew.reviewer, crew.second_reviewer):
        if not review.approve(both, reviewer, post.id, post.digest).missing:
            break
    return post.id


def counting(side: FarSide, outcome: Callable[[Parcel], Outcome], calls: list[Parcel]) -> Callable[[Parcel], Outcome]:
    def publish(parcel: Parcel) -> Outcome:
        calls.append(parcel)
        return outcome(parcel)

    side.publish = publish  # type: ignore[method-assign]
    return publish


def test_an_account_that_does_not_answer_delays_no_other(
    both: Context, crew: Crew, clock: FakeClock, loop: Loop, sides: dict[str, FarSide]
) -> None:
    """Everything of the other account is out while the first call still hangs."""
    for minutes in range(3):
        queued(both, crew, minutes=minutes)
    go_to(clock, NINE + timedelta(minutes=3))
    hangs = threading.Event()

    def slow(parcel: Parcel) -> Outcome:
        hangs.wait(30)
        return Published(Receipt(parcel.idem_key))

    sides[X].publish = slow  # type: ignore[method-assign]
    try:
        loop.turns(but=X)
        assert len(sides[OTHER].accepted) == 3
    finally:
        hangs.set()


def test_a_broken_sign_in_pauses_that_account_once_and_no_other(
    both: Context, crew: Crew, clock: FakeClock, loop: Loop, sides: dict[str, FarSide]
) -> None:
    calls: list[Parcel] = []
    counting(sides[X], lambda _: Absent(Failure.AUTH_BROKEN, "401"), calls)
    for minutes in range(3):
        queued(both, crew, minutes=minutes)
    go_to(clock, NINE + timedelta(minutes=3))
    loop.turns()
    assert len(calls) == 1
    assert len(sides[OTHER].accepted) == 3
    (paused,) = told(both, Act.CHANNEL_PAUSED)
    assert (paused.obj, paused.data["reason"]) == (f"channel:{X}", "auth_broken")
    assert [pause.channel for pause in queue.pauses(both)] == [X]


def test_an_account_that_asks_to_wait_is_left_alone_until_then_with_all_its_posts(
    both: Context, crew: Crew, clock: FakeClock, loop: Loop, sides: dict[str, FarSide]
) -> None:
    until, calls, accept = NINE + timedelta(minutes=30), list[Parcel](), sides[X].publish
    for minutes in range(3):
        queued(both, crew, minutes=minutes)
    go_to(clock, NINE + timedelta(minutes=3))
    counting(sides[X], lambda _: Absent(Failure.RATE_LIMITED, "429", until), calls)
    loop.turns()
    assert len(calls) == 1
    assert len(sides[OTHER].accepted) == 3
    assert loop.moments[-1] == until
    counting(sides[X], accept, calls)
    go_to(clock, until - timedelta(seconds=1))
    loop.turns()
    assert len(calls) == 1
    go_to(clock, until)
    loop.turns()
    assert len(sides[X].accepted) == 6


def test_what_somebody_wants_down_waits_for_no_limit(
    both: Context, crew: Crew, clock: FakeClock, loop: Loop, sides: dict[str, FarSide]
) -> None:
    out = queued(both, crew)
    go_to(clock, NINE)
    loop.turns()
    queued(both, crew, minutes=1)
    go_to(clock, NINE + timedelta(minutes=1))
    counting(sides[X], lambda _: Absent(Failure.RATE_LIMITED, "429", NINE + timedelta(hours=2)), [])
    loop.turns()
    wanted = withdraw.withdraw_post(both, crew.coordinator, out, "gia đình xin")
    loop.turns()
    assert all(each.withdrawn_at for each in withdraw.progress(both, wanted))


def test_waits_of_accounts_that_fail_together_drift_apart(
    both: Context, crew: Crew, clock: FakeClock, loop: Loop, sides: dict[str, FarSide]
) -> None:
    for side in sides.values():
        counting(side, lambda _: Absent(Failure.UNREACHABLE, "down"), [])
    queued(both, crew)
    go_to(clock, NINE)
    loop.turns()
    with both.store.read() as tx:
        waits = {each.next_at - NINE for each in deliveries.listed(tx) if each.attempts}
    assert len(waits) == 2
    assert all(timedelta(seconds=30) <= wait <= timedelta(seconds=37.5) for wait in waits)
