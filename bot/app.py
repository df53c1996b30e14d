"""The composition root: the one place that knows the platforms, and opens the house for the faces."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.domain.budget import MILLIONTHS, Budget
from bot.domain.errors import Finding, Misconfigured, Rejected, StoreFailed
from bot.domain.post import DEFAULT_LAYOUT, Layout, Profile
from bot.domain.slots import Rhythm
from bot.domain.text import RULES
from bot.doors import SystemClock, open_door, ping, tell
from bot.library.check import astray
from bot.library.messages import Messages, load_messages
from bot.library.schedules import Schedules, load_schedules
from bot.logs import hide
from bot.platforms.ondemand import OnDemand
from bot.platforms.rehearsal import Rehearsal
from bot.ports import Account, Platform
from bot.services.context import PROGRAM, Alert, Channel, Context, Keeping, Planning, Publishing, SigningIn
from bot.settings import Settings, sections
from bot.store import audit, grants, guards, schema
from bot.store.engine import Store
from bot.store.keystore import Keystore
from bot.store.sealed import require_passphrase
from bot.store.vault import Vault

KEYSTORE = "keystore"
REHEARSAL = "rehearsal"
ACCOUNTS = "accounts"
Opener = Callable[[Settings, sections.Channel, Profile], Platform]


def rehearsal_platform(profile: Profile, folder: Path) -> Platform:
    """Whatever the channel's own platform, posts go to a folder, within the same limits."""
    return Rehearsal(folder, profile)


def _later(opening: Callable[[Settings, sections.Channel], Platform]) -> Opener:
    """Secrets are read, and libraries loaded, when something is to be published or looked at."""

    def on_demand(settings: Settings, channel: sections.Channel, profile: Profile) -> Platform:
        memory = settings.data_dir / ACCOUNTS / f"{channel.name}.json"
        opened = partial(opening, settings, channel)
        return OnDemand(profile.rules, memory, opened, stamp=open_vault(settings).stamp)

    return on_demand


def _bluesky(settings: Settings, channel: sections.Channel) -> Platform:
    from bot.platforms.bluesky import API, Bluesky

    secrets = secrets_of(settings, channel)
    identifier = secrets["identifier"].get_secret_value()
    return Bluesky(open_door(settings, channel, secrets, API), identifier, secrets["app_password"])


def _facebook(settings: Settings, channel: sections.Channel) -> Platform:
    from bot.platforms.facebook import API, Facebook
    from bot.platforms.pagetoken import Version

    secrets = secrets_of(settings, channel)
    page, door = secrets["page_id"].get_secret_value(), open_door(settings, channel, secrets, API)
    return Facebook(door, page, secrets["page_token"], secrets["app_secret"], Version(*channel.graph))


def _mastodon(settings: Settings, channel: sections.Channel) -> Platform:
    from bot.platforms.mastodon import Mastodon

    secrets = secrets_of(settings, channel)
    visibility = channel.visibility or "public"
    return Mastodon(open_door(settings, channel, secrets), secrets["access_token"], visibility=visibility)


def _telegram(settings: Settings, channel: sections.Channel) -> Platform:
    from bot.platforms.telegram import API, Telegram

    secrets = secrets_of(settings, channel)
    chat_id = secrets["chat_id"].get_secret_value()
    door = open_door(settings, channel, secrets, API)
    return Telegram(door, secrets["bot_token"], chat_id, silent=bool(channel.silent))


def _x(settings: Settings, channel: sections.Channel) -> Platform:
    from bot.platforms.x import API, X
    from bot.platforms.xapi import Api, Keys

    secrets = secrets_of(settings, channel)
    return X(Api(open_door(settings, channel, secrets, API), Keys(**secrets)))


def _alert(settings: Settings, alert: sections.Alert) -> Alert:
    return Alert(alert.language, frozenset(alert.topics), partial(tell, settings, alert))


def _clocks_there(settings: Settings) -> dict[str, timedelta]:
    """Asked without any secret, where there is nothing; each host once."""
    from bot.platforms.answers import Answer

    found: dict[str, timedelta] = {}
    for channel in settings.channels:
        api = import_module(f"bot.platforms.{channel.platform}") if channel.platform in PLATFORMS else None
        base = str(channel.api_base or getattr(api, "API", ""))
        host = urlsplit(base).netloc
        if host and host not in found:
            door = open_door(settings, channel, {}, base)
            given = door.call("GET", "/bot/time")
            if isinstance(given, Answer) and (moment := given.moment()):
                found[host] = moment - door.clock.now()
    return found


