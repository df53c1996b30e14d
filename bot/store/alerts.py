"""How far each way of telling people has come in the log, what it has said, and what went wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.store.rows import value
from bot.store.tables import alerts

_c = alerts.c
LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """Every entry before `seen` was told, or was not worth it. `next_at`: nothing is told before then."""

    name: str
    seen: int
    next_at: datetime
    said: Mapping[str, Any] = field(default_factory=dict)
    told_at: datetime | None = None
    failures: int = 0
    error: str = ""


def get(tx: Connection, name: str) -> Progress | None:
    row = tx.execute(select(alerts).where(_c.name == name)).first()
    return value(Progress, row, said=json.loads(row.said)) if row else None


def begin(tx: Connection, name: str, seen: int, now: datetime) -> None:
    tx.execute(insert(alerts).values(name=name, seen=seen, next_at=now))


def change(tx: Connection, as_read: Progress, **columns: object) -> bool:
    """False where another process told meanwhile."""
    if "said" in columns:
        columns["said"] = json.dumps(columns["said"], sort_keys=True)
    where = (_c.name == as_read.name, _c.next_at == as_read.next_at, _c.seen == as_read.seen)
    return tx.execute(update(alerts).where(*where).values(columns)).rowcount == 1
