"""`run`, `daemon` and `web`: the program at work, in the foreground, until it is told to stop."""

import click

from bot.cli.frame import Command, Session, say
from bot.domain.post import PostState
from bot.i18n import many


@click.command(cls=Command)
@click.pass_obj
def run(session: Session) -> None:
    """Publish what is due and serve the pages, in one process; Ctrl-C or SIGTERM ends it in good order."""
    from bot.daemon.daemon import Daemon
    from bot.logs import configure
    from bot.web.serve import WebServer

    configure()
    daemon = Daemon(session.ctx)
    web = WebServer(session.ctx, session.settings)
    daemon.stop_on_signals()
    web.run_beside()
    try:
        daemon.run(lambda: _ready(session, web.address))
    finally:
        web.close()


@click.command(cls=Command)
@click.pass_obj
def daemon(session: Session) -> None:
    """Publish what is due, without the pages."""
    from bot.daemon.daemon import Daemon
    from bot.logs import configure

    configure()
    worker = Daemon(session.ctx)
    worker.stop_on_signals()
    worker.run(lambda: _ready(session, ""))


@click.command(cls=Command)
@click.pass_obj
def web(session: Session) -> None:
    """Serve the pages, without publishing; it also tells people when no daemon does."""
    from bot.daemon.alerts import tell_beside
    from bot.logs import configure
    from bot.web.serve import WebServer

    configure()
    server = WebServer(session.ctx, session.settings)
    tell_beside(session.ctx)
    _ready(session, server.address)
    server.run()


def _ready(session: Session, address: str) -> None:
    """Said once the first post may go out; then what there is to do."""
    from bot.services import invitations, posts

    ctx = session.ctx
    say("Ready. {address}", address=address)
    if address and (token := invitations.first(ctx)):
        say("Nobody is here yet. This link makes the first admin; it works once, within 72 hours:")
        click.echo(f"  {address}invitation/{token}")
    states = posts.count_posts(ctx)
    scheduled, waiting = (states.get(state, 0) for state in (PostState.SCHEDULED, PostState.IN_REVIEW))
    say(
        "{accounts}, {scheduled}, {waiting}. Stop with Ctrl-C.",
        accounts=many("{number} account", "{number} accounts", len(ctx.channels)),
        scheduled=many("{number} post scheduled", "{number} posts scheduled", scheduled),
        waiting=many("{number} waits for approval", "{number} wait for approval", waiting),
    )
