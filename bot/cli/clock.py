"""`clock`: whether this machine's time can be trusted, and a person's word for it."""

import click

from bot.cli.frame import Group, Session, acting, as_json, emit, say, show, table, zone_name
from bot.domain.people import Person


@click.group(cls=Group, help="The clock: nothing is sent by one that jumped until it is confirmed.")
def clock() -> None:
    pass


@clock.command("show", examples=("clock show", "clock show --json"))
@as_json
@click.pass_obj
def show_(session: Session, *, as_json: bool) -> None:
    """What time it is here, and what the accounts' hosts say."""
    from bot.services import clock as clocks

    ctx = session.ctx
    doubted, there = clocks.in_doubt(ctx), ctx.clocks_there()
    seconds = {host: round(ahead.total_seconds()) for host, ahead in sorted(there.items())}
    if as_json:
        emit({"now": ctx.now(), "in_doubt": doubted, "ahead_s": seconds})
        return
    now = ctx.now()
    say("Here it is {time} ({zone}).", time=show(now, session.zone), zone=zone_name(session.zone, now))
    table(
        ["Host", "Seconds ahead of this machine"],
        list(seconds.items()),
        empty="No host of an account tells the time: none is reached, or all accounts are rehearsals.",
    )
    if doubted:
        say("The clock jumped: nothing is sent until two hosts agree with it, or: campaignbot clock confirm --as ALIAS")


@clock.command(examples=("clock confirm --as lan",))
@acting()
def confirm(session: Session, actor: Person) -> None:
    """Say that the clock is right, after looking at it: what waits for it goes on."""
    from bot.services import clock as clocks

    clocks.confirm(session.ctx, actor)
    now = session.ctx.now()
    say("Here it is {time} ({zone}).", time=show(now, session.zone), zone=zone_name(session.zone, now))
    say("The clock is trusted again.")
