"""`backup` and `restore`: the whole installation in one sealed file, and back, on either database."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.frame import Command, Session, as_json, emit, option, say, show, table
from bot.domain.delivery import Delivery
from bot.domain.errors import BadInput, Refused, StoreFailed
from bot.i18n import _

if TYPE_CHECKING:
    from bot.services.backup import Backup
    from bot.services.restore import Goal
    from bot.settings import Settings
    from bot.store.backup import Tell

PASSPHRASE = "CAMPAIGNBOT_BACKUP_PASSPHRASE"  # noqa: S105 - where it is, not what it is
LISTED = 20
passphrase_file = option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help=f"Where the passphrase stands; else ${PASSPHRASE}, else you are asked.",
)


@click.command(
    cls=Command, examples=("backup /media/usb/2026-11-22.backup", "backup --check /media/usb/2026-11-22.backup")
)
@click.argument("file", type=click.Path(path_type=Path))
@option("--check", is_flag=True, help="Read a backup through and compare everything, without restoring it.")
@passphrase_file
@as_json
@click.pass_obj
def backup(session: Session, file: Path, passphrase_file: Path | None, *, check: bool, as_json: bool) -> None:
    """Write everything into one file under a passphrase: database, keys, pictures, configuration. All may go on.

    Keep the passphrase apart from the file. Without it nobody can restore, not even you.
    """
    from bot.services import backup as backups

    phrase = _passphrase(passphrase_file, twice=not check)
    with _progress(_("Reading") if check else _("Writing")) as tell:
        if check:
            found = backups.check(file, phrase, tell=tell)
        else:
            place = backups.Place(session.config.absolute(), session.settings.data_dir)
            found = backups.back_up(session.ctx, place, file, phrase, tell=tell)
    if as_json:
        emit(_plain(found))
    elif check:
        when = show(found.made_at, "UTC")
        say(
            "The backup of {time} UTC is whole: {entries} entries, {rows} rows, {files} files.",
            time=when,
            entries=found.entries,
            rows=found.rows,
            files=found.files,
        )
    else:
        say(
            "{file} holds {entries} entries of the log, {rows} rows, {files} files.",
            file=file,
            entries=found.entries,
            rows=found.rows,
            files=found.files,
        )
    if not found.sound:
        click.echo(_("The log in it does not verify. See: campaignbot audit verify"), err=True)
        raise click.exceptions.Exit(1)


def _plain(found: "Backup") -> dict[str, object]:
    return {
        "made_at": found.made_at, "program": found.program, "schema": found.revision, "log": found.origin,
        "entries": found.entries, "root": found.root, "checkpoint": found.note, "sound": found.sound,
        "rows": found.rows, "files": found.files, "bytes": found.size,
    }  # fmt: skip


@click.command(
    cls=Command,
    examples=(
        "--config /srv/campaign/config.toml restore /media/usb/2026-11-22.backup",
        "restore 2026-11-22.backup --into postgresql+psycopg://bot@db/campaign",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@option("--into", metavar="URL", help="The empty database to restore into, if not the one of the configuration.")
@option("--data-dir", type=click.Path(path_type=Path), help="The data folder, if not the one of the configuration.")
@passphrase_file
@as_json
@click.pass_obj
def restore(
    session: Session,
    file: Path,
    into: str | None,
    data_dir: Path | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Put a backup back into an empty place, on SQLite or PostgreSQL. Everything is held until people have looked.

    A configuration that is here already is kept.
    """
    from bot.doors import SystemClock
    from bot.services import restore as restoring

    phrase = _passphrase(passphrase_file, twice=False)

    with _progress(_("Restoring")) as tell:
        settle = partial(_settle, session, into=into, data_dir=data_dir)
        done = restoring.restore(file, phrase, settle=settle, clock=SystemClock(), tell=tell)
    if as_json:
        rows = {"held": done.held, "in_flight": done.in_flight, "later": done.later}
        emit({"backup": _plain(done.backup), **{name: [_row(each) for each in some] for name, some in rows.items()}})
        return
    say(
        "Restored into {path}: {entries} entries of the log, verified.",
        path=done.place.data_dir,
        entries=done.backup.entries,
    )
    for path in done.kept:
        say("{path} was here already and is kept.", path=path)
    _list(_("May have gone out since the backup; held, each for a person:"), done.held)
    _list(_("Was being sent when the backup was made; the program looks for it:"), done.in_flight)
    _list(_("Still to come, stopped by the halt:"), done.later)
    say("Publishing is stopped. Compare the accounts with this list, then settle what is held:")
    for line in ("delivery list --state held", "delivery settle ID --live URL --as ALIAS", "unhalt --as ALIAS"):
        click.echo(f"  {session.program} {line}")


