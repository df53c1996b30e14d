"""Drafts by hand: a person asks for what the program does not draft by itself, and picks the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time

from sqlalchemy import Connection

from bot.domain.errors import BadInput, CampaignError, Conflict, Refused
from bot.domain.occasions import Bar, Occasion
from bot.domain.people import Duty, Person, require
from bot.domain.post import Content, Picture, Post, PostState, Window
from bot.domain.slots import VIETNAM, at_local, local_date
from bot.library.cards import alt_texts
from bot.library.messages import Wording
from bot.services import cards, plan
from bot.services.choosing import choices, find
from bot.services.context import Context
from bot.services.posts import When, add_picture, windows
from bot.services.sketch import ByHand, Desk, Sketch, accounts_of, own_window, written
from bot.store import posts


class Unchosen(BadInput):
    """A person must pick one of `choices`."""

    def __init__(self, template: str, choices: Sequence[Wording], /, **fields: str) -> None:
        super().__init__(template, **fields)
        self.choices = choices


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person picks. `case` is whom an observance names; without a time, a day has its own.

    A picture without `alt` is described as messages/ describes the share card of the day.
    """

    model: str = ""
    case: str = ""
    channels: tuple[str, ...] = ()
    when: When = field(default_factory=When)
    picture: bytes | None = None
    alt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drafted:
    """`left_out` accounts have no words that fit, or the day is over there."""

    post: Post
    left_out: tuple[str, ...] = ()


def draft(ctx: Context, author: Person, key: str, asked: Asked) -> Drafted:
    """The author's own draft of a day, which nobody else then drafts. Raises BadInput, NotFound, Refused, Conflict."""
    require(author, Duty.WRITE_POST)
    occasion, desk = find(ctx, key, asked.case)
    if occasion.bar is Bar.DEATH_BY_HAND and not asked.model:
        if known := choices(ctx, desk, occasion):
            raise Unchosen("Of somebody who died, a person picks the words. Choose one by --model.", known)
        raise Refused("No words fit what is known of it. Write them yourself.", command="post add --help")
    names = asked.channels or accounts_of(ctx, occasion.campaign)
    with ctx.store.read() as tx:
        timed = _timed(ctx, tx, desk, occasion, names, asked.when)
    content, _ = written(ctx, desk, occasion, names, ByHand(timed, asked.model, with_media=asked.picture is not None))
    if content is None:
        raise _unworded(ctx, desk, occasion, asked.model)
    content = replace(content, pictures=described(ctx, author, asked, _card_alt(ctx, desk, occasion)))
    with ctx.store.write() as tx:
        _free(tx, key)
        made = plan.draft(ctx, tx, author, [Sketch(occasion, content)])
        if not made:
            raise Conflict("A fact about this day changed just now. Draft it again.")
    return Drafted(made[0], tuple(name for name in names if name not in content.channels))


def _timed(
    ctx: Context, tx: Connection, desk: Desk, occasion: Occasion, names: Sequence[str], when: When
) -> dict[str, Window]:
    """A time that a person gives must lie on the day itself: “5 years ago today” is not true on another."""
    zones = {name: ctx.channel(name).rhythm.timezone for name in names}
    if when.at is None and not when.slot:
        own = (own_window(ctx, desk, occasion, name, even_if_full=True) for name in names)
        if found := {window.channel: window for window in own if window}:
            return found
        raise Refused("{day} is over.", day=occasion.on)
    start = at_local(occasion.on, time(0), VIETNAM)
    chosen = windows(ctx, tx, Content(occasion.campaign, {}, tuple(names)), when, start=start)
    for window in chosen:
        if occasion.on not in {local_date(window.due, zone) for zone in (VIETNAM, zones[window.channel])}:
            raise Refused("Its words are true on {day} alone. Choose a time on that day.", day=occasion.on)
    return {window.channel: window for window in chosen}


def _unworded(ctx: Context, desk: Desk, occasion: Occasion, model: str) -> CampaignError:
    if model and (known := choices(ctx, desk, occasion)):
        return Unchosen("Model {model} may not say it here, or does not fit. Choose another.", known, model=model)
    if missing := sorted({name for each in desk.left_out for name in each.missing}):
        return Refused(
            "The models would print what is not known: {missing}. Add it to the case, or write a post in your own "
            "words.",
            missing=", ".join(missing),
            command="post add --help",
        )
    return Refused("No words fit what is known of it. Write them yourself.", command="post add --help")


def _free(tx: Connection, key: str) -> None:
    """What was cancelled may be drafted anew; any other post keeps its day."""
    if post_id := posts.occasions_taken(tx, [key]).get(key):
        if posts.get(tx, post_id).state is not PostState.CANCELLED:
            raise Refused(
                "Post {id} marks this day. Edit it, or cancel it first.",
                id=post_id,
                command=f"post cancel {post_id} --help",
            )
        posts.free_occasion(tx, post_id)


def _card_alt(ctx: Context, desk: Desk, occasion: Occasion) -> Mapping[str, str]:
    """What messages/ says of the day's share card; nothing where it has no such words."""
    host = cards.source_host(desk, occasion)
    return (host and alt_texts(ctx.messages, occasion, desk.cases, ctx.schedules.places, source=host)) or {}


def described(ctx: Context, author: Person, asked: Asked, known: Mapping[str, str]) -> tuple[Picture, ...]:
    """The picture asked for, with the words given or `known`."""
    if asked.picture is None:
        if asked.alt:
            raise BadInput("There is no picture to describe. Name its file: --media FILE")
        return ()
    alt = asked.alt or known
    if not alt.get("vi") or not alt.get("en"):
        raise BadInput("Describe each picture in both languages: --alt-vi and --alt-en.")
    return (add_picture(ctx, author, asked.picture, alt_vi=alt["vi"], alt_en=alt["en"]),)