def _load_platforms(settings: Settings) -> None:
    for platform in {channel.platform for channel in settings.channels} & PLATFORMS.keys():
        import_module(f"bot.platforms.{platform}")


PLATFORMS: Mapping[str, Opener] = {
    "bluesky": _later(_bluesky),
    "facebook": _later(_facebook),
    "mastodon": _later(_mastodon),
    "telegram": _later(_telegram),
    "x": _later(_x),
    "rehearsal": lambda settings, _, profile: rehearsal_platform(profile, settings.data_dir / REHEARSAL),
}


def build(settings: Settings, *, bare: bool = False) -> Context:
    """Opens what `init` made. Raises Rejected, Misconfigured, StoreFailed or Tampered, with the next step.

    `bare` leaves out what people edit, so that a mistake there never keeps anybody from stopping the program.
    """
    findings = [] if bare else unavailable(settings)
    if findings:
        raise Rejected(findings)
    store = open_store(settings)
    try:
        with store.read() as tx:
            schema.assert_at_head(tx)
            guards.assert_guarded(tx)
            grants.assert_least(tx)
        return _furnish(settings, store, open_keystore(settings), bare=bare)
    except BaseException:
        store.close()
        raise


def open_store(settings: Settings, *, make: bool = False) -> Store:
    """Looking for a database never makes one, unless told to."""
    store = Store(settings.database.get_secret_value())
    if store.path and not make and not store.path.exists():
        raise Misconfigured("There is no database {path} yet. Run: campaignbot init", path=store.path)
    return store


def open_keystore(settings: Settings) -> Keystore:
    return Keystore.open(settings.data_dir / KEYSTORE)


def open_vault(settings: Settings) -> Vault:
    return Vault(settings.sealed, settings.key, is_handed=settings.bot.secrets_key.credential is not None)


def secrets_of(settings: Settings, channel: sections.Channel) -> dict[str, SecretStr]:
    """What the channel signs in with, read now. Raises Misconfigured."""
    return settings.secrets(channel, open_vault(settings).unseal)


def look_at(settings: Settings, channel: sections.Channel) -> Account:
    """Signs in with what this value says, whatever config.toml says, and looks; writes nothing."""
    return _channel(settings, channel).check()


