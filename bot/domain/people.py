"""Who may do what: roles, the one table of acts, and the four-eyes rule."""

from collections.abc import Collection, Mapping, Sequence
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
    RETURN_POST = "return posts"
    CANCEL_POST = "cancel posts"
    COMMENT = "comment on posts"
    EDIT_CASE = "edit cases"
    WITHDRAW = "take down posts"
    SETTLE_DELIVERY = "settle deliveries"
    HALT = "halt or hold"
    UNHALT = "end a halt or a hold"
    MANAGE_PEOPLE = "manage people"
    MANAGE_CHANNELS = "manage channels"
    MANAGE_KEYS = "change the signing key"
    READ_AUDIT = "read the audit log"
    EXPORT = "export"
    EXPORT_LOG = "export the audit log"
    PANIC = "lock everything"


DUTIES: Mapping[Duty, frozenset[Role]] = {
    Duty.WRITE_POST: frozenset({Role.COORDINATOR}),
    Duty.APPROVE_POST: frozenset({Role.REVIEWER}),
    Duty.RETURN_POST: frozenset({Role.REVIEWER}),
    Duty.CANCEL_POST: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.COMMENT: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.EDIT_CASE: frozenset({Role.COORDINATOR}),
    Duty.WITHDRAW: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.SETTLE_DELIVERY: frozenset({Role.COORDINATOR, Role.REVIEWER}),
    Duty.HALT: frozenset(Role),
    Duty.UNHALT: frozenset({Role.COORDINATOR, Role.REVIEWER, Role.ADMIN}),
    Duty.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    Duty.MANAGE_CHANNELS: frozenset({Role.ADMIN}),
    Duty.MANAGE_KEYS: frozenset({Role.ADMIN}),
    Duty.READ_AUDIT: frozenset({Role.AUDITOR, Role.ADMIN}),
    Duty.EXPORT: frozenset({Role.COORDINATOR, Role.ADMIN, Role.AUDITOR}),
    Duty.EXPORT_LOG: frozenset({Role.AUDITOR, Role.ADMIN}),
    # Guarded by its word alone: whoever must be quick has no time for codes.
    Duty.PANIC: frozenset({Role.ADMIN}),
}


# What must not be done by whoever found a token, a screen or a passphrase.
GUARDED = frozenset(
    {
        Duty.APPROVE_POST,
        Duty.UNHALT,
        Duty.MANAGE_PEOPLE,
        Duty.MANAGE_CHANNELS,
        Duty.MANAGE_KEYS,
        Duty.EXPORT,
        Duty.EXPORT_LOG,
    }
)
# People and accounts, and the log, are of the whole installation: who has these roles has them everywhere.
LIMITABLE = frozenset({Role.COORDINATOR, Role.REVIEWER})


class Lack(StrEnum):
    """What somebody who signed in has not shown, and a guarded duty takes."""

    FRESH_TOKEN = "fresh token"  # noqa: S105 - no secret
    SECOND_FACTOR = "second factor"


@dataclass(frozen=True, slots=True)
class Scope:
    """The campaigns and channels that an act touches."""

    campaigns: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


# No name is “*”: only a role without limits reaches this.
EVERYTHING = Scope(frozenset({"*"}), frozenset({"*"}))
# Covered by any limit: whether they may do this anywhere at all.
ANYWHERE = Scope()
# What is taken out, or how it was found, tells of everything.
_WHOLE = frozenset({Duty.EXPORT})


@dataclass(frozen=True, slots=True)
class Limit:
    """The role counts only within these; where none is named, within all."""

    role: Role
    campaigns: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def covers(self, scope: Scope) -> bool:
        pairs = ((self.campaigns, scope.campaigns), (self.channels, scope.channels))
        return all(not own or touched <= own for own, touched in pairs)


@dataclass(frozen=True, slots=True)
class Person:
    """An account. `pseudonym` stands in the record; the alias is kept apart, in the keystore.

    `lineage` holds the ids of whoever made the account, and of whoever made that one, and so on.
    `lacks` is what they did not show when they signed in this time.
    """

    id: int
    pseudonym: str
    roles: frozenset[Role]
    lineage: frozenset[int] = frozenset()
    active: bool = True
    limits: frozenset[Limit] = frozenset()
    lacks: Lack | None = None


def require(person: Person, duty: Duty, scope: Scope = ANYWHERE) -> None:
    """Raises Refused with what would do."""
    _require_role(person, duty, EVERYTHING if duty in _WHOLE else scope)
    if person.lacks and duty in GUARDED:
        raise _lacking(person.lacks, duty)


def _lacking(lack: Lack, duty: Duty) -> Refused:
    if lack is Lack.FRESH_TOKEN:
        return Refused(
            "To {duty}, use a token made in the last 15 minutes.", duty=duty.value, command="user token --as ALIAS"
        )
    return Refused(
        "To {duty}, first set up a second factor on the page Settings: a passkey, or one-time codes.", duty=duty.value
    )


def _require_role(person: Person, duty: Duty, scope: Scope) -> None:
    if not person.active:
        raise Refused("This account is disabled. Ask an admin.")
    roles = person.roles & DUTIES[duty]
    if not roles:
        able = ", ".join(sorted(role.value for role in DUTIES[duty]))
        raise Refused("You may not {duty}. It takes the role {roles}.", duty=duty.value, roles=able)
    limits = [limit for limit in person.limits if limit.role in roles]
    if {limit.role for limit in limits} == roles and not any(limit.covers(scope) for limit in limits):
        raise Refused("You may not {duty} here: your role is only for {limits}.", duty=duty.value, limits=_said(limits))


def _said(limits: Sequence[Limit]) -> str:
    return ", ".join(sorted({name for limit in limits for name in limit.campaigns | limit.channels}))


def require_other_eyes(reviewer: Person, authors: Collection[int]) -> None:
    """Nobody approves their own words, nor through an account they made."""
    if reviewer.id in authors:
        raise Refused("You wrote this, so someone else must approve it.")
    if reviewer.lineage & set(authors):
        raise Refused("The author of this made your account, so someone else must approve it.")
