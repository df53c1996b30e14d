"""[[alert]] and [ping] in config.toml, and every mistake in them."""

from pathlib import Path

import pytest

from bot.domain.alerts import Topic
from tests.services.test_settings import findings, load

MAIL = """
[[alert]]
name = "team"
kind = "mail"
host = "mail.example.org"
sender = "bot@example.org"
to = ["team@example.org"]
"""
TELEGRAM = """
[[alert]]
name = "phone"
kind = "telegram"
language = "vi"
topics = ["halt", "silent"]
[alert.credentials]
bot_token = { env = "ALERT_TOKEN" }
chat_id = "-1001"
"""


def test_each_kind_is_read_and_tells_of_everything_unless_told(tmp_path: Path) -> None:
    mail, phone = load(tmp_path, MAIL + TELEGRAM).alerts
    assert mail.topics == tuple(Topic)
    assert (phone.language, phone.topics) == ("vi", (Topic.HALT, Topic.SILENT))


def test_a_ping_is_an_address_or_the_place_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PING", "https://example.org/secret")
    for written in ('"https://example.org/secret"', '{ env = "PING" }'):
        ping = load(tmp_path, f"[ping]\nurl = {written}\n").ping
        assert ping.url is not None
        assert ping.url.read(tmp_path).get_secret_value() == "https://example.org/secret"
        assert "secret" not in repr(ping)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAIL.replace('host = "mail.example.org"\n', ""), "[[alert]] “team”: host: is missing."),
        (MAIL.replace('to = ["team@example.org"]', "to = []"), "[[alert]] “team”: to: is missing."),
        (MAIL.replace("team@", "team "), "[[alert]] “team”: to.0: must be an address such as name@example.org."),
        (MAIL + 'security = "none"\n', "mail leaves this machine only under TLS. Write “starttls” or “tls”."),
        (MAIL + 'proxy = "socks5h://127.0.0.1:9050"\n', "[[alert]] “team”: proxy: unknown key. Remove it."),
        (MAIL + '[alert.credentials]\nusername = { env = "A" }\n', "needs both a username and a password, or neither."),
        (MAIL + MAIL, "[[alert]] “team”: stands here twice. Give each its own name."),
        (TELEGRAM.replace('{ env = "ALERT_TOKEN" }', '"1:abc"'), "bot_token: a secret does not belong in this file."),
        (TELEGRAM.replace('chat_id = "-1001"\n', ""), "credentials.chat_id: is missing."),
        (TELEGRAM.replace("bot_token", "bot_tokn"), "credentials.bot_tokn: unknown key. Did you mean “bot_token”?"),
        (TELEGRAM.replace('"silent"', '"silence"'), "Did you mean “silent”?"),
        (TELEGRAM.replace("language", "langauge"), "langauge: unknown key. Did you mean “language”?"),
        ("[ping]\nevery_s = 1\n", "[ping] every_s: must be 10 or more."),
    ],
)
def test_a_mistake_is_said_with_its_place_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in line for line in findings(tmp_path, text)), findings(tmp_path, text)
