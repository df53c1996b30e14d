"""What a reviewer reads before a yes: the exact bytes, each fact with its sources, what changed, and who may say it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import Case, Event
from bot.domain.differences import Changed, contents
from bot.domain.errors import BadInput, CampaignError
from bot.domain.facts import EVENT_FACT
from bot.domain.hygiene import Severity, clean, problems
from bot.domain.people import Duty, Person, require
from bot.domain.post import Cite, Post, PostState, Rendition, part_from_plain, sha256
from bot.domain.remarks import Blocked, Remark, remark
from bot.domain.review import refusal
from bot.domain.slots import at_local
from bot.services.content import Checked, check, freeze, rendered
from bot.services.context import Context
from bot.services.people import aliases
from bot.services.quorum import needed_approvals
from bot.services.review import Approved, approve_in, standing_yeses
from bot.services.sheets import Version, Yes, is_stale
from bot.store import approvals, audit, cases, posts
from bot.store.audit import Payload
from bot.store.cases import FactRevision

A_PAGE = 50
MOST_OF_A_WEEK = 100
WEEK = timedelta(days=7)
SOON = timedelta(hours=48)
MAX_COMMENT = 2_000
MOST_FROZEN = 1_000
BOTH_SAY_THE_SAME = "both"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER = (
    "identity",
    "address",
    "occupation",
    EVENT_FACT,
    "status",
    "confirmation",
    "custody",
    "term",
    "campaigns",
    "consent",
)
_SAID = (Act.POST_RETURNED, Act.POST_COMMENTED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post in review. `refusal` is why this person's yes to it would not count."""

    post: Post
    writer: str
    yeses: int
    needed: int
    refusal: CampaignError | None
    soon: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that the words rest on, as it stands: `stated` is what its author gave as the source of this revision."""

    cite: Cite
    case: Case | None
    event: Event | None
    sources: tuple[str, ...]
    stated: FactRevision | None
    stale: bool

    @property
    def key(self) -> str:
        return f"{self.cite.case}/{self.cite.fact}/{self.cite.revision}"


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning, and the key under which it is ticked: another one has another."""

    key: str
    remark: Remark


@dataclass(frozen=True, slots=True)
class Said:
    """A comment, or the reason for which changes were asked; "" where the words were erased with their author."""

    by: str
    at: datetime
    text: str
    is_return: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """One post as it lies before one person.

    `yeses` are to exactly these bytes; `before` is the newest yes to others, and `changed` what became of those,
    or of what the person read (`was_read`).
    """

    post: Post
    renditions: tuple[Rendition, ...]
    checked: Checked
    cases: Mapping[str, Case]
    facts: tuple[Fact, ...]
    warnings: tuple[Warned, ...]
    blocks: tuple[Remark, ...]
    yeses: tuple[Yes, ...]
    needed: int
    before: Yes | None
    written: Version
    edited: Version | None
    changed: Changed | None
    was_read: bool
    authors: tuple[str, ...]
    refusal: CampaignError | None
    said: tuple[Said, ...]

    @property
    def to_tick(self) -> frozenset[str]:
        return frozenset({BOTH_SAY_THE_SAME, *(each.key for each in self.facts), *(each.key for each in self.warnings)})


def waiting(ctx: Context, person: Person, after: int = 0) -> tuple[tuple[Waiting, ...], int]:
    """A page of what is in review, by time, from behind post `after`; and its last post, if more follow, else 0."""
    with ctx.store.read() as tx:
        start = (posts.get(tx, after).due, after) if after else (_BEGINNING, 0)
        found = posts.paged(tx, start, states=(PostState.IN_REVIEW,), limit=A_PAGE + 1)
        shown, names = found[:A_PAGE], aliases(ctx, tx)
        authors = approvals.authors_of(tx, {post.id: post.content.cites for post in shown})
        writers, yeses = posts.writers(tx, authors), approvals.of_posts(tx, authors)
        named = cases.by_slug(tx, {slug for post in shown for slug in post.content.cases})
        rows = tuple(
            Waiting(
                post=post,
                writer=names[writers.get(post.id)],
                yeses=sum(each.digest == post.digest for each in yeses.get(post.id, ())),
                needed=needed_approvals(
                    ctx, tx, post, {slug: named[slug] for slug in post.content.cases if slug in named}
                ),
                refusal=refusal(person, post, authors[post.id], yeses.get(post.id, ())),
                soon=post.due is not None and post.due < ctx.now() + SOON,
            )
            for post in shown
        )
        return rows, shown[-1].id if len(found) > A_PAGE else 0


