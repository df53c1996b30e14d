"""Publishes on Mastodon and on servers that speak its API, each within the limits that the server names."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import RULES, TextRules, count, fits
from bot.platforms.answers import Answer, by_status, clock_note, moment_of, same_words
from bot.platforms.http import Door
from bot.platforms.uploads import PATIENCE, Uploads, pixels_of
from bot.ports import Absent, Account, Failure, Image, Outcome, Parcel, Published, Receipt, Said, Unsure

LEARN_EVERY_S = 86_400.0
POLLS, POLL_S = 30, 1.0
KEY_LIFE = timedelta(minutes=45)  # of the hour that it is kept
PAGE, PAGES = 40, 10
SCOPES = ("write:statuses", "write:media", "read:statuses", "read:accounts")
_WORKING = (HTTPStatus.ACCEPTED, HTTPStatus.PARTIAL_CONTENT)
_SIGNED_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server allows. `keeps_keys`: the same Idempotency-Key within an hour is the same post."""

    characters: int = 500
    link: int = 23
    images: int = 4
    image_bytes: int = 16_000_000
    alt: int = 1_500
    keeps_keys: bool = False

    @property
    def rules(self) -> TextRules:
        return TextRules(RULES["mastodon"].counting, limit=self.characters, link_weight=self.link)


