"""Which days speak, and of whom nothing is said: the rules of truth, over drawn cases and one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.campaign import SPOKEN, Campaign, Observance, ObservanceKind
from bot.domain.case import (
    PAST,
    Case,
    Consent,
    Event,
    EventKind,
    PartialDate,
    Precision,
    Sentence,
    Status,
    Term,
    Tier,
    is_confirmed,
    tier_of,
)
from bot.domain.occasions import (
    Bar,
    LeapDay,
    Occasion,
    OccasionKind,
    PlanningRules,
    anniversary,
    bar_of,
    occasions,
    written_order,
)
from tests.sample_cases import a_case, an_event, some_cases

RULES = PlanningRules({"first": False, "second": True}, "first")
TRIAL, APPEAL, ARREST = EventKind.TRIAL, EventKind.APPEAL_TRIAL, EventKind.ARREST
RELEASE, EXILE, DEATH = EventKind.RELEASE, EventKind.EXILE, EventKind.DEATH
DAY = date(2026, 12, 10)

windows = st.tuples(st.dates(date(2026, 6, 1), date(2028, 12, 31)), st.integers(0, 900)).map(
    lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))
)


def found(
    *cases: Case, start: str = "2026-11-21", end: str = "2027-11-20", rules: PlanningRules = RULES
) -> tuple[Occasion, ...]:
    return occasions(cases, (), date.fromisoformat(start), date.fromisoformat(end), rules)


def a_trial(on: str = "2021-12-15", court: str = "Court A", **facts: object) -> Event:
    return an_event(TRIAL, on, court=court, **facts)


def a_group(count: int, event: Event | None = None, **facts: object) -> list[Case]:
    event = event or a_trial(joint="hearing")
    return [a_case(event, slug=f"nguyen-van-{'abcdef'[number]}", **facts) for number in range(count)]  # type: ignore[arg-type]


# Over drawn cases


@given(some_cases(), windows, st.integers(0, 900))
def test_a_window_split_anywhere_finds_the_same(cases: Sequence[Case], window: tuple[date, date], days: int) -> None:
    start, end = window
    middle = min(start + timedelta(days=days), end)
    apart = occasions(cases, (), start, middle, RULES) + occasions(cases, (), middle + timedelta(days=1), end, RULES)
    assert occasions(cases, (), start, end, RULES) == apart


@given(some_cases())
def test_several_years_at_once_are_the_years_one_by_one(cases: Sequence[Case]) -> None:
    years = range(2025, 2032)
    apart = [occasions(cases, (), date(year, 1, 1), date(year, 12, 31), RULES) for year in years]
    assert occasions(cases, (), date(2025, 1, 1), date(2031, 12, 31), RULES) == sum(apart, ())


@given(some_cases(), windows)
def test_what_is_found_keeps_every_rule_of_truth(cases: Sequence[Case], window: tuple[date, date]) -> None:
    people = {case.slug: case for case in cases}
    for one in occasions(cases, (), *window, RULES):
        named = [people[slug] for slug in one.cases]
        events = [people[slug].event(key) for slug, key in one.events]
        assert window[0] <= one.on <= window[1]
        assert all(case.consent is not Consent.REFUSED for case in named)
        assert all(event and event.date.precision is Precision.DAY for event in events)
        if one.tier is Tier.FRESH and one.kind is not OccasionKind.EXILE:
            assert {tier_of(case, one.on) for case in named} == {Tier.FRESH}
        if one.tier is Tier.PAST and one.kind not in {OccasionKind.RELEASE, OccasionKind.DEATH}:
            assert all(case.status in PAST for case in named)
        if one.bar is None:
            assert all(case.consent is not Consent.LIMITED for case in named)
            assert one.kind is not OccasionKind.DEATH
            assert any(case.status is not Status.DIED for case in named)
            assert one.kind is not OccasionKind.DAY_COUNT or one.tier is Tier.FRESH


@given(some_cases(), windows)
def test_no_event_speaks_twice_and_no_key_is_used_twice(cases: Sequence[Case], window: tuple[date, date]) -> None:
    all_found = occasions(cases, (), *window, RULES)
    yearly = [(one.on.year, pair) for one in all_found if one.years for pair in one.events]
    assert len(yearly) == len(set(yearly))
    assert len(all_found) == len({one.key for one in all_found})
    assert list(all_found) == sorted(all_found, key=written_order)


@given(st.dates(date(2010, 1, 1), date(2026, 1, 1)), st.integers(0, 9000))
def test_day_counts_are_the_arithmetic_of_local_dates(arrested: date, span: int) -> None:
    case = a_case(an_event(on=str(arrested)))
    counts = [one for one in occasions([case], (), arrested, arrested + timedelta(days=span), RULES) if one.days]
    wanted = [n for n in range(1, span + 1) if n in {100, 200} or n % 500 == 0]
    assert [one.days for one in counts] == wanted
    assert all(one.on - arrested == timedelta(days=one.days) for one in counts)


@given(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(2026, 2060), st.sampled_from(LeapDay))
def test_an_anniversary_is_the_same_day_or_beside_a_leap_day(day: date, year: int, leap_day: LeapDay) -> None:
    marked = anniversary(day, year, leap_day)
    assert marked.year == year
    if (marked.month, marked.day) != (day.month, day.day):
        assert (day.month, day.day) == (2, 29)
        assert f"{marked.day} {marked:%B}" == leap_day


# Days


@pytest.mark.parametrize(
    ("leap_day", "days"),
    [
        (LeapDay.FEBRUARY, ["2027-02-28", "2028-02-29", "2029-02-28"]),
        (LeapDay.MARCH, ["2027-03-01", "2028-02-29", "2029-03-01"]),
    ],
)
def test_a_leap_day_is_marked_where_the_calendar_has_none(leap_day: LeapDay, days: list[str]) -> None:
    rules = replace(RULES, leap_day=leap_day, day_counts=(), day_counts_every=0)
    marked = found(a_case(an_event(on="2024-02-29")), end="2029-11-20", rules=rules)
    assert [str(one.on) for one in marked] == days
    assert [one.years for one in marked] == [3, 4, 5]


@pytest.mark.parametrize("vague", ["2020", "2020-12"])
def test_a_vague_date_has_no_anniversary(vague: str) -> None:
    assert not found(a_case(an_event(on=vague)))


def test_the_day_itself_is_no_anniversary() -> None:
    case = a_case(an_event(on="2026-12-10"))
    assert [one.key for one in found(case, end="2027-12-10")] == [
        "day_count:nguyen-van-a:arrest-2026-12-10:100",
        "day_count:nguyen-van-a:arrest-2026-12-10:200",
        "arrest:nguyen-van-a:arrest-2026-12-10:2027",
    ]


def test_another_date_of_the_same_event_makes_no_second_post() -> None:
    event = an_event(on="2020-12-10", alt_dates=(PartialDate(2020, 12, 11),))
    assert [str(one.on) for one in found(a_case(event)) if one.years] == ["2026-12-10"]


def test_two_thousand_days_are_counted_as_the_models_say() -> None:
    case = a_case(an_event(on="2020-06-12"), as_of="2025-12-01")
    counted = found(case, start="2025-11-01", end="2025-12-31")
    assert [(one.days, str(one.on), one.tier, one.bar) for one in counted] == [(2000, "2025-12-03", Tier.FRESH, None)]


def test_day_counts_stop_where_the_status_is_not_fresh() -> None:
    case = a_case(an_event(on="2020-06-12"), as_of="2025-05-01")
    assert [one.bar for one in found(case, start="2025-11-01", end="2025-12-31")] == [Bar.NOT_FRESH]


@pytest.mark.parametrize(("other", "bar"), [("2020-06-13", Bar.SOURCES_DIFFER), ("2020-06", None)])
def test_days_are_not_counted_from_a_day_on_which_sources_differ(other: str, bar: Bar | None) -> None:
    case = a_case(an_event(on="2020-06-12", alt_dates=(PartialDate.parse(other),)), as_of="2025-10-01")
    assert [one.bar for one in found(case, start="2025-11-01", end="2025-12-31")] == [bar]
    assert [one.bar for one in found(case, start="2025-06-01", end="2025-06-30") if one.years] == [None]


# One custody and another


def test_someone_arrested_twice_is_not_said_to_be_held_since_the_first_arrest() -> None:
    before = (an_event(on="2008-12-10"), an_event(TRIAL, "2009-12-11"), an_event(RELEASE, "2012-01-01"))
    marked = found(a_case(*before, an_event(on="2025-12-12")), end="2026-12-12")
    assert [(str(one.on), one.tier) for one in marked if one.years] == [
        ("2026-12-10", Tier.STALE),
        ("2026-12-11", Tier.STALE),
        ("2026-12-12", Tier.FRESH),
    ]


def test_days_count_from_the_arrest_that_began_the_present_custody() -> None:
    case = a_case(an_event(on="2008-12-10"), an_event(RELEASE, "2012-01-01"), an_event(on="2026-09-01"))
    assert [(one.days, one.events) for one in found(case, end="2026-12-31") if one.days] == [
        (100, (("nguyen-van-a", "arrest-2026-09-01"),))
    ]


@pytest.mark.parametrize("later", [an_event(on="2026"), an_event(RELEASE, "2026"), an_event(EXILE, "2026-09-01")])
def test_days_are_not_counted_where_the_order_of_events_is_open(later: Event) -> None:
    case = a_case(an_event(on="2026-09-01"), replace(later, key="later"))
    assert not [one for one in found(case) if one.days]


def test_a_confirmation_from_before_the_arrest_says_nothing_of_it() -> None:
    case = a_case(an_event(on="2026-09-01"), as_of="2026-08-01")
    assert [(one.days, one.tier, one.bar) for one in found(case, end="2026-12-31")] == [
        (100, Tier.STALE, Bar.NOT_FRESH)
    ]


@pytest.mark.parametrize("kind", [RELEASE, EXILE])
def test_the_release_of_someone_held_again_has_no_wording(kind: EventKind) -> None:
    case = a_case(an_event(kind, "2012-12-10"), an_event(on="2020-10-07"), campaigns=("second",))
    assert [one.bar for one in found(case, end="2026-12-31")] == [Bar.NO_WORDING]


@pytest.mark.parametrize(
    ("status", "as_of", "tier"),
    [
        (Status.EXILED, "2026-11-01", Tier.FRESH),
        (Status.EXILED, "2026-01-01", Tier.STALE),
        (Status.RELEASED, "2026-11-01", Tier.STALE),
        (Status.UNKNOWN, "2026-11-01", Tier.STALE),
    ],
)
def test_exile_ages_as_prison_does(status: Status, as_of: str, tier: Tier) -> None:
    case = a_case(an_event(EXILE, "2018-12-10"), status=status, as_of=as_of, campaigns=("second",))
    (marked,) = found(case)
    assert (marked.tier, marked.bar) == (tier, None)
    assert is_confirmed(case, marked.on) == (as_of == "2026-11-01")


def test_the_end_of_a_term_is_flagged_for_those_still_thought_to_be_held() -> None:
    term = Term(PartialDate.parse("2026-12"), "computed")
    held, free = (a_case(an_event(on="2020-12-10"), status=s, term=term) for s in (Status.UNKNOWN, Status.RELEASED))
    assert [one.near_term_end for one in (*found(held), *found(free)) if one.years] == [True, False]


# Bars


@pytest.mark.parametrize(
    ("kind", "status", "consent", "campaign", "bar"),
    [
        (ARREST, Status.IMPRISONED, Consent.UNKNOWN, "first", None),
        (ARREST, Status.UNKNOWN, Consent.GIVEN, "first", None),
        (ARREST, Status.IMPRISONED, Consent.REFUSED, "first", Bar.CONSENT_REFUSED),
        (ARREST, Status.DIED, Consent.REFUSED, "second", Bar.CONSENT_REFUSED),
        (ARREST, Status.IMPRISONED, Consent.LIMITED, "first", Bar.CONSENT_LIMITED),
        (ARREST, Status.RELEASED, Consent.LIMITED, "second", Bar.CONSENT_LIMITED),
        (ARREST, Status.RELEASED, Consent.UNKNOWN, "first", Bar.PAST_OFF),
        (ARREST, Status.RELEASED, Consent.UNKNOWN, "second", None),
        (TRIAL, Status.DIED, Consent.GIVEN, "second", Bar.DEATH_BY_HAND),
        (DEATH, Status.UNKNOWN, Consent.GIVEN, "second", Bar.DEATH_BY_HAND),
        (RELEASE, Status.UNKNOWN, Consent.GIVEN, "first", Bar.PAST_OFF),
        (EXILE, Status.EXILED, Consent.GIVEN, "second", None),
    ],
)
def test_why_nothing_is_posted_by_itself(
    kind: EventKind, status: Status, consent: Consent, campaign: str, bar: Bar | None
) -> None:
    case = a_case(status=status, consent=consent, campaigns=(campaign,))
    assert bar_of(case, kind, RULES) is bar


def test_of_a_person_who_refused_there_is_no_occasion_at_all() -> None:
    assert not found(a_case(an_event(on="2020-12-10"), consent=Consent.REFUSED))


# Campaigns


@pytest.mark.parametrize(
    ("campaigns", "wins"),
    [((), "first"), (("second",), "second"), (("gone", "second", "first"), "second"), (("gone",), "first")],
)
def test_an_occasion_belongs_to_the_first_campaign_that_exists(campaigns: tuple[str, ...], wins: str) -> None:
    (marked,) = found(a_case(an_event(TRIAL, "2020-12-10"), campaigns=campaigns))
    assert marked.campaign == wins


@pytest.mark.parametrize(
    ("campaigns", "wins"),
    [(["second", "second", "first"], "second"), (["second", "first"], "first"), (["first", "second"], "first")],
)
def test_a_joint_hearing_belongs_to_the_campaign_of_most(campaigns: list[str], wins: str) -> None:
    cases = [replace(case, campaigns=(slug,)) for case, slug in zip(a_group(len(campaigns)), campaigns, strict=True)]
    (marked,) = found(*cases)
    assert marked.campaign == wins


def test_rules_come_from_the_campaigns_as_written() -> None:
    campaigns = (Campaign("b", "B", "B", marks_past=True), Campaign("a", "A", "A", default=True))
    rules = PlanningRules.of(campaigns, leap_day=LeapDay.MARCH)
    assert list(rules.campaigns.items()) == [("b", True), ("a", False)]
    assert (rules.default_campaign, rules.leap_day, rules.status_max_age_days) == ("a", LeapDay.MARCH, 180)


# Hearings of several people


def test_people_tried_together_are_one_occasion_longest_term_first() -> None:
    terms = {"Nguyễn Văn Đ": Sentence(60), "Nguyễn Văn D": Sentence(60), "Trần Thị C": Sentence(96)}
    terms |= {"Lê Văn B": Sentence(life=True), "Lê Văn A": Sentence()}
    cases = [
        a_case(a_trial(joint="hearing", sentence=sentence), name_vi=name, slug=f"nguyen-{number}")
        for number, (name, sentence) in enumerate(terms.items())
    ]
    (marked,) = found(*cases)
    assert marked.key == "joint_trial:hearing:2026"
    assert marked.cases == ("nguyen-3", "nguyen-2", "nguyen-1", "nguyen-0", "nguyen-4")
    assert (marked.years, marked.bar) == (5, None)


def test_a_joint_appeal_is_an_appeal() -> None:
    (marked,) = found(*a_group(2, an_event(APPEAL, "2021-12-15", joint="hearing")))
    assert (marked.kind, marked.key) == (OccasionKind.JOINT_APPEAL, "joint_appeal:hearing:2026")


@pytest.mark.parametrize(
    ("statuses", "tier", "bar"),
    [
        ((Status.IMPRISONED, Status.IMPRISONED), Tier.FRESH, None),
        ((Status.IMPRISONED, Status.UNKNOWN), Tier.STALE, None),
        ((Status.IMPRISONED, Status.RELEASED), Tier.STALE, None),
        ((Status.IMPRISONED, Status.DIED), Tier.STALE, None),
        ((Status.EXILED, Status.RELEASED), Tier.PAST, Bar.PAST_OFF),
        ((Status.DIED, Status.RELEASED), Tier.PAST, Bar.PAST_OFF),
        ((Status.DIED, Status.DIED), Tier.PAST, Bar.DEATH_BY_HAND),
    ],
)
def test_a_group_says_only_what_is_true_of_everyone(statuses: tuple[Status, ...], tier: Tier, bar: Bar | None) -> None:
    cases = [replace(case, status=status) for case, status in zip(a_group(2), statuses, strict=True)]
    (marked,) = found(*cases)
    assert (marked.tier, marked.bar) == (tier, bar)


def test_one_limited_consent_binds_the_whole_group() -> None:
    one, other = a_group(2)
    (marked,) = found(one, replace(other, consent=Consent.LIMITED))
    assert marked.bar is Bar.CONSENT_LIMITED


def test_who_refused_is_left_out_of_the_group_and_the_last_one_stands_alone() -> None:
    one, other, third = a_group(3)
    refused = replace(other, consent=Consent.REFUSED)
    assert [marked.cases for marked in found(one, refused, third)] == [(one.slug, third.slug)]
    (alone,) = found(one, refused)
    assert alone.key == "trial:nguyen-van-a:trial-2021-12-15:2026"


def test_the_same_day_and_court_is_only_a_question() -> None:
    (asked,) = found(*a_group(2, a_trial()))
    assert (asked.kind, asked.bar, len(asked.cases)) == (OccasionKind.JOINT_TRIAL, Bar.SAME_HEARING, 2)


@pytest.mark.parametrize(
    "other",
    [
        a_trial(heard_alone=True),
        a_trial(court="Court B"),
        a_trial(court=""),
        a_trial(on="2021-12-16"),
        a_trial(joint="hearing"),
        an_event(APPEAL, "2021-12-15", court="Court A"),
    ],
)
def test_what_differs_is_not_asked_about(other: Event) -> None:
    marked = found(a_case(a_trial()), a_case(other, slug="nguyen-van-b"))
    assert [(len(one.cases), one.bar) for one in marked] == [(1, None), (1, None)]


def test_two_missing_courts_are_not_the_same_court() -> None:
    assert len(found(*a_group(2, a_trial(court="")))) == 2


def test_a_limited_consent_is_not_drawn_into_a_guess() -> None:
    one, other = a_group(2, a_trial())
    assert {marked.cases: marked.bar for marked in found(one, replace(other, consent=Consent.LIMITED))} == {
        (one.slug,): None,
        (other.slug,): Bar.CONSENT_LIMITED,
    }


def test_nobody_is_tried_together_with_themselves() -> None:
    case = a_case(a_trial(key="one"), a_trial(key="two"))
    assert [one.cases for one in found(case)] == [("nguyen-van-a",), ("nguyen-van-a",)]


def test_one_name_on_two_days_is_two_hearings_with_their_own_keys() -> None:
    first, second = a_group(2), a_group(2, a_trial(on="2021-12-16", joint="hearing"))
    marked = found(*first, *(replace(case, slug=case.slug + "-2") for case in second))
    assert [one.key for one in marked] == ["joint_trial:2021-12-15@hearing:2026", "joint_trial:2021-12-16@hearing:2026"]


def test_arrests_of_one_day_stay_apart() -> None:
    cases = a_group(4, an_event(on="2020-12-10", court="Court A"), status=Status.UNKNOWN)
    assert [one.cases for one in found(*cases) if one.years] == [(case.slug,) for case in cases]


# Observances and order


@pytest.mark.parametrize("kind", list(ObservanceKind))
def test_only_advocacy_and_amnesty_days_speak(kind: ObservanceKind) -> None:
    day = Observance("a-day", "Ngày", "A day", kind, DAY)
    (marked,) = occasions((), [day], DAY, DAY, RULES)
    assert marked.key == "observance:a-day:2026-12-10"
    assert (marked.campaign, marked.observance) == ("first", "a-day")
    assert (marked.bar is None) == (kind in SPOKEN)


def test_a_month_is_for_the_calendar_alone() -> None:
    month = Observance("a-month", "Tháng", "A month", ObservanceKind.UN_REVIEW, DAY, precision=Precision.MONTH)
    assert not occasions((), [month], DAY, DAY, RULES)


def test_a_day_is_told_in_its_written_order() -> None:
    day = Observance("a-day", "Ngày", "A day", ObservanceKind.ADVOCACY, DAY)
    cases = [
        a_case(an_event(TRIAL, "2024-12-10"), slug="late-trial"),
        a_case(an_event(DEATH, "2020-12-10"), slug="death", status=Status.DIED),
        a_case(an_event(on="2020-12-10"), slug="six-years", status=Status.UNKNOWN),
        a_case(an_event(on="2021-12-10"), slug="five-years", status=Status.UNKNOWN),
        a_case(an_event(on="2017-12-10"), slug="nine-years-b", status=Status.UNKNOWN),
        a_case(an_event(on="2017-12-10"), slug="nine-years-a", status=Status.UNKNOWN),
        a_case(an_event(on=str(DAY - timedelta(days=1000))), slug="thousand"),
        *a_group(2, a_trial(on="2024-12-10", joint="hearing")),
    ]
    told = occasions(cases, [day], DAY, DAY, RULES)
    assert [one.observance or one.cases[0] for one in told] == [
        *("nguyen-van-a", "a-day", "thousand"),
        *("five-years", "nine-years-a", "nine-years-b", "six-years", "late-trial", "death"),
    ]
