"""The gate and the rules around it: when in doubt, nothing leaves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import (
    ENDED,
    LONGEST_WAIT,
    MOVES,
    SEND,
    Delivery,
    DeliveryState,
    GateView,
    Reason,
    Verdict,
    back_off,
    gate,
)

NOON = datetime(2026, 12, 10, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLEAR = GateView(now=NOON, account="a", approved_account="a", approved=True, content_intact=True)
DOUBTS: Mapping[str, tuple[object, Reason]] = {
    "halted": (True, Reason.HALT),
    "clock_suspect": (True, Reason.CLOCK_SUSPECT),
    "channel_known": (False, Reason.CHANNEL_GONE),
    "channel_paused": (True, Reason.CHANNEL_PAUSED),
    "held": (True, Reason.HOLD),
    "consent_refused": (True, Reason.CONSENT),
    "account": ("another", Reason.ACCOUNT_CHANGED),
    "approved": (False, Reason.NOT_APPROVED),
    "content_intact": (False, Reason.CONTENT_CHANGED),
    "images_intact": (False, Reason.IMAGE_CHANGED),
    "stale_cites": (("status",), Reason.FACT_CHANGED),
    "tier_borne": (False, Reason.STATUS_AGED),
    "down_too_long": (True, Reason.DOWN_TOO_LONG),
}
WAITS = ("quiet_until", "cap_until", "spaced_until", "catch_up_until")


def a_delivery(**changes: object) -> Delivery:
    made = Delivery(
        id=1,
        post_id=1,
        channel="thu",
        part=0,
        state=DeliveryState.SCHEDULED,
        digest="d",
        content="{}",
        idem_key="k",
        due_at=NOON,
        next_at=NOON,
        not_after=NOON + HOUR,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_clear_view_lets_it_go() -> None:
    assert gate(a_delivery(), CLEAR) == SEND


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_single_doubt_puts_it_before_a_person(doubt: str) -> None:
    value, reason = DOUBTS[doubt]
    ruling = gate(a_delivery(), replace(CLEAR, **{doubt: value}))  # type: ignore[arg-type]
    assert (ruling.verdict, ruling.reason) == (Verdict.HOLD, reason)


@given(
    doubts=st.sets(st.sampled_from(sorted(DOUBTS)), min_size=1),
    waits=st.sets(st.sampled_from(WAITS)),
    late=st.booleans(),
)
def test_doubts_in_any_mixture_never_lead_to_sending_nor_to_a_quiet_delay(
    doubts: set[str], waits: set[str], *, late: bool
) -> None:
    changes = {name: DOUBTS[name][0] for name in doubts} | dict.fromkeys(waits, NOON + HOUR)
    view = replace(CLEAR, now=NOON + 2 * HOUR if late else NOON, **changes)  # type: ignore[arg-type]
    assert gate(a_delivery(), view).verdict is Verdict.HOLD


def test_past_its_window_it_is_missed() -> None:
    ruling = gate(a_delivery(), replace(CLEAR, now=NOON + HOUR + timedelta(microseconds=1)))
    assert (ruling.verdict, ruling.reason) == (Verdict.MISS, Reason.TOO_LATE)


def test_the_last_moment_of_its_window_is_in_time() -> None:
    assert gate(a_delivery(), replace(CLEAR, now=NOON + HOUR)) == SEND


@pytest.mark.parametrize("wait", WAITS)
def test_quiet_time_caps_and_catching_up_only_delay(wait: str) -> None:
    until = NOON + HOUR
    ruling = gate(a_delivery(), replace(CLEAR, **{wait: until}))  # type: ignore[arg-type]
    assert (ruling.verdict, ruling.until) == (Verdict.LATER, until)


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_that_is_over_does_not_delay(wait: str) -> None:
    assert gate(a_delivery(), replace(CLEAR, **{wait: NOON})) == SEND  # type: ignore[arg-type]


def test_an_answer_waits_for_what_it_answers() -> None:
    ruling = gate(a_delivery(reply_to=3), replace(CLEAR, parent_published=False))
    assert (ruling.verdict, ruling.reason) == (Verdict.HOLD, Reason.PARENT_MISSING)


def test_an_ended_delivery_goes_nowhere() -> None:
    assert all(not MOVES[state] for state in ENDED)


def test_what_may_have_gone_out_never_becomes_claimable_without_proof() -> None:
    assert DeliveryState.CLAIMED not in MOVES[DeliveryState.SENDING]
    assert DeliveryState.SCHEDULED not in MOVES[DeliveryState.SENDING]
    assert DeliveryState.SCHEDULED not in MOVES[DeliveryState.UNKNOWN]


@given(attempts=st.integers(0, 100), jitter=st.floats(0, 1, exclude_max=True))
def test_waiting_before_another_try_is_bounded(attempts: int, jitter: float) -> None:
    assert timedelta(seconds=30) <= back_off(attempts, jitter) <= LONGEST_WAIT * 1.25


def test_waits_grow() -> None:
    waits = [back_off(attempts, 0) for attempts in range(12)]
    assert waits == sorted(waits)
