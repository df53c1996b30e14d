"""How a delivery behaves: its states, the gate before the first byte, and what each outcome leads to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class DeliveryState(StrEnum):
    """`sending` is committed before the first byte leaves; from there only proof leads back."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    SENDING = "sending"
    UNKNOWN = "unknown"
    RETRY_WAIT = "retry_wait"
    HELD = "held"
    PUBLISHED = "published"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"


_S = DeliveryState
MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    _S.SCHEDULED: frozenset({_S.CLAIMED, _S.SENDING, _S.HELD, _S.MISSED, _S.CANCELLED, _S.SCHEDULED}),
    _S.CLAIMED: frozenset({_S.SENDING, _S.HELD, _S.SCHEDULED, _S.CLAIMED, _S.MISSED, _S.CANCELLED}),
    _S.SENDING: frozenset({_S.PUBLISHED, _S.RETRY_WAIT, _S.FAILED, _S.UNKNOWN, _S.HELD}),
    _S.UNKNOWN: frozenset({_S.PUBLISHED, _S.RETRY_WAIT, _S.HELD, _S.SENDING}),
    _S.RETRY_WAIT: frozenset({_S.CLAIMED, _S.SENDING, _S.FAILED, _S.HELD, _S.CANCELLED, _S.RETRY_WAIT}),
    _S.HELD: frozenset({_S.PUBLISHED, _S.SCHEDULED, _S.CANCELLED}),
    _S.PUBLISHED: frozenset(),
    _S.FAILED: frozenset(),
    _S.MISSED: frozenset(),
    _S.CANCELLED: frozenset(),
}
WAITING = frozenset({_S.SCHEDULED, _S.RETRY_WAIT})
ENDED = frozenset({_S.PUBLISHED, _S.FAILED, _S.MISSED, _S.CANCELLED})
IN_FLIGHT = frozenset({_S.CLAIMED, _S.SENDING, _S.UNKNOWN})


class Sighting(StrEnum):
    """What a later look found of a published delivery."""

    THERE = "there"
    CHANGED = "changed"
    GONE = "gone"


class Reason(StrEnum):
    """Why a delivery is where it is; faces have a sentence for each in both languages."""

    HALT = "halt"
    CHANNEL_PAUSED = "channel_paused"
    HOLD = "hold"
    CONSENT = "consent"
    FACT_CHANGED = "fact_changed"
    STATUS_AGED = "status_aged"
    NOT_APPROVED = "not_approved"
    CONTENT_CHANGED = "content_changed"
    IMAGE_CHANGED = "image_changed"
    ACCOUNT_CHANGED = "account_changed"
    CHANNEL_GONE = "channel_gone"
    QUIET = "quiet"
    SPACING = "spacing"
    DAILY_CAP = "daily_cap"
    CATCH_UP = "catch_up"
    BUDGET = "budget"
    SPENDING = "spending"
    TOO_LATE = "too_late"
    DOWN_TOO_LONG = "down_too_long"
    CLOCK_SUSPECT = "clock_suspect"
    PARENT_MISSING = "parent_missing"
    GATE_FAILED = "gate_failed"
    RESTORED = "restored"
    ANCHOR_OLD = "anchor_old"
    LOG_ALTERED = "log_altered"
    NO_ANSWER = "no_answer"
    LEASE_EXPIRED = "lease_expired"
    NOT_FOUND_TWICE = "not_found_twice"
    CANNOT_LOOK = "cannot_look"
    LOOKS_FAILED = "looks_failed"
    FOUND_TWICE = "found_twice"
    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    AUTH_BROKEN = "auth_broken"
    BILLING = "billing"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    LATE = "late"
    TRIES_SPENT = "tries_spent"
    SETTLED_LIVE = "settled_live"
    SETTLED_RESEND = "settled_resend"
    SETTLED_DROP = "settled_drop"
    POST_CHANGED = "post_changed"
    POST_CANCELLED = "post_cancelled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One part to one channel at a time. All times UTC. `content` is the part exactly as approved."""

    id: int
    post_id: int
    channel: str
    part: int
    state: DeliveryState
    digest: str
    content: str
    idem_key: str
    due_at: datetime
    next_at: datetime
    not_after: datetime
    reason: str = ""
    reply_to: int | None = None
    fence: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    attempts: int = 0
    looks: int = 0
    asked_by: int | None = None
    remote_id: str = ""
    url: str = ""
    reference: Mapping[str, Any] | None = None
    published_at: datetime | None = None
    withdraw_at: datetime | None = None
    withdraw_note: str = ""
    withdrawn_at: datetime | None = None
    look_at: datetime | None = None
    looked_at: datetime | None = None
    sighting: str = ""
    acknowledged_at: datetime | None = None


IN_DOUBT = frozenset({Reason.CANNOT_LOOK, Reason.LOOKS_FAILED, Reason.FOUND_TWICE})
"""Of what is held: it may be out, and only a person can tell."""
_PERHAPS_OUT = frozenset({DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.PUBLISHED})


