import shutil
from pathlib import Path

from bot.store import home
from bot.store.copying import copy_to
from bot.store.engine import Store
from bot.store.erasure import compact
from tests.house import build_house, open_house


def test_a_database_that_stays_where_it_is_is_at_home(store: Store) -> None:
    for _ in range(3):
        with store.write() as tx:
            assert not home.is_elsewhere(tx, store)


def test_a_database_that_was_at_home_elsewhere_is_told_once(store: Store) -> None:
    with store.write() as tx:
        home.is_elsewhere(tx, store)
        tx.exec_driver_sql("UPDATE meta SET value = 'another place' WHERE key = 'home'")
    with store.write() as tx:
        assert home.is_elsewhere(tx, store)
    with store.write() as tx:
        assert not home.is_elsewhere(tx, store)


def test_a_copy_is_not_at_home_and_neither_is_what_is_put_back_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    build_house(tmp_path / "here")
    began = open_house(tmp_path / "here").store
    with began.write() as tx:
        assert not home.is_elsewhere(tx, began)
    began.close()
    shutil.copytree(tmp_path / "here", tmp_path / "copy")
    shutil.rmtree(tmp_path / "here")
    for place in ("copy", "here"):
        if place == "here":
            shutil.copytree(tmp_path / "copy", tmp_path / "here")
        found = open_house(tmp_path / place).store
        with found.write() as tx:
            assert home.is_elsewhere(tx, found)
        found.close()


def locks_on(file: Path) -> list[str]:
    """Without their place in the list, which changes with the locks of other processes."""
    lines = (line.partition(": ")[2] for line in Path("/proc/locks").read_text().splitlines())
    return [line for line in lines if f":{file.stat().st_ino} " in line]


def test_asking_where_it_lives_leaves_the_locks_of_its_file_alone(tmp_path: Path) -> None:
    """Whoever opens and closes a database beside SQLite takes all of them away, and another process deletes its log."""
    build_house(tmp_path)
    store = open_house(tmp_path).store
    assert store.path
    with store.write() as tx:
        held = locks_on(store.path)
        assert held
        home.forget(tx)
        home.settle_in(tx, store)
        assert not home.is_elsewhere(tx, store)
        assert locks_on(store.path) == held
    store.close()


def test_a_rehearsal_plays_in_a_copy_that_is_at_home_wherever_it_lies(store: Store, tmp_path: Path) -> None:
    with store.write() as tx:
        home.settle_in(tx, store)
        home.settle_in(tx, store)
        assert not home.is_elsewhere(tx, store)
    copy = copy_to(store, tmp_path / "rehearsal.db")
    with copy.write() as tx:
        assert not home.is_elsewhere(tx, copy)
    copy.close()


def test_old_pages_are_emptied_by_whom_they_belong_to(owned_store: Store, store: Store) -> None:
    assert compact(owned_store)
    assert compact(store) == store.is_sqlite
