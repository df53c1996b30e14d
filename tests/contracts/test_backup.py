import io
import json
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.domain.audit import Act
from bot.domain.delivery import DeliveryState, Reason
from bot.domain.errors import BadInput, CampaignError, Conflict, Refused, StoreFailed, Tampered
from bot.library.images import image_path
from bot.services import audit, backup, deliver, posts, queue, restore, settle
from bot.services.backup import Backup, Place
from bot.services.context import Context
from bot.services.restore import Goal, Restored
from bot.store import audit as records
from bot.store import deliveries, sealed
from bot.store.backup import BackupWriter, tables_of
from bot.store.engine import Store
from bot.store.keystore import Keystore
from tests.farside import FarSide, X, drain, scheduled
from tests.house import Crew, FakeClock, bring_in, build_house, open_house
from tests.writing import a_png

PHRASE = "tre xanh gạo trắng năm từ"
CONFIG = '[bot]\nname = "Chiến dịch"\n'
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Whole:
    """A house with something of everything, and its backup; `ctx` stays open."""

    ctx: Context
    crew: Crew
    place: Place
    file: Path
    told: Backup
    rows: Rows


def place_of(folder: Path) -> Place:
    return Place(folder / "config.toml", folder)


def rows_of(store: Store) -> Rows:
    with store.read() as tx:
        return {
            table.name: [
                tuple(bytes(cell) if isinstance(cell, bytes | memoryview) else cell for cell in row)
                for row in tx.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in tables_of(tx)
        }


@pytest.fixture(scope="module", autouse=True)
def _one_guess() -> Iterator[None]:
    """The same few passphrases are stretched hundreds of times; once each is enough."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sealed, "stretch", cache(sealed.stretch))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    build_house(folder)
    ctx = open_house(folder)
    ctx = replace(ctx, channels={X: replace(ctx.channels[X], platform=FarSide())})
    crew = bring_in(ctx)
    (folder / "config.toml").write_text(CONFIG)
    (folder / "messages" / "vi").mkdir(parents=True)
    (folder / "messages" / "vi" / "arrest.j2").write_text("Chữ của chúng ta.")
    (folder / "messages" / "vi" / "long.j2").write_bytes(os.urandom(150_000))
    (folder / "elsewhere").symlink_to("/etc")
    picture = posts.add_picture(ctx, crew.coordinator, a_png(), alt_vi="Bảng", alt_en="A sign")
    (folder / "rehearsal").mkdir()
    (folder / "rehearsal" / "out.txt").write_text("made anew")
    assert image_path(folder, picture.digest, picture.mime).exists()
    for days in range(5):
        scheduled(ctx, crew, at=ctx.now() + timedelta(days=days, hours=12))
    queue.halt(ctx, crew.coordinator, "gia đình đề nghị chờ")
    audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    file, rows = folder.parent / "whole.backup", rows_of(ctx.store)
    told = backup.back_up(ctx, place_of(folder), file, PHRASE)
    yield Whole(ctx, crew, place_of(folder), file, told, rows)
    ctx.store.close()


@dataclass
class Elsewhere:
    """An empty place, and what was restored into it."""

    folder: Path
    url: str = ""
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.folder / 'campaign.sqlite'}"

    def restore(self, file: Path, phrase: str = PHRASE) -> Restored:
        def settle(config: str) -> Goal:
            return Goal(place_of(self.folder), self.url, config)

        return restore.restore(file, phrase, settle=settle, clock=self.clock)

    def ctx(self, like: Context) -> Context:
        keys = Keystore.open(self.folder / "keystore")
        return replace(like, store=Store(self.url), keystore=keys, clock=self.clock, data_dir=self.folder)

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path / "new" / "place")


@pytest.fixture
def on_either(empty_store: Store, tmp_path: Path) -> Elsewhere:
    url = "" if empty_store.is_sqlite else empty_store.url.render_as_string(hide_password=False)
    empty_store.close()
    return Elsewhere(tmp_path / "place", url)


CHANGED = {"audit_records", "audit_payloads", "holds", "deliveries", "meta"}


def test_a_restored_copy_has_every_row_and_file_on_either_database(whole: Whole, on_either: Elsewhere) -> None:
    on_either.restore(whole.file)
    ctx = on_either.ctx(whole.ctx)
    rows = rows_of(ctx.store)
    assert rows.keys() == whole.rows.keys()
    assert {name for name in rows.keys() - CHANGED if rows[name] != whole.rows[name]} == set()
    assert rows["meta"] == [row for row in whole.rows["meta"] if row[0] != "home"]
    log, before = rows["audit_records"], whole.rows["audit_records"]
    assert log[: len(before)] == before
    with ctx.store.read() as tx:
        assert audit.verify(tx, vkeys=ctx.keystore.vkeys, keystore=ctx.keystore).code == 0
        audit.require_anchor(tx, ctx.keystore)
        acts = [entry.act for entry in records.entries(tx, after=len(before) - 1)]
    assert acts == [Act.BACKUP_RESTORED, Act.HALT_STARTED]
    assert ctx.keystore.people() == whole.ctx.keystore.people()
    assert (on_either.folder / "config.toml").read_text() == CONFIG
    assert (on_either.folder / "messages" / "vi" / "arrest.j2").read_text() == "Chữ của chúng ta."
    pictures = list((whole.place.data_dir / "media").iterdir())
    assert [(on_either.folder / "media" / each.name).read_bytes() for each in pictures] == [
        each.read_bytes() for each in pictures
    ]
    assert not {"rehearsal", "elsewhere", ".restoring"} & set(on_either.names)
    ctx.store.close()


def test_what_is_added_after_a_restore_gets_a_number_of_its_own(whole: Whole, on_either: Elsewhere) -> None:
    on_either.restore(whole.file)
    ctx = on_either.ctx(whole.ctx)
    made = scheduled(ctx, whole.crew, at=ctx.now() + timedelta(days=9))
    assert made.id == max(row[0] for row in whole.rows["posts"]) + 1
    audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    ctx.store.close()


def test_a_copy_of_a_copy_goes_back_to_the_first_database(whole: Whole, on_either: Elsewhere, tmp_path: Path) -> None:
    on_either.restore(whole.file)
    ctx, second = on_either.ctx(whole.ctx), tmp_path / "second.backup"
    before = rows_of(ctx.store)
    backup.back_up(ctx, place_of(on_either.folder), second, PHRASE)
    ctx.store.close()
    home = Elsewhere(tmp_path / "home")
    assert home.restore(second).backup.entries == len(before["audit_records"])
    store = Store(home.url)
    assert all(rows == before[name] for name, rows in rows_of(store).items() if name not in CHANGED)
    store.close()


def test_nothing_of_the_past_is_sent_again_and_all_of_it_is_listed(whole: Whole, elsewhere: Elsewhere) -> None:
    elsewhere.clock.advance(days=2)
    done = elsewhere.restore(whole.file)
    # Two languages are two parts; two of the five days have come.
    assert len(done.held) == 4
    assert len(done.later) == 6
    assert done.in_flight == ()
    far = FarSide()
    ctx = elsewhere.ctx(whole.ctx)
    ctx = replace(ctx, channels={X: replace(ctx.channels[X], platform=far)})
    worker = deliver.start(ctx, "new machine")
    for _ in range(6):
        drain(ctx, worker)
        elsewhere.clock.advance(days=1)
    assert far.accepted == []
    with ctx.store.read() as tx:
        held = deliveries.listed(tx, states=[DeliveryState.HELD])
    assert {each.reason for each in held if each.id in {d.id for d in done.held}} == {Reason.RESTORED}
    stop = queue.halt_state(ctx)
    assert stop
    assert (stop.hold.reason, stop.by) == (Reason.RESTORED.value, "")
    ctx.store.close()


def test_one_person_alone_cannot_send_again_what_may_have_gone_out(whole: Whole, elsewhere: Elsewhere) -> None:
    elsewhere.clock.advance(days=0.5, minutes=5)
    held = elsewhere.restore(whole.file).held[0]
    ctx, crew = elsewhere.ctx(whole.ctx), whole.crew
    assert settle.settle_resend(ctx, crew.reviewer, held.id).state is DeliveryState.HELD
    with pytest.raises(Refused, match="Someone else must confirm"):
        settle.settle_resend(ctx, crew.reviewer, held.id)
    assert settle.settle_live(ctx, crew.reviewer, held.id, "https://example.org/1").state is DeliveryState.PUBLISHED
    ctx.store.close()


def test_a_backup_is_one_view_while_others_write(whole: Whole, tmp_path: Path) -> None:
    """The log grows and is signed between the first row and the last; the copy is of the moment it began."""
    ctx, file = whole.ctx, tmp_path / "b"
    grown: list[int] = []

    def grow(_done: int, _of: int) -> None:
        if len(grown) < 5:
            with ctx.store.write() as tx:
                grown.append(ctx.record(tx, None, Act.CLOCK_DOUBTED, "log:1"))
            audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)

    told = backup.back_up(ctx, whole.place, file, PHRASE, tell=grow)
    assert told.entries == grown[0]
    assert backup.check(file, PHRASE) == told
    restored = Elsewhere(tmp_path / "place")
    restored.restore(file)
    with closing(Store(restored.url)) as store, store.read() as tx:
        audit.require_anchor(tx, Keystore.open(restored.folder / "keystore"))


def test_a_backup_says_of_itself_what_it_holds_and_tells_nobody_else(whole: Whole) -> None:
    told = backup.check(whole.file, PHRASE)
    assert told == whole.told
    assert told.entries == len(whole.rows["audit_records"])
    assert told.sound
    assert told.rows == sum(map(len, whole.rows.values()))
    raw = whole.file.read_bytes()
    secret = [*whole.ctx.keystore.people(), "giang", "Chiến dịch", "Nguyễn Văn A", "campaignbot/"]
    assert not [word for word in secret if word.encode() in raw]
    assert stat.S_IMODE(whole.file.stat().st_mode) == 0o600
    with whole.ctx.store.read() as tx:
        assert records.find_last(tx, Act.BACKUP_MADE, "log:1")


def test_a_passphrase_is_the_same_however_its_marks_are_typed_and_never_short(whole: Whole, tmp_path: Path) -> None:
    assert backup.check(whole.file, unicodedata.normalize("NFD", PHRASE)) == whole.told
    with pytest.raises(BadInput, match="12 characters"):
        backup.back_up(whole.ctx, whole.place, tmp_path / "b", "ngắn")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_passphrase_is_told_from_a_damaged_file(whole: Whole, elsewhere: Elsewhere) -> None:
    with pytest.raises(Refused, match="not the passphrase"):
        elsewhere.restore(whole.file, "một cụm từ khác hẳn")
    assert elsewhere.names == []


def harmed(whole: Whole, folder: Path, raw: bytes) -> Path:
    file = folder / "harmed.backup"
    file.write_bytes(raw)
    return file


@pytest.mark.slow
@settings(max_examples=80)
@given(st.data())
def test_a_flipped_bit_a_cut_or_an_addition_anywhere_is_refused_and_nothing_is_left(
    whole: Whole, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = bytearray(whole.file.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "add"])):
        case "flip":
            raw[at] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del raw[at:]
        case _:
            raw += bytes(data.draw(st.binary(min_size=1, max_size=100)))
    folder = tmp_path_factory.getbasetemp() / "harmed"
    folder.mkdir(exist_ok=True)
    file, place = harmed(whole, folder, bytes(raw)), Elsewhere(folder / "place")
    with pytest.raises(CampaignError) as found:
        backup.check(file, PHRASE)
    assert "\n" not in str(found.value)
    with pytest.raises(CampaignError):
        place.restore(file)
    assert place.names == []


@pytest.mark.parametrize("size", [0, 1, 21, 52, 53, 60, 65_000, 65_589, 131_000])
def test_a_backup_that_was_cut_at_a_seam_is_refused(whole: Whole, tmp_path: Path, size: int) -> None:
    with pytest.raises(BadInput):
        backup.check(harmed(whole, tmp_path, whole.file.read_bytes()[:size]), PHRASE)


HEAD = {
    "v": 1, "made_at": "2026-11-21T15:30:00+00:00", "program": "0.1", "revision": "0001", "origin": "x", "entries": 0,
    "root": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "note": "", "sound": True,
    "config": CONFIG, "rows": 0, "files": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "../escaped", "data/../../escaped", "/escaped/x", "data//escaped", "data/keystore/../../../escaped",
        "escaped",
        "data/" + "a/" * 20 + "x", "data/.hidden", "data/a\\b", "data/a\nb", "data/a\0b", "messages", "config.toml/x",
        "data/" + "x" * 300, "", "data/", "/", ".", "..", "data/campaign.sqlite", "data/keystore", "config.toml",
    ],
)  # fmt: skip
def test_a_hostile_name_in_a_backup_leads_nowhere(elsewhere: Elsewhere, tmp_path: Path, name: str) -> None:
    file = tmp_path / "hostile.backup"
    with file.open("wb") as out:
        writer = BackupWriter(out, PHRASE, HEAD)
        writer.file(name, io.BytesIO(b"content"))
        writer.end()
    with pytest.raises(CampaignError) as found:
        elsewhere.restore(file)
    assert len(str(found.value).splitlines()) == 1
    assert elsewhere.names == []
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize(
    "harm",
    [
        {"v": 2}, {"revision": "9999"}, {"revision": "0000"}, {"revision": "head"}, {"made_at": "yesterday"},
        {"rows": "x"},
        {"entries": 5}, {"root": "00"}, {"note": "no note"}, {"sound": False}, {"config": 5}, {"origin": None},
    ],
)  # fmt: skip
def test_a_hostile_head_is_one_plain_line(elsewhere: Elsewhere, tmp_path: Path, harm: dict[str, object]) -> None:
    file = tmp_path / "hostile.backup"
    with file.open("wb") as out:
        BackupWriter(out, PHRASE, HEAD | harm).end()
    with pytest.raises(CampaignError) as found:
        elsewhere.restore(file)
    assert len(str(found.value).splitlines()) == 1
    assert elsewhere.names == []


@pytest.mark.parametrize(
    ("table", "columns", "row"),
    [
        ("audit_records", ["seq"], [0]),
        ("sqlite_master", ["name"], ["x"]),
        ("people; DROP TABLE people", ["id"], [1]),
        ("people", ["id", "nothing"], [1, 2]),
        ("people", ["id"], [1, 2]),
        ("people", ["id"], [[1]]),
        ("people", [7], [7]),
        ("meta", ["key", "value"], [{"b64": "%%"}, "x"]),
    ],
)
def test_a_hostile_table_is_one_plain_line(
    elsewhere: Elsewhere, tmp_path: Path, table: str, columns: list[str], row: list[object]
) -> None:
    file = tmp_path / "hostile.backup"
    with file.open("wb") as out:
        writer = BackupWriter(out, PHRASE, HEAD)
        list(writer.table(table, columns, [tuple(row)]))
        writer.end()
    with pytest.raises(CampaignError) as found:
        elsewhere.restore(file)
    assert len(str(found.value).splitlines()) == 1
    assert elsewhere.names == []


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "bomb.backup"
    with file.open("wb") as out:
        writer = sealed.SealedWriter(out, PHRASE)
        head = json.dumps(HEAD).encode()
        writer.write(b"H" + len(head).to_bytes(4, "big") + head + b"P" + b"\xff" * 4)
        writer.close()
    with pytest.raises(BadInput, match="did not write"):
        backup.check(file, PHRASE)


def test_an_altered_log_is_backed_up_as_evidence_and_not_restored(
    whole: Whole, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    copy = Elsewhere(tmp_path / "copy")
    copy.restore(whole.file)
    ctx = copy.ctx(whole.ctx)
    with ctx.store.write() as tx:
        tx.exec_driver_sql("DROP TRIGGER audit_records_update")
        tx.exec_driver_sql("UPDATE audit_records SET record = replace(record, 'p-', 'q-') WHERE seq = 2")
    file = tmp_path / "evidence.backup"
    assert not backup.back_up(ctx, place_of(copy.folder), file, PHRASE).sound
    with pytest.raises(Tampered, match="entry 2"):
        backup.check(file, PHRASE)
    with pytest.raises(Tampered, match="not restored"):
        elsewhere.restore(file)
    ctx.store.close()


def test_it_restores_into_an_empty_place_only(whole: Whole, on_either: Elsewhere) -> None:
    on_either.restore(whole.file)
    before = on_either.names
    with pytest.raises(Conflict):
        on_either.restore(whole.file)
    assert on_either.names == before


def test_what_people_edit_and_put_there_first_is_kept(whole: Whole, elsewhere: Elsewhere) -> None:
    elsewhere.folder.mkdir(parents=True)
    (elsewhere.folder / "config.toml").write_text("# mine\n")
    assert elsewhere.restore(whole.file).kept == (elsewhere.folder / "config.toml",)
    assert (elsewhere.folder / "config.toml").read_text() == "# mine\n"


def test_a_file_is_never_written_over(whole: Whole, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")
    with pytest.raises(Conflict):
        backup.back_up(whole.ctx, whole.place, file, PHRASE)
    with pytest.raises(StoreFailed):
        backup.back_up(whole.ctx, whole.place, tmp_path / "no" / "folder", PHRASE)
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.slow
@pytest.mark.parametrize("at", range(0, 90, 11))
def test_a_restore_that_is_interrupted_leaves_nothing_and_can_be_done_again(
    whole: Whole, on_either: Elsewhere, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Ctrl-C at any step, and at any of the moves at the end."""
    steps, real = iter(range(1_000)), Path.rename

    def count(*_: object) -> None:
        if next(steps) == at:
            raise KeyboardInterrupt

    def rename(self: Path, to: Path) -> Path:
        count()
        return real(self, to)

    monkeypatch.setattr(backup.Steps, "__call__", count)
    monkeypatch.setattr(Path, "rename", rename)
    try:
        on_either.restore(whole.file)
    except KeyboardInterrupt:
        assert on_either.names == []
    monkeypatch.undo()
    if not on_either.names:
        assert on_either.restore(whole.file).backup == whole.told
