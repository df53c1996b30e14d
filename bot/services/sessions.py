"""Signing in with a passphrase, and staying so: sessions, and tries that grow slower without locking anyone out."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import fold
from bot.domain.errors import Refused
from bot.domain.people import Person
from bot.services import factors as seconds
from bot.services import passphrases, tries
from bot.services.context import Context
from bot.services.people import FRESH, lack_of, needs_second
from bot.store import factors, people, sessions
from bot.store.people import Account
from bot.store.sessions import Session

PROOF = timedelta(minutes=5)
_TOUCH = timedelta(minutes=5)
# How long a session may wait for its second factor.
_WAITS = timedelta(minutes=10)
_LONGEST_ALIAS = 160
_LONGEST_DEVICE = 60


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in, as a page needs to know them. `needs_second` from when guarded duties take a second factor;
    None for who has one.
    """

    person: Person
    alias: str
    session: Session
    settings: Mapping[str, str]
    needs_second: datetime | None


@dataclass(frozen=True, slots=True)
class Opened:
    """`token` lets in, once a second factor was shown where there is one (`full`); `mark` says that this person
    signed in on this device before. Both are for cookies.
    """

    person: Person
    token: str
    mark: str
    full: bool = True


def sign_in(ctx: Context, alias: str, passphrase: str, *, source: str, mark: str = "", device: str = "") -> Opened:
    """With the passphrase, which is not all for whoever has a second factor. Raises as `_known`."""
    account = _known(ctx, alias, passphrase, source=source, mark=mark)
    with ctx.store.read() as tx:
        has_second = account.person.id in factors.with_second(tx)
    return open_session(ctx, account.person, device=device, full=not has_second)


def _known(ctx: Context, alias: str, passphrase: str, *, source: str, mark: str = "") -> Account:
    """Raises Refused in the same words, after the same work, whatever was wrong; TooMany before any work.

    Who comes with the mark of a device that signed in before is not slowed by what others try elsewhere.
    """
    alias = alias[:_LONGEST_ALIAS]
    account = _by_alias(ctx, alias)
    name = account.person.pseudonym if account else fold(alias)
    own = account is not None and _is_marked(ctx, account, mark)
    counted = (
        {f"device:{mark}": tries.ACCOUNT}
        if own
        else {f"account:{name}": tries.ACCOUNT, f"source:{source}": tries.SOURCE}
    )
    tries.count(ctx, counted)
    if not passphrases.matches(ctx, account.passphrase if account else "", passphrase) or account is None:
        raise Refused("Wrong alias or passphrase.")
    if not account.person.active:
        raise Refused("This account is disabled. Ask an admin.")
    tries.forgive(ctx, counted)
    return account


def finish(ctx: Context, token: str, code: str, *, source: str, mark: str = "") -> Opened:
    """The second factor of a session that waits for it. Raises Refused; TooMany before any work."""
    waiting = waits(ctx, token)
    if waiting is None:
        raise Refused("That took too long. Sign in again.")
    spend_code(ctx, waiting, code, source=source, mark=mark)
    return promote(ctx, waiting, token)


def promote(ctx: Context, account: Account, token: str) -> Opened:
    """A new session in the place of the one that waited."""
    with ctx.store.write() as tx:
        waited = sessions.find(tx, _hash(token))
        if waited is None:
            raise Refused("That took too long. Sign in again.")
        sessions.end(tx, waited.person_id, waited.id)
    return open_session(ctx, account.person, device=waited.device)


def waits(ctx: Context, token: str) -> Account | None:
    """Who has shown their passphrase, and still has to show a second factor."""
    with ctx.store.read() as tx:
        session = sessions.find(tx, _hash(token))
        if session is None or session.full or session.made_at + _WAITS < ctx.now():
            return None
        account = _account(tx, session.person_id)
        return account if account and account.person.active else None


def spend_code(ctx: Context, account: Account, code: str, *, source: str, mark: str = "") -> None:
    """Guesses are counted apart from those at the passphrase: whoever knows that one forgives nothing by it."""
    own = _is_marked(ctx, account, mark)
    place = f"device-code:{mark}" if own else f"code:{account.person.pseudonym}"
    counted = {place: tries.ACCOUNT} if own else {place: tries.ACCOUNT, f"source:{source}": tries.SOURCE}
    tries.count(ctx, counted)
    with ctx.store.write() as tx:
        if not seconds.spend(ctx, tx, account.person, code):
            raise Refused("Wrong code, or one that was used already. Wait for the next.")
    tries.forgive(ctx, counted)


def mint(ctx: Context, alias: str, passphrase: str, code: str) -> str:
    """A token of the command line for what is guarded; for 15 minutes. Raises as `_known` and `finish`."""
    account = _known(ctx, alias, passphrase, source="command line")
    with ctx.store.read() as tx:
        has_second = account.person.id in factors.with_second(tx)
    if has_second:
        spend_code(ctx, account, code, source="command line")
    return mint_for(ctx, account.person)


def mint_for(ctx: Context, person: Person) -> str:
    """For whoever has just proved who they are."""
    token, now = secrets.token_urlsafe(32), ctx.now()
    with ctx.store.write() as tx:
        factors.mint(tx, _hash(token), person.id, now=now, until=now + FRESH)
        ctx.record(tx, person, Act.PERSON_TOKEN_MINTED, f"person:{person.pseudonym}")
    return token


