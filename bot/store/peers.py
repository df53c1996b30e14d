"""How daemons on one PostgreSQL know of each other: who is there, which one leads, and that something new waits."""

import select
from typing import Any, cast

from sqlalchemy import Connection, text

from bot.store.engine import Store, plain_errors

_TELL = text("SELECT pg_notify('campaignbot', '')")
_LEAD = text("SELECT pg_try_advisory_lock(20170, 1)")
_JOIN = (
    # Whoever is stopped, or cut off, is soon no longer counted, and leads no more.
    "SET idle_session_timeout = '30s'",
    "LISTEN campaignbot",
    "SELECT pg_advisory_lock_shared(20170, 2)",
)
_THERE = text(
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE locktype = 'advisory' AND classid = 20170 AND objid = 2 AND granted AND datname = current_database()"
)


def tell(tx: Connection) -> None:
    """Every daemon looks at what is due as soon as this commits. On SQLite the poll finds it."""
    if tx.dialect.name == "postgresql":
        tx.execute(_TELL)


def there(tx: Connection) -> int:
    """How many daemons are at work."""
    return int(tx.execute(_THERE).scalar_one()) if tx.dialect.name == "postgresql" else 1


class Line:
    """A connection of one daemon's own, outside every transaction; what it holds falls with it. Raises StoreFailed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news: list[Any] = []
        with plain_errors(store):
            self._connection = store.writer.connect().execution_options(isolation_level="AUTOCOMMIT")
            for statement in _JOIN:
                self._connection.exec_driver_sql(statement)
        self._driver = cast("Any", self._connection.connection.driver_connection)
        self._driver.add_notify_handler(self._news.append)

    def take_lead(self) -> bool:
        """Nobody else can until this line is closed or lost."""
        with plain_errors(self._store):
            return bool(self._connection.execute(_LEAD).scalar_one())

    def wait(self, seconds: float) -> bool:
        """Whether news came in that time."""
        select.select([self._driver.fileno()], [], [], seconds)
        with plain_errors(self._store):
            self._connection.exec_driver_sql("SELECT 1")
        came, self._news[:] = bool(self._news), ()
        return came

    def close(self) -> None:
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()
