"""X as recorded and documented: signatures, weights, short links, duplicates, credit, limits, and pages that lag."""

import base64
import hmac
import re
import ssl
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import quote, unquote

import regex

from tests.contracts.simulators.base import Asked, Reply, Simulator

ME = "2244994945"
EPOCH_MS = 1_288_834_974_657
ALIKE_FOR = timedelta(hours=12)
WINDOW_S, A_WINDOW = 900, 100
SKEW_S = 300
# US dollars, as X asked in 2026.
PRICES = {"post": 0.015, "post with a link": 0.200, "delete": 0.010, "read": 0.001, "user": 0.010, "alt": 0.005}
LINK = re.compile(
    r"https?://[^\s<>\"]*[\w/=#]|(?<![@\w.-])(?:[a-z0-9-]+\.)+(?:org|com|net|vn|do)\b(?:/[\w/.-]*\w)?", re.IGNORECASE
)
PROBLEMS = "https://api.x.com/2/problems/"
POST_FIELDS = {"created_at", "entities", "lang"}


class Keys(NamedTuple):
    """Four secrets that are never alike, from one that tests look for."""

    api_key: str
    api_secret: str
    access_token: str
    access_secret: str

    @classmethod
    def of(cls, token: str) -> Self:
        return cls(*(f"{token}-{name}" for name in cls._fields))


def problem(status: int, detail: str, kind: str = "about:blank", title: str = "Forbidden", **headers: str) -> Reply:
    told = {"detail": detail, "type": kind, "title": title, "status": status}
    return Reply(status, told, {name.replace("_", "-"): value for name, value in headers.items()})


def weight(text: str) -> int:
    """In X's unit: what it writes with two of 280, and a link as 23."""
    normal = unicodedata.normalize("NFC", text)
    return 23 * len(LINK.findall(normal)) + sum(map(_of_one, regex.findall(r"\X", LINK.sub("", normal))))


