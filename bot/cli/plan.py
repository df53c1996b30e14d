"""`plan`: drafting the days that speak, as the daemon does by itself every hour."""

import click

from bot.cli.frame import Command, Session, as_json, day, emit, option, table
from bot.domain.occasions import Occasion
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
    rows = [(each.on, word(each.kind, "kind"), "", word(each.bar or "", "bar"), who(each)) for each in planned.barred]
    rows += [
        (e.occasion.on, word(e.occasion.kind, "kind"), e.channel, word(e.why, "bar"), who(e.occasion))
        for e in planned.left_out
    ]
    table(["Day", "Kind", "Account", "Why not", "Who"], sorted(rows), empty="No day was left out.")


def who(occasion: Occasion) -> str:
    return ", ".join(occasion.cases) or occasion.observance


def row_of(occasion: Occasion) -> dict[str, object]:
    return {
        "date": occasion.on,
        "kind": occasion.kind,
        "cases": occasion.cases,
        "years": occasion.years,
        "days": occasion.days,
        "observance": occasion.observance,
        "tier": occasion.tier,
        "reason": occasion.bar,
    }