def may_be_out(delivery: Delivery) -> bool:
    return delivery.state in _PERHAPS_OUT or (delivery.state is DeliveryState.HELD and delivery.reason in IN_DOUBT)


class Verdict(StrEnum):
    """What the gate decides: send, wait and look again, put before a person, or give up as too late."""

    SEND = "send"
    LATER = "later"
    HOLD = "hold"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Ruling:
    verdict: Verdict
    reason: Reason | None = None
    until: datetime | None = None


SEND = Ruling(Verdict.SEND)


@dataclass(frozen=True, slots=True)
class GateView:
    """Everything the gate may look at, read inside the transaction that would write `sending`."""

    now: datetime
    halted: bool = False
    clock_suspect: bool = False
    channel_known: bool = True
    channel_paused: bool = False
    held: bool = False
    consent_refused: bool = False
    account: str = ""
    approved_account: str = ""
    approved: bool = False
    content_intact: bool = False
    images_intact: bool = True
    stale_cites: Collection[str] = ()
    tier_borne: bool = True
    parent_published: bool = True
    down_too_long: bool = False
    quiet_until: datetime | None = None
    spaced_until: datetime | None = None
    cap_until: datetime | None = None
    catch_up_until: datetime | None = None
    budget_until: tuple[datetime, Reason] | None = None


def gate(delivery: Delivery, view: GateView) -> Ruling:
    """Decides whether the first byte may leave now.

    What a person must look at comes before what merely waits, so that a doubtful post is never
    quietly moved to a better hour.
    """
    held = _first_doubt(delivery, view)
    if held is not None:
        return Ruling(Verdict.HOLD, held)
    if view.now > delivery.not_after:
        return Ruling(Verdict.MISS, Reason.TOO_LATE)
    waits = (
        (view.quiet_until, Reason.QUIET),
        (view.cap_until, Reason.DAILY_CAP),
        (view.spaced_until, Reason.SPACING),
        (view.catch_up_until, Reason.CATCH_UP),
    )
    for until, reason in waits:
        if until is not None and until > view.now:
            return Ruling(Verdict.LATER, reason, until)
    if view.budget_until is not None:
        until, reason = view.budget_until
        return Ruling(Verdict.MISS, reason) if until > delivery.not_after else Ruling(Verdict.LATER, reason, until)
    return SEND


def _first_doubt(delivery: Delivery, view: GateView) -> Reason | None:
    doubts = (
        (not view.channel_known, Reason.CHANNEL_GONE),
        (not view.content_intact, Reason.CONTENT_CHANGED),
        (not view.approved, Reason.NOT_APPROVED),
        (view.account != view.approved_account, Reason.ACCOUNT_CHANGED),
        (not view.images_intact, Reason.IMAGE_CHANGED),
        (view.consent_refused, Reason.CONSENT),
        (bool(view.stale_cites), Reason.FACT_CHANGED),
        (not view.tier_borne, Reason.STATUS_AGED),
        (view.halted, Reason.HALT),
        (view.held, Reason.HOLD),
        (view.channel_paused, Reason.CHANNEL_PAUSED),
        (view.clock_suspect, Reason.CLOCK_SUSPECT),
        (view.down_too_long, Reason.DOWN_TOO_LONG),
        (delivery.reply_to is not None and not view.parent_published, Reason.PARENT_MISSING),
    )
    return next((reason for is_so, reason in doubts if is_so), None)


FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
TRIES = 8
LONGEST_DOUBT = timedelta(hours=6)
LOOK_AFTER, LOOK_SPREAD = timedelta(hours=24), timedelta(hours=2)
LOOK_AGAIN, LOOK_UNTIL = timedelta(hours=6), timedelta(days=3)


def back_off(attempts: int, jitter: float) -> timedelta:
    """Doubles from half a minute to an hour; `jitter` in [0, 1) spreads channels apart by up to a quarter."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)
    return wait * (1 + jitter / 4)


def look_again(doubted: timedelta, jitter: float) -> timedelta | None:
    """How long to wait after a look that failed: as long again as the doubt has lasted, within half a minute and
    an hour. None when it has lasted too long: then a person looks.
    """
    return min(max(doubted, FIRST_WAIT), LONGEST_WAIT) * (1 + jitter / 4) if doubted < LONGEST_DOUBT else None


def may_repeat(delivery: Delivery, first_began: datetime, repeats: timedelta | None, now: datetime) -> bool:
    """Whether sending what is in doubt again, under its own key, can only make the same post, and is still wanted.

    `repeats` is how long after the first attempt the platform knows the key; None where it cannot be trusted with it.
    """
    trusted = repeats is not None and now - first_began <= repeats
    return trusted and delivery.attempts < TRIES and now <= delivery.not_after
