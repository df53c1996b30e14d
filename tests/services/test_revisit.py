"""A day after it was published each delivery is looked at once: what was taken down or changed is said to people."""

from datetime import timedelta

import pytest

from bot.domain.audit import Act
from bot.domain.delivery import DeliveryState, Reason, Sighting
from bot.domain.errors import NotFound, Refused
from bot.ports import Receipt, Unsure
from bot.services import deliver, settle, withdraw
from bot.services.context import Context
from bot.services.errands import answer
from bot.services.gate import Worker
from bot.store import deliveries
from tests.farside import NINE, FarSide, X, deliveries_of, drain, go_to, scheduled, worker_of
from tests.house import Crew, FakeClock, told

DAY, SPREAD = timedelta(hours=24), timedelta(hours=2)


@pytest.fixture
def worker(house: Context, crew: Crew, clock: FakeClock) -> Worker:
    """One post of two parts is out."""
    scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    return worker


def sightings(house: Context) -> list[str]:
    with house.store.read() as tx:
        return [each.sighting for each in deliveries.listed(tx)]


def revisits(house: Context, worker: Worker) -> int:
    return sum(errand.revisit for errand in drain(house, worker))


def test_each_is_looked_at_once_a_day_after(house: Context, clock: FakeClock, worker: Worker) -> None:
    clock.advance(seconds=(DAY - timedelta(seconds=1)).total_seconds())
    assert not deliver.is_to_look(house)
    assert revisits(house, worker) == 0
    clock.advance(seconds=SPREAD.total_seconds() + 1)
    assert deliver.is_to_look(house)
    assert revisits(house, worker) == 2
    assert sightings(house) == [Sighting.THERE] * 2
    assert settle.lost(house) == ()
    clock.advance(days=30)
    assert revisits(house, worker) == 0


def test_what_is_gone_or_changed_is_on_record_until_somebody_knows(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, worker: Worker
) -> None:
    far.stands = [Sighting.GONE, Sighting.CHANGED]
    clock.advance(hours=26)
    drain(house, worker)
    lost = settle.lost(house)
    assert {each.sighting for each in lost} == {"gone", "changed"}
    for act, sighting in ((Act.DELIVERY_GONE, "gone"), (Act.DELIVERY_CHANGED, "changed")):
        (entry,) = told(house, act)
        assert entry.obj == next(f"delivery:{each.id}" for each in lost if each.sighting == sighting)
    with pytest.raises(Refused):
        settle.acknowledge(house, crew.auditor, lost[0].id)
    settle.acknowledge(house, crew.coordinator, lost[0].id)
    assert settle.lost(house) == lost[1:]
    with pytest.raises(Refused, match="knows already"):
        settle.acknowledge(house, crew.coordinator, lost[0].id)
    with pytest.raises(NotFound):
        settle.acknowledge(house, crew.coordinator, 999)


def test_a_look_that_fails_is_tried_again_a_few_times_only(
    house: Context, clock: FakeClock, far: FarSide, worker: Worker
) -> None:
    far.stands = [Unsure("503")] * 100
    for _ in range(24 * 8):
        drain(house, worker)
        clock.advance(hours=1)
    assert 2 * 5 <= 100 - len(far.stands) <= 2 * 9
    assert sightings(house) == ["", ""]


def test_where_nobody_can_ever_look_nobody_looks_twice(
    house: Context, clock: FakeClock, far: FarSide, worker: Worker
) -> None:
    far.stands = [Unsure("shows nothing", Reason.CANNOT_LOOK)] * 100
    for _ in range(24 * 4):
        drain(house, worker)
        clock.advance(hours=1)
    assert len(far.stands) == 98


def test_nobody_looks_when_a_post_is_to_leave_soon(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, worker: Worker
) -> None:
    due = NINE + timedelta(hours=30)
    scheduled(house, crew, at=due)
    go_to(clock, due - timedelta(minutes=4))
    assert revisits(house, worker) == 0
    go_to(clock, due)
    (errand,) = deliver.wave(house, worker, (), (X,))
    assert not errand.revisit
    deliver.wave(house, worker, [answer(house, errand)], ())
    assert revisits(house, worker) == 2
    assert len(far.accepted) == 4


def test_what_was_taken_down_is_not_looked_for(house: Context, crew: Crew, clock: FakeClock, worker: Worker) -> None:
    with house.store.read() as tx:
        post_id = deliveries.listed(tx)[0].post_id
    withdraw.withdraw_post(house, crew.coordinator, post_id, "gia đình xin")
    drain(house, worker)
    clock.advance(days=2)
    assert revisits(house, worker) == 0
    assert settle.lost(house) == ()


def test_a_look_never_changes_what_became_of_a_post(
    house: Context, clock: FakeClock, far: FarSide, worker: Worker
) -> None:
    far.look = lambda receipt, text: 1 / 0  # type: ignore[method-assign,return-value,assignment]  # noqa: ARG005
    clock.advance(hours=26)
    drain(house, worker)
    with house.store.read() as tx:
        found = deliveries.listed(tx)
    assert {each.state for each in found} == {DeliveryState.PUBLISHED}
    assert {each.sighting for each in found} == {""}


def test_a_person_who_found_it_live_has_it_looked_at_too(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers, far.finds = [lambda _: Unsure("cut")], [Unsure("nothing", Reason.CANNOT_LOOK)]
    post = scheduled(house, crew)
    seen: list[Receipt] = []

    def look(receipt: Receipt, text: str) -> Sighting:
        del text
        seen.append(receipt)
        return Sighting.THERE

    far.look = look  # type: ignore[method-assign]
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    clock.advance(minutes=5)
    drain(house, worker)
    held = deliveries_of(house, post)[0]
    settle.settle_live(house, crew.coordinator, held.id, "https://example.org/thu/77")
    clock.advance(hours=27)
    drain(house, worker)
    assert "77" in {receipt.remote_id for receipt in seen}
