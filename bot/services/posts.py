"""Posts as people write, time, edit and look for them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.campaign import Campaign
from bot.domain.errors import BadInput, Conflict
from bot.domain.people import Duty, Person, require
from bot.domain.post import EDITABLE, OPEN, Content, Picture, Post, PostState, Window
from bot.domain.remarks import Blocked, Remark
from bot.domain.review import LONG_WINDOW, Void, require_state
from bot.domain.slots import after_quiet
from bot.domain.text import RULES
from bot.library import images as pictures
from bot.services.content import (
    Checked,
    check_content,
    cites_of,
    freeze,
    problems_of,
    recognised,
    renditions_if_ready,
    taken_times,
    tidied,
)
from bot.services.context import Context
from bot.services.quorum import require_unsent, unapprove
from bot.services.slots import next_slot, require_slot
from bot.store import cases, images, posts
from bot.store.posts import NewPost, Revision

__all__ = ["Checked", "check_content"]

NOW: Literal["now"] = "now"
_UNKEPT = frozenset({"control", "damaged", "too_long"})
SLOT_HORIZON = timedelta(days=370)
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class When:
    """One moment for every channel (aware, or `now`), or each channel's next free slot (`next` or a slot's name).

    A moment in a channel's quiet hours becomes their end.

    `now` means: as soon as enough people have approved, within an hour of being asked for. A window of an hour
    may be submitted and approved after it opened; any shorter one must be approved before its grace ends.
    """

    at: datetime | Literal["now"] | None = None
    slot: str = ""
    grace: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """`voided` yeses no longer count; `blocks` say why it went back to being a draft, if it did."""

    post: Post
    voided: int = 0
    blocks: tuple[Remark, ...] = ()


def add_post(ctx: Context, author: Person, content: Content, when: When | None = None) -> Post:
    """A draft. Raises BadInput for a time that has passed, Refused where no slot is free."""
    require(author, Duty.WRITE_POST)
    with ctx.store.write() as tx:
        return add_in(ctx, tx, author, content, when or When())[0]


def add_in(
    ctx: Context,
    tx: Connection,
    author: Person | None,
    content: Content,
    when: When,
    import_key: str = "",
    *,
    corrects: int | None = None,
) -> tuple[Post, ...]:
    """Nothing if the import key is taken."""
    content = prepared(ctx, tx, content)
    if author:
        require(author, Duty.WRITE_POST, content.scope)
    content = replace(content, windows=windows(ctx, tx, content, when))
    new = NewPost(content, import_key=import_key, corrects_id=corrects)
    added = posts.add(tx, [new], author.id if author else None, ctx.now())
    for post in added:
        act = Act.POST_IMPORTED if import_key else Act.POST_ADDED
        told = {"revision": post.revision} | ({"corrects": corrects} if corrects else {})
        ctx.record(tx, author, act, f"post:{post.id}", told)
    return added


def campaign_named(ctx: Context, slug: str) -> Campaign:
    campaign = ctx.schedules.campaign(slug)
    if campaign is None:
        known = ", ".join(each.slug for each in ctx.schedules.campaigns) or "none"
        raise BadInput("There is no campaign “{slug}”. There are: {known}.", slug=slug[:60], known=known)
    return campaign


def prepared(ctx: Context, tx: Connection, content: Content) -> Content:
    """In NFC, on accounts that exist, resting on the facts of its cases as they stand."""
    content = tidied(content)
    campaign = campaign_named(ctx, content.campaign)
    channels = content.channels or campaign.channels or tuple(ctx.channels)
    for name in channels:
        ctx.channel(name)
    if not any(content.texts.values()):
        raise BadInput("There is no text. Write it in Vietnamese and in English.")
    for problem in problems_of(content):
        if problem.kind in _UNKEPT:
            raise BadInput(problem.template, **problem.params)
    _require_targets(content, channels)
    listed = tuple(dict.fromkeys((*content.cases, *recognised(tx, content))))
    named = cases.by_slug(tx, listed)
    for slug in listed:
        if slug not in named:
            cases.get(tx, slug)
    return replace(content, channels=tuple(dict.fromkeys(channels)), cases=listed, cites=cites_of(named, content.cites))


def _require_targets(content: Content, channels: Collection[str]) -> None:
    """A text for nobody would be lost without a word, and no reviewer would see it."""
    known = sorted({*channels, *RULES})
    for _, target in content.texts:
        if target and target not in known:
            raise BadInput(
                "There is no account or platform “{name}” for that text. There are: {known}.",
                name=target[:40],
                known=", ".join(known),
            )


def windows(
    ctx: Context, tx: Connection, content: Content, when: When, *, post_id: int = 0, start: datetime | None = None
) -> tuple[Window, ...]:
    """Without a time or slot, those the content has already for its channels. Slots are looked for from `start` on."""
    grace = when.grace or timedelta(minutes=ctx.publishing.grace_minutes)
    now = ctx.now()
    if when.slot:
        require_slot(ctx, content, when.slot)
        taken = taken_times(ctx, tx, now - timedelta(days=1), now + SLOT_HORIZON, but=post_id)
        after = max(now, start or now)
        slots = {
            name: next_slot(ctx, content.campaign, name, when.slot, taken[name], after) for name in content.channels
        }
        return tuple(Window(name, due, due + grace) for name, due in slots.items())
    if when.at is None:
        return _kept_windows(content)
    if when.at == NOW:
        return tuple(Window(name, now, now + LONG_WINDOW) for name in content.channels)
    if when.at.tzinfo is None:
        raise BadInput("The time {time} has no zone.", time=when.at)
    if when.at <= now:
        raise BadInput("That time has passed. Choose a later one, or “now”.")
    # In an account's quiet hours nothing goes out: it would wait past its grace, so it is due when they end.
    dues = {name: after_quiet(when.at, ctx.channel(name).rhythm) for name in content.channels}
    return tuple(Window(name, due, due + grace) for name, due in dues.items())


def _kept_windows(content: Content) -> tuple[Window, ...]:
    """An account that joins gets the time that all others share."""
    shared = {(window.due, window.not_after) for window in content.windows}
    own = {name: content.window(name) for name in content.channels}
    if len(shared) == 1:
        (moment,) = shared
        own = {name: window or Window(name, *moment) for name, window in own.items()}
    return tuple(window for window in own.values() if window)


def edit_post(
    ctx: Context, actor: Person, post_id: int, content: Content, when: When | None = None, *, revision: int
) -> Edited:
    """A new revision of the revision that was read. What was in review or scheduled is put before reviewers again.

    Raises Conflict if somebody else edited it meanwhile, Refused if part of it is out.
    """
    require(actor, Duty.WRITE_POST)
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        if post.revision != revision:
            raise Conflict("Someone edited post {id} while you were writing. Look at it again.", id=post_id)
        return _revise(ctx, tx, actor, post, content, when or When(), Void.EDITED)


def schedule(ctx: Context, actor: Person, post_id: int, when: When) -> Edited:
    """A new time or slot: every yes is void, and what was in review or scheduled is put before reviewers again."""
    require(actor, Duty.WRITE_POST)
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        return _revise(ctx, tx, actor, post, post.content, when, Void.RETIMED)


def _revise(ctx: Context, tx: Connection, actor: Person, post: Post, content: Content, when: When, why: Void) -> Edited:
    require_state(post, EDITABLE, "edit")
    require_unsent(tx, post)
    content = prepared(ctx, tx, still_resting(content, post.content))
    for scope in (post.content.scope, content.scope):
        require(actor, Duty.WRITE_POST, scope)
    content = replace(content, windows=windows(ctx, tx, content, when, post_id=post.id))
    if content == post.content:
        return Edited(post, 0, ())
    voided = unapprove(ctx, tx, actor, post, why)
    revised = posts.revise(tx, post, content, actor.id, ctx.now())
    act = Act.POST_EDITED
    ctx.record(tx, actor, act, f"post:{post.id}", {"revision": revised.revision, "why": why.value})
    blocks: tuple[Remark, ...] = ()
    if post.state in OPEN:
        try:
            frozen = freeze(post.id, revised.document, renditions_if_ready(ctx, tx, revised.content))
        except Blocked as barred:
            blocks = barred.blocks
        else:
            posts.freeze(tx, [(post.id, *frozen)], ctx.now())
            ctx.record(
                tx, actor, Act.POST_SUBMITTED, f"post:{post.id}", {"digest": frozen[1], "revision": revised.revision}
            )
            return Edited(posts.get(tx, post.id), voided)
    if blocks or post.state is PostState.LAPSED:
        posts.set_state(tx, post.id, PostState.DRAFT, "", ctx.now())
    return Edited(posts.get(tx, post.id), voided, blocks)


def still_resting(content: Content, before: Content) -> Content:
    """Other words, but still about the same day, claiming as much, on the same facts and at the same time."""
    return replace(
        content,
        windows=content.windows or before.windows,
        cites=(*content.cites, *before.cites),
        kind=before.kind,
        tier=before.tier,
        model=before.model,
        on=before.on,
    )


def add_picture(ctx: Context, actor: Person, raw: bytes, *, alt_vi: str, alt_en: str) -> Picture:
    """Cleaned and kept, with a description in each language; put it into a post's content. Raises BadInput."""
    require(actor, Duty.WRITE_POST)
    picture, size = clean_picture(ctx, raw, alt_vi=alt_vi, alt_en=alt_en)
    with ctx.store.write() as tx:
        images.add(tx, picture, size, ctx.now())
    return picture


