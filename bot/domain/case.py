"""A person's matter: facts with their sources, never more precise than the page that states them."""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache, total_ordering

from bot.domain.errors import BadInput

STATUS_MAX_AGE_DAYS = 180
TERM_MARGIN_DAYS = 30
YEARS = range(1900, 2200)
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


class EventKind(StrEnum):
    ARREST = "arrest"
    TRIAL = "trial"
    APPEAL_TRIAL = "appeal_trial"
    RELEASE = "release"
    EXILE = "exile"
    DEATH = "death"


class Status(StrEnum):
    IMPRISONED = "imprisoned"
    AWAITING_TRIAL = "awaiting_trial"
    RELEASED = "released"
    EXILED = "exiled"
    DIED = "died"
    UNKNOWN = "unknown"


HELD = frozenset({Status.IMPRISONED, Status.AWAITING_TRIAL})
PAST = frozenset({Status.RELEASED, Status.EXILED, Status.DIED})


class Consent(StrEnum):
    """Of the person or the family: unknown means published facts only."""

    GIVEN = "given"
    LIMITED = "limited"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Address(StrEnum):
    """Vietnamese form of address; none is never guessed."""

    NONE = ""
    ONG = "ông"
    BA = "bà"
    ANH = "anh"
    CHI = "chị"


class Precision(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@total_ordering
@dataclass(frozen=True, slots=True)
class PartialDate:
    """A local date as precise as its source: `2020-10-07`, `2020-10` or `2020`."""

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: str) -> "PartialDate":
        """Raises BadInput for anything that is not a calendar date in one of the three forms."""
        match = re.fullmatch(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", text.strip())
        if not match:
            raise BadInput("“{text}” is not a date. Write 2020-10-07, 2020-10 or 2020.", text=text[:40])
        year = int(match[1])
        month, day = (int(part) if part else None for part in match.groups()[1:])
        try:
            date(year, *(1 if part is None else part for part in (month, day)))
        except ValueError as error:
            raise BadInput("“{text}” is not in the calendar.", text=text[:40]) from error
        if year not in YEARS:
            raise BadInput("“{text}” is not a year of our time. Check the date.", text=text[:40])
        return cls(year, month, day)

    @property
    def precision(self) -> Precision:
        return Precision.DAY if self.day else Precision.MONTH if self.month else Precision.YEAR

    @property
    def first_day(self) -> date:
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last_day(self) -> date:
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])

    @property
    def exact(self) -> date | None:
        return self.first_day if self.day else None

    def __str__(self) -> str:
        return "-".join([f"{self.year:04}", *(f"{part:02}" for part in (self.month, self.day) if part)])

    def __lt__(self, other: "PartialDate") -> bool:
        return (self.first_day, str(self)) < (other.first_day, str(other))


@dataclass(frozen=True, slots=True)
class Sentence:
    prison_months: int | None = None
    probation_months: int | None = None
    life: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A dated fact. `key` names it within its case and never changes, even when its date is corrected.

    `heard_alone` is a person's answer that a hearing of the same day and court was not this one.
    """

    key: str
    kind: EventKind
    date: PartialDate
    sources: tuple[str, ...]
    partial_sources: tuple[str, ...] = ()
    alt_dates: tuple[PartialDate, ...] = ()
    charge: str = ""
    court: str = ""
    province: str = ""
    destination: str = ""
    sentence: Sentence | None = None
    additional: bool = False
    in_absentia: bool = False
    in_custody: bool = False
    joint: str = ""
    joint_sources: tuple[str, ...] = ()
    joint_defendants: int | None = None
    heard_alone: bool = False
    note: str = ""
    note_vi: str = ""

    @property
    def is_disputed(self) -> bool:
        """A source gives another date; one that is only less precise does not differ."""
        day = self.date
        return any(day.first_day < other.first_day or other.last_day < day.last_day for other in self.alt_dates)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The newest look at the status: what the sources say it was, on a date at most this precise."""

    as_of: PartialDate
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """Last day of the prison term; `basis` is `source` or `computed` (arrest + final prison months)."""

    end: PartialDate
    basis: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One person's case, as known now. `revisions` counts each fact's changes, by the fact's key."""

    slug: str
    name_vi: str
    name_en: str
    status: Status
    confirmation: Confirmation
    events: tuple[Event, ...] = ()
    id: int = 0
    also_known_as: tuple[str, ...] = ()
    occupation_vi: str = ""
    occupation_en: str = ""
    gender: str = ""
    last_known_status: Status | None = None
    term: Term | None = None
    campaigns: tuple[str, ...] = ()
    consent: Consent = Consent.UNKNOWN
    address: Address = Address.NONE
    title_vi: str = ""
    short_vi: str = ""
    custody_unbroken: bool | None = None
    all_defendants_listed: bool | None = None
    tag: str = ""
    note: str = ""
    note_vi: str = ""
    revisions: Mapping[str, int] = field(default_factory=dict)

    def event(self, key: str) -> Event | None:
        return next((event for event in self.events if event.key == key), None)

    @property
    def is_disputed(self) -> bool:
        """Sources differ on a day of it."""
        return any(event.is_disputed for event in self.events)

    def of_kind(self, kind: EventKind) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind is kind)


