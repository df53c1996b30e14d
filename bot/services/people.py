"""Who may come in, and with which roles: accounts by alias, a token shown once, and always an admin left."""

import hashlib
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import fold
from bot.domain.errors import BadInput, Conflict, NotFound, Refused
from bot.domain.people import LIMITABLE, Duty, Lack, Limit, Person, Role
from bot.services.context import Context
from bot.store import audit, factors, people, sessions

SHORTEST_ALIAS = 2
LONGEST_ALIAS = 40
LONGEST_TOKEN = 200
TOKEN_BYTES = 32
FRESH = timedelta(minutes=15)
# The hash of no token: compared with when there is no such alias, so that both answers take the same work.
_NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as admins see them. Times UTC; `made_by` is an alias, or "" for the first.

    `invited` have a one-time link that they have not used yet. `needs_second` from when guarded duties take a second
    factor; None for who has one.
    """

    person: Person
    alias: str
    made_by: str
    made_at: datetime
    disabled_at: datetime | None
    has_passphrase: bool
    invited: bool
    needs_second: datetime | None


def add_person(
    ctx: Context,
    actor: Person | None,
    alias: str,
    roles: Collection[Role],
    *,
    then: Callable[[Connection, Person], None] | None = None,
) -> tuple[Person, str]:
    """The person and their token, which is shown now and never again. `then` belongs to the same transaction.

    Nobody adds the first person, who must be an admin; afterwards it takes an admin.
    """
    token, made_by = secrets.token_urlsafe(TOKEN_BYTES), actor.id if actor else None
    with ExitStack() as undo:
        with ctx.acting(actor, Duty.MANAGE_PEOPLE) as tx:
            _require_someone_to_add(tx, actor, roles)
            pseudonym = ctx.keystore.add_person(_free_alias(ctx, alias))
            undo.callback(ctx.keystore.forget, pseudonym)
            wanted, hidden = _some_role(roles), _hash(token)
            person = people.add(tx, pseudonym=pseudonym, roles=wanted, token_hash=hidden, made_by=made_by, at=ctx.now())
            _record(ctx, tx, actor, Act.PERSON_ADDED, person, roles=person.roles)
            if then:
                then(tx, person)
        undo.pop_all()
    return person, token


def _require_someone_to_add(tx: Connection, actor: Person | None, roles: Collection[Role]) -> None:
    if actor:
        return
    if people.anybody(tx):
        raise Refused("There are people already. An admin adds the next.", command="user add ALIAS --as ADMIN")
    if Role.ADMIN not in roles:
        raise Refused("The first person must be an admin, or nobody could add the others.")


def _some_role(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        raise BadInput("Give at least one role: {roles}.", roles=", ".join(role.value for role in Role))
    return frozenset(roles)


def _free_alias(ctx: Context, alias: str, of: str = "") -> str:
    """In NFC. An alias must differ from others' by more than case and tone marks, lest people be mistaken."""
    name = unicodedata.normalize("NFC", alias[: LONGEST_ALIAS * 4]).strip()
    if not SHORTEST_ALIAS <= len(name) <= LONGEST_ALIAS:
        raise BadInput("An alias has {least} to {most} characters.", least=SHORTEST_ALIAS, most=LONGEST_ALIAS)
    if not name.isprintable() or not any(letter.isalnum() for letter in name):
        raise BadInput("An alias is one line of visible characters, with a letter or a digit among them.")
    owner = _pseudonym(ctx, name)
    if owner not in (None, of):
        raise Conflict("“{alias}” is taken, or too like another. Choose another alias.", alias=name)
    return name


def _pseudonym(ctx: Context, alias: str) -> str | None:
    wanted = fold(alias)
    return next((key for key, name in ctx.keystore.people().items() if fold(name) == wanted), None)


