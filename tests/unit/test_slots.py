"""When a post goes out: clock changes, quiet hours, spacing and caps, in the channel's own time."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.campaign import Slot
from bot.domain.errors import BadInput
from bot.domain.slots import (
    VIETNAM,
    Rhythm,
    after_quiet,
    at_local,
    has_room,
    local_date,
    next_free,
    quiet,
    spread,
    zone,
)

ZONES = (VIETNAM, "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
EVENING = Slot("evening", "a-campaign", time(20), frozenset({1, 3, 5}))

dates = st.dates(date(2010, 1, 1), date(2036, 12, 31))
# Steps of an hour and a half meet every gap, fold and quiet hour without drawing seconds that nobody sets.
times = st.integers(0, 24 * 4 - 1).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
moments = st.datetimes(datetime(2010, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
rhythms = st.builds(
    Rhythm,
    post_time=times,
    quiet_from=times,
    quiet_until=times,
    spacing_minutes=st.sampled_from((0, 15, 90, 400)),
    daily_cap=st.integers(0, 6),
    timezone=st.sampled_from(ZONES),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("on", "at", "where", "moment"),
    [
        (date(2026, 12, 10), time(9), VIETNAM, "2026-12-10 02:00"),
        (date(2026, 12, 10), time(6, 30), VIETNAM, "2026-12-09 23:30"),
        (date(2027, 3, 14), time(2, 30), "America/New_York", "2027-03-14 07:00"),  # skipped: the next is 03:00
        (date(2027, 11, 7), time(1, 30), "America/New_York", "2027-11-07 05:30"),  # twice: the first
        (date(2011, 12, 30), time(9), "Pacific/Apia", "2011-12-30 10:00"),  # a day that never was
    ],
)
def test_a_wall_time_is_one_moment(on: date, at: time, where: str, moment: str) -> None:
    assert at_local(on, at, where) == utc(moment)


@given(dates, times, st.sampled_from(ZONES))
def test_a_moment_shows_its_wall_time_or_the_next_that_exists(on: date, at: time, where: str) -> None:
    shown = at_local(on, at, where).astimezone(zone(where)).replace(tzinfo=None)
    wanted = datetime.combine(on, at)
    assert shown == wanted or wanted < shown <= wanted + timedelta(days=1)


def test_the_local_date_may_be_tomorrow_in_utc_terms() -> None:
    assert local_date(utc("2026-12-09 17:00")) == date(2026, 12, 10)
    assert local_date(utc("2026-12-09 16:59")) == date(2026, 12, 9)


@pytest.mark.parametrize("name", ["", "Hanoi", "../etc/passwd", "Asia", "a\0b", "x" * 300])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is not a time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("at", "is_quiet"), [("21:59", False), ("22:00", True), ("00:00", True), ("05:59", True), ("06:00", False)]
)
def test_quiet_hours_run_over_midnight(at: str, is_quiet: bool) -> None:  # noqa: FBT001
    assert quiet(at_local(date(2026, 12, 10), time.fromisoformat(at), VIETNAM), Rhythm()) is is_quiet


@given(moments, rhythms)
def test_after_quiet_hours_comes_the_first_moment_that_is_not_quiet(moment: datetime, rhythm: Rhythm) -> None:
    later = after_quiet(moment, rhythm)
    assert not quiet(later, rhythm)
    assert moment <= later <= moment + timedelta(hours=26)
    assert later == moment or quiet(later - timedelta(minutes=1), rhythm)


def test_equal_quiet_times_mean_no_quiet_hours() -> None:
    rhythm = Rhythm(quiet_from=time(3), quiet_until=time(3))
    assert not any(quiet(utc("2026-12-10") + timedelta(hours=hour), rhythm) for hour in range(24))


@given(dates, st.integers(0, 8), st.lists(times, max_size=6), rhythms)
def test_a_day_is_spread_with_distance_within_the_cap_and_outside_quiet_hours(
    on: date, count: int, busy: list[time], rhythm: Rhythm
) -> None:
    taken = [at_local(on, at, rhythm.timezone) for at in busy]
    found = spread(on, count, taken, rhythm)
    placed = [moment for moment in found if moment]
    assert len(found) == count
    assert found == (*placed, *[None] * (count - len(placed)))
    for number, moment in enumerate(placed):
        others = [*taken, *placed[:number]]
        assert has_room(moment, others, rhythm)
        assert local_date(moment, rhythm.timezone) == on
        assert moment >= at_local(on, rhythm.post_time, rhythm.timezone)


def test_a_full_day_begins_at_the_post_time_and_leaves_the_rest_out() -> None:
    found = spread(date(2027, 6, 24), 9, [at_local(date(2027, 6, 24), time(12), VIETNAM)], Rhythm())
    local = [moment.astimezone(zone(VIETNAM)).strftime("%H:%M") if moment else None for moment in found]
    assert local == ["09:00", "10:30", "13:30", "15:00", "16:30", None, None, None, None]


@given(moments, rhythms, st.lists(st.integers(-500, 5000), max_size=8))
def test_the_next_free_slot_is_a_slot_with_room(after: datetime, rhythm: Rhythm, minutes: list[int]) -> None:
    taken = [after + timedelta(minutes=minute) for minute in minutes]
    moment = next_free([EVENING], taken, after, rhythm)
    if moment is None:
        assert rhythm.daily_cap == 0 or rhythm.quiet_from != rhythm.quiet_until
        return
    local = moment.astimezone(zone(rhythm.timezone))
    assert moment > after
    assert local.weekday() in EVENING.weekdays
    assert local.time() >= EVENING.at
    assert has_room(moment, taken, rhythm)


def test_the_next_free_slot_skips_what_is_taken_and_keeps_the_slots_own_zone() -> None:
    tuesday = utc("2026-11-24 13:00")
    paris = Rhythm(timezone="Europe/Paris")
    slots = [Slot("late", "a-campaign", time(20), frozenset({1}), timezone=VIETNAM), EVENING]
    assert next_free(slots, (), utc("2026-11-23"), paris) == tuesday
    assert next_free(slots, [tuesday + timedelta(minutes=60)], utc("2026-11-23"), paris) == utc("2026-11-24 19:00")


def test_without_slots_there_is_no_next() -> None:
    assert next_free((), (), utc("2026-11-23"), Rhythm()) is None
