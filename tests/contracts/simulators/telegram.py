"""Telegram's Bot API as documented, and as its own server is written: no history, no keys, no alt text."""

import json
import ssl
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.simulators.base import Asked, Reply, Simulator

CHANNEL = -1001234567890
CHAT = {"id": CHANNEL, "title": "Kênh", "username": "kenh", "type": "channel"}
TEXT, CAPTION = 4_096, 1_024
SENDS = ("sendMessage", "sendPhoto", "sendMediaGroup")


def refusal(status: int, description: str, **parameters: int) -> Reply:
    more = {"parameters": parameters} if parameters else {}
    return Reply(status, {"ok": False, "error_code": status, "description": description} | more)


def bad(description: str) -> Reply:
    return refusal(400, f"Bad Request: {description}")


@dataclass(eq=False)
class Server(Simulator):
    """`messages` by number, as readers of the channel see them."""

    token: str
    tls: ssl.SSLContext | None = None
    may_post: bool = True
    kind: str = "channel"
    revoked: bool = False
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    number: int = 6

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)

    def is_write(self, asked: Asked) -> bool:
        return asked.path.rsplit("/", 1)[-1] in SENDS

    def respond(self, asked: Asked) -> Reply:
        _, bot, method = asked.path.split("/", 2)
        if self.revoked or bot != f"bot{self.token}":
            return refusal(401, "Unauthorized")
        given = self._given(asked)
        if method != "getMe" and str(given["chat_id"]) not in {"@kenh", str(CHANNEL)}:
            return bad("chat not found")
        told = {
            "getMe": {"id": 42, "is_bot": True, "username": "campaign_bot"},
            "getChat": CHAT | {"type": self.kind},
            "getChatMember": {"status": "administrator", "can_post_messages": self.may_post},
        }
        if method in told:
            return self._ok(told[method])
        return self._delete(given) if method == "deleteMessage" else self._send(method, given, asked)

    def _delete(self, given: dict[str, Any]) -> Reply:
        gone = self.messages.pop(int(given["message_id"]), None)
        return self._ok(result=True) if gone else bad("message to delete not found")

    def _given(self, asked: Asked) -> dict[str, Any]:
        if asked.headers.get("Content-Type", "").startswith("multipart/"):
            return {name: part.content.decode() for name, part in asked.form().items() if not part.name}
        return dict(asked.json()) if asked.body else {}

    def _send(self, method: str, given: dict[str, Any], asked: Asked) -> Reply:
        if not self.may_post:
            return bad("not enough rights to send text messages to the chat")
        reply_to = self._parameters(given).get("message_id")
        if reply_to is not None and reply_to not in self.messages:
            return bad("message to be replied not found")
        match method:
            case "sendMessage":
                made = [{"text": given["text"], "picture": ""}]
            case "sendPhoto":
                made = [{"text": given["caption"], "picture": self._picture(given["photo"], asked)}]
            case _:
                album = json.loads(given["media"])
                made = [
                    {"text": one.get("caption", ""), "picture": self._picture(one["media"], asked)} for one in album
                ]
        if any(len(each["text"]) > (CAPTION if each["picture"] else TEXT) for each in made):
            return bad("message is too long" if method == "sendMessage" else "message caption is too long")
        if "parse_mode" in given and "<" in made[0]["text"]:
            return bad("can't parse entities: Unsupported start tag")
        answers = [self._keep(each, given, reply_to) for each in made]
        return self._ok(answers if method == "sendMediaGroup" else answers[0])

    def _parameters(self, given: dict[str, Any]) -> dict[str, Any]:
        sent = given.get("reply_parameters", {})
        return dict(json.loads(sent) if isinstance(sent, str) else sent)

    def _picture(self, place: str, asked: Asked) -> str:
        return asked.form()[place.removeprefix("attach://")].content.hex()

    def _keep(self, made: dict[str, str], given: dict[str, Any], reply_to: int | None) -> dict[str, Any]:
        self.number += 1
        silent = str(given["disable_notification"]).lower() == "true"
        preview = not given.get("link_preview_options", {}).get("is_disabled", False)
        more = {"reply_to": reply_to, "silent": silent, "preview": preview}
        self.messages[self.number] = {"message_id": self.number, **made, **more}
        date = int(self.now.timestamp())
        return {"message_id": self.number, "chat": CHAT, "date": date, "text": made["text"]}

    def _ok(self, result: object) -> Reply:
        return Reply(200, {"ok": True, "result": result})
