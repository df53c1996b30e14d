"""The composition root: it opens what `init` made, finds what is wrong before anything runs, and never makes more."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from bot.app import PLATFORMS, SystemClock, build, establish, open_keystore, open_store
from bot.domain.errors import Misconfigured, Rejected, StoreFailed, Tampered
from bot.domain.post import Layout
from bot.domain.text import RULES
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
    text = '[[channel]]\nname = "m"\nplatform = "mastodon"\n[channel.credentials]\naccess_token = { env = "T" }\n'
    with pytest.raises(Rejected, match="“mastodon” is not available in this version"):
        build(settings_in(tmp_path, text))
    assert set(PLATFORMS) == {"rehearsal"}


def test_the_system_clock_is_aware_and_never_goes_back() -> None:
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 1
    assert clock.boot() <= clock.boot()