def open_session(ctx: Context, person: Person, *, device: str = "", full: bool = True) -> Opened:
    """For whoever has just proved who they are; not `full` where a second factor is still to be shown."""
    token, now, limits = secrets.token_urlsafe(32), ctx.now(), ctx.signing_in
    with ctx.store.write() as tx:
        sessions.sweep(tx, idle_since=now - limits.idle, made_before=now - limits.longest, now=now)
        sessions.add(tx, hashed=_hash(token), person_id=person.id, device=device[:_LONGEST_DEVICE], full=full, now=now)
        account = people.by_pseudonym(tx, person.pseudonym)
        if full:
            ctx.record(tx, person, Act.PERSON_SIGNED_IN, f"person:{person.pseudonym}")
    return Opened(person, token, _mark(ctx, account, secrets.token_urlsafe(12)) if account and full else "", full)


def whose(ctx: Context, token: str) -> Visitor | None:
    """None for a session that ended, was idle for too long, or belongs to somebody disabled."""
    now, limits = ctx.now(), ctx.signing_in
    with ctx.store.read() as tx:
        session = sessions.find(tx, _hash(token))
        if session is None or session.seen_at + limits.idle < now or session.made_at + limits.longest < now:
            return None
        account = _account(tx, session.person_id)
        if account is None or not account.person.active or not session.full:
            return None
        has_second, lacks = account.person.id in factors.with_second(tx), lack_of(ctx, tx, account)
    if session.seen_at + _TOUCH < now:
        with ctx.store.write() as tx:
            sessions.touch(tx, session.id, seen_at=now)
    person, alias = replace(account.person, lacks=lacks), ctx.keystore.alias(account.person.pseudonym)
    return Visitor(person, alias, session, account.settings, None if has_second else needs_second(ctx, account))


def _account(tx: Connection, person_id: int) -> Account | None:
    return next((each for each in people.everyone(tx) if each.person.id == person_id), None)


def prove(ctx: Context, visitor: Visitor, passphrase: str) -> None:
    """The passphrase once more, before what must not be done by whoever found the screen open. Raises Refused."""
    counted = {f"session:{visitor.session.id}": tries.ACCOUNT}
    tries.count(ctx, counted)
    with ctx.store.read() as tx:
        account = people.by_pseudonym(tx, visitor.person.pseudonym)
    if account is None or not passphrases.matches(ctx, account.passphrase, passphrase):
        raise Refused("Wrong passphrase.")
    tries.forgive(ctx, counted)
    note_proof(ctx, visitor)


def note_proof(ctx: Context, visitor: Visitor) -> None:
    with ctx.store.write() as tx:
        sessions.touch(tx, visitor.session.id, proved_at=ctx.now())


def is_proved(ctx: Context, visitor: Visitor) -> bool:
    return visitor.session.proved_at + PROOF >= ctx.now()


def sign_out(ctx: Context, visitor: Visitor) -> None:
    end(ctx, visitor, visitor.session.id)


def list_own(ctx: Context, visitor: Visitor) -> tuple[Session, ...]:
    with ctx.store.read() as tx:
        return sessions.of_person(tx, visitor.person.id)


def end(ctx: Context, visitor: Visitor, session_id: int) -> None:
    """One of their own; another's is left alone."""
    with ctx.store.write() as tx:
        sessions.end(tx, visitor.person.id, session_id)
        ctx.record(tx, visitor.person, Act.PERSON_SIGNED_OUT, f"person:{visitor.person.pseudonym}")


def end_others(ctx: Context, visitor: Visitor) -> None:
    with ctx.store.write() as tx:
        sessions.end_all(tx, visitor.person.id, but=visitor.session.id)
        ctx.record(tx, visitor.person, Act.PERSON_SIGNED_OUT, f"person:{visitor.person.pseudonym}")


def change_passphrase(ctx: Context, visitor: Visitor, new: str) -> None:
    """For whoever has just proved who they are; everywhere else they are signed out. Raises BadInput."""
    passphrases.require_strong(new, visitor.alias)
    hashed = passphrases.hashed(ctx, new)
    with ctx.store.write() as tx:
        people.set_passphrase(tx, visitor.person.id, hashed)
        sessions.end_all(tx, visitor.person.id, but=visitor.session.id)
        ctx.record(tx, visitor.person, Act.PERSON_PASSPHRASE_SET, f"person:{visitor.person.pseudonym}")


def change_settings(ctx: Context, visitor: Visitor, changed: Mapping[str, str]) -> None:
    """How the pages look to them; no business of the record's."""
    with ctx.store.write() as tx:
        people.set_settings(tx, visitor.person.id, {**visitor.settings, **changed})


def _by_alias(ctx: Context, alias: str) -> Account | None:
    wanted = fold(alias)
    pseudonym = next((key for key, name in ctx.keystore.people().items() if fold(name) == wanted), "")
    with ctx.store.read() as tx:
        return people.by_pseudonym(tx, pseudonym)


def _hash(token: str) -> str:
    """Plain SHA-256 is enough for 256 random bits."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


def _mark(ctx: Context, account: Account, nonce: str) -> str:
    """Void as soon as the passphrase changes."""
    return f"{nonce}.{tries.keyed(ctx, 'device', f'{account.person.pseudonym} {nonce} {account.passphrase}')}"


def _is_marked(ctx: Context, account: Account, mark: str) -> bool:
    expected = _mark(ctx, account, mark.partition(".")[0][:_LONGEST_DEVICE])
    return hmac.compare_digest(expected.encode(), mark.encode(errors="surrogatepass"))
