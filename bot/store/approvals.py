"""Who said yes to which digest, whose words a post holds, and what was proposed for a year ahead."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, insert, select, tuple_, update

from bot.domain.errors import NotFound
from bot.domain.post import Cite, PostState
from bot.domain.review import Approval, Void
from bot.store import tables as t
from bot.store.rows import batches, value

_PUBLIC = (PostState.PUBLISHED, PostState.PARTLY_PUBLISHED, PostState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Standing:
    """Occasions of a year ahead, proposed together so that two people can approve them on one page."""

    id: int
    campaign: str
    until: datetime
    proposed_by: int | None
    proposed_at: datetime


# Built once: the gate asks these of every post, and building costs more than running.
_OF_POSTS = (
    select(t.approvals).where(t.approvals.c.post_id.in_(bindparam("posts", expanding=True))).order_by(t.approvals.c.id)
)
_STANDING = _OF_POSTS.where(t.approvals.c.voided_at.is_(None))
_BROUGHT_BY_A_PERSON = exists().where(
    t.fact_revisions.c.case_id == t.cases.c.id,
    t.fact_revisions.c.revision == 1,
    t.fact_revisions.c.fact == "identity",
    t.fact_revisions.c.author_id.is_not(None),
)
_NAMED_ALREADY = exists().where(
    t.post_cases.c.case_id == t.cases.c.id, t.posts.c.id == t.post_cases.c.post_id, t.posts.c.state.in_(_PUBLIC)
)
_FIRST_PUBLIC = (
    select(t.cases.c.id)
    .where(t.cases.c.slug.in_(bindparam("slugs", expanding=True)), _BROUGHT_BY_A_PERSON, ~_NAMED_ALREADY)
    .limit(1)
)


def add(tx: Connection, post_id: int, digest: str, person_id: int, at: datetime, audit_seq: int) -> None:
    new = insert(t.approvals).values(post_id=post_id, digest=digest, person_id=person_id, at=at, audit_seq=audit_seq)
    tx.execute(new)


def of_post(tx: Connection, post_id: int, *, voided: bool = False) -> tuple[Approval, ...]:
    """Those that stand, in order; with `voided` the others too."""
    return of_posts(tx, [post_id], voided=voided).get(post_id, ())


def of_posts(tx: Connection, post_ids: Iterable[int], *, voided: bool = False) -> dict[int, tuple[Approval, ...]]:
    """By post, of those that have any."""
    found: dict[int, tuple[Approval, ...]] = {}
    for some in batches(post_ids):
        for row in tx.execute(_OF_POSTS if voided else _STANDING, {"posts": some}):
            found[row.post_id] = (*found.get(row.post_id, ()), value(Approval, row))
    return found


def void(tx: Connection, post_id: int, at: datetime, why: Void) -> int:
    """None of the yeses to this post counts any more; returns how many did."""
    standing = update(t.approvals).where(t.approvals.c.post_id == post_id, t.approvals.c.voided_at.is_(None))
    return tx.execute(standing.values(voided_at=at, voided_why=why)).rowcount


def authors(tx: Connection, post_id: int, cites: Iterable[Cite]) -> frozenset[int]:
    """Everyone who wrote any revision of the post, or of a fact that it cites."""
    return authors_of(tx, {post_id: cites})[post_id]


def authors_of(tx: Connection, cited: Mapping[int, Iterable[Cite]]) -> dict[int, frozenset[int]]:
    """By post, of several with what each cites."""
    facts = {post_id: {(cite.case, cite.fact) for cite in cites} for post_id, cites in cited.items()}
    wrote: defaultdict[object, set[int]] = defaultdict(set)
    of_post, of_fact = t.post_revisions.c, t.fact_revisions.c
    written = select(of_post.post_id, of_post.author_id).where(of_post.author_id.is_not(None)).distinct()
    for ids in batches(facts):
        for post_id, author in tx.execute(written.where(of_post.post_id.in_(ids))):
            wrote[post_id].add(author)
    fact = (t.cases.c.slug, of_fact.fact)
    stated = select(*fact, of_fact.author_id).join(t.cases).where(of_fact.author_id.is_not(None)).distinct()
    for some in batches(set().union(*facts.values())):
        for slug, name, author in tx.execute(stated.where(tuple_(*fact).in_(some))):
            wrote[slug, name].add(author)
    return {post_id: frozenset(wrote[post_id].union(*(wrote[each] for each in own))) for post_id, own in facts.items()}


def first_public(tx: Connection, slugs: Collection[str]) -> bool:
    """Whether a post would be the first to name a case that a person, not the shipped data, brought in."""
    return bool(slugs) and tx.execute(_FIRST_PUBLIC, {"slugs": list(slugs)}).first() is not None


def propose(tx: Connection, campaign: str, until: datetime, proposed_by: int, at: datetime) -> Standing:
    new = insert(t.standings).values(campaign=campaign, until=until, proposed_by=proposed_by, proposed_at=at)
    return standing(tx, tx.execute(new.returning(t.standings.c.id)).scalar_one())


def standing(tx: Connection, standing_id: int) -> Standing:
    row = tx.execute(select(t.standings).where(t.standings.c.id == standing_id)).first()
    if row is None:
        raise NotFound("There is no standing approval {id}.", id=standing_id)
    return value(Standing, row)


def standings(tx: Connection) -> tuple[Standing, ...]:
    """The newest first."""
    return tuple(value(Standing, row) for row in tx.execute(select(t.standings).order_by(t.standings.c.id.desc())))


def states_of_standings(tx: Connection) -> dict[int, dict[str, int]]:
    """How many posts of each are in which state."""
    of = t.posts.c
    query = select(of.standing_id, of.state, func.count()).where(of.standing_id.is_not(None))
    found: dict[int, dict[str, int]] = {}
    for standing_id, state, number in tx.execute(query.group_by(of.standing_id, of.state)):
        found.setdefault(standing_id, {})[state] = number
    return found
