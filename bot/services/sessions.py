"""Signing in with a passphrase, and staying so: sessions, and tries that grow slower without locking anyone out."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from bot.domain.audit import Act
from bot.domain.case import fold
from bot.domain.errors import CampaignError, Refused
from bot.domain.people import Person
from bot.services import passphrases
from bot.services.context import Context
from bot.store import people, sessions
from bot.store.people import Account
from bot.store.sessions import Session

PROOF = timedelta(minutes=5)
_TOUCH = timedelta(minutes=5)
_LONGEST_ALIAS = 160
_LONGEST_DEVICE = 60


class TooMany(Refused):
    """Nothing was looked at; the same words may be accepted in a while."""


@dataclass(frozen=True, slots=True)
class _Slowing:
    """After `free` failures each further one doubles the wait, up to `most`."""

    free: int
    most: timedelta

    def wait(self, failures: int) -> timedelta:
        over = failures - self.free
        return timedelta() if over < 0 else min(timedelta(seconds=2 ** min(over, 20)), self.most)


_ACCOUNT = _Slowing(free=5, most=timedelta(minutes=15))
# Over Tor, or behind a proxy, many people share one source.
_SOURCE = _Slowing(free=30, most=timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in, as a page needs to know them."""

    person: Person
    alias: str
    session: Session
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """`token` lets in; `mark` says that this person signed in on this device before. Both are for cookies."""

    person: Person
    token: str
    mark: str


def sign_in(ctx: Context, alias: str, passphrase: str, *, source: str, mark: str = "", device: str = "") -> Opened:
    """Raises Refused in the same words, after the same work, whatever was wrong; TooMany before any work.

    Who comes with the mark of a device that signed in before is not slowed by what others try elsewhere.
    """
    alias = alias[:_LONGEST_ALIAS]
    account = _by_alias(ctx, alias)
    name = account.person.pseudonym if account else fold(alias)
    own = account is not None and _is_marked(ctx, account, mark)
    counted = {f"device:{mark}": _ACCOUNT} if own else {f"account:{name}": _ACCOUNT, f"source:{source}": _SOURCE}
    _count(ctx, counted)
    if not passphrases.matches(ctx, account.passphrase if account else "", passphrase) or account is None:
        raise Refused("Wrong alias or passphrase.")
    if not account.person.active:
        raise Refused("This account is disabled. Ask an admin.")
    _forgive(ctx, counted)
    return open_session(ctx, account.person, device=device)


def open_session(ctx: Context, person: Person, *, device: str = "") -> Opened:
    """For whoever has just proved who they are."""
    token, now, limits = secrets.token_urlsafe(32), ctx.now(), ctx.signing_in
    with ctx.store.write() as tx:
        sessions.sweep(tx, idle_since=now - limits.idle, made_before=now - limits.longest, now=now)
        sessions.add(tx, hashed=_hash(token), person_id=person.id, device=device[:_LONGEST_DEVICE], full=True, now=now)
        account = people.by_pseudonym(tx, person.pseudonym)
        ctx.record(tx, person, Act.PERSON_SIGNED_IN, f"person:{person.pseudonym}")
    return Opened(person, token, _mark(ctx, account, secrets.token_urlsafe(12)) if account else "")


def whose(ctx: Context, token: str) -> Visitor | None:
    """None for a session that ended, was idle for too long, or belongs to somebody disabled."""
    now, limits = ctx.now(), ctx.signing_in
    with ctx.store.read() as tx:
        session = sessions.find(tx, _hash(token))
        if session is None or session.seen_at + limits.idle < now or session.made_at + limits.longest < now:
            return None
        account = next((each for each in people.everyone(tx) if each.person.id == session.person_id), None)
    if account is None or not account.person.active or not session.full:
        return None
    if session.seen_at + _TOUCH < now:
        with ctx.store.write() as tx:
            sessions.touch(tx, session.id, seen_at=now)
    return Visitor(account.person, ctx.keystore.alias(account.person.pseudonym), session, account.settings)


def prove(ctx: Context, visitor: Visitor, passphrase: str) -> None:
    """The passphrase once more, before what must not be done by whoever found the screen open. Raises Refused."""
    counted = {f"session:{visitor.session.id}": _ACCOUNT}
    _count(ctx, counted)
    with ctx.store.read() as tx:
        account = people.by_pseudonym(tx, visitor.person.pseudonym)
    if account is None or not passphrases.matches(ctx, account.passphrase, passphrase):
        raise Refused("Wrong passphrase.")
    _forgive(ctx, counted)
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


def _keyed(ctx: Context, purpose: str, text: str) -> str:
    return hmac.new(ctx.keystore.secret(purpose), text.encode(errors="surrogatepass"), "sha256").hexdigest()


def _mark(ctx: Context, account: Account, nonce: str) -> str:
    """Void as soon as the passphrase changes."""
    return f"{nonce}.{_keyed(ctx, 'device', f'{account.person.pseudonym} {nonce} {account.passphrase}')}"


def _is_marked(ctx: Context, account: Account, mark: str) -> bool:
    expected = _mark(ctx, account, mark.partition(".")[0][:_LONGEST_DEVICE])
    return hmac.compare_digest(expected.encode(), mark.encode(errors="surrogatepass"))


def _count(ctx: Context, counted: Mapping[str, _Slowing]) -> None:
    """A failure until it is forgiven, so that guesses made at the same time count each. Raises TooMany."""
    now, keys = ctx.now(), {_keyed(ctx, "tries", what): slowing for what, slowing in counted.items()}
    with ctx.store.write() as tx:
        found = {key: sessions.failed(tx, key) for key in keys}
        until = max((each.next_at for each in found.values() if each), default=now)
        if until > now:
            raise _too_many(until - now)
        for key, slowing in keys.items():
            before = found[key]
            failures = before.failures + 1 if before else 1
            sessions.note_failure(tx, key, failures, now + slowing.wait(failures))


def _too_many(wait: timedelta) -> CampaignError:
    if wait < timedelta(minutes=1):
        return TooMany("Too many tries. Wait {seconds} seconds.", seconds=int(wait.total_seconds()) + 1)
    return TooMany("Too many tries. Wait {minutes} minutes.", minutes=-(-wait // timedelta(minutes=1)))


def _forgive(ctx: Context, counted: Mapping[str, _Slowing]) -> None:
    with ctx.store.write() as tx:
        for what in counted:
            sessions.forgive(tx, _keyed(ctx, "tries", what))
