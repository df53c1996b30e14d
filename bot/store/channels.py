"""What was last found of each account when somebody, or the daemon, signed in and looked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.ports import Account, Failure, Said
from bot.store.rows import upsert
from bot.store.tables import attempts, channels, deliveries


@dataclass(frozen=True, slots=True)
class Looked:
    """`missing` is empty where all is well; its lines are Said where they can be translated."""

    at: datetime
    account: str = ""
    expires_at: datetime | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Out:
    """What went out last on an account."""

    post_id: int
    at: datetime
    url: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The newest try that came to nothing; `outcome` is a Failure, `detail` what the service said."""

    post_id: int
    at: datetime
    outcome: str
    detail: str


def last_out(tx: Connection, name: str) -> Out | None:
    d = deliveries.c
    query = select(d.post_id, d.published_at, d.url).where(d.channel == name, d.published_at.is_not(None))
    row = tx.execute(query.order_by(d.published_at.desc()).limit(1)).first()
    return Out(row.post_id, row.published_at, row.url or "") if row else None


def last_failed(tx: Connection, name: str, since: datetime) -> Failed | None:
    """Of the tries begun since then: among many that went well, one that failed is found by looking at each."""
    a = attempts.c
    query = select(deliveries.c.post_id, a.began_at, a.outcome, a.detail).join_from(attempts, deliveries)
    mine = (a.channel == name, a.began_at >= since, a.outcome.in_(list(Failure)))
    row = tx.execute(query.where(*mine).order_by(a.began_at.desc()).limit(1)).first()
    return Failed(row.post_id, row.began_at, row.outcome, row.detail) if row else None


def note(tx: Connection, name: str, account: Account, now: datetime) -> None:
    lines = [[line.template, _plain(line.fields)] if isinstance(line, Said) else [line, {}] for line in account.missing]
    found = {
        "account": account.name,
        "checked_at": now,
        "expires_at": account.expires_at,
        "missing": json.dumps(lines, ensure_ascii=False),
    }
    new = upsert(tx, channels).values(name=name, **found)
    tx.execute(new.on_conflict_do_update(index_elements=["name"], set_=found))


def _plain(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items()}


def looked(tx: Connection) -> Mapping[str, Looked]:
    """By the account's name; one that was never looked at is not there."""
    rows = tx.execute(select(channels).where(channels.c.checked_at.is_not(None)))
    return {
        row.name: Looked(
            row.checked_at,
            row.account,
            row.expires_at,
            tuple(Said(template, **fields) for template, fields in json.loads(row.missing)),
        )
        for row in rows
    }
