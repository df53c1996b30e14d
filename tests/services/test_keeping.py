"""Backups that make themselves: when, how many, for how long, and who hears of it when none is made."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from bot import app
from bot.daemon import daemon
from bot.domain.alerts import Topic
from bot.domain.audit import Act
from bot.domain.errors import BadInput, Rejected, StoreFailed
from bot.services import backup, keeping
from bot.services import clock as clocks
from bot.services.alerts import pending
from bot.services.context import Alert, Context, Keeping
from bot.services.keeping import KEPT, Kept, keep_up
from bot.settings import Settings, load_settings
from bot.store import sealed
from tests.house import Crew, FakeClock, told
from tests.services.test_metrics import scraped

PHRASE = "tre xanh gạo trắng năm từ"


@pytest.fixture(scope="module", autouse=True)
def _cheap_guesses() -> Iterator[None]:
    """What a guess costs is of no matter here."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sealed, "_SCRYPT_N", 2**10)
    yield
    patch.undo()


@pytest.fixture
def keeper(ctx: Context, tmp_path: Path) -> Context:
    (tmp_path / "backups").mkdir()
    (ctx.data_dir / "config.toml").write_text("")
    return replace(ctx, keeping=Keeping(tmp_path / "backups", ctx.data_dir / "config.toml", lambda: PHRASE))


def files(ctx: Context) -> list[str]:
    assert ctx.keeping
    return sorted(path.name for path in ctx.keeping.folder.iterdir())


def state(ctx: Context) -> Kept:
    with ctx.store.read() as tx:
        return keeping.kept(ctx, tx)


def test_one_is_made_when_it_is_due_and_the_log_says_so(keeper: Context, clock: FakeClock) -> None:
    keep_up(keeper)
    (first,) = files(keeper)
    assert first.endswith("-20261121T153000Z.backup")
    assert keeper.keeping
    assert backup.check(keeper.keeping.folder / first, PHRASE).sound
    clock.advance(hours=23, minutes=59)
    keep_up(keeper)
    assert files(keeper) == [first]
    clock.advance(minutes=1)
    keep_up(keeper)
    assert len(files(keeper)) == len(told(keeper, Act.BACKUP_MADE, KEPT)) == 2


def test_what_somebody_made_by_hand_does_not_stand_for_it(keeper: Context, tmp_path: Path) -> None:
    assert keeper.keeping
    backup.back_up(keeper, backup.Place(keeper.keeping.config, keeper.data_dir), tmp_path / "mine", PHRASE)
    assert state(keeper).at is None
    assert state(replace(keeper, keeping=None)).at == keeper.now()
    keep_up(keeper)
    assert len(files(keeper)) == 1


def test_those_beyond_the_number_go_and_nothing_of_others_does(keeper: Context, clock: FakeClock) -> None:
    assert keeper.keeping
    ctx = replace(keeper, keeping=replace(keeper.keeping, most=3))
    others = ("holiday.backup", "campaignbot-0123456789abcdef-20200101T000000Z.backup", "notes.txt")
    for name in others:
        (keeper.keeping.folder / name).write_text("mine")
    gone = 0
    for _ in range(6):
        gone += keep_up(ctx)
        clock.advance(hours=24)
    assert gone == 3
    own = [name for name in files(ctx) if name not in others]
    assert [name[-23:-15] for name in own] == ["20261124", "20261125", "20261126"]
    assert set(others) < set(files(ctx))


def test_none_remembers_longer_than_was_set_but_the_newest(keeper: Context, clock: FakeClock) -> None:
    for _ in range(3):
        keep_up(keeper)
        clock.advance(hours=24)
    assert keeper.keeping
    newest = files(keeper)[-1]
    clock.advance(days=60)
    broken = replace(keeper, keeping=replace(keeper.keeping, passphrase=lambda: "ngắn"))
    with pytest.raises(BadInput):
        keep_up(broken)
    assert len(files(keeper)) == 3
    keep_up(keeper)  # not yet again, so soon after it failed
    assert files(keeper) == [newest]


def test_a_failure_is_on_record_tried_again_in_an_hour_and_told_once_a_day(keeper: Context, clock: FakeClock) -> None:
    assert keeper.keeping
    ctx = replace(
        keeper,
        keeping=replace(keeper.keeping, folder=keeper.data_dir / "not mounted"),
        alerts={"team": Alert("en", frozenset({Topic.BACKUP}), lambda _message: "")},
    )
    pending(ctx, "team")
    for _ in range(5):
        with suppress(StoreFailed):
            keep_up(ctx)
        clock.advance(minutes=20)
    assert [entry.data for entry in told(ctx, Act.BACKUP_FAILED)] == [{"error": "StoreFailed"}] * 2
    assert state(ctx) == Kept(None, failed=True)
    batch = pending(ctx, "team")
    assert batch
    assert [each.topic for each in batch.notices] == [Topic.BACKUP]
    keep_up(keeper)
    clock.advance(minutes=60)
    keep_up(keeper)
    assert not state(keeper).is_ill