def establish(settings: Settings, *, owner: str = "") -> bool:
    """Makes the database, its keys and its log, or brings an older database to this version.

    On PostgreSQL the tables belong to `owner`, an address, who grants the configured role what it needs.
    True where all is new. A log whose keys are lost is never given others: raises Misconfigured.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed("{path} cannot be made: {why}.", path=settings.data_dir, why=error.strerror) from error
    folder, store = settings.data_dir / KEYSTORE, open_store(settings, make=True)
    try:
        _keep_copy(settings, store)
        _shape(store, owner)
        with store.write() as tx:
            if is_new := audit.size(tx) == 0:
                keystore = Keystore.open(folder) if folder.exists() else Keystore.create(folder)
                audit.open_log(tx, keystore=keystore, ts=SystemClock().now(), actor=PROGRAM)
        open_vault(settings).establish()
        return is_new
    finally:
        store.close()


def _keep_copy(settings: Settings, store: Store) -> None:
    """Before an older PostgreSQL changes its shape: a backup, whose passphrase lies with the keys."""
    older = "" if store.is_sqlite else schema.is_older(store)
    if not older:
        return
    from bot.services import backup

    keystore, name = open_keystore(settings), f"{older}-before-{schema.HEAD}"
    phrase = keystore.folder / f"{name}.passphrase"
    file = settings.data_dir / f"{name}.backup"
    if not file.exists():
        phrase.touch(mode=0o600)
        phrase.write_text(secrets.token_urlsafe(32), "utf-8")
        place = backup.Place(settings.path, settings.data_dir)
        backup.back_up(_furnish(settings, store, keystore, bare=True), place, file, phrase.read_text("utf-8"))


def _shape(store: Store, owner: str) -> None:
    if not owner:
        schema.upgrade(store)
        return
    if store.is_sqlite:
        raise Misconfigured("An owner is for PostgreSQL; the configuration names a file. Leave --owner out.")
    with store.read() as tx:
        role = grants.role(tx)
    theirs = Store(owner)
    try:
        schema.upgrade(theirs)
        with theirs.write() as tx:
            grants.grant(tx, role)
    finally:
        theirs.close()


def unavailable(settings: Settings) -> list[Finding]:
    here = ", ".join(PLATFORMS)
    return [
        Finding(
            settings.path.name,
            f"[[channel]] “{channel.name}”: platform",
            "“{platform}” is not available in this version.",
            "There is: {here}.",
            {"platform": channel.platform, "here": here},
        )
        for channel in settings.channels
        if channel.platform not in PLATFORMS
    ]


def _furnish(settings: Settings, store: Store, keystore: Keystore, *, bare: bool) -> Context:
    schedules, messages = (Schedules(), Messages({}, {})) if bare else read_library(settings)
    return Context(
        store=store,
        keystore=keystore,
        clock=SystemClock(),
        schedules=schedules,
        messages=messages,
        channels={each.name: _channel(settings, each) for each in settings.channels if each.platform in PLATFORMS},
        data_dir=settings.data_dir,
        planning=Planning(**settings.planning.model_dump()),
        publishing=Publishing(**settings.publishing.model_dump()),
        alerts={alert.name: _alert(settings, alert) for alert in settings.alerts},
        ping=partial(ping, settings) if settings.ping.url else None,
        ping_s=settings.ping.every_s,
        clocks_there=partial(_clocks_there, settings),
        load_platforms=partial(_load_platforms, settings),
        keeping=_keeping(settings),
        forget_secrets=partial(_forget_secrets, settings),
        signing_in=SigningIn(timedelta(hours=settings.web.idle_hours), timedelta(days=settings.web.session_days)),
    )


def _keeping(settings: Settings) -> Keeping | None:
    given = settings.backup
    if given.folder is None:
        return None
    every, longest = timedelta(hours=given.every_hours), timedelta(days=given.keep_days)
    phrase = partial(passphrase_of, settings)
    return Keeping(settings.folder / given.folder, settings.path, phrase, every, given.keep, longest)


def passphrase_of(settings: Settings) -> str:
    """Of the backups that make themselves, read now. Raises Misconfigured, BadInput."""
    place = settings.backup.passphrase
    phrase = require_passphrase(place.read(settings.folder).get_secret_value() if place else "")
    hide(phrase)
    return phrase


def _forget_secrets(settings: Settings) -> str:
    """Backups lie where whoever comes may find them, so what opens them goes too."""
    left, place = open_vault(settings).forget(), settings.backup.passphrase
    if place and place.file:
        path = settings.folder / place.file
        try:
            path.unlink(missing_ok=True)
        except OSError:
            return ", ".join(filter(None, (left, str(path))))
    elif place:
        return ", ".join(filter(None, (left, str(place.credential))))
    return left


def read_library(settings: Settings) -> tuple[Schedules, Messages]:
    """What people edit beside config.toml, and what the configuration decides differently.

    Raises Rejected.
    """
    schedules, messages = load_schedules(settings.folder / "schedules"), load_messages(settings.folder / "messages")
    if findings := tuple(astray(schedules, settings)):
        raise Rejected(findings)
    own = {each.slug: each.model_dump(exclude={"slug"}, exclude_none=True) for each in settings.campaigns}
    campaigns = tuple(replace(each, **own.get(each.slug, {})) for each in schedules.campaigns)
    return replace(schedules, campaigns=campaigns), messages


def _channel(settings: Settings, channel: sections.Channel) -> Channel:
    timezone = channel.timezone or settings.bot.timezone
    profile = Profile(
        name=channel.name,
        platform=channel.platform,
        like=channel.habits,
        rules=RULES[channel.habits],
        layout=Layout(channel.layout) if channel.layout else DEFAULT_LAYOUT[channel.habits],
        languages=channel.languages,
        timezone=timezone,
        account=channel.account,
    )
    rhythm = Rhythm(
        post_time=channel.post_time,
        quiet_from=channel.quiet_from,
        quiet_until=channel.quiet_until,
        spacing_minutes=channel.spacing_minutes,
        daily_cap=channel.daily_cap,
        timezone=timezone,
    )
    opening = partial(PLATFORMS[channel.platform], settings, channel, profile)
    platform = opening()
    return Channel(replace(profile, rules=platform.rules), rhythm, platform, _budget(channel.budget), opening)


def _budget(given: sections.Budget) -> Budget:
    most = given.per_month_usd
    cost = None if most is None else int(most * MILLIONTHS)
    return Budget(given.per_hour, given.per_day, given.per_month, cost)