def read(ctx: Context, person: Person, post_id: int, *, read_digest: str = "") -> Reading:
    """With `read_digest`, what they had before them, `changed` says what became of that since. Raises NotFound."""
    with ctx.store.read() as tx:
        return read_all(ctx, tx, person, [posts.get(tx, post_id)], read_digest=read_digest)[0]


def week(ctx: Context, person: Person, start: date, zone: str) -> tuple[Reading, ...]:
    """The anniversaries of seven local days that are in review, by their time."""
    first, last = (at_local(day, time(), zone) for day in (start, start + WEEK))
    with ctx.store.read() as tx:
        found = posts.listed(tx, states=(PostState.IN_REVIEW,), start=first, end=last, limit=MOST_OF_A_WEEK)
        return read_all(ctx, tx, person, [post for post in found if post.occasion])


def read_all(
    ctx: Context, tx: Connection, person: Person, shown: Sequence[Post], *, read_digest: str = ""
) -> tuple[Reading, ...]:
    """What they share, their facts and the names of people, is read once."""
    names, facts = aliases(ctx, tx), {each.cite: each for each in facts_of(ctx, tx, shown)}
    return tuple(_read(ctx, tx, person, post, names, facts, read_digest) for post in shown)


def _read(
    ctx: Context,
    tx: Connection,
    person: Person,
    post: Post,
    names: Mapping[int | None, str],
    facts: Mapping[Cite, Fact],
    read_digest: str,
) -> Reading:
    named = cases.by_slug(tx, post.content.cases)
    checked = check(ctx, tx, post.content, post_id=post.id)
    revisions = posts.revisions(tx, post.id)
    authors = approvals.authors(tx, post.id, post.content.cites)
    versions = [Version(each.revision, each.content, each.at, names[each.author_id]) for each in revisions]
    all_yeses = [Yes(each, names[each.person_id]) for each in approvals.of_post(tx, post.id, voided=True)]
    standing = [each.approval for each in all_yeses if each.approval.voided_at is None]
    before = next((each for each in reversed(all_yeses) if each.approval.digest != post.digest), None)
    was_read = read_digest not in {"", post.digest}
    base = read_digest if was_read else before.approval.digest if before else ""
    return Reading(
        post=post,
        renditions=_frozen(post),
        checked=checked,
        cases=named,
        facts=tuple(each for cite, each in facts.items() if cite in post.content.cites),
        warnings=tuple(_warnings(checked)),
        blocks=(*checked.blocks, *_moved(ctx, post)),
        yeses=tuple(
            each for each in all_yeses if each.approval.digest == post.digest and each.approval.voided_at is None
        ),
        needed=needed_approvals(ctx, tx, post, named),
        before=before,
        written=versions[0],
        edited=versions[-1] if len(versions) > 1 else None,
        changed=_changed_since(tx, post, base, versions) if base else None,
        was_read=was_read,
        authors=tuple(sorted(names[each] for each in authors)),
        refusal=refusal(person, post, authors, standing),
        said=tuple(_said(ctx, tx, post.id)),
    )


def facts_of(ctx: Context, tx: Connection, shown: Iterable[Post]) -> Iterator[Fact]:
    """What these posts rest on, each fact once, a case at a time."""
    cites = dict.fromkeys(cite for post in shown for cite in post.content.cites)
    named = cases.by_slug(tx, dict.fromkeys(cite.case for cite in cites))
    stated = {
        (slug, each.fact, each.revision): each for slug, case in named.items() for each in cases.history(tx, case.id)
    }
    for cite in sorted(cites, key=_in_order):
        case, found = named.get(cite.case), stated.get((cite.case, cite.fact, cite.revision))
        event = case.event(cite.fact.removeprefix(EVENT_FACT)) if case and cite.fact.startswith(EVENT_FACT) else None
        if found and found.author:
            found = replace(found, author=ctx.keystore.alias(found.author))
        yield Fact(cite, case, event, _sources(case, event, cite.fact), found, is_stale(case, cite))


