"""A Bluesky PDS as recorded: its sessions, its keys, its blobs, what it refuses, and what it lets pass."""

import base64
import hashlib
import json
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import regex

from tests.contracts.simulators.base import Asked, Reply, Simulator

DID, HANDLE = "did:plc:ftphrajnc7sjrwiebr66lt2i", "org.example"
POSTS, PROFILE = "app.bsky.feed.post", "app.bsky.actor.profile"
ACCESS_S, REFRESH_S = 7_200, 90 * 86_400
LOGINS, LOGINS_S = 30, 300
TID = re.compile("[234567a-j][234567a-z]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LABELLED = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "bot"}]}


def refused(status: int, error: str, message: str = "", **headers: str) -> Reply:
    return Reply(status, {"error": error, "message": message or error}, headers)


def invalid(message: str) -> Reply:
    return refused(400, "InvalidRequest", message)


def _cid(of: bytes, prefix: str) -> str:
    return prefix + base64.b32encode(hashlib.sha256(of).digest()).decode().lower().rstrip("=")


@dataclass(eq=False)
class Server(Simulator):
    """`records` by collection and key. `endpoint` is what the DID document names; `tokens` are good until a time."""

    token: str
    tls: ssl.SSLContext | None = None
    endpoint: object = None
    scope: str = "com.atproto.appPass"
    active: bool = True
    revoked: bool = False
    labels: object = field(default_factory=lambda: dict(LABELLED))
    handles: dict[str, str] = field(default_factory=lambda: {HANDLE: DID, "ban.example": "did:plc:ban"})
    records: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    pixels: dict[str, bytes] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    logins: list[float] = field(default_factory=list)
    minted: int = 0

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)

    @property
    def posts(self) -> list[dict[str, Any]]:
        return [record["value"] for (collection, _), record in self.records.items() if collection == POSTS]

    def called(self, name: str) -> int:
        return sum(asked.path.endswith(f".{name}") for asked in self.asked)

    def is_write(self, asked: Asked) -> bool:
        return asked.path == "/xrpc/com.atproto.repo.putRecord"

    def respond(self, asked: Asked) -> Reply:
        method = asked.path.removeprefix("/xrpc/com.atproto.")
        to_all: dict[str, Callable[[Asked], Reply]] = {
            "server.createSession": self._create_session,
            "server.refreshSession": self._refresh_session,
            "repo.getRecord": self._get,
            "identity.resolveHandle": self._resolve,
        }
        to_owner = {"repo.putRecord": self._put, "repo.deleteRecord": self._delete, "repo.uploadBlob": self._upload}
        if method in to_all:
            return to_all[method](asked)
        if method not in to_owner:
            return refused(501, "MethodNotImplemented", "Method Not Implemented")
        return self._barred(asked, "access") or to_owner[method](asked)

    def _barred(self, asked: Asked, kind: str) -> Reply | None:
        bearer = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if not bearer:
            return refused(401, "AuthMissing", "Authentication Required")
        known, until = self.tokens.get(bearer, ("", 0.0))
        if self.revoked or known != kind:
            return refused(400, "InvalidToken", "Token could not be verified")
        return refused(400, "ExpiredToken", "Token has expired") if self.now.timestamp() >= until else None

    def _create_session(self, asked: Asked) -> Reply:
        now = self.now.timestamp()
        recent = [login for login in self.logins if login > now - LOGINS_S]
        if len(recent) >= LOGINS:
            reset = int(recent[0]) + LOGINS_S
            waits = {"ratelimit-reset": str(reset), "retry-after": str(int(reset - now))}
            return refused(429, "RateLimitExceeded", "Rate Limit Exceeded", **waits)
        self.logins.append(now)
        given = asked.json()
        if self.revoked or given["password"] != self.token or given["identifier"] not in {DID, HANDLE}:
            return refused(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session()

    def _refresh_session(self, asked: Asked) -> Reply:
        if asked.body:
            return invalid("A request body was provided when none was expected")
        return self._barred(asked, "refresh") or self._session()

    def _session(self) -> Reply:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer"}
        document = {"id": DID, "service": [service | {"serviceEndpoint": self.endpoint or self.base}]}
        made = {"accessJwt": self._mint("access", ACCESS_S), "refreshJwt": self._mint("refresh", REFRESH_S)}
        closed = {} if self.active else {"status": "suspended"}
        return Reply(200, made | {"did": DID, "handle": HANDLE, "didDoc": document, "active": self.active} | closed)

    def _mint(self, kind: str, seconds: int) -> str:
        self.minted += 1
        now = int(self.now.timestamp())
        claims = {"scope": self.scope, "sub": DID, "iat": now, "exp": now + seconds, "jti": self.minted}
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        token = f"eyJhbGciOiJIUzI1NiJ9.{middle}.canary_{self.minted}"
        self.tokens[token] = (kind, now + seconds)
        return token

    def _get(self, asked: Asked) -> Reply:
        place = asked.query["collection"], asked.query["rkey"]
        if place == (PROFILE, "self"):
            return Reply(200, {"uri": "", "cid": "bafy", "value": {"$type": PROFILE, "labels": self.labels}})
        found = self.records.get(place) if asked.query["repo"] == DID else None
        return Reply(200, found) if found else refused(400, "RecordNotFound", "Could not locate record")

    def _resolve(self, asked: Asked) -> Reply:
        did = self.handles.get(asked.query["handle"])
        return Reply(200, {"did": did}) if did else refused(400, "HandleNotFound", "Unable to resolve handle")

    def _upload(self, asked: Asked) -> Reply:
        link = _cid(asked.body, "bafkrei")
        blob = {"$type": "blob", "ref": {"$link": link}, "mimeType": asked.headers["Content-Type"]}
        self.blobs[link], self.pixels[link] = blob | {"size": len(asked.body)}, asked.body
        return Reply(200, {"blob": self.blobs[link]})

    def _delete(self, asked: Asked) -> Reply:
        given = asked.json()
        gone = self.records.pop((given["collection"], given["rkey"]), None)
        return Reply(200, {"commit": {"cid": gone["cid"], "rev": "3n2u2c2v3sm2q"}} if gone else {})

    def _put(self, asked: Asked) -> Reply:
        given = asked.json()
        if given["repo"] != DID:
            return refused(401, "AuthenticationRequired", "Authentication Required")
        if not TID.fullmatch(given["rkey"]):
            return invalid(f"Invalid record key for {POSTS}: Invalid TID string (got {given['rkey']!r}) at $")
        if fault := self._fault(given["record"]):
            return fault
        place = (given["collection"], given["rkey"])
        cid = _cid(json.dumps(given["record"], sort_keys=True).encode(), "bafyrei")
        made = {"uri": f"at://{DID}/{given['collection']}/{given['rkey']}", "cid": cid}
        before = self.records.get(place)
        if before and before["cid"] == cid:
            return Reply(200, made | {"validationStatus": "valid"})
        if "swapRecord" in given and given["swapRecord"] != (before and before["cid"]):
            return refused(400, "InvalidSwap", f"Record was at {before and before['cid']}")
        self.records[place] = made | {"value": given["record"]}
        return Reply(200, made | {"commit": {"cid": cid, "rev": "3n2u2bxndil2q"}, "validationStatus": "valid"})

    def _fault(self, record: dict[str, Any]) -> Reply | None:
        """Whether a place lies inside the text is not asked: facets that do not are kept as they are."""
        images = record.get("embed", {}).get("images", [])
        sizes = (
            ("grapheme", 300, len(regex.findall(r"\X", record["text"])), "text"),
            ("string", 3_000, len(record["text"].encode()), "text"),
            ("array", 3, len(record.get("langs", [])), "langs"),
            ("array", 4, len(images), "embed.images"),
        )
        for kind, most, size, place in sizes:
            if size > most:
                message = f"{kind} too big (maximum {most}, got {size}) at $.record.{place}"
                return invalid(f"Invalid {POSTS} record: {message}")
        if not MOMENT.fullmatch(record.get("createdAt", "")):
            return invalid(f"Invalid {POSTS} record: Invalid datetime at $.record.createdAt")
        if any(not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", language) for language in record.get("langs", [])):
            return invalid(f"Invalid {POSTS} record: Invalid language at $.record.langs[0]")
        return next(filter(None, map(self._fault_of, images)), None)

    def _fault_of(self, picture: dict[str, Any]) -> Reply | None:
        link = picture["image"]["ref"]["$link"]
        if "alt" not in picture:
            return invalid('Missing required key "alt" at $.record.embed.images[0]')
        if link not in self.blobs:
            return refused(400, "BlobNotFound", f"Could not find blob: {link}")
        if not self.blobs[link]["mimeType"].startswith("image/"):
            return invalid('Expected "image/*" at $.record.embed.images[0].image.mimeType')
        size = self.blobs[link]["size"]
        return invalid(f"blob too big (maximum 2000000, got {size})") if size > 2_000_000 else None

    def advance(self, **by: float) -> None:
        """`by` as of timedelta."""
        self.now += timedelta(**by)
