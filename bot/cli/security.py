"""`doctor --security`: how well this installation is locked, and what to do about it."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.cli.doctor import Symptom, accounts, bad, clock, good, note
from bot.cli.frame import Session, show
from bot.domain.errors import CampaignError
from bot.domain.people import DUTIES, GUARDED, Role
from bot.i18n import sentence

if TYPE_CHECKING:
    from bot.services.context import Context

OLD_ANCHOR = timedelta(days=8)
MANY_ADMINS = 3
_OTHERS, _WRITABLE = 0o077, 0o022


def symptoms(session: Session) -> Iterator[Symptom]:
    try:
        ctx = session.ctx
    except CampaignError as error:
        yield bad("installation", "{said}", said=sentence(error))
        return
    yield from _files(session)
    yield from _custody(session)
    yield from _door(session)
    yield from clock(ctx, session.zone)
    yield from _anchors(ctx, session.zone)
    yield from _people(ctx, session.zone)
    yield from accounts(ctx, session.zone)


def _files(session: Session) -> Iterator[Symptom]:
    settings, store = session.settings, session.ctx.store
    phrase = settings.backup.passphrase.file if settings.backup.passphrase else None
    private = [settings.data_dir, settings.sealed, settings.key, Path(store.path) if store.path else None]
    private.append(settings.folder / phrase if phrase else None)
    found = [each for each in private if each and each.exists()]
    # What lies in a folder that nobody else may enter is out of reach, whatever its own mode.
    open_to_others = [each for each in found if each.stat().st_mode & _OTHERS and not _is_shut(each.parent)]
    for path in open_to_others:
        yield bad("files", "Others on this machine can open {path}. Run: chmod go= {path}", path=path)
    if settings.path.stat().st_mode & _WRITABLE:
        line = "Others on this machine can change {path}. Run: chmod go-w {path}"
        yield bad("files", line, path=settings.path)
    for path in (path for path in found if path.stat().st_uid != os.geteuid()):
        yield bad("files", "{path} belongs to another user of this machine. Run this as that user.", path=path)
    if not open_to_others:
        yield good("files", "Nobody else on this machine can open the data, the keys or the secrets.")
    if os.geteuid() == 0:
        yield bad("files", "This runs as root. Give the bot a user of its own: see docs/deploy.")


def _is_shut(folder: Path) -> bool:
    return not folder.stat().st_mode & _OTHERS


def _custody(session: Session) -> Iterator[Symptom]:
    settings = session.settings
    key = settings.key
    if settings.bot.secrets_key.credential:
        yield good("keys", "systemd hands the key of the accounts’ secrets to the daemon alone.")
    elif settings.sealed.exists() and key and key.is_relative_to(settings.data_dir):
        line = "The key {path} lies beside what it protects: a copy of the folder holds both. Set [bot] secrets_key."
        yield note("keys", line, path=key)
    else:
        yield good("keys", "The key of the accounts’ secrets does not lie beside them.")


def _door(session: Session) -> Iterator[Symptom]:
    from bot.settings.sections import is_loopback

    web = session.settings.web
    address = urlsplit(web.address)
    is_near = is_loopback(f"http://[{web.host}]" if ":" in web.host else f"http://{web.host}")
    if address.scheme == "https" or (address.hostname or "").endswith(".onion"):
        yield good("web", "People reach the pages at {address}.", address=web.address)
    elif web.address and not is_loopback(web.address):
        line = "Passphrases cross the net in the clear at {address}. Use https, or an onion service."
        yield bad("web", line, address=web.address)
    elif is_near:
        line = "The pages are for this machine alone. For others: https or an onion service, and [web] address."
        yield note("web", line)
    if not is_near:
        level = note if address.scheme == "https" else bad
        line = "The pages listen on {host} without https of their own, so only a proxy may reach them: set [web] host."
        yield level("web", line, host=web.host)


def _anchors(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import anchors

    with ctx.store.read() as tx:
        exposed = anchors.exposure(tx)
    if exposed is None:
        return
    is_old = ctx.now() - exposed.since > OLD_ANCHOR
    level = bad if is_old else good if exposed.anchored else note
    line = (
        "What was logged after {time} ({records} entries) is in nobody else’s hands. "
        "Every week: campaignbot audit checkpoint --mail"
    )
    yield level("anchor", line, time=show(exposed.since, zone), records=exposed.records)


def _people(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import people

    guarded = frozenset().union(*(DUTIES[duty] for duty in GUARDED))
    active = [row for row in people.list_people(ctx) if row.person.active]
    admins = [row.alias for row in active if Role.ADMIN in row.person.roles]
    many = len(admins) > MANY_ADMINS
    line = "May let anybody in and change everything: {aliases}. Take the role from who does not need it."
    yield (note if many else good)("admins", line, aliases=", ".join(admins))
    if len(admins) == 1:
        line = "There is one admin, whom only the server can help. Make a second: campaignbot user --help"
        yield note("admins", line)
    for row in active:
        if row.needs_second and row.person.roles & guarded:
            line = "{alias} has no second factor; since {time} they can approve nothing. Ask them to open Settings."
            soon = "{alias} has no second factor; from {time} on they can approve nothing. Ask them to open Settings."
            if row.needs_second < ctx.now():
                yield bad("factors", line, alias=row.alias, time=show(row.needs_second, zone))
            else:
                yield note("factors", soon, alias=row.alias, time=show(row.needs_second, zone))
        if row.invited:
            yield note("links", "The link for {alias} was not used yet; whoever has it is {alias}.", alias=row.alias)
