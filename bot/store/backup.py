"""A whole installation as frames in one sealed stream, the same from SQLite and from PostgreSQL.

Nothing in it is compressed: what is taken out is never larger than the file.
"""

import hashlib
import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from sqlalchemy import Connection, MetaData, Table, func, insert, select, text

from bot.domain.errors import BadInput
from bot.store.sealed import CHUNK, SealedReader, SealedWriter

ROWS_AT_ONCE = 200
MAX_FRAME = 2**26
# Who is signed in, and has been invited or turned away, is not carried to another day.
_PASSING = frozenset({"alembic_version", "sessions", "invitations", "tries", "form_tokens"})
Tell = Callable[[int, int], None]
"""How far the work is: steps done, of how many."""
_LENGTH = struct.Struct(">cI")
# A head; then the files, each a name and its pieces; the tables, each a name and its rows; then the manifest.
_HEAD, _FILE, _PIECE, _TABLE, _ROWS, _END = b"H", b"F", b"P", b"T", b"R", b"E"


class Frame(NamedTuple):
    """`body` is bytes of a file for a piece, else what JSON said."""

    kind: bytes
    body: Any


@dataclass(slots=True)
class Tally:
    """Bytes and SHA-256 of each member; writer and reader keep one each, and the manifest holds the writer's."""

    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    _name: str | None = None
    _count: int = 0
    _digest: Any = None

    def begin(self, name: str) -> None:
        self.close()
        if name in self.members:
            raise BadInput("The backup names {name} twice. Do not use it.", name=name[:80])
        self._name, self._count, self._digest = name, 0, hashlib.sha256()

    def add(self, raw: bytes) -> None:
        if self._name is None:
            raise unreadable()
        self._count += len(raw)
        self._digest.update(raw)

    def close(self) -> None:
        if self._name is not None:
            self.members[self._name] = (self._count, self._digest.hexdigest())
            self._name = None


