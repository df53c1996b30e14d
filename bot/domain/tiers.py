"""How much may be said of one event: only the present custody is spoken of as lasting."""

from collections.abc import Collection
from datetime import date

from bot.domain.case import STATUS_MAX_AGE_DAYS, Case, Event, EventKind, Status, Tier, is_confirmed, tier_of

ENDINGS = frozenset({EventKind.RELEASE, EventKind.EXILE, EventKind.DEATH})


def in_present_custody(case: Case, event: Event) -> bool:
    """Nothing on file ends the custody this event belongs to, or begins another.

    People are arrested twice: “18 years later, still in prison” must not be said of an arrest that ended in
    a release. Where a vague date leaves the order open, the answer is no.
    """
    if any(other.date.last_day >= event.date.first_day for other in case.events if other.kind in ENDINGS):
        return False
    others = (other for other in case.of_kind(EventKind.ARREST) if other.key != event.key)
    if event.kind is EventKind.ARREST:
        return all(other.date.last_day <= event.date.first_day for other in others)
    return all(other.date.first_day <= event.date.last_day for other in others)


def began_custody(case: Case) -> Event | None:
    """The arrest, known to the day, since which the days of the present custody can be counted."""
    arrests = (event for event in case.of_kind(EventKind.ARREST) if event.date.exact)
    return next((event for event in arrests if in_present_custody(case, event)), None)


def event_tier(case: Case, event: Event, on: date, max_age_days: int = STATUS_MAX_AGE_DAYS) -> Tier:
    """The strongest true wording about this event on the local date `on`; exile ages as prison does."""
    if event.kind in {EventKind.RELEASE, EventKind.DEATH}:
        return Tier.PAST
    if event.kind is EventKind.EXILE:
        lasting = case.status is Status.EXILED and is_confirmed(case, on, max_age_days)
        return Tier.FRESH if lasting else Tier.STALE
    tier = tier_of(case, on, max_age_days)
    confirmed_since = case.confirmation.as_of.last_day >= event.date.first_day
    lasting = confirmed_since and in_present_custody(case, event)
    return Tier.STALE if tier is Tier.FRESH and not lasting else tier


def tier_borne(
    tier: str, case: Case, cited: Collection[Event], on: date, max_age_days: int = STATUS_MAX_AGE_DAYS
) -> bool:
    """Whether approved wording is still true on the local day of sending, of the case and of each event it cites.

    Only fresh wording claims something of today; the rest stays true, and a changed status voids it by its cite.
    """
    if tier != Tier.FRESH:
        return True
    if not cited:
        return tier_of(case, on, max_age_days) is Tier.FRESH
    return all(event_tier(case, event, on, max_age_days) is Tier.FRESH for event in cited)


def weakest(tiers: Collection[Tier]) -> Tier:
    """Of people tried together: all in prison, all no longer, or only what stays true of everyone."""
    return next(iter(tiers)) if len(set(tiers)) == 1 else Tier.STALE
