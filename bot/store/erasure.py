"""What is left of a person in the database is a pseudonym, and nothing where something was."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import DBAPIError

from bot.store import grants
from bot.store.audit import erase_payloads
from bot.store.engine import Store
from bot.store.tables import approvals, audit_payloads, channels, holds, metadata, people

# What they typed is gone, and this stands in its place.
NO_REASON = "–"


def blank(tx: Connection, person_id: int, pseudonym: str, now: datetime) -> int:
    """How many sealed texts were dropped. Approvals stay: posts rest on them."""
    shut_out(tx, person_id, now)
    tx.execute(update(people).where(people.c.id == person_id).values(roles="", settings="{}"))
    tx.execute(update(holds).where(holds.c.placed_by == person_id).values(reason=NO_REASON))
    tx.execute(update(channels).where(channels.c.paused_by == person_id).values(reason=NO_REASON))
    return erase_payloads(tx, pseudonym)


def shut_out(tx: Connection, person_id: int, now: datetime) -> None:
    """Sessions, links, factors, tokens, the passphrase: nothing that lets them in is left."""
    for table in metadata.sorted_tables:
        if "person_id" in table.c and table is not approvals:
            tx.execute(delete(table).where(table.c.person_id == person_id))
    nobody = {"token_hash": secrets.token_hex(32), "passphrase": None, "disabled_at": now}
    tx.execute(update(people).where(people.c.id == person_id).values(**nobody))


def compact(store: Store) -> bool:
    """Empties free pages and the write-ahead log; False where others were in the way, or the owner must."""
    module: Any = store.writer.dialect.loaded_dbapi
    refused: tuple[type[Exception], ...] = (DBAPIError, module.Error)
    try:
        return _compact_file(store) if store.is_sqlite else _compact_tables(store)
    except refused:
        return False


def _compact_file(store: Store) -> bool:
    # VACUUM cannot run inside a transaction, and our doors always open one.
    raw = store.writer.raw_connection()
    try:
        cursor: Any = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return bool(cursor.fetchone()[0] == 0)
    finally:
        raw.close()


def _compact_tables(store: Store) -> bool:
    with store.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        if not grants.owns(tx):
            return False
        for table in (audit_payloads, people, holds, channels):
            tx.exec_driver_sql(f"VACUUM (FULL) {table.name}")
    return True
