"""Posts and their revisions. A post changes only if it is still as it was read."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from bot.domain.errors import Conflict, NotFound
from bot.domain.post import Content, Post, PostState, canonical, content_from_plain, content_to_plain
from bot.store import tables as t
from bot.store.rows import batches, upsert, value

Cursor = tuple[datetime | None, int]
"""Where a post stands in the queue: its time, or none, and its number."""
_PLANNED = (PostState.DRAFT, PostState.IN_REVIEW, PostState.RETURNED)
_c = t.posts.c
# Built once: a wave asks and says these of every post, and building costs more than running.
_BY_ID = select(t.posts).where(_c.id == bindparam("id"))
_BY_IDS = select(t.posts).where(_c.id.in_(bindparam("ids", expanding=True)))
_SET_STATE = (
    update(t.posts)
    .where(_c.id == bindparam("of"))
    .values(state=bindparam("state"), reason=bindparam("reason"), changed_at=bindparam("changed_at"))
)


@dataclass(frozen=True, slots=True)
class NewPost:
    """`occasion` and `import_key` are unique: a post whose own is taken is not added."""

    content: Content
    occasion: str = ""
    import_key: str = ""
    standing_id: int | None = None
    corrects_id: int | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    revision: int
    content: Content
    author_id: int | None
    at: datetime


def _value(row: Row[Any]) -> Post:
    return value(Post, row, state=PostState(row.state), content=_content(row.document))


@lru_cache(maxsize=2_048)
def _content(document: str) -> Content:
    """Of the same document always the same value: a month's posts are looked through again and again."""
    return content_from_plain(json.loads(document))


def _all(tx: Connection, query: Select[Any]) -> tuple[Post, ...]:
    return tuple(_value(row) for row in tx.execute(query))


def add(tx: Connection, new: Iterable[NewPost], author_id: int | None, now: datetime) -> tuple[Post, ...]:
    """As drafts, in the given order; those whose occasion or import key is taken are left out."""
    statement = upsert(tx, t.posts).on_conflict_do_nothing().returning(t.posts)
    added = tuple(
        value(Post, row, state=PostState.DRAFT, content=each.content)
        for each in new
        for row in tx.execute(statement, _new_row(each, now))
    )
    _add_revisions(tx, added, author_id)
    _name_cases(tx, added)
    return added


def _new_row(new: NewPost, now: datetime) -> dict[str, Any]:
    return _columns(new.content) | {
        "occasion": new.occasion or None,
        "import_key": new.import_key or None,
        "standing_id": new.standing_id,
        "corrects_id": new.corrects_id,
        "state": PostState.DRAFT,
        "revision": 1,
        "added_at": now,
        "changed_at": now,
    }


def _columns(content: Content) -> dict[str, Any]:
    document = canonical(content_to_plain(content))
    channels = f" {' '.join(content.channels)} "
    return {"document": document, "campaign": content.campaign, "due_at": content.due, "channels": channels}


def _add_revisions(tx: Connection, posts: Collection[Post], author_id: int | None) -> None:
    rows = [
        {"post_id": p.id, "revision": p.revision, "document": p.document, "author_id": author_id, "at": p.changed_at}
        for p in posts
    ]
    if rows:
        tx.execute(insert(t.post_revisions), rows)


def _name_cases(tx: Connection, posts: Collection[Post]) -> None:
    """Raises NotFound for a slug that is no case."""
    ids: dict[str, int] = {}
    for slugs in batches(slug for post in posts for slug in post.content.cases):
        query = select(t.cases.c.slug, t.cases.c.id).where(t.cases.c.slug.in_(slugs))
        ids |= {row.slug: row.id for row in tx.execute(query)}
        for slug in slugs:
            if slug not in ids:
                raise NotFound("There is no case “{slug}”.", slug=slug[:80], command="case list")
    rows = [{"post_id": post.id, "case_id": ids[slug]} for post in posts for slug in set(post.content.cases)]
    if rows:
        tx.execute(insert(t.post_cases), rows)


def get(tx: Connection, post_id: int) -> Post:
    row = tx.execute(_BY_ID, {"id": post_id}).first()
    if row is None:
        raise NotFound("There is no post {id}.", id=post_id, command="post list")
    return _value(row)


def listed(
    tx: Connection,
    *,
    states: Collection[PostState] = (),
    channel: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
    after: tuple[datetime | None, int] | None = None,
    limit: int = 50,
) -> tuple[Post, ...]:
    """By time, those without one last. `after` is (due, id) of the last post seen; start <= due < end."""
    query = select(t.posts).order_by(_c.due_at, _c.id)
    if states:
        query = query.where(_c.state.in_(states))
    if channel:
        query = query.where(_on((channel,)))
    timed, timeless = query.where(_c.due_at.is_not(None)), query.where(_c.due_at.is_(None))
    if start is not None:
        timed = timed.where(_c.due_at >= start)
    if end is not None:
        timed = timed.where(_c.due_at < end)
    if after is not None:
        timed = timed.where(tuple_(_c.due_at, _c.id) > after if after[0] else false())
        timeless = timeless if after[0] else timeless.where(_c.id > after[1])
    found = _all(tx, timed.limit(limit))
    if start is None and end is None:
        found += _all(tx, timeless.limit(limit - len(found)))
    return found


