"""What all commands share: help in two languages, who acts, times as typed and shown, tables and JSON."""

import inspect
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum
from functools import cached_property, partial, reduce, wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import click

from bot.domain.case import YEARS
from bot.domain.errors import BadInput, StoreFailed
from bot.domain.reader import normal as nfc
from bot.i18n import _

if TYPE_CHECKING:
    from bot.domain.people import Person
    from bot.services.context import Context
    from bot.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
Given: TypeAlias = Any  # whatever a command's options hold
WIDTH = 80
NUMBER = click.IntRange(1, 2**53)
NUMBER.name = "integer"
MAX_BYTES = 20_000_000


class _Translated:
    """Help is written in English where it belongs, and looked up in the catalogue when it is shown."""

    _help: str | None = None

    def _say(self) -> str | None:
        return _(inspect.cleandoc(self._help)) if self._help else None

    def _keep(self, text: str | None) -> None:
        self._help = text

    help = property(_say, _keep)


class Option(_Translated, click.Option):
    pass


class Command(_Translated, click.Command):
    def __init__(self, *given: Given, examples: Sequence[str] = (), **named: Given) -> None:
        super().__init__(*given, **named)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        if self.examples:
            with formatter.section(_("Examples")):
                for line in self.examples:
                    formatter.write(f"  campaignbot {line}\n")


class Group(_Translated, click.Group):
    command_class = Command


class Lazy(Group):
    """Knows its commands by name and first sentence; a command's own room opens when it is called."""

    def __init__(self, *given: Given, rooms: dict[str, str], **named: Given) -> None:
        super().__init__(*given, **named)
        self.rooms = rooms

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.rooms)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self.rooms:
            return None
        found: click.Command = getattr(import_module(self.rooms[cmd_name]), cmd_name.replace("-", "_"))
        return found


option = partial(click.option, cls=Option)


class Session:
    """One call of the program: the house is opened when a command first needs it."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.bare = False

    @cached_property
    def settings(self) -> "Settings":
        from bot.settings import load_settings

        return load_settings(self.config)

    @cached_property
    def ctx(self) -> "Context":
        from bot.app import build

        return build(self.settings, bare=self.bare)

    def close(self) -> None:
        if "ctx" in vars(self):
            self.ctx.store.close()

    def sign_in(self, alias: str) -> "Person":
        """The token comes from $CAMPAIGNBOT_TOKEN or a hidden prompt, never from the command line."""
        from bot.services import people

        token = os.environ.get("CAMPAIGNBOT_TOKEN", "")
        if not token and not sys.stdin.isatty():
            raise BadInput("The token of {alias} is needed: set CAMPAIGNBOT_TOKEN.", alias=alias)
        return people.sign_in(
            self.ctx, alias, token or click.prompt(_("Token of {alias}").format(alias=alias), hide_input=True)
        )

    @property
    def zone(self) -> str:
        return self.settings.bot.timezone

    @property
    def program(self) -> str:
        """How to call the program again from here, with this configuration."""
        beside = Path(sys.executable).with_name("campaignbot")
        found = shutil.which("campaignbot") or (str(beside) if beside.exists() else None)
        name = "campaignbot" if shutil.which("campaignbot") else os.path.relpath(found) if found else "python -m bot"
        known = {Path("config.toml"), Path(os.environ.get("CAMPAIGNBOT_CONFIG", "config.toml"))}
        return name if self.config in known else f"{name} --config {self.config}"


def by_state(states: type[StrEnum]) -> Callable[[F], F]:
    """Only what is in one of these states; `states` is none for all."""
    known = [state.value for state in states]
    said = f"Only these; may be given several times. {', '.join(known)}."
    return option("--state", "states", multiple=True, type=click.Choice(known), metavar="STATE", help=said)


as_json = option("--json", "as_json", is_flag=True, help="Print JSON for other programs; times in UTC.")


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one, in this order."""

    def add_all(command: F) -> F:
        return reduce(lambda done, add: add(done), reversed(options), command)

    return add_all


