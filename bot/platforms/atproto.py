"""One account of the AT Protocol: who is signed in, where its records are kept, and what a refusal there means."""

import base64
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from bot.platforms.answers import Answer, by_status
from bot.platforms.http import Door
from bot.ports import Absent, Failure, Unsure

RESOLVE_S, USUAL_LIFE_S, MARGIN_S = 5.0, 3_600.0, 300.0
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}")
# A name that anybody may look up: no number, and none that stands for this machine or the net around it.
_NEAR = r"(?:arpa|home|internal|lan|local|localdomain|localhost|onion)"
_AWAY = re.compile(rf"https://(?:[a-z0-9-]+\.)+(?!{_NEAR}(?::|$))[a-z][a-z0-9-]*(?::[0-9]{{1,5}})?", re.IGNORECASE)
_HERE = re.compile(r"https?://(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?")
_SIGNED_OUT = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})
_SHUT = frozenset({"AccountTakedown", "AccountDeactivated", "RepoTakendown", "RepoSuspended", "RepoDeactivated"})
_UPSTREAM = frozenset({"InternalServerError", "UpstreamFailure", "UpstreamTimeout", "NotEnoughResources"})
_REFUSES = range(HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS)
_NO_LEAVE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and where. `until` is on the boot clock, a while before the access token ends."""

    did: str
    handle: str
    pds: str
    access: SecretStr
    refresh: SecretStr
    until: float
    scope: str
    opening: Answer = field(repr=False)


class Stopped(Exception):
    """What comes before a write failed: nothing was written."""

    def __init__(self, outcome: Absent | Unsure) -> None:
        super().__init__()
        self.outcome, self.detail = outcome, outcome.detail


class Repository:
    """Signs in at the door's address, and goes on where the account's DID document says."""

    def __init__(self, door: Door, identifier: str, password: SecretStr) -> None:
        self._door, self._identifier, self._password = door, identifier, password
        self._session: Session | None = None

    def session(self, deadline: float | None, *, anew: bool = False) -> Session:
        """Kept until shortly before it ends. Raises Stopped."""
        if anew:
            self._session = None
        if self._session is None or self._door.clock.boot() >= self._session.until:
            self._session = self._renewed(self._session, deadline)
        return self._session

    def _renewed(self, old: Session | None, deadline: float | None) -> Session:
        """By what the old session left, and by the password only where that is refused: logins are counted."""
        path = "/xrpc/com.atproto.server."
        if old:
            signed = _bearer(old.refresh)
            given = self._door.call("POST", f"{path}refreshSession", base=old.pds, headers=signed, deadline=deadline)
            if not (isinstance(given, Answer) and given.status in _REFUSES):
                return self._opened(given)
        who = {"identifier": self._identifier, "password": self._password.get_secret_value()}
        return self._opened(self._door.call("POST", f"{path}createSession", json=who, deadline=deadline))

    def _opened(self, given: Answer | Absent | Unsure) -> Session:
        told = said_by(given)
        did, access, refresh = (str(told.get(name) or "") for name in ("did", "accessJwt", "refreshJwt"))
        if not isinstance(given, Answer) or not (access and refresh and _DID.fullmatch(did)):
            raise Stopped(self.refusal(given))
        life, scope = _claims(access)
        until = self._door.clock.boot() + life - min(MARGIN_S, life / 2)
        handle, pds = self._door.clean(told.get("handle")), pds_of(told.get("didDoc"), did, self._door.base)
        self._door.admit(pds)
        return Session(did, handle, pds, SecretStr(access), SecretStr(refresh), until, scope, given)

    def call(self, name: str, deadline: float | None, **content: Any) -> Answer | Absent | Unsure:  # noqa: ANN401
        """Where the session is refused, nothing was done: once more with a new one. Raises Stopped without one."""
        session, headers = self.session(deadline), content.pop("headers", {})
        path, content["deadline"] = f"/xrpc/com.atproto.repo.{name}", deadline
        given = self._door.call("POST", path, base=session.pds, headers=headers | _bearer(session.access), **content)
        if error_of(given) not in _SIGNED_OUT:
            return given
        session = self._session = self._renewed(session, deadline)
        return self._door.call("POST", path, base=session.pds, headers=headers | _bearer(session.access), **content)

    def look(self, session: Session, collection: str, key: str) -> dict[str, Any] | Unsure | None:
        """Anybody may read a record; None is a certain absence."""
        query = {"repo": session.did, "collection": collection, "rkey": key}
        given = self._door.call("GET", "/xrpc/com.atproto.repo.getRecord", base=session.pds, params=query)
        if isinstance(said_by(given).get("value"), dict):
            return said_by(given)
        return None if error_of(given) == "RecordNotFound" else Unsure(self.refusal(given).detail)

    def resolve(self, session: Session, handle: str, deadline: float) -> str:
        """Whose handle it is; where nobody can tell now, it stays plain text, as approved."""
        path, patience = "/xrpc/com.atproto.identity.resolveHandle", min(RESOLVE_S, self._door.timeout_s)
        given = self._door.call(
            "GET", path, base=session.pds, params={"handle": handle}, deadline=deadline, patience_s=patience
        )
        did = str(said_by(given).get("did"))
        return did if _DID.fullmatch(did) else ""

    def refusal(self, given: Answer | Absent | Unsure) -> Absent | Unsure:
        if not isinstance(given, Answer):
            return given
        if decided := by_status(given, self._door.clock.now()):
            return decided
        error = error_of(given)
        if not error:
            return Unsure(f"answered with {given.status}, and not as Bluesky does")
        detail = self.clean(f"{given.status}: {error}: {given.fields().get('message')}")
        if error in _UPSTREAM:
            return Unsure(detail)
        broken = error in _SIGNED_OUT | _SHUT or given.status in _NO_LEAVE
        return Absent(Failure.AUTH_BROKEN if broken else Failure.REJECTED, detail)

    def clean(self, said: object) -> str:
        """The tokens of a session are secrets that the door was never told."""
        text, session = str(said), self._session
        for token in (session.access, session.refresh) if session else ():
            text = text.replace(token.get_secret_value(), "•••")
        return self._door.clean(text)


def said_by(given: Answer | Absent | Unsure) -> dict[str, Any]:
    return given.fields() if isinstance(given, Answer) and given.status == HTTPStatus.OK else {}


def error_of(given: Answer | Absent | Unsure) -> str:
    """Why the request was refused, in the protocol's own word; "" where it was not, or not in that way."""
    error = given.fields().get("error") if isinstance(given, Answer) and given.status in _REFUSES else None
    return error if isinstance(error, str) else ""


def _bearer(token: SecretStr) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


def _claims(token: str) -> tuple[float, str]:
    """How many seconds a token lasts, and what it may do, as it says itself."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return max(float(claims["exp"] - claims["iat"]), 0.0), str(claims.get("scope"))
    except (ValueError, TypeError, LookupError, AttributeError):
        return USUAL_LIFE_S, ""


def pds_of(document: object, did: str, base: str) -> str:
    """The address in the document; the configured one where there is none, or none to be trusted with a token."""
    services = document.get("service") if isinstance(document, dict) and document.get("id") == did else None
    for service in services if isinstance(services, list) else ():
        if isinstance(service, dict) and str(service.get("id")).removeprefix(did) == "#atproto_pds":
            address = str(service.get("serviceEndpoint")).rstrip("/")
            if _AWAY.fullmatch(address) or (_HERE.fullmatch(address) and _HERE.fullmatch(base)):
                return address
    return base
