"""Who is signed in, one-time links, failed tries and forms already sent: only hashes of what people hold."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bot.store.rows import upsert, value
from bot.store.tables import form_tokens, invitations, sessions, tries


@dataclass(frozen=True, slots=True)
class Session:
    """Times UTC. `full` once every factor was shown; `proved_at` is when one was shown last."""

    id: int
    person_id: int
    device: str
    full: bool
    made_at: datetime
    seen_at: datetime
    proved_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    hash: str
    person_id: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tries:
    failures: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class FormToken:
    person_id: int
    made_at: datetime
    result: str


def add(tx: Connection, *, hashed: str, person_id: int, device: str, full: bool, now: datetime) -> int:
    times = dict.fromkeys(("made_at", "seen_at", "proved_at"), now)
    new = insert(sessions).values(hash=hashed, person_id=person_id, device=device, full=full, **times)
    return int(tx.execute(new.returning(sessions.c.id)).scalar_one())


def find(tx: Connection, hashed: str) -> Session | None:
    row = tx.execute(select(sessions).where(sessions.c.hash == hashed)).first()
    return value(Session, row) if row else None


def of_person(tx: Connection, person_id: int) -> tuple[Session, ...]:
    """Newest first."""
    newest = select(sessions).where(sessions.c.person_id == person_id).order_by(sessions.c.seen_at.desc())
    return tuple(value(Session, row) for row in tx.execute(newest))


def touch(tx: Connection, session_id: int, **times: datetime) -> None:
    tx.execute(update(sessions).where(sessions.c.id == session_id).values(**times))


def end(tx: Connection, person_id: int, session_id: int) -> None:
    tx.execute(delete(sessions).where(sessions.c.id == session_id, sessions.c.person_id == person_id))


def end_all(tx: Connection, person_id: int, *, but: int = 0) -> None:
    tx.execute(delete(sessions).where(sessions.c.person_id == person_id, sessions.c.id != but))


def sweep(tx: Connection, *, idle_since: datetime, made_before: datetime, now: datetime) -> None:
    """Forgets what no longer counts: sessions, links and failures. Forms are kept as long as a session."""
    tx.execute(delete(sessions).where((sessions.c.seen_at < idle_since) | (sessions.c.made_at < made_before)))
    tx.execute(delete(invitations).where(invitations.c.expires_at < now))
    tx.execute(delete(tries).where(tries.c.next_at < made_before))
    tx.execute(delete(form_tokens).where(form_tokens.c.made_at < made_before))


def invite(tx: Connection, hashed: str, person_id: int | None, *, now: datetime, until: datetime) -> None:
    """The newest link of a person is the only one; so is that for the first admin."""
    tx.execute(delete(invitations).where(invitations.c.person_id.is_not_distinct_from(person_id)))
    tx.execute(insert(invitations).values(hash=hashed, person_id=person_id, made_at=now, expires_at=until))


def invitation(tx: Connection, hashed: str) -> Invitation | None:
    row = tx.execute(select(invitations).where(invitations.c.hash == hashed)).first()
    return value(Invitation, row) if row else None


def invited(tx: Connection) -> frozenset[int | None]:
    """Whose links nobody has used yet."""
    return frozenset(tx.execute(select(invitations.c.person_id)).scalars())


def use_up(tx: Connection, hashed: str) -> bool:
    """False if somebody was quicker."""
    return bool(tx.execute(delete(invitations).where(invitations.c.hash == hashed)).rowcount)


def failed(tx: Connection, key: str) -> Tries | None:
    row = tx.execute(select(tries).where(tries.c.key == key)).first()
    return value(Tries, row) if row else None


def note_failure(tx: Connection, key: str, failures: int, next_at: datetime) -> None:
    values = {"failures": failures, "next_at": next_at}
    new = upsert(tx, tries).values(key=key, **values)
    tx.execute(new.on_conflict_do_update(index_elements=["key"], set_=values))


def forgive(tx: Connection, key: str) -> None:
    tx.execute(delete(tries).where(tries.c.key == key))


def form(tx: Connection, token: str) -> FormToken | None:
    row = tx.execute(select(form_tokens).where(form_tokens.c.token == token)).first()
    return value(FormToken, row) if row else None


def begin_form(tx: Connection, token: str, person_id: int, now: datetime) -> None:
    """Raises Conflict, at the latest when the transaction ends, if it was begun already."""
    tx.execute(insert(form_tokens).values(token=token, person_id=person_id, made_at=now))


def end_form(tx: Connection, token: str, result: str) -> None:
    """Without a result the form may be sent again."""
    here = form_tokens.c.token == token
    tx.execute(update(form_tokens).where(here).values(result=result) if result else delete(form_tokens).where(here))