def acting(*, required: bool = True, bare: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives the command its session and the person who signed in; None where that is allowed and nobody did.

    `bare` is for what must work whatever is wrong in the files people edit: stopping.
    """

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        @option("--as", "alias", metavar="ALIAS", required=required, help="Act as this person, with their token.")
        @click.pass_obj
        @wraps(command)
        def signed_in(session: Session, /, alias: str | None, **given: Given) -> None:
            session.bare = bare
            command(session, session.sign_in(alias) if alias else None, **given)

        return signed_in

    return wrap


def moment(text: str, zone: str) -> "datetime | Literal['now']":
    """`now`, or a date and time in `zone` unless it says its own offset; UTC."""
    from bot.services.postfiles import read_when

    return "now" if text.strip() == "now" else read_when(text, zone)


def day(text: str, today: date) -> date:
    near = {"today": 0, "tomorrow": 1}
    if text in near:
        return today + timedelta(days=near[text])
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise BadInput("“{text}” is not in the calendar. Write 2026-12-10.", text=text[:40])
    return found


def show(when: datetime | None, zone: str) -> str:
    """As it can be typed again."""
    from bot.domain.slots import zone as of

    return f"{when.astimezone(of(zone)):%Y-%m-%d %H:%M}" if when else "–"


def zone_name(zone: str, now: datetime) -> str:
    """Every time shown stands beside the name of its zone."""
    from bot.domain.slots import zone as of

    offset = now.astimezone(of(zone)).strftime("%z")
    hours = f"{offset[0]}{int(offset[1:3])}" + (f":{offset[3:5]}" if offset[3:5] != "00" else "")
    return f"{'Hà Nội' if zone == 'Asia/Ho_Chi_Minh' else zone}, UTC{hours}"


def read_bytes(path: Path) -> bytes:
    """A file, or the standard input for `-`. Raises BadInput."""
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise BadInput("{file} cannot be read: {why}.", file=str(path)[:200], why=error.strerror) from None


def text_of(given: str) -> str:
    """A text as typed, or from `@FILE`, or from the standard input for `-`; NFC. Raises BadInput."""
    source = Path("-") if given == "-" else Path(given[1:]) if given.startswith("@") else None
    raw = given.encode("utf-8", "surrogateescape") if source is None else read_bytes(source)
    try:
        return nfc(raw.decode("utf-8-sig")).strip("\n")
    except UnicodeDecodeError:
        raise BadInput("{file} is not UTF-8 text. Save it as UTF-8.", file=given[:60]) from None


def write_text(path: Path, text: str) -> None:
    """Whole or not at all. Raises StoreFailed."""
    spare = path.with_name(f".{path.name}.new")
    try:
        spare.write_text(text, encoding="utf-8")
        spare.replace(path)
    except OSError as error:
        raise StoreFailed("{path} cannot be written: {why}.", path=path, why=error.strerror) from error


def names(given: str | None) -> tuple[str, ...]:
    """A comma between two, spaces as you like."""
    return tuple(part for part in (piece.strip() for piece in (given or "").split(",")) if part)


def plain(value: Given) -> Given:
    """As JSON can hold it: times in UTC, times of day and dates as ISO, values by their fields."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def emit(value: Given) -> None:
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def say(line: str, **filled: Given) -> None:
    """One translated sentence on stdout."""
    click.echo(_(line).format(**filled) if filled else _(line))


def width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def cut(text: str, room: int) -> str:
    """One line of at most `room` columns."""
    line = " ".join(text.split())
    if width(line) <= room:
        return line
    while line and width(line) > room - 1:
        line = line[:-1]
    return line.rstrip() + "…"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """The last column takes what room is left; `empty` says what to do where there is nothing."""
    lines = [[_(head) for head in heads], *([" ".join(str(cell).split()) for cell in row] for row in rows)]
    if len(lines) == 1:
        say(empty)
        return
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    room = max(shutil.get_terminal_size((WIDTH, 24)).columns, 40) - sum(widths[:-1]) - 2 * (len(heads) - 1)
    for number, line in enumerate(lines):
        cells = [cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True)]
        row = "  ".join([*cells[:-1], cut(line[-1], max(room, 12))]).rstrip()
        click.secho(row, bold=True) if number == 0 else click.echo(row)
