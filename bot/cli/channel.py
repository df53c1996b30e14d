"""`channel`: the accounts of config.toml, their state, and pausing them one by one."""

import click

from bot.cli import spending
from bot.cli.frame import Group, Session, acting, as_json, emit, option, plain, say, show, table
from bot.domain.people import Person
from bot.i18n import _, spoken, word
from bot.ports import Account

EMPTY = "There is no account. Add a [[channel]] to config.toml; config.example.toml shows how."


@click.group(cls=Group, help="Accounts: what is configured, whether it works, and pausing it.")
def channel() -> None:
    pass


@channel.command("list")
@as_json
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """The accounts of config.toml, and which are paused."""
    from bot.services import queue

    ctx = session.ctx
    paused = {pause.channel: pause for pause in queue.pauses(ctx)}
    if as_json:
        emit([
            {"name": name, "platform": each.profile.platform, "like": each.profile.like, "layout": each.profile.layout,
             "languages": each.profile.languages, "timezone": each.profile.timezone,
             "post_time": each.rhythm.post_time, "paused": name in paused,
             "paused_at": paused[name].paused_at if name in paused else None,
             "reason": paused[name].reason if name in paused else ""}
            for name, each in ctx.channels.items()
        ])  # fmt: skip
        return
    table(
        ["Account", "Platform", "Layout", "Posts at", "State"],
        [
            (name, _platform(each.profile.platform, each.profile.like), word(each.profile.layout, "layout"),
             f"{each.rhythm.post_time:%H:%M}", _state(session, paused.get(name)))
            for name, each in ctx.channels.items()
        ],
        empty=EMPTY,
    )  # fmt: skip


def _platform(platform: str, like: str) -> str:
    return platform if platform == like else _("{platform}, like {like}").format(platform=_(platform), like=like)


def _state(session: Session, pause: object) -> str:
    from bot.store.holds import Pause

    if not isinstance(pause, Pause):
        return _("on")
    return _("paused {time}: {reason}").format(time=show(pause.paused_at, session.zone), reason=pause.reason)


@channel.command()
@click.argument("name", required=False)
@as_json
@click.pass_obj
def check(session: Session, *, name: str | None, as_json: bool) -> None:
    """Sign in to one account, or to all, and look; nothing is posted."""
    from bot.services import channels

    ctx = session.ctx
    found = {each: channels.check(ctx, each) for each in ([name] if name else ctx.channels)}
    if as_json:
        emit({each: plain(account) | lines(account) | spending.plain(ctx, each) for each, account in found.items()})
    else:
        for each, account in found.items():
            show_account(each, account)
            for line in spending.lines(ctx, each):
                click.echo(f"  · {line}")
    if any(account.missing for account in found.values()):
        raise click.exceptions.Exit(1)


def lines(account: Account) -> dict[str, list[object]]:
    return {"notes": [spoken(line) for line in account.notes], "missing": [spoken(line) for line in account.missing]}


def show_account(name: str, account: Account) -> None:
    click.echo(f"{name}: {spoken(account.name)} {account.url}".rstrip())
    for kind, said in reversed(lines(account).items()):
        for line in said:
            click.echo(f"  {click.style('✕', fg='red') if kind == 'missing' else '·'} {line}")


@channel.command(examples=("channel pause x --reason 'new password' --as lan",))
@click.argument("name")
@option("--reason", required=True, help="Everyone sees it, and it stays in the log.")
@acting(bare=True)
def pause(session: Session, actor: Person, name: str, reason: str) -> None:
    """Send nothing on this account until it is resumed."""
    from bot.services import queue

    queue.pause_channel(session.ctx, actor, name, reason)
    say("{name} is paused. Go on with: campaignbot channel resume {name}", name=name)


@channel.command()
@click.argument("name")
@acting()
def resume(session: Session, actor: Person, name: str) -> None:
    """Let a paused account post again."""
    from bot.services import queue

    queue.resume_channel(session.ctx, actor, name)
    say("{name} is on.", name=name)