def _hash(token: str) -> str:
    """Plain SHA-256 is enough for 256 random bits; nobody can guess their way through those."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def sign_in(ctx: Context, alias: str, token: str) -> Person:
    """By the token that was given, or a short-lived one; an old one does not do for guarded duties.

    Raises Refused in the same words whatever was wrong, so that nobody learns which aliases there are.
    """
    pseudonym, hashed = _pseudonym(ctx, alias[: LONGEST_ALIAS * 4]), _hash(token[:LONGEST_TOKEN])
    with ctx.store.read() as tx:
        account = people.by_pseudonym(tx, pseudonym or "")
        is_given = compare_digest(hashed, account.token_hash if account else _NOBODY)
        is_minted = factors.is_minted(tx, hashed, account.person.id if account else 0, ctx.now())
        if account is None or not (is_given or is_minted):
            raise Refused("Wrong alias or token.")
        if not account.person.active:
            raise Refused("This account is disabled. Ask an admin.")
        is_fresh = is_minted or ctx.now() <= account.token_at + FRESH
        return replace(account.person, lacks=lack_of(ctx, tx, account) if is_fresh else Lack.FRESH_TOKEN)


def lack_of(ctx: Context, tx: Connection, account: people.Account) -> Lack | None:
    """A second factor, once the account is older than the grace."""
    is_new = ctx.now() <= needs_second(ctx, account)
    return None if is_new or account.person.id in factors.with_second(tx) else Lack.SECOND_FACTOR


def needs_second(ctx: Context, account: people.Account) -> datetime:
    """From then on guarded duties take a second factor."""
    return account.made_at + ctx.signing_in.grace


def account_of(ctx: Context, tx: Connection, alias: str) -> people.Account:
    account = people.by_pseudonym(tx, _pseudonym(ctx, alias[: LONGEST_ALIAS * 4]) or "")
    if account is None:
        raise NotFound("There is no “{alias}”.", alias=alias[:LONGEST_ALIAS], command="user list")
    return account


def aliases(ctx: Context, tx: Connection) -> dict[int | None, str]:
    """Alias by id, and "" for the program itself."""
    return {None: ""} | {each.person.id: ctx.keystore.alias(each.person.pseudonym) for each in people.everyone(tx)}


def list_people(ctx: Context) -> tuple[PersonRow, ...]:
    """Everyone, in the order in which they were added."""
    with ctx.store.read() as tx:
        names, invited, seconds = aliases(ctx, tx), sessions.invited(tx), factors.with_second(tx)
        return tuple(
            PersonRow(
                person=each.person,
                alias=names[each.person.id],
                made_by=names[each.made_by],
                made_at=each.made_at,
                disabled_at=each.disabled_at,
                has_passphrase=bool(each.passphrase),
                invited=each.person.id in invited,
                needs_second=None if each.person.id in seconds else needs_second(ctx, each),
            )
            for each in people.everyone(tx)
        )


def get_row(ctx: Context, person_id: int) -> PersonRow:
    for row in list_people(ctx):
        if row.person.id == person_id:
            return row
    raise NotFound("There is no person {id}.", id=person_id)


def set_roles(
    ctx: Context, actor: Person, alias: str, roles: Collection[Role], limits: Collection[Limit] | None = None
) -> Person:
    """All the roles they have from now on. None leaves the limits of those that stay as they are."""
    with ctx.acting(actor, Duty.MANAGE_PEOPLE) as tx:
        wanted, person = _some_role(roles), account_of(ctx, tx, alias).person
        if Role.ADMIN not in wanted:
            require_other_admin(tx, person)
        kept = person.limits if limits is None else _checked_limits(ctx, wanted, limits)
        people.set_roles(tx, person.id, wanted, kept)
        changed = people.get(tx, person.id)
        _record(ctx, tx, actor, Act.PERSON_ROLE_CHANGED, changed, roles=wanted)
        return changed


def _checked_limits(ctx: Context, roles: Collection[Role], limits: Collection[Limit]) -> Collection[Limit]:
    campaigns = {campaign.slug for campaign in ctx.schedules.campaigns}
    for limit in limits:
        if limit.role not in LIMITABLE & set(roles):
            known = ", ".join(sorted(LIMITABLE))
            raise BadInput("Only these roles, of those given, can be limited: {roles}.", roles=known)
        for name in sorted(limit.campaigns - campaigns):
            there = ", ".join(sorted(campaigns))
            raise BadInput("There is no campaign “{slug}”. There are: {known}.", slug=name[:60], known=there)
        for name in limit.channels:
            ctx.channel(name)
    return limits


def disable(ctx: Context, actor: Person, alias: str) -> Person:
    """Nothing they did is undone; they cannot sign in any more."""
    with ctx.acting(actor, Duty.MANAGE_PEOPLE) as tx:
        person = account_of(ctx, tx, alias).person
        require_other_admin(tx, person)
        if person.active:
            people.set_disabled(tx, person.id, ctx.now())
            end_everything(tx, person)
            _record(ctx, tx, actor, Act.PERSON_DISABLED, person)
        return people.get(tx, person.id)


def require_other_admin(tx: Connection, person: Person) -> None:
    if not _has_other_admin(tx, person):
        raise Refused("This is the last active admin. Make someone else an admin first.")


def _has_other_admin(tx: Connection, person: Person) -> bool:
    others = (each.person for each in people.everyone(tx) if each.person.id != person.id)
    return any(other.active and Role.ADMIN in other.roles for other in others)


def reset_token(ctx: Context, actor: Person | None, alias: str) -> str:
    """A new token, shown now and never again; the old one is void. Whoever is shown it becomes an elder of the
    account: it cannot approve their words. What was opened with the old one ends. Without an actor as `resetting`.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with resetting(ctx, actor, alias) as (tx, person):
        people.set_token(tx, person.id, _hash(token), actor.id if actor else None, ctx.now())
        end_everything(tx, person)
        _record(ctx, tx, actor, Act.PERSON_TOKEN_RESET, person)
    return token


