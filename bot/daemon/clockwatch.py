"""Notices a clock that jumped: the wall clock and the boot clock must move together."""

from datetime import datetime, timedelta

from bot.ports import Clock

TOLERANCE = timedelta(seconds=120)


class ClockWatch:
    """Suspect while the wall clock stands over 120 s from where the boot clock says it should, or before
    a moment that was already seen. It is trusted again as soon as it is back; else restart after mending it.
    """

    def __init__(self, clock: Clock, highest: datetime | None) -> None:
        self._clock = clock
        self._highest = highest
        self._wall, self._boot = clock.now(), clock.boot()

    def is_suspect(self) -> bool:
        now = self._clock.now()
        expected = self._wall + timedelta(seconds=self._clock.boot() - self._boot)
        went_back = self._highest is not None and now < self._highest - TOLERANCE
        return went_back or abs(now - expected) > TOLERANCE
