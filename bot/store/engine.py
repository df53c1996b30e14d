"""One database behind two doors: `write` takes the one writer's lock at once, `read` never waits for a writer."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from os import stat_result
from pathlib import Path
from shutil import disk_usage
from types import ModuleType
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.domain.errors import CampaignError, Conflict, Misconfigured, StoreFailed

# WAL loses commits with two connections before this version (sqlite.org, WAL-reset fault).
WAL_IS_SOUND = (3, 51, 3)
BUSY_TIMEOUT_MS = 15_000
LEAST_FREE = 1_000_000
# PostgreSQL lets many write at once; here one does, as on SQLite, since each appends to the one record anyway.
# Whoever is stopped or cut off in the middle of it loses the lock with the session, and nothing was changed.
_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(418581342580)")
_SESSION = (
    "SET idle_in_transaction_session_timeout = '15s'; SET lock_timeout = '20s';"
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)
_KEEPALIVES = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_OPEN = "cursors"
_LEVELS = ("OFF", "NORMAL", "FULL", "EXTRA")


def _sqlite_module() -> ModuleType:
    """The bundled newer SQLite where its wheel is installed, else the standard library's."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3.dbapi2")


@contextmanager
def _finished(tx: Connection) -> Iterator[None]:
    """Closes what was left half read: while SQLite has one such statement, its view of the data outlives the end of
    the transaction, and later ones on this connection would see the past.
    """
    opened = tx.info.get(_OPEN, ())  # asked now: a connection that broke by then can be asked nothing
    try:
        yield
    finally:
        for cursor in list(opened):
            cursor.close()


def journal_of(version: tuple[int, ...]) -> tuple[str, str]:
    """The journal mode and synchronous level that never lose a commit on this SQLite."""
    return ("wal", "FULL") if version >= WAL_IS_SOUND else ("delete", "EXTRA")


