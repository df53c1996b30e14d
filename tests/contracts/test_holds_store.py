"""Holds, the halt and pauses as rows, and the promise that nothing begins after a halt, on both databases."""

import threading
from datetime import UTC, datetime, timedelta

from bot.store import holds
from bot.store.engine import Store

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LANGUAGE = ("language", "vi")


def test_a_hold_is_open_until_it_is_ended(store: Store) -> None:
    with store.write() as tx:
        assert holds.open_holds(tx) == frozenset()
        number = holds.place(tx, *LANGUAGE, "why", None, NOON)
    with store.write() as tx:
        assert holds.open_holds(tx) == {LANGUAGE}
        assert holds.find(tx, *LANGUAGE) == holds.Hold(number, *LANGUAGE, "why", None, NOON)
        assert holds.find(tx, *holds.HALT) is None
    with store.write() as tx:
        holds.end(tx, number, None, NOON)
        assert holds.open_holds(tx) == frozenset()
        assert holds.find(tx, *LANGUAGE) is None


def test_one_target_has_one_open_hold_and_keeps_the_ended_ones(store: Store) -> None:
    later = NOON + timedelta(hours=1)
    with store.write() as tx:
        first = holds.place(tx, *LANGUAGE, "why", None, NOON)
        assert holds.place(tx, *LANGUAGE, "newer", None, later) == first
        (hold,) = holds.current(tx)
        assert (hold.reason, hold.placed_at) == ("newer", later)
        holds.end(tx, first, None, later)
        assert holds.place(tx, *LANGUAGE, "again", None, later) != first
        assert len(holds.current(tx)) == 1


def test_all_that_is_held_is_listed_newest_first(store: Store) -> None:
    with store.write() as tx:
        for hour, scope in enumerate(("case", "all", "post")):
            holds.place(tx, scope, "", "why", None, NOON + timedelta(hours=hour))
        assert [hold.scope for hold in holds.current(tx)] == ["post", "all", "case"]


def test_a_channel_is_paused_once_and_resumed(store: Store) -> None:
    with store.write() as tx:
        assert holds.pause(tx, "x-main", NOON, None, "why")
        assert not holds.pause(tx, "x-main", NOON, None, "other")
        assert holds.pauses(tx) == (holds.Pause("x-main", "why", None, NOON),)
        assert holds.paused_channels(tx) == {"x-main"}
        holds.resume(tx, "x-main")
        assert holds.paused_channels(tx) == frozenset()
        assert holds.pause(tx, "x-main", NOON, None, "again")


def test_whoever_halts_waits_for_whoever_is_about_to_send(store: Store) -> None:
    halted = threading.Event()

    def halt() -> None:
        with store.write() as tx:
            holds.place(tx, *holds.HALT, "why", None, NOON)
        halted.set()

    halting = threading.Thread(target=halt)
    with store.write() as tx:
        assert holds.open_holds(tx) == frozenset()
        halting.start()
        assert not halted.wait(0.3)
        # Whatever this transaction writes is committed before the halt returns.
        assert holds.find(tx, *holds.HALT) is None
    halting.join(20)
    assert halted.is_set()


def test_whoever_is_about_to_send_waits_for_a_halt_and_sees_it(store: Store) -> None:
    seen: list[frozenset[tuple[str, str]]] = []

    def look() -> None:
        with store.write() as tx:
            seen.append(holds.open_holds(tx))

    looking = threading.Thread(target=look)
    with store.write() as tx:
        holds.place(tx, *holds.HALT, "why", None, NOON)
        looking.start()
        looking.join(0.3)
        assert not seen
    looking.join(20)
    assert seen == [frozenset({holds.HALT})]


def test_a_page_does_not_wait_for_a_halt_under_way(store: Store) -> None:
    with store.write() as tx:
        holds.place(tx, *holds.HALT, "why", None, NOON)
        with store.read() as page:
            assert holds.current(page) == ()
