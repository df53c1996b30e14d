"""Drafts the days that speak, each once, and puts them before reviewers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.occasions import Bar, Occasion
from bot.domain.people import Person
from bot.domain.post import Post, PostState
from bot.domain.review import stale_cites
from bot.library.images import image_path
from bot.services.cards import with_cards
from bot.services.content import freeze, rendered
from bot.services.context import PROGRAM, Context
from bot.services.sketch import LeftOut, Sketch, find_occasions, open_desk, sketch
from bot.store import audit, cases, images, posts
from bot.store.audit import NewEntry
from bot.store.posts import NewPost

POSTS_A_TRANSACTION = 300


@dataclass(frozen=True, slots=True)
class Planned:
    """`barred` occasions make no post that goes out by itself; a proposal among them made a draft that waits."""

    drafted: tuple[Post, ...] = ()
    barred: tuple[Occasion, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def plan(ctx: Context, *, until: date | None = None) -> Planned:
    """Draft every occasion from today to `until` (else `lead_days` ahead) that has no post yet."""
    start = ctx.today()
    end = until or start + timedelta(days=ctx.planning.lead_days)
    with ctx.store.read() as tx:
        desk = open_desk(ctx, tx, start, end)
        found = find_occasions(ctx, desk, start, end)
        marked = posts.occasions_taken(tx, [occasion.key for occasion in found])
    new = [occasion for occasion in found if occasion.key not in marked]
    worded, barred = sketch(ctx, desk, new)
    sketches = with_cards(ctx, desk, worded)
    drafted: list[Post] = []
    for first in range(0, len(sketches), POSTS_A_TRANSACTION):
        with ctx.store.write() as tx:
            drafted += draft(ctx, tx, None, sketches[first : first + POSTS_A_TRANSACTION])
    return Planned(tuple(drafted), barred, tuple(desk.left_out))


def draft(
    ctx: Context, tx: Connection, actor: Person | None, sketches: Sequence[Sketch], standing_id: int | None = None
) -> list[Post]:
    """Write the sketches down, frozen and in review; a proposal stays a draft until a person answers.

    What a person drafts by hand is theirs, and stays a draft until they submit it.
    Left for the next run: what somebody else drafted meanwhile, and what rests on a fact that has changed.
    """
    named = cases.by_slug(tx, {slug for each in sketches for slug in each.content.cases})
    true = [
        each
        for each in sketches
        if all(slug in named and not stale_cites(each.content.cites, named[slug]) for slug in each.content.cases)
    ]
    for picture in (picture for each in true for picture in each.content.pictures):
        size = image_path(ctx.data_dir, picture.digest, picture.mime).stat().st_size
        images.add(tx, picture, size, ctx.now())
    new = [NewPost(each.content, occasion=each.occasion.key, standing_id=standing_id) for each in true]
    added = posts.add(tx, new, actor.id if actor else None, ctx.now())
    waits = {each.occasion.key for each in true if actor or each.occasion.bar is Bar.SAME_HEARING}
    frozen = {
        post.id: freeze(post.id, post.document, rendered(ctx, post.content)[0])
        for post in added
        if post.occasion not in waits
    }
    posts.freeze(tx, [(post_id, *each) for post_id, each in frozen.items()], ctx.now())
    actor_name = actor.pseudonym if actor else PROGRAM
    told = {post.id: {"kind": post.content.kind, "on": post.content.on, "digest": ""} for post in added}
    for post_id, (_, digest) in frozen.items():
        told[post_id]["digest"] = digest
    entries = [
        NewEntry(ctx.now(), actor_name, Act.POST_DRAFTED, f"post:{post_id}", data) for post_id, data in told.items()
    ]
    audit.append_many(tx, entries, keystore=ctx.keystore)
    return [_as_frozen(post, *frozen[post.id]) if post.id in frozen else post for post in added]


def _as_frozen(post: Post, text: str, digest: str) -> Post:
    return replace(post, state=PostState.IN_REVIEW, manifest=text, digest=digest)


def upcoming(ctx: Context, start: date, end: date) -> tuple[tuple[Occasion, int], ...]:
    """Every occasion of these days, both included, with the id of its post, or 0."""
    with ctx.store.read() as tx:
        found = find_occasions(ctx, open_desk(ctx, tx, start, end), start, end)
        marked = posts.occasions_taken(tx, [occasion.key for occasion in found])
    return tuple((occasion, marked.get(occasion.key, 0)) for occasion in found)
