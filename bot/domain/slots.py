"""When a post goes out: local wall time to UTC, quiet hours, spacing, the daily cap and recurring slots."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from zoneinfo import ZoneInfo

from bot.domain.campaign import Slot
from bot.domain.errors import BadInput

VIETNAM = "Asia/Ho_Chi_Minh"
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_SEARCH_DAYS = 366


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a channel likes to speak, in its own local time. Equal quiet times mean no quiet hours."""

    post_time: time = time(9)
    quiet_from: time = time(22)
    quiet_until: time = time(6)
    spacing_minutes: int = 90
    daily_cap: int = 6
    timezone: str = VIETNAM

    @property
    def spacing(self) -> timedelta:
        return timedelta(minutes=self.spacing_minutes)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Raises BadInput for what is not an IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput("“{zone}” is not a time zone. Write it like Asia/Ho_Chi_Minh.", zone=name[:40]) from error


@lru_cache(maxsize=1_024)
def at_local(on: date, at: time, timezone: str) -> datetime:
    """The UTC moment of a wall time. One that a clock change skips becomes the next that exists; one that it
    repeats means the first.
    """
    there = zone(timezone)
    wall = datetime.combine(on, at.replace(tzinfo=None, fold=0))
    while (moment := wall.replace(tzinfo=there).astimezone(UTC)).astimezone(there).replace(tzinfo=None) != wall:
        wall = wall.replace(second=0, microsecond=0) + _MINUTE
    return moment


def local_date(moment: datetime, timezone: str = VIETNAM) -> date:
    return moment.astimezone(zone(timezone)).date()


def quiet(moment: datetime, rhythm: Rhythm) -> bool:
    return _quiet_end(moment, rhythm) is not None


def after_quiet(moment: datetime, rhythm: Rhythm) -> datetime:
    """The moment itself, or the end of the quiet hours it falls into."""
    return _quiet_end(moment, rhythm) or moment


def _quiet_end(moment: datetime, rhythm: Rhythm) -> datetime | None:
    """Compares moments, not wall times: an hour that a clock change repeats is quiet at most once."""
    today = local_date(moment, rhythm.timezone)
    over_midnight = _DAY * (rhythm.quiet_until < rhythm.quiet_from)
    for day in (today - _DAY, today):
        begin = at_local(day, rhythm.quiet_from, rhythm.timezone)
        end = at_local(day + over_midnight, rhythm.quiet_until, rhythm.timezone)
        if begin <= moment < end:
            return end
    return None


def has_room(moment: datetime, taken: Collection[datetime], rhythm: Rhythm) -> bool:
    """Whether a channel may post then beside what it will post anyway."""
    return (
        not quiet(moment, rhythm)
        and _next_apart(moment, taken, rhythm.spacing) == moment
        and not day_is_full(moment, taken, rhythm)
    )


def day_is_full(moment: datetime, taken: Collection[datetime], rhythm: Rhythm) -> bool:
    return _taken_on(local_date(moment, rhythm.timezone), taken, rhythm) >= rhythm.daily_cap


def _next_apart(moment: datetime, taken: Collection[datetime], spacing: timedelta) -> datetime:
    """The first moment from `moment` on that keeps its distance to every taken one."""
    for other in sorted(taken):
        if other - spacing < moment < other + spacing or other == moment:
            moment = other + max(spacing, _MINUTE)
    return moment


def _taken_on(day: date, taken: Collection[datetime], rhythm: Rhythm) -> int:
    begin, end = (at_local(on, time(), rhythm.timezone) for on in (day, day + _DAY))
    return sum(begin <= moment < end for moment in taken)


def slot_moments(slots: Sequence[Slot], after: datetime, timezone: str) -> Iterator[datetime]:
    """Every moment of these slots in the year after `after`; `timezone` is for slots without their own."""

    def moments(slot: Slot) -> Iterator[datetime]:
        there = slot.timezone or timezone
        today = local_date(after, there)
        days = (today + _DAY * number for number in range(_SEARCH_DAYS))
        return (at_local(day, slot.at, there) for day in days if day.weekday() in slot.weekdays)

    return (moment for moment in merge(*map(moments, slots)) if moment > after)


def next_free(slots: Sequence[Slot], taken: Collection[datetime], after: datetime, rhythm: Rhythm) -> datetime | None:
    """The next slot at which the channel may post; None if there is none within a year."""
    moments = slot_moments(slots, after, rhythm.timezone)
    return next((moment for moment in moments if has_room(moment, taken, rhythm)), None)


def spread(on: date, count: int, taken: Collection[datetime], rhythm: Rhythm) -> tuple[datetime | None, ...]:
    """Times on one local day for so many posts of a channel, in order; None where the day has no room."""
    used = list(taken)
    times: list[datetime | None] = []
    moment = at_local(on, rhythm.post_time, rhythm.timezone)
    for _ in range(count):
        moment = _next_open(moment, used, rhythm)
        fits = local_date(moment, rhythm.timezone) == on and _taken_on(on, used, rhythm) < rhythm.daily_cap
        times.append(moment if fits else None)
        if fits:
            used.append(moment)
    return tuple(times)


def _next_open(moment: datetime, taken: Collection[datetime], rhythm: Rhythm) -> datetime:
    """Each step moves on, and stops where neither quiet hours nor another post object."""
    while (later := after_quiet(_next_apart(moment, taken, rhythm.spacing), rhythm)) != moment:
        moment = later
    return moment
