"""The shape of the database: brought to the newest by Alembic, and at start-up only looked at."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from bot.domain.errors import Misconfigured
from bot.store.engine import Store, copy_file

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    return HEAD


def config(tx: Connection) -> "Config":
    """What Alembic's commands need to work inside `tx`."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, and only a migration needs it

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = tx
    return made


def bring(tx: Connection, revision: str) -> None:
    """The tables to this shape, from none or an older one. Raises Misconfigured for a shape that never was."""
    from alembic import command  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        command.upgrade(config(tx), revision)
    except CommandError:
        raise Misconfigured(
            "The database has version {found}, which this program does not know: it is too old for it.", found=revision
        ) from None


def upgrade(store: Store) -> None:
    """All of it or nothing; a database at the head already is left as it is.

    An older SQLite file is copied first, beside itself: that copy in its place undoes the upgrade.
    """
    if store.path:
        with suppress(OSError):  # SQLite then says itself why it cannot
            store.path.touch(mode=0o600)  # and what it lays beside this file is as private
        _keep_copy(store, store.path)
    with store.write() as tx:
        if revision(tx) < HEAD:
            bring(tx, HEAD)
        assert_at_head(tx)


def is_older(store: Store) -> str:
    """The version that an upgrade would start from; empty where there is none to make."""
    with store.read() as tx:
        found = revision(tx)
    return found if found < HEAD else ""


def _keep_copy(store: Store, path: Path) -> None:
    if older := is_older(store):
        kept = path.with_name(f"{path.name}.{older}-before-{HEAD}")
        if not kept.exists():
            kept.touch(mode=0o600)
            copy_file(store, kept)


def revision(tx: Connection) -> str:
    """Empty where no tables were made yet."""
    if not inspect(tx).has_table("alembic_version"):
        return ""
    return str(tx.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def assert_at_head(tx: Connection) -> None:
    """Raises Misconfigured with the next step unless this program and the database fit each other."""
    found = revision(tx)
    if not found:
        raise Misconfigured("The database is empty. Run `campaignbot init` first.")
    if found > HEAD:
        raise Misconfigured("The database is newer ({found}) than this campaignbot. Install that one.", found=found)
    if found < HEAD:
        raise Misconfigured(
            "The database is older ({found}) than this campaignbot. Back it up, then run `campaignbot init`.",
            found=found,
        )