def _of_one(grapheme: str) -> int:
    if regex.search(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{RI}", grapheme):
        return 2
    return sum(1 if o < 0x1100 or o in _LIGHT else 2 for o in map(ord, grapheme))


_LIGHT = frozenset((*range(0x2000, 0x200E), *range(0x2010, 0x2020), *range(0x2032, 0x2038)))


@dataclass(eq=False)
class Server(Simulator):
    """`posts` by id, as written; `credit` in dollars; `lag` until its page shows a post; `silent` of fields."""

    token: str
    tls: ssl.SSLContext | None = None
    revoked: bool = False
    level: str = "read-write"
    protected: bool = False
    withheld: list[str] = field(default_factory=list)
    credit: float = 1_000.0
    lag: timedelta = timedelta()
    processing: int = 0
    failing: bool = False
    escapes: bool = True
    silent: bool = False
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: list[tuple[str, datetime]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    begun: list[datetime] = field(default_factory=list)
    told: list[tuple[Asked, Reply]] = field(default_factory=list)
    page: int = 100

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)
        self.keys = Keys.of(self.token)

    def is_write(self, asked: Asked) -> bool:
        return (asked.method, asked.path) == ("POST", "/2/tweets")

    def respond(self, asked: Asked) -> Reply:
        reply = self._respond(asked)
        level = {"x-access-level": self.level} if reply.status < 500 else {}
        reply = Reply(reply.status, reply.body, level | dict(reply.headers))
        self.told.append((asked, reply))
        return reply

    def _respond(self, asked: Asked) -> Reply:
        if self.revoked or not self._is_signed(asked):
            return problem(401, "Unauthorized", title="Unauthorized")
        if asked.method != "GET" and self.level == "read":
            detail = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
            return problem(403, detail, "https://api.twitter.com/2/problems/oauth1-permissions")
        ways: dict[str, Callable[[], Reply]] = {
            "POST /2/tweets": lambda: self._post(asked.json()),
            "POST /2/media/upload": lambda: self._upload(asked.json()),
            "GET /2/media/upload": lambda: self._progress(asked.query["media_id"]),
            "POST /2/media/metadata": lambda: self._describe(asked.json()),
            "GET /2/users/me": self._me,
            f"GET /2/users/{ME}/tweets": lambda: self._timeline(asked.query),
        }
        if way := ways.get(f"{asked.method} {asked.path}"):
            return way()
        if found := re.fullmatch(r"/2/tweets/([0-9]{1,19})", asked.path):
            return self._delete(found[1]) if asked.method == "DELETE" else self._one(found[1], asked.query)
        return problem(404, "Not Found", title="Not Found")

    def _is_signed(self, asked: Asked) -> bool:
        """RFC 5849, 3.4: by whom, over this very request, lately, and once."""
        given = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers.get("Authorization", "")))
        told = {name: unquote(value) for name, value in given.items()}
        signature = told.pop("oauth_signature", "")
        pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in {**asked.query, **told}.items())
        parts = (asked.method, self.base + asked.path, "&".join(f"{k}={v}" for k, v in pairs))
        base = "&".join(quote(part, safe="~") for part in parts)
        key = f"{quote(self.keys.api_secret, safe='~')}&{quote(self.keys.access_secret, safe='~')}"
        expected = base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
        fresh = told.get("oauth_nonce", "") not in self.nonces
        self.nonces.add(told.get("oauth_nonce", ""))
        return (
            fresh
            and hmac.compare_digest(signature, expected)
            and (told["oauth_consumer_key"], told["oauth_token"]) == (self.keys.api_key, self.keys.access_token)
            and abs(int(told["oauth_timestamp"]) - time.time()) < SKEW_S
        )

    def _pay(self, what: str, times: int = 1) -> Reply | None:
        if (left := self.credit - PRICES[what] * times) < 0:
            told = {"account_id": 1243608864848629761, "title": "CreditsDepleted", "type": PROBLEMS + "credits"}
            return Reply(402, told | {"detail": "Your enrolled account does not have any credits."})
        self.credit = left
        return None

    def _post(self, given: dict[str, Any]) -> Reply:
        text, media = given.get("text", ""), given.get("media", {}).get("media_ids", [])
        parent = given.get("reply", {}).get("in_reply_to_tweet_id", "")
        if refused := self._limited() or self._refused(text, media, parent):
            return refused
        if refused := self._pay("post with a link" if LINK.search(text) else "post"):
            return refused
        number = str(int(self.now.timestamp() * 1000) - EPOCH_MS << 22 | len(self.nonces))
        self.said.append((_alike(text), self.now))
        self.begun.append(self.now)
        self.posts[number] = {
            "id": number,
            "written": unicodedata.normalize("NFC", text),
            "parent": parent,
            "media": media,
            "created_at": self.now,
        }
        shown = self._shown(number, {"entities"})["text"]
        headers = {"x-rate-limit-remaining": str(A_WINDOW - len(self.begun)), "x-rate-limit-limit": str(A_WINDOW)}
        return Reply(201, {"data": {"id": number, "text": shown, "edit_history_post_ids": [number]}}, headers)

    def _limited(self) -> Reply | None:
        self.begun = [each for each in self.begun if self.now - each < timedelta(seconds=WINDOW_S)]
        if len(self.begun) < A_WINDOW:
            return None
        reset = str(int(self.begun[0].timestamp()) + WINDOW_S)
        return problem(
            429, "Too Many Requests", title="Too Many Requests", x_rate_limit_remaining="0", x_rate_limit_reset=reset
        )

    def _refused(self, text: str, media: list[str], parent: str) -> Reply | None:
        if weight(text) > 280:
            return problem(403, "You are not permitted to perform this action.")
        if any(each not in self.media or self.media[each]["left"] for each in media) or len(media) > 4:
            told = {"title": "Invalid Request", "type": PROBLEMS + "invalid-request"}
            errors = [{"parameters": {"media.media_ids": media}, "message": "Your media IDs are invalid."}]
            return Reply(
                400, told | {"detail": "One or more parameters to your request was invalid.", "errors": errors}
            )
        if parent and parent not in self.posts:
            return problem(403, "You attempted to reply to a Tweet that is deleted or not visible to you.")
        if any(alike == _alike(text) and self.now - at < ALIKE_FOR for alike, at in self.said):
            return problem(403, "You are not allowed to create a Tweet with duplicate content.")
        return None

    def _upload(self, given: dict[str, Any]) -> Reply:
        pixels = base64.b64decode(given["media"], validate=True)
        assert given["media_category"] == "tweet_image"
        number = str(1_880_028_106_020_515_840 + len(self.media))
        self.media[number] = {"bytes": pixels.hex(), "alt": "", "left": self.processing}
        told: dict[str, Any] = {"id": number, "media_key": f"13_{number}", "size": len(pixels)}
        return Reply(200, {"data": told | {"expires_after_secs": 86_400} | self._working(number)})

    def _working(self, number: str) -> dict[str, Any]:
        if not self.media[number]["left"]:
            return {}
        state = "failed" if self.failing else "in_progress"
        return {"processing_info": {"state": state, "check_after_secs": 1, "progress_percent": 50}}

    def _progress(self, number: str) -> Reply:
        self.media[number]["left"] = max(0, self.media[number]["left"] - 1)
        done = {"processing_info": {"state": "succeeded", "progress_percent": 100}}
        return Reply(200, {"data": {"id": number} | (self._working(number) or done)})

    def _describe(self, given: dict[str, Any]) -> Reply:
        alt = given["metadata"]["alt_text"]["text"]
        if len(alt) > 1_000 or given["id"] not in self.media:
            return problem(400, "Invalid alt text", PROBLEMS + "invalid-request", "Invalid Request")
        if refused := self._pay("alt"):
            return refused
        self.media[given["id"]]["alt"] = alt
        return Reply(200, {"data": {"id": given["id"], "associated_metadata": given["metadata"]}})

    def _me(self) -> Reply:
        me: dict[str, Any] = {"id": ME, "name": "Chiến dịch", "username": "org", "protected": self.protected}
        if self.withheld:
            me["withheld"] = {"country_codes": self.withheld, "scope": "user"}
        return self._pay("user") or Reply(200, {"data": me})

    def _timeline(self, query: Mapping[str, str]) -> Reply:
        assert 5 <= int(query["max_results"]) <= 100
        start = datetime.fromisoformat(query["start_time"])
        seen = [
            number
            for number, post in reversed(self.posts.items())
            if start <= post["created_at"] <= self.now - self.lag
        ]
        begin = int(query.get("pagination_token", "0"))
        page = seen[begin : begin + min(self.page, int(query["max_results"]))]
        if refused := self._pay("read", len(page)):
            return refused
        meta: dict[str, Any] = {"result_count": len(page)}
        if begin + len(page) < len(seen):
            meta["next_token"] = str(begin + len(page))
        told = {"data": [self._asked_for(number, query) for number in page]} if page else {}
        return Reply(200, told | {"meta": meta})

    def _asked_for(self, number: str, query: Mapping[str, str]) -> dict[str, Any]:
        """In the dialect that was spoken; what is not understood is left out without a word."""
        old = "tweet.fields" in query
        asked = set(query.get("tweet.fields" if old else "post.fields", "").split(","))
        shown = self._shown(number, set() if self.silent else asked & POST_FIELDS)
        if self.posts[number]["parent"] and not self.silent:
            named = [{"type": "replied_to", "id": self.posts[number]["parent"]}]
            if not old and "referenced_posts" in query.get("expansions", ""):
                shown["referenced_posts"] = named
            if "referenced_tweets" in asked:
                shown["referenced_tweets"] = named
        return shown

    def _shown(self, number: str, fields: set[str]) -> dict[str, Any]:
        return as_shown(self.posts[number], self.links, fields, escapes=self.escapes)

    def _one(self, number: str, query: Mapping[str, str]) -> Reply:
        if number in self.posts:
            return self._pay("read") or Reply(200, {"data": self._asked_for(number, query)})
        missing = {"resource_id": number, "resource_type": "tweet", "type": PROBLEMS + "resource-not-found"}
        detail = f"Could not find tweet with id: [{number}]."
        return Reply(200, {"errors": [missing | {"title": "Not Found Error", "detail": detail}]})

    def _delete(self, number: str) -> Reply:
        refused = self._pay("delete")
        if not refused:
            self.posts.pop(number, None)
        return refused or Reply(200, {"data": {"deleted": True}})


def _alike(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def as_shown(post: Mapping[str, Any], links: dict[str, str], fields: set[str], *, escapes: bool) -> dict[str, Any]:
    """What was written, with its links short, its letters escaped, and its pictures as one more link."""
    number, urls = post["id"], list[dict[str, Any]]()

    def short(leads: str, **more: str) -> str:
        url = links.setdefault(f"{number} {leads}", f"https://t.co/{len(links):010}")
        urls.append({"start": 0, "end": 23, "url": url, "expanded_url": leads} | more)
        return url

    text = LINK.sub(lambda m: short(m[0] if "://" in m[0] else f"http://{m[0]}"), post["written"])
    if escapes:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if media := post["media"]:
        text += f" {short(f'https://x.com/org/status/{number}/photo/1', media_key=f'13_{media[0]}')}"
    told: dict[str, Any] = {"id": number, "text": text, "edit_history_post_ids": [number]}
    if "created_at" in fields:
        told["created_at"] = post["created_at"].strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return told | ({"entities": {"urls": urls}} if urls and "entities" in fields else {})
