"""Publishes on a Facebook Page, which has no keys and never shows all it holds: a post not found is a person's."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import RULES, TextRules, count, fits
from bot.platforms.answers import Answer, clock_note, moment_of, same_words
from bot.platforms.graph import BLOCKED, DUPLICATE, Graph, complaint, says_gone
from bot.platforms.http import Door
from bot.platforms.pagetoken import PageToken, Version
from bot.platforms.uploads import PATIENCE, Uploads, pixels_of
from bot.ports import Absent, Account, Failure, Image, Outcome, Parcel, Published, Receipt, Said, Unsure

API = "https://graph.facebook.com"
SITE = "https://www.facebook.com"
IMAGES, IMAGE_BYTES = 10, 10_000_000
PAGE, PAGES = 25, 4
LAG = timedelta(minutes=15)
"""A post that is not shown for so long will not be found by looking again."""
_ID = re.compile(r"(?:[0-9]{1,30}_)?[0-9]{1,30}")
_USUAL = (
    Said("63,206 characters a post, and a link counts in full; 10 pictures of 10 MB."),
    Said("A post in doubt is looked for on the Page; what is not found a person must look for."),
    Said("Facebook has no mark for automated posts: say on the Page that a program posts, and who runs it."),
    Said("The app must be “Live”: until then only its own people see what it posts."),
)
_NOT_KNOWN = "this post is known by its address only, not by a number"


class Facebook:
    """One Page. A thread is a post and comments under it, for Facebook has no other."""

    rules: TextRules = RULES["facebook"]
    repeats: timedelta | None = None

    def __init__(self, door: Door, page_id: str, token: SecretStr, app_secret: SecretStr, version: Version) -> None:
        self._door, self._page, self._token, self._version = door, page_id, token, version
        self._graph = Graph(door, token, app_secret, version.name)
        self._uploads: Uploads[str] = Uploads()

    def publish(self, parcel: Parcel) -> Outcome:
        """Pictures first, which nobody sees; then the one call that cannot be taken back."""
        if blocked := self._unfit(parcel) or self._resting() or self._earlier(parcel):
            return blocked
        photos = self._uploads.of(parcel, partial(self._upload, parcel))
        if isinstance(photos, Absent):
            return photos
        return self._uploads.conclude(self._post(parcel, photos))

    def _post(self, parcel: Parcel, photos: list[str]) -> Outcome:
        above = self._above(parcel)
        place, edge = (above, "comments") if above else (self._page, "feed")
        if above:
            attached = dict(zip(["attachment_id"], photos, strict=False))
        else:
            attached = {f"attached_media[{n}]": json.dumps({"media_fbid": each}) for n, each in enumerate(photos)}
        content = {"message": parcel.text, **attached}
        given = self._graph.call(lambda sdk: sdk.put_object(place, edge, **content), parcel.deadline)
        made = _said(given).get("id")
        if isinstance(made, str) and _ID.fullmatch(made):
            return Published(self._receipt(made, above))
        return self._refused(parcel, given)

    def _refused(self, parcel: Parcel, given: Answer | Absent | Unsure) -> Outcome:
        """“Posted already” means this post only after an earlier try of it; else somebody used the same words."""
        said = complaint(given)
        if said and said.code in {DUPLICATE, BLOCKED} and parcel.attempt > 1:
            earlier = self.find(parcel, _since(parcel))
            if isinstance(earlier, Published) or said.code == DUPLICATE:
                return earlier
        if parcel.parent and self._is_gone(given):
            return Absent(Failure.REJECTED, "the post to comment on is not there")
        return self._graph.refusal(given)

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure:
        """Presence only: Facebook leaves posts out of its lists."""
        seen = self._seen(parcel, since)
        if not isinstance(seen, list):
            return Unsure(seen.detail)
        if len(seen) > 1:
            return Unsure(f"{len(seen)} posts have this text", Reason.FOUND_TWICE)
        if seen:
            return Published(self._receipt(seen[0], self._above(parcel)))
        is_over = self._door.clock.now() - since > LAG
        return Unsure("it is not among the posts that Facebook shows", Reason.CANNOT_LOOK if is_over else None)

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        if not (number := self._number(receipt)):
            return Unsure(_NOT_KNOWN, Reason.CANNOT_LOOK)
        given = self._graph.call(lambda sdk: sdk.get_object(number, fields="id,message"))
        if self._is_gone(given):
            return Sighting.GONE
        message = _said(given).get("message")
        if not isinstance(message, str):
            return Unsure(self._graph.refusal(given).detail)
        return Sighting.THERE if same_words(message, text) else Sighting.CHANGED

    def withdraw(self, receipt: Receipt) -> Outcome:
        if not (number := self._number(receipt)):
            return Absent(Failure.REJECTED, _NOT_KNOWN)
        given = self._graph.call(lambda sdk: sdk.delete_object(number))
        done = _said(given).get("success") is True or self._is_gone(given)
        return Published(receipt) if done else self._graph.refusal(given)

    def check(self) -> Account:
        given = self._graph.call(lambda sdk: sdk.get_object(self._page, fields="id,name,link,is_published"))
        page = _said(given)
        if not isinstance(given, Answer) or "id" not in page:
            why = self._graph.refusal(given).detail
            return Account("", self._page, missing=(Said("Cannot sign in: {why}.", why=why),))
        token, listed, now = self._debugged(), self._listed(1), self._door.clock.now()
        number, name, link = (self._door.clean(page.get(each) or "") for each in ("id", "name", "link"))
        missing = [*token.lacking(self._page), *token.ending(now), *self._version.amiss(given, now)]
        if number != self._page:
            missing.append(Said("This Page is known by its number only: write page_id = “{id}”.", id=number))
        if page.get("is_published") is False:
            missing.append(Said("The Page is not published: nobody sees it."))
        if not isinstance(listed, Answer):
            line = "The Page's own posts cannot be read: {why}. The token may need the right “pages_read_user_content”."
            missing.append(Said(line, why=listed.detail))
        missing += filter(None, [clock_note(given, now)])
        notes = (*token.notes(), *self._version.notes(), *_USUAL)
        used = Said("Facebook counts {percent} % of what it allows.", percent=round(self._graph.usage.percent))
        return Account(number, name, link or f"{SITE}/{number}", (*notes, used), tuple(missing), token.expires_at)

    def _debugged(self) -> PageToken:
        """Facebook cannot be asked about a token without writing it into the address."""
        asked = self._token.get_secret_value()
        told = _said(self._graph.call(lambda sdk: sdk.get_object("debug_token", input_token=asked))).get("data")
        return PageToken(told if isinstance(told, dict) else {})

    def _is_gone(self, given: Answer | Absent | Unsure) -> bool:
        """Believed only while the token surely has its rights: without them, all posts seem to be gone."""
        return says_gone(given) and not list(self._debugged().lacking(self._page))

    def _number(self, receipt: Receipt) -> str:
        """What a person found and reported has the number of its address, without that of the Page; or ""."""
        if not _ID.fullmatch(receipt.remote_id):
            return ""
        return receipt.remote_id if "_" in receipt.remote_id else f"{self._page}_{receipt.remote_id}"

    def _above(self, parcel: Parcel) -> str:
        """The post under which this one is a comment; a comment on a comment might not be allowed."""
        return self._number(parcel.root or parcel.parent) if parcel.parent else ""

    def _receipt(self, number: str, above: str) -> Receipt:
        page, _, post = (above or number).rpartition("_")
        url = f"{SITE}/{page or self._page}/posts/{post}"
        return Receipt(number, f"{url}?comment_id={number.rpartition('_')[2]}" if above else url)

    def _unfit(self, parcel: Parcel) -> Absent | None:
        most = 1 if parcel.parent else IMAGES
        if not fits(parcel.text, self.rules):
            weight = count(parcel.text, self.rules)
            return Absent(Failure.REJECTED, f"Facebook would count {weight} of {self.rules.limit}")
        if parcel.parent and not self._above(parcel):
            return Absent(Failure.REJECTED, _NOT_KNOWN)
        if len(parcel.images) > most:
            return Absent(Failure.REJECTED, f"Facebook takes {most} pictures here")
        return None

    def _resting(self) -> Absent | None:
        until = self._graph.resting_until
        if until is None or until <= self._door.clock.now():
            return None
        return Absent(Failure.RATE_LIMITED, f"{self._graph.usage.percent:.0f} % of what Facebook allows is used", until)

    def _earlier(self, parcel: Parcel) -> Published | Absent | Unsure | None:
        """Whoever tries again looks first: it is sent once more only where it was surely refused, or people said so."""
        if parcel.attempt == 1:
            return None
        seen = self._seen(parcel, _since(parcel))
        if not isinstance(seen, list):
            return seen if isinstance(seen, Absent) else Absent(Failure.UNREACHABLE, seen.detail)
        return self.find(parcel, _since(parcel)) if seen else None

    def _seen(self, parcel: Parcel, since: datetime) -> list[str] | Absent | Unsure:
        """The numbers of the Page's own posts, or comments, that have this text."""
        found: list[str] = []
        after: dict[str, str] = {}
        for _ in range(PAGES):
            given = self._listed(PAGE, self._above(parcel), after)
            if not isinstance(given, Answer):
                return given
            # Facebook's clock wrote the times of its posts; where it is behind, look further back.
            behind = self._door.clock.now() - (given.moment() or self._door.clock.now())
            listed = [each for each in given.fields()["data"] if isinstance(each, dict)]
            recent = [each for each in listed if _is_after(each, since - max(behind, timedelta()))]
            found += [str(each.get("id")) for each in recent if same_words(str(each.get("message")), parcel.text)]
            cursor = _next(given.fields())
            if not cursor or len(recent) < len(listed):
                break
            after = {"after": cursor}
        return found

    def _listed(self, limit: int, above: str = "", after: Mapping[str, str] | None = None) -> Answer | Absent | Unsure:
        """The newest first."""
        place, edge = (above, "comments") if above else (self._page, "published_posts")
        asked = {"fields": "id,message,created_time", "limit": limit, **(after or {})}
        asked |= {"order": "reverse_chronological"} if above else {}
        given = self._graph.call(lambda sdk: sdk.get_connections(place, edge, **asked))
        return given if isinstance(_said(given).get("data"), list) else self._graph.refusal(given)

    def _upload(self, parcel: Parcel, image: Image) -> str | Absent:
        pixels = pixels_of(image)
        if isinstance(pixels, Absent):
            return pixels
        if len(pixels) > IMAGE_BYTES:
            return Absent(Failure.REJECTED, f"Facebook takes pictures of {IMAGE_BYTES} bytes")
        source, album = (image.path.name, pixels, image.mime), f"{self._page}/photos"
        given = self._graph.call(
            lambda sdk: sdk.put_photo(source, album, published="false", alt_text_custom=image.alt),
            parcel.deadline,
            PATIENCE * self._door.timeout_s,
        )
        if isinstance(photo := _said(given).get("id"), str):
            return photo
        failed = self._graph.refusal(given)
        return failed if isinstance(failed, Absent) else Absent(Failure.UNREACHABLE, failed.detail)


def _said(given: Answer | Absent | Unsure) -> dict[str, Any]:
    return given.fields() if isinstance(given, Answer) and given.status == HTTPStatus.OK else {}


def _since(parcel: Parcel) -> datetime:
    return parcel.due_at - timedelta(seconds=60)


def _is_after(post: Mapping[str, Any], start: datetime) -> bool:
    """What names no time is looked at all the same."""
    return (moment_of(str(post.get("created_time"))) or start) >= start


def _next(listed: Mapping[str, Any]) -> str:
    paging = listed.get("paging")
    cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
    return str(cursors.get("after") or "") if isinstance(cursors, dict) else ""