class Tier(StrEnum):
    """What wording may claim; weaker tiers say only what stays true whatever happened since."""

    FRESH = "fresh"
    STALE = "stale"
    PAST = "past"


def near_term_end(case: Case, on: date) -> bool:
    """The term is over, or within 30 days of its end: nothing may hint that the person is in prison.

    A term end known by month or year is near from 30 days before its first day.
    """
    return case.term is not None and on >= case.term.end.first_day - timedelta(days=TERM_MARGIN_DAYS)


def is_confirmed(case: Case, on: date, max_age_days: int = STATUS_MAX_AGE_DAYS) -> bool:
    """Whether the status was confirmed recently enough; a vague date counts from its first day."""
    age = (on - case.confirmation.as_of.first_day).days
    return 0 <= age <= max_age_days


def tier_of(case: Case, on: date, max_age_days: int = STATUS_MAX_AGE_DAYS) -> Tier:
    """The strongest wording that is true on the local date `on` in Viet Nam."""
    if case.status in PAST:
        return Tier.PAST
    term_open = case.term is None or case.term.end.first_day > on
    if case.status in HELD and term_open and is_confirmed(case, on, max_age_days):
        return Tier.FRESH
    return Tier.STALE


def event_key(kind: EventKind, on: PartialDate, taken: frozenset[str] | set[str]) -> str:
    """A name for a new event, unique in its case: `arrest-2020-10-07`, then `arrest-2020-10-07.2`."""
    stem = f"{kind.value}-{on}"
    return next(key for n in range(1, len(taken) + 2) if (key := stem if n == 1 else f"{stem}.{n}") not in taken)


_TONELESS = str.maketrans({"đ": "d", "Đ": "D", "ð": "d", "Ð": "D"})


def unmarked(text: str) -> str:
    """“Nguyen Van Dai” of “Nguyễn Văn Đài”, as names are written in English."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text.translate(_TONELESS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def fold(text: str) -> str:
    """For search: no case, no tone marks, đ as d. “nguyen van dai” finds “Nguyễn Văn Đài”."""
    return " ".join(unmarked(text).casefold().split())


_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_SHAPES = frozenset("\u0306\u0302\u031b")


def _letter_key(letter: str) -> tuple[int, int]:
    decomposed = unicodedata.normalize("NFD", letter)
    shape = unicodedata.normalize("NFC", decomposed[0] + "".join(m for m in decomposed[1:] if m in _SHAPES))
    tone = next((_TONES[mark] for mark in decomposed[1:] if mark in _TONES), 0)
    place = _LETTERS.find(shape)
    return (place if place >= 0 else len(_LETTERS) + ord(shape[0]), tone)


@lru_cache(maxsize=16_384)
def vietnamese_key(name: str) -> tuple[object, ...]:
    """Sorts by given name first, letters before tones: a ă â … d đ; ngang huyền hỏi ngã sắc nặng."""
    syllables = unicodedata.normalize("NFC", name).lower().split()
    ordered = [*syllables[-1:], *syllables[:-1]]
    keys = [[_letter_key(letter) for letter in syllable] for syllable in ordered]
    letters = tuple(tuple(place for place, _ in key) for key in keys)
    tones = tuple(tuple(tone for _, tone in key) for key in keys)
    return letters[:1], tones[:1], letters[1:], tones[1:]
