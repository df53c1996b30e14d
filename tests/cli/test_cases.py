"""Cases on the command line: search, a new arrest, confirmation, consent, holds, and files there and back."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal

SOURCE = ("--source", "https://example.org/page")
NEW = ("case", "add", "nguyen-van-a", "--name-vi", "Nguyễn Văn A", "--name-en", "Nguyen Van A")
HELD = (*NEW, "--status", "awaiting_trial", "--as-of", "2026-11-20", *SOURCE)
ARREST = ("case", "event", "add", "nguyen-van-a", "--kind", "arrest", "--date", "2026-11-20", *SOURCE)


@pytest.mark.parametrize("words", ["nguyen van dai", "NGUYỄN VĂN ĐÀI", "đài", "Dai"])
def test_search_needs_no_tone_marks(desk: Terminal, words: str) -> None:
    assert "nguyen-van-dai" in {row["slug"] for row in desk.read("case", "list", *words.split())}


def test_nothing_found_says_how_to_search(desk: Terminal) -> None:
    assert "tone marks" in desk.type("case", "list", "nobody").out


def test_no_shipped_imprisonment_is_fresh(desk: Terminal) -> None:
    stale = desk.read("case", "list", "--stale")
    assert len(stale) == 39
    assert not any(row["confirmed"] for row in stale)


def test_a_new_arrest_becomes_a_case_with_its_event(desk: Terminal) -> None:
    desk.type(*HELD, by="lan")
    said = desk.type(*ARREST, "--province", "Hanoi", "--set", "alt_dates=2026-11-19", by="lan").out
    assert said == "Changed: event:arrest-2026-11-20.\n"
    case = desk.read("case", "show", "nguyen-van-a")
    assert case["event"] == [
        {
            "key": "arrest-2026-11-20",
            "kind": "arrest",
            "date": "2026-11-20",
            "sources": ["https://example.org/page"],
            "alt_dates": ["2026-11-19"],
            "province": "Hanoi",
        }
    ]
    assert "already" in desk.type(*HELD, by="lan", code=2).err
    assert "already" in desk.type(*ARREST, by="lan", code=1).err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ((*NEW, "--status", "held", "--as-of", "2026", *SOURCE), "'held' is not one of"),
        ((*NEW, "--status", "imprisoned", "--as-of", "20 Nov", *SOURCE), "Write 2020-10-07, 2020-10 or 2020"),
        ((*NEW, "--status", "imprisoned", "--as-of", "2026"), "Missing option '--source'"),
        ((*HELD, "--set", "consent=maybe"), "“maybe” is not one of"),
        ((*HELD, "--set", "adress=ông"), "Did you mean “address”?"),
        ((*HELD, "--set", "consent"), "Write KEY=VALUE"),
        (("case", "add", "Nguyễn", *HELD[3:]), "Try “nguyen”"),
    ],
)
def test_a_mistyped_case_is_answered_in_one_line(desk: Terminal, words: tuple[str, ...], answer: str) -> None:
    said = desk.type(*words, by="lan", code=2).err
    assert answer in said
    assert said.count("\n") == 1


def test_a_day_that_is_not_in_the_calendar_is_refused(desk: Terminal) -> None:
    desk.type(*HELD, by="lan")
    wrong = [word if word != "2026-11-20" else "2026-02-29" for word in ARREST]
    assert "“2026-02-29” is not in the calendar." in desk.type(*wrong, by="lan", code=2).err


def test_a_changed_fact_shows_which_approvals_it_takes_back_and_asks(desk: Terminal) -> None:
    desk.type(*HELD, by="lan")
    desk.type("post", "add", "--campaign", "now-campaign", "--vi", "Tự do cho Nguyễn Văn A.", "--en",
              "Freedom for Nguyen Van A.", "--case", "nguyen-van-a", "--at", "2126-12-10 09:00", by="lan")  # fmt: skip
    desk.type("post", "submit", "11", by="lan")
    edit = ("case", "edit", "nguyen-van-a", "--set", "name_en=Nguyen Van Aa", *SOURCE)
    said = desk.type(*edit, by="lan", stdin="n\n", code=1).out
    assert "approved of the posts 11" in said
    assert desk.read("post", "show", "11")["state"] == "in_review"
    desk.type(*edit, "--yes", by="lan")
    assert desk.read("post", "show", "11")["state"] == "returned"


def test_facts_without_a_source_are_refused_but_consent_needs_none(desk: Terminal) -> None:
    edit = ("case", "edit", "pham-doan-trang", "--set")
    year = ("rehearse", "--from", "2027-12-14", "--days", "1")
    assert ["pham-doan-trang"] in [row["cases"] for row in desk.read(*year)]
    assert "No source, no fact" in desk.type(*edit, "occupation_en=writer", by="lan", code=1).err
    assert desk.type(*edit, "consent=refused", by="lan").out == "Changed: consent.\n"
    assert desk.type(*edit, "consent=refused", by="lan").out == "Nothing to change.\n"
    assert ["pham-doan-trang"] not in [row["cases"] for row in desk.read(*year)]


def test_a_confirmation_makes_a_status_fresh(desk: Terminal) -> None:
    confirm = ("case", "confirm", "pham-doan-trang", *SOURCE)
    assert "has not come yet" in desk.type(*confirm, "--as-of", "2126", by="lan", code=2).err
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    desk.type(*confirm, "--as-of", yesterday, by="lan")
    row = next(row for row in desk.read("case", "list") if row["slug"] == "pham-doan-trang")
    assert (row["status_as_of"], row["confirmed"]) == (yesterday, True)
    assert "which is later" in desk.type(*confirm, "--as-of", "2020", by="lan", code=1).err


def test_an_event_is_corrected_under_its_key(desk: Terminal) -> None:
    desk.type(*HELD, by="lan")
    desk.type(*ARREST, by="lan")
    edit = ("case", "event", "edit", "nguyen-van-a", "arrest-2026-11-20")
    desk.type(*edit, "--set", "date=2026-11-19", "--set", "prison_months=54", *SOURCE, by="lan")
    (event,) = desk.read("case", "show", "nguyen-van-a")["event"]
    assert (event["key"], event["date"], event["sentence"]) == (
        "arrest-2026-11-20",
        "2026-11-19",
        {"prison_months": 54},
    )
    wrong = ("case", "event", "edit", "nguyen-van-a", "arrest", "--set", "date=2026")
    assert "There are: arrest-2026-11-20." in desk.type(*wrong, by="lan", code=1).err
    history = desk.read("case", "show", "nguyen-van-a", "--history")["history"]
    assert [each["author"] for each in history if each["fact"] == "event:arrest-2026-11-20"] == ["lan", "lan"]


def test_a_held_case_is_freed_by_two_people(desk: Terminal) -> None:
    desk.type("case", "hold", "nguyen-van-dai", "--reason", "gia đình xin chờ", by="minh")
    assert "gia đình xin chờ" in desk.type("doctor").out
    assert desk.type("case", "unhold", "nguyen-van-dai", by="lan").out.startswith("Asked.")
    assert "someone else" in desk.type("case", "unhold", "nguyen-van-dai", by="lan", code=1).err
    assert "not held" in desk.type("case", "unhold", "nguyen-van-dai", by="minh").out
    assert (
        "Did you mean “nguyen-van-dai”?"
        in desk.type("case", "hold", "nguyen-van-dai-2", "--reason", "r", by="minh", code=1).err
    )


@pytest.mark.parametrize("kind", ["toml", "csv"])
def test_cases_go_out_and_come_back_unchanged(desk: Terminal, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"cases.{kind}"
    desk.type("case", "export", "--format", kind, "-o", str(file), by="lan")
    said = desk.type("case", "import", str(file), by="lan").out
    assert said == "Added: 0. Changed: 0. As before: 92.\n"


def test_exported_toml_is_what_the_shipped_file_says(desk: Terminal) -> None:
    exported = tomllib.loads(desk.type("case", "export", by="lan").out)
    shipped = tomllib.loads((desk.folder / "schedules" / "cases.toml").read_text())
    assert [case["slug"] for case in exported["case"]] == sorted(case["slug"] for case in shipped["case"])
    events = [sum(len(case["event"]) for case in cases["case"]) for cases in (exported, shipped)]
    assert events[0] == events[1] > 0


def test_an_import_with_a_mistake_changes_nothing(desk: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "cases.toml"
    file.write_text('[[case]]\nslug = "nguyen-van-a"\nname_vi = "Nguyễn Văn A"\nstatus = "imprisond"\n')
    said = desk.type("case", "import", str(file), by="lan", code=2).err
    assert "Did you mean “imprisoned”?" in said
    assert "name_en: is missing" in said
    assert len(desk.read("case", "list")) == 92


def test_people_of_one_day_and_court_are_joined_or_kept_apart_by_a_person(desk: Terminal) -> None:
    for name in "ab":
        new = [word.replace("nguyen-van-a", f"nguyen-van-{name}") for word in HELD]
        desk.type(*new, by="lan")
        desk.type("case", "event", "add", f"nguyen-van-{name}", "--kind", "trial", "--date", "2026-11-20",
                  "--court", "People's Court of Hanoi", *SOURCE, by="lan")  # fmt: skip
    both = [f"nguyen-van-{name}:trial-2026-11-20" for name in "ab"]
    assert "No source" in desk.type("case", "event", "joint", *both, by="lan", code=1).err
    desk.type("case", "event", "joint", *both, "--defendants", "3", *SOURCE, by="lan")
    events = [desk.read("case", "show", f"nguyen-van-{name}")["event"][0] for name in "ab"]
    assert events[0]["joint"] == events[1]["joint"] != ""
    assert events[0]["joint_defendants"] == 3
    desk.type("case", "event", "joint", *both, "--apart", by="lan")
    assert desk.read("case", "show", "nguyen-van-a")["event"][0]["heard_alone"] is True
    assert "SLUG:KEY" in desk.type("case", "event", "joint", "nguyen-van-a", by="lan", code=2).err


def test_adding_a_case_that_is_there_changes_nothing(desk: Terminal) -> None:
    before = desk.read("case", "show", "nguyen-van-dai")
    facts = ("--name-vi", "Sai Tên", "--name-en", "Wrong", "--status", "released", "--as-of", "2026-11-21")
    said = desk.type("case", "add", "nguyen-van-dai", *facts, "--source", "https://example.org", by="lan", code=2).err
    assert "is here already" in said
    assert desk.read("case", "show", "nguyen-van-dai") == before
