"""Days that come round: fixed, the nth weekday of a month, by Vietnam's lunar calendar, or once."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial

from bot.domain.campaign import SPOKEN, Observance, ObservanceKind
from bot.domain.case import PartialDate, Precision
from bot.domain.errors import BadInput
from bot.domain.reader import Reader

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OBSERVANCE_KEYS = (
    *("id", "name_vi", "name_en", "kind", "month_day", "weekday", "lunar", "date", "until"),
    *("note", "note_vi", "sources"),
)
_RULES = ("month_day", "weekday", "lunar", "date")
_LAST = -1
_MOST_WEEKS = 5
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Yearly:
    month: int
    day: int

    def on(self, year: int) -> date | None:
        return date(year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """`nth` counts from 1, or is -1 for the last; Monday is 0."""

    nth: int
    weekday: int
    month: int

    def on(self, year: int) -> date | None:
        first, length = calendar.monthrange(year, self.month)
        days = range(1 + (self.weekday - first) % 7, length + 1, 7)
        place = self.nth - 1 if self.nth > 0 else len(days) - 1
        return date(year, self.month, days[place]) if place < len(days) else None


@dataclass(frozen=True, slots=True)
class Lunar:
    """`name` is a method of the calendar; the day never falls outside `first` and `last` (month, day)."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]

    def on(self, year: int) -> date | None:
        return _lunar_day(self.name, year)

    def may_touch(self, year: int, start: date, end: date) -> bool:
        """Reckoning a lunar day loads a large library: it is asked only in its season."""
        return date(year, *self.first) <= end and start <= date(year, *self.last)


LUNAR_DAYS = {
    "tet": Lunar("lunar_new_year_date", (1, 20), (2, 21)),
    "hung-kings": Lunar("hung_kings_date", (3, 28), (5, 2)),
}


@dataclass(frozen=True, slots=True)
class Once:
    date: PartialDate
    until: PartialDate | None = None


Rule = Yearly | NthWeekday | Lunar | Once


@dataclass(frozen=True, slots=True)
class ObservanceRule:
    id: str
    name_vi: str
    name_en: str
    kind: ObservanceKind
    rule: Rule
    note: str = ""
    note_vi: str = ""
    sources: tuple[str, ...] = ()

    def between(self, start: date, end: date) -> Iterator[Observance]:
        """Those that touch the days from `start` to `end`, both included."""
        called, rule = partial(Observance, self.id, self.name_vi, self.name_en, self.kind), self.rule
        if isinstance(rule, Once):
            first, last = rule.date.first_day, (rule.until or rule.date).last_day
            if first <= end and start <= last:
                yield called(first, last if last > first else None, rule.date.precision)
            return
        for year in range(start.year, end.year + 1):
            if isinstance(rule, Lunar) and not rule.may_touch(year, start, end):
                continue
            on = rule.on(year)
            if on and start <= on <= end:
                yield called(on)


@cache
def _lunar_day(name: str, year: int) -> date | None:
    """None beyond the years that the library's tables cover (1901 to 2100)."""
    # The calendar alone: the library's public door computes every holiday of the country and loads all countries.
    from holidays.calendars.chinese import VIETNAMESE_CALENDAR, _ChineseLunisolar  # noqa: PLC0415

    on: date | None = getattr(_ChineseLunisolar(VIETNAMESE_CALENDAR), name)(year)[0]
    return on


def read_observance(table: Reader) -> ObservanceRule:
    """Not to be used if the reader gained findings."""
    slug = table.name("id", required=True)
    kind = table.choice("kind", ObservanceKind, ObservanceKind.HISTORY, required=True)
    rule = _read_rule(table)
    if kind in SPOKEN and isinstance(rule, Once) and rule.date.precision is not Precision.DAY:
        table.report("date", "“{date}” is no day, so nothing can be posted on it.", "Give the day.", date=rule.date)
    return ObservanceRule(id=slug, kind=kind, rule=rule, **table.simple(ObservanceRule, but=("id",)))


_UNREAD = Yearly(1, 1)


def _read_rule(table: Reader) -> Rule:
    given = [key for key in _RULES if table.plain.get(key) is not None]
    if len(given) != 1:
        table.report("", "needs exactly one of {rules}.", "They say when the day is.", rules=", ".join(_RULES))
        return _UNREAD
    if "until" in table.plain and given != ["date"]:
        table.report("until", "belongs to a date.", "Remove it.")
    if given == ["month_day"]:
        return table.parsed("month_day", _month_day) or _UNREAD
    if given == ["weekday"]:
        return _read_weekday(table)
    if given == ["lunar"]:
        return table.parsed("lunar", _lunar) or _UNREAD
    return _read_once(table)


def _month_day(text: str) -> Yearly:
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    except ValueError as error:
        raise BadInput("“{text}” is not a month and a day. Write 12-10.", text=text[:40]) from error
    if (day.month, day.day) == (2, 29):
        raise BadInput("29 February does not come every year. Choose 02-28 or 03-01.")
    return Yearly(day.month, day.day)


def weekday(text: str) -> int:
    """Monday is 0."""
    short = text.casefold()[:3]
    if short not in WEEKDAYS:
        raise BadInput("“{text}” is not a weekday. Write one of {known}.", text=text[:40], known=", ".join(WEEKDAYS))
    return WEEKDAYS.index(short)


def _read_weekday(table: Reader) -> Rule:
    part = table.table("weekday", ("nth", "day", "month"))
    if part is None:
        return _UNREAD
    nth = part.number("nth", least=_LAST, most=_MOST_WEEKS)
    day = part.parsed("day", weekday, required=True)
    month = part.number("month", least=1, most=12)
    if not nth or month is None:
        part.report("", "needs nth (1 to 5, or -1 for the last) and month (1 to 12).")
        return _UNREAD
    return NthWeekday(nth, day or 0, month)


def _lunar(text: str) -> Lunar:
    if text not in LUNAR_DAYS:
        known = ", ".join(LUNAR_DAYS)
        raise BadInput("“{text}” is not a lunar day we can reckon. Write one of {known}.", text=text[:40], known=known)
    return LUNAR_DAYS[text]


def _read_once(table: Reader) -> Rule:
    on = table.parsed("date", PartialDate.parse)
    until = table.parsed("until", PartialDate.parse)
    if on is None:
        return _UNREAD
    if until and (until.precision is not on.precision or until.last_day < on.first_day + timedelta(days=1)):
        problem, remedy = "“{until}” does not follow {date}.", "Give a later date, as precise as the first."
        table.report("until", problem, remedy, until=until, date=on)
    return Once(on, until)
