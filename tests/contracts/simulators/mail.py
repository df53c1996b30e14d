"""A mail server on loopback: it speaks as much SMTP as a client needs, and keeps what it was handed."""

import socketserver
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Ledger:
    """`refuse` answers a command (its first word) with this line instead; `signed_in` are the pairs that did."""

    refuse: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    hellos: list[str] = field(default_factory=list)
    signed_in: list[tuple[str, str]] = field(default_factory=list)
    in_the_clear: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    port: int = 0


class _Talk(socketserver.StreamRequestHandler):
    ledger: Ledger
    is_safe = False

    def handle(self) -> None:
        if self.ledger.drips:
            self._drip()
            return
        self._say("220 loopback ready")
        while line := self.rfile.readline():
            words = line.decode().strip().split()
            command = words[0].upper() if words else ""
            if not self.is_safe:
                self.ledger.in_the_clear.append(command)
            if command in self.ledger.refuse:
                self._say(self.ledger.refuse[command])
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._answer(command, words)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _answer(self, command: str, words: list[str]) -> None:
        if command == "EHLO":
            self.ledger.hellos.append(words[1])
            offers = ["loopback", "AUTH PLAIN"] if self.is_safe or not self.ledger.tls else ["loopback", "STARTTLS"]
            for offer in offers[:-1]:
                self._say(f"250-{offer}")
            self._say(f"250 {offers[-1]}")
        elif command == "STARTTLS" and self.ledger.tls:
            self._say("220 go on")
            self._wrap(self.ledger.tls)
        elif command == "AUTH":
            _, name, password = b64decode(words[2]).decode().split("\0")
            self.ledger.signed_in.append((name, password))
            self._say("235 welcome")
        elif command == "DATA":
            self._say("354 go on")
            self._take()
        else:
            if command == "RCPT":
                self.ledger.recipients.append(words[1].replace("to:", "TO:", 1))  # in any case, as newer Pythons do
            self._say("250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.ledger.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._say("250 taken")

    def _wrap(self, tls: ssl.SSLContext) -> None:
        self.request = self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.is_safe = True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _drip(self) -> None:
        try:
            for _ in range(400):
                self.wfile.write(b"2")
                time.sleep(0.05)
        except OSError:
            return


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[Ledger]:
    ledger = Ledger(tls=tls)
    talk = type("Bound", (_Talk,), {"ledger": ledger})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), talk) as server:
        server.daemon_threads = True
        ledger.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield ledger
        finally:
            server.shutdown()
