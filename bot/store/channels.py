"""What was last found of each account when somebody, or the daemon, signed in and looked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.ports import Account, Said
from bot.store.rows import upsert
from bot.store.tables import channels


@dataclass(frozen=True, slots=True)
class Looked:
    """`missing` is empty where all is well; its lines are Said where they can be translated."""

    at: datetime
    account: str = ""
    expires_at: datetime | None = None
    missing: tuple[str, ...] = ()


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