class Store:
    """Opens the database at `url`. Threads may share it; a transaction belongs to one thread.

    A `scratch` SQLite need not outlive its process: its commits do not wait for the disk.
    """

    def __init__(self, url: str, *, scratch: bool = False) -> None:
        self.url = _read_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._scratch = scratch
        self._opened: tuple[int, int] | None = None
        self._writer = self._engine(begin="BEGIN IMMEDIATE")
        self._reader = self._engine(begin="BEGIN")

    @property
    def path(self) -> Path | None:
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def writer(self) -> Engine:
        return self._writer

    @property
    def _safety(self) -> tuple[str, str]:
        journal, synchronous = journal_of(_sqlite_module().sqlite_version_info)
        return journal, "OFF" if self._scratch else synchronous

    def _engine(self, *, begin: str) -> Engine:
        if not self.is_sqlite:
            return self._postgresql()
        module = _sqlite_module()
        engine = create_engine(self.url, module=module, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        journal, synchronous = self._safety

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a DBAPI connection has no common type
            connection.isolation_level = None
            for pragma in (
                f"journal_mode={journal}",
                f"synchronous={synchronous}",
                "foreign_keys=ON",
                "secure_delete=ON",
                "trusted_schema=OFF",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def start(connection: Connection) -> None:
            connection.info[_OPEN] = WeakSet()
            connection.exec_driver_sql(begin)

        @event.listens_for(engine, "after_cursor_execute")
        def note(connection: Connection, cursor: Any, *_how: Any) -> None:  # noqa: ANN401 - as above
            connection.info[_OPEN].add(cursor)

        return engine

    def _postgresql(self) -> Engine:
        made = create_engine(
            self.url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=_KEEPALIVES | self.url.query
        )

        @event.listens_for(made, "connect")
        def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - as above
            try:
                connection.execute(_SESSION)
                connection.commit()
            except BaseException:
                connection.close()  # the pool does not know it yet, and nobody else would
                raise

        return made

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction, while nobody else writes; nothing of it is kept if anything is raised.

        Raises StoreFailed when the database or the disk gives up, Conflict when a unique thing exists already.
        """
        with plain_errors(self), self._writer.begin() as tx:
            self._require_in_place()
            if not self.is_sqlite:
                tx.execute(_TAKE_TURNS)
            with _finished(tx):
                yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; on PostgreSQL a snapshot. Raises StoreFailed."""
        with plain_errors(self), self._reader.begin() as tx:
            self._require_in_place()
            if not self.is_sqlite:
                tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            with _finished(tx):
                yield tx

    def _require_in_place(self) -> None:
        """The open file must be the one that others find: a halt written there would never be seen here."""
        if self.path is None:
            return
        found = (there.st_dev, there.st_ino) if (there := _stat(self.path)) else None
        self._opened = self._opened or found
        if found != self._opened:
            raise StoreFailed(
                "{path} was moved or replaced while the program ran. Stop it, and start it again.", path=self.path
            )

    def self_test(self) -> None:
        """That commits are as safe here as they must be. Raises Misconfigured, StoreFailed.

        Some network folders refuse the journal asked for, and SQLite then silently uses another.
        """
        with self.write() as tx:
            if not self.is_sqlite:
                return
            asked = (*self._safety, "foreign keys on")
            mode, level, keys = (
                tx.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            )
        if (mode, _LEVELS[level], "foreign keys on" if keys else "") != asked:
            raise Misconfigured(
                "The database {path} cannot be kept safely there (journal {mode}). Put it on a local disk.",
                path=self.path,
                mode=mode,
            )

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def __repr__(self) -> str:
        return f"Store({self.url.render_as_string(hide_password=True)})"


def copy_file(store: Store, to: Path) -> None:
    """A consistent copy of an SQLite database, while others write. Raises StoreFailed."""
    # VACUUM cannot run inside a transaction, and our doors always open one.
    raw = store.writer.raw_connection()
    try:
        raw.cursor().execute("VACUUM INTO ?", (str(to),))
    except store.writer.dialect.loaded_dbapi.Error as error:
        raise _explain(store, str(error)) from None
    finally:
        raw.close()


def _stat(path: Path) -> stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _read_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise Misconfigured(
            "The database address cannot be read. Write sqlite:///path or postgresql+psycopg://…"
        ) from error
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise Misconfigured(
            "“{driver}” is not a database this program knows. Use sqlite or postgresql+psycopg.",
            driver=parsed.drivername,
        )
    return parsed


# What the drivers say, most telling first, and what it means to the person who reads it.
_MEANINGS: tuple[tuple[str, str], ...] = (
    (
        "disk is full|disk full|No space left",
        "The disk is full ({place}). Nothing was changed; free some space and try again.",
    ),
    (
        "readonly database|unable to open database file",
        "{place} cannot be written. Check who owns the folder and its permissions.",
    ),
    (
        "database is locked|lock timeout|deadlock",
        "The database is busy with another program. Nothing was changed; try again.",
    ),
    ("malformed|not a database", "{place} is damaged. Do not delete it: copy it, then restore a backup."),
    (
        "server closed the|connection.*(failed|closed|lost)|terminating connection|shutting down|starting up",
        "The database server does not answer. Look whether your change is there, then try again.",
    ),
    ("permission denied|must be owner", "The database role lacks a right. Run: campaignbot init --owner URL"),
    ("disk I/O error", "The disk under {place} fails. Nothing was changed; save a copy and look at it."),
)
_TAKEN = re.compile("UNIQUE constraint|duplicate key")


@contextmanager
def plain_errors(store: Store) -> Iterator[None]:
    """Turns what the driver says into one sentence; the parameters of a statement never leave here."""
    try:
        yield
    except CampaignError:
        raise
    except (DBAPIError, PoolTimeout) as error:  # all else is a mistake of this program's, and no server's
        raise _explain(store, str(error.orig if isinstance(error, DBAPIError) else error)) from None


def _is_full(store: Store) -> bool:
    """SQLite calls it an I/O error when there is no room even for its shared memory."""
    return store.path is not None and disk_usage(store.path.parent).free < LEAST_FREE


def _explain(store: Store, said: str) -> CampaignError:
    if _TAKEN.search(said):
        return Conflict("Something with that name exists already, or was added just now. Look again.")
    if "disk I/O error" in said and _is_full(store):
        said = "disk is full"
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, said, re.IGNORECASE):
            return StoreFailed(meaning, place=store.path or store.url.host or "the server")
    summary = said.splitlines()[0][:160] if said else "no reason given"
    return StoreFailed("The database refused: {summary}. Nothing was changed.", summary=summary)
