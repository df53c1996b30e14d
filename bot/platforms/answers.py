"""What came back through the HTTP door, and what its status and its headers alone say."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from bot.domain.text import nfc
from bot.ports import Absent, Failure, Said, Unsure

LONGEST_WAIT = timedelta(hours=24)
WORTH_SAYING_S = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What the far side said, whole and in time."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def plain(self) -> Any:  # noqa: ANN401 - whatever JSON says
        """None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def fields(self) -> dict[str, Any]:
        """Empty where it is no JSON object."""
        plain = self.plain()
        return plain if isinstance(plain, dict) else {}

    def moment(self) -> datetime | None:
        """What time the far side has."""
        return moment_of(self.headers.get("Date", ""))


def by_status(answer: Answer, now: datetime, *, after_s: object = None) -> Absent | Unsure | None:
    """What the status alone decides; None leaves it to the platform's own words.

    `after_s` is how long the body of the answer asks to wait, in seconds, if it does.
    """
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers = answer.headers if after_s is None else {"Retry-After": str(after_s)}
        return Absent(Failure.RATE_LIMITED, Said("asked to wait"), retry_at(headers, now))
    if answer.status == HTTPStatus.REQUEST_TIMEOUT or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unsure(Said("answered with {status}", status=answer.status))
    return None


_RESETS = ("Retry-After", "X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_LONGEST_DELAY = 10**9  # a larger number of seconds is a time of day since 1970


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When to try again, on this machine's clock: what the far side names is taken by its own `Date`."""
    there = moment_of(headers.get("Date", "")) or now
    waits = (_wait(headers.get(name, "").strip(), there) for name in _RESETS)
    return next((now + min(wait, LONGEST_WAIT) for wait in waits if wait and wait > timedelta()), None)


def _wait(value: str, there: datetime) -> timedelta | None:
    if _NUMBER.fullmatch(value):
        seconds = float(value)
        return timedelta(seconds=seconds - there.timestamp() if seconds > _LONGEST_DELAY else seconds)
    moment = moment_of(value)
    return moment - there if moment else None


def moment_of(value: str) -> datetime | None:
    """A time as ISO 8601 or as HTTP writes it; what names no zone is in UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(value)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def same_words(one: str, other: str) -> bool:
    """Services change white space, and how a letter and its marks are put together."""
    return nfc(one).split() == nfc(other).split()


def clock_note(answer: Answer, now: datetime) -> str:
    """How far this machine's clock is from the service's, which tells whole seconds only; "" where it is near."""
    there = answer.moment()
    ahead = round((now - there).total_seconds()) if there else 0
    if abs(ahead) < WORTH_SAYING_S:
        return ""
    if ahead > 0:
        return Said("This machine's clock is {seconds} s ahead of the service's: set it right.", seconds=ahead)
    return Said("This machine's clock is {seconds} s behind the service's: set it right.", seconds=-ahead)
