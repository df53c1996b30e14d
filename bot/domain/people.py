"""Who may do what: roles, the one table of acts, and the four-eyes rule."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.errors import Refused


class Role(StrEnum):
    COORDINATOR = "coordinator"
    REVIEWER = "reviewer"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Duty(StrEnum):
    """What a person sets out to do; reading is open to everyone signed in, except the audit log."""

    WRITE_POST = "write posts"
    APPROVE_POST = "approve posts"
    COMMENT = "comment on posts"
    EDIT_CASE = "edit cases"
    WITHDRAW = "take down posts"
    SETTLE_DELIVERY = "settle deliveries"
    HALT = "halt or hold"
    UNHALT = "end a halt or a hold"
    MANAGE_PEOPLE = "manage people"
    MANAGE_CHANNELS = "manage channels"
    READ_AUDIT = "read the audit log"
    EXPORT = "export"


DUTIES: Mapping[Duty, frozenset[Role]] = {
    Duty.WRITE_POST: frozenset({Role.COORDINATOR}),
    Duty.APPROVE_POST: frozenset({Role.REVIEWER}),
    Duty.COMMENT: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.EDIT_CASE: frozenset({Role.COORDINATOR}),
    Duty.WITHDRAW: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.SETTLE_DELIVERY: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.HALT: frozenset(Role),
    Duty.UNHALT: frozenset({Role.COORDINATOR, Role.REVIEWER, Role.ADMIN}),
    Duty.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    Duty.MANAGE_CHANNELS: frozenset({Role.ADMIN}),
    Duty.READ_AUDIT: frozenset({Role.AUDITOR, Role.ADMIN}),
    Duty.EXPORT: frozenset({Role.COORDINATOR, Role.ADMIN, Role.AUDITOR}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """An account. `pseudonym` stands in the record; the alias is kept apart, in the keystore.

    `lineage` holds the ids of whoever made the account, and of whoever made that one, and so on.
    """

    id: int
    pseudonym: str
    roles: frozenset[Role]
    lineage: frozenset[int] = frozenset()
    active: bool = True


def require(person: Person, duty: Duty) -> None:
    """Raises Refused with the roles that would do."""
    if not person.active:
        raise Refused("This account is disabled. Ask an admin.")
    if not person.roles & DUTIES[duty]:
        able = ", ".join(sorted(role.value for role in DUTIES[duty]))
        raise Refused("You may not {duty}. It takes the role {roles}.", duty=duty.value, roles=able)


def require_other_eyes(reviewer: Person, authors: Collection[int]) -> None:
    """Nobody approves their own words, nor through an account they made."""
    if reviewer.id in authors:
        raise Refused("You wrote this, so someone else must approve it.")
    if reviewer.lineage & set(authors):
        raise Refused("The author of this made your account, so someone else must approve it.")
