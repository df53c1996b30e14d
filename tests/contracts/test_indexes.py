"""What the daemon asks a thousand times finds its rows by an index, however long the queue and the history."""

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bot.domain.delivery import DeliveryState
from bot.domain.post import PostState
from bot.services.gate import FACT_ACTS
from bot.store import approvals, audit, deliveries, pace, posts, turns
from bot.store.engine import Store

NOW = datetime(2026, 12, 1, 2, tzinfo=UTC)
# From some number on SQLite thinks better of an index that serves a few.
MANY = [f"account-{number}" for number in range(100)]


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (lambda tx: turns.orphaned(tx, MANY, NOW), ["SEARCH ix_deliveries_due"]),
        (lambda tx: turns.next_moment(tx, MANY), ["SCAN ix_deliveries_due", "SEARCH ix_deliveries_withdraw"]),
        (lambda tx: deliveries.expired(tx, NOW), ["SEARCH ix_deliveries_in_flight"]),
        (deliveries.in_flight, ["SEARCH ix_deliveries_in_flight"]),
        (lambda tx: pace.last_published(tx, "x"), ["SEARCH ix_deliveries_channel_published"]),
        (lambda tx: pace.published_counts(tx, ["x"], NOW), ["SEARCH ix_deliveries_channel_published"]),
        (lambda tx: pace.published_counts(tx, MANY, NOW), ["SEARCH ix_deliveries_channel_published"]),
        (lambda tx: pace.published_counts(tx, MANY, NOW, due_before=NOW), ["SEARCH ix_deliveries_channel_published"]),
        (lambda tx: pace.taken(tx, "x", NOW, NOW), ["SEARCH ix_deliveries_taken"]),
        (
            lambda tx: audit.last_about(tx, FACT_ACTS, ["case:1"]),
            ["SEARCH audit_records USING INDEX ix_audit_records_obj"],
        ),
        (lambda tx: audit.last_about(tx, FACT_ACTS, MANY), ["SEARCH audit_records USING INDEX ix_audit_records_obj"]),
        (lambda tx: deliveries.release_children(tx, [1], NOW), ["SEARCH ix_deliveries_reply_to"]),
    ],
)
def test_a_wave_reads_by_index_and_sorts_nothing(
    sqlite_original: Path, ask: Callable[[Connection], object], found: list[str]
) -> None:
    """A partial index serves only a query that says its condition in the same words: a bound state does not."""
    plans = planned(sqlite_original, ask)
    assert [len(plan) for plan in plans] == [1] * len(found)
    for (step,), index in zip(plans, found, strict=True):
        assert re.sub("deliveries USING (COVERING )?INDEX ", "", step).startswith(index)


def test_whose_turn_it_is_takes_one_step_in_an_index_for_each_channel(sqlite_original: Path) -> None:
    (plan,) = planned(sqlite_original, lambda tx: turns.whose_turn(tx, MANY, NOW))
    steps = [re.sub("USING (COVERING )?INDEX ", "", step) for step in plan]
    assert [step.partition(" (")[0] for step in steps if step.startswith("SEARCH")] == [
        "SEARCH deliveries USING INTEGER PRIMARY KEY",
        "SEARCH each ix_deliveries_withdraw",
        "SEARCH each ix_deliveries_channel_due",
        "SEARCH each ix_deliveries_look",
    ]
    assert [step.split()[1] for step in steps if step.startswith("SCAN")] == ["wanted"] * 3


def planned(original: Path, ask: Callable[[Connection], object]) -> list[list[str]]:
    """How SQLite means to find what is asked for, step by step, of each statement."""
    asked = []
    with closing(Store(f"sqlite:///{original}")) as store, store.read() as tx:

        @event.listens_for(tx, "before_cursor_execute")
        def keep(_tx: object, _cursor: object, statement: str, given: tuple[object, ...], *_: object) -> None:
            asked.append((statement, given))

        ask(tx)
        return [
            [row[-1] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
            for statement, given in tuple(asked)
        ]


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda tx: posts.corrections(tx, 1), "ix_posts_corrects"),
        (approvals.states_of_standings, "ix_posts_standing"),
        (lambda tx: posts.of_standing(tx, 1), "ix_posts_standing"),
        (deliveries.lost, "ix_deliveries_lost"),
        (lambda tx: deliveries.listed(tx, states=(DeliveryState.HELD,)), "ix_deliveries_counted"),
    ],
)
def test_a_page_does_not_read_the_whole_history_for_the_few_it_shows(
    sqlite_original: Path, ask: Callable[[Connection], object], index: str
) -> None:
    ((first, *_),) = planned(sqlite_original, ask)
    assert index in first


@pytest.mark.parametrize(
    "wanted", [{}, {"channels": ["x"]}, {"states": (PostState.PUBLISHED,), "channels": ["x", "y"]}]
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_queue_is_paged_through_indexes_alone(
    sqlite_original: Path, wanted: dict[str, Any], *, backwards: bool
) -> None:
    plans = planned(sqlite_original, lambda tx: posts.paged(tx, (NOW, 1), backwards=backwards, **wanted))
    steps = [step for plan in plans for step in plan]
    assert steps
    assert all(re.match("(SEARCH|SCAN) posts USING COVERING INDEX", step) for step in steps), steps
