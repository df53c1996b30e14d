"""Drafts by hand at the terminal: the list of days, the words to pick from, and what is said of the draft."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.cli.frame import width
from tests.cli.conftest import Terminal

CAMPAIGN = ("--campaign", "stop-the-crackdown-vn")
YEAR = ("--days", "366")


def key_of(desk: Terminal, reason: str, kind: str = "") -> str:
    """Of a day a month from now at the earliest, so that a test that runs at midnight meets nothing of it."""
    soon = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    rows = desk.read("post", "draft", *YEAR)
    fitting = (row["key"] for row in rows if row["reason"] == reason and kind in row["kind"] and row["date"] > soon)
    return str(next(fitting))


def number_of(said: str) -> str:
    found = re.match(r"Post (\d+), [a-z-]+: draft\n", said)
    assert found, said
    return found[1]


def test_the_days_that_a_person_may_draft_are_listed_with_whole_keys_in_eighty_columns(desk: Terminal) -> None:
    for language in ("en", "vi"):
        said = desk.type("--lang", language, "post", "draft", *YEAR).out
        lines = said.splitlines()
        assert max(map(width, lines)) <= 80
        keys = {line.strip() for line in lines if line.startswith("    ")}
        assert keys == {row["key"] for row in desk.read("post", "draft", *YEAR)}
        assert lines[-1].endswith("campaignbot post draft KEY --as ALIAS")
    assert {row["reason"] for row in desk.read("post", "draft", *YEAR)} >= {None, "past_off", "death_by_hand"}


def test_where_nothing_is_left_to_draft_the_list_says_where_to_look(desk: Terminal) -> None:
    taken = {row["date"] for row in desk.read("post", "draft", *YEAR)}
    days = (datetime.now(UTC).date() + timedelta(days=number) for number in range(10, 300))
    free = next(day for day in days if day.isoformat() not in taken)
    assert "Look further" in desk.type("post", "draft", "--from", free.isoformat(), "--days", "1").out
    assert desk.read("post", "draft", "--from", free.isoformat(), "--days", "1") == []


def test_a_death_shows_its_models_and_is_drafted_in_the_one_that_is_picked(desk: Terminal) -> None:
    key = key_of(desk, "death_by_hand", "death")
    asked = desk.type("post", "draft", key, by="lan", code=2)
    assert asked.err == "Error: Of somebody who died, a person picks the words. Choose one by --model.\n"
    shown = dict(re.findall(r"── (M-\d)\n(.+?)\n\n", asked.out))
    assert {"M-1", "M-3"} <= shown.keys()
    said = desk.type("post", "draft", key, "--model", "M-3", "--channels", "x", by="lan").out
    post = number_of(said)
    assert shown["M-3"] in said
    assert said.endswith(f"Next: campaignbot post submit {post}\n")
    sheet = desk.read("post", "show", post)
    assert (sheet["key"], sheet["channels"], sheet["approvals_needed"]) == (key, ["x"], 2)
    assert key not in {row["key"] for row in desk.read("post", "draft", *YEAR)}
    again = desk.type("post", "draft", key, "--model", "M-1", by="lan", code=1).err
    assert again.endswith(f"campaignbot post cancel {post} --help\n")


def test_a_day_of_the_past_goes_all_the_way_from_key_to_queue(desk: Terminal) -> None:
    key = key_of(desk, "past_off", "arrest")
    post = number_of(desk.type("post", "draft", key, by="lan").out)
    desk.type("post", "submit", post, by="lan")
    assert "It goes out" in desk.type("post", "approve", post, by="minh", stdin="y\n").out
    assert {row["state"] for row in desk.read("delivery", "list", "--post", post)} == {"scheduled"}
    until = desk.read("post", "show", post)["on"]
    planned = desk.read("plan", "--until", until)
    assert key not in {row["key"] for some in planned.values() for row in some}


def test_an_observance_names_whom_is_picked(desk: Terminal) -> None:
    row = next(row for row in desk.read("post", "draft", *YEAR) if row["observance"] == "world-press-freedom-day")
    said = desk.type("post", "draft", row["key"], "--case", "pham-doan-trang", by="lan").out
    assert "Pham Doan Trang, journalist and author, was sentenced to 9 years in prison" in said
    assert desk.read("post", "show", number_of(said))["cases"] == ["pham-doan-trang"]


def test_a_general_appeal_is_drafted_for_a_campaign(desk: Terminal) -> None:
    first = desk.type("post", "draft", "general", *CAMPAIGN, "--slot", "next", by="lan").out
    assert "Next: campaignbot post submit" in first
    row = desk.read("post", "draft", "general", *CAMPAIGN, by="lan")
    assert (row["state"], row["cases"], row["left_out"]) == ("draft", [], [])
    assert row["texts"]["en"] not in first
    desk.type("post", "draft", "general", *CAMPAIGN, "--turn", "-1", by="lan", code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("general",), "takes --campaign"),
        (("arrest:x:y:2027", *CAMPAIGN), "takes --campaign"),
        (("arrest:x:y:2027", "--turn", "1"), "takes --campaign"),
        (("general", *CAMPAIGN, "--case", "pham-doan-trang"), "names nobody"),
        (("general", "--campaign", "nowhere"), "There are: stop-the-crackdown-vn"),
        (("general", *CAMPAIGN, "--alt-vi", "Một tấm thẻ"), "no picture to describe"),
        (("general", *CAMPAIGN, "--media", "nowhere.png"), "cannot be read"),
        (("general", *CAMPAIGN, "--at", "now", "--slot", "next"), "both a time and a slot"),
    ],
)
def test_what_does_not_go_together_is_refused(desk: Terminal, words: tuple[str, ...], said: str) -> None:
    assert said in desk.type("post", "draft", *words, by="lan", code=2).err


def test_who_drafts_says_their_name_and_a_key_that_is_not_there_is_told(desk: Terminal) -> None:
    assert "--as ALIAS" in desk.type("post", "draft", "general", *CAMPAIGN, code=2).err
    assert "campaignbot post draft" in desk.type("post", "draft", "arrest:nobody:2027", by="lan", code=1).err
    assert "may not write posts" in desk.type("post", "draft", "general", *CAMPAIGN, by="minh", code=1).err


def test_a_share_card_is_described_and_the_person_is_told_so(desk: Terminal, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "card.png")
    picture = ("--media", str(tmp_path / "card.png"))
    key = key_of(desk, "past_off", "release")
    said = desk.type("post", "draft", key, *picture, by="lan").out
    assert "Ảnh chia sẻ: " in said
    assert "Share card: " in said
    change = f"campaignbot post edit {number_of(said)} --media FILE --alt-vi TEXT --alt-en TEXT"
    assert change in said
    desk.type("post", "cancel", number_of(said), "--reason", "ảnh khác", by="lan")
    own = desk.type("post", "draft", key, *picture, "--alt-vi", "Tranh", "--alt-en", "A painting", by="lan").out
    assert "A painting" in own
    assert "--media FILE" not in own


def test_plan_and_rehearse_show_the_keys(desk: Terminal) -> None:
    start = datetime.now(UTC).date()
    rows = desk.read("rehearse", "--days", "60")
    assert all(row["key"] for row in rows)
    assert "campaignbot post draft --from today --days 60" in desk.type("rehearse", "--days", "60").out
    said = desk.type("plan", "--until", (start + timedelta(days=60)).isoformat()).out
    barred = {row["key"] for row in rows if row["reason"] and date.fromisoformat(row["date"]) > start}
    assert barred
    assert barred <= {line.strip() for line in said.splitlines()}
    assert max(map(width, said.splitlines())) <= 80


def test_a_rehearsal_tells_a_draft_that_nobody_submitted_from_a_day_that_has_none(desk: Terminal) -> None:
    row = next(row for row in desk.read("post", "draft", *YEAR) if row["reason"] == "past_off")
    days = ("--from", row["date"], "--days", "1")
    before = next(each for each in desk.read("rehearse", *days) if each["key"] == row["key"])
    post = number_of(desk.type("post", "draft", row["key"], by="lan").out)
    after = next(each for each in desk.read("rehearse", *days) if each["key"] == row["key"])
    assert (before["reason"], after["reason"], after["post"]) == ("past_off", "draft", int(post))
