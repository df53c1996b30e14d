"""Deliveries on both databases: whose turn it is, who owns a claim, and what a fence forbids."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.delivery import Delivery, DeliveryState, Reason
from bot.domain.errors import NotFound
from bot.domain.post import Content
from bot.store import attempts, deliveries, heartbeats, pace, posts, turns
from bot.store.deliveries import NewDelivery
from bot.store.engine import Store

DUE = datetime(2026, 12, 10, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
S = DeliveryState


def queued(store: Store, *channels: str, due: datetime = DUE, parts: int = 1, digest: str = "d" * 64) -> int:
    """A post with a thread of parts on each channel."""
    content = Content("thu", {("vi", ""): "Xin chào", ("en", ""): "Hello"}, channels)
    with store.write() as tx:
        (post,) = posts.add(tx, [posts.NewPost(content)], None, DUE)
        for channel in channels:
            new = [
                NewDelivery(
                    post.id,
                    channel,
                    part,
                    digest,
                    "{}",
                    f"{channel}{part}",
                    due,
                    due + HOUR,
                    part - 1 if part else None,
                )
                for part in range(parts)
            ]
            deliveries.add(tx, new)
    return post.id


def of(store: Store, post_id: int) -> tuple[Delivery, ...]:
    with store.read() as tx:
        return deliveries.of_post(tx, post_id)


def turn(store: Store, channel: str, now: datetime) -> Delivery | None:
    with store.write() as tx:
        return turns.whose_turn(tx, [channel], now).due.get(channel)


def move(store: Store, delivery: Delivery, state: DeliveryState, **columns: Any) -> bool:  # noqa: ANN401
    with store.write() as tx:
        return deliveries.change(tx, delivery, state, **columns)


def test_it_is_nobodys_turn_before_the_time(store: Store) -> None:
    queued(store, "x")
    assert turn(store, "x", DUE - timedelta(microseconds=1)) is None
    assert turn(store, "x", DUE) is not None


def test_the_earliest_goes_first_and_other_channels_do_not_matter(store: Store) -> None:
    queued(store, "x", due=DUE + HOUR)
    first = queued(store, "x", "facebook")
    found = turn(store, "x", DUE + 2 * HOUR)
    assert found is not None
    assert (found.post_id, found.channel) == (first, "x")


def test_on_each_channel_it_is_one_ones_turn(store: Store) -> None:
    first = queued(store, "x", "facebook")
    queued(store, "x", "bluesky", due=DUE + HOUR)
    with store.write() as tx:
        found = turns.whose_turn(tx, ["x", "facebook", "bluesky", "telegram"], DUE).due
    assert {channel: each.post_id for channel, each in found.items()} == {"x": first, "facebook": first}


def test_an_answer_waits_until_what_it_answers_is_out(store: Store) -> None:
    post_id = queued(store, "x", parts=2)
    first, second = of(store, post_id)
    assert second.reply_to == first.id
    move(store, first, S.SENDING, fence=1)
    assert turn(store, "x", DUE) is None
    with store.write() as tx:
        deliveries.release_children(tx, [first.id], DUE)
    found = turn(store, "x", DUE)
    assert found is not None
    assert found.id == second.id


def test_the_answers_of_many_are_let_go_at_once(store: Store) -> None:
    threads = [of(store, queued(store, "x", parts=2)) for _ in range(3)]
    with store.write() as tx:
        deliveries.release_children(tx, [first.id for first, _ in threads], DUE)
    assert [of(store, first.post_id)[1].next_at for first, _ in threads] == [DUE] * 3


def test_times_come_back_to_the_microsecond(store: Store) -> None:
    due = DUE + timedelta(microseconds=123457)
    (delivery,) = of(store, queued(store, "x", due=due))
    assert (delivery.due_at, delivery.not_after) == (due, due + HOUR)


def test_a_change_needs_the_fence_and_state_it_was_read_with(store: Store) -> None:
    (delivery,) = of(store, queued(store, "x"))
    assert move(store, delivery, S.SENDING, fence=1)
    assert not move(store, delivery, S.PUBLISHED)
    stale = replace(delivery, state=S.SENDING, fence=0)
    assert not move(store, stale, S.PUBLISHED)
    (now,) = of(store, delivery.post_id)
    assert (now.state, now.fence) == (S.SENDING, 1)
    assert move(store, now, S.PUBLISHED)


def test_only_an_expired_lease_is_found(store: Store) -> None:
    (delivery,) = of(store, queued(store, "x"))
    move(store, delivery, S.SENDING, fence=1, lease_until=DUE + HOUR)
    with store.read() as tx:
        assert deliveries.expired(tx, DUE + HOUR) == ()
        assert [each.id for each in deliveries.expired(tx, DUE + 2 * HOUR)] == [delivery.id]
        assert [each.id for each in deliveries.in_flight(tx)] == [delivery.id]


def test_cancelling_takes_back_what_has_not_begun_and_fences_it_off(store: Store) -> None:
    post_id = queued(store, "x", "facebook")
    x, facebook = sorted(of(store, post_id), key=lambda each: each.channel != "x")
    move(store, x, S.SENDING, fence=1)
    with store.write() as tx:
        cancelled = deliveries.cancel_open(tx, post_id, Reason.POST_CHANGED)
    assert [each.id for each in cancelled] == [facebook.id]
    assert {each.channel: each.state for each in of(store, post_id)} == {"x": S.SENDING, "facebook": S.CANCELLED}
    assert not move(store, facebook, S.SENDING)


def test_what_was_cancelled_untried_comes_back_for_the_same_content_only(store: Store) -> None:
    post_id = queued(store, "x", parts=2)
    with store.write() as tx:
        deliveries.cancel_open(tx, post_id, Reason.POST_CHANGED)
        assert deliveries.revive(tx, post_id, "e" * 64) == 0
        assert deliveries.revive(tx, post_id, "d" * 64) == 2
    assert {each.state for each in of(store, post_id)} == {S.SCHEDULED}


def test_the_next_moment_is_the_earliest_of_the_channels_asked_for(store: Store) -> None:
    queued(store, "x", due=DUE + HOUR)
    queued(store, "facebook")
    with store.read() as tx:
        assert turns.next_moment(tx, ["x"]) == DUE + HOUR
        assert turns.next_moment(tx, ["x", "facebook"]) == DUE
        assert turns.next_moment(tx, []) is None


def test_a_channel_nobody_knows_any_more_is_found(store: Store) -> None:
    queued(store, "gone", "x")
    with store.read() as tx:
        assert [each.channel for each in turns.orphaned(tx, ["x"], DUE)] == ["gone"]


def published(store: Store, channel: str, at: datetime, due: datetime = DUE, parts: int = 1) -> int:
    post_id = queued(store, channel, due=due, parts=parts)
    for delivery in of(store, post_id):
        move(store, delivery, S.PUBLISHED, published_at=at)
    return post_id


def test_a_thread_counts_as_one_post_of_the_day(store: Store) -> None:
    published(store, "x", DUE, parts=3)
    published(store, "x", DUE + HOUR, due=DUE + HOUR)
    with store.read() as tx:
        asked = ["x", "facebook"]
        assert pace.published_counts(tx, asked, DUE) == {"x": 2}
        assert pace.published_counts(tx, asked, DUE + timedelta(seconds=1)) == {"x": 1}
        assert pace.published_counts(tx, asked, DUE, due_before=DUE + timedelta(seconds=1)) == {"x": 1}
        assert pace.published_counts(tx, ["facebook"], DUE)["facebook"] == 0
        assert pace.last_published(tx, "x") == DUE + HOUR
        assert pace.last_published(tx, "facebook") is None


def test_taken_times_leave_out_what_will_not_go_out(store: Store) -> None:
    queued(store, "x", parts=2)
    (missed,) = of(store, queued(store, "x", due=DUE + HOUR))
    move(store, missed, S.MISSED)
    with store.read() as tx:
        assert pace.taken(tx, "x", DUE, DUE + 2 * HOUR) == (DUE,)


def test_attempts_are_kept_in_order_with_what_came_of_them(store: Store) -> None:
    (delivery,) = of(store, queued(store, "x"))
    with store.write() as tx:
        for fence in (1, 2):
            attempts.begin_attempts(tx, [(replace(delivery, fence=fence), 0)], DUE)
        attempts.end_attempts(tx, [(replace(delivery, fence=1), "unreachable", "x" * 9_000)], DUE + HOUR)
        first, second = attempts.attempts_of(tx, delivery.id)
    assert (first.outcome, first.ended_at, len(first.detail)) == ("unreachable", DUE + HOUR, 500)
    assert (second.outcome, second.ended_at) == ("", None)


def test_lists_can_be_narrowed(store: Store) -> None:
    post_id = queued(store, "x", "facebook")
    (other,) = of(store, queued(store, "x"))
    with store.write() as tx:
        deliveries.change(tx, other, S.HELD, Reason.HALT)
    with store.read() as tx:
        assert [each.id for each in deliveries.listed(tx, states=[S.HELD])] == [other.id]
        assert [each.reason for each in deliveries.listed(tx, states=[S.HELD])] == ["halt"]
        assert len(deliveries.listed(tx, channel="x")) == 2
        assert len(deliveries.listed(tx, post_id=post_id)) == 2
        assert len(deliveries.listed(tx, limit=1)) == 1
        assert deliveries.counts(tx) == {"scheduled": 2, "held": 1}


def test_lateness_is_that_of_the_newest_in_rising_order(store: Store) -> None:
    with store.read() as tx:
        assert pace.lateness(tx, ["x"]) == []
    for seconds in (1, 2, 30):
        published(store, "x", DUE + timedelta(seconds=seconds))
    with store.read() as tx:
        assert pace.lateness(tx, ["x", "y"]) == [1, 2, 30]


def test_what_is_not_there_is_said(store: Store) -> None:
    with store.read() as tx, pytest.raises(NotFound, match="delivery 9"):
        deliveries.get(tx, 9)


def test_heartbeats_remember_the_last_and_the_highest_moment(store: Store) -> None:
    with store.write() as tx:
        assert heartbeats.last(tx) is None
        heartbeats.beat(tx, "one", DUE + HOUR)
        heartbeats.beat(tx, "two", DUE, suspect=True)
        heartbeats.beat(tx, "one", DUE)
        assert heartbeats.last(tx) == DUE
        assert heartbeats.highest(tx) == DUE + HOUR
        assert {each.worker: each.suspect for each in heartbeats.listed(tx)} == {"one": False, "two": True}
