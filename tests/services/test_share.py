"""Several daemons on one PostgreSQL: each takes its part, and an account is talked to by one of them at a time."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.services import deliver, share
from bot.services.context import Context
from bot.services.errands import Done, answer
from bot.services.gate import Worker
from bot.store.peers import Line
from tests.databases import BOTH
from tests.farside import NINE, FarSide, deliveries_of, go_to, scheduled
from tests.house import Crew, FakeClock

X = "rehearsal-x"
ON_POSTGRESQL = pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)


@pytest.fixture
def desk(ctx: Context, far: FarSide) -> Context:
    """Two accounts, both on the far side."""
    return replace(ctx, channels={name: replace(channel, platform=far) for name, channel in ctx.channels.items()})


@pytest.fixture
def two_lines(desk: Context) -> Iterator[list[Line]]:
    lines = [Line(desk.store), Line(desk.store)]
    yield lines
    for line in lines:
        line.close()


def workers(desk: Context) -> tuple[Worker, Worker]:
    return deliver.start(desk, "one"), deliver.start(desk, "two")


def open_to(desk: Context, worker: Worker) -> tuple[list[str], int]:
    with desk.store.read() as tx:
        ours, room = share.share(desk, tx, worker, tuple(desk.channels))
        return sorted(ours), room


@pytest.mark.parametrize("kind", BOTH, indirect=True)
def test_one_alone_takes_everything(desk: Context, crew: Crew, kind: str) -> None:
    worker, _ = workers(desk)
    assert open_to(desk, worker) == (sorted(desk.channels), len(desk.channels))


@ON_POSTGRESQL
def test_two_take_half_each_and_one_takes_all_again_when_the_other_is_gone(
    desk: Context, crew: Crew, kind: str, two_lines: list[Line]
) -> None:
    worker, _ = workers(desk)
    assert open_to(desk, worker)[1] == 1
    two_lines[1].close()
    until = time.monotonic() + 10
    while open_to(desk, worker)[1] == 1:  # the server takes a moment to notice
        assert time.monotonic() < until
        time.sleep(0.01)
    assert open_to(desk, worker)[1] == 2


@ON_POSTGRESQL
def test_an_account_that_another_talks_to_is_left_to_it(desk: Context, crew: Crew, clock: FakeClock, kind: str) -> None:
    for _ in range(2):
        scheduled(desk, crew)
    go_to(clock, NINE)
    one, two = workers(desk)
    (errand,) = deliver.wave(desk, one, [], [X])
    assert deliver.wave(desk, two, [], [X]) == ()
    assert share.next_moment(desk, two, [X]) is None
    deliver.wave(desk, one, [answer(desk, errand)], [])
    (next_one,) = deliver.wave(desk, two, [], [X])
    assert next_one.delivery.id != errand.delivery.id


@pytest.mark.parametrize("kind", [pytest.param("sqlite")], indirect=True)
def test_on_sqlite_what_a_dead_daemon_left_keeps_nobody_waiting(
    desk: Context, crew: Crew, clock: FakeClock, kind: str
) -> None:
    for _ in range(2):
        scheduled(desk, crew)
    go_to(clock, NINE)
    one, two = workers(desk)
    assert deliver.wave(desk, one, [], [X])
    assert deliver.wave(desk, two, [], [X])


@ON_POSTGRESQL
def test_what_another_took_over_is_not_believed_of_the_first(
    desk: Context, crew: Crew, clock: FakeClock, far: FarSide, kind: str
) -> None:
    post = scheduled(desk, crew)
    go_to(clock, NINE)
    one, two = workers(desk)
    (errand,) = deliver.wave(desk, one, [], [X])
    clock.advance(seconds=desk.publishing.lease_s + 1)
    assert [each.id for each in deliver.reap(desk)] == [errand.delivery.id]
    deliver.wave(desk, one, [Done(errand, answer(desk, errand).outcome)], [])
    assert deliveries_of(desk, post)[0].state == "unknown"
    assert far.accepted == []
    clock.advance(seconds=desk.publishing.settle_s + 1)
    (look,) = deliver.wave(desk, two, [], [X])
    assert look.look_since is not None


@ON_POSTGRESQL
def test_one_line_leads_until_it_falls(two_lines: list[Line], kind: str) -> None:
    one, two = two_lines
    assert one.take_lead()
    assert not two.take_lead()
    one.close()
    until = time.monotonic() + 10
    while not two.take_lead():  # the server takes a moment to notice
        assert time.monotonic() < until
        time.sleep(0.01)


@ON_POSTGRESQL
def test_an_approved_post_is_heard_of_on_every_line(
    desk: Context, crew: Crew, two_lines: list[Line], kind: str
) -> None:
    assert not any(line.wait(0) for line in two_lines)
    scheduled(desk, crew)
    assert all(line.wait(1) for line in two_lines)
    assert not any(line.wait(0) for line in two_lines)
