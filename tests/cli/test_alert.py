"""`alert`: who is told, and a test of each way, at the terminal."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import CONFIG, Terminal
from tests.contracts.simulators.mail import Ledger, mail_server
from tests.contracts.simulators.telegram import Server

CANARY = "42:canary-9e1d5b"
PHONE = """
[[alert]]
name = "phone"
kind = "telegram"
language = "vi"
api_base = "{base}"
[alert.credentials]
bot_token = {{ env = "ALERT_TOKEN" }}
chat_id = "@kenh"
"""
MAIL = """
[[alert]]
name = "team"
kind = "mail"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "bot@example.org"
to = ["team@example.org"]
"""


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("ALERT_TOKEN", CANARY)
    with Server(CANARY) as server:
        yield server


@pytest.fixture
def post_office() -> Iterator[Ledger]:
    with mail_server() as server:
        yield server


def test_a_test_reaches_people_in_their_language(desk: Terminal, phone: Server, post_office: Ledger) -> None:
    desk.config.write_text(CONFIG + PHONE.format(base=phone.base) + MAIL.format(port=post_office.port))
    said = desk.type("alert", "test").out
    assert "✓ phone: sent" in said
    assert "✓ team: sent" in said
    (sent,) = phone.messages.values()
    assert sent["text"].startswith("Chương trình đăng bài: tin thử")
    assert post_office.mails[0]["Subject"] == "Campaign bot: a test"


def test_a_test_that_does_not_arrive_says_why_and_no_secret(desk: Terminal, phone: Server) -> None:
    phone.revoked = True
    desk.config.write_text(CONFIG + PHONE.format(base=phone.base))
    said = desk.type("alert", "test", "phone", code=1)
    assert "✕ phone: answered with 401" in said.out
    assert "canary" not in str(said)


def test_an_alert_that_is_not_there_is_named_with_those_that_are(desk: Terminal, post_office: Ledger) -> None:
    desk.config.write_text(CONFIG + MAIL.format(port=post_office.port))
    assert "There is no alert “teem” in config.toml. There are: team." in desk.type("alert", "test", "teem", code=1).err


def test_without_any_alert_the_next_step_is_said(desk: Terminal) -> None:
    assert "Add an [[alert]] to config.toml" in desk.type("alert", "test", code=1).err
    assert "Add an [[alert]] to config.toml" in desk.type("alert", "list").out
    assert "Nobody is told when something goes wrong" in desk.type("doctor").out
    assert desk.read("alert", "list") == []


def test_the_help_teaches(outside: Terminal) -> None:
    said = outside.type("alert", "test", "--help").out
    assert "mail" in said
    assert "campaignbot alert test coordinators" in said


def test_a_missing_secret_is_found_by_the_check(desk: Terminal) -> None:
    desk.config.write_text(
        CONFIG + PHONE.format(base="http://127.0.0.1:1") + '[ping]\nurl = { env = "NO_SUCH_PING" }\n'
    )
    said = desk.type("check", code=2).out
    assert "[[alert]] “phone”" in said
    assert "[ping] url" in said
    assert "$NO_SUCH_PING" in said
