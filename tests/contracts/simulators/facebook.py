"""A Facebook Page as recorded and documented: its errors by code, its hidden pictures, its lists that lag and omit."""

import hmac
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tests.contracts.simulators.base import Asked, Reply, Simulator

PAGE = "546349135390552"
APP_SECRET = "canary-app-secret"
VERSION = "v25.0"
LIMIT = 63_206
SCOPES = ("pages_manage_posts", "pages_read_engagement", "pages_show_list")
GONE = "does not exist, cannot be loaded due to missing permissions, or does not support this operation"


def refused(code: int, message: str = "Message describing the error", *, status: int = 400, **more: object) -> Reply:
    return Reply(status, {"error": {"message": message, "type": "OAuthException", "code": code, **more}})


def missing(verb: str, number: str) -> Reply:
    said = f"Unsupported {verb.lower()} request. Object with ID '{number}' {GONE}"
    return refused(100, said, type="GraphMethodException", error_subcode=33)


@dataclass(eq=False)
class Server(Simulator):
    """`posts` in order of arrival, comments among them; `shows` is which of them the lists show."""

    token: str
    tls: ssl.SSLContext | None = None
    version: str = VERSION
    scopes: tuple[str, ...] = SCOPES
    pages: tuple[str, ...] = (PAGE,)
    kind: str = "PAGE"
    expires_at: int = 0
    reads_until: int = 0
    published: bool = True
    revoked: bool = False
    lag: timedelta = timedelta()
    shows: Callable[[dict[str, Any]], bool] = lambda _: True
    usage: dict[str, str] = field(default_factory=dict)
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    photos: dict[str, dict[str, Any]] = field(default_factory=dict)
    number: int = 1116692711689521

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)

    def is_write(self, asked: Asked) -> bool:
        return asked.method == "POST" and asked.path.rsplit("/", 1)[-1] in {"feed", "comments"}

    def respond(self, asked: Asked) -> Reply:
        form = self._form(asked)
        given = self._refusal(asked, form) or self._answer(asked, form)
        return Reply(given.status, given.body, {**self.usage, "facebook-api-version": self.version, **given.headers})

    def _form(self, asked: Asked) -> dict[str, Any]:
        if asked.method != "POST":
            return dict(asked.query)
        if asked.headers.get("Content-Type", "").startswith("multipart/"):
            return {name: part if part.name else part.content.decode() for name, part in asked.form().items()}
        return {name: values[-1] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()}

    def _refusal(self, asked: Asked, form: dict[str, Any]) -> Reply | None:
        token = form.get("access_token") or asked.headers.get("Authorization", "").removeprefix("Bearer ")
        proof = hmac.new(APP_SECRET.encode(), self.token.encode(), "sha256").hexdigest()
        if self.revoked or token != self.token:
            return refused(190, "Error validating access token", error_subcode=460, fbtrace_id="EJplcsCHuLu")
        if not asked.path.startswith("/v"):
            return refused(2635, "You are calling a deprecated version of the API")
        if form.get("appsecret_proof") != proof:
            return refused(100, "Invalid appsecret_proof provided in the API argument", type="GraphMethodException")
        return None

    def _answer(self, asked: Asked, form: dict[str, Any]) -> Reply:
        _, _, place, *edge = asked.path.split("/")
        on_page: dict[tuple[str, ...], Callable[[], Reply]] = {
            ("GET",): self._page,
            ("GET", "published_posts"): lambda: self._listed(form, ""),
            ("POST", "photos"): lambda: self._upload(form),
            ("POST", "feed"): lambda: self._post(form, ""),
        }
        on_post: dict[tuple[str, ...], Callable[[], Reply]] = {
            ("GET",): lambda: Reply(200, self._public(self.posts[place])),
            ("DELETE",): lambda: Reply(200, {"success": bool(self.posts.pop(place))}),
            ("GET", "comments"): lambda: self._listed(form, place),
            ("POST", "comments"): lambda: self._post(form, place),
        }
        if place == "debug_token" and form["input_token"] == self.token:
            return Reply(200, {"data": self._debugged()})
        ways = on_page if place == PAGE else on_post if place in self.posts else {}
        return ways.get((asked.method, *edge), lambda: missing(asked.method, place))()

    def _page(self) -> Reply:
        link = f"https://www.facebook.com/{PAGE}"
        return Reply(200, {"id": PAGE, "name": "Trang", "link": link, "is_published": self.published})

    def _debugged(self) -> dict[str, Any]:
        granular = [{"scope": scope, "target_ids": list(self.pages)} for scope in self.scopes]
        return {
            "app_id": "1", "application": "bot", "type": self.kind, "is_valid": True, "user_id": "2",
            "data_access_expires_at": self.reads_until, "expires_at": self.expires_at,
            "scopes": list(self.scopes), "granular_scopes": granular,
        }  # fmt: skip

    def _listed(self, form: dict[str, Any], above: str) -> Reply:
        """The newest first, none that is younger than the lag."""
        if "pages_read_engagement" not in self.scopes:
            return refused(10, "(#10) This endpoint requires the 'pages_read_engagement' permission", status=403)
        kept = [post for post in reversed(self.posts.values()) if post["above"] == above and self.shows(post)]
        kept = [post for post in kept if datetime.fromisoformat(post["created_time"]) <= self.now - self.lag]
        start, limit = int(form.get("after", "0")), int(form["limit"])
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + limit)}}
        if kept[start + limit :]:
            paging["next"] = f"{self.base}/next?access_token={self.token}"
        return Reply(200, {"data": [self._public(post) for post in kept[start : start + limit]], "paging": paging})

    def _public(self, post: dict[str, Any]) -> dict[str, Any]:
        return {name: post[name] for name in ("id", "message", "created_time")}

    def _upload(self, form: dict[str, Any]) -> Reply:
        number = str(900 + len(self.photos))
        hidden = form["published"] == "false"
        picture = {"alt": form["alt_text_custom"], "bytes": form["source"].content, "hidden": hidden}
        self.photos[number] = picture
        return Reply(200, {"id": number})

    def _post(self, form: dict[str, Any], above: str) -> Reply:
        message = form["message"]
        newest = next((post for post in reversed(self.posts.values()) if post["above"] == above), None)
        if newest and newest["message"] == message:
            return refused(506, "(#506) Duplicate status message")
        if len(message.encode("utf-16-le")) // 2 > LIMIT:
            return refused(100, "(#100) Param message is too long")
        attached = [json.loads(each)["media_fbid"] for name, each in form.items() if name.startswith("attached_media[")]
        attached += [form["attachment_id"]] if "attachment_id" in form else []
        if any(photo not in self.photos for photo in attached):
            return refused(1366046, "Your photos couldn't be uploaded")
        self.number += 1
        number = f"{above.rpartition('_')[2] if above else PAGE}_{self.number}"
        moment = self.now.strftime("%Y-%m-%dT%H:%M:%S+0000")
        pictures = [self.photos[photo] for photo in attached]
        post = {"id": number, "message": message, "created_time": moment, "above": above, "photos": pictures}
        self.posts[number] = post
        return Reply(200, {"id": number})
