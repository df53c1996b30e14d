"""Which days speak: anniversaries, day counts and observances, by the rules of truth about people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain

from bot.domain.campaign import SPOKEN, Campaign, Observance
from bot.domain.case import (
    PAST,
    STATUS_MAX_AGE_DAYS,
    Case,
    Consent,
    Event,
    EventKind,
    Precision,
    Status,
    Tier,
    near_term_end,
)
from bot.domain.hearings import Hearing, hearings
from bot.domain.tiers import began_custody, event_tier, weakest


class OccasionKind(StrEnum):
    """In the order in which they are spoken of where one day has several."""

    JOINT_TRIAL = "joint_trial"
    JOINT_APPEAL = "joint_appeal"
    OBSERVANCE = "observance"
    DAY_COUNT = "day_count"
    ARREST = "arrest"
    TRIAL = "trial"
    APPEAL_TRIAL = "appeal_trial"
    EXILE = "exile"
    RELEASE = "release"
    DEATH = "death"


class Bar(StrEnum):
    """Why an occasion makes no post by itself."""

    CONSENT_REFUSED = "consent_refused"
    CONSENT_LIMITED = "consent_limited"
    PAST_OFF = "past_off"
    DEATH_BY_HAND = "death_by_hand"
    NOT_FRESH = "not_fresh"
    CALENDAR_ONLY = "calendar_only"
    SAME_HEARING = "same_hearing"
    SOURCES_DIFFER = "sources_differ"
    HELD = "held"
    DAILY_CAP = "daily_cap"
    NO_WORDING = "no_wording"


class LeapDay(StrEnum):
    """When 29 February is marked in a year that has none."""

    FEBRUARY = "28 February"
    MARCH = "1 March"


@dataclass(frozen=True, slots=True)
class PlanningRules:
    """What people may set. `campaigns`, in written order, says of each slug whether it marks the past.

    Day counts are `day_counts`, then every `day_counts_every` beyond the last of them (0: none).
    """

    campaigns: Mapping[str, bool] = field(default_factory=dict)
    default_campaign: str = ""
    status_max_age_days: int = STATUS_MAX_AGE_DAYS
    leap_day: LeapDay = LeapDay.FEBRUARY
    day_counts: tuple[int, ...] = (100, 200, 500, 1000)
    day_counts_every: int = 500

    @classmethod
    def of(
        cls,
        campaigns: Sequence[Campaign],
        *,
        status_max_age_days: int = STATUS_MAX_AGE_DAYS,
        leap_day: LeapDay = LeapDay.FEBRUARY,
    ) -> "PlanningRules":
        default = next((campaign.slug for campaign in campaigns if campaign.default), "")
        marks_past = {campaign.slug: campaign.marks_past for campaign in campaigns}
        return cls(marks_past, default, status_max_age_days, leap_day)


@dataclass(frozen=True, slots=True)
class Occasion:
    """A day on which something may be said. `on` is the local date in Viet Nam.

    `key` is the same whenever the same occasion is found again, so that planning twice is planning once.
    `events` pairs each case's slug with the key of its event, in written order.
    """

    key: str
    kind: OccasionKind
    on: date
    tier: Tier
    cases: tuple[str, ...] = ()
    events: tuple[tuple[str, str], ...] = ()
    years: int = 0
    days: int = 0
    campaign: str = ""
    observance: str = ""
    near_term_end: bool = False
    bar: Bar | None = None


_KINDS = tuple(OccasionKind)
_TOGETHER = {EventKind.TRIAL: OccasionKind.JOINT_TRIAL, EventKind.APPEAL_TRIAL: OccasionKind.JOINT_APPEAL}
_ROUND_YEARS = 5


def written_order(occasion: Occasion) -> tuple[object, ...]:
    """Who speaks first on a day, and who is left out last when a channel's daily cap is reached.

    Within a kind the round years first, then the longest ago, then by slug.
    """
    ordinary, length = occasion.years % _ROUND_YEARS != 0, occasion.days or occasion.years
    return occasion.on, _KINDS.index(occasion.kind), ordinary, -length, occasion.cases, occasion.key


def anniversary(day: date, year: int, leap_day: LeapDay = LeapDay.FEBRUARY) -> date:
    """The day as it is marked in `year`."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28) if leap_day is LeapDay.FEBRUARY else date(year, 3, 1)


def occasions(
    cases: Sequence[Case], observances: Sequence[Observance], start: date, end: date, rules: PlanningRules
) -> tuple[Occasion, ...]:
    """Every occasion from `start` to `end`, both included, in written order, those that may not speak too.

    Of a person who refused there is none at all.
    """
    speaking = [case for case in cases if case.consent is not Consent.REFUSED]
    together = hearings(speaking)
    found = chain(
        *(_anniversaries(hearing, start, end, rules) for hearing in together),
        *(_day_counts(case, start, end, rules) for case in speaking),
        (_observed(observance, rules) for observance in observances if observance.precision is Precision.DAY),
    )
    return tuple(sorted((one for one in found if start <= one.on <= end), key=written_order))


def campaign_of(case: Case, rules: PlanningRules) -> str:
    """The first that the case lists and that exists, else the default."""
    return next((slug for slug in case.campaigns if slug in rules.campaigns), rules.default_campaign)


