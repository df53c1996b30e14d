"""`panic`: when the machine may soon be in other hands."""

import sys

import click

from bot.cli.frame import Command, Session, acting, say
from bot.domain.people import Person
from bot.i18n import _


@click.command(cls=Command, examples=("panic --as admin",))
@acting(bare=True)
def panic(session: Session, actor: Person) -> None:
    """Stop everything, sign everybody out and forget the keys. Says first what is lost; asks for a word.

    There is no way back but a backup.
    """
    from bot.services import panic as panics

    say("This stops all publishing, ends every session and every token, and deletes for ever, from this machine:")
    for lost in (
        _("what the accounts sign in with (change it at the platforms too: what was copied still works there);"),
        _("who is behind which pseudonym, passphrases and second factors: nobody can sign in any more;"),
        _("the keys of what people typed: reasons, notes and sources in the log can never be read again."),
    ):
        click.echo(f"- {lost}")
    say("It leaves posts, cases, and the log with its signing key: that shows when this was done, and names nobody.")
    say("Copies and backups made before still hold everything. Only an encrypted disk hides what a disk remembers.")
    say("Back again: restore a backup. Or: campaignbot init, campaignbot user add ALIAS --role admin, new secrets.")
    asked = _("Type {word} to do it, anything else to leave it").format(word=panics.WORD)
    word = click.prompt(asked) if sys.stdin.isatty() else sys.stdin.readline()
    done = panics.panic(session.ctx, actor, word)
    say("Done. Nothing is published, and nobody is signed in.")
    if done.kept:
        say("Not forgotten: {kept}. Delete it by hand.", kept=done.kept)
