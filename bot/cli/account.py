"""`channel add`, `secret` and `rekey`: an account is connected step by step, and its secrets are sealed."""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.channel import channel, lines, show_account
from bot.cli.frame import Given, Session, acting, as_json, emit, names, option, plain, read_bytes, say
from bot.domain.audit import Act
from bot.domain.errors import BadInput, Conflict, Refused
from bot.domain.people import Duty, Person, require
from bot.domain.post import DEFAULT_LAYOUT
from bot.domain.text import RULES
from bot.i18n import _, word
from bot.ports import Account

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.settings import Settings

SERVICES = (*RULES, "rehearsal")
LAYOUTS = ("joined", "thread", "separate")
from_file = option(
    "--from-file",
    metavar="FILE",
    help='Take the keys from a TOML file, or - for the standard input: access_token = "…". Delete it afterwards.',
)
unchecked = option("--unchecked", is_flag=True, help="Keep it even if signing in does not work now.")


@channel.command(
    examples=("channel add --as chi", "channel add --platform mastodon --api-base https://… --from-file - --as chi")
)
@option("--platform", type=click.Choice(SERVICES), help="The service; without it every step is asked for.")
@option("--name", help="What the account is called here: a–z, 0–9 and hyphens.")
@option("--languages", metavar="L[,L]", help="Of its posts, the first one first: vi,en.")
@option("--layout", type=click.Choice(LAYOUTS), help="Both languages in one post, as a thread, or apart.")
@option("--like", type=click.Choice(SERVICES[:-1]), help="Of a rehearsal: the service whose limits hold.")
@option("--api-base", metavar="URL", help="Another address of the service. Mastodon: your server.")
@option("--proxy", metavar="URL", help="The way out, for example socks5h://127.0.0.1:9050 for Tor.")
@from_file
@unchecked
@as_json
@acting()
def add(
    session: Session, actor: Person, *, from_file: str | None, unchecked: bool, as_json: bool, **given: Given
) -> None:
    """Connect an account: write it into config.toml, seal its keys, and look whether it works.

    Keys are asked for without showing them, and never stand on the command line. Nothing is posted.
    """
    from bot.settings import load_settings
    from bot.settings.sections import CREDENTIALS, OPEN
    from bot.settings.writing import with_channel

    require(actor, Duty.MANAGE_CHANNELS)
    keys = _keys(session.settings, given)
    name, platform = keys["name"], keys["platform"]
    if any(each.name == name for each in session.settings.channels):
        raise Refused("There is an account “{name}”. For other keys: campaignbot channel secret {name}", name=name)
    secrets = _credentials(platform, CREDENTIALS[platform], from_file)
    if missing := [field for field in CREDENTIALS[platform] if field not in secrets]:
        raise BadInput("The key {names} is missing.", names=", ".join(missing))
    before = session.config.read_bytes()
    written_out = {field: secret.get_secret_value() for field, secret in secrets.items() if field in OPEN}
    sealed = {field: secret for field, secret in secrets.items() if field not in OPEN}
    after = with_channel(before, keys, written_out, sealed)
    account = _tried(load_settings(session.config, after), name, sealed, unchecked=unchecked)
    facts = {"platform": platform, "fields": sorted(secrets)}
    _keep(session, actor, (Act.CHANNEL_ADDED, name, facts), sealed, (before, after))
    _tell(name, account, as_json=as_json)


@channel.command(examples=("channel secret mastodon --as chi",))
@click.argument("name")
@from_file
@unchecked
@as_json
@acting()
def secret(
    session: Session, actor: Person, *, name: str, from_file: str | None, unchecked: bool, as_json: bool
) -> None:
    """Give an account other keys: they are tried, then sealed in the place of the old ones.

    Withdraw the old ones at the service afterwards. What is left empty stays as it is.
    """
    from bot.settings import load_settings
    from bot.settings.sections import CREDENTIALS, OPEN
    from bot.settings.writing import with_sealed

    require(actor, Duty.MANAGE_CHANNELS)
    session.ctx.channel(name)
    (known,) = (each for each in session.settings.channels if each.name == name)
    fields = [field for field in CREDENTIALS[known.platform] if field not in OPEN]
    given = _credentials(known.platform, fields, from_file, optional=True)
    if not given:
        raise Refused("No key was given: {name} stays as it is.", name=name)
    before = session.config.read_bytes()
    moved = [field for field in given if (place := known.credentials.get(field)) is None or not place.credential]
    after = with_sealed(before, name, moved) if moved else before
    account = _tried(load_settings(session.config, after), name, given, unchecked=unchecked)
    _keep(session, actor, (Act.CHANNEL_SECRET_CHANGED, name, {"fields": sorted(given)}), given, (before, after))
    _tell(name, account, as_json=as_json)


@channel.command()
@acting()
def rekey(session: Session, actor: Person) -> None:
    """Seal the keys of all accounts anew, under a new key of their own; the accounts notice nothing."""
    from bot.app import open_vault
    from bot.services import channels

    vault = open_vault(session.settings)
    channels.change(session.ctx, actor, Act.CHANNEL_SECRET_CHANGED, "secrets:all", {"rekeyed": True}, vault.rekey)
    say("Everything is sealed under a new key. Copies of the old key open nothing that is kept from now on.")


