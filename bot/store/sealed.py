"""A stream under a passphrase: whatever was changed, moved, cut or added is refused before it is believed."""

import hashlib
import os
import unicodedata
from hmac import compare_digest
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from bot.domain.errors import BadInput, Refused

MAGIC = b"campaignbot backup 1\n"
CHUNK = 65_536
SHORTEST = 12
_SALT, _CHECK, _TAG = 16, 16, 16
# 128 MiB and about half a second a guess. Fixed by the version in MAGIC: no file may ask for more.
_SCRYPT_N = 2**17


def require_passphrase(passphrase: str) -> str:
    """In NFC, however it was typed. Raises BadInput."""
    passphrase = unicodedata.normalize("NFC", passphrase.strip())
    if len(passphrase) < SHORTEST:
        raise BadInput("A passphrase has {least} characters or more. Take five words at random.", least=SHORTEST)
    return passphrase


def stretch(passphrase: str, salt: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    """The cipher, and what tells a wrong passphrase from a damaged file."""
    made = hashlib.scrypt(
        require_passphrase(passphrase).encode(), salt=salt, n=_SCRYPT_N, r=8, p=1, maxmem=2**28, dklen=32 + _CHECK
    )
    return ChaCha20Poly1305(made[:32]), made[32:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Without `close` the file is not whole, and no reader takes it for one."""

    def __init__(self, out: BinaryIO, passphrase: str) -> None:
        salt = os.urandom(_SALT)
        self._cipher, check = stretch(passphrase, salt)
        self._out, self._waiting, self._number = out, bytearray(), 0
        out.write(MAGIC + salt + check)

    def write(self, content: bytes) -> None:
        self._waiting += content
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, content: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), content, MAGIC))
        self._number += 1


class SealedReader:
    """Raises BadInput for what is no backup or is damaged, Refused for another passphrase."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        head = source.read(len(MAGIC) + _SALT + _CHECK)
        if not head.startswith(MAGIC) or len(head) < len(MAGIC) + _SALT + _CHECK:
            raise BadInput("This is no backup of this program, or one of a newer version.")
        self._cipher, check = stretch(passphrase, head[len(MAGIC) : -_CHECK])
        if not compare_digest(check, head[-_CHECK:]):
            raise Refused("This is not the passphrase of that backup.")
        self._source, self._ready, self._number = source, bytearray(), 0
        self._next = source.read(CHUNK + _TAG)
        self._ended = False

    def read(self, size: int) -> bytes:
        """Exactly so many bytes. Raises BadInput where there are fewer."""
        while len(self._ready) < size:
            self._open_next()
        found = bytes(self._ready[:size])
        del self._ready[:size]
        return found

    def end(self) -> None:
        """Raises BadInput unless everything was read."""
        while not self._ended:
            self._open_next()
        if self._ready:
            raise damaged(self._number * CHUNK)

    def _open_next(self) -> None:
        if self._ended:
            raise damaged(self._number * CHUNK)
        sealed, self._next = self._next, self._source.read(CHUNK + _TAG)
        self._ended = not self._next
        try:
            self._ready += self._cipher.decrypt(_nonce(self._number, last=self._ended), sealed, MAGIC)
        except (InvalidTag, ValueError):
            raise damaged(self._number * CHUNK) from None
        self._number += 1


def damaged(at: int) -> BadInput:
    return BadInput("The backup is cut off or damaged after {size} bytes. Take another copy of it.", size=at)
