"""Notices a clock that jumped: the wall clock and the boot clock must move together."""

from datetime import datetime, timedelta

from bot.ports import Clock
from bot.services.clock import TOLERANCE


class ClockWatch:
    """Suspect once the wall clock stood over 120 s from where the boot clock says it should, or before a moment
    that was already seen; also when it is back, until told to trust it.
    """

    def __init__(self, clock: Clock, highest: datetime | None, *, suspect: bool = False) -> None:
        self._clock, self._highest, self._suspect = clock, highest, suspect
        self._wall, self._boot = clock.now(), clock.boot()

    def is_suspect(self) -> bool:
        now = self._clock.now()
        expected = self._wall + timedelta(seconds=self._clock.boot() - self._boot)
        went_back = self._highest is not None and now < self._highest - TOLERANCE
        self._suspect = self._suspect or went_back or abs(now - expected) > TOLERANCE
        return self._suspect

    def trust(self) -> None:
        """From where it stands now."""
        self._suspect, self._highest = False, None
        self._wall, self._boot = self._clock.now(), self._clock.boot()