def _keys(settings: "Settings", given: Mapping[str, Given]) -> dict[str, Given]:
    """What stands in the table, as flags say or as the person answers; only what differs from the usual."""
    asking = not given["platform"] and sys.stdin.isatty()
    keys = {key: value for key, value in given.items() if value}
    if asking:
        keys["platform"] = click.prompt(_("Service"), type=click.Choice(SERVICES))
    if "platform" not in keys:
        raise BadInput("Say --platform, or run this at a terminal, which asks for each step.")
    platform = keys["platform"]
    usual = {"name": platform, "languages": ",".join(settings.bot.languages), "layout": str(_layout(keys))}
    if asking:
        keys["name"] = click.prompt(_("What it is called here"), default=usual["name"])
        keys["languages"] = click.prompt(_("Languages"), default=usual["languages"])
        keys["layout"] = click.prompt(_("Layout"), type=click.Choice(LAYOUTS), default=usual["layout"])
        if platform == "mastodon":
            keys.setdefault("api_base", click.prompt(_("Address of your server, as in https://your.server")))
    keys = {key: value for key, value in keys.items() if value != usual.get(key)}
    if "languages" in keys:
        keys["languages"] = list(names(keys["languages"]))
    return {"name": platform, **keys}


def _layout(keys: Mapping[str, Given]) -> str:
    return DEFAULT_LAYOUT[keys.get("like") or ("facebook" if keys["platform"] == "rehearsal" else keys["platform"])]


def _credentials(
    platform: str, fields: Iterable[str], file: str | None, *, optional: bool = False
) -> dict[str, "SecretStr"]:
    from pydantic import SecretStr

    from bot.settings.sections import OPEN

    if file:
        return _from_file(fields, file)
    if fields and not sys.stdin.isatty():
        raise BadInput("Give the keys with --from-file, or run this at a terminal, which asks for them.")
    if fields:
        click.echo(f"{word(platform, 'steps')} {_('More: docs/channels.en.md')}")
    given: dict[str, SecretStr] = {}
    for field in fields:
        label = word(field, "credential")
        shown = _("{label} (empty: as it is)").format(label=label) if optional else label
        value = click.prompt(
            shown, hide_input=field not in OPEN, default="" if optional else None, show_default=False
        ).strip()
        given |= {field: SecretStr(value)} if value else {}
    return given


def _from_file(fields: Iterable[str], file: str) -> dict[str, "SecretStr"]:
    """Says which line is wrong, and never what stands there."""
    from pydantic import SecretStr

    try:
        found = tomllib.loads(read_bytes(Path(file)).decode("utf-8-sig"))
    except ValueError:
        raise BadInput('{file} is no TOML. Write a line for each key: access_token = "…"', file=file[:200]) from None
    if wrong := [key[:40] for key, value in found.items() if key not in fields or not isinstance(value, str)]:
        raise BadInput("“{names}” is none of: {known}.", names=", ".join(wrong), known=", ".join(fields))
    return {field: SecretStr(value.strip()) for field, value in found.items() if value.strip()}


def _tried(settings: "Settings", name: str, given: Mapping[str, "SecretStr"], *, unchecked: bool) -> Account:
    """Signs in with what was given before anything is kept. Raises Refused."""
    from bot.app import look_at
    from bot.settings import sections

    (wanted,) = (each for each in settings.channels if each.name == name)
    places = {field: sections.Secret(text=secret) for field, secret in given.items()}
    account = look_at(settings, wanted.model_copy(update={"credentials": wanted.credentials | places}))
    if not account.id and not unchecked:
        why = account.missing[0]
        raise Refused("Nothing was kept. {why} Mend it and run this again, or add --unchecked.", why=why)
    return account


def _keep(
    session: Session,
    actor: Person,
    record: tuple[Act, str, Mapping[str, Given]],
    sealed: Mapping[str, "SecretStr"],
    file: tuple[bytes, bytes],
) -> None:
    from bot.services import channels

    act, name, facts = record
    channels.change(session.ctx, actor, act, f"channel:{name}", facts, partial(_write, session, name, sealed, *file))


def _write(session: Session, name: str, sealed: Mapping[str, "SecretStr"], before: bytes, after: bytes) -> None:
    """First the secrets, which nothing names yet; then the file that names them, whole."""
    from bot.app import open_vault
    from bot.store.private import write_whole

    path = session.config.resolve()
    if path.read_bytes() != before:
        raise Conflict("{path} was changed meanwhile. Run this again.", path=session.config)
    if sealed:
        vault = open_vault(session.settings)
        vault.establish()
        vault.seal(name, sealed)
    if after != before:
        write_whole(path, after, path.stat().st_mode & 0o777)


def _tell(name: str, account: Account, *, as_json: bool) -> None:
    if as_json:
        emit({"name": name, "account": plain(account) | lines(account)})
        return
    show_account(name, account)
    if account.missing:
        say("{name} is kept. Mend what is marked ✕, then: campaignbot channel check {name}", name=name)
    else:
        say("{name} works.", name=name)
    say("A daemon that runs already must be started again before it knows a new account.")
