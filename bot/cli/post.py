"""`post`: writing, importing, timing, reviewing and looking at posts."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import card, postfiles, showing, withdraw
from bot.cli.frame import (
    NUMBER,
    Given,
    Group,
    Session,
    acting,
    as_json,
    by_state,
    emit,
    moment,
    names,
    option,
    read_bytes,
    say,
    show,
    table,
    text_of,
    together,
    zone_name,
)
from bot.domain.campaign import LANGUAGES
from bot.domain.errors import BadInput
from bot.domain.people import Person
from bot.domain.post import Content, Picture, Post, PostState
from bot.i18n import _, word

if TYPE_CHECKING:
    from bot.services.posts import Edited, When

EMPTY = "The queue is empty. Write a post with: campaignbot post add --help"


@click.group(cls=Group, help="Posts: write, check, submit, approve, schedule and look at them.")
def post() -> None:
    pass


worded = together(
    option("--vi", metavar="TEXT", help="The Vietnamese text; @FILE reads it from a file, - from the standard input."),
    option("--en", metavar="TEXT", help="The English text, in the same way."),
    option(
        "--variant",
        "variants",
        multiple=True,
        metavar="LANG:NAME=TEXT",
        help="A text of its own for one account or platform, such as vi:x=@short.txt.",
    ),
    option("--channels", metavar="A,B", help="The accounts; else those of the campaign."),
    option("--case", "cases", multiple=True, metavar="SLUG", help="Whom it names; may be given several times."),
    option("--media", multiple=True, type=click.Path(path_type=Path), help="A picture; may be given several times."),
    option("--alt-vi", multiple=True, help="What the picture shows, in Vietnamese; one for each picture."),
    option("--alt-en", multiple=True, help="What the picture shows, in English."),
    option("--note", help="For reviewers; it is never posted."),
)
timed = together(
    option("--at", metavar="WHEN", help="“2026-12-10 09:00” in the bot's time zone, or now."),
    option("--slot", metavar="NAME", help="next, or the name of a slot: the next free one of each account."),
    option("--grace", metavar="20m", help="How late it may still go out."),
)


def when_of(session: Session, at: str | None, slot: str | None, grace: str | None) -> "When":
    from bot.services.postfiles import read_grace
    from bot.services.posts import When

    if at and slot:
        raise BadInput("It has both a time and a slot. Leave one.")
    return When(moment(at, session.zone) if at else None, slot or "", read_grace(grace) if grace else None)


def content_of(session: Session, actor: Person, before: Content, given: dict[str, Any]) -> Content:
    """What was there, changed by the options that were given."""
    texts = dict(before.texts)
    texts |= {(language, ""): text_of(given[language]) for language in LANGUAGES if given[language] is not None}
    for variant in given["variants"]:
        match = re.fullmatch(r"(vi|en):([\w-]+)=(.*)", variant, re.DOTALL)
        if not match:
            raise BadInput("“{text}” is no variant. Write vi:x=TEXT.", text=variant[:40])
        texts[match[1], match[2]] = text_of(match[3])
    changed: dict[str, Any] = {"texts": texts}
    if given["channels"]:
        changed["channels"] = names(given["channels"])
    if given["cases"]:
        changed["cases"] = tuple(slug for each in given["cases"] for slug in names(each))
    if given["note"] is not None:
        changed["note"] = text_of(given["note"])
    if given["media"]:
        changed["pictures"] = _pictures(session, actor, given["media"], given["alt_vi"], given["alt_en"])
    return replace(before, **changed)


def _pictures(
    session: Session, actor: Person, media: Sequence[Path], alt_vi: Sequence[str], alt_en: Sequence[str]
) -> tuple[Picture, ...]:
    from bot.services.posts import add_picture

    if not len(media) == len(alt_vi) == len(alt_en):
        raise BadInput("Describe each picture in both languages: --alt-vi and --alt-en.")
    return tuple(
        add_picture(session.ctx, actor, read_bytes(path), alt_vi=text_of(vi), alt_en=text_of(en))
        for path, vi, en in zip(media, alt_vi, alt_en, strict=True)
    )


@post.command(examples=(
    "post add --campaign stop-the-crackdown-vn --vi @post.vi.txt --en @post.en.txt --slot next --as lan",
    'post add --campaign now-campaign --vi "…" --en "…" --at "2026-12-10 09:00" --channels x,facebook --as lan',
))  # fmt: skip
@option("--campaign", required=True, metavar="C", help="Whose post it is.")
@worded
@timed
@acting()
def add(
    session: Session, actor: Person, campaign: str, at: str | None, slot: str | None, grace: str | None, **given: Given
) -> None:
    """Write a post in both languages: a draft, until it is submitted and somebody else has approved it."""
    from bot.services import posts

    content = content_of(session, actor, Content(campaign, {}, ()), given)
    when = when_of(session, at, slot, grace)
    made = posts.add_post(session.ctx, actor, content, when)
    say_moved(session, made, when)
    say_written(session, made)


def say_written(session: Session, made: Post) -> None:
    checked = showing.read_sheet(session, made.id).checked
    showing.say_due(session, made)
    showing.say_costs(checked)
    showing.say_remarks(checked)
    say_next(made, mend=bool(checked.blocks))


def say_moved(session: Session, made: Post, when: "When") -> None:
    """A time in an account's quiet hours became their end, perhaps on another day."""
    for window in made.content.windows:
        if isinstance(when.at, datetime) and window.due != when.at:
            moved = show(window.due, session.zone)
            say("{channel} is quiet then: there it goes out {time}.", channel=window.channel, time=moved)


def say_next(made: Post, *, mend: bool) -> None:
    if made.state in {PostState.DRAFT, PostState.RETURNED}:
        step = "Mend this first: campaignbot post edit {id} --help" if mend else "Next: campaignbot post submit {id}"
        say(step, id=made.id)


