"""On PostgreSQL the program may do all its work and nothing to the record, and finds out where it may do more."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import Tampered
from bot.store import grants, guards, schema
from bot.store.engine import Store
from tests.databases import OWNER, ROLE, administer, as_owner, as_role, database, on

pytestmark = pytest.mark.postgres


@pytest.fixture
def name(postgresql_server: str, postgresql_original: str) -> Iterator[str]:
    with database(postgresql_server, postgresql_original) as made:
        yield made


@pytest.fixture
def ours(postgresql_server: str, name: str) -> Iterator[Store]:
    store = Store(as_role(postgresql_server, name))
    yield store
    store.close()


@pytest.fixture
def theirs(postgresql_server: str, name: str) -> Iterator[Store]:
    store = Store(as_owner(postgresql_server, name))
    yield store
    store.close()


FORBIDDEN = (
    "UPDATE audit_records SET act = act",
    "DELETE FROM audit_records",
    "TRUNCATE audit_records CASCADE",
    "UPDATE audit_payloads SET salt = salt",
    "TRUNCATE audit_payloads",
    "UPDATE checkpoints SET root = root",
    "DELETE FROM checkpoints",
    "ALTER TABLE audit_records DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_records_alter ON audit_records",
    "DROP TABLE audit_records CASCADE",
    "ALTER TABLE posts ADD COLUMN more TEXT",
    "CREATE TABLE more (id INTEGER)",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "CREATE TRIGGER silent BEFORE INSERT ON audit_records FOR EACH ROW EXECUTE FUNCTION audit_never()",
    "UPDATE alembic_version SET version_num = '9999'",
    "SET session_replication_role = replica",
    f"SET ROLE {OWNER}",
    "CREATE ROLE more",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_role_of_daily_use_has_no_right_to(ours: Store, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), ours.writer.begin() as tx:
        tx.exec_driver_sql(statement)


def test_it_has_what_it_needs_and_no_more(ours: Store) -> None:
    with ours.read() as tx:
        assert grants.role(tx) == ROLE
        assert not grants.owns(tx)
        schema.assert_at_head(tx)
        guards.assert_guarded(tx)
        grants.assert_least(tx)


def test_the_owner_is_told_apart(theirs: Store) -> None:
    with theirs.read() as tx:
        assert grants.owns(tx)
        grants.assert_least(tx)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"GRANT UPDATE ON audit_records TO {ROLE}", "UPDATE ON audit_records"),
        ("GRANT DELETE ON checkpoints TO PUBLIC", "DELETE ON checkpoints"),
        (f"GRANT TRUNCATE ON audit_payloads TO {ROLE}", "TRUNCATE ON audit_payloads"),
        (f"GRANT TRIGGER ON audit_records TO {ROLE}", "TRIGGER ON audit_records"),
        (f"GRANT UPDATE ON alembic_version TO {ROLE}", "UPDATE ON alembic_version"),
    ],
)
def test_a_right_that_nobody_here_granted_is_found_at_start_up(
    ours: Store, theirs: Store, statement: str, what: str
) -> None:
    with theirs.write() as tx:
        tx.exec_driver_sql(statement)
    with ours.read() as tx, pytest.raises(Tampered, match=what):
        grants.assert_least(tx)
    with theirs.write() as tx:
        grants.grant(tx, ROLE)
    with ours.read() as tx:
        grants.assert_least(tx)


def test_a_right_to_make_tables_is_found_at_start_up(postgresql_server: str, name: str, ours: Store) -> None:
    administer(on(postgresql_server, name), f"GRANT CREATE ON SCHEMA public TO {ROLE}")
    with ours.read() as tx, pytest.raises(Tampered, match="CREATE"):
        grants.assert_least(tx)
