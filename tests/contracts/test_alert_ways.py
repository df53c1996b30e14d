"""Mail, Telegram and webhooks against servers on loopback: what arrives, what failures say, and no secret in it."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.platforms.alerts import Mail, Telegram, Webhook, base_of
from bot.platforms.http import Door
from bot.ports import Message
from tests.contracts.simulators.base import Asked, Fault, Reply, Simulator
from tests.contracts.simulators.certificates import Authority
from tests.contracts.simulators.mail import Ledger, mail_server
from tests.contracts.simulators.telegram import Server
from tests.house import FakeClock

CANARY = "canary-7f3a9c"
TOKEN = SecretStr(f"42:{CANARY}")
MESSAGE = Message("Thử: 2 lượt đăng", "2 lượt đăng chờ người (1, 2)\n  /\n", ({"topic": "held", "count": 2},))


class Hook(Simulator):
    """Takes whatever comes; `replies` say otherwise."""

    def is_write(self, asked: Asked) -> bool:
        return asked.method == "POST"

    def respond(self, asked: Asked) -> Reply:
        del asked
        return Reply(200, b"ok")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as running:
        yield running


def door(base: str, *secrets: SecretStr) -> Door:
    return Door(base, clock=FakeClock(), timeout_s=0.5, secrets=secrets)


def a_mail(server: Ledger, *, ca_file: Path | None = None, security: str = "none", **known: object) -> Mail:
    given = {"username": SecretStr("bot"), "password": SecretStr(CANARY)} | known
    return Mail(
        host="127.0.0.1",
        port=server.port,
        security=security,
        sender="bot@example.org",
        to=("a@example.org", "b@example.org"),
        clock=FakeClock(),
        timeout_s=0.5,
        ca_file=ca_file,
        **given,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_a_mail_arrives_whole_in_vietnamese(authority: Authority, security: str) -> None:
    tls = authority.server() if security == "starttls" else None
    with mail_server(tls) as server:
        assert a_mail(server, ca_file=authority.file, security=security).tell(MESSAGE) == ""
    (mail,) = server.mails
    assert (mail["Subject"], mail["From"]) == (MESSAGE.subject, "bot@example.org")
    assert mail.get_content().replace("\r\n", "\n") == MESSAGE.body
    assert server.recipients == ["TO:<a@example.org>", "TO:<b@example.org>"]
    assert server.signed_in == [("bot", CANARY)]
    assert mail["Auto-Submitted"] == "auto-generated"


def test_nothing_says_the_name_of_this_machine(authority: Authority) -> None:
    with mail_server(authority.server()) as server:
        a_mail(server, ca_file=authority.file, security="starttls").tell(MESSAGE)
    assert set(server.hellos) == {"example.org"}
    assert server.mails[0]["Message-ID"].endswith("@example.org>")


def test_no_password_leaves_before_the_line_is_safe(authority: Authority) -> None:
    with mail_server(authority.server()) as server:
        a_mail(server, ca_file=authority.file, security="starttls").tell(MESSAGE)
    assert server.in_the_clear == ["EHLO", "STARTTLS"]
    with mail_server() as server:  # offers no TLS
        assert (
            a_mail(server, security="starttls").tell(MESSAGE)
            == "the mail could not be handed over (SMTPNotSupportedError)"
        )
    assert "AUTH" not in server.in_the_clear


def test_a_mail_server_that_others_vouch_for_is_not_believed(authority: Authority) -> None:
    with mail_server(authority.server()) as server:
        said = a_mail(server, security="starttls").tell(MESSAGE)
    assert said == "the mail could not be handed over (SSLCertVerificationError)"
    assert server.signed_in == []


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        ({"AUTH": f"535 no {CANARY}"}, "the mail server answered with 535"),
        ({"RCPT": "550 nobody"}, "the mail server refused every recipient"),
        ({"DATA": "451 later"}, "the mail server answered with 451"),
        ({"MAIL": f"501 {CANARY}"}, "the mail server answered with 501"),
    ],
)
def test_what_a_mail_server_refuses_is_said_without_its_words(refuse: dict[str, str], said: str) -> None:
    with mail_server() as server:
        server.refuse |= refuse
        assert a_mail(server).tell(MESSAGE) == said


def test_a_mail_server_that_drips_is_left_in_time() -> None:
    with mail_server() as server:
        server.drips = True
        began = time.monotonic()
        assert a_mail(server).tell(MESSAGE)
        assert time.monotonic() - began < 5


def test_a_mail_server_that_is_not_there_is_said() -> None:
    assert a_mail(Ledger(port=1)).tell(MESSAGE) == "the mail could not be handed over (ConnectionRefusedError)"


def test_telegram_gets_the_words_and_no_preview() -> None:
    with Server(TOKEN.get_secret_value()) as server:
        assert Telegram(door(server.base, TOKEN), TOKEN, "@kenh").tell(MESSAGE) == ""
        (sent,) = server.messages.values()
    assert sent["text"] == f"{MESSAGE.subject}\n\n{MESSAGE.body}"


def test_a_webhook_gets_words_for_people_and_numbers_for_programs(hook: Hook) -> None:
    url = SecretStr(f"{hook.base}/hooks/{CANARY}?thread=1")
    way = Webhook(door(base_of(url), url), url, SecretStr("bearer"))
    assert way.tell(MESSAGE) == ""
    (asked,) = hook.asked
    assert (asked.path, asked.query) == (f"/hooks/{CANARY}", {"thread": "1"})
    assert asked.headers["Authorization"] == "Bearer bearer"
    assert asked.json() == {"text": f"{MESSAGE.subject}\n{MESSAGE.body}", "notices": [{"topic": "held", "count": 2}]}


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_of_a_webhook_is_said_in_time_and_without_a_secret(hook: Hook, fault: Fault) -> None:
    url = SecretStr(f"{hook.base}/hooks/{CANARY}")
    hook.faults.append(fault)
    said = Webhook(door(base_of(url), url), url).tell(MESSAGE)
    assert CANARY not in said
    assert bool(said) is not (fault is Fault.HTML)


def test_no_secret_is_in_any_error_log_or_repr(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = SecretStr(f"{hook.base}/hooks/{CANARY}")
    hook.replies += [Reply(500, {"echo": CANARY}), Reply(404, CANARY.encode())]
    webhook = Webhook(door(base_of(url), url), url, SecretStr(CANARY))
    said = [webhook.tell(MESSAGE), webhook.tell(MESSAGE), repr(webhook)]
    with Server("42:another") as server:
        telegram = Telegram(door(server.base, TOKEN), TOKEN, "@kenh")
        said += [telegram.tell(MESSAGE), repr(telegram)]
    gone = Telegram(door("http://127.0.0.1:1", TOKEN), TOKEN, "@kenh")
    said.append(gone.tell(MESSAGE))
    with mail_server() as mails:
        mails.refuse["AUTH"] = f"535 {CANARY}"
        mail = a_mail(mails)
        said += [mail.tell(MESSAGE), repr(mail)]
    assert all(said)
    assert CANARY not in json.dumps(said)
    assert CANARY not in caplog.text


def test_a_hook_that_answers_no_json_of_telegram_is_not_taken_for_it(hook: Hook) -> None:
    way = Telegram(door(hook.base, TOKEN), TOKEN, "@kenh")
    assert way.tell(MESSAGE) == "answered with something that is not Telegram's"
