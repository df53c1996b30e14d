"""Writing an account into config.toml: what people wrote stays, letter for letter."""

from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Misconfigured, Rejected
from bot.settings import load_settings
from bot.settings.writing import with_channel, with_sealed

ROOT = Path(__file__).parents[2]
MINE = b"""# ours
[bot]   # the bot
name = 'Chi\xe1\xba\xbfn d\xe1\xbb\x8bch'

[[channel]]
name   = "m"   # the old one
platform = "mastodon"
api_base = "https://example.org"
[channel.credentials]
access_token = { file = "token.txt" }   # keep this safe
"""
BLUESKY = {"name": "b", "platform": "bluesky", "languages": ["vi"]}


def added(raw: bytes) -> bytes:
    return with_channel(raw, BLUESKY, {"identifier": "org.example"}, ["app_password"])


@pytest.mark.parametrize(
    "raw", [MINE, MINE.replace(b"\n", b"\r\n"), b"", b"# nothing\n", (ROOT / "config.example.toml").read_bytes()]
)
def test_an_account_is_added_at_the_end_and_the_rest_is_as_it_was(raw: bytes) -> None:
    after = added(raw)
    assert after.startswith(raw.rstrip())
    assert (b"\r\n" in after) == (b"\r\n" in raw)
    channel = load_settings(Path("config.toml"), after).channels[-1]
    assert (channel.name, channel.platform, channel.languages) == ("b", "bluesky", ("vi",))
    assert channel.credentials["app_password"].credential == "b.app_password"
    assert channel.account.endswith("org.example")


@given(st.text(max_size=60))
def test_whatever_is_typed_stays_one_value(text: str) -> None:
    after = with_channel(MINE, {"name": "t", "platform": "telegram"}, {"chat_id": text}, ["bot_token"])
    try:
        written = load_settings(Path("config.toml"), after).channels[-1].credentials["chat_id"].text
    except Rejected:
        return
    assert written is not None
    assert written.get_secret_value().strip() == normalize("NFC", text).strip()


def test_accounts_written_as_a_list_are_not_guessed_at() -> None:
    with pytest.raises(Rejected):
        load_settings(Path("config.toml"), added(b'channel = [{ name = "x", platform = "rehearsal" }]\n'))


def test_a_secret_that_moves_into_the_vault_changes_its_line_alone() -> None:
    after = with_sealed(MINE, "m", ["access_token"])
    assert after == MINE.replace(b'{ file = "token.txt" }', b'{credential = "m.access_token"}')


def test_what_cannot_be_changed_says_what_to_write() -> None:
    with pytest.raises(Misconfigured, match=r'access_token = \{credential = "n.access_token"\}'):
        with_sealed(MINE, "n", ["access_token"])
