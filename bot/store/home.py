"""Where the database lives: one that was put back, copied or moved is told by the place it is found in."""

import fcntl
import struct
from contextlib import suppress

from sqlalchemy import Connection, delete, insert, select, text

from bot.store.engine import Store
from bot.store.tables import meta

_KEY = "home"
# Linux' FS_IOC_GETVERSION: tells a file apart from a later one that was given the same number.
_GENERATION = 0x80087601


def is_elsewhere(tx: Connection, store: Store) -> bool:
    """Whether it was at home in another place; from now on it is here."""
    here = _here(tx, store)
    known = tx.execute(select(meta.c.value).where(meta.c.key == _KEY)).scalar()
    if known != here:
        forget(tx)
        tx.execute(insert(meta).values(key=_KEY, value=here))
    return known not in (None, here)


def settle_in(tx: Connection, store: Store) -> None:
    """From the first post that is to be sent on, the database has a place; the place it was given stays."""
    if tx.execute(select(meta.c.value).where(meta.c.key == _KEY)).scalar() is None:
        tx.execute(insert(meta).values(key=_KEY, value=_here(tx, store)))


def forget(tx: Connection) -> None:
    tx.execute(delete(meta).where(meta.c.key == _KEY))


def _here(tx: Connection, store: Store) -> str:
    """The file itself; on PostgreSQL the cluster, its history, and the database in it."""
    if store.path is None:
        asked = (
            "SELECT s.system_identifier || '.' || c.timeline_id || '.' || d.oid FROM pg_control_system() s, "
            "pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()"
        )
        return str(tx.execute(text(asked)).scalar_one())
    with store.path.open("rb") as file:
        generation = b"\0" * 8
        with suppress(OSError):
            generation = fcntl.ioctl(file, _GENERATION, generation)
        return f"{store.path.stat().st_ino}.{struct.unpack('q', generation)[0]}"
