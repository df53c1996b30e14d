"""Where the database lives: one that was put back, copied or moved is told by the place it is found in."""

import ctypes
import os
import struct
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, text

from bot.store.engine import Store
from bot.store.tables import meta

_KEY = "home"
# Of Linux' statx(2): relative paths from here, and the birth time: two numbers after 80 of 256 bytes.
_HERE, _BIRTH, _SIZE, _AT = -100, 0x800, 256, 80


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
    return f"{store.path.stat().st_ino}.{_birth(store.path)}"


def _birth(path: Path) -> str:
    """Tells a file apart from a later one that was given the same number; empty where the system does not say.

    Not by opening it: whoever closes a file that SQLite has open drops every lock this process holds on it, and the
    next to close the database elsewhere believes to be the last (sqlite.org/howtocorrupt.html, 2.2).
    """
    statx, found = getattr(ctypes.CDLL(None), "statx", None), ctypes.create_string_buffer(_SIZE)
    if statx is None or statx(_HERE, os.fsencode(path), 0, _BIRTH, found) != 0:
        return ""
    seconds, nanoseconds = struct.unpack_from("qI", found, _AT)
    return f"{seconds}.{nanoseconds}" if struct.unpack_from("I", found)[0] & _BIRTH else ""
