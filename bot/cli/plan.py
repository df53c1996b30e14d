"""`plan`: drafting the days that speak, as the daemon does by itself every hour."""

import shlex
from collections.abc import Iterable
from dataclasses import replace

import click

from bot.cli.frame import WIDTH, Command, Session, as_json, cut, day, emit, option, say
from bot.domain.occasions import Bar, Occasion
from bot.i18n import many, word


@click.command(cls=Command, examples=("plan", "plan --until 2026-12-31"))
@option("--until", metavar="DAY", help="Draft up to this day; else so many days ahead as config.toml says.")
@as_json
@click.pass_obj
def plan(session: Session, *, until: str | None, as_json: bool) -> None:
    """Draft the anniversaries and days ahead and put them before reviewers. Planning twice is planning once."""
    from bot.cli import showing
    from bot.services import plan as planning

    ctx = session.ctx
    planned = planning.plan(ctx, until=day(until, ctx.today()) if until else None)
    if as_json:
        left_out = [row_of(e.occasion) | {"channel": e.channel, "reason": e.why} for e in planned.left_out]
        drafted = [showing.row_of(post) for post in planned.drafted]
        emit({"drafted": drafted, "barred": [row_of(e) for e in planned.barred], "left_out": left_out})
        return
    click.echo(many("{number} post was drafted.", "{number} posts were drafted.", len(planned.drafted)))
    accounts: dict[tuple[Occasion, Bar], list[str]] = {(each, each.bar): [] for each in planned.barred if each.bar}
    for each in planned.left_out:
        accounts.setdefault((replace(each.occasion, bar=each.why), each.why), []).append(each.channel)
    if not accounts:
        say("No day was left out.")
        return
    rows = ((one, ", ".join((word(why, "bar"), *names))) for (one, why), names in accounts.items())
    say_days(sorted(rows, key=lambda row: (row[0].on, row[0].key)))
    say("Some of these you may draft yourself: campaignbot post draft")


def say_days(rows: Iterable[tuple[Occasion, str]]) -> None:
    """What there is to know of each day, and under it the day's key, whole, as it can be typed."""
    for occasion, told in rows:
        several = f" · {who(occasion)}" if len(occasion.cases) > 1 else ""
        click.echo(cut(f"{occasion.on} {word(occasion.kind, 'kind')}: {told}{several}", WIDTH))
        click.echo(f"    {shlex.quote(occasion.key)}")


def who(occasion: Occasion) -> str:
    return ", ".join(occasion.cases) or occasion.observance


def row_of(occasion: Occasion) -> dict[str, object]:
    return {
        "key": occasion.key,
        "date": occasion.on,
        "kind": occasion.kind,
        "cases": occasion.cases,
        "years": occasion.years,
        "days": occasion.days,
        "observance": occasion.observance,
        "tier": occasion.tier,
        "reason": occasion.bar,
    }
