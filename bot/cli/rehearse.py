"""`rehearse`: what would go out, on the real code path under a virtual clock; nothing is sent or changed."""

import sys

import click

from bot.cli import spending
from bot.cli.frame import Command, Session, as_json, day, emit, option, say, table
from bot.i18n import many, word


@click.command(
    cls=Command, examples=("rehearse --from today --days 30", "rehearse --from 2026-12-01 --days 365 --json")
)
@option(
    "--from", "start", default="today", show_default=True, metavar="DAY", help="The first day: today, or 2026-12-01."
)
@option("--days", default=30, show_default=True, type=click.IntRange(1, 3_660), help="How many days.")
@option("--text", is_flag=True, help="Show the words too, as each account would get them.")
@as_json
@click.pass_obj
def rehearse(session: Session, *, start: str, days: int, text: bool, as_json: bool) -> None:
    """Show what would go out when and where, in both languages, and what would not and why.

    Drafts are taken as approved in time; those that still need it are marked with *.
    """
    from bot.daemon.rehearse import line_to_plain
    from bot.daemon.rehearse import rehearse as rehearsal
    from bot.services.choosing import A_YEAR

    ctx = session.ctx
    lines = rehearsal(ctx, day(start, ctx.today()), days, _progress if sys.stderr.isatty() else None)
    rows = [line_to_plain(line) for line in lines]
    if as_json:
        emit(rows)
        return
    table(
        ["Day", "Time", "Kind", "What comes of it", "Who"],
        [
            (
                row["date"],
                row["time"],
                word(row["kind"], "kind"),
                _outcome(row),
                ", ".join(row["cases"]) or row["observance"],
            )
            for row in rows
        ],
        empty="No day speaks in this time.",
    )
    going = [row for row in rows if row["goes_out"]]
    if text:
        _say_texts(going)
    click.echo()
    click.echo(many("{number} post would go out.", "{number} posts would go out.", len(going)))
    for name, cost in spending.sums(going).items():
        say("On {name} they would cost {cost}.", name=name, cost=cost)
    if any(row["needs_approval"] for row in going):
        say("* still needs approval. Times are those of Hà Nội, UTC+7. Nothing was sent.")
    if len(going) < len(rows):
        most = min(days, A_YEAR.days)
        say("What you may draft yourself: campaignbot post draft --from {day} --days {days}", day=start, days=most)


def _outcome(row: dict[str, object]) -> str:
    if not row["goes_out"]:
        return word(str(row["reason"]), "bar", "reason", "void", "post", "delivery")
    channels = row["channels"]
    count = len(channels) if isinstance(channels, list) else 0
    return many("{number} account", "{number} accounts", count) + (" *" if row["needs_approval"] else "")


def _say_texts(rows: list[dict[str, object]]) -> None:
    for row in rows:
        channels = row["channels"]
        for channel in channels if isinstance(channels, list) else ():
            for part in channel["parts"]:
                place = f"{row['date']} {channel['time']} · {channel['channel']} · {part['language']}"
                click.secho(f"\n── {place} · {part['count']}/{part['limit']}", bold=True)
                click.echo(part["text"])


def _progress(done: int, days: int) -> None:
    click.echo(f"\r{done * 100 // days} %", nl=done >= days, err=True)
