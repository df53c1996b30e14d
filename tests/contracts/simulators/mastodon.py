"""Mastodon as recorded and documented: its counting, its keys, its pictures that take a while, its refusals."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import regex

from tests.contracts.simulators.base import Asked, Part, Reply, Simulator

ACCOUNT = "110000000000000001"
LOOK_ALIKE = "https://codeberg.org/superseriousbusiness/gotosocial"
STATUS = re.compile(r"/api/v1/statuses/(\w+)(/source)?")


@dataclass(eq=False)
class Server(Simulator):
    """`processing` is how often a picture is still being worked on; `look_alike` forgets keys and says 400."""

    token: str
    tls: ssl.SSLContext | None = None
    look_alike: bool = False
    characters: int = 500
    is_bot: bool = True
    revoked: bool = False
    scopes: list[str] = field(default_factory=lambda: ["write:statuses", "write:media", "read"])
    processing: int = 0
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    number: int = 117020585924712637

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)

    def is_write(self, asked: Asked) -> bool:
        return (asked.method, asked.path) == ("POST", "/api/v1/statuses")

    def respond(self, asked: Asked) -> Reply:
        if asked.path == "/api/v2/instance":
            return Reply(200, self._instance())
        if self.revoked or asked.headers.get("Authorization") != f"Bearer {self.token}":
            return Reply(401, {"error": "The access token is invalid"})
        told: dict[str, Callable[[], Any]] = {
            "GET /api/v1/accounts/verify_credentials": self._me,
            "GET /api/v1/apps/verify_credentials": lambda: {"name": "campaign bot", "scopes": self.scopes},
            f"GET /api/v1/accounts/{ACCOUNT}/statuses": lambda: self._page(asked),
        }
        done: dict[str, Callable[[], Reply]] = {
            "POST /api/v1/statuses": lambda: self._post(asked),
            "POST /api/v2/media": lambda: self._upload(asked.form()),
        }
        asked_for = f"{asked.method} {asked.path}"
        if asked_for in told:
            return Reply(200, told[asked_for]())
        return done.get(asked_for, lambda: self._one(asked))()

    def _me(self) -> dict[str, Any]:
        return {"id": ACCOUNT, "acct": "org", "bot": self.is_bot, "url": f"{self.base}/@org"}

    def _instance(self) -> dict[str, Any]:
        return {
            "version": "3.5.3+0.20.0-snapshot" if self.look_alike else "4.5.2",
            "source_url": LOOK_ALIKE if self.look_alike else "https://github.com/mastodon/mastodon",
            "configuration": {
                "statuses": {
                    "max_characters": self.characters,
                    "max_media_attachments": 4,
                    "characters_reserved_per_url": 25 if self.look_alike else 23,
                },
                "media_attachments": {"image_size_limit": 16_777_216, "description_limit": 1_500},
            },
        }

    def _page(self, asked: Asked) -> list[dict[str, Any]]:
        newest = list(reversed(self.statuses.values()))
        if before := asked.query.get("max_id"):
            newest = [status for status in newest if int(status["id"]) < int(before)]
        return [self._public(status) for status in newest[: int(asked.query.get("limit", "20"))]]

    def _public(self, status: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in status.items() if name != "text"}

    def _post(self, asked: Asked) -> Reply:
        key, given = asked.headers.get("Idempotency-Key", ""), asked.json()
        if not self.look_alike and key in self.keys:
            first = self.statuses.get(self.keys[key])
            return Reply(200, self._public(first)) if first else Reply(404, {"error": "Record not found"})
        if refused := self._refused(given):
            return Reply(400 if self.look_alike else 422, {"error": f"Validation failed: {refused}"})
        self.number += 1
        status = {
            "id": str(self.number),
            "created_at": self.now.isoformat(timespec="milliseconds"),
            "in_reply_to_id": given["in_reply_to_id"],
            "visibility": given["visibility"],
            "language": given["language"],
            "url": f"{self.base}/@org/{self.number}",
            "content": f"<p>{given['status']}</p>",
            "text": given["status"],
            "media_attachments": [self.media[each] for each in given["media_ids"]],
        }
        self.statuses[str(self.number)] = status
        self.keys[key] = str(self.number)
        return Reply(200, self._public(status), {"X-RateLimit-Remaining": "299"})

    def _refused(self, given: dict[str, Any]) -> str:
        text = regex.sub(r"https?://\S+", "x" * 23, given["status"])
        if len(regex.findall(r"\X", text)) > self.characters:
            return f"Text character limit of {self.characters} exceeded"
        if not re.fullmatch(r"[a-z]{2}", given["language"]):
            return "Language is invalid"
        if given["in_reply_to_id"] and given["in_reply_to_id"] not in self.statuses:
            return "The post you are trying to reply to does not appear to exist"
        if any(each not in self.media for each in given["media_ids"]):
            return "Media not found"
        if any(self.media[each]["left"] for each in given["media_ids"]):
            return "Cannot attach files that have not finished processing. Try again in a moment!"
        return ""

    def _upload(self, form: dict[str, Part]) -> Reply:
        made: dict[str, Any] = {
            "id": str(len(self.media) + 1),
            "description": form["description"].content.decode(),
            "bytes": form["file"].content.hex(),
            "left": self.processing,
        }
        self.media[made["id"]] = made
        return Reply(202 if self.processing else 200, {"id": made["id"], "url": None})

    def _picture(self, number: str) -> Reply:
        picture = self.media[number]
        picture["left"] -= 1
        return Reply(206 if picture["left"] else 200, {"id": number})

    def _one(self, asked: Asked) -> Reply:
        if asked.path.startswith("/api/v1/media/"):
            return self._picture(asked.path.rsplit("/", 1)[1])
        found = STATUS.fullmatch(asked.path)
        status = self.statuses.get(found[1]) if found else None
        if found is None or status is None:
            return Reply(404, {"error": "Record not found"})
        if asked.method == "DELETE":
            del self.statuses[found[1]]
            return Reply(200, status)
        return Reply(200, {"id": found[1], "text": status["text"], "spoiler_text": ""})

    def advance(self, **by: float) -> None:
        """`by` as of timedelta."""
        self.now += timedelta(**by)
