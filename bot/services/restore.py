"""A backup put back into an empty place: all of it or nothing, its log verified, and everything held."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.delivery import Delivery, DeliveryState, Reason
from bot.domain.errors import Conflict, StoreFailed, Tampered
from bot.library.messages import Messages
from bot.library.schedules import Schedules
from bot.ports import Clock
from bot.services.backup import DATA, EDITED, Backup, LogReader, Place, Steps, opened, silent
from bot.services.context import Context
from bot.services.outcomes import move
from bot.services.queue import stop
from bot.services.verify import ALTERED, GOOD, verify
from bot.store import deliveries, holds, home, schema
from bot.store.backup import BackupReader, Loader, Tell, is_file, is_piece, tables_of, unreadable
from bot.store.engine import Store
from bot.store.keystore import Keystore
from bot.store.tables import audit_records

CONFIG, KEYSTORE = "config.toml", "keystore"
STAGING, _PLAN = ".restoring", "plan.json"
_PART = r"(?!\.)[^/\\\x00-\x1f]{1,200}"
_NAME = re.compile(rf"{re.escape(CONFIG)}|({'|'.join((DATA, *EDITED))})(/{_PART}){{1,6}}")


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to restore to: a place, the address of a database, and the configuration if there is none."""

    place: Place
    database: str
    config: str


@dataclass(frozen=True, slots=True)
class Restored:
    """`held` came due since and may have gone out; `later` is still to come, under the halt. `kept` was there."""

    backup: Backup
    place: Place
    held: tuple[Delivery, ...]
    in_flight: tuple[Delivery, ...]
    later: tuple[Delivery, ...]
    kept: tuple[Path, ...]


def restore(
    source: Path, passphrase: str, *, settle: Callable[[str], Goal], clock: Clock, tell: Tell = silent
) -> Restored:
    """`settle` is told the configuration of the backup.

    Raises Conflict where the place is not empty; BadInput, Refused or Tampered, and leaves nothing, where the backup
    is not to be believed.
    """
    with opened(source, passphrase) as (reader, found):
        if not found.sound:
            raise Tampered("The log in this backup was altered already when it was made. It is not restored.")
        goal = settle(found.config)
        with _Staging(goal.place, goal.database) as staging:
            staging.file(CONFIG)
            staging.piece(goal.config.encode())
            with staging.store.write() as tx:
                _load(tx, staging, reader, found, Steps(tell, found.rows + found.files))
                restored = _hold(tx, staging, found, clock)
                if not staging.store.is_sqlite:
                    staging.put_in_place()
            if staging.store.is_sqlite:
                staging.store.close()
                staging.put_in_place()
        return restored


def _load(tx: Connection, staging: "_Staging", reader: BackupReader, found: Backup, step: Steps) -> None:
    """Into tables of the shape they came from, which are then brought to this one."""
    schema.bring(tx, found.revision)
    loader, log = Loader(tx), LogReader(found)
    for frame in reader:
        if is_file(frame):
            staging.file(frame.body)
            step(1)
        elif is_piece(frame):
            staging.piece(frame.body)
        else:
            rows = loader.take(frame)
            step(len(rows))
            for row in rows if loader.table == audit_records.name else ():
                log.take(row.get("record"))
    log.require()
    staging.end_file()
    loader.set_counters()
    schema.bring(tx, schema.HEAD)


def _hold(tx: Connection, staging: "_Staging", found: Backup, clock: Clock) -> Restored:
    """Nothing is sent before people have looked: what came due since may have gone out from where this was made."""
    keystore = Keystore.open(staging.files / DATA / KEYSTORE)
    ctx = Context(staging.store, keystore, clock, Schedules(), Messages({}, {}), {}, staging.place.data_dir)
    ctx.record(tx, None, Act.BACKUP_RESTORED, "log:1", {"size": found.entries, "root": found.root})
    stop(ctx, tx, None, holds.HALT, Reason.RESTORED.value)
    home.forget(tx)
    waiting = deliveries.unsent(tx)
    due = tuple(each for each in waiting if each.due_at <= ctx.now())
    for each in due:
        move(ctx, tx, each, DeliveryState.HELD, Reason.RESTORED)
    later = tuple(each for each in waiting if each not in due)
    verdict = verify(tx, vkeys=keystore.vkeys, keystore=keystore)
    if verdict.code == ALTERED or (found.note and verdict.code != GOOD):
        raise Tampered("The log in the backup does not verify: {why} It is not restored.", why=str(verdict.reason))
    return Restored(found, staging.place, due, deliveries.in_flight(tx), later, staging.kept)


