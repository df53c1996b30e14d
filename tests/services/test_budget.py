"""What an account may use up: counted from its attempts, checked before the first byte, and said beforehand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import Budget, Price, Used, begun_with, dollars, month_of, price_on
from bot.domain.delivery import DeliveryState
from bot.domain.post import Part, PostState
from bot.ports import Absent, Failure, Unsure
from bot.services import budget, posts
from bot.services.context import Context
from tests.farside import NINE, FarSide, X, drain, go_to, scheduled, states, worker_of
from tests.house import Crew, FakeClock, library

CENT = 10_000
A_POST, WITH_A_LINK = 15_000, 200_000
OUT, LATER = DeliveryState.PUBLISHED.value, DeliveryState.SCHEDULED.value


def limited(house: Context, *, spacing: int = 0, **most: int) -> Context:
    channel = house.channels[X]
    rhythm = replace(channel.rhythm, spacing_minutes=spacing, daily_cap=100)
    return replace(house, channels={X: replace(channel, budget=Budget(**most), rhythm=rhythm)})


def spent(house: Context) -> Used:
    with house.store.read() as tx:
        return budget.used(house, tx, X)


def test_what_is_over_the_hours_budget_waits_until_the_hour_has_slid_on(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    house = limited(house, per_hour=2)
    scheduled(house, crew)
    later = scheduled(house, crew, grace=timedelta(hours=2))
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    assert len(far.accepted) == 2
    assert states(house, later)[0] == (LATER, "budget")
    go_to(clock, NINE + timedelta(minutes=59, seconds=59))
    drain(house, worker)
    assert len(far.accepted) == 2
    go_to(clock, NINE + timedelta(hours=1))
    drain(house, worker)
    assert [state for state, _ in states(house, later)] == [OUT, OUT]


def test_a_budget_that_frees_too_late_misses_the_post_at_once_with_its_reason(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    house = limited(house, per_day=2)
    scheduled(house, crew)
    late = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert len(far.accepted) == 2
    assert states(house, late) == [("missed", "budget"), ("missed", "parent_missing")]
    assert posts.get_post(house, late.id).state is PostState.RETURNED


def test_a_thread_begins_only_where_all_of_it_has_room(house: Context, crew: Crew, clock: FakeClock) -> None:
    house = limited(house, per_hour=3)
    first, second = scheduled(house, crew), scheduled(house, crew, grace=timedelta(hours=2))
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert [state for state, _ in states(house, first)] == [OUT, OUT]
    assert states(house, second)[0] == (LATER, "budget")


def test_a_thread_longer_than_the_budget_is_not_stuck_for_ever(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    house = limited(house, per_hour=1)
    post = scheduled(house, crew, grace=timedelta(hours=3))
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    assert len(far.accepted) == 1
    go_to(clock, NINE + timedelta(hours=1))
    drain(house, worker)
    assert [state for state, _ in states(house, post)] == [OUT, OUT]


def test_a_month_of_posts_ends_with_the_month_in_utc(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    house = limited(house, per_month=2)
    last_day = datetime(2026, 11, 30, 16, tzinfo=UTC)
    house = replace(house, channels={X: replace(house.channels[X], rhythm=replace(house.channels[X].rhythm,
                    quiet_from=NINE.time(), quiet_until=NINE.time()))})  # fmt: skip
    scheduled(house, crew, at=last_day)
    second = scheduled(house, crew, at=last_day, grace=timedelta(hours=10))
    go_to(clock, last_day)
    worker = worker_of(house)
    drain(house, worker)
    assert len(far.accepted) == 2
    go_to(clock, datetime(2026, 12, 1, tzinfo=UTC))
    drain(house, worker)
    assert [state for state, _ in states(house, second)] == [OUT, OUT]


def test_money_is_refused_before_the_post_that_would_go_over(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    house = limited(house, cost_per_month=4 * A_POST - 1)
    scheduled(house, crew)
    refused = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert len(far.accepted) == 2
    assert states(house, refused)[0] == ("missed", "spending")
    assert spent(house) == Used(posts=2, cost=2 * A_POST)


def test_what_may_be_out_is_counted_and_what_is_surely_absent_is_not(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers = [lambda _: Absent(Failure.REJECTED, "no"), lambda _: Unsure("cut")]
    scheduled(house, crew)
    scheduled(house, crew)
    go_to(clock, NINE)
    drain(limited(house), worker_of(house))
    assert spent(house) == Used(posts=1, cost=A_POST)


def test_an_account_without_a_budget_is_not_asked(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    for _ in range(3):
        scheduled(house, crew)
    go_to(clock, NINE)
    drain(limited(house), worker_of(house))
    assert len(far.accepted) == 6


def test_the_shipped_price_of_x_has_its_day_and_source() -> None:
    price = price_on(library()[0].prices, "x", date(2026, 11, 22))
    assert price is not None
    assert (price.per_post, price.per_link_post) == (A_POST, WITH_A_LINK)
    assert price.source.startswith("https://docs.x.com/")
    assert price_on(library()[0].prices, "x", date(2026, 2, 5)) is None
    assert price_on(library()[0].prices, "mastodon", date(2026, 11, 22)) is None


def test_a_missing_space_makes_a_link_that_costs() -> None:
    price = Price("x", "x", date(2026, 1, 1), A_POST, WITH_A_LINK, date(2026, 1, 1), "")
    assert price.of("Hôm nay. Do đó.") == A_POST
    assert price.of("Hôm nay.Do đó.") == WITH_A_LINK


@pytest.mark.parametrize(
    ("cost", "said"), [(0, "$0.00"), (15_000, "$0.015"), (200_000, "$0.20"), (24 * 10**6, "$24.00")]
)
def test_money_is_said_to_the_cent_and_finer_where_it_is(cost: int, said: str) -> None:
    assert dollars(cost) == said


@given(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1)))  # noqa: DTZ001 - hypothesis asks for naive ones
def test_a_moment_is_in_its_month_and_the_next_begins_on_a_first(moment: datetime) -> None:
    start, end = month_of(moment.replace(tzinfo=UTC))
    assert start <= moment.replace(tzinfo=UTC) < end
    assert (start.day, end.day, end.hour) == (1, 1, 0)


def test_two_posts_on_one_account_are_two_commitments() -> None:
    parts = [Part(text, ("vi",), (), answers) for text, answers in (("a", None), ("b", 0), ("c", None), ("d", 2))]
    assert [len(begun_with(parts, number)) for number in range(4)] == [2, 1, 2, 1]


def test_at_four_fifths_it_is_nearly_used() -> None:
    assert not Used(posts=79).nearly(Budget(per_month=100))
    assert Used(posts=80).nearly(Budget(per_month=100))
    assert Used(cost=20 * CENT).nearly(Budget(cost_per_month=25 * CENT))
