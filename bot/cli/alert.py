"""`alert`: who is told when something needs a person, and whether it reaches them."""

import click

from bot.cli.frame import Group, Session, as_json, emit, say, show, table
from bot.domain.errors import NotFound
from bot.i18n import _

EMPTY = "Nobody is told of anything. Add an [[alert]] to config.toml; config.example.toml shows how."


@click.group(cls=Group, help="Alerts: who is told by mail, Telegram or webhook, and whether it reaches them.")
def alert() -> None:
    pass


@alert.command("list", examples=("alert list", "alert list --json"))
@as_json
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """The alerts of config.toml, when each last told something, and what went wrong."""
    from bot.services import alerts

    ctx = session.ctx
    rows = {name: alerts.progress(ctx, name) for name in ctx.alerts}
    if as_json:
        emit([
            {"name": name, "language": ctx.alerts[name].language, "topics": ctx.alerts[name].topics,
             "told_at": row.told_at if row else None, "failures": row.failures if row else 0,
             "error": row.error if row else ""}
            for name, row in rows.items()
        ])  # fmt: skip
        return
    table(
        ["Alert", "Language", "Last told", "What went wrong"],
        [
            (
                name,
                ctx.alerts[name].language,
                show(row.told_at if row else None, session.zone),
                row.error if row else "",
            )
            for name, row in rows.items()
        ],
        empty=EMPTY,
    )


@alert.command(examples=("alert test", "alert test coordinators"))
@click.argument("name", required=False)
@click.pass_obj
def test(session: Session, name: str | None) -> None:
    """Send a test by one alert, or by all: a message in its language that says nothing of any post.

    An alert is an [[alert]] in config.toml: kind = "mail", "telegram" or "webhook". docs/operating.md says how
    to come by what each needs, and of what topics it can tell.
    """
    from bot.daemon.alerts import a_test
    from bot.services import alerts

    ctx = session.ctx
    if name:
        alerts.progress(ctx, name)
    elif not ctx.alerts:
        raise NotFound(EMPTY)
    failed = False
    for each in [name] if name else ctx.alerts:
        why = ctx.alerts[each].tell(a_test(ctx.alerts[each].language))
        failed = failed or bool(why)
        click.echo(f"{click.style('✕', fg='red')} {each}: {why}" if why else f"✓ {each}: {_('sent')}")
    if failed:
        raise click.exceptions.Exit(1)
    say("Now look whether it arrived.")
