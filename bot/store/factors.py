"""What people prove themselves with beside the passphrase, and the short-lived tokens they mint with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select, update

from bot.store.rows import value
from bot.store.tables import factors, tokens


class Kind(StrEnum):
    PASSKEY = "passkey"
    CODE = "code"
    RECOVERY = "recovery"
    # A secret for codes that was shown and does not count yet.
    OFFERED = "offered"


@dataclass(frozen=True, slots=True)
class Factor:
    """Times UTC. What `handle`, `secret` and `count` hold depends on the kind, as in the table."""

    id: int
    person_id: int
    kind: Kind
    handle: str
    secret: str
    name: str
    count: int
    made_at: datetime
    used_at: datetime | None


def add(tx: Connection, person_id: int, kind: Kind, handle: str, at: datetime, **more: str | int) -> None:
    tx.execute(insert(factors).values(person_id=person_id, kind=kind, handle=handle, made_at=at, **more))


def of_person(tx: Connection, person_id: int, *kinds: Kind) -> tuple[Factor, ...]:
    """Oldest first; of every kind where none is named."""
    wanted = select(factors).where(factors.c.person_id == person_id, factors.c.kind.in_(kinds or tuple(Kind)))
    return tuple(value(Factor, row, kind=Kind(row.kind)) for row in tx.execute(wanted.order_by(factors.c.id)))


def find(tx: Connection, kind: Kind, handle: str) -> Factor | None:
    row = tx.execute(select(factors).where(factors.c.kind == kind, factors.c.handle == handle)).first()
    return value(Factor, row, kind=Kind(row.kind)) if row else None


def with_second(tx: Connection) -> frozenset[int]:
    """The ids of whoever has one; recovery codes alone are none."""
    wanted = select(factors.c.person_id).where(factors.c.kind.in_((Kind.PASSKEY, Kind.CODE)))
    return frozenset(tx.execute(wanted).scalars())


def use_step(tx: Connection, factor_id: int, step: int, at: datetime) -> bool:
    """False where that step, or a later one, was used already."""
    here = update(factors).where(factors.c.id == factor_id, factors.c.count < step)
    return bool(tx.execute(here.values(count=step, used_at=at)).rowcount)


def note_use(tx: Connection, factor_id: int, count: int, at: datetime) -> None:
    tx.execute(update(factors).where(factors.c.id == factor_id).values(count=count, used_at=at))


def use_up(tx: Connection, person_id: int, kind: Kind, handle: str) -> bool:
    """False where it is not theirs, or is gone already."""
    here = (factors.c.person_id == person_id, factors.c.kind == kind, factors.c.handle == handle)
    return bool(tx.execute(delete(factors).where(*here)).rowcount)


def drop(tx: Connection, person_id: int, factor_id: int) -> Kind | None:
    """What it was; None where there is no such factor of theirs."""
    here = (factors.c.person_id == person_id, factors.c.id == factor_id)
    found = tx.execute(delete(factors).where(*here).returning(factors.c.kind)).scalar()
    return Kind(found) if found else None


def drop_all(tx: Connection, person_id: int, *kinds: Kind) -> None:
    """Of every kind where none is named."""
    tx.execute(delete(factors).where(factors.c.person_id == person_id, factors.c.kind.in_(kinds or tuple(Kind))))


def mint(tx: Connection, hashed: str, person_id: int, *, now: datetime, until: datetime) -> None:
    tx.execute(delete(tokens).where(tokens.c.expires_at < now))
    tx.execute(insert(tokens).values(hash=hashed, person_id=person_id, expires_at=until))


def is_minted(tx: Connection, hashed: str, person_id: int, now: datetime) -> bool:
    here = (tokens.c.hash == hashed, tokens.c.person_id == person_id, tokens.c.expires_at >= now)
    return tx.execute(select(tokens.c.hash).where(*here)).first() is not None


def drop_tokens(tx: Connection, person_id: int) -> None:
    tx.execute(delete(tokens).where(tokens.c.person_id == person_id))