@contextmanager
def resetting(ctx: Context, actor: Person | None, alias: str) -> Iterator[tuple[Connection, Person]]:
    """For an admin. Nobody but whoever runs this on the server itself can help the only one: then without an actor."""
    with ctx.acting(actor, Duty.MANAGE_PEOPLE) as tx:
        person = account_of(ctx, tx, alias).person
        if actor is None and (Role.ADMIN not in person.roles or _has_other_admin(tx, person)):
            raise Refused("There is an admin who must do this: add --as ADMIN.")
        yield tx, person


def end_everything(tx: Connection, person: Person) -> None:
    """Wherever they are signed in, on the pages or the command line."""
    sessions.end_all(tx, person.id)
    factors.drop_tokens(tx, person.id)


def rename(ctx: Context, actor: Person, alias: str, new_alias: str) -> None:
    """The person stays the same: whatever they wrote or approved is still theirs."""
    with ExitStack() as undo:
        with ctx.acting(actor, Duty.MANAGE_PEOPLE) as tx:
            person = account_of(ctx, tx, alias).person
            old, new = ctx.keystore.alias(person.pseudonym), _free_alias(ctx, new_alias, person.pseudonym)
            told = {"before": old, "after": new}
            ctx.record(tx, actor, Act.PERSON_RENAMED, _obj(person), {}, audit.Payload(person.pseudonym, told))
            ctx.keystore.rename_person(person.pseudonym, new)
            undo.callback(ctx.keystore.rename_person, person.pseudonym, old)
        undo.pop_all()


def _obj(person: Person) -> str:
    return f"person:{person.pseudonym}"


def _record(
    ctx: Context, tx: Connection, actor: Person | None, act: Act, person: Person, roles: Collection[Role] = ()
) -> None:
    told: dict[str, Any] = {"roles": sorted(role.value for role in roles)} if roles else {}
    if roles and person.limits:
        told["limits"] = sorted(
            [limit.role, *sorted(limit.campaigns), *sorted(limit.channels)] for limit in person.limits
        )
    alias = {"alias": ctx.keystore.alias(person.pseudonym)}
    ctx.record(tx, actor, act, _obj(person), told, audit.Payload(person.pseudonym, alias))