def _on(channels: Collection[str]) -> ColumnElement[bool]:
    return or_(false(), *(_c.channels.contains(f" {name} ", autoescape=True) for name in channels))


def paged(
    tx: Connection,
    at: Cursor,
    *,
    backwards: bool = False,
    states: Collection[PostState] = (),
    channels: Collection[str] | None = None,
    limit: int = 50,
) -> tuple[Post, ...]:
    """The posts beyond `at`, by time and those without one last, in order; `backwards` those before it.

    Only indexes are read until it is known which they are. None is every channel.
    """
    query, (due, seen) = select(_c.id), at
    if states:
        query = query.where(_c.state.in_(states))
    if channels is not None:
        query = query.where(_on(channels))
    timed, timeless = query.where(_c.due_at.is_not(None)), query.where(_c.due_at.is_(None))
    if due is not None:
        place = tuple_(_c.due_at, _c.id)
        timed = timed.where(place < at if backwards else place > at)
    else:
        timeless = timeless.where(_c.id < seen if backwards else _c.id > seen)
    if backwards:
        found = [] if due else _ids(tx, timeless.order_by(_c.id.desc()), limit)
        found += _ids(tx, timed.order_by(_c.due_at.desc(), _c.id.desc()), limit - len(found))
        found.reverse()
    else:
        found = _ids(tx, timed.order_by(_c.due_at, _c.id), limit) if due else []
        found += _ids(tx, timeless.order_by(_c.id), limit - len(found))
    return by_ids(tx, found)


def _ids(tx: Connection, query: Select[Any], limit: int) -> list[int]:
    return list(tx.execute(query.limit(limit)).scalars()) if limit else []


def by_ids(tx: Connection, ids: Iterable[int]) -> tuple[Post, ...]:
    """Those there are, in the order asked for."""
    wanted = list(ids)
    rows = (row for some in batches(wanted) for row in tx.execute(_BY_IDS, {"ids": some}))
    found = {row.id: _value(row) for row in rows}
    return tuple(found[each] for each in wanted if each in found)


def due_between(tx: Connection, start: datetime, end: datetime) -> tuple[tuple[int, datetime, PostState], ...]:
    """Number, time and state of each post due in between, in order; no post is read for it."""
    query = select(_c.id, _c.due_at, _c.state).where(_c.due_at >= start, _c.due_at < end)
    return tuple((row[0], row[1], PostState(row[2])) for row in tx.execute(query.order_by(_c.due_at, _c.id)))


def said_between(
    tx: Connection, states: Collection[PostState], start: datetime, end: datetime, limit: int
) -> tuple[tuple[int, datetime, Content], ...]:
    """Number, time and content of the posts due in between, in order."""
    query = select(_c.id, _c.due_at, _c.document).where(_c.state.in_(states), _c.due_at >= start, _c.due_at < end)
    found = tx.execute(query.order_by(_c.due_at, _c.id).limit(limit))
    return tuple((row[0], row[1], _content(row[2])) for row in found)


def writers(tx: Connection, ids: Iterable[int]) -> dict[int, int | None]:
    """Who wrote the first words of each post; None is the program."""
    of = t.post_revisions.c
    queries = (select(of.post_id, of.author_id).where(of.post_id.in_(some), of.revision == 1) for some in batches(ids))
    return {row.post_id: row.author_id for query in queries for row in tx.execute(query)}


def counts(tx: Connection) -> dict[str, int]:
    """How many posts are in each state."""
    return {row[0]: row[1] for row in tx.execute(select(_c.state, func.count()).group_by(_c.state))}


def count(tx: Connection, state: PostState) -> int:
    return tx.execute(select(func.count()).where(_c.state == state)).scalar_one()


def appeals(tx: Connection, campaign: str) -> int:
    """How many general appeals the campaign had in the words of messages/, cancelled ones too."""
    worded = (_c.document.contains('"kind":"general"'), ~_c.document.contains('"model":""'))
    return tx.execute(select(func.count()).where(_c.campaign == campaign, *worded)).scalar_one()


def revisions(tx: Connection, post_id: int) -> tuple[Revision, ...]:
    table = t.post_revisions
    query = select(table).where(table.c.post_id == post_id).order_by(table.c.revision)
    return tuple(value(Revision, row, content=_content(row.document)) for row in tx.execute(query))


def revise(tx: Connection, post: Post, content: Content, author_id: int | None, now: datetime) -> Post:
    """A new revision, of the post exactly as it was read, not frozen any more. Raises Conflict."""
    new = _columns(content) | {"revision": post.revision + 1, "manifest": None, "digest": None, "changed_at": now}
    as_read = (_c.id == post.id, _c.revision == post.revision, _c.state == post.state)
    if tx.execute(update(t.posts).where(*as_read).values(new)).rowcount != 1:
        raise Conflict("Somebody changed post {id} just now. Look at it again.", id=post.id)
    tx.execute(delete(t.post_cases).where(t.post_cases.c.post_id == post.id))
    revised = get(tx, post.id)
    _add_revisions(tx, [revised], author_id)
    _name_cases(tx, [revised])
    return revised


