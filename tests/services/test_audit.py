import json
import re
import shutil
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from bot import verify_audit
from bot.domain.audit import Act, build_record, first_prev
from bot.domain.checkpoint import Checkpoint, Note, VerifyKey, parse_note
from bot.domain.errors import Conflict, Tampered
from bot.services import audit
from bot.services.verify import is_signed
from bot.store import audit as records
from bot.store import schema
from bot.store.engine import Store
from bot.store.keystore import Keystore
from bot.store.tables import audit_records

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACTOR = "p-0011223344556677"
SIZE = 8  # signed for at 3 and at 6; 6 and 7 are not signed for yet
UNGUARDED = [
    f"DROP TRIGGER {table}_{what}"
    for table in ("audit_records", "checkpoints")
    for what in ("insert", "update", "delete")
] + ["DROP TRIGGER audit_payloads_update"]


def append(store: Store, keystore: Keystore, count: int = 1, subject: str = "") -> None:
    payload = records.Payload(subject, {"reason": "Gia đình Nguyễn Văn A đề nghị chờ"}) if subject else None
    with store.write() as tx:
        for number in range(count):
            told = {"b": True, "n": number}
            new = records.NewEntry(NOON, ACTOR, Act.CASE_HELD, f"case:{number}", told, payload)
            records.append(tx, new, keystore=keystore)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys, a database of eight entries, its export, and two notes kept elsewhere."""
    folder = tmp_path_factory.mktemp("audit")
    keystore = Keystore.create(folder / "keys")
    with opened(folder) as store:
        schema.upgrade(store)
        with store.write() as tx:
            records.open_log(tx, keystore=keystore, ts=NOON, actor=ACTOR)
        for count, subject in ((2, "case:1"), (3, "")):
            append(store, keystore, count, subject)
            audit.checkpoint(store, keystore, now=NOON, force=True)
        append(store, keystore, 2, "case:2")
        with store.read() as tx:
            audit.export(tx, folder / "export", keystore=keystore, with_payloads=True)
            (folder / "plain").write_text(keystore.anchor, encoding="utf-8")
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{folder / 'campaign.sqlite'}")
    yield store
    store.close()


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def store(copy: Path) -> Iterator[Store]:
    with opened(copy) as store:
        yield store


@pytest.fixture
def keystore(copy: Path) -> Keystore:
    return Keystore.open(copy / "keys")


@pytest.fixture(scope="module", autouse=True)
def _quick_signatures() -> Iterator[None]:
    """The same few signatures are checked thousands of times; once each is enough."""
    patch = pytest.MonkeyPatch()
    patch.setattr(verify_audit, "is_signature", cache(verify_audit.is_signature))
    yield
    patch.undo()


Finding = tuple[int, int, int, int | None]


def by_program(tx: Connection, *, every: bool = False, **more: Any) -> Finding:  # noqa: ANN401
    code, _, *found = astuple(audit.verify(tx, every=every, **more))
    return (code, *found)


def by_stranger(tx: Connection, *, every: bool = False) -> Finding:
    """What the stand-alone verifier finds, in the same open transaction."""
    database: Any = tx.connection.dbapi_connection
    factory = database.text_factory
    try:
        return finding(verify_audit.judge(verify_audit.open_database(database), [], [], every=every))
    except (sqlite3.Error, database.Error):
        return (2, 0, 0, None)
    finally:
        database.text_factory = factory


def finding(verdict: verify_audit.Verdict) -> Finding:
    return (verdict.code, verdict.size, verdict.proven, verdict.first_bad)


def both(tx: Connection, *, every: bool = False) -> Finding:
    mine, theirs = by_program(tx, every=every), by_stranger(tx, every=every)
    assert mine == theirs
    return mine


def of_export(folder: Path, *, every: bool = True, anchors: tuple[Path, ...] = ()) -> Finding:
    return finding(verify_audit.verify(folder, pinned=[], anchors=list(anchors), every=every))


GOOD = (0, SIZE, 6, None)


def test_an_untouched_log_is_good_everywhere(store: Store, keystore: Keystore, copy: Path) -> None:
    with store.read() as tx:
        assert both(tx, every=True) == GOOD
        assert by_program(tx, vkeys=keystore.vkeys, anchors=[keystore.anchor], keystore=keystore) == GOOD
    assert of_export(copy / "export") == GOOD
    assert of_export(copy / "campaign.sqlite", anchors=(copy / "plain",)) == GOOD


def flipped(value: Any, at: int, by: int) -> Any:  # noqa: ANN401
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[at] ^= by
    return bytes(raw)


def stored(value: Any) -> str:  # noqa: ANN401
    return ":value" if isinstance(value, bytes) else "CAST(:value AS TEXT)"


@pytest.mark.slow
def test_every_flipped_byte_of_every_row_is_found_at_its_row(store: Store) -> None:
    columns = ("record", "leaf", "prev", "act", "obj")
    with store.write() as tx:
        loosen(tx)
        rows = tx.execute(text("SELECT * FROM audit_records ORDER BY seq")).mappings().all()
        for row in rows:
            for column in columns:
                change = text(
                    f"UPDATE audit_records SET {column} = {stored(row[column])} WHERE seq = :seq"  # noqa: S608
                )
                for at in range(len(row[column])):
                    tx.execute(change, {"value": flipped(row[column], at, 1), "seq": row["seq"]})
                    assert both(tx)[::3] == (1, row["seq"]), (row["seq"], column, at)
                value = row[column] if isinstance(row[column], bytes) else row[column].encode()
                tx.execute(change, {"value": value, "seq": row["seq"]})
        assert both(tx) == GOOD


@pytest.mark.slow
def test_every_flipped_byte_of_a_checkpoint_is_noticed(store: Store) -> None:
    with store.write() as tx:
        loosen(tx)
        row = tx.execute(text("SELECT * FROM checkpoints ORDER BY size LIMIT 1")).mappings().one()
        for column in ("root", "frontier", "note", "key_id"):
            change = text(f"UPDATE checkpoints SET {column} = CAST(:value AS TEXT) WHERE size = 3")  # noqa: S608
            for at in range(len(row[column].encode())):
                for by in (1, 128):
                    tx.execute(change, {"value": flipped(row[column], at, by)})
                    assert both(tx, every=True)[0] != 0, (column, at)
            tx.execute(change, {"value": row[column].encode()})
        assert both(tx, every=True) == GOOD


def loosen(tx: Connection) -> None:
    for statement in UNGUARDED:
        tx.exec_driver_sql(statement)


@pytest.mark.slow
def test_every_flipped_byte_of_an_export_is_found_at_its_line(copy: Path) -> None:
    path = copy / "export" / "records.jsonl"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(flipped(whole, at, 1))
        assert of_export(copy / "export", every=False)[::3] == (1, whole[:at].count(b"\n")), at
    path.write_bytes(whole)
    assert of_export(copy / "export") == GOOD


@pytest.mark.slow
def test_every_flipped_byte_beside_the_records_is_noticed(copy: Path) -> None:
    folder = copy / "export"
    for path in (
        *folder.glob("checkpoints/*"),
        *(folder / name for name in ("manifest.json", "vkeys", "payloads.jsonl")),
    ):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(flipped(whole, at, 1))
            assert of_export(folder)[0] == 1, (path.name, at)
        path.write_bytes(whole)
    assert of_export(folder) == GOOD


lines = st.integers(0, SIZE - 1)
edits = st.one_of(
    st.tuples(st.just("remove"), lines, st.none()),
    st.tuples(st.just("swap"), lines, lines),
    st.tuples(st.just("repeat"), lines, lines),
    st.tuples(st.just("cut"), lines, st.integers(0, 300)),
    st.tuples(st.just("insert"), lines, st.binary(max_size=40)),
    st.tuples(
        st.just("insert"),
        lines,
        st.sampled_from(
            [b"[" * 16_000, b"9" * 16_000, b'{"a":' * 3_000, b"\xff\xfe", b"null", b"{}", b"\n", b"x" * 40_000]
        ),
    ),
    st.tuples(st.just("splice"), lines, st.binary(min_size=1, max_size=4)),
)


def edit(rows: list[bytes], what: str, at: int, extra: Any) -> tuple[list[bytes], int]:  # noqa: ANN401
    """The rows after the edit, and the first line that is not what it was."""
    rows = rows.copy()
    if what == "remove":
        rows.pop(at)
    elif what == "swap":
        rows[at], rows[extra] = rows[extra], rows[at]
        at = min(at, extra)
    elif what == "repeat":
        rows.insert(at, rows[extra])
    elif what == "cut":
        rows = [*rows[:at], rows[at][:extra]]
    elif what == "insert":
        rows.insert(at, extra + b"\n")
    else:
        half = len(rows[at]) // 2
        rows[at] = rows[at][:half] + extra + rows[at][half:]
    return rows, at


@given(edits)
def test_whatever_is_done_to_the_lines_is_found_where_it_was_done(
    original: Path, tmp_path_factory: pytest.TempPathFactory, edited: tuple[str, int, Any]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "edited"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original / "export", folder)
    whole = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    rows, _ = edit(whole, *edited)
    (folder / "records.jsonl").write_bytes(b"".join(rows))
    first = next((n for n, (a, b) in enumerate(zip(rows, whole, strict=False)) if a != b), min(len(rows), SIZE))
    assert of_export(folder) == GOOD if rows == whole else of_export(folder)[::3] == (1, first)


@pytest.mark.slow
@given(
    st.sampled_from(["records.jsonl", "manifest.json", "vkeys", "payloads.jsonl", "checkpoints/00000000.txt"]),
    st.binary(),
)
def test_no_rubbish_upsets_the_reader_of_an_export(
    original: Path, tmp_path_factory: pytest.TempPathFactory, name: str, rubbish: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "rubbish"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original / "export", folder)
    (folder / name).write_bytes(rubbish)
    code = of_export(folder)[0]
    assert code == 1 or (name == "payloads.jsonl" and rubbish == b"")


cells = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.just(b"\xff" * 70),
)
places = st.sampled_from(
    [("audit_records", c) for c in ("seq", "record", "leaf", "prev", "act", "obj")]
    + [("checkpoints", c) for c in ("size", "root", "frontier", "note", "key_id")]
)


@pytest.mark.slow
@given(places, st.integers(0, SIZE), cells, st.booleans())
def test_the_two_verifiers_agree_on_whatever_is_in_the_cells(
    original: Path,
    place: tuple[str, str],
    row: int,
    cell: object,
    as_text: bool,  # noqa: FBT001
) -> None:
    table, column = place
    with opened(original) as store, store.writer.connect() as tx:  # never committed
        loosen(tx)
        tx.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        value = "CAST(? AS TEXT)" if as_text else "?"
        key = "seq" if table == "audit_records" else "size"
        nth = f"(SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row % (SIZE if key == 'seq' else 2)})"  # noqa: S608
        try:
            tx.exec_driver_sql(f"UPDATE {table} SET {column} = {value} WHERE {key} = {nth}", (cell,))  # noqa: S608
        except Exception:  # noqa: BLE001 - what the table itself does not take is no case
            return
        found = both(tx, every=True)
        assert found[0] != 0 or found == GOOD


def rewrite(tx: Connection, start: int, stop: int, *, log: str) -> None:
    """Changes entry `start` and makes the chain fit again up to `stop`, as somebody with the file could."""
    loosen(tx)
    entries = records.entries(tx)
    prev = entries[start - 1].leaf if start else first_prev(log)
    for entry in entries[start:stop]:
        data = {**entry.data, "n": 99} if entry.seq == start else entry.data
        made = build_record(
            log=log, seq=entry.seq, ts=entry.ts, actor=entry.actor, act=Act(entry.act), obj=entry.obj,
            prev=prev, data=data, pc=entry.pc,
        )  # fmt: skip
        change = "UPDATE audit_records SET record = :record, leaf = :leaf, prev = :prev WHERE seq = :seq"
        tx.execute(text(change), {"record": made.raw, "leaf": made.leaf, "prev": made.prev, "seq": made.seq})
        prev = made.leaf


@pytest.mark.parametrize(
    ("start", "stop", "first_bad"),
    # Where no checkpoint lies between, only the end of the stretch is known: (4, 6) is found at 5.
    [(1, SIZE, 0), (4, SIZE, 3), (5, SIZE, 3), (2, 3, 2), (4, 5, 4), (4, 6, 5), (6, 7, 6), (3, 7, 3), (0, 1, 0)],
)
def test_a_rewritten_stretch_is_found_from_the_last_checkpoint_that_holds(
    store: Store, keystore: Keystore, start: int, stop: int, first_bad: int
) -> None:
    with store.write() as tx:
        rewrite(tx, start, stop, log=keystore.name)
        assert both(tx)[::3] == (1, first_bad)


def test_what_was_rewritten_after_the_last_checkpoint_takes_an_anchor_to_find(store: Store, keystore: Keystore) -> None:
    audit.checkpoint(store, keystore, now=NOON, force=True)
    with store.write() as tx:
        rewrite(tx, 7, SIZE, log=keystore.name)
        tx.execute(text("DELETE FROM checkpoints WHERE size > 6"))
        assert both(tx) == GOOD
        assert by_program(tx, anchors=[keystore.anchor])[::3] == (1, 6)
        assert by_program(tx, keystore=keystore)[::3] == (1, 6)


@pytest.mark.parametrize("left", range(SIZE))
def test_a_cut_tail_is_found_down_to_what_was_signed(store: Store, left: int) -> None:
    with store.write() as tx:
        loosen(tx)
        tx.execute(text("DELETE FROM audit_payloads"))
        tx.execute(text("DELETE FROM audit_records WHERE seq >= :left"), {"left": left})
        assert both(tx)[::3] == ((1, left) if left < 6 else (0, None))


def test_a_cut_tail_of_an_export_is_always_found(copy: Path) -> None:
    path = copy / "export" / "records.jsonl"
    whole = path.read_bytes().splitlines(keepends=True)
    for left in range(1, SIZE):
        path.write_bytes(b"".join(whole[:left]))
        assert of_export(copy / "export")[::3] == (1, left)


def test_a_log_forged_from_the_start_does_not_bear_the_key_we_know(store: Store, copy: Path) -> None:
    forger = Keystore.create(copy / "forger", name=Keystore.open(copy / "keys").name)
    with opened(copy / "forger") as forged:
        schema.upgrade(forged)
        with forged.write() as tx:
            records.open_log(tx, keystore=forger, ts=NOON, actor=ACTOR)
        audit.checkpoint(forged, forger, now=NOON)
        ours = Keystore.open(copy / "keys")
        with forged.read() as tx:
            assert by_program(tx) == (0, 1, 1, None)
            assert by_program(tx, vkeys=ours.vkeys) == (2, 1, 0, None)
            assert by_program(tx, vkeys=ours.vkeys, anchors=[ours.anchor])[::3] == (1, 1)
    path = copy / "forger" / "campaign.sqlite"
    assert verify_audit.main([str(path)]) == 0
    assert verify_audit.main([str(path), "--vkey", str(ours.vkey)]) == 2
    assert verify_audit.main([str(path), "--vkey", str(ours.vkey), "--anchor", str(copy / "plain")]) == 1


def test_a_log_nobody_signed_is_not_provable(store: Store) -> None:
    with store.write() as tx:
        loosen(tx)
        tx.execute(text("DELETE FROM checkpoints"))
        assert both(tx) == (2, SIZE, 0, None)
        tx.execute(text("DELETE FROM audit_payloads"))
        tx.execute(text("DELETE FROM audit_records"))
        assert both(tx) == (2, 0, 0, None)


def test_a_signature_of_somebody_else_is_noticed(store: Store, keystore: Keystore) -> None:
    with store.write() as tx:
        loosen(tx)
        note = tx.execute(text("SELECT note FROM checkpoints WHERE size = 6")).scalar_one()
        head, blob = note.rstrip("\n").rsplit(" ", 1)
        other = head + " " + blob[:-8] + ("AAAA" if blob[-8:-4] != "AAAA" else "BBBB") + blob[-4:] + "\n"
        tx.execute(text("UPDATE checkpoints SET note = :note WHERE size = 6"), {"note": other})
        assert both(tx) == (1, SIZE, 3, None)


def test_an_erased_person_leaves_a_log_that_still_verifies(store: Store, keystore: Keystore) -> None:
    with store.write() as tx:
        assert records.erase_payloads(tx, "case:1") == 2
    keystore.forget("case:1")
    with store.read() as tx:
        assert by_program(tx, keystore=keystore) == both(tx) == GOOD


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_payloads SET sealed = (SELECT sealed FROM audit_payloads WHERE seq = 2) WHERE seq = 1",
        "UPDATE audit_payloads SET salt = zeroblob(32) WHERE seq = 1",
        "UPDATE audit_payloads SET sealed = x'00' WHERE seq = 1",
        "UPDATE audit_payloads SET sealed = NULL, salt = 5 WHERE seq = 1",
    ],
)
def test_a_changed_payload_is_found_at_its_entry(store: Store, keystore: Keystore, change: str) -> None:
    with store.write() as tx:
        loosen(tx)
        if "zeroblob" not in change and "SELECT" in change:
            copied = change.replace("sealed = (SELECT sealed", "salt = (SELECT salt")
            tx.exec_driver_sql(copied)
        tx.exec_driver_sql(change.replace("NULL", "'text'"))
        found = by_program(tx, keystore=keystore)
        # The very payload of another entry, with its salt, is what that entry committed to, not this one.
        assert found[::3] == (1, 1)


@pytest.mark.slow
@settings(max_examples=60)  # `make attack` looks at a thousand
@given(st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), max_size=6))
def test_honest_logs_never_alarm(
    tmp_path_factory: pytest.TempPathFactory, original: Path, steps: list[tuple[int, bool, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("honest")
    shutil.copytree(original, folder / "copy")
    keystore = Keystore.open(folder / "copy" / "keys")
    with opened(folder / "copy") as store:
        size, proven = SIZE, 6
        for count, with_payload, signs in steps:
            append(store, keystore, count, "case:3" if with_payload else "")
            size += count
            if signs:
                made = audit.checkpoint(store, keystore, now=NOON, force=True)
                assert made
                proven = made.size
        with store.read() as tx:
            expected = (0, size, proven, None)
            assert both(tx, every=True) == expected
            assert by_program(tx, vkeys=keystore.vkeys, anchors=[keystore.anchor], keystore=keystore) == expected
            audit.export(tx, folder / "out", keystore=keystore, with_payloads=True, anchors=[keystore.anchor])
    assert of_export(folder / "out") == expected
    shutil.rmtree(folder)


def test_a_checkpoint_is_made_after_fifty_entries_or_an_hour_or_when_asked(store: Store, keystore: Keystore) -> None:
    def sign(after: timedelta, *, force: bool = False) -> int:
        made = audit.checkpoint(store, keystore, now=NOON + after, force=force)
        assert made
        return made.size

    assert sign(timedelta(minutes=59)) == 6
    assert sign(timedelta(minutes=60)) == 8
    append(store, keystore, 49)
    assert sign(timedelta(minutes=61)) == 8
    append(store, keystore)
    assert sign(timedelta(minutes=61)) == 58
    append(store, keystore)
    assert sign(timedelta(minutes=61), force=True) == 59
    assert sign(timedelta(days=9), force=True) == 59
    assert parse_note(keystore.anchor).size == 59


def test_a_checkpoint_without_a_log_is_none(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        schema.upgrade(store)
        assert audit.checkpoint(store, Keystore.create(tmp_path / "keys"), now=NOON, force=True) is None


def test_nothing_is_signed_that_was_altered_since(store: Store, keystore: Keystore) -> None:
    with store.write() as tx:
        rewrite(tx, 6, 7, log=keystore.name)
    with pytest.raises(Tampered):
        audit.checkpoint(store, keystore, now=NOON, force=True)


def test_nothing_is_signed_on_another_branch_than_what_was_signed(store: Store, keystore: Keystore) -> None:
    """A backup is put back and the log goes on from there: what the keystore remembers contradicts it."""
    append(store, keystore)
    audit.checkpoint(store, keystore, now=NOON, force=True)
    with store.write() as tx:
        loosen(tx)
        tx.execute(text("DELETE FROM checkpoints WHERE size > 6"))
        tx.execute(text("DELETE FROM audit_records WHERE seq > 7"))
        with pytest.raises(Tampered, match="signed here are gone"):
            audit.require_anchor(tx, keystore)
    with pytest.raises(Tampered, match="fewer than were signed"):
        audit.checkpoint(store, keystore, now=NOON, force=True)
    append(store, keystore, 5, "case:9")
    with store.read() as tx, pytest.raises(Tampered, match="signed here are gone"):
        audit.require_anchor(tx, keystore)
    with pytest.raises(Tampered, match="not what was signed"):
        audit.checkpoint(store, keystore, now=NOON, force=True)


@pytest.mark.parametrize("change", ["root = 'x'", "note = 'x'", "frontier = '[]'", "key_id = '00000000'", "size = 7"])
def test_nothing_is_signed_on_an_altered_checkpoint(store: Store, keystore: Keystore, change: str) -> None:
    with store.write() as tx:
        loosen(tx)
        tx.exec_driver_sql(f"UPDATE checkpoints SET {change} WHERE size = 6")  # noqa: S608
    with pytest.raises(Tampered):
        audit.checkpoint(store, keystore, now=NOON, force=True)


def test_an_anchor_that_is_no_note_stops_the_signing(store: Store, keystore: Keystore) -> None:
    keystore.remember("x")
    with pytest.raises(Tampered, match="kept with the keys"):
        audit.checkpoint(store, keystore, now=NOON, force=True)


def test_a_checkpoint_of_another_key_is_not_built_upon(store: Store, keystore: Keystore, tmp_path: Path) -> None:
    other = Keystore.create(tmp_path / "other", name=keystore.name)
    with pytest.raises(Tampered, match="not signed by this installation"):
        audit.checkpoint(store, other, now=NOON, force=True)


def test_after_a_rotation_both_keys_verify(store: Store, keystore: Keystore, copy: Path) -> None:
    def announce(key: VerifyKey) -> None:
        with store.write() as tx:
            added = records.NewEntry(NOON, ACTOR, Act.KEY_ADDED, "log:1", {"vkey": str(key)})
            records.append(tx, added, keystore=keystore)

    new = keystore.rotate(announce)
    made = audit.checkpoint(store, keystore, now=NOON, force=True)
    assert isinstance(made, Checkpoint)
    assert made.key_id == new.id
    with store.read() as tx:
        assert both(tx, every=True) == by_program(tx, vkeys=keystore.vkeys) == (0, 9, 9, None)
        assert by_program(tx, vkeys=keystore.vkeys[:1]) == (0, 9, 6, None)


def test_an_export_holds_the_very_bytes_and_its_own_verifier(store: Store, copy: Path) -> None:
    folder = copy / "export"
    with store.read() as tx:
        rows = [row[1] for row in records.raw_rows(tx, audit_records)]
    assert (folder / "records.jsonl").read_bytes() == b"".join(row + b"\n" for row in rows)
    assert json.loads((folder / "manifest.json").read_bytes())["size"] == SIZE
    assert (folder / "verify_audit.py").read_bytes() == Path(verify_audit.__file__).read_bytes()
    payload = json.loads((folder / "payloads.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert payload["payload"] == {"reason": "Gia đình Nguyễn Văn A đề nghị chờ"}


def test_an_export_without_payloads_names_nobody(store: Store, keystore: Keystore, tmp_path: Path) -> None:
    with store.read() as tx:
        assert audit.export(tx, tmp_path / "out", keystore=keystore) == SIZE
    assert not any("Nguyễn".encode() in path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert of_export(tmp_path / "out") == GOOD


def test_an_export_never_mixes_with_what_is_there(store: Store, keystore: Keystore, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with store.read() as tx, pytest.raises(Conflict):
        audit.export(tx, tmp_path, keystore=keystore)


def test_the_exported_verifier_runs_alone(copy: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", "-W", "error", str(copy / "export" / "verify_audit.py"), *arguments]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    code, said = run(str(copy / "export"), "--all-signatures", "--json")
    told = json.loads(said)
    assert told.pop("reason") == "8 entries, 6 of them signed for."
    assert (code, told) == (0, {"verdict": "good", "code": 0, "size": 8, "proven": 6, "first_bad": None})
    assert run(str(copy / "campaign.sqlite"))[0] == 0
    path = copy / "export" / "records.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7', 1))
    code, said = run(str(copy / "export"))
    assert code == 1
    assert "first bad entry: 2\n" in said
    for wrong in ([], ["nowhere"], [str(copy / "plain")], [str(copy / "keys")], ["--vkey", "x", str(copy / "export")]):
        assert run(*wrong)[0] == 3


def test_a_database_torn_in_the_middle_is_not_provable(copy: Path) -> None:
    whole = (copy / "campaign.sqlite").read_bytes()
    (copy / "campaign.sqlite").write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    assert of_export(copy / "campaign.sqlite")[0] == 2


def test_a_database_without_a_log_is_not_provable(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as database:
        database.execute("CREATE TABLE t (x)")
    assert of_export(tmp_path / "other.sqlite")[0] == 2


NOTE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE_TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_verifiers_own_ed25519_agrees_with_the_published_note() -> None:
    """The example of the documentation of golang.org/x/mod/sumdb/note."""
    key, signature = verify_audit.read_key(NOTE_KEY), b64decode(NOTE_SIGNATURE)
    assert signature[:4].hex() == key.id
    assert verify_audit.is_signature(key.public, NOTE_TEXT, signature[4:])
    assert not verify_audit.is_signature(key.public, NOTE_TEXT + b"!", signature[4:])


# RFC 8032, section 7.1, tests 1 to 3.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_ed25519_agrees_with_rfc_8032(public: str, message: str, signature: str) -> None:
    key, said, made = (bytes.fromhex(each) for each in (public, message, signature))
    assert verify_audit.is_signature(key, said, made)
    order = 2**252 + 27742317777372353535851937790883648493
    malleable = made[:32] + (int.from_bytes(made[32:], "little") + order).to_bytes(32, "little")
    assert not verify_audit.is_signature(key, said, malleable)
    assert not verify_audit.is_signature(key, said + b"\0", made)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=8), st.binary(min_size=64, max_size=64))
def test_no_bytes_upset_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    key = VerifyKey("name", public)
    theirs = Note("", 1, b"", message, (("name", key.id, signature),))
    assert verify_audit.is_signature(public, message, signature) == is_signed(theirs, key)


@given(st.binary(max_size=64), st.integers(0, 64 * 8 - 1))
def test_the_two_readers_of_signatures_agree(original: Path, message: bytes, bit: int) -> None:
    keystore = Keystore.open(original / "keys")
    signature = bytearray(keystore.sign(message))
    assert verify_audit.is_signature(keystore.vkey.public, message, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    assert not verify_audit.is_signature(keystore.vkey.public, message, bytes(signature))


def test_the_two_readers_share_one_form() -> None:
    """Each has its own copy of the patterns; here they are held together."""
    from bot.domain import audit as domain  # noqa: PLC0415 - the module, for what it keeps to itself
    from bot.domain import checkpoint  # noqa: PLC0415

    def plain(pattern: re.Pattern[str]) -> str:
        return re.sub(r"\?P<\w+>", "", pattern.pattern).replace("(", "").replace(")", "").replace("Z", "")

    assert plain(domain._RECORD) == plain(verify_audit.RECORD)  # noqa: SLF001
    assert plain(checkpoint._NOTE) == plain(verify_audit.NOTE)  # noqa: SLF001
    assert (domain.MAX_RECORD, checkpoint.MAX_NOTE) == (verify_audit.MAX_RECORD, verify_audit.MAX_NOTE)