@post.command(examples=("post edit 11 --vi @post.vi.txt --en @post.en.txt --as lan",))
@click.argument("post_id", metavar="ID", type=NUMBER)
@worded
@timed
@acting()
def edit(
    session: Session, actor: Person, post_id: int, at: str | None, slot: str | None, grace: str | None, **given: Given
) -> None:
    """Change a post. Whoever approved it before must do so anew."""
    from bot.services import posts

    before = posts.get_post(session.ctx, post_id)
    content = content_of(session, actor, before.content, given)
    when = when_of(session, at, slot, grace)
    _say_edited(session, posts.edit_post(session.ctx, actor, post_id, content, when, revision=before.revision), when)


def _say_edited(session: Session, edited: "Edited", when: "When") -> None:
    if edited.voided:
        say("It was approved before; that no longer counts.")
    say_moved(session, edited.post, when)
    say_written(session, edited.post)


@post.command(examples=('post schedule 11 --at "2026-12-11 09:00" --as lan', "post schedule 11 --slot next --as lan"))
@click.argument("post_id", metavar="ID", type=NUMBER)
@timed
@acting()
def schedule(
    session: Session, actor: Person, post_id: int, at: str | None, slot: str | None, grace: str | None
) -> None:
    """Give a post another time. Whoever approved it before must do so anew."""
    from bot.services import posts

    if not at and not slot:
        raise BadInput("Say when: --at or --slot.")
    when = when_of(session, at, slot, grace)
    _say_edited(session, posts.schedule(session.ctx, actor, post_id, when), when)


@post.command()
@click.argument("post_id", metavar="ID", type=NUMBER)
@acting()
def submit(session: Session, actor: Person, post_id: int) -> None:
    """Put a draft before a reviewer, with exactly the bytes that each account will get."""
    from bot.services import review

    made = review.submit(session.ctx, actor, post_id)
    showing.say_due(session, made)
    showing.say_remarks(showing.read_sheet(session, post_id).checked)
    say("Somebody else must approve it before that time: campaignbot post approve {id} --as ALIAS", id=post_id)


@post.command(examples=("post approve 11 --as minh", "post approve 11 --digest DIGEST --as minh"))
@click.argument("post_id", metavar="ID", type=NUMBER)
@option("--digest", help="Of exactly what was read; without it, the post is shown and a yes is asked for.")
@acting()
def approve(session: Session, actor: Person, post_id: int, digest: str | None) -> None:
    """Say yes to exactly this text, for these accounts, at this time.

    If one letter changes, the yes no longer counts.
    """
    from bot.services import queue, review

    if digest is None:
        review.require_approver(session.ctx, actor, post_id)
        sheet = showing.read_sheet(session, post_id)
        digest = sheet.post.digest
        showing.say_sheet(session, sheet)
        click.confirm(_("Approve exactly this text?"), abort=True)
    approved = review.approve(session.ctx, actor, post_id, digest)
    if approved.missing:
        say("Approved. It still needs {missing} more.", missing=approved.missing)
    else:
        zone = zone_name(session.zone, session.ctx.now())
        say("Approved. It goes out {time}.", time=f"{show(approved.post.due, session.zone)} ({zone})")
    if queue.halt_state(session.ctx):
        say("But publishing is stopped: what comes due waits for a person. To start again: campaignbot unhalt")


@post.command("return", examples=('post return 11 --reason "the date is 5 May in the source" --as minh',))
@click.argument("post_id", metavar="ID", type=NUMBER)
@option("--reason", required=True, help="What to change; everyone sees it, and it stays in the log.")
@acting()
def return_(session: Session, actor: Person, post_id: int, reason: str) -> None:
    """Ask the author for changes."""
    from bot.services import review

    showing.say_due(session, review.return_post(session.ctx, actor, post_id, text_of(reason)))


@post.command()
@click.argument("post_id", metavar="ID", type=NUMBER)
@option("--reason", required=True, help="Why; everyone sees it, and it stays in the log.")
@acting(bare=True)
def cancel(session: Session, actor: Person, post_id: int, reason: str) -> None:
    """Never send it: the author's withdrawal, or a reviewer's rejection."""
    from bot.services import review

    showing.say_due(session, review.cancel(session.ctx, actor, post_id, text_of(reason)))


@post.command("list", examples=("post list --state in_review", "post list --channel x --json"))
@by_state(PostState)
@option("--channel", default="", help="Only for this account.")
@option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@as_json
@click.pass_obj
def list_(session: Session, *, states: tuple[str, ...], channel: str, limit: int, as_json: bool) -> None:
    """Posts by time; those without one come last."""
    from bot.services import posts

    found = posts.list_posts(session.ctx, states=[PostState(each) for each in states], channel=channel, limit=limit)
    if as_json:
        emit([showing.row_of(each) for each in found])
        return
    due = _("Due ({zone})").format(zone=zone_name(session.zone, session.ctx.now()))
    rows = [(each.id, show(each.due, session.zone), word(each.state, "post"), showing.preview(each)) for each in found]
    table(["ID", due, "State", "Text"], rows, empty=EMPTY)


@post.command("show")
@click.argument("post_id", metavar="ID", type=NUMBER)
@as_json
@click.pass_obj
def show_(session: Session, *, post_id: int, as_json: bool) -> None:
    """Exactly what each account gets, the facts with their sources, who approved it, and what became of it."""
    sheet = showing.read_sheet(session, post_id)
    if as_json:
        emit(showing.plain_sheet(sheet))
    else:
        showing.say_sheet(session, sheet)


for each in (postfiles.import_, postfiles.export, postfiles.check, withdraw.post_withdraw, card.post_card):
    post.add_command(each)
