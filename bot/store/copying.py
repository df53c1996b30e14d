"""A second database with the same rows: for a rehearsal, which must not touch the real one."""

from pathlib import Path

from sqlalchemy import insert, select

from bot.store import home, schema
from bot.store.engine import Store, copy_file
from bot.store.tables import metadata

ROWS_AT_ONCE = 1_000


def copy_to(store: Store, path: Path) -> Store:
    """A scratch SQLite copy at `path`, consistent while others write. Raises StoreFailed."""
    if store.is_sqlite:
        copy_file(store, path)
        copy = Store(f"sqlite:///{path}", scratch=True)
        with copy.write() as target:
            home.forget(target)
        return copy
    copy = Store(f"sqlite:///{path}", scratch=True)
    schema.upgrade(copy)
    with store.read() as source, copy.write() as target:
        for table in metadata.sorted_tables:
            # Rows may point at earlier rows of their own table, and the log accepts only its next entry.
            rows = source.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            for some in rows.partitions(ROWS_AT_ONCE):
                target.execute(insert(table), [dict(row) for row in some])
        home.forget(target)
    return copy
