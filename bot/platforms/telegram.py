"""Publishes in a Telegram channel through a bot, which may post there but never reads what it posted."""

import json
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from bot.domain.delivery import Reason
from bot.domain.text import RULES, TextRules, count, fits
from bot.platforms.answers import Answer, by_status, clock_note
from bot.platforms.http import Door
from bot.ports import Absent, Account, Failure, Outcome, Parcel, Published, Receipt, Said, Unsure

API = "https://api.telegram.org"
IMAGES, IMAGE_BYTES = 10, 10_000_000
# Of the timeout, and no more: with the half lease before the first byte it must end within the lease.
UPLOAD_PATIENCE = 1.5
SUPERGROUP = "-100"  # how ids of channels begin
ALBUM = "messages"
_GONE = "message to delete not found"
_NO_RIGHT = (
    "chat not found",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "chat_write_forbidden",
)
_SIGNED_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


class Telegram:
    """One channel. The text is sent as it is: no markup, so nothing to escape; the app finds links and hashtags."""

    rules: TextRules = RULES["telegram"]
    repeats: None = None

    def __init__(
        self, door: Door, token: SecretStr, chat_id: str, *, silent: bool = False, link_preview: bool = True
    ) -> None:
        self._door, self._token, self._chat = door, token, chat_id
        self._silent, self._link_preview = silent, link_preview

    def publish(self, parcel: Parcel) -> Outcome:
        if blocked := self._unfit(parcel):
            return blocked
        method, content = self._message(parcel)
        if parcel.parent:
            content["reply_parameters"] = {"message_id": int(parcel.parent.remote_id)}
        content |= {"chat_id": self._chat, "disable_notification": self._silent}
        given = self._send(method, content, parcel)
        made = given.fields().get("result") if isinstance(given, Answer) else None
        messages = [each for each in (made if isinstance(made, list) else [made]) if isinstance(each, dict)]
        if isinstance(given, Answer) and given.status == HTTPStatus.OK and messages and "message_id" in messages[0]:
            ids = [str(each.get("message_id")) for each in messages]
            return Published(Receipt(ids[0], self._link(messages[0].get("chat"), ids[0]), {ALBUM: ",".join(ids)}))
        return self._refusal(given)

    def find(self, parcel: Parcel, since: object) -> Unsure:
        """A bot cannot list a channel's messages: a person looks."""
        del parcel, since
        return Unsure(f"Telegram shows no bot what it posted; look at {self._link(None, '')}", Reason.CANNOT_LOOK)

    def look(self, receipt: object, text: object) -> Unsure:
        del receipt, text
        return Unsure("Telegram shows no bot what it posted", Reason.CANNOT_LOOK)

    def withdraw(self, receipt: Receipt) -> Outcome:
        """Every picture of an album is a message of its own."""
        for number in receipt.reference.get(ALBUM, receipt.remote_id).split(","):
            given = self._call("deleteMessage", json={"chat_id": self._chat, "message_id": number})
            if isinstance(given, Answer) and given.fields().get("ok") is True:
                continue
            if isinstance(given, Answer) and _GONE in str(given.fields().get("description", "")).lower():
                continue
            return self._refusal(given)
        return Published(receipt)

    def check(self) -> Account:
        given = self._call("getMe")
        me = _result(given)
        if "id" not in me:
            return Account("", self._chat, missing=(Said("Cannot sign in: {why}.", why=self._refusal(given).detail),))
        found = self._call("getChat", json={"chat_id": self._chat})
        chat = _result(found)
        if "id" not in chat:
            return Account(
                "",
                self._chat,
                missing=(Said("The bot cannot see the channel: {why}.", why=self._refusal(found).detail),),
            )
        asked = {"chat_id": self._chat, "user_id": me["id"]}
        member = _result(self._call("getChatMember", json=asked))
        missing: list[str] = []
        if chat.get("type") != "channel":
            missing.append(Said("This is no channel: chat_id names a group or a person."))
        if not (member.get("status") == "administrator" and member.get("can_post_messages")):
            missing.append(
                Said("@{bot} may not post: make it an administrator with the right to post.", bot=me.get("username"))
            )
        if isinstance(given, Answer) and (clock := clock_note(given, self._door.clock.now())):
            missing.append(clock)
        notes = [
            Said("@{bot} posts here.", bot=me.get("username")),
            Said("4,096 characters a post, 1,024 with pictures; at most 10 pictures."),
            Said("Telegram takes no description of a picture, and a post in doubt has to be looked for by a person."),
        ]
        return Account(str(chat["id"]), str(chat.get("title", "")), self._link(chat, ""), tuple(notes), tuple(missing))

    def _unfit(self, parcel: Parcel) -> Absent | None:
        if not fits(parcel.text, self.rules, with_media=bool(parcel.images)):
            limit = self.rules.caption_limit if parcel.images else self.rules.limit
            return Absent(Failure.REJECTED, f"Telegram would count {count(parcel.text, self.rules)} of {limit}")
        if parcel.parent and not parcel.parent.remote_id.isdecimal():
            return Absent(Failure.REJECTED, "the post to reply to is not known by a number")
        if len(parcel.images) > IMAGES:
            return Absent(Failure.REJECTED, f"Telegram takes {IMAGES} pictures")
        try:
            large = any(image.path.stat().st_size > IMAGE_BYTES for image in parcel.images)
        except OSError as error:
            return Absent(Failure.UNREACHABLE, f"a picture cannot be read: {error.strerror}")
        return Absent(Failure.REJECTED, f"Telegram takes pictures of {IMAGE_BYTES} bytes") if large else None

    def _message(self, parcel: Parcel) -> tuple[str, dict[str, Any]]:
        if not parcel.images:
            return "sendMessage", {"text": parcel.text, "link_preview_options": {"is_disabled": not self._link_preview}}
        if len(parcel.images) == 1:
            return "sendPhoto", {"photo": "attach://0", "caption": parcel.text}
        album = [{"type": "photo", "media": f"attach://{number}"} for number in range(len(parcel.images))]
        album[0]["caption"] = parcel.text
        return "sendMediaGroup", {"media": album}

    def _send(self, method: str, content: dict[str, Any], parcel: Parcel) -> Answer | Absent | Unsure:
        """Pictures travel inside the one call that cannot be taken back: Telegram keeps none beforehand."""
        if not parcel.images:
            return self._call(method, json=content, deadline=parcel.deadline)
        fields = {key: each if isinstance(each, str) else json.dumps(each) for key, each in content.items()}
        with ExitStack() as stack:
            files = {
                str(number): (image.path.name, stack.enter_context(image.path.open("rb")), image.mime)
                for number, image in enumerate(parcel.images)
            }
            patience = UPLOAD_PATIENCE * self._door.timeout_s
            return self._call(method, data=fields, files=files, deadline=parcel.deadline, patience_s=patience)

    def _call(self, method: str, **content: Any) -> Answer | Absent | Unsure:  # noqa: ANN401 - as Door.call
        return self._door.call("POST", f"/bot{self._token.get_secret_value()}/{method}", **content)

    def _refusal(self, given: Answer | Absent | Unsure) -> Absent | Unsure:
        if not isinstance(given, Answer):
            return given
        said, now = given.fields(), self._door.clock.now()
        given_more = said.get("parameters")
        more = given_more if isinstance(given_more, dict) else {}
        if decided := by_status(given, now, after_s=more.get("retry_after")):
            return decided
        if said.get("ok") is not False or given.status < HTTPStatus.BAD_REQUEST:
            return Unsure(f"answered with {given.status}, and not as Telegram does")
        detail = self._door.clean(f"{given.status}: {said.get('description')}")
        if "migrate_to_chat_id" in more:
            detail = self._door.clean(f"the channel is now {more['migrate_to_chat_id']}: put this into chat_id")
            return Absent(Failure.AUTH_BROKEN, detail)
        broken = given.status in _SIGNED_OUT or any(words in detail.lower() for words in _NO_RIGHT)
        return Absent(Failure.AUTH_BROKEN if broken else Failure.REJECTED, detail)

    def _link(self, chat: object, number: str) -> str:
        """Of a public channel by its name; a private one opens for its members only."""
        name = chat.get("username") if isinstance(chat, dict) else ""
        name = name or (self._chat.removeprefix("@") if self._chat.startswith("@") else "")
        place = name or "c/" + self._chat.removeprefix(SUPERGROUP)
        return f"https://t.me/{place}/{number}".rstrip("/")


def _result(given: Answer | Absent | Unsure) -> dict[str, Any]:
    result = given.fields().get("result") if isinstance(given, Answer) else None
    return result if isinstance(result, dict) else {}
