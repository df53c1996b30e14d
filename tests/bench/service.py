"""A service that only answers, after a given time, and keeps when each post arrived: `… service SECONDS PORT`."""

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from tests.system.installation import HOUSE

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_KEY = re.compile(rb"idempotency-key: *([^\r]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Service:
    base: str
    pid: int

    def arrivals(self) -> list[tuple[float, str]]:
        """When each post came, in seconds since 1970, and under which key; in order. Forgotten once told."""
        with urllib.request.urlopen(f"{self.base}/arrivals") as given:  # noqa: S310 - loopback
            return [(moment, key) for moment, key in json.load(given)]

    def count(self) -> int:
        with urllib.request.urlopen(f"{self.base}/count") as given:  # noqa: S310 - loopback
            return int(json.load(given))


@contextmanager
def serving(latency_s: float, port: int) -> Iterator[Service]:
    words = [sys.executable, "-m", "tests.bench.service", str(latency_s), str(port)]
    with subprocess.Popen(words, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            process.stdout.readline()
            yield Service(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.kill()


class Speaker(asyncio.Protocol):
    """Speaks just enough of Mastodon, on kept connections."""

    arrived: list[tuple[float, str]] = []  # noqa: RUF012 - of the whole process, on purpose
    latency_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._heard = b""

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, blank, body = self._heard.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or len(body) < (int(length[1]) if length else 0):
            return
        self._heard = b""
        if not head.startswith(b"POST"):
            self._say(self._told(head))
            return
        key = _KEY.search(head)
        self.arrived.append((time.time(), key[1].decode() if key else ""))
        number = len(self.arrived)
        made = {"id": f"{number}", "url": f"http://127.0.0.1/{number}", "uri": f"http://127.0.0.1/{number}"}
        if self.latency_s:
            asyncio.get_running_loop().call_later(self.latency_s, self._say, made)
        else:
            self._say(made)

    def _told(self, head: bytes) -> object:
        if head.startswith(b"GET /arrivals"):
            told, self.arrived[:] = list(self.arrived), []
            return told
        return len(self.arrived) if head.startswith(b"GET /count") else {"version": "4.5.0"}

    def _say(self, told: object) -> None:
        body = json.dumps(told).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + body)


async def _serve() -> None:
    Speaker.latency_s = float(sys.argv[1])
    server = await asyncio.get_running_loop().create_server(Speaker, "127.0.0.1", int(sys.argv[2]), backlog=200)
    print("Ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
