import re
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from bot.domain.audit import Act, Entry, Malformed, first_prev, payload_commitment
from bot.domain.errors import Conflict, Misconfigured, Tampered
from bot.services.audit import checkpoint, verify
from bot.store import audit
from bot.store.engine import Store
from bot.store.guards import assert_guarded
from bot.store.keystore import Keystore

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACTOR = "p-0011223344556677"


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore.create(tmp_path / "keys")


@pytest.fixture
def log(store: Store, keystore: Keystore) -> Store:
    """A store whose audit log is open."""
    with store.write() as tx:
        audit.open_log(tx, keystore=keystore, ts=NOON, actor=ACTOR)
    return store


@pytest.fixture
def owned_log(owned_store: Store, keystore: Keystore) -> Store:
    """The same for the owner of the tables, whom nothing but the triggers stops."""
    with owned_store.write() as tx:
        audit.open_log(tx, keystore=keystore, ts=NOON, actor=ACTOR)
    return owned_store


def append(tx: Connection, keystore: Keystore, **changed: Any) -> Entry:  # noqa: ANN401
    fields: dict[str, Any] = {"ts": NOON, "actor": ACTOR, "act": Act.POST_APPROVED, "obj": "post:12"} | changed
    return audit.append(tx, audit.NewEntry(**fields), keystore=keystore)


def fill(log: Store, keystore: Keystore, count: int) -> None:
    with log.write() as tx:
        new = [audit.NewEntry(NOON, ACTOR, Act.POST_EDITED, f"post:{n}", {"n": n}) for n in range(count)]
        audit.append_many(tx, new, keystore=keystore)


def test_the_log_opens_with_its_key_and_only_once(store: Store, keystore: Keystore) -> None:
    with store.read() as tx, pytest.raises(Misconfigured):
        audit.origin(tx)
    with store.write() as tx:
        opened = audit.open_log(tx, keystore=keystore, ts=NOON, actor=ACTOR)
    assert (opened.seq, opened.prev, opened.data["vkey"]) == (0, first_prev(keystore.name), str(keystore.vkey))
    with pytest.raises(Conflict), store.write() as tx:
        audit.open_log(tx, keystore=keystore, ts=NOON, actor=ACTOR)


def test_each_entry_names_the_one_before(log: Store, keystore: Keystore) -> None:
    fill(log, keystore, 3)
    with log.write() as tx:
        last = append(tx, keystore)
        entries = audit.entries(tx)
        assert [entry.seq for entry in entries] == [0, 1, 2, 3, 4]
        assert [entry.prev for entry in entries[1:]] == [entry.leaf for entry in entries[:-1]]
        assert entries[-1] == last == audit.entry(tx, 4)
        assert audit.size(tx) == 5


def test_what_is_rolled_back_leaves_no_entry(log: Store, keystore: Keystore) -> None:
    def change() -> None:
        with log.write() as tx:
            append(tx, keystore)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    with log.read() as tx:
        assert audit.size(tx) == 1


def test_an_entry_that_cannot_be_written_stops_the_change(log: Store, keystore: Keystore) -> None:
    with pytest.raises(Malformed), log.write() as tx:
        append(tx, keystore, data={"ratio": 0.5})
    with log.read() as tx:
        assert audit.size(tx) == 1


def test_entries_are_found_by_act_object_actor_and_place(log: Store, keystore: Keystore) -> None:
    fill(log, keystore, 4)
    with log.write() as tx:
        append(tx, keystore, obj="post:2", data={"digest": "new"})
        append(tx, keystore, obj="post:2", actor="p-other", act=Act.POST_EDITED, data={"actor": ACTOR})

        def found(**by: Any) -> list[int]:  # noqa: ANN401
            return [entry.seq for entry in audit.entries(tx, **by)]

        assert found(obj="post:2") == [3, 5, 6]
        assert found(act="post.edited", newest_first=True, limit=2) == [6, 4]
        assert found(act="post.") == [1, 2, 3, 4, 5, 6]
        assert found(actor="p-other") == [6]
        assert found(after=1, before=4) == [2, 3]
        last = audit.find_last(tx, Act.POST_APPROVED, "post:2")
        assert last
        assert last.data == {"digest": "new"}
        assert audit.find_last(tx, Act.POST_APPROVED, "post:3") is None
        assert audit.entry(tx, 99) is None


