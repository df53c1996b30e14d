"""The one HTTP door: it leads to known hosts, never asks twice, lets no secret out, and knows if a byte has left."""

import logging
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ProxyError

from bot.platforms.answers import Answer
from bot.platforms.patience import Patience
from bot.ports import Absent, Clock, Failure, Said, Unsure

MAX_ANSWER = 4_000_000
"""Bytes, unpacked."""
MAX_SAID = 300
IDLE_S = 10.0
_PATIENCE = Patience()

# It would write the addresses it calls, and an address of Telegram holds the token.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class Failed(requests.RequestException):
    """There is no usable answer; `outcome` says whether the request may have been applied. Carries no address."""

    def __init__(self, outcome: Absent | Unsure) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class Door:
    """One account's way out, for SDKs as `session` and else by `call`. Used from one thread at a time.

    It leads to the host of `base` and to the one that was admitted last; whatever an answer names, to no other.
    """

    def __init__(
        self,
        base: str,
        *,
        clock: Clock,
        timeout_s: float,
        secrets: Iterable[SecretStr] = (),
        ca_file: Path | None = None,
        proxy: str | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self.clock = clock
        self.timeout_s = timeout_s
        self._secrets = tuple(secrets)
        self._adapter = _Adapter(clock, timeout_s, str(ca_file) if ca_file else True, proxy)
        self._adapter.hosts = {_host(base)}
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"User-Agent": "campaignbot", "Accept-Encoding": "identity"})
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, self._adapter)

    def call(
        self,
        method: str,
        path: str,
        *,
        base: str = "",
        deadline: float | None = None,
        patience_s: float | None = None,
        **content: Any,  # noqa: ANN401 - params, json, data, files and headers, as requests takes them
    ) -> Answer | Absent | Unsure:
        """Every status but a redirect is an Answer. Absent means surely not applied. `base`: not at the usual one."""
        try:
            with self.until(deadline, patience_s):
                given = self.session.request(method, (base or self.base) + path, **content)
        except Failed as failed:
            return failed.outcome
        except (requests.RequestException, ValueError):
            # Raised before the adapter saw it; the error's own words would quote the address or the token.
            return Absent(Failure.AUTH_BROKEN, Said("the address or a credential holds characters that cannot be sent"))
        return Answer(given.status_code, given.headers, given.content)

    def admit(self, base: str) -> None:
        """Also this host, which the caller has judged."""
        self._adapter.hosts = {_host(self.base), _host(base)}

    @contextmanager
    def until(self, deadline: float | None, patience_s: float | None = None) -> Iterator[None]:
        """Inside, no request begins after `deadline` (boot clock) or lasts longer than `patience_s` from its start."""
        self._adapter.deadline, self._adapter.patience_s = deadline, patience_s or self.timeout_s
        try:
            yield
        finally:
            self._adapter.deadline, self._adapter.patience_s = None, self.timeout_s

    def clean(self, said: object) -> str:
        """Foreign words as one short line without any secret of this account."""
        text = str(said)
        for secret in self._secrets:
            plain = secret.get_secret_value()
            for form in (plain, quote(plain, safe=""), quote(plain)):
                text = text.replace(form, "•••") if form else text
        return "".join(c if c.isprintable() else " " for c in text)[:MAX_SAID]


class _Late(Exception):
    """The deadline passed before the first byte left."""


class _Trip:
    """One request: whether its first byte has left, and a watch that ends it, however slowly it drips."""

    def __init__(self, clock: Clock, deadline: float | None, patience_s: float) -> None:
        self.left = self.expired = False
        self._clock, self._deadline, self._patience_s = clock, deadline, patience_s

    def leave(self, connection: HTTPConnection) -> None:
        """Called before anything of the request itself is written; raises _Late."""
        if self.left:
            return
        if self._deadline is not None and self._clock.boot() > self._deadline:
            raise _Late
        self.left = True
        self.watch(connection)

    def watch(self, connection: HTTPConnection) -> None:
        """From now on, what waits for the far side waits no longer than the caller's patience."""
        raw: Any = connection.sock
        raw.settimeout(self._patience_s)
        # Within a proxy's own TLS the real socket is one further in.
        _PATIENCE.watch(self, self._patience_s, partial(self._expire, getattr(raw, "socket", raw)))

    def _expire(self, raw: socket.socket) -> None:
        self.expired = True
        try:
            # Not SSLSocket.shutdown: it would let the reader take what is still encrypted for the answer.
            socket.socket.shutdown(raw, socket.SHUT_RDWR)
        except OSError:
            return

    def end(self) -> None:
        _PATIENCE.forget(self)

    def failure(self, error: Exception) -> Absent | Unsure:
        if isinstance(error, _Late):
            return Absent(Failure.LATE, Said("the machine was asleep or too slow"))
        why = Said("no whole answer in time") if self.expired else _why(error)
        return (
            Unsure(Said("{why}, after the post began to leave", why=why))
            if self.left
            else Absent(Failure.UNREACHABLE, why)
        )


