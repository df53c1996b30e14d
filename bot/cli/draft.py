"""`post draft` and `post correct`: what the program does not draft by itself, and what puts a wrong post right."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import showing
from bot.cli.frame import NUMBER, Given, Session, acting, as_json, day, emit, names, option, read_bytes, say, text_of
from bot.cli.plan import row_of, say_days
from bot.cli.post import content_of, post, say_moved, say_next, say_written, timed, when_of, worded
from bot.domain.campaign import LANGUAGES
from bot.domain.errors import BadInput
from bot.domain.occasions import Occasion
from bot.domain.people import Person
from bot.domain.post import Content
from bot.i18n import _, word

if TYPE_CHECKING:
    from bot.services.byhand import Asked, Drafted

__all__ = ["post"]

GENERAL = "general"


@post.command(
    "draft",
    examples=(
        "post draft",
        "post draft death:nguyen-van-a:death-2022-08-02:2027 --model M-2 --as lan",
        "post draft observance:world-press-freedom-day:2027-05-03 --case nguyen-van-a --as lan",
        "post draft general --campaign stop-the-crackdown-vn --slot next --as lan",
    ),
)
@click.argument("key", required=False)
@option("--model", default="", metavar="M-2", help="Whose words to use, by its name in messages/; else by turns.")
@option("--case", default="", metavar="SLUG", help="Whom an observance names.")
@option("--campaign", default="", metavar="C", help="Whose general appeal.")
@option("--turn", type=click.IntRange(0), metavar="N", help="Which general appeal; else the one after the last.")
@option("--channels", metavar="A,B", help="The accounts; else those of the campaign.")
@timed
@option("--media", type=click.Path(path_type=Path), help="A picture; described as a share card unless you do.")
@option("--alt-vi", help="What the picture shows, in Vietnamese.")
@option("--alt-en", help="What the picture shows, in English.")
@option("--from", "start", default="today", show_default=True, metavar="DAY", help="The first day of the list.")
@option("--days", default=30, show_default=True, type=click.IntRange(1, 366), help="How many days the list has.")
@as_json
@acting(required=False)
def draft_(
    session: Session, actor: Person | None, key: str | None, start: str, days: int, *, as_json: bool, **given: Given
) -> None:
    """Draft a day that the program leaves to people, or a general appeal, in words from messages/.

    Without KEY: the days that you may draft, with their keys and why the program does not. With a day's KEY, or
    the word general: a draft of yours, which others must approve. It goes out at the day's own time unless you
    give one.
    """
    if key is None:
        _list(session, start, days, as_json=as_json)
        return
    if actor is None:
        raise BadInput("Say in whose name: --as ALIAS.")
    drafted = _drafted(session, actor, key, given)
    if as_json:
        emit(showing.row_of(drafted.post) | {"left_out": drafted.left_out})
    else:
        _say(session, drafted, described=bool(given["media"] and not given["alt_vi"]))


def _list(session: Session, start: str, days: int, *, as_json: bool) -> None:
    from bot.services.choosing import draftable

    first = day(start, session.ctx.today())
    found = draftable(session.ctx, first, first + timedelta(days=days - 1))
    if as_json:
        emit([row_of(occasion) | {"post": post_id or None} for occasion, post_id in found])
    elif found:
        say_days((occasion, _why(occasion, post_id)) for occasion, post_id in found)
        say("To draft one: campaignbot post draft KEY --as ALIAS")
    else:
        say("There is nothing that you may draft in these days. Look further: campaignbot post draft --days 90")


def _why(occasion: Occasion, post_id: int) -> str:
    if occasion.bar:
        return word(occasion.bar, "bar")
    by_itself = _("post {id} marks it").format(id=post_id) if post_id else _("the program drafts it")
    return "; ".join((by_itself, _("by hand it may name a person")))


def _drafted(session: Session, actor: Person, key: str, given: dict[str, Given]) -> "Drafted":
    from bot.services import appeals, byhand

    is_general = key == GENERAL
    if bool(given["campaign"]) != is_general or (given["turn"] is not None and not is_general):
        raise BadInput("A general appeal takes --campaign and perhaps --turn, and a day takes neither.")
    if given["case"] and is_general:
        raise BadInput("A general appeal names nobody. Leave out --case.")
    asked = _asked(session, given)
    if is_general:
        return appeals.draft_general(session.ctx, actor, given["campaign"], asked, given["turn"])
    try:
        return byhand.draft(session.ctx, actor, key, asked)
    except byhand.Unchosen as error:
        for words in error.choices:
            click.secho(f"── {words.model}", bold=True)
            click.echo("\n\n".join(words.texts[language] for language in LANGUAGES) + "\n")
        raise


def _asked(session: Session, given: dict[str, Given]) -> "Asked":
    from bot.services.byhand import Asked

    alt = {language: text_of(words) for language in LANGUAGES if (words := given[f"alt_{language}"])}
    return Asked(
        model=given["model"],
        case=given["case"],
        channels=names(given["channels"]),
        when=when_of(session, given["at"], given["slot"], given["grace"]),
        picture=read_bytes(given["media"]) if given["media"] else None,
        alt=alt,
    )


def _say(session: Session, drafted: "Drafted", *, described: bool) -> None:
    sheet = showing.read_sheet(session, drafted.post.id)
    showing.say_sheet(session, sheet)
    if drafted.left_out:
        say("Not for {accounts}: no words fit, or the day is over there.", accounts=", ".join(drafted.left_out))
    if described:
        say("The picture is described as a share card. If it shows anything else, describe it:")
        click.echo(f"  campaignbot post edit {sheet.post.id} --media FILE --alt-vi TEXT --alt-en TEXT --as ALIAS")
    say_next(sheet.post, mend=bool(sheet.checked.blocks))


@post.command(examples=("post correct 11 --vi @right.vi.txt --en @right.en.txt --at now --as lan",))
@click.argument("post_id", metavar="ID", type=NUMBER)
@worded
@timed
@acting()
def correct(
    session: Session, actor: Person, post_id: int, at: str | None, slot: str | None, grace: str | None, **given: Given
) -> None:
    """Write a post that puts right one that is out or was withdrawn: for the same accounts, and approved like any."""
    from bot.services import posts
    from bot.services.withdraw import correct_post

    wrong = posts.get_post(session.ctx, post_id).content
    content = content_of(session, actor, Content(wrong.campaign, {}, wrong.channels, cases=wrong.cases), given)
    when = when_of(session, at, slot, grace)
    made = correct_post(session.ctx, actor, post_id, content, when)
    say_moved(session, made, when)
    say_written(session, made)
