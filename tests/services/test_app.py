"""The composition root: it opens what `init` made, finds what is wrong before anything runs, and never makes more."""

import subprocess
import sys
from datetime import UTC, datetime, time
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from bot import app
from bot.app import build, establish, open_keystore, open_store
from bot.domain.errors import Misconfigured, Rejected, StoreFailed, Tampered
from bot.domain.post import Layout
from bot.domain.text import RULES
from bot.doors import SystemClock
from bot.logs import configure, log
from bot.ports import Clock
from bot.settings import Settings, load_settings
from bot.store import audit

ROOT = Path(__file__).parents[2]
CONFIG = """
[bot]
timezone = "Europe/Berlin"
[planning]
lead_days = 21
[[campaign]]
slug = "now-campaign"
approvals = 2
channels = ["x"]
[[channel]]
name = "x"
platform = "rehearsal"
like = "x"
post_time = "20:00"
[[channel]]
name = "m"
platform = "rehearsal"
like = "mastodon"
timezone = "Asia/Ho_Chi_Minh"
layout = "separate"
languages = ["en"]
"""


def settings_in(folder: Path, text: str = CONFIG) -> Settings:
    (folder / "config.toml").write_text(text)
    for name in ("messages", "schedules"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return load_settings(folder / "config.toml")


def test_what_was_established_opens_as_configured(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert establish(settings)
    ctx = build(settings)
    assert list(ctx.channels) == ["x", "m"]
    on_x, on_m = ctx.channels.values()
    assert (on_x.profile.layout, on_x.profile.rules, on_x.profile.like) == (Layout.THREAD, RULES["x"], "x")
    assert (on_x.rhythm.post_time, on_x.rhythm.timezone) == (time(20), "Europe/Berlin")
    assert (on_m.profile.layout, on_m.profile.languages) == (Layout.SEPARATE, ("en",))
    assert on_m.rhythm.timezone == "Asia/Ho_Chi_Minh"
    assert ctx.planning.lead_days == 21
    campaign = ctx.schedules.campaign("now-campaign")
    assert campaign is not None
    assert (campaign.approvals, campaign.channels) == (2, ("x",))
    ctx.store.close()


def test_establishing_twice_changes_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    establish(settings)
    name = open_keystore(settings).name
    assert not establish(settings)
    assert open_keystore(settings).name == name
    store = open_store(settings)
    with store.read() as tx:
        assert audit.size(tx) == 1
    store.close()


def test_keys_made_before_a_failure_are_used_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path)

    def fail(*_given: object, **_named: object) -> None:
        raise StoreFailed("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(audit, "open_log", fail)
        with pytest.raises(StoreFailed):
            establish(settings)
    name = open_keystore(settings).name
    assert establish(settings)
    assert build(settings).keystore.name == name


def test_looking_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="campaignbot init"):
        build(settings_in(tmp_path))
    assert not (tmp_path / "var").exists()


def test_a_database_without_its_guards_is_not_opened(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    establish(settings)
    store = open_store(settings)
    with store.write() as tx:
        tx.exec_driver_sql("DROP TRIGGER audit_records_delete")
    store.close()
    with pytest.raises(Tampered):
        build(settings)


def test_a_platform_without_a_file_is_named_before_anything_opens(tmp_path: Path) -> None:
    text = '[[channel]]\nname = "b"\nplatform = "bluesky"\n[channel.credentials]\n'
    text += 'identifier = "org.example"\napp_password = { env = "T" }\n'
    with (
        patch.dict(app.PLATFORMS, {"rehearsal": app.PLATFORMS["rehearsal"]}, clear=True),
        pytest.raises(Rejected, match="“bluesky” is not available in this version"),
    ):
        build(settings_in(tmp_path, text))


ON_MASTODON = """
[[channel]]
name = "m"
platform = "mastodon"
api_base = "http://127.0.0.1:9"
visibility = "unlisted"
[channel.credentials]
access_token = { env = "TOKEN_OF_OURS" }
[[channel]]
name = "t"
platform = "telegram"
api_base = "http://127.0.0.1:9"
[channel.credentials]
bot_token = { env = "TOKEN_OF_OURS" }
chat_id = "@kenh"
[[channel]]
name = "f"
platform = "facebook"
api_base = "http://127.0.0.1:9"
[channel.credentials]
page_id = "546"
page_token = { env = "TOKEN_OF_OURS" }
app_secret = { env = "TOKEN_OF_OURS" }
"""


def test_the_house_opens_without_the_secrets_of_its_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_in(tmp_path, ON_MASTODON)
    establish(settings)
    ctx = build(settings)
    for channel in ctx.channels.values():
        (missing,) = channel.platform.check().missing
        assert missing == "There is no secret in $TOKEN_OF_OURS. Put it there, or name another."
    monkeypatch.setenv("TOKEN_OF_OURS", "s3cret-of-ours")
    for channel in ctx.channels.values():
        (missing,) = channel.platform.check().missing
        assert "refused" in missing
    ctx.store.close()


def test_an_approval_holds_for_the_place_that_the_configuration_names(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ON_MASTODON)
    establish(settings)
    ctx = build(settings)
    assert ctx.channels["m"].profile.account == "mastodon/mastodon/http://127.0.0.1:9/unlisted"
    assert ctx.channels["t"].profile.account == "telegram/telegram/http://127.0.0.1:9/@kenh"
    assert ctx.channels["f"].profile.account == "facebook/facebook/http://127.0.0.1:9/546"
    ctx.store.close()


def test_what_an_account_signs_in_with_is_hidden_from_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_OURS", "s3cret-of-ours")
    text = ON_MASTODON.replace("visibility", 'proxy = "socks5h://a:pass%2Fword@127.0.0.1:9"\nvisibility')
    settings = settings_in(tmp_path, text)
    establish(settings)
    ctx = build(settings)
    ctx.channels["m"].platform.check()
    written = StringIO()
    configure(as_json=True, to=written)
    log.info("s3cret-of-ours pass/word")
    assert "s3cret" not in written.getvalue()
    assert "pass/word" not in written.getvalue()
    configure(as_json=True, to=StringIO())
    ctx.store.close()


def test_the_system_clock_is_aware_and_never_goes_back() -> None:
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 1
    assert clock.boot() <= clock.boot()


LOADING = """
import sys
from pathlib import Path
from bot.app import build
from bot.settings import load_settings
ctx = build(load_settings(Path(sys.argv[1])))
assert "requests" not in sys.modules
ctx.load_platforms()
assert "requests" in sys.modules
"""


def test_what_a_first_post_needs_can_be_loaded_ahead_of_it_and_is_not_before(tmp_path: Path) -> None:
    account = '[[channel]]\nname = "far"\nplatform = "mastodon"\napi_base = "https://example.org"\n'
    secret = '[channel.credentials]\naccess_token = { file = "token" }\n'
    (tmp_path / "token").write_text("t")
    establish(settings_in(tmp_path, CONFIG + account + secret))
    run = [sys.executable, "-c", LOADING, str(tmp_path / "config.toml")]
    assert subprocess.run(run, cwd=ROOT, check=False).returncode == 0