def clean_picture(ctx: Context, raw: bytes, *, alt_vi: str, alt_en: str) -> tuple[Picture, int]:
    """On disk, but not on record yet; and the size of what was kept, in bytes."""
    cleaned = pictures.clean(raw)
    pictures.keep(ctx.data_dir, cleaned)
    alt = {"vi": alt_vi, "en": alt_en}
    picture = Picture(cleaned.digest, cleaned.mime, cleaned.width, cleaned.height, alt)
    return picture, len(cleaned.content)


def get_post(ctx: Context, post_id: int) -> Post:
    with ctx.store.read() as tx:
        return posts.get(tx, post_id)


def list_posts(
    ctx: Context,
    *,
    states: Collection[PostState] = (),
    channel: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
    after: tuple[datetime | None, int] | None = None,
    limit: int = 50,
) -> tuple[Post, ...]:
    """By time, those without one last; `after` is (due, id) of the last one seen."""
    with ctx.store.read() as tx:
        return posts.listed(
            tx, states=states, channel=channel, start=start, end=end, after=after, limit=min(limit, MOST_LISTED)
        )


def count_posts(ctx: Context) -> dict[str, int]:
    with ctx.store.read() as tx:
        return posts.counts(tx)


def post_history(ctx: Context, post_id: int) -> tuple[Revision, ...]:
    """Every revision, the oldest first."""
    with ctx.store.read() as tx:
        posts.get(tx, post_id)
        return posts.revisions(tx, post_id)
