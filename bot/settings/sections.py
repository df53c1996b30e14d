"""The sections of config.toml: what each key may hold."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from bot.domain.alerts import Topic
from bot.domain.campaign import Shape
from bot.domain.case import fold
from bot.domain.errors import Misconfigured

MAX_BYTES = 1_000_000
# What each service calls its secrets; the names in OPEN are none and may be written out.
CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "x": ("api_key", "api_secret", "access_token", "access_secret"),
    "facebook": ("page_id", "page_token", "app_secret"),
    "bluesky": ("identifier", "app_password"),
    "mastodon": ("access_token",),
    "telegram": ("bot_token", "chat_id"),
    "rehearsal": (),
}
OPEN = frozenset({"page_id", "identifier", "chat_id"})
# Those of the ways of telling people; only the first of each must be there, and mail needs none.
ALERT_CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "mail": ("username", "password"),
    "telegram": ("bot_token", "chat_id"),
    "webhook": ("url", "token"),
}
NEEDED = frozenset({"bot_token", "chat_id", "url"})
ALERT_KEYS: Mapping[str, tuple[str, ...]] = {
    "host": ("mail",), "port": ("mail",), "security": ("mail",), "sender": ("mail",), "to": ("mail",),
    "api_base": ("telegram",), "proxy": ("telegram", "webhook"),
}  # fmt: skip
# Keys that mean something to one service only.
OWN_KEYS: Mapping[str, str] = {"visibility": "mastodon", "silent": "telegram", "graph_version": "facebook"}
# The version of Facebook's Graph API that is spoken, and when Meta ends each: what is newer has no date yet.
GRAPH = "v25.0"
GRAPH_ENDS: Mapping[str, date] = {
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}

Language = Literal["vi", "en"]
Service = Literal["x", "facebook", "bluesky", "mastodon", "telegram"]


# What people write for the one zone of Viet Nam, and what looks more like the name of another.
_OF_VIETNAM = re.compile(r"(asia/)?(ha[ _-]?noi|viet[ _-]?nam|vn|ict)")


def _zone(key: str) -> str:
    try:
        ZoneInfo(key)
    except (ValueError, OSError, LookupError):
        near = "Asia/Ho_Chi_Minh" if _OF_VIETNAM.fullmatch(fold(key)) else key
        raise ValueError("is no time zone.", near, available_timezones()) from None
    return key


def _time_of_day(value: object) -> time:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(second=0, microsecond=0)
    raise ValueError("must be a time of day such as “09:00”.")


def _database(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://.")
    return url


def is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _api_base(address: str) -> str:
    host = r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
    if not re.fullmatch(host, address):
        raise ValueError("must be an address such as https://example.org, without a name, password or query.")
    if address.startswith("http:") and not is_loopback(address):
        raise ValueError("must begin with https://; http:// is for this machine itself only.")
    return address.rstrip("/")


def _public(address: str) -> str:
    host = r"(https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?/?)?"
    if not re.fullmatch(host, address):
        raise ValueError("must be an address such as https://example.org, without a path.")
    return address.rstrip("/")


def _graph(version: str) -> str:
    if not re.fullmatch(r"v(2[1-9]|[3-9][0-9])\.0", version):
        raise ValueError("is no version of the Graph API that still answers, such as “v25.0”.")
    return version


def _proxy(address: str) -> str:
    # Plain socks5 would look names up here, where the provider of the line sees them.
    if not re.fullmatch(r"(https?|socks5h)://[^\s/]+/?", address):
        raise ValueError("must be an address such as socks5h://127.0.0.1:9050 (socks5h, http or https).")
    return address


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("names something twice.")
    return values


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("is empty.")
    return values


def _slug(text: str) -> str:
    if not re.fullmatch(r"(?=.{1,60}$)[a-z0-9]+(-[a-z0-9]+)*", text):
        raise ValueError("may hold only a–z, 0–9 and single hyphens, at most 60.")
    return text


Zone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Slug = Annotated[str, AfterValidator(_slug)]
Languages = Annotated[tuple[Language, ...], AfterValidator(_distinct), AfterValidator(_some)]
Names = Annotated[tuple[Slug, ...], AfterValidator(_distinct)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)


class Secret(Section):
    """Where a secret lies; it is read when a channel opens. `text` is for what is no secret."""

    env: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    file: Path | None = None
    credential: str | None = Field(None, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}$")
    text: SecretStr | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("must name one place: env, file or credential.")
        return self

    def read(self, folder: Path, sealed: Callable[[], SecretStr | None] = lambda: None) -> SecretStr:
        """A credential is what systemd hands over, else what is `sealed` here.

        Raises Misconfigured, saying where it looked and never what it found.
        """
        if self.text is not None:
            return self.text
        path = handed(self.credential) if self.credential else folder / self.file if self.file else None
        try:
            found = path.read_text("utf-8").strip() if path else os.environ.get(self.env or "", "").strip()
        except (OSError, ValueError):
            found = ""
        if found:
            return SecretStr(found)
        if self.credential:
            if secret := sealed():
                return secret
            missing = "There is no secret “{name}”, from systemd or sealed here. See: campaignbot channel secret --help"
            raise Misconfigured(missing, name=self.credential)
        place = f"${self.env}" if self.env else str(path)
        raise Misconfigured("There is no secret in {place}. Put it there, or name another.", place=place)


def handed(credential: str) -> Path | None:
    """Where systemd lays it for a service that may have it; None in every other process."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / credential if folder else None


def _kept_apart(place: Secret) -> Secret:
    if place.env or place.text:
        raise ValueError("must name a file or a credential: other programs see what stands in the environment.")
    return place


