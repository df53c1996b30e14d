"""Second factors: one-time codes and recovery codes, each of which works once. Passkeys have a file of their own."""

import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta

import pyotp
from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.errors import NotFound, Refused
from bot.domain.people import Person
from bot.services.context import Context
from bot.store import factors
from bot.store.factors import Factor, Kind

RECOVERY_CODES = 10
_LONGEST = 60
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_STEP_S = 30
# A secret on a page that was left open is no secret for long.
_OFFERED = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Owned:
    """What somebody can prove themselves with."""

    codes: tuple[Factor, ...]
    passkeys: tuple[Factor, ...]
    recovery_left: int


def owned(ctx: Context, person: Person) -> Owned:
    with ctx.store.read() as tx:
        found = factors.of_person(tx, person.id)
    of = {kind: tuple(each for each in found if each.kind is kind) for kind in Kind}
    return Owned(of[Kind.CODE], of[Kind.PASSKEY], len(of[Kind.RECOVERY]))


def offer_codes(ctx: Context, person: Person) -> None:
    """A new secret, which counts once a code made with it was typed."""
    sealed = b64encode(ctx.keystore.seal(person.pseudonym, pyotp.random_base32().encode())).decode()
    with ctx.store.write() as tx:
        factors.drop_all(tx, person.id, Kind.OFFERED)
        factors.add(tx, person.id, Kind.OFFERED, secrets.token_hex(16), ctx.now(), secret=sealed)


def offered(ctx: Context, person: Person) -> str:
    """The secret to be put into an app, or "" where none is offered any more."""
    with ctx.store.read() as tx:
        found = _offered(ctx, tx, person)
    return _secret(ctx, person, found) if found else ""


def _offered(ctx: Context, tx: Connection, person: Person) -> Factor | None:
    found = factors.of_person(tx, person.id, Kind.OFFERED)
    return found[0] if found and found[0].made_at + _OFFERED >= ctx.now() else None


def address(alias: str, secret: str, name: str) -> str:
    """What an app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=alias, issuer_name=name)


def accept_codes(ctx: Context, person: Person, code: str) -> None:
    """The app has the secret; older codes are void. Raises Refused."""
    with ctx.store.write() as tx:
        found = _offered(ctx, tx, person)
        step = _step(ctx, _secret(ctx, person, found), code) if found else 0
        if not found or not step:
            raise Refused("Wrong code. Is the clock of your device right? Type the newest code.")
        factors.drop_all(tx, person.id, Kind.OFFERED, Kind.CODE)
        factors.add(tx, person.id, Kind.CODE, found.handle, ctx.now(), secret=found.secret, count=step)
        _record(ctx, tx, person, Act.PERSON_FACTOR_ADDED, Kind.CODE)


def new_recovery_codes(ctx: Context, person: Person) -> tuple[str, ...]:
    """Shown now and never again; older ones are void."""
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    with ctx.store.write() as tx:
        factors.drop_all(tx, person.id, Kind.RECOVERY)
        for code in codes:
            factors.add(tx, person.id, Kind.RECOVERY, _handle(ctx, person, code), ctx.now())
        _record(ctx, tx, person, Act.PERSON_FACTOR_ADDED, Kind.RECOVERY)
    return codes


def _recovery_code() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def _handle(ctx: Context, person: Person, code: str) -> str:
    """Keyed, and 79 random bits: nobody guesses one, nor finds it in a copy of the database."""
    plain = "".join(letter for letter in code[:_LONGEST].lower() if letter in _LETTERS)
    return hmac.new(ctx.keystore.secret("recovery"), f"{person.pseudonym} {plain}".encode(), "sha256").hexdigest()


def drop(ctx: Context, person: Person, factor_id: int) -> None:
    """Recovery codes go with the last of what they stand in for."""
    with ctx.store.write() as tx:
        kind = factors.drop(tx, person.id, factor_id)
        if kind is None:
            raise NotFound("There is no such factor.")
        if person.id not in factors.with_second(tx):
            factors.drop_all(tx, person.id, Kind.RECOVERY)
        _record(ctx, tx, person, Act.PERSON_FACTOR_DROPPED, kind)


def spend(ctx: Context, tx: Connection, person: Person, typed: str) -> bool:
    """Whether this is a code of theirs that was not used yet; now it is."""
    typed = typed[:_LONGEST].strip()
    for each in factors.of_person(tx, person.id, Kind.CODE):
        step = _step(ctx, _secret(ctx, person, each), typed)
        if step and factors.use_step(tx, each.id, step, ctx.now()):
            return True
    return factors.use_up(tx, person.id, Kind.RECOVERY, _handle(ctx, person, typed))


def _step(ctx: Context, secret: str, typed: str) -> int:
    """Which half minute the code is of: this one, the one before or after; 0 for none."""
    plain = "".join(typed.split())
    if not secret or not (plain.isascii() and plain.isdigit()):
        return 0
    now = int(ctx.now().timestamp()) // _STEP_S
    totp = pyotp.TOTP(secret)
    return next((step for step in (now, now - 1, now + 1) if hmac.compare_digest(totp.generate_otp(step), plain)), 0)


def _secret(ctx: Context, person: Person, factor: Factor) -> str:
    """Empty where its key was forgotten: then no code is right."""
    return (ctx.keystore.unseal(person.pseudonym, b64decode(factor.secret)) or b"").decode()


def _record(ctx: Context, tx: Connection, person: Person, act: Act, kind: Kind) -> None:
    ctx.record(tx, person, act, f"person:{person.pseudonym}", {"kind": kind.value})
