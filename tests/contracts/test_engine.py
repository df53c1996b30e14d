"""The doors of the database: one writer at a time, nothing kept of what failed, and plain words for trouble."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.domain.errors import Conflict, Misconfigured, StoreFailed
from bot.store import engine
from bot.store.engine import Store, journal_of
from bot.store.tables import meta


def put(store: Store, key: str, value: str = "1") -> None:
    with store.write() as tx:
        tx.execute(insert(meta).values(key=key, value=value))


def keys(store: Store) -> set[str]:
    with store.read() as tx:
        return set(tx.execute(select(meta.c.key)).scalars())


def test_nothing_is_kept_of_a_transaction_that_fails(store: Store) -> None:
    def half() -> None:
        with store.write() as tx:
            tx.execute(insert(meta).values(key="half", value="1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert "half" not in keys(store)


@pytest.mark.postgres
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("door", ["read", "write"])
def test_a_server_that_goes_away_in_the_middle_is_a_store_that_failed(store: Store, door: str) -> None:
    with pytest.raises(StoreFailed), getattr(store, door)() as tx:
        tx.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    put(store, "after")
    assert "after" in keys(store)


@pytest.mark.parametrize("door", ["read", "write"])
def test_what_was_left_half_read_does_not_hold_on_to_the_past(store: Store, door: str) -> None:
    with store.write() as tx:
        tx.execute(insert(meta), [{"key": f"old-{number}", "value": "1"} for number in range(2_000)])
    with getattr(store, door)() as tx:
        left = iter(tx.execute(select(meta.c.key)))
        next(left)
    put(store, "new")
    assert "new" in keys(store)
    put(store, "newer")
    assert "newer" in keys(store)


def test_what_is_there_already_is_a_conflict(store: Store) -> None:
    put(store, "once")
    with pytest.raises(Conflict):
        put(store, "once")


def test_concurrent_writers_lose_nothing(store: Store) -> None:
    put(store, "counter", "0")

    def add(times: int) -> None:
        for _ in range(times):
            with store.write() as tx:
                query = select(meta.c.value).where(meta.c.key == "counter").with_for_update()
                value = int(tx.execute(query).scalar_one())
                tx.execute(meta.update().where(meta.c.key == "counter").values(value=str(value + 1)))

    threads = [threading.Thread(target=add, args=(25,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        assert tx.execute(select(meta.c.value).where(meta.c.key == "counter")).scalar_one() == "100"


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.read() as tx:
        before = set(tx.execute(select(meta.c.key)).scalars())
        put(store, "meanwhile")
        assert set(tx.execute(select(meta.c.key)).scalars()) == before
    assert "meanwhile" in keys(store)


def test_commits_are_as_safe_as_they_must_be(store: Store) -> None:
    store.self_test()


def test_a_journal_that_the_disk_refused_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sqlite"
    store = Store(f"sqlite:///{path}")
    with store.write():
        monkeypatch.setattr(engine, "journal_of", lambda _: ("truncate", "EXTRA"))
    with pytest.raises(Misconfigured, match="local disk"):
        store.self_test()
    store.close()


def test_a_database_that_was_moved_or_replaced_is_not_used_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = Store(f"sqlite:///{path}")
    with store.write() as tx:
        meta.create(tx)
    path.rename(tmp_path / "elsewhere.sqlite")
    with pytest.raises(StoreFailed, match="moved or replaced"):
        keys(store)
    path.write_bytes(b"")
    with pytest.raises(StoreFailed, match="moved or replaced"):
        put(store, "lost")
    store.close()


@pytest.mark.parametrize(
    ("version", "journal"), [((3, 40, 1), "delete"), ((3, 51, 2), "delete"), ((3, 51, 3), "wal"), ((3, 53, 0), "wal")]
)
def test_the_write_ahead_log_is_used_only_where_it_is_sound(version: tuple[int, ...], journal: str) -> None:
    mode, level = journal_of(version)
    assert mode == journal
    assert level == {"wal": "FULL", "delete": "EXTRA"}[journal]


@pytest.mark.parametrize("url", ["mysql://somebody:secret@example.org/x", "not an address", ""])
def test_an_address_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Store(url)
    assert "secret" not in str(refusal.value)


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'nowhere' / 'a.sqlite'}")
    with pytest.raises(StoreFailed, match="cannot be written"), store.write():
        pass
    store.close()
