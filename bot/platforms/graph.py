"""Facebook's Graph API: the SDK words a request, our door sends it, and a table says what a refusal means."""

import hmac
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from bot.platforms.answers import Answer, by_status, retry_at
from bot.platforms.http import Door
from bot.ports import Absent, Failure, Unsure

with warnings.catch_warnings():
    # It writes "\d" in a plain string, and where warnings are errors it could not even be imported.
    warnings.simplefilter("ignore")
    import facebook

DUPLICATE, BLOCKED = 506, 368
NEARLY, REST = 75, timedelta(minutes=5)
"""At so much of what is allowed, in percent, posts keep this distance."""
_USUAL_WAIT, _MOST = timedelta(hours=1), 1_440.0
_NO_SUCH = (100, 33)
_MAYBE_APPLIED = frozenset({1, 2})
_LIMITS = frozenset({4, 17, 32, 341, 613, *range(80_000, 81_000)})
_SIGNED_OUT = frozenset({10, 102, 190, 2_500, *range(200, 300)})
_NO_RIGHT = ("permission", "appsecret_proof")
_USAGES = ("X-App-Usage", "X-Page-Usage", "X-Business-Use-Case-Usage")
_COUNTED = ("call_count", "total_time", "total_cputime")
_Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a request was refused, as the body says; its status decides nothing."""

    code: int
    subcode: object
    message: str


@dataclass(frozen=True, slots=True)
class Usage:
    """`percent` of what is allowed is used; `regained_in_min` is said when it is used up."""

    percent: float = 0
    regained_in_min: float = 0


class Graph:
    """One token's way to the Graph API. It is in no address, unless the token itself is what is asked about."""

    def __init__(self, door: Door, token: SecretStr, app_secret: SecretStr, version: str) -> None:
        self._door, self._line = door, _Line(door, token, app_secret)
        self._sdk: Any = facebook.GraphAPI(token.get_secret_value(), session=self._line)
        self._sdk.version = version  # the SDK's own list ends with 3.1, and so with 2020
        self.usage = Usage()
        self.resting_until: datetime | None = None

    def call(
        self, asking: Callable[[Any], object], deadline: float | None = None, patience_s: float | None = None
    ) -> Answer | Absent | Unsure:
        """What came back for the one request that `asking` makes of the SDK, as it came."""
        self._line.deadline, self._line.patience_s = deadline, patience_s
        with suppress(_Heard):
            asking(self._sdk)
        if isinstance(given := self._line.heard, Answer):
            self._mind(given)
        return given

    def refusal(self, given: Answer | Absent | Unsure) -> Absent | Unsure:
        """A write that meets code 1 or 2 may have been applied, whatever else the answer says."""
        if not isinstance(given, Answer):
            return given
        said, now = complaint(given), self._door.clock.now()
        if said and said.code in _LIMITS:
            wait = timedelta(minutes=usage(given.headers).regained_in_min)
            again = now + wait if wait else retry_at(given.headers, now) or now + _USUAL_WAIT
            return Absent(Failure.RATE_LIMITED, "asked to wait", again)
        if decided := by_status(given, now):
            return decided
        if not said:
            return Unsure(f"answered with {given.status}, and not as Facebook does")
        detail = self._door.clean(f"{given.status}: {said.code}/{said.subcode}: {said.message}")
        if said.code in _MAYBE_APPLIED:
            return Unsure(detail)
        return Absent(_meaning(said, given.status), detail)

    def _mind(self, given: Answer) -> None:
        """A refusal names its own wait; a request that passed tells how many more will."""
        self.usage = seen = usage(given.headers)
        if given.status == HTTPStatus.OK:
            rest = timedelta(minutes=seen.regained_in_min) or REST
            self.resting_until = self._door.clock.now() + rest if seen.percent >= NEARLY else None


class _Heard(Exception):
    """Takes the answer past the SDK, which would drop its status and take a list, or a 500, for success."""


class _Line:
    """What the SDK takes for its HTTP session."""

    def __init__(self, door: Door, token: SecretStr, app_secret: SecretStr) -> None:
        key, message = (secret.get_secret_value().encode() for secret in (app_secret, token))
        self._door, self._token = door, token
        self._proof = {"appsecret_proof": hmac.new(key, message, "sha256").hexdigest()}
        self.deadline: float | None = None
        self.patience_s: float | None = None
        self.heard: Answer | Absent | Unsure = Unsure("nothing was asked")

    def request(
        self, method: str, url: str, *, params: _Fields, data: _Fields | None, files: object, **_: object
    ) -> None:
        content: dict[str, Any] = {"files": files, "data": {**data, **self._proof} if data else None}
        if not data:
            content["params"] = {name: each for name, each in params.items() if name != "access_token"} | self._proof
            content["headers"] = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        path = url.removeprefix(facebook.FACEBOOK_GRAPH_URL.rstrip("/"))
        self.heard = self._door.call(method, path, deadline=self.deadline, patience_s=self.patience_s, **content)
        raise _Heard


def complaint(given: Answer | Absent | Unsure) -> Complaint | None:
    """None where the request was not refused, or not in Facebook's own words."""
    if not isinstance(given, Answer) or not HTTPStatus.BAD_REQUEST <= given.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    error = given.fields().get("error")
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    return Complaint(error["code"], error.get("error_subcode", ""), str(error.get("message")))


def says_gone(given: Answer | Absent | Unsure) -> bool:
    """It is not there, or the right to see it is lacking: Facebook has the same words for both."""
    said = complaint(given)
    return said is not None and (said.code, said.subcode) == _NO_SUCH


def _meaning(said: Complaint, status: int) -> Failure:
    if said.code == BLOCKED:
        return Failure.BLOCKED
    no_right = said.code == _NO_SUCH[0] and any(words in said.message for words in _NO_RIGHT)
    if no_right or said.code in _SIGNED_OUT or status == HTTPStatus.UNAUTHORIZED:
        return Failure.AUTH_BROKEN
    return Failure.REJECTED


def usage(headers: Mapping[str, str]) -> Usage:
    """The fullest of what is counted; while next to nothing is used, Facebook says nothing."""
    counts = [count for name in _USAGES for count in _counts(headers.get(name, ""))]
    percent = max((_number(count.get(name)) for count in counts for name in _COUNTED), default=0)
    wait = max((_number(count.get("estimated_time_to_regain_access")) for count in counts), default=0)
    return Usage(percent, wait)


def _counts(header: str) -> Iterator[Mapping[str, Any]]:
    """Bare for an app; for a business, a list for each of its accounts."""
    try:
        told = json.loads(header)
    except (ValueError, RecursionError):
        return
    many = [told, *(told.values() if isinstance(told, dict) else ())]
    listed = [each for one in many for each in (one if isinstance(one, list) else [one])]
    yield from (each for each in listed if isinstance(each, dict))


def _number(value: object) -> float:
    return min(float(value), _MOST) if isinstance(value, int | float) and value > 0 else 0