def test_a_daemon_that_is_gone_for_long_leaves_it_late(keeper: Context, clock: FakeClock) -> None:
    keep_up(keeper)
    clock.advance(hours=47)
    assert not state(keeper).is_ill
    assert scraped(keeper)["campaignbot_backup_age_seconds"] == timedelta(hours=47).total_seconds()
    clock.advance(hours=2)
    assert state(keeper).late


def test_a_program_that_ends_leaves_no_half_backup_and_no_complaint(keeper: Context) -> None:
    assert keeper.keeping
    keep_up(keeper, lambda: True)
    assert files(keeper) == []
    assert told(keeper, Act.BACKUP_FAILED) == told(keeper, Act.BACKUP_MADE) == []
    part = keeper.keeping.folder / f".{keeper.keystore.name.replace('/', '-')}-20261120T153000Z.backup.part"
    part.write_bytes(b"of a program that was killed")
    keep_up(keeper)
    assert not part.exists()


@contextmanager
def at_work(ctx: Context) -> Iterator[None]:
    worker = daemon.Daemon(ctx)
    thread = Thread(target=worker.run, args=(lambda: None,))
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(30)


def wait_for(number: int, ctx: Context) -> None:
    end = monotonic() + 20
    while len(told(ctx, Act.BACKUP_MADE, KEPT)) < number and monotonic() < end:
        sleep(0.02)
    assert len(files(ctx)) == number


@pytest.mark.slow
def test_the_running_daemon_makes_them_as_days_pass_and_none_by_a_clock_in_doubt(
    keeper: Context, crew: Crew, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "BACKUP_S", 0.05)
    with at_work(keeper):
        wait_for(1, keeper)
        clock.advance(hours=25)
        wait_for(2, keeper)
        name = told(keeper, Act.DAEMON_STARTED)[0].obj.removeprefix("daemon:")
        clocks.doubt(keeper, name)
        sleep(0.5)  # what was already looking has seen no doubt
        clock.advance(hours=25)
        sleep(0.3)
        assert len(files(keeper)) == 2
        clocks.confirm(keeper, crew.admin)
        wait_for(3, keeper)


def configured(folder: Path, more: str = "") -> Settings:
    file = folder / "config.toml"
    file.write_text('[backup]\nfolder = "backups"\npassphrase = { file = "backup.pass" }\n' + more)
    return load_settings(file)


def test_the_configuration_says_where_how_often_and_how_long(tmp_path: Path) -> None:
    settings = configured(tmp_path, "every_hours = 6\nkeep = 5\nkeep_days = 10\n")
    app.establish(settings)
    made = app.build(settings, bare=True)
    (tmp_path / "backup.pass").write_text(f"{PHRASE}\n")
    assert made.keeping
    assert made.keeping.passphrase() == PHRASE
    assert replace(made.keeping, passphrase=str) == Keeping(
        tmp_path / "backups", tmp_path / "config.toml", str, timedelta(hours=6), 5, timedelta(days=10)
    )
    made.store.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[backup]\nfolder = "b"\n', "[backup]: names a folder and no passphrase"),
        ('[backup]\nfolder = "b"\npassphrase = { env = "P" }\n', "[backup] passphrase: must name a file or a cred"),
        ('[backup]\nfolder = "b"\npassphrase = "tre xanh"\n', "[backup] passphrase"),
        ("[backup]\nkeep = 0\n", "[backup] keep: must be 1 or more"),
        ('[backup]\nfoldr = "b"\n', "Did you mean “folder”?"),
    ],
)
def test_what_is_wrong_there_is_said_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(Rejected) as found:
        load_settings(tmp_path / "config.toml")
    (line,) = str(found.value).splitlines()
    assert said in line
    assert "tre xanh" not in line


def test_panic_takes_what_opens_them_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = configured(tmp_path)
    app.establish(settings)
    phrase = tmp_path / "backup.pass"
    phrase.write_text(PHRASE)
    made = app.build(settings, bare=True)
    assert made.forget_secrets() == ""
    assert not phrase.exists()
    made.store.close()

    def refuse(self: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert app.build(settings, bare=True).forget_secrets().endswith(str(phrase))
