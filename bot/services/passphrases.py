"""Passphrases: long enough, on no attacker's list, kept as Argon2id hashes."""

import unicodedata
from functools import lru_cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn import zxcvbn

from bot.domain.errors import BadInput
from bot.services.context import Context

SHORTEST, LONGEST = 12, 200
# zxcvbn's own bound: beyond it the time it takes grows without end.
_LOOKED_AT = 72
_STRONG = 3
# Each hash takes 64 MiB: guesses from everywhere at once must not take all the memory there is.
_at_once = BoundedSemaphore(2)


def require_strong(passphrase: str, *known: str) -> None:
    """`known` is what an attacker knows anyway, such as the alias. Raises BadInput."""
    if not SHORTEST <= len(passphrase) <= LONGEST:
        raise BadInput(
            "A passphrase has at least {least} characters, and at most {most}.", least=SHORTEST, most=LONGEST
        )
    if zxcvbn(passphrase[:_LOOKED_AT], user_inputs=list(known))["score"] < _STRONG:
        raise BadInput("This passphrase is easy to guess. Take four or five words that have nothing to do with you.")


def hashed(ctx: Context, passphrase: str) -> str:
    with _at_once:
        return ctx.signing_in.hasher.hash(_plain(passphrase))


def matches(ctx: Context, kept: str, passphrase: str) -> bool:
    """Takes the same work where nothing is kept."""
    hasher = ctx.signing_in.hasher
    with _at_once:
        try:
            hasher.verify(kept or _nobodys(hasher), _plain(passphrase))
        except (VerifyMismatchError, InvalidHashError):
            return False
    return bool(kept)


@lru_cache(maxsize=4)
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody")


def _plain(passphrase: str) -> bytes:
    """The same letters typed on another keyboard are the same passphrase."""
    return unicodedata.normalize("NFC", passphrase[:LONGEST]).encode(errors="surrogatepass")
