"""One post with all that is known of it, as it stands now: what would go out, who agreed, what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.domain.audit import Act, Entry
from bot.domain.case import Case
from bot.domain.delivery import Delivery
from bot.domain.facts import EVENT_FACT, facts_of
from bot.domain.post import Cite, Content, Post
from bot.domain.review import Approval, counting
from bot.services.content import Checked, check
from bot.services.context import PROGRAM, Context
from bot.services.people import aliases
from bot.services.quorum import needed_approvals
from bot.store import approvals, attempts, audit, cases, deliveries, posts
from bot.store.attempts import Attempt

_WITH_REASON = frozenset({Act.POST_RETURNED, Act.POST_CANCELLED, Act.POST_WITHDRAWN, Act.POST_COMMENTED})
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One audit entry, told: `by` is an alias, or "" for the program; `why` a word of the program's or a person's."""

    at: datetime
    act: str
    by: str = ""
    why: str = ""
    seq: int = 0
    attempt: int | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Yes:
    approval: Approval
    by: str


@dataclass(frozen=True, slots=True)
class Version:
    revision: int
    content: Content
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A delivery with each try and what is on record of it, the oldest first; `asked_by` wants it sent again."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]
    steps: tuple[Step, ...]
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything a reviewer looks at, as it stands now."""

    post: Post
    checked: Checked
    cases: Mapping[str, Case]
    approved_by: tuple[str, ...]
    needed: int
    deliveries: tuple[Delivery, ...]
    corrected_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a post, the oldest first, in all of it."""

    yeses: tuple[Yes, ...]
    versions: tuple[Version, ...]
    steps: tuple[Step, ...]
    tried: tuple[Tried, ...]


def read_sheet(ctx: Context, post_id: int) -> Sheet:
    """Raises NotFound."""
    with ctx.store.read() as tx:
        post = posts.get(tx, post_id)
        named = cases.by_slug(tx, post.content.cases)
        names = aliases(ctx, tx)
        yeses = counting(approvals.of_post(tx, post_id), post.digest)
        return Sheet(
            post=post,
            checked=check(ctx, tx, post.content, post_id=post_id),
            cases=named,
            approved_by=tuple(sorted(names[person] for person in yeses)),
            needed=needed_approvals(ctx, tx, post, named),
            deliveries=deliveries.of_post(tx, post_id),
            corrected_by=posts.corrections(tx, post_id),
        )


def read_history(ctx: Context, post_id: int) -> History:
    with ctx.store.read() as tx:
        names = aliases(ctx, tx)
        return History(
            yeses=tuple(Yes(each, names[each.person_id]) for each in approvals.of_post(tx, post_id, voided=True)),
            versions=tuple(
                Version(each.revision, each.content, each.at, names[each.author_id])
                for each in posts.revisions(tx, post_id)
            ),
            steps=tuple(_steps(ctx, tx, f"post:{post_id}")),
            tried=tuple(
                Tried(
                    each,
                    attempts.attempts_of(tx, each.id),
                    tuple(_steps(ctx, tx, f"delivery:{each.id}")),
                    names.get(each.asked_by, ""),
                )
                for each in deliveries.of_post(tx, post_id)
            ),
        )


def _steps(ctx: Context, tx: Connection, obj: str) -> Iterable[Step]:
    people = {**ctx.keystore.people(), PROGRAM: ""}
    for entry in audit.entries(tx, obj=obj, newest_first=True, limit=MOST_STEPS)[::-1]:
        why = str(entry.data.get("reason") or entry.data.get("why") or "") or _said(ctx, tx, entry)
        attempt, how = entry.data.get("attempt"), str(entry.data.get("how", ""))
        yield Step(entry.ts, entry.act, people.get(entry.actor, entry.actor), why, entry.seq, attempt, how)


def _said(ctx: Context, tx: Connection, entry: Entry) -> str:
    """A person's own words, unless they were erased."""
    payload = audit.read_payload(tx, entry.seq, ctx.keystore) if entry.act in _WITH_REASON else None
    return str((payload or {}).get("reason") or (payload or {}).get("text", ""))


def fact(case: Case | None, cite: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a fact says now and the pages that say so; nothing where the case is gone."""
    if case is None:
        return {}, ()
    event = case.event(cite.removeprefix(EVENT_FACT)) if cite.startswith(EVENT_FACT) else None
    sources = event.sources if event else case.confirmation.sources if cite in {"status", "confirmation"} else ()
    return facts_of(case).get(cite, {}), sources


def is_stale(case: Case | None, cite: Cite) -> bool:
    return case is None or case.revisions.get(cite.fact) != cite.revision


def delivery(ctx: Context, delivery_id: int) -> Delivery:
    """Raises NotFound."""
    with ctx.store.read() as tx:
        return deliveries.get(tx, delivery_id)
