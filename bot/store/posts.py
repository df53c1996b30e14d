"""Posts and their revisions. A post changes only if it is still as it was read."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.errors import Conflict, NotFound
from bot.domain.post import Content, Post, PostState, canonical, content_from_plain, content_to_plain, read_moment
from bot.store import tables as t

BATCH = 500
_PLANNED = (PostState.DRAFT.value, PostState.IN_REVIEW.value, PostState.RETURNED.value)


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
    return Post(
        id=row.id,
        state=PostState(row.state),
        content=content_from_plain(json.loads(row.document)),
        revision=row.revision,
        added_at=row.added_at,
        changed_at=row.changed_at,
        reason=row.reason,
        occasion=row.occasion or "",
        standing_id=row.standing_id,
        corrects_id=row.corrects_id,
        document=row.document,
        manifest=row.manifest or "",
        digest=row.digest or "",
    )


def _all(tx: Connection, query: Select[Any]) -> tuple[Post, ...]:
    return tuple(_value(row) for row in tx.execute(query))


def add(tx: Connection, new: Sequence[NewPost], author_id: int | None, now: datetime) -> tuple[Post, ...]:
    """As drafts, in the given order; those whose occasion or import key is taken are left out."""
    rows = [_new_row(each, now) for each in new]
    makers: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    statement = makers[tx.dialect.name](t.posts).on_conflict_do_nothing()
    statement = statement.returning(t.posts.c.id, t.posts.c.occasion, t.posts.c.import_key)
    keyed = [row for row in rows if row["occasion"] or row["import_key"]]
    ids: dict[Any, int] = {}
    for start in range(0, len(keyed), BATCH):
        found = tx.execute(statement, keyed[start : start + BATCH])
        ids |= {(row.occasion, row.import_key): row.id for row in found}
    for row in rows:
        if not (row["occasion"] or row["import_key"]):
            ids[id(row)] = tx.execute(insert(t.posts).values(row).returning(t.posts.c.id)).scalar_one()
    placed = [
        (post_id, row, each)
        for row, each in zip(rows, new, strict=True)
        if (post_id := ids.pop((row["occasion"], row["import_key"]), 0) or ids.pop(id(row), 0))
    ]
    _add_revisions(tx, [(post_id, 1, row["document"]) for post_id, row, _ in placed], author_id, now)
    _name_cases(tx, {post_id: each.content.cases for post_id, _, each in placed})
    return tuple(
        Post(
            id=post_id, state=PostState.DRAFT, content=each.content, revision=1, added_at=now, changed_at=now,
            occasion=each.occasion, standing_id=each.standing_id, corrects_id=each.corrects_id,
            document=row["document"],
        )
        for post_id, row, each in placed
    )  # fmt: skip


def _new_row(new: NewPost, now: datetime) -> dict[str, Any]:
    return {
        "campaign": new.content.campaign,
        "occasion": new.occasion or None,
        "import_key": new.import_key or None,
        "standing_id": new.standing_id,
        "corrects_id": new.corrects_id,
        "state": PostState.DRAFT.value,
        "revision": 1,
        "document": canonical(content_to_plain(new.content)),
        "due_at": new.content.due,
        "added_at": now,
        "changed_at": now,
    }


def _add_revisions(tx: Connection, new: Iterable[tuple[int, int, str]], author_id: int | None, now: datetime) -> None:
    rows = [
        {"post_id": post_id, "revision": revision, "document": document, "author_id": author_id, "at": now}
        for post_id, revision, document in new
    ]
    if rows:
        tx.execute(insert(t.post_revisions), rows)


def _name_cases(tx: Connection, named: Mapping[int, Sequence[str]]) -> None:
    """Raises NotFound for a slug that is no case."""
    slugs = sorted({slug for each in named.values() for slug in each})
    ids: dict[str, int] = {}
    for start in range(0, len(slugs), BATCH):
        query = select(t.cases.c.slug, t.cases.c.id).where(t.cases.c.slug.in_(slugs[start : start + BATCH]))
        ids |= {row.slug: row.id for row in tx.execute(query)}
    for slug in slugs:
        if slug not in ids:
            raise NotFound("There is no case “{slug}”. `campaignbot case list` shows them.", slug=slug[:80])
    rows = [{"post_id": post_id, "case_id": ids[slug]} for post_id, each in named.items() for slug in set(each)]
    if rows:
        tx.execute(insert(t.post_cases), rows)


def get(tx: Connection, post_id: int) -> Post:
    row = tx.execute(select(t.posts).where(t.posts.c.id == post_id)).first()
    if row is None:
        raise NotFound("There is no post {id}. `campaignbot post list` shows them.", id=post_id)
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
    query = select(t.posts).order_by(t.posts.c.due_at, t.posts.c.id)
    if states:
        query = query.where(t.posts.c.state.in_([state.value for state in states]))
    if channel:  # found in the document, where the name stands quoted as one JSON string
        query = query.where(t.posts.c.document.contains(f'"{channel}"', autoescape=True))
    timed = query.where(t.posts.c.due_at.is_not(None))
    if start is not None:
        timed = timed.where(t.posts.c.due_at >= start)
    if end is not None:
        timed = timed.where(t.posts.c.due_at < end)
    timeless = query.where(t.posts.c.due_at.is_(None))
    found: tuple[Post, ...] = ()
    if after is None or after[0] is not None:
        if after is not None:
            timed = timed.where(tuple_(t.posts.c.due_at, t.posts.c.id) > after)
        found = _all(tx, timed.limit(limit))
        after = None
    if start is None and end is None and len(found) < limit:
        if after is not None:
            timeless = timeless.where(t.posts.c.id > after[1])
        found += _all(tx, timeless.limit(limit - len(found)))
    return tuple(post for post in found if not channel or channel in post.content.channels)


def counts(tx: Connection) -> dict[str, int]:
    """How many posts are in each state."""
    query = select(t.posts.c.state, func.count()).group_by(t.posts.c.state)
    return {row[0]: row[1] for row in tx.execute(query)}


def revisions(tx: Connection, post_id: int) -> tuple[Revision, ...]:
    table = t.post_revisions
    query = select(table).where(table.c.post_id == post_id).order_by(table.c.revision)
    return tuple(
        Revision(row.revision, content_from_plain(json.loads(row.document)), row.author_id, row.at)
        for row in tx.execute(query)
    )


def revise(tx: Connection, post: Post, content: Content, author_id: int | None, now: datetime) -> Post:
    """A new revision, of the post exactly as it was read, not frozen any more. Raises Conflict."""
    document = canonical(content_to_plain(content))
    changed = tx.execute(
        update(t.posts)
        .where(t.posts.c.id == post.id, t.posts.c.revision == post.revision)
        .where(t.posts.c.state == post.state.value)
        .values(
            document=document, revision=post.revision + 1, campaign=content.campaign, due_at=content.due,
            manifest=None, digest=None, changed_at=now,
        )
    ).rowcount  # fmt: skip
    if changed != 1:
        raise Conflict("Somebody changed post {id} just now. Look at it again.", id=post.id)
    _add_revisions(tx, [(post.id, post.revision + 1, document)], author_id, now)
    tx.execute(delete(t.post_cases).where(t.post_cases.c.post_id == post.id))
    _name_cases(tx, {post.id: content.cases})
    return get(tx, post.id)


def freeze(tx: Connection, frozen: Iterable[tuple[int, str, str]], now: datetime) -> None:
    """Each (post, manifest, digest) is in review from now on."""
    rows = [{"post": post_id, "text": text, "hash": digest} for post_id, text, digest in frozen]
    if not rows:
        return
    table = update(t.posts).where(t.posts.c.id == bindparam("post"))
    values: dict[str, Any] = {"manifest": bindparam("text"), "digest": bindparam("hash")}
    tx.execute(table.values(values | {"state": PostState.IN_REVIEW.value, "reason": "", "changed_at": now}), rows)


def set_state(tx: Connection, post_id: int, state: PostState, reason: str, now: datetime) -> None:
    tx.execute(update(t.posts).where(t.posts.c.id == post_id).values(state=state.value, reason=reason, changed_at=now))


def free_occasion(tx: Connection, post_id: int) -> None:
    """The occasion may be drafted anew."""
    tx.execute(update(t.posts).where(t.posts.c.id == post_id).values(occasion=None))


def bind(tx: Connection, post_ids: Collection[int], standing_id: int) -> None:
    tx.execute(update(t.posts).where(t.posts.c.id.in_(list(post_ids))).values(standing_id=standing_id))


def occasions_taken(tx: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The post that marks each of these occasions, where there is one."""
    wanted = sorted(set(keys))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH):
        query = select(t.posts.c.occasion, t.posts.c.id).where(t.posts.c.occasion.in_(wanted[start : start + BATCH]))
        found |= {row.occasion: row.id for row in tx.execute(query)}
    return found