def _written_out(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class Bot(Section):
    name: str = Field("Campaign bot", min_length=1, max_length=60)
    data_dir: Path = Path("var")
    database: Annotated[SecretStr, AfterValidator(_database)] | None = None
    timezone: Zone = "Asia/Ho_Chi_Minh"
    languages: Languages = ("vi", "en")
    secrets_key: Annotated[Secret, AfterValidator(_kept_apart)] = Secret(file=None)


class Planning(Section):
    lead_days: int = Field(14, ge=1, le=90)
    status_max_age_days: int = Field(180, ge=1, le=366)
    leap_day: Literal["28 February", "1 March"] = "28 February"
    similar_days: int = Field(7, ge=1, le=30)


class Publishing(Section):
    """Seconds unless the name says otherwise."""

    poll_s: float = Field(1.0, ge=0.05, le=60)
    request_timeout_s: float = Field(30.0, ge=1, le=60)
    lease_s: float = Field(180.0, le=3_600)
    settle_s: float = Field(300.0, le=86_400)
    grace_minutes: int = Field(20, ge=1, le=1_440)
    catch_up_per_hour: int = Field(6, ge=1, le=60)
    anchor_max_age_days: int = Field(0, ge=0, le=3_650)


class Web(Section):
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8000, ge=0, le=65_535)
    address: Annotated[str, AfterValidator(_public)] = ""
    idle_hours: int = Field(12, ge=1, le=168)
    session_days: int = Field(7, ge=1, le=30)


class Campaign(Section):
    """What this installation decides differently about a campaign of schedules/campaigns.toml."""

    slug: Slug
    approvals: int | None = Field(None, ge=1, le=5)
    channels: Names | None = None
    cards: Shape | None = None


def _mail_address(address: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", address):
        raise ValueError("must be an address such as name@example.org.")
    return address


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class Alert(Section):
    """One way of telling people that something needs them."""

    name: Slug
    kind: Literal["mail", "telegram", "webhook"]
    language: Language = "en"
    topics: Annotated[tuple[Topic, ...], AfterValidator(_some)] = tuple(Topic)
    host: str | None = Field(None, min_length=1, max_length=253)
    port: int | None = Field(None, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] | None = None
    sender: MailAddress | None = None
    to: tuple[MailAddress, ...] | None = None
    api_base: Annotated[str, AfterValidator(_api_base)] | None = None
    ca_file: Path | None = None
    proxy: Annotated[str, AfterValidator(_proxy)] | None = None
    credentials: dict[str, Annotated[Secret, BeforeValidator(_written_out)]] = {}


class Ping(Section):
    """Who is told that the daemon is well, and calls people when it is not told any more. `url` may be a secret."""

    url: Annotated[Secret, BeforeValidator(_written_out)] | None = None
    every_s: int = Field(60, ge=10, le=3_600)
    ca_file: Path | None = None
    proxy: Annotated[str, AfterValidator(_proxy)] | None = None


class Backup(Section):
    """Backups that the daemon makes by itself; none without a folder, as no place of this machine is a safe one."""

    folder: Path | None = None
    passphrase: Annotated[Secret, AfterValidator(_kept_apart)] | None = None
    every_hours: int = Field(24, ge=1, le=168)
    keep: int = Field(14, ge=1, le=1_000)
    keep_days: int = Field(30, ge=1, le=3_650)

    @model_validator(mode="after")
    def _with_passphrase(self) -> Self:
        if self.folder and not self.passphrase:
            raise ValueError("names a folder and no passphrase, which nothing is sealed without.")
        return self


class Budget(Section):
    """At most so many posts, each part of a thread being one, and so much money; left out is without limit."""

    per_hour: int | None = Field(None, ge=1, le=1_000)
    per_day: int | None = Field(None, ge=1, le=10_000)
    per_month: int | None = Field(None, ge=1, le=100_000)
    per_month_usd: Decimal | None = Field(None, ge=0, le=100_000, decimal_places=2, allow_inf_nan=False)


class Channel(Section):
    name: Slug
    platform: Literal["x", "facebook", "bluesky", "mastodon", "telegram", "rehearsal"]
    like: Service | None = None
    timezone: Zone | None = None
    languages: Languages = ("vi", "en")
    layout: Literal["joined", "thread", "separate"] | None = None
    post_time: TimeOfDay = time(9)
    quiet_from: TimeOfDay = time(22)
    quiet_until: TimeOfDay = time(6)
    spacing_minutes: int = Field(90, ge=0, le=1_440)
    daily_cap: int = Field(6, ge=1, le=100)
    api_base: Annotated[str, AfterValidator(_api_base)] | None = None
    ca_file: Path | None = None
    proxy: Annotated[str, AfterValidator(_proxy)] | None = None
    visibility: Literal["public", "unlisted"] | None = None
    silent: bool | None = None
    graph_version: Annotated[str, AfterValidator(_graph)] | None = None
    budget: Budget = Budget()
    credentials: dict[str, Annotated[Secret, BeforeValidator(_written_out)]] = {}

    @property
    def habits(self) -> str:
        """The service whose limits and habits hold; a rehearsal like none has the widest limits."""
        return self.like or ("facebook" if self.platform == "rehearsal" else self.platform)

    @property
    def account(self) -> str:
        """Where posts go, as far as this file says: an approval holds for this place and no other."""
        ids = (secret.text for name, secret in self.credentials.items() if name in OPEN)
        named = (text.get_secret_value() for text in ids if text)
        return "/".join(filter(None, (self.platform, self.habits, self.api_base, *named, self.visibility)))

    @property
    def graph(self) -> tuple[str, date | None]:
        """The version of the Graph API that this channel speaks, and its end."""
        version = self.graph_version or GRAPH
        return version, GRAPH_ENDS.get(version)

    @property
    def is_remote(self) -> bool:
        return self.platform != "rehearsal" and not (self.api_base and is_loopback(self.api_base))
