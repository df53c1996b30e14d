"""What the accounts sign in with, sealed in one file whose key lies apart: the file alone tells nothing."""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pydantic import SecretStr

from bot.domain.errors import Misconfigured
from bot.store.private import OWN, locked, require_own, write_whole

_NONCE_BYTES, _KEY_BYTES = 12, 32
_UNREADABLE = "{path} is damaged. Bring back its backup, or move it away and run: campaignbot channel secret NAME"


class Vault:
    """Each secret is bound to its account and field, so that none can be put in the place of another.

    The key's file may hold several keys, one a line: the first seals, all open. `is_handed` means that systemd
    hands the key over: its file is then neither looked at nor written here; no file means that it was not handed.
    """

    def __init__(self, file: Path, key: Path | None, *, is_handed: bool = False) -> None:
        self.file, self.key, self.is_handed = file, key, is_handed

    def __repr__(self) -> str:
        return f"Vault({str(self.file)!r})"

    def establish(self) -> None:
        """Makes the key where nothing was sealed yet; a lost key is never given a successor."""
        if not self.is_handed and self.key and not self.key.exists() and not self.file.exists():
            write_whole(self.key, _new_key(), OWN)

    def seal(self, channel: str, given: Mapping[str, SecretStr]) -> None:
        """All at once or none."""
        key = self._keys()[0]
        new = {name_of(channel, field): secret.get_secret_value() for field, secret in given.items()}
        with locked(self.file.with_suffix(".lock")):
            self._write({**self._sealed(), **{name: _seal(key, name, value) for name, value in new.items()}})

    def unseal(self, channel: str, field: str) -> SecretStr | None:
        """None where nothing was sealed for it. Raises Misconfigured."""
        name = name_of(channel, field)
        if not (sealed := self._sealed().get(name)):
            return None
        return SecretStr(self._open(name, sealed))

    def rekey(self) -> int:
        """Seals everything under a new key, or, where systemd hands over the keys, under the first of them.

        An interruption loses nothing: the old key stays until the last secret is under the new one.
        """
        with locked(self.file.with_suffix(".lock")):
            old = self._keys()
            if not self.is_handed and self.key:
                write_whole(self.key, b"".join([_new_key(), *(b64encode(key) + b"\n" for key in old)]), OWN)
            key, sealed = self._keys()[0], self._sealed()
            self._write({name: _seal(key, name, self._open(name, each)) for name, each in sealed.items()})
            if not self.is_handed and self.key:
                write_whole(self.key, b64encode(key) + b"\n", OWN)
        return len(sealed)

    def forget(self) -> str:
        """Deletes what is sealed, and its key where that is ours; "" or the path of what is left."""
        left = ""
        for path in (self.file, None if self.is_handed else self.key):
            try:
                if path:
                    path.unlink(missing_ok=True)
            except OSError:
                left = str(path)
        return left

    def stamp(self) -> int:
        """Another number after each change."""
        try:
            return self.file.stat().st_mtime_ns
        except OSError:
            return 0

    def _open(self, name: str, sealed: str) -> str:
        for key in self._keys():
            try:
                raw = b64decode(sealed, validate=True)
                return ChaCha20Poly1305(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], name.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise Misconfigured(
            "The secret “{name}” was sealed with another key, or altered. Bring back that key, or enter it anew.",
            name=name,
        )

    def _keys(self) -> list[bytes]:
        if self.key is None:
            raise Misconfigured("systemd hands the key of the accounts' secrets to the daemon alone: it is not here.")
        path = self.key
        try:
            if not self.is_handed:
                require_own(path)
            keys = [b64decode(line, validate=True) for line in path.read_bytes().split()]
        except FileNotFoundError:
            lost = "There is no key {path} for the accounts' secrets. Bring it back from where you keep its copy."
            raise Misconfigured(lost, path=path) from None
        except OSError as error:
            raise Misconfigured("{path} cannot be read: {why}.", path=path, why=error.strerror) from None
        except ValueError:
            keys = []
        if not keys or {len(key) for key in keys} != {_KEY_BYTES}:
            raise Misconfigured("{path} is no key for the accounts' secrets. Bring back its copy.", path=path)
        return keys

    def _sealed(self) -> dict[str, str]:
        try:
            sealed = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Misconfigured("{path} cannot be read: {why}.", path=self.file, why=error.strerror) from None
        except (ValueError, RecursionError):
            sealed = None
        if not isinstance(sealed, dict) or not all(isinstance(each, str) for each in sealed.values()):
            raise Misconfigured(_UNREADABLE, path=self.file)
        return sealed

    def _write(self, sealed: Mapping[str, str]) -> None:
        write_whole(self.file, json.dumps(sealed, indent=1).encode() + b"\n")


def name_of(channel: str, field: str) -> str:
    """What config.toml calls it: { credential = "…" }."""
    return f"{channel}.{field}"


def _new_key() -> bytes:
    return b64encode(ChaCha20Poly1305.generate_key()) + b"\n"


def _seal(key: bytes, name: str, value: str) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return b64encode(nonce + ChaCha20Poly1305(key).encrypt(nonce, value.encode(), name.encode())).decode()
