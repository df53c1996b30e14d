"""The same contract on both databases: SQLite in a file, PostgreSQL in a server of this session's own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.store import schema
from bot.store.engine import Store
from tests.databases import BOTH, as_owner, as_role, database, postgresql_original, postgresql_server

__all__ = ["postgresql_original", "postgresql_server"]


@pytest.fixture(scope="session")
def sqlite_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "campaign.sqlite"
    for store in _closing(Store(f"sqlite:///{path}")):
        schema.upgrade(store)
    return path


@pytest.fixture(params=BOTH)
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database without tables, as its owner sees it."""
    if request.param == "sqlite":
        yield from _closing(Store(f"sqlite:///{tmp_path / 'empty.sqlite'}"))
        return
    server = request.getfixturevalue("postgresql_server")
    with database(server) as name:
        yield from _closing(Store(as_owner(server, name)))


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated database without rows, as the program sees it; copied from one that was migrated once."""
    yield from _copied(request, tmp_path, as_role)


@pytest.fixture(params=BOTH)
def owned_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The same as its owner sees it, who may do anything to it."""
    yield from _copied(request, tmp_path, as_owner)


def _copied(request: pytest.FixtureRequest, tmp_path: Path, address: Callable[[str, str], str]) -> Iterator[Store]:
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_original"), tmp_path / "campaign.sqlite")
        yield from _closing(Store(f"sqlite:///{tmp_path / 'campaign.sqlite'}"))
        return
    server = request.getfixturevalue("postgresql_server")
    with database(server, request.getfixturevalue("postgresql_original")) as name:
        yield from _closing(Store(address(server, name)))


def _closing(store: Store) -> Iterator[Store]:
    yield store
    store.close()
