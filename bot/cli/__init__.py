"""The command line: noun, then verb; one line for an error, with the next step."""

import gc
import gettext
import os
import secrets
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from bot import __version__
from bot.cli.frame import Lazy, Option, Session
from bot.domain.errors import CampaignError
from bot.i18n import DOMAIN, LANGUAGES, LOCALE, _, choose, filled, sentence, use

ROOMS = {
    "init": "bot.cli.setup", "check": "bot.cli.setup", "doctor": "bot.cli.doctor",
    "run": "bot.cli.run", "daemon": "bot.cli.run", "web": "bot.cli.run",
    "rehearse": "bot.cli.rehearse", "plan": "bot.cli.plan",
    "post": "bot.cli.draft", "standing": "bot.cli.standing", "delivery": "bot.cli.delivery",
    "case": "bot.cli.event", "channel": "bot.cli.account",
    "clock": "bot.cli.clock", "halt": "bot.cli.halt", "unhalt": "bot.cli.halt", "panic": "bot.cli.panic",
    "user": "bot.cli.user", "audit": "bot.cli.audit", "alert": "bot.cli.alert",
    "backup": "bot.cli.backup", "restore": "bot.cli.backup",
}  # fmt: skip
REFUSED, USAGE = 1, 2
OBJECTS_A_SEARCH = 50_000
# These stand before or after the command, wherever they are typed.
_GLOBAL = {"--config": True, "--lang": True, "--debug": False}


def main() -> None:
    # A start makes a hundred thousand objects that stay; by default every few hundred are searched for garbage.
    gc.set_threshold(OBJECTS_A_SEARCH)
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 refused or failed, 2 usage or configuration."""
    given, rest = _set_apart(arguments)
    _speak(choose(given.get("--lang")))
    if given.get("--lang", "vi") not in LANGUAGES:
        return _complain(_("The languages are vi and en."), USAGE)
    session = Session(Path(given.get("--config") or os.environ.get("CAMPAIGNBOT_CONFIG") or "config.toml"))
    try:
        done = root.main(rest, prog_name="campaignbot", obj=session, color=_colour(), standalone_mode=False)
        return int(done or 0)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; say nothing more, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last door: nobody is shown a traceback unasked
        return _explain(error, session, debug="--debug" in given)
    finally:
        session.close()


def _speak(language: str) -> None:
    """Ours and click's sentences; click asks gettext, which asks $LANGUAGE."""
    use(language)
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain(DOMAIN, LOCALE)
    gettext.textdomain(DOMAIN)


def _explain(error: BaseException, session: Session, *, debug: bool) -> int:
    match error:
        case CampaignError():
            command = error.fields.get("command")
            told = filled("Next: campaignbot {command}", {"command": command}) if command else ""
            return _complain(f"{sentence(error)} {told}".rstrip(), error.exit_code)
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return USAGE
        case click.ClickException():
            return _complain(error.format_message() + _help_for(error), error.exit_code)
        case click.Abort() | KeyboardInterrupt():
            return _complain(_("Stopped. Nothing more was done."), REFUSED)
        case _:
            return _own_fault(error, session, debug=debug)


def _set_apart(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        name, joined, value = word.partition("=")
        if word == "--":
            return given, [*rest, word, *waiting]
        if name not in _GLOBAL or (joined and not _GLOBAL[name]) or (_GLOBAL[name] and not joined and not waiting):
            rest.append(word)
        else:
            given[name] = value if joined or not _GLOBAL[name] else waiting.pop(0)
    return given, rest


def _complain(line: str, code: int) -> int:
    click.secho(f"{_('Error')}: ", fg="red", err=True, nl=False, color=_colour())
    click.echo(line, err=True)
    return code


def _colour() -> bool | None:
    """None leaves it to click, which colours only what a terminal shows."""
    return False if os.environ.get("NO_COLOR") else None


def _help_for(error: click.ClickException) -> str:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return " " + _("See: {command} --help").format(command=ctx.command_path) if ctx else ""


def _own_fault(error: BaseException, session: Session, *, debug: bool) -> int:
    """A reference for the person, the place for whoever mends it; what the program held is written nowhere."""
    if debug:
        traceback.print_exception(error)
    from bot.logs import configure, log

    reference = secrets.token_hex(4)
    path = session.config.absolute().with_name("campaignbot-errors.log")
    try:
        with path.open("a" if session.config.exists() else "r", encoding="utf-8") as file:
            configure(as_json=True, to=file)
            log.error("crashed", ref=reference, exc_info=error)
    except OSError:
        configure()
        log.error("crashed", ref=reference, exc_info=error)
        path = Path("stderr")
    line = _("Something went wrong on our side. Reference {ref}. It is written down in {path}.")
    return _complain(line.format(ref=reference, path=path), REFUSED)


root = Lazy(
    rooms=ROOMS,
    help="""Publishes what people approved: exactly, once, and with a record nobody can bend.

    Start with `campaignbot init`, then `campaignbot run`. To see what the next month would bring:
    `campaignbot rehearse --from today --days 30`.""",
    params=[
        Option(["--config"], metavar="FILE", help="The configuration; else $CAMPAIGNBOT_CONFIG, else ./config.toml."),
        Option(["--lang"], metavar="vi|en", help="The language of the program; else $CAMPAIGNBOT_LANG."),
        Option(["--debug"], is_flag=True, help="Show where an unexpected error came from."),
    ],
    callback=lambda **_given: None,
    no_args_is_help=True,
)
click.version_option(__version__, message="%(version)s")(root)
