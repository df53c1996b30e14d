"""What people edit: campaigns, their days and slots, and the short forms of places and charges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple

from bot.domain.case import Precision

LANGUAGES = ("vi", "en")


class Shape(StrEnum):
    """Of a share card: wide for X, Bluesky and Mastodon, tall for Facebook and Telegram, square for all."""

    WIDE = "wide"
    TALL = "tall"
    SQUARE = "square"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A named effort. `channels` empty means all; `hashtags` and `links` by language.

    `marks_past` is the switch for posts on release, exile and other days of people no longer held; `cards` is the
    shape of the share card that the program puts on the days it drafts, or none.
    """

    slug: str
    name_vi: str
    name_en: str
    default: bool = False
    channels: tuple[str, ...] = ()
    hashtags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    approvals: int = 1
    marks_past: bool = False
    cards: Shape | None = None
    sources: tuple[str, ...] = ()


class ObservanceKind(StrEnum):
    ADVOCACY = "advocacy"
    AMNESTY_WATCH = "amnesty_watch"
    CAMPAIGN = "campaign"
    HISTORY = "history"
    UN_REVIEW = "un_review"


SPOKEN = frozenset({ObservanceKind.ADVOCACY, ObservanceKind.AMNESTY_WATCH})


@dataclass(frozen=True, slots=True)
class Observance:
    """A day of one year, already computed. `until` closes a range of days.

    Where only the month or the year is known, the range is all of it, and the day is for the calendar alone.
    """

    id: str
    name_vi: str
    name_en: str
    kind: ObservanceKind
    on: date
    until: date | None = None
    precision: Precision = Precision.DAY


@dataclass(frozen=True, slots=True)
class Slot:
    """A recurring moment to post, local to `timezone` (the channel's own where empty). Monday is 0."""

    name: str
    campaign: str
    at: time
    weekdays: frozenset[int]
    channels: tuple[str, ...] = ()
    timezone: str = ""


class Short(NamedTuple):
    """A short form in both languages, as it stands inside a sentence."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Places:
    """Checked short forms by the wording in the cases; a missing one rules out the models that print it."""

    courts: Mapping[str, Short] = field(default_factory=dict)
    provinces: Mapping[str, Short] = field(default_factory=dict)
    destinations: Mapping[str, Short] = field(default_factory=dict)
    charges: Mapping[str, Short] = field(default_factory=dict)
