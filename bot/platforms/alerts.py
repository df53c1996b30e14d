"""Telling the people who look after this: by mail, by a Telegram bot, or by any address that takes JSON.

None knows more than the words it is given, and none says a secret: not in an error, not in a repr.
"""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from http import HTTPStatus
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.platforms.answers import Answer
from bot.platforms.http import Door
from bot.ports import Absent, Clock, Message, Unsure

TELEGRAM = "https://api.telegram.org"
PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class Mail:
    """`security` is "starttls", "tls", or "none" for a server on this machine. The whole takes `timeout_s` at most."""

    host: str
    port: int
    security: str
    sender: str
    to: Sequence[str]
    clock: Clock
    timeout_s: float
    username: SecretStr | None = field(default=None, repr=False)
    password: SecretStr | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def tell(self, message: Message) -> str:
        try:
            self._send(self._written(message))
        except smtplib.SMTPResponseException as error:
            return f"the mail server answered with {error.smtp_code}"
        except smtplib.SMTPRecipientsRefused:
            return "the mail server refused every recipient"
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return f"the mail could not be handed over ({type(error).__name__})"
        return ""

    def _written(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = message.subject, self.sender, ", ".join(self.to)
        mail["Date"] = format_datetime(self.clock.now())
        mail["Message-ID"] = make_msgid(domain=self._domain)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        return mail

    @property
    def _domain(self) -> str:
        """Said where a mail program would say this machine's name."""
        return self.sender.rpartition("@")[2]

    def _send(self, mail: EmailMessage) -> None:
        context = ssl.create_default_context(cafile=self.ca_file)
        server = (
            _SafeTalk(self.host, self.port, self._domain, timeout=self.timeout_s, context=context)
            if self.security == "tls"
            else _Patient(self.host, self.port, self._domain, timeout=self.timeout_s)
        )
        with server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.username and self.password:
                server.login(self.username.get_secret_value(), self.password.get_secret_value())
            server.send_message(mail)


class _Patient(smtplib.SMTP):
    """Ends a talk that drips: each byte comes in time, and the whole never would."""

    _watch: Timer | None = None

    def getreply(self) -> tuple[int, bytes]:
        if self._watch is None:
            self._watch = Timer(self.timeout, self._expire)
            self._watch.daemon = True
            self._watch.start()
        return super().getreply()

    def close(self) -> None:
        if self._watch:
            self._watch.cancel()
        super().close()

    def _expire(self) -> None:
        if self.sock:
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _SafeTalk(_Patient, smtplib.SMTP_SSL):
    pass


@dataclass(frozen=True, slots=True)
class Telegram:
    door: Door = field(repr=False)
    token: SecretStr
    chat_id: str

    def tell(self, message: Message) -> str:
        text = f"{message.subject}\n\n{message.body}"
        said = {"chat_id": self.chat_id, "text": text, "disable_notification": False}
        given = self.door.call("POST", f"/bot{self.token.get_secret_value()}/sendMessage", json=said)
        if isinstance(given, Answer) and given.status == HTTPStatus.OK and given.fields().get("ok") is not True:
            return "answered with something that is not Telegram's"
        return why_not(given)


@dataclass(frozen=True, slots=True)
class Webhook:
    """POST of JSON: `text` as chat services read it, the rest for programs. `url` may itself be a secret."""

    door: Door = field(repr=False)
    url: SecretStr
    token: SecretStr | None = None

    def tell(self, message: Message) -> str:
        said = {"text": f"{message.subject}\n{message.body}", "notices": list(message.facts)}
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}
        return why_not(self.door.call("POST", path_of(self.url), json=said, headers=headers))


def path_of(url: SecretStr) -> str:
    """What comes after the host, which the door has already."""
    parts = urlsplit(url.get_secret_value())
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def base_of(url: SecretStr) -> str:
    parts = urlsplit(url.get_secret_value())
    return f"{parts.scheme}://{parts.netloc}"


def why_not(given: Answer | Absent | Unsure) -> str:
    """Empty where it was taken."""
    if not isinstance(given, Answer):
        return given.detail
    return "" if HTTPStatus(200) <= given.status < HTTPStatus.MULTIPLE_CHOICES else f"answered with {given.status}"
