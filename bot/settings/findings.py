"""What is wrong in config.toml, said so that a person can mend it: section, key, problem, remedy."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.domain.errors import Finding
from bot.domain.reader import finding
from bot.settings.sections import (
    ALERT_CREDENTIALS,
    ALERT_KEYS,
    CREDENTIALS,
    NEEDED,
    OPEN,
    OWN_KEYS,
    Alert,
    Backup,
    Bot,
    Budget,
    Campaign,
    Channel,
    Ping,
    Planning,
    Publishing,
    Secret,
    Web,
    is_loopback,
)

TIMEOUTS_IN_A_LEASE = 3
VERSION_SOON = timedelta(days=90)
SETTLE_MARGIN_S, SETTLE_MARGIN_LOOPBACK_S = 60, 2
_SECTIONS = (Bot, Planning, Publishing, Web, Campaign, Channel, Alert, Ping, Backup)
_INNER: dict[str, type[BaseModel]] = {"credentials": Secret, "budget": Budget}
TABLES: Mapping[str, type[BaseModel]] = {kind.__name__.lower(): kind for kind in _SECTIONS} | _INNER
_LISTED = ("campaign", "channel", "alert")
_PROBLEMS = {
    "extra_forbidden": "unknown key.",
    "missing": "is missing.",
    "greater_than_equal": "must be {ge} or more.",
    "less_than_equal": "must be {le} or less.",
    **dict.fromkeys(("literal_error", "enum"), "is not one of {expected}."),
    "string_pattern_mismatch": "holds characters that are not allowed here.",
    "string_too_long": "is longer than {max_length} characters.",
    "string_too_short": "is empty.",
    "tuple_type": "must be a list.",
    "model_type": "must be a table.",
    "dict_type": "must be a table.",
}
_UNFIT = "must be {wanted}."


_find = partial(finding, "config.toml")


def explain(plain: Mapping[str, Any], error: ValidationError) -> Iterator[Finding]:
    for each in error.errors(include_url=False, include_input=False):
        loc, kind, context = each["loc"], each["type"], dict(each.get("ctx", {}))
        problem, place = _PROBLEMS.get(kind, _UNFIT), _place(plain, loc)
        if kind == "extra_forbidden":
            table = next(
                (TABLES[part] for part in reversed(loc[:-1]) if isinstance(part, str) and part in TABLES), None
            )
            near = str(loc[-1]), table.model_fields.keys() if table else TABLES.keys() - _INNER.keys()
            yield _find(place, problem, "Remove it.", near=near)
        elif kind in {"literal_error", "enum"}:
            known = re.findall(r"'([^']+)'", context["expected"])
            yield _find(place, problem, near=(str(_value_at(plain, loc)), known), expected=", ".join(known))
        elif kind == "value_error":
            problem, *near_zone = context["error"].args
            yield _find(place, problem, near=(near_zone[0], near_zone[1]) if near_zone else ("", ()))
        else:
            numbers: dict[str, Any] = {
                key: f"{value:g}" for key, value in context.items() if isinstance(value, int | float)
            }
            yield _find(place, problem, wanted=each["msg"].removeprefix("Input should be "), **numbers)


def sound(plain: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """The file without what is broken, so that the rest can be looked at in the same run."""
    broken = {each["loc"][: 2 if each["loc"][0] in _LISTED else 1] for each in error.errors()}
    if any(loc[0] == "channel" for loc in broken):
        broken.add(("campaign",))  # it may name the account that is broken
    return {
        section: [item for number, item in enumerate(value) if (section, number) not in broken]
        if section in _LISTED
        else value
        for section, value in plain.items()
        if (section,) not in broken
    }


def _value_at(plain: Any, place: Iterable[Any]) -> Any:  # noqa: ANN401 - whatever TOML held there
    for step in place:
        try:
            plain = plain[step]
        except (LookupError, TypeError):
            return ""
    return plain


def _place(plain: Mapping[str, Any], loc: tuple[int | str, ...]) -> str:
    section, *rest = loc
    if section not in TABLES:
        return str(section)
    if not rest or not isinstance(rest[0], int):
        return f"[{section}] {'.'.join(map(str, rest))}".rstrip()
    name = _value_at(plain, (section, rest[0], "slug" if section == "campaign" else "name"))
    return f"[[{section}]] {f'“{name}”' if name else rest[0] + 1}: {'.'.join(map(str, rest[1:]))}"


def contradictions(
    bot: Bot, timing: Publishing, campaigns: Iterable[Campaign], channels: Collection[Channel]
) -> Iterator[Finding]:
    """What is wrong only together with something else."""
    margin = SETTLE_MARGIN_S if any(channel.is_remote for channel in channels) else SETTLE_MARGIN_LOOPBACK_S
    timeout = timing.request_timeout_s
    for key, value, least in (
        ("lease_s", timing.lease_s, timeout * TIMEOUTS_IN_A_LEASE),
        ("settle_s", timing.settle_s, timeout + margin),
    ):
        if value < least:
            problem = "must be {least:g} or more where request_timeout_s is {timeout:g}."
            yield _find(f"[publishing] {key}", problem, least=least, timeout=timeout)
    names, slugs = [channel.name for channel in channels], [campaign.slug for campaign in campaigns]
    for section, listed in (("channel", names), ("campaign", slugs)):
        for name in sorted({name for name in listed if listed.count(name) > 1}):
            yield _find(f"[[{section}]] “{name}”", "stands here twice.", "Give each its own name.")
    for campaign in campaigns:
        for name in sorted(set(campaign.channels or ()) - set(names)):
            where, remedy = f"[[campaign]] “{campaign.slug}”: channels", "Add a [[channel]] of that name."
            yield _find(where, "there is no account “{name}”.", remedy, near=(name, names), name=name)
    for channel in channels:
        yield from _in_channel(channel, bot)


def aging(channels: Iterable[Channel], today: date) -> Iterator[Finding]:
    """What is right today, and not for long."""
    for channel in channels:
        version, ends = channel.graph if channel.platform == "facebook" else ("", None)
        if ends and ends - today < VERSION_SOON:
            here, problem = f"[[channel]] “{channel.name}”: graph_version", "{version} of the Graph API ends on {date}."
            yield _find(here, problem, "Write a newer one.", version=version, date=ends)


def _in_channel(channel: Channel, bot: Bot) -> Iterator[Finding]:
    here = f"[[channel]] “{channel.name}”: "
    if channel.platform != "rehearsal" and channel.like:
        yield _find(here + "like", "is for the platform “rehearsal” only.", "Remove it.")
    for key in ("api_base", "ca_file", "proxy"):
        if channel.platform == "rehearsal" and getattr(channel, key):
            yield _find(here + key, "a rehearsal does not use the network.", "Remove it.")
    for key in (key for key, platform in OWN_KEYS.items() if platform != channel.platform):
        if getattr(channel, key) is not None:
            yield _find(here + key, "unknown key.", "Remove it.")
    if channel.platform == "mastodon" and not channel.api_base:
        yield _find(here + "api_base", "is missing.")
    if channel.habits == "x" and channel.layout == "joined":
        yield _find(here + "layout", "two languages do not fit one post on X.", "Write “thread” or “separate”.")
    for language in channel.languages:
        if language not in bot.languages:
            yield _find(here + "languages", "“{language}” is not among those of [bot].", language=language)
    yield from _in_credentials(here, channel)


def _in_credentials(here: str, channel: Channel) -> Iterator[Finding]:
    known = CREDENTIALS[channel.platform]
    for name in sorted(channel.credentials.keys() - set(known)):
        yield _find(f"{here}credentials.{name}", "unknown key.", "Remove it.", near=(name, known))
    for name in known:
        secret = channel.credentials.get(name)
        if secret is None or (secret.text is not None and name not in OPEN):
            problem = "a secret does not belong in this file." if secret else "is missing."
            yield _find(f"{here}credentials.{name}", problem, 'Write { env = "NAME" }, or file, or credential.')


def in_alerts(alerts: Collection[Alert]) -> Iterator[Finding]:
    for alert in alerts:
        here = f"[[alert]] “{alert.name}”: "
        if [each.name for each in alerts].count(alert.name) > 1:
            yield _find(here.rstrip(": "), "stands here twice.", "Give each its own name.")
        for key, kinds in ALERT_KEYS.items():
            if alert.kind not in kinds and getattr(alert, key) is not None:
                yield _find(here + key, "unknown key.", "Remove it.")
        if alert.kind == "mail":
            yield from _in_mail(here, alert)
        known = ALERT_CREDENTIALS[alert.kind]
        for name in sorted(alert.credentials.keys() - set(known)):
            yield _find(f"{here}credentials.{name}", "unknown key.", "Remove it.", near=(name, known))
        for name in known:
            secret = alert.credentials.get(name)
            if (secret is None and name in NEEDED) or (secret and secret.text is not None and name != "chat_id"):
                problem = "a secret does not belong in this file." if secret else "is missing."
                yield _find(f"{here}credentials.{name}", problem, 'Write { env = "NAME" }, or file, or credential.')


def _in_mail(here: str, alert: Alert) -> Iterator[Finding]:
    for key in ("host", "sender", "to"):
        if not getattr(alert, key):
            yield _find(here + key, "is missing.")
    if alert.security == "none" and alert.host and not is_loopback(f"//{alert.host}"):
        yield _find(here + "security", "mail leaves this machine only under TLS.", "Write “starttls” or “tls”.")
    if len(alert.credentials) == 1:
        yield _find(here + "credentials", "needs both a username and a password, or neither.")
