"""Dates no more precise than their source, the tiers of truth, and names as Vietnamese sorts and searches them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case import (
    EventKind,
    PartialDate,
    Precision,
    Status,
    Term,
    Tier,
    event_key,
    fold,
    is_confirmed,
    near_term_end,
    tier_of,
    vietnamese_key,
)
from bot.domain.errors import BadInput
from tests.sample_cases import a_case, partial_dates

TODAY = date(2026, 11, 21)


@given(partial_dates())
def test_a_date_is_written_as_it_was_read(day: PartialDate) -> None:
    assert PartialDate.parse(str(day)) == day


@given(partial_dates())
def test_a_vague_date_covers_exactly_its_month_or_year(day: PartialDate) -> None:
    inside, after = day.last_day, day.last_day + timedelta(days=1)
    assert str(inside).startswith(str(day))
    assert not str(after).startswith(str(day))
    assert str(day.first_day).startswith(str(day))
    assert (day.exact is not None) == (day.precision is Precision.DAY)


@pytest.mark.parametrize(
    "text", ["", "2020-13", "2020-02-30", "2019-02-29", "2020-00", "2020-00-05", "20-1-1", "7/10/2020", "0001", "9999"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        PartialDate.parse(text)


@pytest.mark.parametrize(("age", "tier"), [(-1, Tier.STALE), (0, Tier.FRESH), (180, Tier.FRESH), (181, Tier.STALE)])
def test_prison_is_fresh_for_180_days_after_it_was_confirmed(age: int, tier: Tier) -> None:
    case = a_case(as_of=str(TODAY - timedelta(days=age)))
    assert tier_of(case, TODAY) is tier


def test_a_vague_confirmation_counts_from_its_first_day() -> None:
    case = a_case(as_of="2026")
    assert is_confirmed(case, date(2026, 6, 30))
    assert not is_confirmed(case, date(2026, 7, 1))


@pytest.mark.parametrize("end", ["2026-11-21", "2026-11", "2026", "2020-01-01"])
def test_nobody_is_said_to_be_in_prison_once_the_term_may_be_over(end: str) -> None:
    case = a_case(term=Term(PartialDate.parse(end), "computed"))
    assert tier_of(case, TODAY) is Tier.STALE


@pytest.mark.parametrize(
    ("status", "tier"),
    [
        (Status.AWAITING_TRIAL, Tier.FRESH),
        (Status.UNKNOWN, Tier.STALE),
        (Status.RELEASED, Tier.PAST),
        (Status.EXILED, Tier.PAST),
        (Status.DIED, Tier.PAST),
    ],
)
def test_the_tier_follows_the_status(status: Status, tier: Tier) -> None:
    assert tier_of(a_case(status=status), TODAY) is tier


@pytest.mark.parametrize(
    ("end", "near"), [("2026-12-21", True), ("2026-12-22", False), ("2026-12", True), ("2027", False), ("2020", True)]
)
def test_a_term_is_near_its_end_from_30_days_before(end: str, near: bool) -> None:  # noqa: FBT001
    case = a_case(term=Term(PartialDate.parse(end), "source"))
    assert near_term_end(case, TODAY) is near


def test_search_ignores_tone_marks_case_and_the_bar_of_the_d() -> None:
    assert fold("Nguyễn Văn  ĐÀI") == fold("nguyen van dai") == "nguyen van dai"


def test_names_sort_by_given_name_then_by_letters_before_tones() -> None:
    names = ["Lê Văn Đức", "Trần Thị Dung", "Lê Văn Bình", "Phạm Ân", "Đỗ An", "Võ Ăn", "Lê Hoà", "Lê Hoa", "Lê Hỏa"]
    assert sorted(names, key=vietnamese_key) == [
        *("Đỗ An", "Võ Ăn", "Phạm Ân", "Lê Văn Bình", "Trần Thị Dung", "Lê Văn Đức"),
        *("Lê Hoa", "Lê Hoà", "Lê Hỏa"),
    ]


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_two_names_can_be_compared(one: str, other: str) -> None:
    assert sorted([one, other], key=vietnamese_key)


def test_a_new_event_gets_a_key_of_its_own() -> None:
    day = PartialDate.parse("2020-10-07")
    assert event_key(EventKind.ARREST, day, set()) == "arrest-2020-10-07"
    assert event_key(EventKind.ARREST, day, {"arrest-2020-10-07"}) == "arrest-2020-10-07.2"
