"""config.toml as checked values: one run finds every problem of the file."""

import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from bot.domain.errors import Finding, Misconfigured, Rejected
from bot.settings.findings import contradictions, explain, in_alerts, sound
from bot.settings.sections import (
    MAX_BYTES,
    Alert,
    Backup,
    Bot,
    Campaign,
    Channel,
    Ping,
    Planning,
    Publishing,
    Web,
    handed,
)

SECRETS, KEY = "secrets.json", "secrets.key"


class _File(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CAMPAIGNBOT_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )
    bot: Bot = Bot()
    planning: Planning = Planning()
    publishing: Publishing = Publishing()
    web: Web = Web()
    campaign: tuple[Campaign, ...] = ()
    channel: tuple[Channel, ...] = ()
    alert: tuple[Alert, ...] = ()
    ping: Ping = Ping()
    backup: Backup = Backup()

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:  # noqa: ANN401
        """CAMPAIGNBOT_WEB__PORT=80 and its like win over the file: that is how a container is told."""
        return sources["env_settings"], sources["init_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; relative paths in it start at the file's own folder."""

    path: Path
    bot: Bot
    planning: Planning
    publishing: Publishing
    web: Web
    campaigns: tuple[Campaign, ...]
    channels: tuple[Channel, ...]
    alerts: tuple[Alert, ...]
    ping: Ping
    backup: Backup

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def data_dir(self) -> Path:
        return self.folder / self.bot.data_dir

    @property
    def database(self) -> SecretStr:
        given = self.bot.database
        url = given.get_secret_value() if given else f"sqlite:///{self.data_dir}/campaignbot.db"
        scheme, _, place = url.partition(":///")
        return SecretStr(f"sqlite:///{self.folder / place}" if scheme == "sqlite" else url)

    @property
    def sealed(self) -> Path:
        """The secrets that `channel add` took."""
        return self.data_dir / SECRETS

    @property
    def key(self) -> Path | None:
        """What opens them; None where systemd hands it over, and not to this process."""
        place = self.bot.secrets_key
        return handed(place.credential) if place.credential else self.folder / (place.file or self.data_dir / KEY)

    def secrets(
        self, channel: Channel | Alert, unseal: Callable[[str, str], SecretStr | None] = lambda *_: None
    ) -> dict[str, SecretStr]:
        """Reads what the account, or the alert, signs in with; `unseal` is given its name and the field.

        Raises Misconfigured.
        """
        given = channel.credentials.items()
        return {field: place.read(self.folder, partial(unseal, channel.name, field)) for field, place in given}


def load_settings(path: Path, raw: bytes | None = None) -> Settings:
    """As the file says, or as it would with `raw` in it.

    Raises Misconfigured when there is no such file, Rejected with every finding when it cannot be used.
    """
    path = path.absolute()
    plain = read_toml(path) if raw is None else parse_toml(path, raw)
    findings: list[Finding] = []
    try:
        file = _File(**plain)
    except ValidationError as error:
        findings += explain(plain, error)
        file = _rest(plain, error)
    except SettingsError as error:
        raise Rejected([Finding("CAMPAIGNBOT_…", "", f"{error}.", "Mend or unset it.")]) from None
    findings += contradictions(file.bot, file.publishing, file.campaign, file.channel)
    findings += in_alerts(file.alert)
    if findings:
        raise Rejected(findings)
    known = file.bot, file.planning, file.publishing, file.web, file.campaign, file.channel, file.alert
    return Settings(path, *known, file.ping, file.backup)


def _rest(plain: dict[str, Any], error: ValidationError) -> _File:
    try:
        return _File(**sound(plain, error))
    except ValidationError:
        return _File.model_construct()  # the environment is at fault: nothing else is worth looking at


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file people edit, in NFC. Raises Misconfigured, or Rejected."""
    try:
        raw = path.read_bytes() if path.stat().st_size < MAX_BYTES else b"\xff"
    except FileNotFoundError:
        raise Misconfigured("There is no {path}. Run: campaignbot --config {path} init", path=path) from None
    except OSError as error:
        raise Misconfigured("{path} cannot be read: {why}.", path=path, why=error.strerror) from None
    return parse_toml(path, raw)


def parse_toml(path: Path, raw: bytes) -> dict[str, Any]:
    """What would stand in the file `path`. Raises Rejected with the line."""
    try:
        return tomllib.loads(unicodedata.normalize("NFC", raw.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        finding = Finding(path.name, f"line {line}", "is not UTF-8 text.", "Save the file as UTF-8.")
    except tomllib.TOMLDecodeError as error:
        problem, _, place = str(error).partition(" (at ")
        finding = Finding(path.name, place.rstrip(")"), f"{problem}.", "Mend this line.")
    except RecursionError:
        finding = Finding(path.name, "", "is nested too deeply.")
    raise Rejected([finding])