def _in_order(cite: Cite) -> tuple[str, int, str]:
    """A person at a time: who it is, what happened, how things stand."""
    place = _ORDER.index(cite.fact) if cite.fact in _ORDER else _ORDER.index(EVENT_FACT)
    return cite.case, place, cite.fact


def _sources(case: Case | None, event: Event | None, name: str) -> tuple[str, ...]:
    if event:
        return (*event.sources, *event.joint_sources)
    if case and name == "term" and case.term and case.term.source:
        return (case.term.source,)
    return case.confirmation.sources if case and name in {"status", "confirmation"} else ()


def _frozen(post: Post) -> tuple[Rendition, ...]:
    """What each account would get, as it was frozen; nothing while it is not."""
    rows = json.loads(post.manifest)["renditions"] if post.manifest else ()
    return tuple(Rendition(**{**row, "parts": tuple(map(part_from_plain, row["parts"]))}) for row in rows)


def _warnings(checked: Checked) -> Iterator[Warned]:
    remarks = [
        *(Remark(each.template, {"x": each.shown}) for each in checked.differences),
        *(Remark(each.template, each.params) for each in checked.problems if each.severity is Severity.WARN),
        *checked.warnings,
    ]
    for said, each in {str(each): each for each in remarks}.items():
        yield Warned(sha256(said)[:16], each)


def _moved(ctx: Context, post: Post) -> Iterator[Remark]:
    """What was frozen is not what its accounts would get today: the gate would hold it."""
    if (
        post.state is PostState.IN_REVIEW
        and freeze(post.id, post.document, rendered(ctx, post.content)[0])[1] != post.digest
    ):
        yield remark("Its accounts are not as they were when it was sent for review. Save it anew.")


def _changed_since(tx: Connection, post: Post, digest: str, versions: Iterable[Version]) -> Changed | None:
    """None where that digest was never this post's."""
    frozen = audit.entries(tx, act=(Act.POST_DRAFTED, Act.POST_SUBMITTED), obj=f"post:{post.id}", limit=MOST_FROZEN)
    revision = {entry.data.get("digest"): entry.data.get("revision", 1) for entry in frozen}.get(digest)
    then = next((each for each in versions if each.revision == revision), None)
    return contents(then.content, post.content) if then else None


def _said(ctx: Context, tx: Connection, post_id: int) -> Iterator[Said]:
    known = ctx.keystore.people()
    for entry in audit.entries(tx, act=_SAID, obj=f"post:{post_id}", newest_first=True)[::-1]:
        if entry.actor in known:
            words = audit.read_payload(tx, entry.seq, ctx.keystore) or {}
            text = str(words.get("reason") or words.get("text") or "")
            yield Said(known[entry.actor], entry.ts, text, entry.act == Act.POST_RETURNED)


def approve(ctx: Context, actor: Person, post_id: int, digest: str, ticked: Collection[str]) -> Approved:
    """A yes after reading. Raises as `review.approve` does, Blocked, and BadInput while something is not ticked."""
    with ctx.store.write() as tx:
        post = posts.get(tx, post_id)
        standing_yeses(tx, actor, post, digest)
        (reading,) = read_all(ctx, tx, actor, [post])
        if reading.blocks:
            raise Blocked(reading.blocks)
        require_ticked(reading.to_tick, ticked)
        return approve_in(ctx, tx, actor, post, digest)


def require_ticked(wanted: Collection[str], ticked: Collection[str]) -> None:
    if left := set(wanted) - set(ticked):
        raise BadInput("Tick each fact and each warning once you have checked it: {count} are left.", count=len(left))


def comment(ctx: Context, actor: Person, post_id: int, text: str) -> None:
    """The words lie sealed with their author's others, so that they go when the author is erased."""
    said = clean(text).strip()
    if not said:
        raise BadInput("Write the comment first.")
    if len(said) > MAX_COMMENT:
        raise BadInput("The comment has {count} characters. The most is {most}.", count=len(said), most=MAX_COMMENT)
    if amiss := next((each for each in problems(said) if each.severity is Severity.REFUSE), None):
        raise BadInput(amiss.template, **amiss.params)
    with ctx.acting(actor, Duty.COMMENT) as tx:
        require(actor, Duty.COMMENT, posts.get(tx, post_id).content.scope)
        ctx.record(tx, actor, Act.POST_COMMENTED, f"post:{post_id}", {}, Payload(actor.pseudonym, {"text": said}))
