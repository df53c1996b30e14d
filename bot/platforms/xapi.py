"""X's API through tweepy, over the one HTTP door: what came back counts, not what tweepy makes of it."""

import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any

import requests
import tweepy
from pydantic import SecretStr

from bot.platforms.answers import Answer, by_status, clock_note, retry_at
from bot.platforms.http import Door, Failed
from bot.ports import Absent, Failure, Said, Unsure

PAGE = 100
# What X calls its posts' parts; a name that it does not know it leaves out in silence, and bills all the same.
FIELDS = {"post.fields": "created_at,entities", "expansions": "referenced_posts"}
GONE = "resource-not-found"
DUPLICATE = "duplicate content"
MEDIA_GONE = "media ids are invalid"
_WRITTEN_INTO_TWEEPY = "https://api.twitter.com"
_BROKEN = frozenset({"oauth1-permissions", "client-forbidden", "user-suspended", "unsupported-authentication"})
_SPENT = frozenset({"credits", "usage-capped"})
_WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")

# They would write every request, with the keys it is signed with.
for _each in ("tweepy", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_each).setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Keys:
    """Of the app, and of the account within it (OAuth 1.0a)."""

    api_key: SecretStr
    api_secret: SecretStr
    access_token: SecretStr
    access_secret: SecretStr


@dataclass(slots=True)
class _Way:
    """Stands for one request where tweepy keeps its session: time limits, redirects and address are the door's."""

    door: Door
    deadline: float | None = None
    patience_s: float | None = None
    given: list[Answer | Absent | Unsure] = field(default_factory=list, repr=False)

    def request(self, method: str, url: str, **content: Any) -> requests.Response:  # noqa: ANN401 - as requests
        path = url.removeprefix(_WRITTEN_INTO_TWEEPY)
        given = self.door.call(method, path, deadline=self.deadline, patience_s=self.patience_s, **content)
        self.given.append(given)
        if not isinstance(given, Answer):
            raise Failed(given)
        response = requests.Response()
        response.status_code, response.raw = given.status, BytesIO(given.body)
        response.headers.update(given.headers)
        return response


