"""Taking back what is out, everywhere it can be, also during a halt, and whatever answers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import Act
from bot.domain.errors import NotFound, Refused
from bot.domain.post import PostState
from bot.ports import Absent, Failure, Outcome, Published, Receipt, Unsure
from bot.services import cases, deliver, posts, queue, review, withdraw
from bot.services.context import Context
from bot.services.errands import answer
from bot.services.gate import Worker
from bot.services.posts import When
from tests.farside import NINE, TEXTS, FarSide, X, deliveries_of, drain, go_to, scheduled, states, worker_of
from tests.house import Crew, FakeClock, told
from tests.sample_cases import a_case

WHY = "gia đình yêu cầu"


class Shelf(FarSide):
    """Takes down as told, in order, then whatever is asked."""

    def __init__(self, *answers: Outcome) -> None:
        super().__init__()
        self.down: list[str] = []
        self.told = list(answers)

    def withdraw(self, receipt: Receipt) -> Outcome:
        if self.told:
            return self.told.pop(0)
        self.down.append(receipt.remote_id)
        return Published(receipt)


@pytest.fixture
def far(request: pytest.FixtureRequest) -> Shelf:
    return Shelf(*getattr(request, "param", ()))


def published(house: Context, crew: Crew, clock: FakeClock, **facts: object) -> tuple[int, Worker]:
    post = scheduled(house, crew, **facts)  # type: ignore[arg-type]
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    assert posts.get_post(house, post.id).state is PostState.PUBLISHED
    return post.id, worker


def fates(house: Context, post_id: int) -> list[tuple[bool, str]]:
    found = deliveries_of(house, posts.get_post(house, post_id))
    return [(each.withdrawn_at is not None, each.withdraw_note) for each in found]


def test_a_thread_is_taken_down_from_its_end(house: Context, crew: Crew, clock: FakeClock, far: Shelf) -> None:
    post_id, worker = published(house, crew, clock)
    assert len(withdraw.withdraw_post(house, crew.reviewer, post_id, WHY)) == 2
    drain(house, worker)
    assert far.down == ["r2", "r1"]
    assert fates(house, post_id) == [(True, ""), (True, "")]
    assert posts.get_post(house, post_id).state is PostState.WITHDRAWN
    assert len(told(house, Act.DELIVERY_WITHDRAWN)) == 2


def test_a_halt_does_not_keep_it_up(house: Context, crew: Crew, clock: FakeClock, far: Shelf) -> None:
    post_id, worker = published(house, crew, clock)
    queue.halt(house, crew.auditor, WHY)
    withdraw.withdraw_post(house, crew.coordinator, post_id, WHY)
    drain(house, worker)
    assert len(far.down) == 2


@pytest.mark.parametrize(
    "far",
    [(Absent(Failure.UNREACHABLE, "as told"),), (Unsure("cut"),), (Absent(Failure.AUTH_BROKEN, "as told"),)],
    indirect=True,
)
def test_what_fails_is_tried_again(house: Context, crew: Crew, clock: FakeClock, far: Shelf) -> None:
    post_id, worker = published(house, crew, clock)
    withdraw.withdraw_post(house, crew.coordinator, post_id, WHY)
    drain(house, worker)
    assert far.down == ["r1"]
    assert len(told(house, Act.DELIVERY_NOT_WITHDRAWN)) == 1
    clock.advance(minutes=11)
    drain(house, worker)
    assert far.down == ["r1", "r2"]


@pytest.mark.parametrize("far", [(Absent(Failure.REJECTED, "as told"),)], indirect=True)
def test_what_is_refused_is_left_to_a_person_and_said(house: Context, crew: Crew, clock: FakeClock, far: Shelf) -> None:
    post_id, worker = published(house, crew, clock)
    withdraw.withdraw_post(house, crew.coordinator, post_id, WHY)
    drain(house, worker)
    clock.advance(hours=9)
    drain(house, worker)
    assert far.down == ["r1"]
    assert fates(house, post_id) == [(True, ""), (False, "rejected")]
    withdraw.withdraw_post(house, crew.coordinator, post_id, WHY)
    drain(house, worker)
    assert far.down == ["r1", "r2"]


def test_what_has_not_gone_out_yet_never_does(house: Context, crew: Crew, clock: FakeClock, far: Shelf) -> None:
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    worker = worker_of(house)
    (errand,) = deliver.wave(house, worker, (), (X,))
    done = [answer(house, errand)]
    withdraw.withdraw_post(house, crew.coordinator, post.id, WHY)
    deliver.wave(house, worker, done, ())
    drain(house, worker)
    assert len(far.accepted) == 1
    assert far.down == ["r1"]
    assert [state for state, _ in states(house, post)] == ["published", "cancelled"]
    assert posts.get_post(house, post.id).state is PostState.WITHDRAWN


def test_a_post_of_which_nothing_is_out_is_cancelled_instead(house: Context, crew: Crew) -> None:
    post = scheduled(house, crew)
    with pytest.raises(Refused, match="To stop it, cancel it"):
        withdraw.withdraw_post(house, crew.coordinator, post.id, WHY)


def test_a_reason_and_a_role_are_needed(house: Context, crew: Crew, clock: FakeClock) -> None:
    post_id, _ = published(house, crew, clock)
    with pytest.raises(Refused, match="Say why"):
        withdraw.withdraw_post(house, crew.coordinator, post_id, "  ")
    with pytest.raises(Refused, match="role"):
        withdraw.withdraw_post(house, crew.auditor, post_id, WHY)


def test_when_a_family_asks_the_case_is_held_and_all_that_names_the_person_goes(
    house: Context, crew: Crew, clock: FakeClock, far: Shelf
) -> None:
    cases.import_cases(house, crew.coordinator, [a_case()], source="https://example.org")
    named, worker = published(house, crew, clock, cases=("nguyen-van-a",))
    assert len(withdraw.withdraw_case(house, crew.second_reviewer, "nguyen-van-a", WHY)) == 2
    drain(house, worker)
    assert far.down == ["r2", "r1"]
    assert posts.get_post(house, named).state is PostState.WITHDRAWN
    assert [(each.hold.scope, each.hold.target) for each in queue.holds(house)] == [("case", "nguyen-van-a")]
    assert len(told(house, Act.CASE_WITHDRAWN)) == 1


def test_a_correction_is_linked_to_what_it_corrects_and_needs_its_own_approval(
    house: Context, crew: Crew, clock: FakeClock
) -> None:
    wrong, worker = published(house, crew, clock)
    withdraw.withdraw_post(house, crew.coordinator, wrong, "sai ngày")
    drain(house, worker)
    right = replace(posts.get_post(house, wrong).content, texts=TEXTS | {("vi", ""): "Đính chính."}, windows=())
    made = withdraw.correct_post(house, crew.coordinator, wrong, right, When(at="now"))
    assert (made.corrects_id, made.state) == (wrong, PostState.DRAFT)
    assert told(house, Act.POST_ADDED, f"post:{made.id}")[0].data["corrects"] == wrong
    drain(house, worker)
    assert states(house, made) == []
    submitted = review.submit(house, crew.coordinator, made.id)
    with pytest.raises(Refused):
        review.approve(house, crew.coordinator, made.id, submitted.digest)


def test_what_never_left_is_edited_not_corrected(house: Context, crew: Crew) -> None:
    waiting = scheduled(house, crew)
    with pytest.raises(Refused, match="Edit it"):
        withdraw.correct_post(house, crew.coordinator, waiting.id, waiting.content, When())
    with pytest.raises(Refused):
        withdraw.correct_post(house, crew.auditor, waiting.id, waiting.content, When())
    with pytest.raises(NotFound):
        withdraw.correct_post(house, crew.coordinator, 999, waiting.content, When())
