"""Services on loopback: each keeps a ledger of its own, and can be told to fail the next write in a given way."""

import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.house import START

HTML = b"<!doctype html><title>Sign in to the hotel's network</title>"
SLOWEST_S = 20.0


class Fault(Enum):
    """What becomes of one write: whether it is applied, and what the caller then gets."""

    HANG_BEFORE = "hang before applying"
    HANG_AFTER = "hang after applying"
    CLOSE_BEFORE = "close before applying"
    CLOSE_AFTER = "close after applying"
    CUT = "cut the answer in its middle"
    DRIP = "answer a byte at a time"
    ERROR_AFTER = "500 after applying"
    TIMEOUT_STATUS = "408 after applying"
    HTML = "HTML instead of JSON"
    REDIRECT = "redirect"
    OVERSIZED = "an answer without end"

    @property
    def applies(self) -> bool:
        return self not in {Fault.HANG_BEFORE, Fault.CLOSE_BEFORE, Fault.REDIRECT}


@dataclass(frozen=True)
class Part:
    """One field of a form; `name` is the file's, if it is one."""

    content: bytes
    name: str = ""
    mime: str = ""


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        return json.loads(self.body)

    def form(self) -> dict[str, Part]:
        """The fields of a multipart form."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + self.body)
        made = {}
        for part in message.iter_parts():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            name = str(part.get_param("name", header="content-disposition"))
            made[name] = Part(content, part.get_filename() or "", part.get_content_type())
        return made


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Simulator:
    """Subclass it with `respond`, and `is_write` for the one call that cannot be taken back."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.now: datetime = START
        self.asked: list[Asked] = []
        self.faults: deque[Fault] = deque()
        self.replies: deque[Reply] = deque()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._tls = tls
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Talk,), {"simulator": self}))
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def respond(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def is_write(self, asked: Asked) -> bool:
        raise NotImplementedError

    @property
    def base(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.server_port}"

    @property
    def writes(self) -> list[Asked]:
        return [asked for asked in self.asked if self.is_write(asked)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, seconds: float = SLOWEST_S) -> None:
        """Until the time or the test is over."""
        self._over.wait(seconds)

    def take(self, asked: Asked) -> tuple[Reply, Fault | None]:
        with self._lock:
            self.asked.append(asked)
            if not self.is_write(asked):
                return self.respond(asked), None
            if self.replies:
                return self.replies.popleft(), None
            fault = self.faults.popleft() if self.faults else None
            return (self.respond(asked) if fault is None or fault.applies else Reply()), fault


_INSTEAD = {
    Fault.ERROR_AFTER: Reply(500, HTML, {"Content-Type": "text/html"}),
    Fault.TIMEOUT_STATUS: Reply(408, {"error": "too slow"}),
    Fault.HTML: Reply(200, HTML, {"Content-Type": "text/html"}),
    Fault.REDIRECT: Reply(302, b"", {"Location": "/elsewhere"}),
    Fault.OVERSIZED: Reply(200, b'{"id":"' + b"9" * 5_000_000 + b'"}'),
}


class _Talk(BaseHTTPRequestHandler):
    simulator: Simulator
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        reply, fault = self.simulator.take(Asked(self.command, parts.path, query, dict(self.headers), body))
        with self._whatever_the_caller_does():
            self._tell(reply, fault)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are the library's

    def _tell(self, reply: Reply, fault: Fault | None) -> None:
        match fault:
            case Fault.HANG_BEFORE | Fault.HANG_AFTER:
                self.simulator.wait()
                self.close_connection = True
            case Fault.CLOSE_BEFORE | Fault.CLOSE_AFTER:
                self.close_connection = True
            case Fault.CUT:
                self._write(reply, upto=len(reply.raw()) // 2)
                self.close_connection = True
            case Fault.DRIP:
                self._drip(reply)
            case _:
                self._write(_INSTEAD.get(fault, reply) if fault else reply)

    def _write(self, reply: Reply, upto: int | None = None) -> None:
        raw = reply.raw()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(raw))} | dict(reply.headers)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[:upto])
        self.wfile.flush()

    def _drip(self, reply: Reply) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(reply.raw()), reply.raw()):
            self.connection.sendall(bytes([byte]))
            time.sleep(0.1)
        self.close_connection = True

    @contextmanager
    def _whatever_the_caller_does(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        del timestamp
        return format_datetime(self.simulator.now, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
        """Says nothing: a test that fails shows the ledger."""
