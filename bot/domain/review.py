"""Who must say yes to a post, who may, and what makes that yes void."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.case import Case, Consent, Status
from bot.domain.errors import Conflict, Refused
from bot.domain.occasions import OccasionKind
from bot.domain.people import Duty, Person, require, require_other_eyes
from bot.domain.post import OPEN, Cite, Content, Post, PostState, Window

MOST_APPROVALS = 2
MAX_REASON = 500
LONG_WINDOW = timedelta(hours=1)
"""A window this long may be entered late: “now”, and the days of anniversaries."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A reviewer's yes to exactly the bytes named by `digest`; `audit_seq` is its entry in the record."""

    id: int
    post_id: int
    digest: str
    person_id: int
    at: datetime
    audit_seq: int
    voided_at: datetime | None = None
    voided_why: str = ""


class Void(StrEnum):
    """Why a yes no longer counts, or came to nothing."""

    EDITED = "edited"
    RETIMED = "retimed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    FACT_CHANGED = "fact_changed"
    RENDERED_ANEW = "rendered_anew"
    STANDING_ENDED = "standing_ended"
    NOT_SENT = "not_sent"


def needed_approvals(
    content: Content, cases: Iterable[Case], *, campaign: int, first_public: bool, standing: bool
) -> int:
    """Two where a mistake weighs most: a death, limited consent, a case first made public, a year ahead."""
    named = tuple(cases)
    grave = (
        standing
        or first_public
        or content.kind == OccasionKind.DEATH
        or any(case.consent is Consent.LIMITED or case.status is Status.DIED for case in named)
    )
    return max(campaign, MOST_APPROVALS if grave else 1)


def counting(approvals: Iterable[Approval], digest: str) -> frozenset[int]:
    """The people whose yes is to this digest and stands."""
    return frozenset(a.person_id for a in approvals if a.voided_at is None and a.digest == digest)


def require_may_approve(
    reviewer: Person, post: Post, digest: str, *, authors: Collection[int], approved: Collection[int]
) -> None:
    """Raises Conflict if the text moved on, Refused if this person's yes cannot count."""
    require(reviewer, Duty.APPROVE_POST, post.content.scope)
    if post.state is not PostState.IN_REVIEW:
        raise Refused("Post {id} is not waiting for approval: it is {state}.", id=post.id, state=post.state.value)
    if digest != post.digest:
        raise Conflict("Someone edited this while you were reading. Read post {id} again.", id=post.id)
    require_other_eyes(reviewer, authors)
    if reviewer.id in approved:
        raise Refused("You approved this already. Someone else must approve it too.")


def refusal(
    reviewer: Person, post: Post, authors: Collection[int], yeses: Iterable[Approval]
) -> Conflict | Refused | None:
    """Why this person's yes to it as it stands could not count; None where it could."""
    try:
        require_may_approve(reviewer, post, post.digest, authors=authors, approved=counting(yeses, post.digest))
    except (Conflict, Refused) as error:
        return error
    return None


def require_state(post: Post, allowed: Collection[PostState], verb: str) -> None:
    if post.state not in allowed:
        raise Refused("Post {id} is {state}: you cannot {verb} it.", id=post.id, state=post.state.value, verb=verb)


def require_reason(reason: str) -> str:
    if not (said := " ".join(reason.split())):
        raise Refused("Say why. Everyone sees the reason, and it stays in the log.")
    if len(said) > MAX_REASON:
        raise Refused(
            "The reason is too long: {count} characters. The most is {most}.", count=len(said), most=MAX_REASON
        )
    return said


def is_past(window: Window, now: datetime) -> bool:
    """Too late to ask for approval: closed, or due already with no more than a short grace left."""
    return now >= window.not_after or (window.due < now and window.not_after - window.due < LONG_WINDOW)


def has_lapsed(post: Post, now: datetime) -> bool:
    """Not approved while every channel could still get it: then no channel gets half a campaign."""
    return post.state is PostState.IN_REVIEW and any(window.not_after <= now for window in post.content.windows)


def stale_cites(cites: Iterable[Cite], case: Case) -> tuple[Cite, ...]:
    """What the words rest on that has been revised since; a fact that is gone counts as revised."""
    return tuple(cite for cite in cites if cite.case == case.slug and case.revisions.get(cite.fact) != cite.revision)


def after_fact_change(post: Post, facts: Collection[str], case: Case) -> tuple[str, ...]:
    """The changed facts that a waiting post cites as they were. A person's own draft says so when submitted."""
    if post.state not in OPEN and not post.occasion:
        return ()
    return tuple(cite.fact for cite in stale_cites(post.content.cites, case) if cite.fact in facts)
