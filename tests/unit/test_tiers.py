"""What was approved may go out only while it is true."""

from datetime import date

import pytest

from bot.domain.case import Case, Confirmation, EventKind, PartialDate, Status, Term
from bot.domain.tiers import tier_borne
from tests.sample_cases import a_case, an_event

TODAY = date(2026, 12, 10)
ARREST = an_event(EventKind.ARREST, "2020-10-07")
TRIAL = an_event(EventKind.TRIAL, "2021-12-14")


def held(**changes: object) -> Case:
    return a_case(*changes.pop("events", (ARREST, TRIAL)), **changes)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("changes", "borne"),
    [
        ({}, True),
        ({"as_of": "2026-01-01"}, False),
        ({"status": Status.RELEASED}, False),
        ({"status": Status.UNKNOWN}, False),
        ({"term": Term(PartialDate(2026, 12, 9), "source")}, False),
        ({"term": Term(PartialDate(2027), "computed")}, True),
    ],
)
@pytest.mark.parametrize("cited", [(), (ARREST,), (ARREST, TRIAL)])
def test_fresh_wording_goes_out_only_while_the_status_bears_it(
    changes: dict[str, object], cited: tuple[object, ...], *, borne: bool
) -> None:
    assert tier_borne("fresh", held(**changes), cited, TODAY) is borne  # type: ignore[arg-type]


def test_a_release_put_on_file_stops_fresh_wording_though_nobody_changed_the_status() -> None:
    freed = held(events=(ARREST, TRIAL, an_event(EventKind.RELEASE, "2026-12-01")))
    assert not tier_borne("fresh", freed, (ARREST,), TODAY)


@pytest.mark.parametrize("tier", ["stale", "past", ""])
def test_wording_that_claims_nothing_of_today_stays_true(tier: str) -> None:
    assert tier_borne(tier, held(as_of="2019"), (ARREST,), TODAY)


def test_still_in_exile_needs_a_fresh_look_too() -> None:
    left = an_event(EventKind.EXILE, "2018-06-07", destination="Germany")
    exiled = a_case(left, status=Status.EXILED)
    assert tier_borne("fresh", exiled, (left,), TODAY)
    assert not tier_borne("fresh", a_case(left, status=Status.EXILED, as_of="2026-05"), (left,), TODAY)


def test_a_confirmation_from_the_future_confirms_nothing() -> None:
    later = held(as_of="2027-01-01")
    assert later.confirmation == Confirmation(PartialDate(2027, 1, 1), later.confirmation.sources)
    assert not tier_borne("fresh", later, (), TODAY)
