"""The migrations lead to exactly the tables the code knows, on both databases, and back to nothing."""

import shutil
import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from bot import app
from bot.domain.errors import Misconfigured
from bot.services import backup, restore
from bot.services.backup import Place
from bot.services.restore import Goal
from bot.settings import Settings, load_settings
from bot.store import guards, schema
from bot.store.engine import Store
from bot.store.tables import metadata
from tests.databases import as_owner, database
from tests.house import FakeClock

# Everything the database itself says of its shape; Alembic's comparison passes over conditions and checks.
SHAPE = {
    "sqlite": """
        SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name <> 'alembic_version'
        ORDER BY name""",
    "postgresql": """
        SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conname <> 'alembic_version_pkc'
        AND contype <> 'n'
        UNION ALL SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
        || coalesce(column_default, '') || ' ' || coalesce(character_maximum_length, 0)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        ORDER BY 1""",
}


KEPT = "INSERT INTO meta (key, value) VALUES ('kept', 'yes')"


def shape(tx: Connection) -> list[str]:
    return [" ".join(line.split()) for line in tx.execute(text(SHAPE[tx.dialect.name])).scalars()]


def test_the_newest_migration_is_the_head_the_program_asks_for(store: Store) -> None:
    with store.read() as tx:
        scripts = ScriptDirectory.from_config(schema.config(tx))
        assert scripts.get_heads() == [schema.head()]
        schema.assert_at_head(tx)


def test_a_migrated_database_has_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_a_migrated_database_is_the_same_to_the_letter_as_one_made_from_the_tables(owned_store: Store) -> None:
    with owned_store.read() as tx:
        migrated = shape(tx)
    with owned_store.write() as tx:
        command.downgrade(schema.config(tx), "base")
        metadata.create_all(tx)
        guards.guard(tx)
        assert shape(tx) == migrated


def test_the_audit_log_is_guarded_from_the_first_migration_on(store: Store) -> None:
    with store.read() as tx:
        guards.assert_guarded(tx)


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    with store.read() as tx:
        before = shape(tx)
    schema.upgrade(store)
    with store.read() as tx:
        assert shape(tx) == before


def test_the_way_back_leaves_nothing_behind_and_can_be_gone_again(owned_store: Store) -> None:
    with owned_store.write() as tx:
        command.downgrade(schema.config(tx), "base")
    with owned_store.read() as tx:
        assert inspect(tx).get_table_names() == ["alembic_version"]
        assert shape(tx) == []
    schema.upgrade(owned_store)
    with owned_store.read() as tx:
        schema.assert_at_head(tx)
        guards.assert_guarded(tx)


def test_an_empty_database_is_refused_with_the_next_step(empty_store: Store) -> None:
    with empty_store.read() as tx, pytest.raises(Misconfigured, match="campaignbot init"):
        schema.assert_at_head(tx)


@pytest.mark.parametrize(("revision", "said"), [("0000", "older"), ("9999", "newer")])
def test_a_database_of_another_version_is_refused(owned_store: Store, revision: str, said: str) -> None:
    with owned_store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    with owned_store.read() as tx, pytest.raises(Misconfigured, match=said):
        schema.assert_at_head(tx)


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_tx: Connection) -> None:
        raise RuntimeError

    monkeypatch.setattr(guards, "guard", fail)
    with pytest.raises(RuntimeError):
        schema.upgrade(empty_store)
    with empty_store.read() as tx:
        assert inspect(tx).get_table_names() == []


def to_the_next_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made up, as nothing was released yet that could be upgraded from: a table more."""
    steps = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, steps, ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "versions" / "9001_next.py").write_text(
        "from alembic import op\nfrom sqlalchemy import Column, Integer\n"
        f"revision, down_revision = '9001', '{schema.HEAD}'\n"
        "def upgrade():\n    op.create_table('novelty', Column('id', Integer, primary_key=True))\n"
        "def downgrade():\n    op.drop_table('novelty')\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "HEAD", "9001")


def test_an_older_database_is_copied_before_it_changes_and_the_copy_undoes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it began from stands beside it, whole and private."""
    before, path = schema.HEAD, tmp_path / "campaign.sqlite"
    store = Store(f"sqlite:///{path}")
    schema.upgrade(store)
    assert sorted(tmp_path.glob("*before*")) == []
    with store.write() as tx:
        tx.execute(text(KEPT))
    to_the_next_version(tmp_path, monkeypatch)
    schema.upgrade(store)
    schema.upgrade(store)
    with store.read() as tx:
        schema.assert_at_head(tx)
        assert inspect(tx).has_table("novelty")
    store.close()
    (copy,) = tmp_path.glob("*before*")
    assert copy.name == f"campaign.sqlite.{before}-before-9001"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    monkeypatch.undo()
    copy.replace(path)
    undone = Store(f"sqlite:///{path}")
    with undone.read() as tx:
        schema.assert_at_head(tx)
        guards.assert_guarded(tx)
        assert tx.execute(text("SELECT value FROM meta WHERE key = 'kept'")).scalar() == "yes"
    undone.close()


@pytest.mark.postgres
def test_an_older_postgresql_is_backed_up_before_it_changes_and_the_backup_undoes_it(
    postgresql_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database(postgresql_server) as name, database(postgresql_server) as empty:
        address = as_owner(postgresql_server, name)
        (tmp_path / "config.toml").write_text(f'[bot]\ndata_dir = "data"\ndatabase = "{address}"\n')
        made, phrase = _upgraded(load_settings(tmp_path / "config.toml"), monkeypatch)
        place, url = (
            Place(tmp_path / "old" / "config.toml", tmp_path / "old" / "data"),
            as_owner(postgresql_server, empty),
        )
        restore.restore(made, phrase, settle=lambda config: Goal(place, url, config), clock=FakeClock())
        undone = Store(url)
        try:
            with undone.read() as tx:
                schema.assert_at_head(tx)
                guards.assert_guarded(tx)
                assert not inspect(tx).has_table("novelty")
                assert tx.execute(text("SELECT value FROM meta WHERE key = 'kept'")).scalar() == "yes"
        finally:
            undone.close()


def _upgraded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """What was kept of the version before, and what opens it; this program is of that version again."""
    app.establish(settings)
    assert list(settings.data_dir.glob("*.backup")) == []
    store = Store(settings.database.get_secret_value())
    with store.write() as tx:
        tx.execute(text(KEPT))
    to_the_next_version(settings.folder, monkeypatch)
    app.establish(settings)
    with store.read() as tx:
        assert inspect(tx).has_table("novelty")
    store.close()
    monkeypatch.undo()
    (made,) = settings.data_dir.glob("*.backup")
    (phrase,) = (settings.data_dir / "keystore").glob("*.passphrase")
    assert stat.S_IMODE(phrase.stat().st_mode) == 0o600
    assert backup.check(made, phrase.read_text()).revision == made.name.split("-")[0] == schema.HEAD
    return made, phrase.read_text()
