"""A clock in doubt on the command line: what it is, and a person's word for it."""

import sqlite3

from tests.cli.conftest import Terminal

SEEN = 1_795_132_800_000_000
"""20 November 2026."""


def jumped(desk: Terminal) -> None:
    with sqlite3.connect(desk.folder / "var" / "campaignbot.db") as database:
        database.execute("INSERT INTO heartbeats (worker, at, highest_at, suspect) VALUES ('w', ?, ?, 1)", [SEEN, SEEN])


def test_a_person_looks_at_the_clock_and_confirms_it(desk: Terminal) -> None:
    jumped(desk)
    assert "✕ The clock jumped: nothing is sent until it is confirmed." in desk.type("doctor", code=1).out
    said = desk.type("clock", "show").out
    assert "Here it is 20" in said
    assert "No host of an account tells the time" in said
    assert "clock confirm" in said
    assert "trusted again" in desk.type("clock", "confirm", by="lan").out
    assert desk.read("clock", "show")["in_doubt"] is False
    assert "The clock jumped" not in desk.type("doctor", code=1).out


def test_what_is_not_in_doubt_is_not_confirmed(desk: Terminal) -> None:
    assert "No clock is in doubt" in desk.type("clock", "confirm", by="lan", code=1).err
