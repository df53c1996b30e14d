"""Which days speak: anniversaries, day counts and observances, by the rules of truth about people."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.domain.case import Tier


class OccasionKind(StrEnum):
    ARREST = "arrest"
    TRIAL = "trial"
    APPEAL_TRIAL = "appeal_trial"
    JOINT_TRIAL = "joint_trial"
    JOINT_APPEAL = "joint_appeal"
    DAY_COUNT = "day_count"
    RELEASE = "release"
    EXILE = "exile"
    DEATH = "death"
    OBSERVANCE = "observance"


class Bar(StrEnum):
    """Why an occasion makes no post by itself."""

    CONSENT_REFUSED = "consent_refused"
    CONSENT_LIMITED = "consent_limited"
    PAST_OFF = "past_off"
    DEATH_BY_HAND = "death_by_hand"
    NOT_FRESH = "not_fresh"
    CALENDAR_ONLY = "calendar_only"
    SAME_HEARING = "same_hearing"
    HELD = "held"
    DAILY_CAP = "daily_cap"
    NO_WORDING = "no_wording"


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
