"""The ways out of the house: the machine's clock, the door to each service, and what tells people."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from bot.domain.errors import Misconfigured
from bot.logs import hide
from bot.ports import Message
from bot.settings import Settings, sections

if TYPE_CHECKING:
    from bot.platforms.alerts import Mail
    from bot.platforms.http import Door

Way = sections.Channel | sections.Alert | sections.Ping


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def boot(self) -> float:
        """Linux counts the time asleep in CLOCK_BOOTTIME; elsewhere the monotonic clock must do."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def open_door(settings: Settings, channel: Way, secrets: Mapping[str, SecretStr], usual: str = "") -> "Door":
    """From now on no line of the log holds what this account signs in with."""
    from bot.platforms.http import Door

    secret = [each for name, each in secrets.items() if name not in sections.OPEN]
    if channel.proxy and (password := urlsplit(channel.proxy).password):
        secret.append(SecretStr(unquote(password)))
    for each in secret:
        hide(each.get_secret_value())
    return Door(
        getattr(channel, "api_base", None) or usual,
        clock=SystemClock(),
        timeout_s=settings.publishing.request_timeout_s,
        secrets=secret,
        ca_file=settings.folder / channel.ca_file if channel.ca_file else None,
        proxy=channel.proxy,
    )


def tell(settings: Settings, alert: sections.Alert, message: Message) -> str:
    """Opened anew each time, so that what was mended is used at once."""
    from bot.platforms import alerts

    try:
        secrets = settings.secrets(alert)
        if alert.kind == "mail":
            return _mail(settings, alert, secrets).tell(message)
        if alert.kind == "telegram":
            door = open_door(settings, alert, secrets, alerts.TELEGRAM)
            return alerts.Telegram(door, secrets["bot_token"], secrets["chat_id"].get_secret_value()).tell(message)
        door = _door_to(settings, alert, secrets["url"], secrets)
        return alerts.Webhook(door, secrets["url"], secrets.get("token")).tell(message)
    except Misconfigured as error:
        return str(error)


def _mail(settings: Settings, alert: sections.Alert, secrets: Mapping[str, SecretStr]) -> "Mail":
    from bot.platforms.alerts import PORTS, Mail

    for each in secrets.values():
        hide(each.get_secret_value())
    security = alert.security or "starttls"
    return Mail(
        host=str(alert.host),
        port=alert.port or PORTS[security],
        security=security,
        sender=str(alert.sender),
        to=alert.to or (),
        clock=SystemClock(),
        timeout_s=settings.publishing.request_timeout_s,
        username=secrets.get("username"),
        password=secrets.get("password"),
        ca_file=settings.folder / alert.ca_file if alert.ca_file else None,
    )


def _door_to(settings: Settings, way: Way, url: SecretStr, secrets: Mapping[str, SecretStr]) -> "Door":
    """To an address that is itself a secret. Raises Misconfigured, without saying it."""
    from bot.platforms.alerts import base_of, path_of

    base = base_of(url)
    if not base.startswith("https://") and not (base.startswith("http://") and sections.is_loopback(base)):
        raise Misconfigured("The secret address of an alert or ping must begin with https://.")
    return open_door(settings, way, {**secrets, "url": url, "path": SecretStr(path_of(url))}, base)


def ping(settings: Settings) -> str:
    from bot.platforms.alerts import path_of, why_not

    try:
        url = settings.ping.url.read(settings.folder) if settings.ping.url else SecretStr("")
        return why_not(_door_to(settings, settings.ping, url, {}).call("GET", path_of(url)))
    except Misconfigured as error:
        return str(error)
