"""A case read from plain values: nothing lost, nothing half wrong accepted, every problem said at once."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given

from bot.domain.case import Consent, Sentence, Status
from bot.domain.errors import Rejected
from bot.domain.facts import case_from_plain, case_to_plain, facts_of
from tests.sample_cases import SOURCE, a_case, an_event, plain_cases


def plain(**facts: object) -> dict[str, Any]:
    known: dict[str, Any] = {"slug": "nguyen-van-a", "name_vi": "Nguyễn Văn A", "name_en": "Nguyen Van A"}
    return known | {"status": "imprisoned", "status_as_of": "2026-03"} | facts


def event(**facts: object) -> dict[str, Any]:
    return {"kind": "arrest", "date": "2020-10-07", "sources": [SOURCE]} | facts


def findings(**facts: object) -> list[str]:
    with pytest.raises(Rejected) as refusal:
        case_from_plain(plain(**facts), file="cases.toml")
    return [str(finding) for finding in refusal.value.findings]


@given(plain_cases())
def test_a_case_that_was_read_once_reads_the_same_ever_after(values: dict[str, Any]) -> None:
    case = case_from_plain(values)
    assert case_from_plain(case_to_plain(case)) == case


def test_what_is_silent_has_careful_defaults() -> None:
    case = case_from_plain(plain())
    assert (case.consent, case.custody_unbroken, case.address) == (Consent.UNKNOWN, None, "")


def test_every_problem_is_said_in_one_run_with_its_place() -> None:
    said = findings(status="imprisonned", name_eng="x", event=[event(sources=[]), event(date="2020-02-30"), "?"])
    assert said == [
        "cases.toml: nguyen-van-a: name_eng: unknown key. Did you mean “name_en”?",
        (
            "cases.toml: nguyen-van-a: status: “imprisonned” is not one of “imprisoned”, “awaiting_trial”, "
            "“released”, “exiled”, “died”, “unknown”. Did you mean “imprisoned”?"
        ),
        "cases.toml: nguyen-van-a: event 3: is not a table. Write it under [[event]].",
        (
            "cases.toml: nguyen-van-a: event 1: sources: is empty. "
            "No source, no fact: add the address of a page that states it."
        ),
        "cases.toml: nguyen-van-a: event 2: date: “2020-02-30” is not in the calendar.",
    ]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"slug": "Nguyễn Văn A"}, "Try “nguyen-van-a”"),
        ({"name_vi": " "}, "name_vi: is missing"),
        ({"name_vi": 7}, "must be text"),
        ({"name_vi": "x" * 2001}, "longer than 2000"),
        ({"name_vi": "Nguyễn\x00"}, "U+0000"),
        ({"name_vi": "Nguyễn \u202eA"}, "U+202E"),
        ({"name_vi": "Nguyễn\ud800"}, "U+D800"),
        ({"also_known_as": "A"}, "must be a list"),
        ({"also_known_as": ["A"] * 201}, "at most 200"),
        ({"custody_unbroken": "yes"}, "true or false"),
        ({"term_end": "2028"}, "term_end_basis"),
        ({"event": [event(sources=["  "])]}, "No source, no fact"),
        ({"event": [event(sentence={"prison_months": -1})]}, "from 0 to 1200"),
        ({"event": [event(sentence={"prison_months": True})]}, "whole number"),
        ({"event": [event(key="a"), event(key="a")]}, "names two events"),
        ({"event": [event(key="a:b")]}, "may hold only"),
        ({"event": {"kind": "arrest"}}, "a list of tables"),
    ],
)
def test_bad_input_gets_a_clear_line(facts: dict[str, Any], said: str) -> None:
    assert any(said in line for line in findings(**facts))


def test_text_becomes_nfc_and_lines_end_alike() -> None:
    case = case_from_plain(plain(name_vi=unicodedata.normalize("NFD", "Nguyễn Văn Đài"), note="a\r\nb "))
    assert (case.name_vi, case.note) == ("Nguyễn Văn Đài", "a\nb")


def test_an_item_of_a_list_is_one_line_and_empty_ones_are_dropped() -> None:
    assert case_from_plain(plain(also_known_as=["A\nB", " ", "C"])).also_known_as == ("A B", "C")


def test_a_key_made_up_for_one_event_leaves_the_written_keys_alone() -> None:
    case = case_from_plain(plain(event=[event(), event(key="arrest-2020-10-07", note="second")]))
    assert [event.key for event in case.events] == ["arrest-2020-10-07.2", "arrest-2020-10-07"]
    assert case.events[1].note == "second"


def test_a_change_shows_in_its_own_fact_alone() -> None:
    before = facts_of(a_case(an_event()))
    after = facts_of(a_case(an_event(sentence=Sentence(96)), status=Status.RELEASED))
    assert {key for key in before if before[key] != after[key]} == {"status", "event:arrest-2020-10-07"}


def test_braces_in_what_people_wrote_are_letters_like_others() -> None:
    assert any("“{name}{0}{” is not one of" in line for line in findings(status="{name}{0}{"))
    assert any("“{near}” may hold only" in line for line in findings(slug="{near}"))
    assert any(": {x}: unknown key." in line for line in findings(**{"{x}": 1}))
