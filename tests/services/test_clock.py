"""A clock that jumped sends nothing, loses nothing, and is trusted again only on the word of others."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.daemon.dispatch import Dispatcher
from bot.domain.audit import Act
from bot.domain.errors import Refused
from bot.services import clock as clocks
from bot.services import deliver, withdraw
from bot.services.context import Context
from tests.farside import NINE, FarSide, deliveries_of, go_to, scheduled, states, worker_of
from tests.house import Crew, FakeClock, told

NEAR, OFF = timedelta(seconds=90), timedelta(hours=1)


def hearing(house: Context, **there: timedelta) -> Context:
    def ask() -> Mapping[str, timedelta]:
        return there

    return replace(house, clocks_there=ask)


class Desk:
    """A daemon's loop, one turn at a time."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.moments: list[datetime | None] = []
        self.worker = deliver.start(ctx, "tester")
        self.loop = Dispatcher(ctx, self.worker, self.moments.append)

    def turns(self, number: int = 6) -> None:
        for _ in range(number):
            self.loop.turn()
            self.loop._pool.submit(lambda: None).result()  # noqa: SLF001 - waits for the channel's one thread

    def close(self) -> None:
        self.loop.stop()
        self.loop.run()


@pytest.fixture
def desk(house: Context, far: FarSide) -> Iterator[Desk]:
    del far
    desk = Desk(house)
    yield desk
    desk.close()


def jump(clock: FakeClock, **by: float) -> None:
    clock.time += timedelta(**by)


@pytest.mark.parametrize("by", [121.0, 86_400.0, -121.0])
def test_a_jump_sends_nothing_and_moves_nothing(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk, by: float
) -> None:
    post = scheduled(house, crew)
    go_to(clock, NINE)
    jump(clock, seconds=by)
    desk.turns()
    assert far.accepted == []
    assert states(house, post) == [("scheduled", "")] * 2
    assert clocks.in_doubt(house)
    assert len(told(house, Act.CLOCK_DOUBTED)) == 1


@pytest.mark.parametrize("by", [119.0, -119.0])
def test_a_clock_that_is_set_a_little_goes_on(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk, by: float
) -> None:
    scheduled(house, crew)
    go_to(clock, NINE + timedelta(seconds=120))
    jump(clock, seconds=by)
    desk.turns()
    assert len(far.accepted) == 2


def test_a_clock_that_came_back_by_itself_is_still_in_doubt(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk
) -> None:
    scheduled(house, crew)
    jump(clock, hours=1)
    desk.turns()
    jump(clock, hours=-1)
    go_to(clock, NINE)
    desk.turns()
    assert far.accepted == []


def test_a_loop_in_doubt_does_not_spin_on_what_is_due(house: Context, crew: Crew, clock: FakeClock, desk: Desk) -> None:
    scheduled(house, crew)
    go_to(clock, NINE)
    jump(clock, hours=1)
    desk.turns(3)
    assert desk.moments == []


def test_two_hosts_that_agree_end_the_doubt(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk
) -> None:
    scheduled(house, crew)
    go_to(clock, NINE - timedelta(minutes=5))
    jump(clock, minutes=5)
    desk.turns()
    assert clocks.ask(hearing(house, one=NEAR, two=-NEAR, three=OFF), "tester")
    assert not clocks.in_doubt(house)
    desk.turns()
    assert len(far.accepted) == 2
    (confirmed,) = told(house, Act.CLOCK_CONFIRMED)
    assert (confirmed.actor, confirmed.data) == ("campaignbot", {"hosts": 2})


@pytest.mark.parametrize("there", [{}, {"one": NEAR}, {"one": NEAR, "two": OFF}, {"one": OFF, "two": OFF}])
def test_fewer_than_two_that_agree_with_this_clock_end_nothing(
    house: Context, clock: FakeClock, desk: Desk, there: dict[str, timedelta]
) -> None:
    jump(clock, minutes=5)
    desk.turns(1)
    assert not clocks.ask(hearing(house, **there), "tester")
    assert clocks.in_doubt(house)


def test_a_person_confirms_and_it_is_on_record(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk
) -> None:
    scheduled(house, crew)
    go_to(clock, NINE)
    jump(clock, minutes=5)
    desk.turns()
    with pytest.raises(Refused):
        clocks.confirm(house, crew.auditor)
    clocks.confirm(house, crew.coordinator)
    desk.turns()
    assert len(far.accepted) == 2
    assert [entry.actor for entry in told(house, Act.CLOCK_CONFIRMED)] == [crew.coordinator.pseudonym]
    with pytest.raises(Refused, match="No clock is in doubt"):
        clocks.confirm(house, crew.coordinator)


def test_a_clock_once_ahead_is_trusted_where_it_stands_now(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk
) -> None:
    """The moments it showed while it was wrong count no longer."""
    scheduled(house, crew)
    jump(clock, days=400)
    desk.turns(1)
    worker_of(house)
    jump(clock, days=-400)
    clocks.ask(hearing(house, one=NEAR, two=NEAR), "tester")
    go_to(clock, NINE)
    desk.turns()
    assert not clocks.in_doubt(house, "tester")
    assert len(far.accepted) == 2


def test_the_doubt_outlives_the_daemon(house: Context, crew: Crew, clock: FakeClock, far: FarSide, desk: Desk) -> None:
    scheduled(house, crew)
    jump(clock, minutes=5)
    desk.turns(1)
    deliver.start(house, "next")
    assert clocks.in_doubt(house, "next")
    go_to(clock, NINE)
    after = Dispatcher(house, worker_of(house), lambda _: None)
    after.turn()
    after.stop()
    after.run()
    assert far.accepted == []


def test_what_somebody_wants_down_goes_down_by_any_clock(
    house: Context, crew: Crew, clock: FakeClock, desk: Desk
) -> None:
    post = scheduled(house, crew)
    go_to(clock, NINE)
    desk.turns()
    jump(clock, hours=1)
    assert len(withdraw.withdraw_post(house, crew.coordinator, post.id, "gia đình xin")) == 2
    desk.turns()
    assert all(each.withdrawn_at for each in deliveries_of(house, post))