def freeze(tx: Connection, frozen: Iterable[tuple[int, str, str]], now: datetime) -> None:
    """Each (post, manifest, digest) is in review from now on."""
    rows = [{"post": post_id, "text": text, "hash": digest} for post_id, text, digest in frozen]
    values = {"manifest": bindparam("text"), "digest": bindparam("hash"), "state": PostState.IN_REVIEW, "reason": ""}
    if rows:
        tx.execute(update(t.posts).where(_c.id == bindparam("post")).values(values | {"changed_at": now}), rows)


def set_state(tx: Connection, post_id: int, state: PostState, reason: str, now: datetime) -> None:
    set_states(tx, {post_id: (state, reason)}, now)


def set_states(tx: Connection, found: Mapping[int, tuple[PostState, str]], now: datetime) -> None:
    """By post its state and the reason."""
    rows = [{"of": each, "state": state, "reason": why, "changed_at": now} for each, (state, why) in found.items()]
    if rows:
        tx.execute(_SET_STATE, rows)


def free_occasion(tx: Connection, post_id: int) -> None:
    """The occasion may be drafted anew."""
    tx.execute(update(t.posts).where(_c.id == post_id).values(occasion=None))


def bind(tx: Connection, post_ids: Collection[int], standing_id: int) -> None:
    tx.execute(update(t.posts).where(_c.id.in_(post_ids)).values(standing_id=standing_id))


def occasions_taken(tx: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The post that marks each of these occasions, where there is one."""
    queries = (select(_c.occasion, _c.id).where(_c.occasion.in_(some)) for some in batches(keys))
    return {row.occasion: row.id for query in queries for row in tx.execute(query)}


def proposals(tx: Connection) -> tuple[Post, ...]:
    """The program's drafts about people who may have been tried together."""
    query = select(t.posts).where(_c.state == PostState.DRAFT, _c.occasion.startswith("joint_", autoescape=True))
    return _all(tx, query.order_by(_c.due_at, _c.id))


def taken(tx: Connection, start: datetime, end: datetime, *, but: int = 0) -> dict[str, tuple[datetime, ...]]:
    """The times, by channel, that posts without deliveries yet mean to take; not those of post `but`."""
    meant = (_c.due_at >= start, _c.due_at < end, _c.id != but, _c.state.in_(_PLANNED))
    times: dict[str, list[datetime]] = {}
    for document in tx.execute(select(_c.document).where(*meant)).scalars():
        for window in _content(document).windows:
            times.setdefault(window.channel, []).append(window.due)
    return {channel: tuple(sorted(each)) for channel, each in times.items()}


def due_before(tx: Connection, state: PostState, now: datetime) -> tuple[Post, ...]:
    return _all(tx, select(t.posts).where(_c.state == state, _c.due_at <= now))


def naming(tx: Connection, case_id: int, states: Collection[PostState]) -> tuple[Post, ...]:
    query = select(t.posts).join(t.post_cases).where(t.post_cases.c.case_id == case_id)
    return _all(tx, query.where(_c.state.in_(states)).order_by(_c.id))


def newest_naming(tx: Connection, case_id: int, limit: int) -> tuple[Post, ...]:
    query = select(t.posts).join(t.post_cases).where(t.post_cases.c.case_id == case_id)
    return _all(tx, query.order_by(_c.id.desc()).limit(limit))


def named(tx: Connection, now: datetime) -> tuple[dict[int, datetime], dict[int, datetime]]:
    """By case: when a published post last named it, and when the next that is in hand will."""
    of = t.post_cases.c.case_id
    out = (_c.state.in_((PostState.PUBLISHED, PostState.PARTLY_PUBLISHED)), _c.due_at <= now)
    waiting = (_c.state.in_((*_PLANNED, PostState.SCHEDULED)), _c.due_at > now)
    last, coming = (
        select(of, edge(_c.due_at)).join_from(t.posts, t.post_cases).where(*which).group_by(of)
        for edge, which in ((func.max, out), (func.min, waiting))
    )
    return {row[0]: row[1] for row in tx.execute(last)}, {row[0]: row[1] for row in tx.execute(coming)}


def slugs_in(tx: Connection, folded: str) -> tuple[str, ...]:
    """Slugs of cases which, spelled with spaces, stand in this folded text: likely names, to be looked at."""
    spelled = func.replace(t.cases.c.slug, "-", " ")
    within = func.instr if tx.dialect.name == "sqlite" else func.strpos
    return tuple(tx.execute(select(t.cases.c.slug).where(within(folded, spelled) > 0)).scalars())


def corrections(tx: Connection, post_id: int) -> tuple[int, ...]:
    """The posts that were written to put this one right."""
    return tuple(tx.execute(select(_c.id).where(_c.corrects_id == post_id).order_by(_c.id)).scalars())


def of_standing(tx: Connection, standing_id: int) -> tuple[Post, ...]:
    return _all(tx, select(t.posts).where(_c.standing_id == standing_id).order_by(_c.due_at, _c.id))