class _Staging:
    """Everything is made beside its place, and moved there in one go at the end; the database last."""

    def __init__(self, place: Place, url: str) -> None:
        self.place, self._folder = place, place.data_dir / STAGING
        self.files = self._folder / "files"
        self._target = Store(url)
        self._database = self._target.path
        self._staged = self._database.with_name(f".{self._database.name}{STAGING}") if self._database else None
        self.store = Store(f"sqlite:///{self._staged}") if self._staged else self._target
        self._open: BinaryIO | None = None
        self._placed: list[tuple[Path, Path]] = []

    def __enter__(self) -> Self:
        try:
            self.place.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            self._require_empty()
            self.files.mkdir(mode=0o700, parents=True)
            if self._staged:
                self._staged.touch(mode=0o600)
        except BaseException as error:
            self._close()
            if not isinstance(error, OSError):
                raise
            raise StoreFailed("{path} cannot be written: {why}.", path=error.filename, why=error.strerror) from error
        return self

    def _close(self) -> None:
        try:
            self.end_file()
        finally:
            self.store.close()
            self._target.close()

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._close()
        if failed:
            self._put_back(self._placed)
        self._clear()

    def _require_empty(self) -> None:
        taken = self.place.data_dir / KEYSTORE
        if self._database:
            taken = self._database if self._database.exists() else taken
        else:
            with self._target.read() as tx:
                if tables_of(tx):
                    raise Conflict("That database holds tables already. Restore into an empty one.")
        if taken.exists():
            raise Conflict("{path} exists already. Restore into an empty place.", path=taken)

    def _sweep(self) -> None:
        """What an earlier restore left that was cut off by force: without its database nothing of it counts."""
        if not self._folder.is_dir():
            return
        if self._database and not self._database.exists():
            plan = self._folder / _PLAN
            pairs = json.loads(plan.read_text("utf-8")) if plan.exists() else []
            self._put_back([(Path(staged), Path(final)) for staged, final in pairs])
        self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._staged:
            for suffix in ("", "-wal", "-shm", "-journal"):
                self._staged.with_name(self._staged.name + suffix).unlink(missing_ok=True)

    def file(self, name: object) -> None:
        """Raises BadInput for a name that leads out of here, or that was there already."""
        self.end_file()
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise unreadable()
        path = self.files / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def piece(self, content: bytes) -> None:
        if self._open is None:
            raise unreadable()
        self._open.write(content)

    def end_file(self) -> None:
        if self._open:
            self._open.flush()
            os.fsync(self._open.fileno())
            self._open.close()
            self._open = None

    @property
    def _pieces(self) -> Iterator[tuple[Path, Path]]:
        folder = self.place.config.parent
        yield self.files / CONFIG, self.place.config
        for name in EDITED:
            yield self.files / name, folder / name
        for path in sorted((self.files / DATA).iterdir()):
            yield path, self.place.data_dir / path.name

    @property
    def kept(self) -> tuple[Path, ...]:
        """What people edit and had put there before: theirs stays."""
        return tuple(final for _, final in list(self._pieces)[: 1 + len(EDITED)] if final.exists())

    def put_in_place(self) -> None:
        kept = self.kept
        pieces = [(staged, final) for staged, final in self._pieces if staged.exists() and final not in kept]
        if self._staged and self._database:
            pieces.append((self._staged, self._database))
        for _staged, final in pieces:
            if final.exists():
                raise Conflict("{path} exists already. Restore into an empty place.", path=final)
        (self._folder / _PLAN).write_text(json.dumps([[str(each) for each in pair] for pair in pieces]), "utf-8")
        for staged, final in pieces:
            staged.rename(final)
            self._placed.append((staged, final))

    def _put_back(self, pairs: list[tuple[Path, Path]]) -> None:
        for staged, final in pairs:
            if final.exists() and not staged.exists():
                final.rename(staged)
