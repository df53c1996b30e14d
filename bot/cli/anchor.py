"""`audit anchor` and `audit witness`: what others keep of the log, and how they see that nobody rewrote it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click

from bot.cli.frame import (
    Command,
    Group,
    Session,
    acting,
    as_json,
    emit,
    option,
    plain,
    read_bytes,
    say,
    show,
    table,
    text_of,
    write_text,
    zone_name,
)
from bot.domain.errors import BadInput
from bot.domain.people import Duty, Person, require
from bot.i18n import _, filled

LETTER = """Nhờ bạn giữ năm dòng dưới đây: lưu lá thư này, hoặc in ra. Chúng ghi nhận nhật ký của “{name}” cho đến giờ.
Nếu sau này có ai viết lại lịch sử, năm dòng này sẽ chứng minh điều đó. Khi được hỏi, hãy gửi trả nguyên văn.
Trong này không có tên người nào.

Please keep the five lines below: save this letter, or print it. They say what the record of “{name}” is up to now.
If somebody rewrites history later, these lines prove it. When you are asked, send them back as they are.
No name is in them.

{note}"""
FOUND, PROOFS, KEYS = "checkpoint", "consistency.jsonl", "vkeys"
TIMEOUT_S = 30.0


def written_note(path: Path) -> str:
    """The signed note in a file, however it was mailed; what holds none is left to be found wanting."""
    from bot.domain.audit import Malformed
    from bot.domain.checkpoint import note_in

    text = text_of(f"@{path}")
    try:
        return note_in(text)
    except Malformed:
        return text


@click.group(cls=Group, help="Checkpoints that others keep: up to the newest, nobody can rewrite the log unseen.")
def anchor() -> None:
    pass


@anchor.command(examples=('audit anchor add --kept-by "two trustees, by mail" note.txt --as giang',))
@click.argument("file", type=click.Path(path_type=Path))
@option("--kept-by", required=True, metavar="WORDS", help="Who keeps it: for you, sealed in the log.")
@acting()
def add(session: Session, actor: Person, file: Path, kept_by: str) -> None:
    """Note that somebody else keeps this checkpoint; the whole log is compared with it. `-` reads what you paste."""
    from bot.services import anchors

    made = anchors.add(session.ctx, actor, text_of("-" if str(file) == "-" else f"@{file}"), kept_by)
    say("Anchored: {size} entries, up to {time}.", size=made.size, time=show(made.until, session.zone))


@anchor.command("list")
@as_json
@acting()
def list_(session: Session, actor: Person, *, as_json: bool) -> None:
    """Who keeps which checkpoint, newest first."""
    from bot.services import anchors

    require(actor, Duty.READ_AUDIT)
    ctx, found = session.ctx, anchors.listed(session.ctx)
    if as_json:
        emit([plain(each) for each in found])
        return
    zone = zone_name(session.zone, ctx.now())
    heads = ["Entries", _("Up to ({zone})").format(zone=zone), _("Noted ({zone})").format(zone=zone), "Kept by"]
    rows = [
        (each.size, show(each.until, session.zone), show(each.noted_at, session.zone), each.kept_by) for each in found
    ]
    table(heads, rows, empty="Nobody keeps a checkpoint yet. Give one: campaignbot audit checkpoint --mail")


@click.command(
    cls=Command,
    examples=(
        "audit witness https://campaign.example/audit --state seen.json",
        "audit witness /media/usb/published --state seen.json --vkey KEY",
    ),
)
@click.argument("source", metavar="URL|FOLDER")
@option("--state", required=True, type=click.Path(path_type=Path), help="What was seen so far; made at the first look.")
@option(
    "--vkey", "vkeys", multiple=True, help="A key to believe from now on; at the first look, else the one found there."
)
@option("--proxy", help="As for an account, such as socks5h://127.0.0.1:9050.")
@as_json
def witness(source: str, state: Path, vkeys: tuple[str, ...], proxy: str | None, *, as_json: bool) -> None:
    """Look from another machine whether the log continues what was seen of it. Needs no installation.

    Exit: 0 it does, 1 it was rewritten or went back, 2 that cannot be told.
    """
    from bot.services import witness as watch

    seen = watch.read_seen(text_of(f"@{state}")) if state.exists() else None
    read = _reader(source, proxy)
    offered = vkeys or (() if seen else tuple(_lines(read(KEYS))))
    sight = watch.look(seen, note=read(FOUND), proofs=_lines(read(PROOFS) if seen else ""), vkeys=offered)
    if sight.seen and sight.seen != seen:
        write_text(state, sight.seen.write())
    if as_json:
        emit({"code": sight.code, "reason": str(sight.reason), "size": sight.size})
    else:
        click.echo(filled(sight.reason.template, sight.reason.fields), err=sight.code != 0)
        if sight.code == 0 and seen is None and not vkeys:
            say("Its key is believed from now on. Ask somebody you trust whether it is this one: {key}", key=offered[0])
    if sight.code:
        raise click.exceptions.Exit(sight.code)


def _lines(text: str) -> Iterable[str]:
    return (line for line in text.split("\n") if line)


def _reader(source: str, proxy: str | None) -> Callable[[str], str]:
    """Reads one of the published files, from a folder or from an address; a missing one is empty."""
    if "://" in source:
        return _over_https(source.rstrip("/"), proxy)
    folder = Path(source)
    if not folder.is_dir():
        raise BadInput("{folder} is no folder, and no address that begins with https://.", folder=source[:100])

    def read(name: str) -> str:
        return read_bytes(folder / name).decode(errors="replace") if (folder / name).is_file() else ""

    return read


def _over_https(base: str, proxy: str | None) -> Callable[[str], str]:
    from bot.doors import SystemClock
    from bot.platforms.answers import Answer
    from bot.platforms.http import Door
    from bot.settings.sections import is_loopback

    if not base.startswith("https://") and not (base.startswith("http://") and is_loopback(base)):
        raise BadInput("The address must begin with https://.")
    door = Door(base, clock=SystemClock(), timeout_s=TIMEOUT_S, proxy=proxy)

    def read(name: str) -> str:
        answer: Any = door.call("GET", f"/{name}")
        if not isinstance(answer, Answer):
            raise BadInput("{address} cannot be read: {why}.", address=base[:100], why=str(answer.detail))
        return answer.body.decode(errors="replace") if answer.status == HTTPStatus.OK else ""

    return read
