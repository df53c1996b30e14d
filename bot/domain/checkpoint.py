"""Checkpoints: the RFC 6962 tree over the record, and the C2SP notes that sign its root."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from bot.domain.audit import ORIGIN, Malformed

MAX_NOTE = 8_192
_ED25519 = b"\x01"


class Frontier:
    """The right edge of an RFC 6962 tree: enough to add leaves and to tell the root, in O(log n)."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        if len(self.peaks) != size.bit_count():
            raise Malformed("a frontier has one peak for each bit of its size")

    def append(self, leaf: bytes) -> None:
        below, peaks = self.size, self.peaks
        while below & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            below >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return sha256().digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root).digest()
        return root


class VerifyKey(NamedTuple):
    """A public Ed25519 key under its C2SP name."""

    name: str
    public: bytes

    @property
    def id(self) -> str:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).hexdigest()[:8]

    def __str__(self) -> str:
        return f"{self.name}+{self.id}+{b64encode(_ED25519 + self.public).decode()}"


@lru_cache(maxsize=64)
def parse_vkey(text: str) -> VerifyKey:
    found = re.fullmatch(rf"({ORIGIN})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]{{44}})", text)
    if found is None:
        raise Malformed("not a C2SP verifier key")
    key = VerifyKey(found[1], b64decode(found[3])[1:])
    if str(key) != text:
        raise Malformed("the key does not match its id")
    return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed size and root; `peaks` let the next one start from here. `at` itself is not signed."""

    size: int
    root: bytes
    peaks: tuple[bytes, ...]
    note: str
    key_id: str
    at: datetime


class Note(NamedTuple):
    """A signed checkpoint, read. `signatures` are (name, key id, 64 bytes)."""

    origin: str
    size: int
    root: bytes
    body: bytes
    signatures: tuple[tuple[str, str, bytes], ...]


_NOTE = re.compile(rf"({ORIGIN})\n([1-9][0-9]{{0,14}})\n([A-Za-z0-9+/]{{43}}=)\n\n((?:— {ORIGIN} [A-Za-z0-9+/]+=*\n)+)")
_SIGNATURE_BYTES = 4 + 64


def checkpoint_body(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n".encode()


def signed_note(body: bytes, key: VerifyKey, signature: bytes) -> str:
    blob = b64encode(bytes.fromhex(key.id) + signature).decode()
    return f"{body.decode()}\n— {key.name} {blob}\n"


def parse_note(text: str) -> Note:
    """A C2SP checkpoint whose body is exactly three lines; signatures of other kinds are passed over."""
    found = _NOTE.fullmatch(text) if len(text) <= MAX_NOTE else None
    if found is None:
        raise Malformed("not a signed checkpoint")
    origin, size, root = found[1], int(found[2]), b64decode(found[3])
    body, signatures = checkpoint_body(origin, size, root), []
    for line in found[4].splitlines():
        _, name, blob = line.split(" ")
        try:
            raw = b64decode(blob, validate=True)
        except ValueError as error:
            raise Malformed("a signature is not base64") from error
        if b64encode(raw).decode() != blob:
            raise Malformed("a signature is not in canonical base64")
        if len(raw) == _SIGNATURE_BYTES:
            signatures.append((name, raw[:4].hex(), raw[4:]))
    if not text.startswith(body.decode()):
        raise Malformed("the root is not in canonical base64")
    return Note(origin, size, root, body, tuple(signatures))


_QUOTED = re.compile(r"^[> \t]+|[ \t\r]+$", re.MULTILINE)
_LAID_IN = re.compile(_NOTE.pattern.removesuffix("+)") + r"{1,16})")


def note_in(text: str) -> str:
    """The signed note in a text that it was sent or kept in, such as a mail. Raises Malformed if there is none."""
    found = _LAID_IN.search(_QUOTED.sub("", text[: 64 * MAX_NOTE]) + "\n")
    if found is None:
        raise Malformed("there is no signed checkpoint")
    return found[0]
