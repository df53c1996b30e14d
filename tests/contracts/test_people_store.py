"""People as rows: roles, tokens and who stands behind an account, the same on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from bot.domain.errors import Conflict, NotFound
from bot.domain.people import Person, Role
from bot.store import people
from bot.store.engine import Store

NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)
ROLES = frozenset({Role.ADMIN, Role.COORDINATOR})


def a_person(
    tx: Connection, name: str = "p-1", made_by: Person | None = None, roles: frozenset[Role] = ROLES
) -> Person:
    return people.add(
        tx, pseudonym=name, roles=roles, token_hash="f" * 64, made_by=made_by.id if made_by else None, at=NOON
    )


def test_a_person_comes_back_as_they_were_added(store: Store) -> None:
    with store.write() as tx:
        assert not people.anybody(tx)
        added = a_person(tx)
    with store.read() as tx:
        assert people.anybody(tx)
        assert people.get(tx, added.id) == added == Person(added.id, "p-1", ROLES)
        assert people.everyone(tx) == (people.Account(added, "f" * 64, None, NOON, None, NOON),)
        assert people.by_pseudonym(tx, "p-1") == people.everyone(tx)[0]
        assert people.by_pseudonym(tx, "p-2") is None


def test_nobody_is_found_by_a_number_nobody_has(store: Store) -> None:
    with store.read() as tx, pytest.raises(NotFound):
        people.get(tx, 1)


def test_a_pseudonym_is_given_once(store: Store) -> None:
    with store.write() as tx:
        a_person(tx)
    with pytest.raises(Conflict), store.write() as tx:
        a_person(tx)


def test_roles_token_and_disabling_are_kept(store: Store) -> None:
    with store.write() as tx:
        added = a_person(tx)
        people.set_roles(tx, added.id, frozenset({Role.AUDITOR}))
        people.set_token(tx, added.id, "0" * 64, added.id, NOON)
        people.set_disabled(tx, added.id, NOON + timedelta(microseconds=1))
    with store.read() as tx:
        (account,) = people.everyone(tx)
    assert account.person.roles == {Role.AUDITOR}
    assert not account.person.active
    assert (account.token_hash, account.disabled_at) == ("0" * 64, NOON + timedelta(microseconds=1))


def test_lineage_holds_makers_and_whoever_was_shown_a_token_of_theirs(store: Store) -> None:
    with store.write() as tx:
        first = a_person(tx)
        second = a_person(tx, "p-2", first)
        third = a_person(tx, "p-3", second)
        alone = a_person(tx, "p-4")
        people.set_token(tx, first.id, "0" * 64, alone.id, NOON)
    with store.read() as tx:
        lineages = {each.person.id: each.person.lineage for each in people.everyone(tx)}
    assert lineages == {
        first.id: {alone.id},
        second.id: {first.id, alone.id},
        third.id: {second.id, first.id, alone.id},
        alone.id: frozenset(),
    }


def test_a_ring_of_elders_ends(store: Store) -> None:
    with store.write() as tx:
        first = a_person(tx)
        second = a_person(tx, "p-2", first)
        people.set_token(tx, first.id, "0" * 64, second.id, NOON)
    with store.read() as tx:
        assert [each.person.lineage for each in people.everyone(tx)] == [{second.id}, {first.id}]