def taken(tx: Connection, start: datetime, end: datetime, *, but: int = 0) -> dict[str, tuple[datetime, ...]]:
    """The times, by channel, that posts without deliveries yet mean to take; not those of post `but`."""
    query = select(t.posts.c.document).where(t.posts.c.due_at >= start, t.posts.c.due_at < end)
    query = query.where(t.posts.c.id != but)
    times: dict[str, list[datetime]] = {}
    for row in tx.execute(query.where(t.posts.c.state.in_(_PLANNED))):
        for window in json.loads(row.document)["windows"]:
            times.setdefault(window["channel"], []).append(read_moment(window["due"]))
    return {channel: tuple(sorted(each)) for channel, each in times.items()}


def due_before(tx: Connection, state: PostState, now: datetime) -> tuple[Post, ...]:
    return _all(tx, select(t.posts).where(t.posts.c.state == state.value, t.posts.c.due_at <= now))


def naming(tx: Connection, case_id: int, states: Collection[PostState]) -> tuple[Post, ...]:
    query = select(t.posts).join(t.post_cases).where(t.post_cases.c.case_id == case_id)
    return _all(tx, query.where(t.posts.c.state.in_([state.value for state in states])).order_by(t.posts.c.id))


def slugs_in(tx: Connection, folded: str) -> tuple[str, ...]:
    """Slugs of cases which, spelled with spaces, stand in this folded text: likely names, to be looked at."""
    spelled = func.replace(t.cases.c.slug, "-", " ")
    within = func.instr if tx.dialect.name == "sqlite" else func.strpos
    return tuple(tx.execute(select(t.cases.c.slug).where(within(folded, spelled) > 0)).scalars())


def of_standing(tx: Connection, standing_id: int) -> tuple[Post, ...]:
    return _all(
        tx, select(t.posts).where(t.posts.c.standing_id == standing_id).order_by(t.posts.c.due_at, t.posts.c.id)
    )
