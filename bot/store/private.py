"""Files for their owner's eyes alone: looked at before they are read, written whole or not at all."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.domain.errors import Misconfigured, StoreFailed

OWN, SHARED = 0o600, 0o660
_OTHERS = 0o077


def mode_in(folder: Path) -> int:
    """Of a file there. A folder that hands on its group (set-group-ID) and is open to it is shared on purpose: by
    the daemon and the pages, run as two users.
    """
    wanted = stat.S_ISGID | stat.S_IRWXG
    return SHARED if folder.stat().st_mode & wanted == wanted else OWN


def require_private(path: Path) -> None:
    """Raises Misconfigured with the remedy, where others on this machine can open it."""
    is_shared = mode_in(path if path.is_dir() else path.parent) == SHARED
    if path.stat().st_mode & (_OTHERS & ~stat.S_IRWXG if is_shared else _OTHERS):
        raise Misconfigured("Others on this machine can open {path}. Run: chmod go= {path}", path=path)


def require_own(path: Path) -> None:
    """For this user alone, wherever it lies. Raises Misconfigured."""
    if path.stat().st_mode & _OTHERS:
        raise Misconfigured("Others on this machine can open {path}. Run: chmod go= {path}", path=path)
    if path.stat().st_uid != os.geteuid():
        raise Misconfigured("{path} belongs to another user of this machine. Run this as that user.", path=path)


def write_whole(path: Path, content: bytes, mode: int = 0) -> None:
    """On disk before it returns; `mode` as its folder has it, unless given. Raises StoreFailed."""
    spare = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with told_plainly(path.parent):
        mode = mode or mode_in(path.parent)
        try:
            with os.fdopen(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            spare.chmod(mode)
            spare.replace(path)
        finally:
            spare.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Processes and threads take turns."""
    with told_plainly(lock.parent):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, mode_in(lock.parent))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def told_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror
        raise StoreFailed("{folder} cannot be written: {why}.", folder=folder, why=why) from error
