"""Files for their owner's eyes alone: looked at before they are read, written whole or not at all."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.domain.errors import Misconfigured, StoreFailed

_OTHERS = 0o077


def require_private(path: Path) -> None:
    """Raises Misconfigured with the remedy, where others on this machine can open it."""
    if path.stat().st_mode & _OTHERS:
        raise Misconfigured("Others on this machine can open {path}. Run: chmod go= {path}", path=path)


def require_own(path: Path) -> None:
    """As require_private; and it must be this user's."""
    require_private(path)
    if path.stat().st_uid != os.geteuid():
        raise Misconfigured("{path} belongs to another user of this machine. Run this as that user.", path=path)


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """On disk before it returns. Raises StoreFailed."""
    spare = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with told_plainly(path.parent):
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
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
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
