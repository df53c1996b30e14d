"""`halt` and `unhalt`: anyone stops everything; two people start it again."""

import click

from bot.cli.frame import Command, Session, acting, option, say
from bot.domain.people import Person
from bot.i18n import many


@click.command(cls=Command, examples=("halt --reason 'the family asks us to wait' --as lan",))
@option("--reason", required=True, help="Everyone sees it, and it stays in the log.")
@acting(bare=True)
def halt(session: Session, actor: Person, reason: str) -> None:
    """Stop all publishing now. Anyone may, with a reason. When this returns, nothing new begins."""
    from bot.services import queue

    flying = queue.halt(session.ctx, actor, reason)
    say("Publishing is stopped. To start it again, one person asks and another confirms: campaignbot unhalt")
    if flying:
        one, more = (
            "{number} post was being sent and may still appear:",
            "{number} were being sent and may still appear:",
        )
        click.echo(many(one, more, len(flying)))
    for delivery in flying:
        click.echo(f"  {delivery.channel}  post {delivery.post_id}  delivery {delivery.id}")


@click.command(cls=Command, examples=("unhalt --as lan", "unhalt --as minh"))
@acting()
def unhalt(session: Session, actor: Person) -> None:
    """Start publishing again: the first person asks, a second one confirms with the same command."""
    from bot.services import queue

    state = queue.halt_state(session.ctx)
    if state is None:
        say("Publishing is on already.")
    elif not state.asked_by:
        queue.ask_unhalt(session.ctx, actor)
        say("Asked. Somebody else must confirm: campaignbot unhalt --as ALIAS")
    else:
        queue.confirm_unhalt(session.ctx, actor)
        say("Publishing is on. What came due meanwhile waits for a person: campaignbot delivery list --state held")