class Mastodon:
    """One account on one server, at the door's own address."""

    def __init__(
        self, door: Door, token: SecretStr, *, visibility: str = "public", wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._door, self._token, self._visibility, self._wait = door, token, visibility, wait
        self._limits = Limits()
        self._learned_at: float | None = None
        self._uploads: Uploads[str] = Uploads()

    @property
    def rules(self) -> TextRules:
        return self._limits.rules

    @property
    def repeats(self) -> timedelta | None:
        return KEY_LIFE if self._limits.keeps_keys else None

    def publish(self, parcel: Parcel) -> Outcome:
        """Pictures first, which harms nothing; then the one call that cannot be taken back."""
        if blocked := self._learn() or self._unfit(parcel):
            return blocked
        if parcel.attempt > 1 and not self._limits.keeps_keys:
            earlier = self.find(parcel, parcel.due_at - timedelta(seconds=60))
            if earlier is not None:
                return earlier
        media = self._uploads.of(parcel, partial(self._upload, parcel))
        if isinstance(media, Absent):
            return media
        return self._uploads.conclude(self._post(parcel, media))

    def _post(self, parcel: Parcel, media: list[str]) -> Outcome:
        status = {
            "status": parcel.text,
            "media_ids": media,
            "language": parcel.languages[0],
            "visibility": self._visibility,
            "in_reply_to_id": parcel.parent.remote_id if parcel.parent else None,
        }
        key = {"Idempotency-Key": parcel.idem_key}
        given = self._call("POST", "/api/v1/statuses", headers=key, json=status, deadline=parcel.deadline)
        if not isinstance(given, Answer):
            return given
        if given.status == HTTPStatus.OK and (made := _receipt(given.fields())):
            return Published(made)
        return self._refusal(given)

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        """Compares what was written, as the server keeps it; the page itself shows it as HTML."""
        try:
            found = [status for status in self._own_since(since) if self._is_text_of(parcel, status)]
        except (LookupError, TypeError, AttributeError):
            return Unsure("the account's own posts cannot be read")
        if len(found) > 1:
            return Unsure(f"{len(found)} posts have this text", Reason.FOUND_TWICE)
        return Published(_receipt(found[0]) or Receipt("")) if found else None

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        given = self._call("GET", f"/api/v1/statuses/{quote(receipt.remote_id, safe='')}/source")
        if not isinstance(given, Answer):
            return Unsure(given.detail)
        told = given.fields()
        if given.status == HTTPStatus.NOT_FOUND and told.get("error"):
            return Sighting.GONE
        if given.status != HTTPStatus.OK or not isinstance(told.get("text"), str):
            return Unsure(self._refusal(given).detail)
        return Sighting.THERE if same_words(told["text"], text) else Sighting.CHANGED

    def withdraw(self, receipt: Receipt) -> Outcome:
        given = self._call("DELETE", f"/api/v1/statuses/{quote(receipt.remote_id, safe='')}")
        if not isinstance(given, Answer):
            return given
        if given.status == HTTPStatus.OK or (given.status == HTTPStatus.NOT_FOUND and given.fields().get("error")):
            return Published(receipt)
        return self._refusal(given)

    def check(self) -> Account:
        given = self._call("GET", "/api/v1/accounts/verify_credentials")
        me = given.fields() if isinstance(given, Answer) else {}
        if not isinstance(given, Answer) or "id" not in me:
            broken = self._refusal(given) if isinstance(given, Answer) else given
            return Account("", self._door.base, missing=(Said("Cannot sign in: {why}.", why=broken.detail),))
        self._learned_at = None
        missing: list[str] = []
        if blocked := self._learn():
            missing.append(Said("Cannot read the server's limits: {why}.", why=blocked.detail))
        missing += [Said("The access token lacks the right “{scope}”.", scope=scope) for scope in self._lacking()]
        if not me.get("bot"):
            missing.append(
                Said("The account is not marked as automated: Preferences, Public profile, “automated account”.")
            )
        missing += filter(None, [clock_note(given, self._door.clock.now())])
        most, links = self._limits.characters, self._limits.link
        notes = [
            Said(
                "{most} characters a post, a link counts {links}; {images} pictures.",
                most=most,
                links=links,
                images=self._limits.images,
            ),
            Said("A post in doubt is looked for among the account's own posts."),
        ]
        if self._limits.keeps_keys:
            notes.append(Said("The server knows a repeated post by its key for an hour."))
        return Account(str(me["id"]), f"@{me.get('acct')}", str(me.get("url", "")), tuple(notes), tuple(missing))

    def _call(self, method: str, path: str, **content: Any) -> Answer | Absent | Unsure:  # noqa: ANN401 - as Door.call
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"} | content.pop("headers", {})
        return self._door.call(method, path, headers=headers, **content)

    def _refusal(self, given: Answer) -> Absent | Unsure:
        if decided := by_status(given, self._door.clock.now()):
            return decided
        said = given.fields().get("error")
        if not said or given.status < HTTPStatus.BAD_REQUEST:
            return Unsure(f"answered with {given.status}, and not as Mastodon does")
        detail = self._door.clean(f"{given.status}: {said}")
        if given.status in _SIGNED_OUT:
            return Absent(Failure.AUTH_BROKEN, detail)
        # A picture that is still worked on is refused with 422 like any fault, and in words only.
        return Absent(Failure.UNREACHABLE if "finished processing" in detail else Failure.REJECTED, detail)

    def _before(self, given: Answer | Absent | Unsure) -> Absent:
        """Whatever became of it, the post itself was not yet begun."""
        failed = self._refusal(given) if isinstance(given, Answer) else given
        return failed if isinstance(failed, Absent) else Absent(Failure.UNREACHABLE, failed.detail)

    def _unfit(self, parcel: Parcel) -> Absent | None:
        limits = self._limits
        if not fits(parcel.text, self.rules):
            weight = count(parcel.text, self.rules)
            return Absent(Failure.REJECTED, f"the server would count {weight} of {limits.characters}")
        if len(parcel.images) > limits.images:
            return Absent(Failure.REJECTED, f"the server takes {limits.images} pictures")
        if any(len(image.alt) > limits.alt for image in parcel.images):
            return Absent(Failure.REJECTED, f"the server takes {limits.alt} characters to describe a picture")
        return None

    def _learn(self) -> Absent | None:
        """Reads the server's limits once a day."""
        now = self._door.clock.boot()
        if self._learned_at is not None and now - self._learned_at < LEARN_EVERY_S:
            return None
        given = self._call("GET", "/api/v2/instance")
        if not isinstance(given, Answer) or given.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._before(given)
        if given.status == HTTPStatus.OK and (told := given.fields()):
            self._limits = _limits(told)
        self._learned_at = now
        return None

    def _upload(self, parcel: Parcel, image: Image) -> str | Absent:
        pixels = pixels_of(image)
        if isinstance(pixels, Absent):
            return pixels
        if len(pixels) > self._limits.image_bytes:
            return Absent(Failure.REJECTED, f"the server takes pictures of {self._limits.image_bytes} bytes")
        given = self._call(
            "POST",
            "/api/v2/media",
            files={"file": (image.path.name, pixels, image.mime)},
            data={"description": image.alt},
            deadline=parcel.deadline,
            patience_s=PATIENCE * self._door.timeout_s,
        )
        media = str(given.fields().get("id", "")) if isinstance(given, Answer) else ""
        for _ in range(POLLS):
            if not media or not isinstance(given, Answer) or given.status not in _WORKING:
                break
            self._wait(POLL_S)
            given = self._call("GET", f"/api/v1/media/{quote(media, safe='')}", deadline=parcel.deadline)
        if isinstance(given, Answer) and given.status == HTTPStatus.OK and media:
            return media
        return self._before(given)

    def _own_since(self, since: datetime) -> Iterator[Mapping[str, Any]]:
        _, me = self._read("/api/v1/accounts/verify_credentials")
        place = f"/api/v1/accounts/{quote(str(me['id']), safe='')}/statuses"
        before: dict[str, str] = {}
        for _ in range(PAGES):
            query = {"limit": str(PAGE), "exclude_reblogs": "true"} | before
            answer, page = self._read(place, query)
            # The server's clock wrote the times of its posts; where it is behind, look further back.
            behind = self._door.clock.now() - (answer.moment() or self._door.clock.now())
            start = since - max(behind, timedelta())
            recent = [status for status in page if (moment_of(status["created_at"]) or start) >= start]
            yield from recent
            if not page or len(recent) < len(page):
                return
            before = {"max_id": str(page[-1]["id"])}
        raise LookupError

    def _is_text_of(self, parcel: Parcel, status: Mapping[str, Any]) -> bool:
        text = self._read(f"/api/v1/statuses/{quote(str(status['id']), safe='')}/source")[1]["text"]
        return same_words(text, parcel.text)

    def _read(self, path: str, query: Mapping[str, str] | None = None) -> tuple[Answer, Any]:
        given = self._call("GET", path, params=query)
        if not isinstance(given, Answer) or given.status != HTTPStatus.OK:
            raise LookupError
        return given, given.plain()

    def _lacking(self) -> list[str]:
        """Servers before 4.3 do not say which rights a token has: then none is known to be lacking."""
        given = self._call("GET", "/api/v1/apps/verify_credentials")
        scopes = given.fields().get("scopes") if isinstance(given, Answer) else None
        if not isinstance(scopes, list):
            return []
        return [scope for scope in SCOPES if scope not in scopes and scope.split(":")[0] not in scopes]


def _receipt(status: Mapping[str, Any]) -> Receipt | None:
    return Receipt(str(status["id"]), str(status.get("url") or "")) if status.get("id") else None


def _limits(instance: Mapping[str, Any]) -> Limits:
    """The look-alikes answer in the same words but forget keys; they name their own source."""
    configuration = instance.get("configuration") or {}
    statuses, media = configuration.get("statuses") or {}, configuration.get("media_attachments") or {}
    usual = Limits()
    return Limits(
        characters=_number(statuses.get("max_characters"), usual.characters),
        link=_number(statuses.get("characters_reserved_per_url"), usual.link),
        images=_number(statuses.get("max_media_attachments"), usual.images),
        image_bytes=_number(media.get("image_size_limit"), usual.image_bytes),
        alt=_number(media.get("description_limit"), usual.alt),
        keeps_keys=str(instance.get("source_url", "")).rstrip("/").endswith("/mastodon"),
    )


def _number(value: object, usual: int) -> int:
    return value if isinstance(value, int) and value > 0 else usual
