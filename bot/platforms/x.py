"""Publishes on X, where every call costs money and no post has a key: what is in doubt is looked for."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import RULES, TextRules, count, fits
from bot.platforms.answers import Answer, clock_note, moment_of
from bot.platforms.uploads import PATIENCE, Uploads, pixels_of, too_large
from bot.platforms.xapi import DUPLICATE, GONE, MEDIA_GONE, Api, kind_of
from bot.platforms.xtext import reads
from bot.ports import Absent, Account, Failure, Image, Outcome, Parcel, Published, Receipt, Said, Unsure

API = "https://api.x.com"
IMAGES, IMAGE_BYTES, ALT = 4, 5_000_000, 1_000
POLLS, POLL_S = 30, 1.0
LIFE_S, MARGIN_S = 86_400, 60
PAGES = 8
STRANGE = 3
"""So many posts in a row refused without a known reason are the account's matter, not the posts'."""
_WORKING = frozenset({"pending", "in_progress"})
_NUMBER = re.compile(r"[0-9]{1,19}")
_ADDRESS = re.compile(r"https://(?:x|twitter)\.com/.*/status(?:es)?/([0-9]{1,19})(?:[/?].*)?")
_RIGHTS = {
    "read": Said("The key may only read: set the app to “Read and write” in the console, then make its token anew."),
    "read-write-directmessages": Said("The key may read direct messages: set the app to “Read and write” only."),
}


@dataclass(frozen=True, slots=True)
class _Upload:
    id: str
    until: float
    """On the boot clock."""


class X:
    """One account; its key belongs to the organisation's own app."""

    rules: TextRules = RULES["x"]
    repeats: timedelta | None = None

    def __init__(self, api: Api, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._api, self._wait, self._clock = api, wait, api.door.clock
        self._uploads: Uploads[_Upload] = Uploads(lambda sent: sent.until > self._clock.boot())
        self._doubled: set[str] = set()
        self._strange: set[str] = set()

    def publish(self, parcel: Parcel) -> Outcome:
        """Pictures first, which harms nothing; then the one call that makes the post."""
        if blocked := _unfit(parcel):
            return blocked
        media = self._uploads.of(parcel, partial(self._upload, parcel))
        if isinstance(media, Absent):
            return media
        return self._uploads.conclude(self._create(parcel, [each.id for each in media]))

    def _create(self, parcel: Parcel, media: list[str]) -> Outcome:
        parent = number_of(parcel.parent) if parcel.parent else ""
        given = self._api.create(parcel.text, media, parent, parcel.deadline)
        made = _part(given, "data").get("id") if isinstance(given, Answer) else None
        if isinstance(given, Answer) and given.status in {HTTPStatus.CREATED, HTTPStatus.OK} and _is_number(made):
            self._strange.clear()
            return Published(_receipt(str(made)))
        refused = self._api.refusal(given)
        if isinstance(refused, Unsure) or refused.failure is not Failure.REJECTED or not isinstance(given, Answer):
            return refused
        if MEDIA_GONE in refused.detail.lower():
            return self._uploads.lost()
        if given.status != HTTPStatus.FORBIDDEN:
            return refused
        return self._duplicate(parcel, refused) if DUPLICATE in refused.detail.lower() else self._odd(parcel, refused)

    def _duplicate(self, parcel: Parcel, refused: Absent) -> Outcome:
        """On a first try some other post has these words; later, it is likely the earlier try of this one."""
        if parcel.attempt <= 1:
            return refused
        self._doubled.add(parcel.idem_key)
        return self.find(parcel, parcel.due_at - timedelta(seconds=60)) or Unsure(refused.detail)

    def _odd(self, parcel: Parcel, refused: Absent) -> Absent:
        self._strange.add(parcel.idem_key)
        return Absent(Failure.AUTH_BROKEN, refused.detail) if len(self._strange) >= STRANGE else refused

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        """By its words, among the account's own posts; where only links differ a person compares."""
        try:
            told = [(post, reads(parcel.text, post)) for post in self._own_since(since)]
        except (LookupError, TypeError, AttributeError):
            return Unsure("the account's own posts cannot be read")
        found = [(post, same) for post, same in told if same is not False]
        if len(found) > 1:
            return Unsure(f"{len(found)} posts have these words", Reason.FOUND_TWICE)
        if not found:
            doubled = parcel.idem_key in self._doubled
            return Unsure("X takes it for a duplicate, yet does not show it", Reason.CANNOT_LOOK) if doubled else None
        ((post, same),) = found
        if not same or _answers_another(post, parcel):
            return Unsure(f"a post much like it is https://x.com/i/web/status/{post['id']}", Reason.CANNOT_LOOK)
        return Published(_receipt(str(post["id"])))

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        given = self._api.post(number_of(receipt))
        if not isinstance(given, Answer):
            return Unsure(given.detail)
        if _is_gone(given):
            return Sighting.GONE
        post = _part(given, "data")
        if given.status != HTTPStatus.OK or not isinstance(post.get("text"), str):
            return Unsure(self._api.refusal(given).detail)
        return Sighting.CHANGED if reads(text, post) is False else Sighting.THERE

    def withdraw(self, receipt: Receipt) -> Outcome:
        if not (number := number_of(receipt)):
            return Absent(Failure.REJECTED, "this is no post on X")
        given = self._api.delete(number)
        if not isinstance(given, Answer):
            return given
        done = given.status == HTTPStatus.OK and _part(given, "data").get("deleted") is True
        return Published(receipt) if done or _is_gone(given) else self._api.refusal(given)

    def check(self) -> Account:
        given = self._api.me()
        me = _part(given, "data") if isinstance(given, Answer) else {}
        if not isinstance(given, Answer) or given.status != HTTPStatus.OK or not _is_number(me.get("id")):
            why = self._api.refusal(given).detail
            return Account("", self._api.door.base, missing=(Said("Cannot sign in: {why}.", why=why),))
        missing: list[str] = list(filter(None, [clock_note(given, self._clock.now())]))
        if right := _RIGHTS.get(given.headers.get("x-access-level", "")):
            missing.append(right)
        if me.get("protected") is True:
            missing.append(Said("The account is protected: only its followers see what it posts."))
        withheld = me.get("withheld")
        if countries := withheld.get("country_codes") if isinstance(withheld, dict) else None:
            where = self._api.door.clean(", ".join(map(str, countries)))
            missing.append(Said("X does not show the account in: {where}.", where=where))
        notes = (
            Said("280 characters a post, many letters of Vietnamese count 2, a link 23; 4 pictures of 5 MB."),
            Said("Each post is paid for. X tells a bot neither the credit that is left nor the label “automated”."),
            Said("A post in doubt is looked for among the account's own posts."),
        )
        name = self._api.door.clean(me.get("username"))
        return Account(str(me["id"]), f"@{name}", f"https://x.com/{name}", notes, tuple(missing))

    def _upload(self, parcel: Parcel, image: Image) -> _Upload | Absent:
        pixels = pixels_of(image)
        if isinstance(pixels, Absent):
            return pixels
        began = self._clock.boot()
        given = self._api.upload(pixels, parcel.deadline, PATIENCE * self._api.door.timeout_s)
        media = _part(given, "data").get("id") if isinstance(given, Answer) and given.status == HTTPStatus.OK else None
        if not isinstance(given, Answer) or not _is_number(media):
            return self._before(given)
        if unready := self._unready(str(media), given, parcel.deadline):
            return unready
        if image.alt:
            described = self._api.describe(str(media), image.alt, parcel.deadline)
            if not (isinstance(described, Answer) and described.status == HTTPStatus.OK and _part(described, "data")):
                return self._before(described)
        life = _part(given, "data").get("expires_after_secs")
        return _Upload(str(media), began + (life if isinstance(life, int) else LIFE_S) - MARGIN_S)

    def _unready(self, media: str, given: Answer | Absent | Unsure, deadline: float) -> Absent | None:
        """Waits while X works on the picture, which it rarely does."""
        for _ in range(POLLS):
            if not isinstance(given, Answer) or given.status != HTTPStatus.OK:
                return self._before(given)
            info = _part(given, "data").get("processing_info")
            state = info.get("state") if isinstance(info, dict) else "succeeded"
            if state not in _WORKING:
                return Absent(Failure.REJECTED, "X cannot use the picture") if state == "failed" else None
            self._wait(POLL_S)
            given = self._api.progress(media, deadline)
        return Absent(Failure.UNREACHABLE, "X is still working on a picture")

    def _before(self, given: Answer | Absent | Unsure) -> Absent:
        """Whatever became of it, the post itself was not yet begun."""
        failed = self._api.refusal(given)
        return failed if isinstance(failed, Absent) else Absent(Failure.UNREACHABLE, failed.detail)

    def _own_since(self, since: datetime) -> Iterator[Mapping[str, Any]]:
        """Raises LookupError where not all of them can be seen."""
        given = self._api.me()
        me = _part(given, "data").get("id") if isinstance(given, Answer) and given.status == HTTPStatus.OK else None
        if not isinstance(given, Answer) or not _is_number(me):
            raise LookupError
        # X's clock wrote the times of its posts; where it is behind, look further back.
        behind = self._clock.now() - (given.moment() or self._clock.now())
        start, token = (since - max(behind, timedelta())).replace(microsecond=0), ""
        for _ in range(PAGES):
            page, meta = _page(self._api.posts_of(str(me), start, token))
            for post in page:
                # Without it, X has not understood what was asked for, and may have left out the links as well.
                if not (created := moment_of(post["created_at"])):
                    raise LookupError
                if created >= start:
                    yield post
            if not (token := str(meta.get("next_token") or "")):
                return
        raise LookupError


def _page(given: Answer | Absent | Unsure) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    told = given.fields() if isinstance(given, Answer) and given.status == HTTPStatus.OK else {}
    page, meta = told.get("data", []), told.get("meta")
    if not isinstance(meta, dict) or told.get("errors") or len(page) != meta.get("result_count"):
        raise LookupError
    return page, meta


def _answers_another(post: Mapping[str, Any], parcel: Parcel) -> bool:
    """X names what a post answers in one of two ways, or not at all."""
    named = post.get("referenced_posts") or post.get("referenced_tweets") or []
    parents = {str(each.get("id")) for each in named if each.get("type") == "replied_to"}
    return bool(parents) and parents != {number_of(parcel.parent) if parcel.parent else ""}


def _unfit(parcel: Parcel) -> Absent | None:
    if not fits(parcel.text, X.rules):
        return Absent(Failure.REJECTED, f"X would count {count(parcel.text, X.rules)} of {X.rules.limit}")
    if parcel.parent and not number_of(parcel.parent):
        return Absent(Failure.REJECTED, "the post to reply to is not known by a number")
    if len(parcel.images) > IMAGES:
        return Absent(Failure.REJECTED, f"X takes {IMAGES} pictures")
    if any(len(image.alt.encode("utf-16-le", "surrogatepass")) // 2 > ALT for image in parcel.images):
        return Absent(Failure.REJECTED, f"X takes {ALT} characters to describe a picture")
    return too_large(parcel.images, IMAGE_BYTES, "X")


def number_of(receipt: Receipt) -> str:
    """The post's number, or "". Of what a person found, only the address is certain."""
    if found := _ADDRESS.fullmatch(receipt.url):
        return found[1]
    return receipt.remote_id if _NUMBER.fullmatch(receipt.remote_id) else ""


def _receipt(number: str) -> Receipt:
    return Receipt(number, f"https://x.com/i/web/status/{number}")


def _is_number(value: object) -> bool:
    return isinstance(value, str) and bool(_NUMBER.fullmatch(value))


def _part(answer: Answer, name: str) -> Mapping[str, Any]:
    part = answer.fields().get(name)
    return part if isinstance(part, dict) else {}


def _is_gone(answer: Answer) -> bool:
    return answer.status in {HTTPStatus.OK, HTTPStatus.NOT_FOUND} and kind_of(answer) == GONE
