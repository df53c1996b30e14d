"""One-time links: how somebody comes in for the first time, or again after a forgotten passphrase."""

import secrets
from collections.abc import Collection
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.errors import Conflict, NotFound
from bot.domain.people import Person, Role
from bot.services import passphrases
from bot.services.context import Context
from bot.services.people import account_of, add_person, end_everything, resetting
from bot.store import factors, people, sessions

VALID = timedelta(hours=72)
_GONE = "This link was used already, or is too old. Ask an admin for another."


def invite(ctx: Context, actor: Person, alias: str, roles: Collection[Role]) -> str:
    """Adds the person; the link's token is shown now and never again. Whoever sees it could be them."""
    token = secrets.token_urlsafe(32)
    add_person(ctx, actor, alias, roles, then=lambda tx, person: _link(ctx, tx, actor, person, token))
    return token


def reset(ctx: Context, actor: Person | None, alias: str) -> str:
    """A new link for somebody who is in already: their passphrase, factors and sessions end at once.

    Without an actor as `resetting`.
    """
    token = secrets.token_urlsafe(32)
    with resetting(ctx, actor, alias) as (tx, person):
        people.set_passphrase(tx, person.id, "")
        factors.drop_all(tx, person.id)
        end_everything(tx, person)
        ctx.record(tx, actor, Act.PERSON_RESET, f"person:{person.pseudonym}")
        _link(ctx, tx, actor, person, token)
    return token


def _link(ctx: Context, tx: Connection, actor: Person | None, person: Person, token: str) -> None:
    people.set_link_by(tx, person.id, actor.id if actor else None)
    sessions.invite(tx, _hash(token), person.id, now=ctx.now(), until=ctx.now() + VALID)
    ctx.record(tx, actor, Act.PERSON_INVITED, f"person:{person.pseudonym}")


def first(ctx: Context) -> str:
    """A link that makes the first admin, or "" where there is somebody. An older one is void."""
    token = secrets.token_urlsafe(32)
    with ctx.store.write() as tx:
        if people.anybody(tx):
            return ""
        sessions.invite(tx, _hash(token), None, now=ctx.now(), until=ctx.now() + VALID)
    return token


def invited(ctx: Context, token: str) -> str:
    """The alias of whom the link is for; "" for the first admin, who chooses one. Raises NotFound."""
    with ctx.store.read() as tx:
        found = sessions.invitation(tx, _hash(token))
        if found is None or found.expires_at < ctx.now():
            raise NotFound(_GONE)
        return ctx.keystore.alias(people.get(tx, found.person_id).pseudonym) if found.person_id else ""


def accept(ctx: Context, token: str, passphrase: str, alias: str = "") -> Person:
    """Uses the link up and sets the passphrase; makes the first admin where the link is for nobody yet."""
    known = invited(ctx, token)
    passphrases.require_strong(passphrase, known or alias)
    hashed = passphrases.hashed(ctx, passphrase)
    if known:
        with ctx.store.write() as tx:
            person = account_of(ctx, tx, known).person
            _enter(ctx, tx, person, token, hashed)
        return person
    return add_person(ctx, None, alias, {Role.ADMIN}, then=lambda tx, new: _enter(ctx, tx, new, token, hashed))[0]


def _enter(ctx: Context, tx: Connection, person: Person, token: str, hashed: str) -> None:
    if not sessions.use_up(tx, _hash(token)):
        raise Conflict(_GONE)
    people.set_passphrase(tx, person.id, hashed)
    ctx.record(tx, person, Act.PERSON_PASSPHRASE_SET, f"person:{person.pseudonym}")


def _hash(token: str) -> str:
    return sha256(token.encode(errors="surrogatepass")).hexdigest()
