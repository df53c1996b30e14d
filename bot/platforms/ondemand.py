"""An account that opens when it is first needed: whoever only writes or reviews posts needs none of its secrets."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.delivery import Sighting
from bot.domain.errors import CampaignError
from bot.domain.text import Counting, TextRules
from bot.ports import Absent, Account, Failure, Outcome, Parcel, Platform, Published, Receipt, Said, Unsure


class OnDemand:
    """Stands for the account. What cannot be opened is tried again each time: a secret may be put right meanwhile.

    `memory` keeps the limits that the service named last, for processes that do not open it.
    """

    def __init__(
        self, rules: TextRules, memory: Path, opening: Callable[[], Platform], stamp: Callable[[], int] = int
    ) -> None:
        """`opening` raises a CampaignError that says what is missing; it is asked again after a new `stamp`."""
        self._rules = _remembered(memory) or rules
        self._memory, self._opening = memory, opening
        self._platform: Platform | None = None
        self._stamp, self._stamped = stamp, stamp()

    @property
    def rules(self) -> TextRules:
        return self._rules

    @property
    def repeats(self) -> timedelta | None:
        """Until it has been opened nobody can tell."""
        return self._platform.repeats if self._platform else None

    def publish(self, parcel: Parcel) -> Outcome:
        platform = self._open()
        if isinstance(platform, Absent):
            return platform
        outcome = platform.publish(parcel)
        self._remember(platform.rules)
        if isinstance(outcome, Absent) and outcome.failure is Failure.AUTH_BROKEN:
            self._platform = None  # another key may lie in the same place by the time it is needed again
        return outcome

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        platform = self._open()
        return Unsure(platform.detail) if isinstance(platform, Absent) else platform.find(parcel, since)

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        platform = self._open()
        return Unsure(platform.detail) if isinstance(platform, Absent) else platform.look(receipt, text)

    def withdraw(self, receipt: Receipt) -> Outcome:
        platform = self._open()
        return platform if isinstance(platform, Absent) else platform.withdraw(receipt)

    def check(self) -> Account:
        self._platform = None
        platform = self._open()
        if isinstance(platform, Absent):
            return Account("", "", missing=(platform.detail,), opened=False)
        account = platform.check()
        self._remember(platform.rules)
        return account

    def _open(self) -> Platform | Absent:
        if self._stamped != (now := self._stamp()):
            self._platform, self._stamped = None, now
        try:
            self._platform = self._platform or self._opening()
        except CampaignError as error:
            return Absent(Failure.AUTH_BROKEN, Said(error.template, **error.fields))
        return self._platform

    def _remember(self, rules: TextRules) -> None:
        """A disk that is full must not put in doubt what has just been published."""
        if rules == self._rules:
            return
        self._rules = rules
        with suppress(OSError):
            self._memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._memory.write_text(json.dumps(asdict(rules)), "utf-8")


def _remembered(memory: Path) -> TextRules | None:
    try:
        kept = json.loads(memory.read_text("utf-8"))
        return TextRules(**kept | {"counting": Counting(kept["counting"])})
    except (OSError, ValueError, TypeError, LookupError):
        return None