def test_a_payload_is_sealed_and_committed_to(log: Store, keystore: Keystore) -> None:
    content = {"reason": "Gia đình Nguyễn Văn A đề nghị chờ"}
    with log.write() as tx:
        entry = append(tx, keystore, payload=audit.Payload("case:12", content))
        assert audit.read_payload(tx, entry.seq, keystore) == content
        seq, salt, sealed = tx.execute(text("SELECT seq, salt, sealed FROM audit_payloads")).one()
        opened = keystore.unseal("case:12", sealed)
        assert opened
        assert (seq, entry.pc) == (entry.seq, payload_commitment(salt, opened))
        assert "Nguyễn".encode() not in entry.raw + sealed
        assert audit.read_payload(tx, 0, keystore) is None


def test_an_erased_payload_leaves_the_log_as_it_was(log: Store, keystore: Keystore) -> None:
    with log.write() as tx:
        entry = append(tx, keystore, payload=audit.Payload("case:12", {"reason": "x"}))
        append(tx, keystore, payload=audit.Payload("case:13", {"reason": "y"}))
        assert audit.erase_payloads(tx, "case:12") == 1
        assert audit.read_payload(tx, entry.seq, keystore) is None
        assert audit.read_payload(tx, entry.seq + 1, keystore) == {"reason": "y"}
        assert audit.entry(tx, entry.seq) == entry


def copy_row(seq: int, into: str = "seq, record, leaf, prev, act, obj", verb: str = "INSERT") -> str:
    """One statement that puts a row made of row `seq` back into the log."""
    return f"{verb} INTO audit_records SELECT {into} FROM audit_records WHERE seq = {seq}"  # noqa: S608


ATTACKS = {
    "an update": "UPDATE audit_records SET act = 'post.edited' WHERE seq = 2",
    "an update that changes nothing": "UPDATE audit_records SET seq = seq WHERE seq = 2",
    "a delete": "DELETE FROM audit_records WHERE seq = 2",
    "a delete of the tail": "DELETE FROM audit_records WHERE seq = 3",
    "a gap": copy_row(3, "9, record, 'l', leaf, act, obj"),
    "a second tail": copy_row(3, "4, record, 'l', prev, act, obj"),
    "a wrong link": copy_row(3, "4, record, 'l', 'p', act, obj"),
    "a place before the first": copy_row(0, "-1, record, 'l', 'p', act, obj"),
    "an upsert": copy_row(2, "2, record, 'l', 'p', act, obj") + " ON CONFLICT (seq) DO UPDATE SET leaf = 'l'",
    "a changed payload": "UPDATE audit_payloads SET salt = sealed",
    "a changed checkpoint": "UPDATE checkpoints SET root = 'x'",
    "a dropped checkpoint": "DELETE FROM checkpoints",
    "an earlier checkpoint": "INSERT INTO checkpoints SELECT 1, root, frontier, note, key_id, at FROM checkpoints",
}
OWN_ATTACKS = {
    "sqlite": {
        "a delete of everything": "DELETE FROM audit_records",
        "a replaced row": copy_row(2, "2, record, 'l', 'p', act, obj", "INSERT OR REPLACE"),
        "a replaced tail": copy_row(3, "3, record, 'l', prev, act, obj", "REPLACE"),
        "a row replaced by its leaf": copy_row(
            3, "4, record, (SELECT leaf FROM audit_records WHERE seq = 1), leaf, act, obj", "INSERT OR REPLACE"
        ),
        "an insert that would be passed over": copy_row(2, verb="INSERT OR IGNORE"),
        "an update that replaces": "UPDATE OR REPLACE audit_records SET leaf = 'l' WHERE seq = 2",
        "a replaced payload": "REPLACE INTO audit_payloads SELECT seq, subject, sealed, sealed FROM audit_payloads",
        "a replaced checkpoint": "REPLACE INTO checkpoints SELECT size, 'x', '[]', note, key_id, at FROM checkpoints",
    },
    "postgresql": {
        "a delete of everything": "DELETE FROM audit_records",
        "a truncate": "TRUNCATE audit_records CASCADE",
        "a truncate of the checkpoints": "TRUNCATE checkpoints",
        "a truncate as a replica": "SET LOCAL session_replication_role = replica; TRUNCATE checkpoints",
        "a delete as a replica": "SET LOCAL session_replication_role = replica; DELETE FROM audit_records",
    },
}


def test_the_database_itself_refuses_even_its_owner_every_way_to_rewrite(owned_log: Store, keystore: Keystore) -> None:
    assert_every_attack_fails(owned_log, keystore, "the audit log|session_replication_role")


def test_the_program_has_no_right_to_rewrite(log: Store, keystore: Keystore) -> None:
    assert_every_attack_fails(log, keystore, "the audit log|permission denied")


