"""`init` and `check`: making an installation, and finding the mistakes in what people edit."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

import bot
from bot.cli.frame import Command, Session, as_json, emit, option, say
from bot.cli.user import show_token
from bot.domain.errors import CampaignError, Finding, Rejected, StoreFailed
from bot.domain.people import Role
from bot.i18n import _, many

if TYPE_CHECKING:
    from bot.domain.case import Case
    from bot.settings import Settings

PACKAGE = Path(bot.__file__).parent
EDITED = ("messages", "schedules")
EXAMPLE = "config.example.toml"


def shipped() -> Path:
    """Where the originals lie: inside the wheel, or at the top of a checkout."""
    inside = PACKAGE / "_shipped"
    return inside if inside.is_dir() else PACKAGE.parent


@click.command(cls=Command, examples=("init", "init --admin lan", "--config /srv/campaign/config.toml init"))
@option("--admin", metavar="ALIAS", help="Make the first admin too, and show their token once.")
@option(
    "--owner",
    metavar="URL",
    envvar="CAMPAIGNBOT_OWNER",
    default="",
    help="PostgreSQL: whose the tables are; the role in the configuration is granted what it needs.",
)
@click.pass_obj
def init(session: Session, *, admin: str | None, owner: str) -> None:
    """Make an installation here: configuration, messages, schedules, database, keys, and the shipped cases.

    What is there already is kept; an older database is brought to this version.
    """
    from bot.app import establish, unavailable
    from bot.services import cases, people

    if made := _copy_originals(session.config.absolute()):
        say("Made {names}.", names=", ".join(made))
    if findings := unavailable(session.settings):
        raise Rejected(findings)
    if establish(session.settings, owner=owner):
        say("Made the database, its keys and its log in {path}.", path=session.settings.data_dir)
    else:
        say("The database in {path} is up to date.", path=session.settings.data_dir)
    if not cases.all_cases(session.ctx):
        _import_shipped(session)
    if admin and not people.list_people(session.ctx):
        _person, token = people.add_person(session.ctx, None, admin, {Role.ADMIN})
        show_token(admin, token)
    _say_next(session, admin)


def _say_next(session: Session, admin: str | None) -> None:
    say("Publishing needs two people: one writes, another approves. Next:")
    who = admin or "ADMIN"
    lines = [
        f"user add {who} --role admin" if not admin else "",
        f"user add ALIAS --role coordinator --as {who}",
        f"user add ALIAS --role reviewer --as {who}",
        "rehearse --from today --days 30",
        "run",
    ]
    for line in filter(None, lines):
        click.echo(f"  {session.program} {line}")


def _copy_originals(config: Path) -> list[str]:
    source, made = shipped(), []
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        if not config.exists():
            shutil.copyfile(source / EXAMPLE, config)
            made.append(config.name)
        for name in EDITED:
            if not (config.parent / name).exists():
                shutil.copytree(source / name, config.parent / name)
                made.append(f"{name}/")
    except OSError as error:
        raise StoreFailed("{path} cannot be written: {why}.", path=error.filename, why=error.strerror) from error
    return made


def _import_shipped(session: Session) -> None:
    from bot.library.casefiles import read_cases_toml
    from bot.services import audit, cases, postfiles

    file = session.settings.folder / "schedules" / "cases.toml"
    added = cases.import_cases(session.ctx, None, read_cases_toml(file), source="schedules/cases.toml").added
    drafts = postfiles.import_starting_posts(session.ctx)
    audit.checkpoint(session.ctx.store, session.ctx.keystore, now=session.ctx.now(), force=True)
    click.echo(many("Imported {number} case.", "Imported {number} cases.", len(added)))
    click.echo(
        many("Imported {number} general post as a draft.", "Imported {number} general posts as drafts.", len(drafts))
    )


@click.command(cls=Command)
@as_json
@click.pass_obj
def check(session: Session, *, as_json: bool) -> None:
    """Look for mistakes in the configuration, the messages, the schedules and the cases; all in one run."""
    from bot.doors import SystemClock
    from bot.library.check import check as look
    from bot.settings.findings import aging

    findings: list[Finding] = []
    settings = _settings(session, findings)
    found = look(session.config.absolute().parent, settings, _cases(session) if settings else None)
    findings += found.findings
    notes = [*found.notes, *aging(settings.channels if settings else (), SystemClock().now().date())]
    if as_json:
        rows = [("error", each) for each in findings] + [("note", each) for each in notes]
        emit([
            {"kind": kind, "file": each.file, "where": each.where, "text": each.say(_)} for kind, each in rows
        ])  # fmt: skip
    else:
        for note in notes:
            click.echo(f"{_('Note')}: {note.say(_)}")
        for finding in findings:
            click.echo(finding.say(_))
        if not findings:
            say("Everything is in order.")
    if findings:
        raise click.exceptions.Exit(2)


def _settings(session: Session, findings: list[Finding]) -> "Settings | None":
    from bot.app import passphrase_of, secrets_of, unavailable

    try:
        settings = session.settings
    except Rejected as error:
        findings += error.findings
        return None
    findings += unavailable(settings)
    reading: list[tuple[str, Callable[[], object]]] = [
        *((f"[[channel]] “{each.name}”", partial(secrets_of, settings, each)) for each in settings.channels),
        *((f"[[alert]] “{each.name}”", partial(settings.secrets, each)) for each in settings.alerts),
    ]
    if settings.ping.url:
        reading.append(("[ping] url", partial(settings.ping.url.read, settings.folder)))
    if settings.backup.folder:
        reading.append(("[backup] passphrase", partial(passphrase_of, settings)))
    for where, read in reading:
        try:
            read()
        except CampaignError as error:
            findings.append(Finding(settings.path.name, where, error.template, "", error.fields))
    return settings


def _cases(session: Session) -> "Sequence[Case] | None":
    """Those of the database, where there is one that can be opened."""
    from bot.services import cases

    try:
        return cases.all_cases(session.ctx)
    except CampaignError:
        return None
