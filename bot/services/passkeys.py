"""Passkeys: a device's own key for these pages alone. Nothing else is asked of whoever shows one."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import webauthn
from sqlalchemy import Connection
from webauthn.helpers import bytes_to_base64url, options_to_json_dict, structs
from webauthn.helpers.exceptions import WebAuthnException

from bot.domain.audit import Act
from bot.domain.errors import Conflict, Refused
from bot.domain.people import Person
from bot.services.context import Context
from bot.services.tries import keyed
from bot.store import factors, people, sessions
from bot.store.factors import Kind
from bot.store.people import Account

_SUBJECT = "program"
_LASTS = timedelta(minutes=15)
_LONGEST_ANSWER, _LONGEST_NAME = 20_000, 40
_VERIFIED = structs.UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages are, as browsers tell it: a passkey works there and nowhere else."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """`options` for the browser; `sealed` comes back with its answer."""

    options: dict[str, Any]
    sealed: str


def ask_new(ctx: Context, place: Place, person: Person, alias: str, name: str) -> Asked:
    with ctx.store.read() as tx:
        known = factors.of_person(tx, person.id, Kind.PASSKEY)
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=name,
        user_name=alias,
        user_id=bytes.fromhex(keyed(ctx, "passkeys", person.pseudonym)),
        challenge=(challenge := secrets.token_bytes(32)),
        timeout=_milliseconds(),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[_named(each.handle) for each in known],
    )
    return _asked(ctx, options, challenge)


def add(ctx: Context, place: Place, person: Person, sealed: str, answer: str, name: str) -> None:
    """For whoever has just proved who they are. Raises Refused."""
    challenge = _challenge(ctx, sealed)
    try:
        made = webauthn.verify_registration_response(
            credential=_parsed(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        raise _not_right() from None
    handle, key = bytes_to_base64url(made.credential_id), bytes_to_base64url(made.credential_public_key)
    called = "".join(letter for letter in name if letter.isprintable()).strip()[:_LONGEST_NAME]
    with ctx.store.write() as tx:
        _use_once(ctx, tx, challenge, person)
        if factors.find(tx, Kind.PASSKEY, handle):
            raise Conflict("This passkey is here already.")
        more: dict[str, str | int] = {"secret": key, "name": called, "count": made.sign_count}
        factors.add(tx, person.id, Kind.PASSKEY, handle, ctx.now(), **more)
        ctx.record(tx, person, Act.PERSON_FACTOR_ADDED, f"person:{person.pseudonym}", {"kind": Kind.PASSKEY.value})


def ask(ctx: Context, place: Place, person: Person | None = None) -> Asked:
    """Of anybody's, or only of this person's."""
    with ctx.store.read() as tx:
        known = factors.of_person(tx, person.id, Kind.PASSKEY) if person else ()
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        challenge=(challenge := secrets.token_bytes(32)),
        timeout=_milliseconds(),
        allow_credentials=[_named(each.handle) for each in known],
        user_verification=_VERIFIED,
    )
    return _asked(ctx, options, challenge)


def prove(ctx: Context, place: Place, sealed: str, answer: str, of: Person | None = None) -> Account:
    """Whose passkey it is. Raises Refused, in the same words whatever was wrong."""
    challenge = _challenge(ctx, sealed)
    with ctx.store.write() as tx:
        try:
            found = factors.find(tx, Kind.PASSKEY, str(_parsed(answer)["id"]))
            if found is None or (of and found.person_id != of.id):
                raise _not_right()
            shown = webauthn.verify_authentication_response(
                credential=_parsed(answer),
                expected_challenge=challenge,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                credential_public_key=_bytes(found.secret),
                credential_current_sign_count=found.count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError):
            raise _not_right() from None
        account = next(each for each in people.everyone(tx) if each.person.id == found.person_id)
        _use_once(ctx, tx, challenge, account.person)
        if not account.person.active:
            raise Refused("This account is disabled. Ask an admin.")
        factors.note_use(tx, found.id, shown.new_sign_count, ctx.now())
        return account


def _use_once(ctx: Context, tx: Connection, challenge: bytes, person: Person) -> None:
    """An answer that was overheard is of no use: each question is answered once."""
    token = sha256(b"passkey" + challenge).hexdigest()
    if sessions.form(tx, token):
        raise _not_right()
    sessions.begin_form(tx, token, person.id, ctx.now())


def _asked(
    ctx: Context,
    options: structs.PublicKeyCredentialCreationOptions | structs.PublicKeyCredentialRequestOptions,
    challenge: bytes,
) -> Asked:
    kept = {"challenge": challenge.hex(), "until": (ctx.now() + _LASTS).isoformat()}
    sealed = ctx.keystore.seal(_SUBJECT, json.dumps(kept).encode())
    return Asked(options_to_json_dict(options), urlsafe_b64encode(sealed).decode())


def _challenge(ctx: Context, sealed: str) -> bytes:
    try:
        kept = json.loads(ctx.keystore.unseal(_SUBJECT, urlsafe_b64decode(sealed.encode())) or b"{}")
        until, challenge = datetime.fromisoformat(kept["until"]), bytes.fromhex(kept["challenge"])
    except (ValueError, KeyError, TypeError):
        raise _not_right() from None
    if until < ctx.now():
        raise Refused("That took too long. Try the passkey once more.")
    return challenge


def _parsed(answer: str) -> dict[str, Any]:
    found = json.loads(answer[:_LONGEST_ANSWER])
    if not isinstance(found, dict):
        raise _not_right()
    return found


def _named(handle: str) -> structs.PublicKeyCredentialDescriptor:
    return structs.PublicKeyCredentialDescriptor(id=_bytes(handle))


def _bytes(text: str) -> bytes:
    return webauthn.base64url_to_bytes(text)


def _milliseconds() -> int:
    return int(_LASTS.total_seconds() * 1000)


def _not_right() -> Refused:
    return Refused("This passkey did not work here. Try once more, or use the passphrase.")
