"""Publishes on Bluesky: each post has its key before it is sent, so sending it again is the same post."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import RULES, TextRules, count, fits
from bot.platforms.answers import Answer, clock_note
from bot.platforms.atproto import Repository, Session, Stopped, error_of, said_by
from bot.platforms.http import Door
from bot.platforms.richtext import facets
from bot.platforms.uploads import PATIENCE, Uploads, pixels_of, too_large
from bot.ports import ALWAYS, Absent, Account, Failure, Image, Outcome, Parcel, Published, Receipt, Said, Unsure

API = "https://bsky.social"
POSTS = "app.bsky.feed.post"
IMAGES, IMAGE_BYTES = 4, 2_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_POST = re.compile(r"(?:at:/|https://bsky\.app/profile)/([^/]+)/(?:app\.bsky\.feed\.)?post/([2-7a-j][2-7a-z]{12})/?")
_ANOTHER = Unsure("another post stands under the key of this one", Reason.CANNOT_LOOK)
_RIGHTS = {
    "com.atproto.access": Said("This is the account's own password: make an app password for the bot."),
    "com.atproto.appPassPrivileged": Said("The app password may read direct messages: make one that may not."),
}
_NO_LABEL = Said("The account is not labelled as automated: in the app, Settings, Account, “Automation label”.")


class Bluesky:
    """One account. A post that is repeated is the same record under the same key."""

    rules: TextRules = RULES["bluesky"]
    repeats: timedelta | None = ALWAYS

    def __init__(self, door: Door, identifier: str, password: SecretStr) -> None:
        self._door, self._identifier, self._repo = door, identifier, Repository(door, identifier, password)
        self._uploads: Uploads[dict[str, Any]] = Uploads()

    def publish(self, parcel: Parcel) -> Outcome:
        """Signing in, handles and pictures first, which harms nothing; then the one call that makes the post."""
        if blocked := _unfit(parcel):
            return blocked
        try:
            session = self._repo.session(parcel.deadline)
            outcome = self._create(session, parcel, self._record(session, parcel))
        except Stopped as stopped:
            absent = isinstance(stopped.outcome, Absent)
            return stopped.outcome if absent else Absent(Failure.UNREACHABLE, stopped.detail)
        return self._uploads.conclude(outcome)

    def _create(self, session: Session, parcel: Parcel, record: Mapping[str, Any]) -> Outcome:
        """`swapRecord: null` writes only where nothing is; without it, a put overwrites in silence."""
        key = record_key(parcel)
        create_only = {"repo": session.did, "collection": POSTS, "rkey": key, "record": record, "swapRecord": None}
        given = self._repo.call("putRecord", parcel.deadline, json=create_only)
        if made := _receipt(said_by(given), session, key):
            return Published(made)
        if error_of(given) == "InvalidSwap":
            found = self._standing(session, key, record)
            return Absent(Failure.REJECTED, found.detail) if found is _ANOTHER else found or Unsure("it comes and goes")
        if error_of(given) == "BlobNotFound":
            return self._uploads.lost()
        return self._repo.refusal(given)

    def find(self, parcel: Parcel, since: object) -> Published | Unsure | None:
        """By its key: nothing else is taken for it, and its absence is certain."""
        del since
        try:
            session = self._repo.session(None)
            record = {"text": parcel.text} | self._reply(session, parcel)
        except Stopped as stopped:
            return Unsure(stopped.detail)
        return self._standing(session, record_key(parcel), record)

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        try:
            session = self._repo.session(None)
        except Stopped as stopped:
            return Unsure(stopped.detail)
        if not (key := _key_of(receipt, session)):
            return Unsure("this is no post of the account that the bot signs in to", Reason.CANNOT_LOOK)
        found = self._repo.look(session, POSTS, key)
        if not isinstance(found, dict):
            return found or Sighting.GONE
        return Sighting.THERE if found["value"].get("text") == text else Sighting.CHANGED

    def withdraw(self, receipt: Receipt) -> Outcome:
        try:
            session = self._repo.session(None)
            if not (key := _key_of(receipt, session)):
                return Absent(Failure.REJECTED, "this is no post of the account that the bot signs in to")
            given = self._repo.call("deleteRecord", None, json={"repo": session.did, "collection": POSTS, "rkey": key})
        except Stopped as stopped:
            return stopped.outcome
        done = isinstance(given, Answer) and given.status == HTTPStatus.OK and isinstance(given.plain(), dict)
        return Published(receipt) if done else self._repo.refusal(given)

    def check(self) -> Account:
        """Signs in anew, for a session outlives the password that opened it."""
        try:
            session = self._repo.session(None, anew=True)
        except Stopped as stopped:
            return Account("", self._identifier, missing=(Said("Cannot sign in: {why}.", why=stopped.detail),))
        profile, told = self._repo.look(session, "app.bsky.actor.profile", "self"), session.opening.fields()
        missing: list[str] = [_RIGHTS[session.scope]] if session.scope in _RIGHTS else []
        if told.get("active") is False:
            missing.append(Said("The account is not active: {why}.", why=self._repo.clean(told.get("status"))))
        if isinstance(profile, Unsure):
            missing.append(Said("The profile cannot be read: {why}.", why=profile.detail))
        elif not _is_labelled(profile):
            missing.append(_NO_LABEL)
        missing += filter(None, [clock_note(session.opening, self._door.clock.now())])
        notes = (
            Said("{id}, kept at {place}.", id=session.did, place=session.pds),
            Said("300 characters a post, and a link counts in full; 4 pictures of 2 MB."),
            Said("A post in doubt is known by its key."),
        )
        return Account(session.did, f"@{session.handle}", _page(session.did), notes, tuple(missing))

    def _standing(self, session: Session, key: str, record: Mapping[str, Any]) -> Published | Unsure | None:
        found = self._repo.look(session, POSTS, key)
        if not isinstance(found, dict):
            return found
        same = all(found["value"].get(name) == record.get(name) for name in ("text", "reply"))
        made = _receipt(found, session, key)
        return Published(made) if same and made else _ANOTHER

    def _record(self, session: Session, parcel: Parcel) -> dict[str, Any]:
        """The same for the same parcel each time, as long as its handles name the same accounts."""
        created = parcel.due_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record: dict[str, Any] = {"$type": POSTS, "text": parcel.text, "createdAt": created}
        record |= {"langs": list(parcel.languages)} | self._reply(session, parcel)
        if found := facets(parcel.text, lambda handle: self._repo.resolve(session, handle, parcel.deadline)):
            record["facets"] = found
        if parcel.images:
            blobs = self._uploads.of(parcel, partial(self._upload, parcel))
            if isinstance(blobs, Absent):
                raise Stopped(blobs)
            pictures = [_picture(blob, image) for blob, image in zip(blobs, parcel.images, strict=True)]
            record["embed"] = {"$type": "app.bsky.embed.images", "images": pictures}
        return record

    def _reply(self, session: Session, parcel: Parcel) -> dict[str, Any]:
        if not parcel.parent:
            return {}
        ends = {"root": parcel.root or parcel.parent, "parent": parcel.parent}
        return {"reply": {name: self._reference(session, receipt) for name, receipt in ends.items()}}

    def _reference(self, session: Session, receipt: Receipt) -> dict[str, str]:
        """What a person found and reported has an address only: then the rest is looked up."""
        known: Mapping[str, Any] | Unsure | None = receipt.reference
        if not receipt.reference.get("cid") and (key := _key_of(receipt, session)):
            known = self._repo.look(session, POSTS, key)
        if isinstance(known, Unsure):
            raise Stopped(known)
        if not (known and known.get("uri") and known.get("cid")):
            raise Stopped(Absent(Failure.REJECTED, "the post to reply to is not there"))
        return {"uri": str(known["uri"]), "cid": str(known["cid"])}

    def _upload(self, parcel: Parcel, image: Image) -> dict[str, Any] | Absent:
        pixels = pixels_of(image)
        if isinstance(pixels, Absent):
            return pixels
        mime, patience = {"Content-Type": image.mime}, PATIENCE * self._door.timeout_s
        given = self._repo.call("uploadBlob", parcel.deadline, data=pixels, headers=mime, patience_s=patience)
        if not isinstance(blob := said_by(given).get("blob"), dict):
            raise Stopped(self._repo.refusal(given))
        return blob


def record_key(parcel: Parcel) -> str:
    """A TID of the due time, so that feeds show the post when it was due, and of whose it is."""
    micros = (parcel.due_at - _EPOCH) // timedelta(microseconds=1) + parcel.part
    whose = sha256(f"{parcel.delivery_id}:{parcel.idem_key}".encode()).digest()
    number = micros << 10 | int.from_bytes(whose, "big") & 0x3FF
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def _unfit(parcel: Parcel) -> Absent | None:
    if not fits(parcel.text, Bluesky.rules):
        letters, size = count(parcel.text, Bluesky.rules), len(parcel.text.encode("utf-8", "surrogatepass"))
        return Absent(Failure.REJECTED, f"Bluesky would count {letters} of 300 characters, {size} of 3,000 bytes")
    if len(parcel.images) > IMAGES:
        return Absent(Failure.REJECTED, f"Bluesky takes {IMAGES} pictures")
    return too_large(parcel.images, IMAGE_BYTES, "Bluesky")


def _picture(blob: Mapping[str, Any], image: Image) -> dict[str, Any]:
    return {"image": blob, "alt": image.alt, "aspectRatio": {"width": image.width, "height": image.height}}


def _page(did: str) -> str:
    """By the DID, which stays when the handle changes."""
    return f"https://bsky.app/profile/{did}"


def _receipt(said: Mapping[str, Any], session: Session, key: str) -> Receipt | None:
    uri, cid = f"at://{session.did}/{POSTS}/{key}", str(said.get("cid") or "")
    known = said.get("uri") == uri and cid
    return Receipt(uri, f"{_page(session.did)}/post/{key}", {"uri": uri, "cid": cid}) if known else None


def _key_of(receipt: Receipt, session: Session) -> str:
    """The key of one of the account's own posts, or ""."""
    found = _POST.fullmatch(receipt.remote_id) or _POST.fullmatch(receipt.url)
    return found[2] if found and found[1] in {session.did, session.handle} else ""


def _is_labelled(profile: Mapping[str, Any] | None) -> bool:
    labels = profile["value"].get("labels") if profile else None
    values = labels.get("values") if isinstance(labels, dict) else None
    return isinstance(values, list) and {"val": "bot"} in values