def bar_of(case: Case, kind: EventKind, rules: PlanningRules, campaign: str = "") -> Bar | None:
    """Why nothing is posted by itself about such an event of this person, whatever the day."""
    if case.consent is Consent.REFUSED:
        return Bar.CONSENT_REFUSED
    if case.status is Status.DIED or kind is EventKind.DEATH:
        return Bar.DEATH_BY_HAND
    leaving = kind in {EventKind.RELEASE, EventKind.EXILE}
    if leaving and case.status not in PAST | {Status.UNKNOWN}:
        return Bar.NO_WORDING  # held again: a release is no longer the end of the story
    if case.consent is Consent.LIMITED:
        return Bar.CONSENT_LIMITED
    marks_past = rules.campaigns.get(campaign or campaign_of(case, rules), False)
    return Bar.PAST_OFF if (leaving or case.status in PAST) and not marks_past else None


def _anniversaries(hearing: Hearing, start: date, end: date, rules: PlanningRules) -> Iterator[Occasion]:
    years = range(max(start.year, hearing.day.year + 1), end.year + 1)
    days = {year: on for year in years if start <= (on := anniversary(hearing.day, year, rules.leap_day)) <= end}
    if not days:
        return
    people = hearing.people
    (case, event), several = people[0], len(people) > 1
    kind, name = OccasionKind(event.kind), f"{case.slug}:{event.key}"
    if several:
        kind, name = _TOGETHER[event.kind], hearing.name
    campaign = _campaign_of_most([case for case, _ in people], rules)
    bar = _bar_of_all(people, rules, campaign)
    for year, on in days.items():
        yield Occasion(
            key=f"{kind}:{name}:{year}",
            kind=kind,
            on=on,
            tier=weakest([event_tier(case, event, on, rules.status_max_age_days) for case, event in people]),
            cases=tuple(case.slug for case, _ in people),
            events=tuple((case.slug, event.key) for case, event in people),
            years=year - hearing.day.year,
            campaign=campaign,
            near_term_end=any(_near_term_end(case, on) for case, _ in people),
            bar=bar or (Bar.SAME_HEARING if several and not hearing.confirmed else None),
        )


def _near_term_end(case: Case, on: date) -> bool:
    return case.status not in PAST and near_term_end(case, on)


def _bar_of_all(people: Sequence[tuple[Case, Event]], rules: PlanningRules, campaign: str) -> Bar | None:
    """One person's limit binds all; an outcome only when shared: else the judgment alone is spoken of."""
    bars = {bar_of(case, event.kind, rules, campaign) for case, event in people}
    if len(bars) == 1:
        return bars.pop()
    if any(case.consent is Consent.LIMITED for case, _ in people):
        return Bar.CONSENT_LIMITED
    return Bar.PAST_OFF if bars == {Bar.PAST_OFF, Bar.DEATH_BY_HAND} else None


def _campaign_of_most(cases: Sequence[Case], rules: PlanningRules) -> str:
    slugs = [campaign_of(case, rules) for case in cases]
    written = [*rules.campaigns, *slugs]
    return min(slugs, key=lambda slug: (-slugs.count(slug), written.index(slug)))


def _milestones(last: int, rules: PlanningRules) -> Iterator[int]:
    """In rising order, up to `last`."""
    counts = sorted({count for count in rules.day_counts if 0 < count <= last})
    yield from counts
    if rules.day_counts_every > 0:
        beyond = max(rules.day_counts, default=0) // rules.day_counts_every + 1
        yield from range(beyond * rules.day_counts_every, last + 1, rules.day_counts_every)


def _day_counts(case: Case, start: date, end: date, rules: PlanningRules) -> Iterator[Occasion]:
    arrest = began_custody(case)
    if arrest is None or case.status in PAST:
        return
    # An anniversary names the date on file; a count of days can only be right or wrong.
    first, counted = arrest.date.first_day, Bar.SOURCES_DIFFER if arrest.is_disputed else None
    for days in _milestones((end - first).days, rules):
        on = first + timedelta(days=days)
        if on < start:
            continue
        tier = event_tier(case, arrest, on, rules.status_max_age_days)
        yield Occasion(
            key=f"{OccasionKind.DAY_COUNT}:{case.slug}:{arrest.key}:{days}",
            kind=OccasionKind.DAY_COUNT,
            on=on,
            tier=tier,
            cases=(case.slug,),
            events=((case.slug, arrest.key),),
            days=days,
            campaign=campaign_of(case, rules),
            near_term_end=_near_term_end(case, on),
            bar=(bar_of(case, arrest.kind, rules) or counted) if tier is Tier.FRESH else Bar.NOT_FRESH,
        )


def _observed(observance: Observance, rules: PlanningRules) -> Occasion:
    return Occasion(
        key=f"{OccasionKind.OBSERVANCE}:{observance.id}:{observance.on}",
        kind=OccasionKind.OBSERVANCE,
        on=observance.on,
        tier=Tier.STALE,
        campaign=rules.default_campaign,
        observance=observance.id,
        bar=None if observance.kind in SPOKEN else Bar.CALENDAR_ONLY,
    )
