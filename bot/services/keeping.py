"""Backups that nobody has to ask for: one when it is due, no more than were wanted, none that remembers too long."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.errors import StoreFailed
from bot.services.backup import BY_HAND, Place, back_up
from bot.services.context import Context, Keeping
from bot.store import audit

KEPT = "backup:kept"
AGAIN = timedelta(hours=1)
LATE = 2
"""So many times the usual distance without a backup is too long."""
_WHEN = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Kept:
    """When the newest backup was made, of those that make themselves, or by hand where none does.

    `failed` says that the last try did; `late` that there should be a newer one by now.
    """

    at: datetime | None
    failed: bool = False
    late: bool = False

    @property
    def is_ill(self) -> bool:
        return self.failed or self.late


class _Stopped(Exception):
    """The program ends, and the backup is left for its next start."""


def kept(ctx: Context, tx: Connection) -> Kept:
    if ctx.keeping is None:
        return Kept(_last(tx, Act.BACKUP_MADE, BY_HAND))
    made, failed = _last(tx, Act.BACKUP_MADE, KEPT), _last(tx, Act.BACKUP_FAILED, KEPT)
    is_late = made is not None and ctx.now() - made > ctx.keeping.every * LATE
    return Kept(made, failed is not None and (made is None or failed > made), is_late)


def _last(tx: Connection, act: Act, obj: str) -> datetime | None:
    found = audit.find_last(tx, act, obj)
    return found.ts if found else None


def keep_up(ctx: Context, stopping: Callable[[], bool] = lambda: False) -> int:
    """Makes a backup if one is due, then deletes those that are over their time; returns how many.

    Raises whatever went wrong, once the log says that it did.
    """
    keeping = ctx.keeping
    if keeping is None:
        return 0
    try:
        if _is_due(ctx, keeping):
            _make(ctx, keeping, stopping)
        return _clear_out(ctx, keeping)
    except _Stopped:
        return 0
    except Exception as error:
        with ctx.store.write() as tx:
            ctx.record(tx, None, Act.BACKUP_FAILED, KEPT, {"error": type(error).__name__})
        raise


def _is_due(ctx: Context, keeping: Keeping) -> bool:
    with ctx.store.read() as tx:
        made, failed = _last(tx, Act.BACKUP_MADE, KEPT), _last(tx, Act.BACKUP_FAILED, KEPT)
    waits = ((made, keeping.every), (failed, min(AGAIN, keeping.every)))
    return all(last is None or ctx.now() - last >= wait for last, wait in waits)


def _make(ctx: Context, keeping: Keeping, stopping: Callable[[], bool]) -> None:
    def go_on(_done: int, _of: int) -> None:
        if stopping():
            raise _Stopped

    for part in keeping.folder.glob(f".{_prefix(ctx)}-*.part"):  # of a program that was killed
        part.unlink(missing_ok=True)
    target = keeping.folder / f"{_prefix(ctx)}-{ctx.now().astimezone(UTC):{_WHEN}}.backup"
    back_up(ctx, Place(keeping.config, ctx.data_dir), target, keeping.passphrase(), tell=go_on, obj=KEPT)


def _prefix(ctx: Context) -> str:
    """Installations may share a folder; each knows its own."""
    return ctx.keystore.name.replace("/", "-")


def _clear_out(ctx: Context, keeping: Keeping) -> int:
    """Never the newest, however old: it is better than none."""
    oldest = ctx.now() - keeping.longest
    others = sorted(_ours(ctx, keeping), reverse=True)[1:]
    over = [path for number, (at, path) in enumerate(others, 1) if number >= keeping.most or at < oldest]
    try:
        for path in over:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreFailed("{path} cannot be deleted: {why}.", path=error.filename, why=error.strerror) from error
    return len(over)


def _ours(ctx: Context, keeping: Keeping) -> Iterator[tuple[datetime, Path]]:
    name = re.compile(re.escape(_prefix(ctx)) + r"-([0-9]{8}T[0-9]{6}Z)\.backup")
    for path in keeping.folder.glob("*.backup"):
        if (found := name.fullmatch(path.name)) and path.is_file():
            try:
                yield datetime.strptime(found[1], _WHEN).replace(tzinfo=UTC), path
            except ValueError:
                continue