_TRIP: ContextVar[_Trip] = ContextVar("trip")


class _Watched(HTTPConnection):
    """Tells the trip when the request begins. What opens the way, TLS or words with a proxy, is none of it."""

    _opening = False

    def connect(self) -> None:
        self._opening = True
        try:
            super().connect()
        finally:
            self._opening = False

    def _tunnel(self) -> None:
        super()._tunnel()
        if _TRIP.get().expired:
            raise TimeoutError  # the watch has shut this way down; TLS over it would only seem to stand

    def send(self, data: Any) -> None:  # noqa: ANN401 - the signature is http.client's
        if self.sock is None:
            self.connect()
        trip = _TRIP.get()
        if self._opening:
            trip.watch(self)  # these are words to a proxy
        else:
            trip.leave(self)
        super().send(data)


@cache
def _watched(kind: type[Any]) -> type[Any]:
    return kind if issubclass(kind, _Watched) else type(f"Watched{kind.__name__}", (_Watched, kind), {})


class _Adapter(HTTPAdapter):
    """Sends once; every failure leaves as Failed, sorted by whether the first byte had left."""

    def __init__(self, clock: Clock, timeout_s: float, verify: str | bool, proxy: str | None) -> None:  # noqa: FBT001
        super().__init__(max_retries=0)
        self.deadline: float | None = None
        self.patience_s = timeout_s
        self.hosts: set[str] = set()
        self._clock, self._timeout_s, self._verify = clock, timeout_s, verify
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._used_at = 0.0

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as requests
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _watched(pool.ConnectionCls)
        return pool

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:  # noqa: ANN401
        if _host(str(request.url)) not in self.hosts:
            raise Failed(Absent(Failure.UNREACHABLE, Said("it led to a host that config.toml does not name")))
        if self._clock.boot() - self._used_at > IDLE_S:
            self.close()  # a router may have forgotten the connection; writing into it would end in doubt
        trip = _Trip(self._clock, self.deadline, self.patience_s)
        token = _TRIP.set(trip)
        given: requests.Response | Absent | Unsure
        try:
            given = self._send(request, trip)
        except Exception as error:  # noqa: BLE001 - whatever it was: all that counts is whether a byte had left
            given = trip.failure(error)
        finally:
            trip.end()
            _TRIP.reset(token)
            self._used_at = self._clock.boot()
        if isinstance(given, requests.Response):
            return given
        raise Failed(given)  # here, so that it has no context: the library's errors quote the address

    def _send(self, request: requests.PreparedRequest, trip: _Trip) -> requests.Response | Unsure:
        timeout = (self._timeout_s, self.patience_s)
        given = super().send(request, stream=True, timeout=timeout, verify=self._verify, proxies=self._proxies)
        try:
            body = bytearray()
            for chunk in given.raw.stream(65_536, decode_content=True):
                body += chunk
                if len(body) > MAX_ANSWER:
                    return Unsure(Said("answered with more than anyone would read"))
        finally:
            given.raw.close()
        if trip.expired:
            return Unsure(Said("no whole answer in time"))
        if given.is_redirect or 300 <= given.status_code < 400:  # noqa: PLR2004 - RFC 9110, 15.4
            return Unsure(Said("answered with a redirect, which is not followed"))
        given.raw = BytesIO(body)
        return given


def _host(url: str) -> str:
    """With its scheme and port, and without who is named before an @."""
    parts = urlsplit(url.lower())
    usual = ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].removesuffix(usual)}"


def _why(error: BaseException) -> Said:
    """In words of our own: those of the libraries quote addresses."""
    chain = tuple(_chain(error))
    for kinds, said in _WHYS:
        for each in chain:
            if isinstance(each, kinds) or (kinds is ProxyError and type(each).__module__ == "socks"):
                if isinstance(each, ssl.SSLCertVerificationError):
                    return Said("{what}: {why}", what=said, why=each.verify_message)
                return said
    return Said("the connection failed ({kind})", kind=type(chain[-1]).__name__)


_WHYS: tuple[tuple[Any, Said], ...] = (
    (ssl.SSLCertVerificationError, Said("its TLS certificate is not to be trusted")),
    (ssl.SSLError, Said("TLS failed")),
    (ProxyError, Said("the proxy refused or failed")),
    (socket.gaierror, Said("the server's name cannot be found")),
    (ConnectionRefusedError, Said("the connection was refused")),
    (TimeoutError, Said("no answer in time")),
    (ConnectionError, Said("the connection was cut")),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        inner = [arg for arg in (getattr(error, "reason", None), *error.args) if isinstance(arg, BaseException)]
        error = inner[0] if inner else error.__cause__ or error.__context__
