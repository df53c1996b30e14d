"""What is known of the pictures that are kept beside the database, by the digest of their bytes."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from bot.domain.errors import NotFound
from bot.domain.post import Picture
from bot.store import tables as t
from bot.store.rows import upsert, value


def add(tx: Connection, picture: Picture, size: int, now: datetime) -> None:
    """The same picture twice is one."""
    row = {"digest": picture.digest, "mime": picture.mime, "width": picture.width, "height": picture.height,
           "day": picture.day}  # fmt: skip
    tx.execute(upsert(tx, t.images).values(row | {"size": size, "added_at": now}).on_conflict_do_nothing())


def get(tx: Connection, digest: str) -> Picture:
    """Without a description: that belongs to the post."""
    row = tx.execute(select(t.images).where(t.images.c.digest == digest)).first()
    if row is None:
        raise NotFound("There is no picture {digest}. Add it again.", digest=digest[:12])
    return value(Picture, row, alt={})


def missing(tx: Connection, digests: Collection[str]) -> frozenset[str]:
    """Those of these that are not on record."""
    known = tx.execute(select(t.images.c.digest).where(t.images.c.digest.in_(digests))).scalars()
    return frozenset(digests) - frozenset(known)