def assert_every_attack_fails(log: Store, keystore: Keystore, why: str) -> None:
    with log.write() as tx:
        for _ in range(3):
            append(tx, keystore, payload=audit.Payload("case:1", {"a": "b"}))
        tx.execute(text("INSERT INTO checkpoints VALUES (4, 'r', '[]', 'n', 'k', 0)"))
        own = OWN_ATTACKS[tx.dialect.name]
    before = everything(log)
    let_through = {name for name, statement in (ATTACKS | own).items() if not is_refused(log, statement, why)}
    assert let_through == set()
    assert everything(log) == before


def is_refused(log: Store, statement: str, why: str) -> bool:
    try:
        with log.writer.begin() as tx:
            tx.exec_driver_sql(statement)
    except DatabaseError as error:
        return re.search(why, str(error.orig)) is not None
    return False


def everything(log: Store) -> list[Any]:
    with log.read() as tx:
        tables = ("audit_records", "audit_payloads", "checkpoints")
        return [tx.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in tables]  # noqa: S608


def test_the_guard_is_whole_after_migration(store: Store) -> None:
    with store.read() as tx:
        assert_guarded(tx)


LOOSENED: dict[str, list[tuple[str, ...]]] = {
    "sqlite": [
        ("DROP TRIGGER audit_records_delete",),
        ("CREATE TRIGGER silent BEFORE INSERT ON audit_records BEGIN SELECT RAISE(IGNORE); END",),
        (
            "DROP TRIGGER checkpoints_update",
            "CREATE TRIGGER checkpoints_update BEFORE UPDATE ON checkpoints BEGIN SELECT 1; END",
        ),
    ],
    "postgresql": [
        ("DROP TRIGGER audit_records_truncate ON audit_records",),
        ("ALTER TABLE audit_records DISABLE TRIGGER audit_records_alter",),
        ("ALTER TABLE checkpoints ENABLE TRIGGER checkpoints_insert",),
        ("CREATE OR REPLACE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",),
        ("ALTER TABLE audit_records DROP CONSTRAINT uq_audit_records_leaf",),
    ],
}


def test_a_loosened_guard_is_found_at_start_up(owned_store: Store) -> None:
    for statements in LOOSENED["sqlite" if owned_store.is_sqlite else "postgresql"]:
        with owned_store.writer.connect() as tx:  # never committed
            for statement in statements:
                tx.exec_driver_sql(statement)
            with pytest.raises(Tampered, match="not as written"):
                assert_guarded(tx)


def test_an_altered_row_is_not_read(owned_log: Store, keystore: Keystore) -> None:
    fill(owned_log, keystore, 2)
    with owned_log.write() as tx:
        if owned_log.is_sqlite:
            tx.exec_driver_sql("DROP TRIGGER audit_records_update")
        else:
            tx.exec_driver_sql("ALTER TABLE audit_records DISABLE TRIGGER audit_records_alter")
        tx.execute(text("UPDATE audit_records SET obj = 'post:7' WHERE seq = 1"))
        with pytest.raises(Tampered, match="entry 1 "):
            audit.entry(tx, 1)
        with pytest.raises(Tampered, match="entry 1 "):
            audit.entries(tx)


def test_many_writers_make_one_chain(log: Store, keystore: Keystore) -> None:
    def write() -> None:
        for _ in range(10):
            with log.write() as tx:
                append(tx, keystore)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with log.read() as tx:
        entries = audit.entries(tx)
    assert [entry.seq for entry in entries] == list(range(41))
    assert all(after.prev == before.leaf for before, after in pairwise(entries))


def test_times_are_kept_to_the_millisecond(log: Store, keystore: Keystore) -> None:
    with log.write() as tx:
        entry = append(tx, keystore, ts=NOON + timedelta(microseconds=1999))
    assert entry.ts == NOON + timedelta(milliseconds=1)


def test_verification_reads_either_database(owned_log: Store, keystore: Keystore) -> None:
    with owned_log.write() as tx:
        append(tx, keystore, payload=audit.Payload("case:1", {"a": "b"}))
        append(tx, keystore)
    checkpoint(owned_log, keystore, now=NOON)
    with owned_log.read() as tx:
        assert verify(tx, vkeys=keystore.vkeys, anchors=[keystore.anchor], keystore=keystore).code == 0
    with owned_log.write() as tx:
        if owned_log.is_sqlite:
            tx.exec_driver_sql("DROP TRIGGER audit_records_update")
        else:
            tx.exec_driver_sql("ALTER TABLE audit_records DISABLE TRIGGER audit_records_alter")
        tx.execute(
            text(
                "UPDATE audit_records SET record = other.r FROM (SELECT record AS r FROM audit_records"
                " WHERE seq = 2) AS other WHERE seq = 1"
            )
        )
        found = verify(tx, vkeys=keystore.vkeys)
        assert (found.code, found.first_bad) == (1, 1)