def _row(each: Delivery) -> dict[str, object]:
    return {"id": each.id, "post": each.post_id, "channel": each.channel, "part": each.part, "due_at": each.due_at}


def _list(head: str, found: tuple[Delivery, ...]) -> None:
    if not found:
        return
    click.echo(f"{head} {len(found)}")
    heads = ["Delivery", "Post", "Due (UTC)", "Account"]
    table(heads, [(each.id, each.post_id, show(each.due_at, "UTC"), each.channel) for each in found[:LISTED]], empty="")
    if len(found) > LISTED:
        say("There are {number} more.", number=len(found) - LISTED)


def _settle(session: Session, config: str, into: str | None, data_dir: Path | None) -> "Goal":
    """The configuration that is here counts; where there is none, that of the backup, led to what was asked for."""
    from bot.services.backup import Place
    from bot.services.restore import Goal

    here = session.config.absolute()
    if here.exists():
        settings = session.settings
        elsewhere = into and _without_user(into) != _without_user(settings.database.get_secret_value())
        if elsewhere or (data_dir and data_dir.resolve() != settings.data_dir.resolve()):
            raise Refused("{path} leads elsewhere. Set database and data_dir under [bot] in it.", path=here)
    else:
        config = _led_to(config, into, data_dir)
        settings = _tried(here, config)
    return Goal(Place(here, settings.data_dir), into or settings.database.get_secret_value(), config)


def _without_user(url: str) -> str:
    """The owner of the tables restores what another role then uses."""
    start, _, rest = url.partition("://")
    return f"{start}://{rest.rpartition('@')[2]}"


def _led_to(config: str, into: str | None, data_dir: Path | None) -> str:
    import tomlkit

    wanted = {"database": into, "data_dir": str(data_dir.absolute()) if data_dir else None}
    try:
        document = tomlkit.parse(config)
        document.setdefault("bot", tomlkit.table()).update({key: given for key, given in wanted.items() if given})
        return tomlkit.dumps(document) if any(wanted.values()) else config
    except (ValueError, AttributeError):
        raise BadInput("The configuration in the backup cannot be read. Put a config.toml here first.") from None


def _tried(here: Path, config: str) -> "Settings":
    """As it will be read there; paths in it start at its folder."""
    from bot.settings import load_settings

    spare = here.with_name(".restoring.toml")
    try:
        here.parent.mkdir(parents=True, exist_ok=True)
        spare.write_text(config, "utf-8")
        return load_settings(spare)
    except OSError as error:
        raise StoreFailed("{path} cannot be written: {why}.", path=spare, why=error.strerror) from error
    finally:
        spare.unlink(missing_ok=True)


def _passphrase(file: Path | None, *, twice: bool) -> str:
    """Never from the command line, which others on the machine can read."""
    if file:
        return _first_line(file)
    if given := os.environ.get(PASSPHRASE, ""):
        return given
    if not sys.stdin.isatty():
        raise BadInput("A passphrase is needed: set {name}, or name a file.", name=PASSPHRASE)
    asked: str = click.prompt(_("Passphrase of the backup"), hide_input=True, confirmation_prompt=twice)
    return asked


def _first_line(file: Path) -> str:
    from bot.cli.frame import read_bytes

    try:
        return read_bytes(file)[:1_000].decode().split("\n", 1)[0]
    except UnicodeDecodeError:
        raise BadInput("{file} is not UTF-8 text. Save it as UTF-8.", file=str(file)[:60]) from None


@contextmanager
def _progress(label: str) -> "Iterator[Tell]":
    """A bar for whoever sits at a terminal, and nothing for a program."""
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def tell(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done - bar.pos)

        yield tell