class BackupWriter:
    def __init__(self, out: BinaryIO, passphrase: str, head: Mapping[str, Any]) -> None:
        self._sealed, self.tally = SealedWriter(out, passphrase), Tally()
        self._json(_HEAD, head)

    def _json(self, kind: bytes, body: object) -> None:
        self._frame(kind, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())

    def _frame(self, kind: bytes, raw: bytes) -> None:
        if kind in (_PIECE, _ROWS):
            self.tally.add(raw)
        self._sealed.write(_LENGTH.pack(kind, len(raw)) + raw)

    def file(self, name: str, content: BinaryIO) -> None:
        self.tally.begin(name)
        self._json(_FILE, name)
        while piece := content.read(CHUNK):
            self._frame(_PIECE, piece)

    def table(self, name: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[int]:
        """Yields the number of rows written after each batch."""
        self.tally.begin(f"table {name}")
        self._json(_TABLE, {"name": name, "columns": columns})
        waiting = iter(rows)
        while batch := [[_plain(cell) for cell in row] for row in islice(waiting, ROWS_AT_ONCE)]:
            self._json(_ROWS, batch)
            yield len(batch)

    def end(self) -> None:
        self.tally.close()
        self._json(_END, {"members": self.tally.members})
        self._sealed.close()


class BackupReader:
    """Raises BadInput for whatever is not as it was written."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        self._sealed, self.tally = SealedReader(source, passphrase), Tally()
        first = self._next()
        if first.kind != _HEAD or not isinstance(first.body, dict):
            raise unreadable()
        self.head: Mapping[str, Any] = first.body

    def __iter__(self) -> Iterator[Frame]:
        """Frames between head and manifest; where it ends, all digests were compared."""
        while (frame := self._next()).kind != _END:
            yield frame
        self._sealed.end()
        self.tally.close()
        claimed = frame.body.get("members") if isinstance(frame.body, dict) else None
        if claimed != {name: list(told) for name, told in self.tally.members.items()}:
            raise BadInput("The backup does not hold what its manifest says. Do not use it.")

    def _next(self) -> Frame:
        kind, length = _LENGTH.unpack(self._sealed.read(_LENGTH.size))
        if length > MAX_FRAME:
            raise unreadable()
        raw = self._sealed.read(length)
        try:
            body: Any = raw if kind == _PIECE else json.loads(raw)
            if kind == _FILE:
                self.tally.begin(str(body))
            elif kind == _TABLE:
                if not all(isinstance(name, str) for name in (body["name"], *body["columns"])):
                    raise unreadable()
                self.tally.begin(f"table {body['name']}")
            elif kind in (_PIECE, _ROWS):
                self.tally.add(raw)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise unreadable() from None
        return Frame(kind, body)


def unreadable() -> BadInput:
    return BadInput("The backup holds something this program did not write. Do not use it.")


def is_file(frame: Frame) -> bool:
    return frame.kind == _FILE


def is_piece(frame: Frame) -> bool:
    return frame.kind == _PIECE


def is_table(frame: Frame) -> bool:
    return frame.kind == _TABLE


def _plain(cell: object) -> object:
    return {"b64": b64encode(cell).decode()} if isinstance(cell, bytes | memoryview) else cell


def _cell(plain: object) -> object:
    if isinstance(plain, dict):
        return b64decode(plain["b64"], validate=True)
    if plain is not None and not isinstance(plain, str | int | float):
        raise unreadable()
    return plain


def tables_of(tx: Connection) -> tuple[Table, ...]:
    """As they lie in the database, of whatever version; what is pointed at comes before what points."""
    found = MetaData()
    found.reflect(tx)
    return tuple(table for table in found.sorted_tables if table.name not in _PASSING)


def count_rows(tx: Connection, tables: Iterable[Table]) -> int:
    return sum(int(tx.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables)


def dump(tx: Connection, table: Table, out: BackupWriter) -> Generator[int]:
    """To be closed by whoever stops in the middle of it, before the transaction ends."""
    # Rows may point at earlier rows of their own table, and the log accepts only its next entry.
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=ROWS_AT_ONCE)
    with tx.execute(query) as rows:
        yield from out.table(table.name, [column.name for column in table.columns], (tuple(row) for row in rows))


def rows_of(frame: Frame, columns: list[str]) -> list[dict[str, Any]]:
    try:
        return [dict(zip(columns, map(_cell, row), strict=True)) for row in frame.body]
    except (ValueError, TypeError, KeyError):
        raise unreadable() from None


class Loader:
    """Puts rows into tables that are there and empty. The caller's transaction keeps all of it or nothing."""

    def __init__(self, tx: Connection) -> None:
        self._tx, self._tables = tx, {table.name: table for table in tables_of(tx)}
        self.table, self._columns = "", list[str]()
        if tx.dialect.name == "sqlite":
            tx.execute(text("PRAGMA defer_foreign_keys=ON"))

    def take(self, frame: Frame) -> list[dict[str, Any]]:
        """The rows that were put in."""
        if is_table(frame):
            self.table, self._columns = frame.body["name"], frame.body["columns"]
            known = self._tables.get(self.table)
            if known is None or set(self._columns) - set(known.columns.keys()):
                raise unreadable()
            return []
        if not self.table or frame.kind != _ROWS:
            raise unreadable()
        rows = rows_of(frame, self._columns)
        self._tx.execute(insert(self._tables[self.table]), rows)
        return rows

    def set_counters(self) -> None:
        """PostgreSQL counts on from the highest number that is in use; SQLite does so by itself."""
        if self._tx.dialect.name != "postgresql":
            return
        for table in self._tables.values():
            if "id" in table.columns:
                where = {"table": table.name}
                counter = self._tx.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), where).scalar()
                top = self._tx.execute(select(func.max(table.c.id))).scalar()
                if counter and top:
                    self._tx.execute(text("SELECT setval(:counter, :top)"), {"counter": counter, "top": top})
