"""The keys and the true names, in a folder apart from the database, so that neither is of use alone."""

import hmac
import json
import secrets
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from bot.domain.audit import Malformed
from bot.domain.checkpoint import VerifyKey, parse_vkey
from bot.domain.errors import BadInput, Conflict, Misconfigured, NotFound
from bot.store.private import locked, require_private, told_plainly, write_whole

MAX_ALIAS = 60
_NONCE_BYTES = 12
# Each file is one flat JSON object: alias by pseudonym, key by subject, seed by public key, the newest note.
_PROGRAM = "program"
_PEOPLE, _SUBJECTS, _SIGNING, _ANCHOR = "people.json", "subjects.json", "signing.key", "anchor.json"


class Keystore:
    """An opened key folder. Processes and threads share it: changed files are read again, writes hold a lock.

    What is forgotten here is gone from this folder; copies made of the folder before still hold it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, tuple[tuple[int, int, int], dict[str, str]]] = {}

    def __repr__(self) -> str:
        return f"Keystore({str(self.folder)!r})"

    @classmethod
    def create(cls, folder: Path, *, name: str = "") -> Self:
        """A new folder with one signing key. Raises Conflict where there is one: no key is overwritten."""
        if (folder / _SIGNING).exists():
            raise Conflict("{folder} holds keys already. They are kept as they are.", folder=folder)
        with told_plainly(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            keystore = cls(folder)
            for file in (_PEOPLE, _SUBJECTS, _ANCHOR):
                keystore._write(file, {})
            keystore._write(_SIGNING, dict([_new_signing_key(name or f"campaignbot/{secrets.token_hex(8)}")]))
        return keystore

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises Misconfigured, with the remedy, if the folder is missing, damaged, or open to others."""
        if not folder.is_dir():
            raise Misconfigured("There is no key folder {folder}. Bring back its backup.", folder=folder)
        require_private(folder)
        keystore = cls(folder)
        for file in (_PEOPLE, _SUBJECTS, _ANCHOR):
            keystore._read(file)
        keystore.sign(b"")
        return keystore

    def add_person(self, alias: str) -> str:
        """The new pseudonym. Raises Conflict if the alias, however capitalised, is taken."""
        pseudonym = f"p-{secrets.token_hex(8)}"
        self._name(pseudonym, alias)
        return pseudonym

    def rename_person(self, pseudonym: str, alias: str) -> None:
        if pseudonym not in self.people():
            raise NotFound("There is no such person.")
        self._name(pseudonym, alias)

    def _name(self, pseudonym: str, alias: str) -> None:
        alias = unicodedata.normalize("NFC", alias).strip()
        if not (alias.isprintable() and 0 < len(alias) <= MAX_ALIAS):
            raise BadInput("An alias has 1 to {most} visible characters on one line.", most=MAX_ALIAS)
        with self._locked():
            if self.pseudonym(alias) not in (None, pseudonym):
                raise Conflict("“{alias}” is taken. Choose another alias.", alias=alias)
            self._write(_PEOPLE, {**self.people(), pseudonym: alias})

    def people(self) -> Mapping[str, str]:
        """Alias by pseudonym."""
        return self._read(_PEOPLE)

    def alias(self, pseudonym: str) -> str:
        """The pseudonym itself for somebody erased."""
        return self.people().get(pseudonym, pseudonym)

    def pseudonym(self, alias: str) -> str | None:
        wanted = _fold(alias)
        return next((key for key, name in self.people().items() if _fold(name) == wanted), None)

    def seal(self, subject: str, content: bytes) -> bytes:
        """Encrypts under the key of a person or a case, made now if there is none."""
        with self._locked():
            if not self.knows(subject):
                key = b64encode(ChaCha20Poly1305.generate_key()).decode()
                self._write(_SUBJECTS, {**self._read(_SUBJECTS), subject: key})
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(subject).encrypt(nonce, content, subject.encode())

    def unseal(self, subject: str, sealed: bytes) -> bytes | None:
        """None if the bytes were not sealed under the subject's key, or if that was forgotten."""
        if not self.knows(subject):
            return None
        try:
            nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher(subject).decrypt(nonce, content, subject.encode())
        except (InvalidTag, ValueError):
            return None

    def secret(self, purpose: str) -> bytes:
        """32 bytes that stay the same as long as this folder does, and others for each purpose."""
        if not self.knows(_PROGRAM):
            self.seal(_PROGRAM, b"")
        return hmac.digest(b64decode(self._read(_SUBJECTS)[_PROGRAM]), purpose.encode(), "sha256")

    def knows(self, subject: str) -> bool:
        return subject in self._read(_SUBJECTS)

    def forget(self, subject: str) -> None:
        """Erases the subject's key, and the alias if it is a person. There is no way back."""
        with self._locked():
            for file in (_SUBJECTS, _PEOPLE):
                self._write(file, {key: value for key, value in self._read(file).items() if key != subject})

    def forget_everybody(self) -> None:
        """Every alias and every key but those that sign. There is no way back."""
        with self._locked():
            for file in (_SUBJECTS, _PEOPLE):
                self._write(file, {})
            for phrase in self.folder.glob("*.passphrase"):
                phrase.unlink()

    def _cipher(self, subject: str) -> ChaCha20Poly1305:
        try:
            return ChaCha20Poly1305(b64decode(self._read(_SUBJECTS)[subject]))
        except (KeyError, ValueError):
            raise self._damaged(_SUBJECTS) from None

    @property
    def vkeys(self) -> tuple[VerifyKey, ...]:
        """Every public key there was, newest last."""
        try:
            return tuple(parse_vkey(text) for text in self._read(_SIGNING))
        except Malformed:
            raise self._damaged(_SIGNING) from None

    @property
    def vkey(self) -> VerifyKey:
        return self.vkeys[-1]

    @property
    def name(self) -> str:
        """The keys' name, which is the origin of the log."""
        return self.vkey.name

    def sign(self, message: bytes) -> bytes:
        """Signs with the newest key."""
        try:
            vkey, seed = list(self._read(_SIGNING).items())[-1]
            key = Ed25519PrivateKey.from_private_bytes(b64decode(seed))
            if parse_vkey(vkey).public == key.public_key().public_bytes_raw():
                return key.sign(message)
        except (IndexError, ValueError):
            pass
        raise self._damaged(_SIGNING)

    def rotate(self, announce: Callable[[VerifyKey], None]) -> VerifyKey:
        """A new signing key under the same name, once `announce` has put it on record: until then the old one signs."""
        vkey, seed = _new_signing_key(self.name)
        announce(parse_vkey(vkey))
        with self._locked():
            self._write(_SIGNING, {**self._read(_SIGNING), vkey: seed})
        return self.vkey

    @property
    def anchor(self) -> str:
        """The newest note signed here, or nothing: it finds out a database put back to an earlier state."""
        return self._read(_ANCHOR).get("note", "")

    def remember(self, note: str) -> None:
        with self._locked():
            self._write(_ANCHOR, {"note": note})

    def _read(self, file: str) -> dict[str, str]:
        path = self.folder / file
        try:
            stat = path.stat()
            stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if file not in self._seen or self._seen[file][0] != stamp:
                require_private(path)
                content: Any = json.loads(path.read_bytes())
                if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
                    raise self._damaged(file)
                self._seen[file] = (stamp, content)
        except (FileNotFoundError, ValueError, RecursionError):
            raise self._damaged(file) from None
        except OSError as error:
            raise Misconfigured("{path} cannot be read: {why}.", path=path, why=error.strerror) from error
        return self._seen[file][1]

    def _write(self, file: str, content: Mapping[str, str]) -> None:
        write_whole(self.folder / file, json.dumps(content, indent=1).encode())

    def _locked(self) -> AbstractContextManager[None]:
        return locked(self.folder / "lock")

    def _damaged(self, file: str) -> Misconfigured:
        path = self.folder / file
        return Misconfigured("{path} is missing or damaged. Bring back the backup of its folder.", path=path)


def _fold(alias: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", alias).strip().casefold())


def _new_signing_key(name: str) -> tuple[str, str]:
    seed = secrets.token_bytes(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return str(VerifyKey(name, public)), b64encode(seed).decode()
