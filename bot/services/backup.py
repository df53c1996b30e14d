"""A backup made while all runs, and checked without being restored: one view of database, keys and files, sealed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import Connection

import bot
from bot.domain.audit import Act, Malformed, canonical, first_prev, leaf_hash, parse_record
from bot.domain.checkpoint import Frontier, VerifyKey, parse_note
from bot.domain.errors import BadInput, Conflict, StoreFailed, Tampered
from bot.services.context import Context
from bot.services.verify import ALTERED, KEY_ACTS, is_signed, keys_named, verify
from bot.store import audit, schema
from bot.store.backup import (
    BackupReader,
    BackupWriter,
    Tell,
    count_rows,
    dump,
    is_file,
    is_piece,
    is_table,
    rows_of,
    tables_of,
    unreadable,
)
from bot.store.sealed import MAGIC
from bot.store.tables import audit_records

VERSION = 1
DATA, EDITED = "data", ("messages", "schedules")
BY_HAND = "log:1"
ANCHOR = f"{DATA}/keystore/anchor.json"
# Made anew, or of this machine alone.
LEFT_OUT = frozenset({"rehearsal", "daemon.lock", "campaignbot-errors.log"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation lies: its configuration, what people edit beside it, and its data."""

    config: Path
    data_dir: Path


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself, first of all. `root` is of all `entries` of the log, in hex; `note` signs some of
    them; `sound` is what verification said when it was made. `config` is the text of config.toml.
    """

    made_at: datetime
    program: str
    revision: str
    origin: str
    entries: int
    root: str
    note: str
    sound: bool
    config: str
    rows: int
    files: int
    size: int = 0


def silent(_done: int, _of: int) -> None:
    """For whoever wants to hear of no progress."""


def back_up(
    ctx: Context, place: Place, target: Path, passphrase: str, *, tell: Tell = silent, obj: str = BY_HAND
) -> Backup:
    """One consistent view of everything, sealed, in a new file; the log says that it was made.

    A log that does not verify is backed up all the same, and the backup says so. Raises Conflict, StoreFailed.
    """
    with _new_file(target) as out, ctx.store.read() as tx:
        made = _write(ctx, tx, place, out, passphrase, tell)
    with ctx.store.write() as tx:
        ctx.record(tx, None, Act.BACKUP_MADE, obj, {"size": made.entries, "root": made.root})
    return made


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """The owner's alone; whole and on disk when it has its name, and otherwise not there."""
    if target.exists():
        raise Conflict("{path} exists. Name a new file.", path=target)
    part = target.with_name(f".{target.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except OSError as error:
        raise StoreFailed("{path} cannot be written: {why}.", path=target, why=error.strerror) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _write(ctx: Context, tx: Connection, place: Place, out: BinaryIO, passphrase: str, tell: Tell) -> Backup:
    # The first question fixes the view of the database; what files gained since is of no harm.
    revision, origin = schema.revision(tx), audit.origin(tx)
    sound = verify(tx, vkeys=ctx.keystore.vkeys).code != ALTERED
    note, tree = _signed(tx), Frontier()
    for _seq, record, *_rest in audit.raw_rows(tx, audit_records):
        tree.append(leaf_hash(record or b""))
    tables, files = tables_of(tx), tuple(_belongings(ctx, place))
    rows = count_rows(tx, tables)
    head = {
        "v": VERSION, "made_at": ctx.now().isoformat(), "program": bot.__version__, "revision": revision,
        "origin": origin, "entries": tree.size, "root": tree.root().hex(), "note": note, "sound": sound,
        "rows": rows, "files": len(files) + 1, "config": place.config.read_text("utf-8"),
    }  # fmt: skip
    writer, step = BackupWriter(out, passphrase, head), Steps(tell, rows + len(files))
    for name, path in files:
        _pack(writer, name, path)
        step(1)
    writer.file(ANCHOR, BytesIO(canonical({"note": note} if note else {})))
    for table in tables:
        with closing(dump(tx, table, writer)) as counts:
            for count in counts:
                step(count)
    writer.end()
    return read_head(head, out.tell())


class Steps:
    """Counts what is done, for whoever wants to hear of it."""

    def __init__(self, tell: Tell, of: int) -> None:
        self._tell, self._of, self._done = tell, of, 0

    def __call__(self, count: int) -> None:
        self._done += count
        self._tell(self._done, self._of)


def _signed(tx: Connection) -> str:
    """The newest checkpoint of this very view: a later one, kept with the keys, would call the copy a forgery."""
    try:
        found = audit.latest_checkpoint(tx)
    except Tampered:
        return ""
    return found.note if found else ""


def _belongings(ctx: Context, place: Place) -> Iterator[tuple[str, Path]]:
    """Everything of the installation but its configuration and its database; links lead nowhere."""
    folder, database = place.config.parent, ctx.store.path
    for name in EDITED:
        yield from _files(folder / name, name)
    for path in sorted(place.data_dir.iterdir()):
        edited = place.data_dir == folder and path.name in {place.config.name, *EDITED}
        if edited or path.name in LEFT_OUT or (database and path.name.startswith(database.name)):
            continue
        yield from _files(path, f"{DATA}/{path.name}")


def _files(path: Path, name: str) -> Iterator[tuple[str, Path]]:
    if path.name.startswith(".") or path.name == "lock" or name == ANCHOR or path.is_symlink():
        return
    if path.is_file():
        yield name, path
    elif path.is_dir():
        for each in sorted(path.iterdir()):
            yield from _files(each, f"{name}/{each.name}")


def _pack(writer: BackupWriter, name: str, path: Path) -> None:
    """What is gone by now was not needed; a backup holds no backups."""
    with suppress(FileNotFoundError), path.open("rb") as content:
        if content.read(len(MAGIC)) != MAGIC:
            content.seek(0)
            writer.file(name, content)


def read_head(head: Mapping[str, Any], size: int) -> Backup:
    """Raises BadInput for what this version cannot read."""
    try:
        if head["v"] != VERSION or head["revision"] > schema.HEAD:
            raise BadInput("This backup was made by a newer campaignbot. Install that one.")
        told = {**head, "made_at": datetime.fromisoformat(head["made_at"]), "size": size}
        found = Backup(**{each.name: told[each.name] for each in fields(Backup)})
        if found.note:
            parse_note(found.note)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable() from error
    if not all(isinstance(told[each.name], cast("type", each.type)) for each in fields(Backup)):
        raise unreadable()
    return found


@contextmanager
def opened(source: Path, passphrase: str) -> Iterator[tuple[BackupReader, Backup]]:
    try:
        with source.open("rb") as file:
            reader = BackupReader(file, passphrase)
            yield reader, read_head(reader.head, source.stat().st_size)
    except OSError as error:
        raise StoreFailed("{path}: {why}.", path=error.filename or source, why=error.strerror) from error


def check(source: Path, passphrase: str, *, tell: Tell = silent) -> Backup:
    """Reads all of it, compares every digest, and the log with its root and signature; changes nothing.

    Raises BadInput, Refused, Tampered.
    """
    with opened(source, passphrase) as (reader, found):
        log, step = LogReader(found), Steps(tell, found.rows + found.files)
        of_log, columns = False, list[str]()
        for frame in reader:
            if is_table(frame):
                of_log, columns = frame.body["name"] == audit_records.name, frame.body["columns"]
            elif is_file(frame):
                step(1)
            elif not is_piece(frame):
                step(len(frame.body))
                for row in rows_of(frame, columns) if of_log else ():
                    log.take(row.get("record"))
        log.require()
    return found


class LogReader:
    """Follows the records of a log as they pass, in bounded memory. Raises Tampered."""

    def __init__(self, told: Backup) -> None:
        self._told, self._tree, self._prev = told, Frontier(), ""
        self._keys: list[VerifyKey] = []
        self._note = parse_note(told.note) if told.note else None
        self._signed = b""

    def take(self, record: object) -> None:
        seq = self._tree.size
        altered = Tampered("Audit entry {seq} in the backup is altered.", seq=seq)
        try:
            entry = parse_record(record if isinstance(record, bytes) else b"")
        except Malformed as error:
            raise altered from error
        if (entry.seq, entry.prev, entry.log) != (seq, self._prev or first_prev(entry.log), self._told.origin):
            raise altered
        if entry.act in KEY_ACTS:
            self._keys += keys_named(entry)
        self._tree.append(bytes.fromhex(entry.leaf))
        self._prev = entry.leaf
        if self._note and self._note.size == self._tree.size:
            self._signed = self._tree.root()

    def require(self) -> None:
        """That this was all of the log, and the one that was signed."""
        if (self._tree.size, self._tree.root().hex()) != (self._told.entries, self._told.root):
            raise Tampered("The log in the backup is not the one that its manifest names.")
        if self._note:
            signed = any(is_signed(self._note, key) for key in self._keys)
            if not signed or self._note.root != self._signed:
                raise Tampered("The log in the backup is not the one that was signed.")