class Api:
    """One account. Each method is one request."""

    def __init__(self, door: Door, keys: Keys) -> None:
        self.door = door
        self._client = tweepy.Client(
            consumer_key=keys.api_key.get_secret_value(),
            consumer_secret=keys.api_secret.get_secret_value(),
            access_token=keys.access_token.get_secret_value(),
            access_token_secret=keys.access_secret.get_secret_value(),
            return_type=requests.Response,
        )
        self._client.user_agent = "campaignbot"

    def create(self, text: str, media: list[str], parent: str, deadline: float) -> Answer | Absent | Unsure:
        """The one call that cannot be taken back."""
        return self._ask(
            lambda: self._client.create_tweet(
                text=text, media_ids=media or None, in_reply_to_tweet_id=parent or None, user_auth=True
            ),
            deadline,
        )

    def delete(self, number: str) -> Answer | Absent | Unsure:
        return self._ask(lambda: self._client.delete_tweet(number, user_auth=True))

    def me(self) -> Answer | Absent | Unsure:
        return self._ask(lambda: self._client.get_me(user_fields=["protected", "withheld"], user_auth=True))

    def post(self, number: str) -> Answer | Absent | Unsure:
        return self._get(f"/2/tweets/{number}", FIELDS)

    def posts_of(self, user: str, start: datetime, token: str) -> Answer | Absent | Unsure:
        """Newest first, those of `start` and later."""
        since = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        query = FIELDS | {"max_results": str(PAGE), "exclude": "retweets", "start_time": since}
        return self._get(f"/2/users/{user}/tweets", query | ({"pagination_token": token} if token else {}))

    def upload(self, pixels: bytes, deadline: float, patience_s: float) -> Answer | Absent | Unsure:
        # tweepy's own upload is of the version that X has switched off.
        picture = {"media": b64encode(pixels).decode(), "media_category": "tweet_image"}
        return self._post("/2/media/upload", picture, deadline, patience_s)

    def progress(self, media: str, deadline: float) -> Answer | Absent | Unsure:
        return self._get("/2/media/upload", {"media_id": media, "command": "STATUS"}, deadline)

    def describe(self, media: str, alt: str, deadline: float) -> Answer | Absent | Unsure:
        return self._post("/2/media/metadata", {"id": media, "metadata": {"alt_text": {"text": alt}}}, deadline)

    def _get(self, path: str, query: Mapping[str, str], deadline: float | None = None) -> Answer | Absent | Unsure:
        return self._ask(lambda: self._client.request("GET", path, params=query, user_auth=True), deadline)

    def _post(
        self, path: str, content: object, deadline: float, patience_s: float | None = None
    ) -> Answer | Absent | Unsure:
        asking = lambda: self._client.request("POST", path, json=content, user_auth=True)  # noqa: E731
        return self._ask(asking, deadline, patience_s)

    def _ask(
        self, asking: Callable[[], object], deadline: float | None = None, patience_s: float | None = None
    ) -> Answer | Absent | Unsure:
        way = self._client.session = _Way(self.door, deadline, patience_s)
        try:
            asking()
        except Exception:
            # It raises for every refusal, and stumbles over some answers; those are read here.
            if not way.given:
                raise
        return way.given[-1]

    def refusal(self, given: Answer | Absent | Unsure) -> Absent | Unsure:
        """Only X's own words prove that nothing was done."""
        if not isinstance(given, Answer):
            return given
        now, kind = self.door.clock.now(), kind_of(given)
        if given.status == HTTPStatus.TOO_MANY_REQUESTS and kind not in _SPENT:
            return Absent(Failure.RATE_LIMITED, Said("asked to wait"), _reset(given, now))
        if given.status != HTTPStatus.TOO_MANY_REQUESTS and (decided := by_status(given, now)):
            return decided
        said = words_of(given)
        if not said or given.status < HTTPStatus.BAD_REQUEST:
            return Unsure(Said("answered with {status}, and not as X does", status=given.status))
        failure = _failure(given.status, kind)
        # What is signed by a clock that is wrong is refused as well.
        clock = clock_note(given, now) if failure is Failure.AUTH_BROKEN else ""
        detail = "; ".join(filter(None, (self.door.clean(f"{given.status}: {said}").rstrip("."), clock)))
        return Absent(failure, detail.rstrip("."))


def _failure(status: int, kind: str) -> Failure:
    if status == HTTPStatus.PAYMENT_REQUIRED or kind in _SPENT:
        return Failure.BILLING
    return Failure.AUTH_BROKEN if status == HTTPStatus.UNAUTHORIZED or kind in _BROKEN else Failure.REJECTED


def kind_of(answer: Answer) -> str:
    """The last word of the problem's type, whichever of X's names stands before it."""
    told = answer.fields()
    return str(told.get("type") or _first_error(told).get("type") or "").rsplit("/", 1)[-1]


def words_of(answer: Answer) -> str:
    """What X says is wrong, most precise first; "" where these are not X's words."""
    told = answer.fields()
    error = _first_error(told)
    found = (error.get("message"), told.get("detail"), error.get("detail"), told.get("title"), told.get("message"))
    return next((each for each in found if isinstance(each, str) and each), "")


def _first_error(told: Mapping[str, Any]) -> Mapping[str, Any]:
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def _reset(answer: Answer, now: datetime) -> datetime | None:
    """One window may look free while another is spent: the last of the spent ones counts."""
    date = answer.headers.get("Date", "")
    spent = (name for name in _WINDOWS if answer.headers.get(f"{name}-remaining") == "0")
    resets = (retry_at({"Retry-After": answer.headers.get(f"{name}-reset", ""), "Date": date}, now) for name in spent)
    return max(filter(None, resets), default=None) or retry_at(answer.headers, now)
