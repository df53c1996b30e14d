"""People as pseudonyms, roles and hashes of what they sign in with; their aliases are in the keystore alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from bot.domain.errors import NotFound
from bot.domain.people import Limit, Person, Role
from bot.store.rows import value
from bot.store.tables import people


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the database keeps them. Times UTC."""

    person: Person
    token_hash: str
    made_by: int | None
    made_at: datetime
    disabled_at: datetime | None
    token_at: datetime
    passphrase: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


def add(
    tx: Connection, *, pseudonym: str, roles: frozenset[Role], token_hash: str, made_by: int | None, at: datetime
) -> Person:
    known = {"pseudonym": pseudonym, "roles": _write_roles(roles), "token_hash": token_hash}
    new = insert(people).values(known | {"made_by": made_by, "token_by": made_by, "made_at": at, "token_at": at})
    return get(tx, tx.execute(new.returning(people.c.id)).scalar_one())


def anybody(tx: Connection) -> bool:
    """Whether somebody could sign in; after a panic nobody can."""
    active = select(func.count()).select_from(people).where(people.c.disabled_at.is_(None))
    return bool(tx.execute(active).scalar_one())


def get(tx: Connection, person_id: int) -> Person:
    for account in everyone(tx):
        if account.person.id == person_id:
            return account.person
    raise NotFound("There is no person {id}.", id=person_id)


def by_pseudonym(tx: Connection, pseudonym: str) -> Account | None:
    return next((each for each in everyone(tx) if each.person.pseudonym == pseudonym), None)


def everyone(tx: Connection) -> tuple[Account, ...]:
    """In the order in which they were made. A coalition is small: lineages are drawn from all rows."""
    rows = tx.execute(select(people).order_by(people.c.id)).all()
    elders = {row.id: frozenset({row.made_by, row.token_by, row.link_by} - {None, row.id}) for row in rows}
    return tuple(_account(row, elders) for row in rows)


def _account(row: Row[Any], elders: Mapping[int, frozenset[int]]) -> Account:
    roles, active = frozenset(Role(name) for name in row.roles.split()), row.disabled_at is None
    person = Person(
        id=row.id,
        pseudonym=row.pseudonym,
        roles=roles,
        lineage=_lineage(row.id, elders),
        active=active,
        limits=frozenset(
            Limit(Role(role), frozenset(each["campaigns"]), frozenset(each["channels"]))
            for role, each in json.loads(row.limits).items()
            if role in roles
        ),
    )
    return value(Account, row, person=person, settings=json.loads(row.settings))


def _lineage(person_id: int, elders: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Everyone who made the account or was shown its token or link, and theirs in turn; there may be rings."""
    found: set[int] = set()
    ahead = set(elders[person_id])
    while ahead:
        elder = ahead.pop()
        found.add(elder)
        ahead |= elders[elder] - found
    return frozenset(found - {person_id})


def set_roles(tx: Connection, person_id: int, roles: frozenset[Role], limits: Iterable[Limit] = ()) -> None:
    said = {
        each.role: {"campaigns": sorted(each.campaigns), "channels": sorted(each.channels)}
        for each in limits
        if each.campaigns or each.channels
    }
    _set(tx, person_id, roles=_write_roles(roles), limits=json.dumps(said, sort_keys=True))


def set_token(tx: Connection, person_id: int, token_hash: str, shown_to: int | None, at: datetime) -> None:
    _set(tx, person_id, token_hash=token_hash, token_by=shown_to, token_at=at)


def set_link_by(tx: Connection, person_id: int, shown_to: int | None) -> None:
    _set(tx, person_id, link_by=shown_to)


def set_passphrase(tx: Connection, person_id: int, hashed: str) -> None:
    _set(tx, person_id, passphrase=hashed)


def set_settings(tx: Connection, person_id: int, settings: Mapping[str, str]) -> None:
    _set(tx, person_id, settings=json.dumps(dict(settings), sort_keys=True))


def set_disabled(tx: Connection, person_id: int, at: datetime | None) -> None:
    _set(tx, person_id, disabled_at=at)


def _set(tx: Connection, person_id: int, **values: object) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(**values))


def _write_roles(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))
