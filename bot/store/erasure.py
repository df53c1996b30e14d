"""What is left of a person in the database is a pseudonym, and nothing where something was."""

import secrets
from datetime import datetime

from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import DBAPIError

from bot.store.audit import erase_payloads
from bot.store.engine import Store
from bot.store.tables import approvals, channels, holds, metadata, people

# What they typed is gone, and this stands in its place.
NO_REASON = "–"


def blank(tx: Connection, person_id: int, pseudonym: str, now: datetime) -> int:
    """How many sealed texts were dropped. Approvals stay: posts rest on them."""
    for table in metadata.sorted_tables:
        if "person_id" in table.c and table is not approvals:
            tx.execute(delete(table).where(table.c.person_id == person_id))
    nobody = {"roles": "", "token_hash": secrets.token_hex(32), "passphrase": None, "settings": "{}"}
    tx.execute(update(people).where(people.c.id == person_id).values(**nobody, disabled_at=now))
    tx.execute(update(holds).where(holds.c.placed_by == person_id).values(reason=NO_REASON))
    tx.execute(update(channels).where(channels.c.paused_by == person_id).values(reason=NO_REASON))
    return erase_payloads(tx, pseudonym)


def compact(store: Store) -> bool:
    """Empties free pages and the write-ahead log; False where others were in the way, who will do so when they end."""
    connection = store.writer.raw_connection() if store.is_sqlite else None
    try:
        if connection is None:
            with store.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
                for table in ("audit_payloads", "people", "holds", "channels"):
                    tx.exec_driver_sql(f"VACUUM (FULL) {table}")
            return True
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return bool(cursor.fetchone()[0] == 0)
    except (DBAPIError, *_refusals(store)):
        return False
    finally:
        if connection is not None:
            connection.close()


def _refusals(store: Store) -> tuple[type[Exception], ...]:
    """What the driver raises when it is asked directly."""
    return (store.writer.dialect.loaded_dbapi.Error,)
