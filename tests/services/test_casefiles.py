"""Cases through TOML and CSV: a round trip loses nothing, and what is wrong is said with its line."""

import csv
import io
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case import Case, EventKind, Status
from bot.domain.errors import Rejected
from bot.domain.facts import case_from_plain
from bot.library.casefiles import COLUMNS, read_cases_csv, read_cases_toml, write_cases_csv, write_cases_toml
from bot.library.sheets import guard, unguard
from tests.sample_cases import SOURCE, a_case, an_event, hostile_text, plain_cases

SHIPPED = Path(__file__).parents[2] / "schedules" / "cases.toml"
HEADER = "slug,name_vi,name_en,status,status_as_of,event.kind,event.date,event.sources\r\n"
GOOD = f"nguyen-van-a,Nguyễn Văn A,Nguyen Van A,imprisoned,2026-03,arrest,2020-10-07,{SOURCE}\r\n"

several_cases = st.lists(plain_cases(), max_size=2, unique_by=lambda plain: plain["slug"]).map(
    lambda plains: tuple(case_from_plain(plain) for plain in plains)
)


def said(read: Callable[[bytes], object], text: str | bytes) -> list[str]:
    with pytest.raises(Rejected) as refusal:
        read(text if isinstance(text, bytes) else text.encode())
    return [str(finding) for finding in refusal.value.findings]


# Round trips


@given(several_cases)
def test_toml_loses_nothing(cases: tuple[Case, ...]) -> None:
    assert read_cases_toml(write_cases_toml(cases).encode()) == cases


@given(several_cases)
def test_a_spreadsheet_loses_nothing(cases: tuple[Case, ...]) -> None:
    assert read_cases_csv(write_cases_csv(cases).encode()) == cases


@given(st.lists(hostile_text, max_size=4))
def test_no_exported_cell_begins_as_a_formula_and_import_takes_back_what_export_added(cells: list[str]) -> None:
    for cell in cells:
        assert guard(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\0"}
        assert unguard(guard(cell)) == cell


def test_exactly_one_apostrophe_comes_and_goes() -> None:
    names = ("'A'", "''A", "=1+1", "-1", "@a", "+84")
    case = a_case(also_known_as=names[:1], title_vi=names[1], short_vi=names[2], note=names[3], tag=names[4])
    text = write_cases_csv([case])
    row = next(iter(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))))
    assert [row[key] for key in ("also_known_as", "title_vi", "short_vi", "note", "tag")] == [
        *("''A'", "'''A", "'=1+1", "'-1", "'@a")
    ]
    assert read_cases_csv(text.encode()) == (case,)


def test_a_case_is_one_row_an_event_and_one_row_without_any() -> None:
    events = an_event(), an_event(EventKind.TRIAL, "2021-12-14", sources=(SOURCE, SOURCE + "/2"))
    text = write_cases_csv([a_case(*events), a_case(slug="nguyen-van-b")])
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["slug"], row["name_vi"], row["event.kind"]) for row in rows] == [
        ("nguyen-van-a", "Nguyễn Văn A", "arrest"),
        ("nguyen-van-a", "", "trial"),
        ("nguyen-van-b", "Nguyễn Văn A", ""),
    ]
    assert rows[1]["event.sources"] == f"{SOURCE}\n{SOURCE}/2"


def test_rows_may_be_sorted_in_the_spreadsheet() -> None:
    cases = read_cases_toml(SHIPPED)
    head, *rows = csv.reader(io.StringIO(write_cases_csv(cases).removeprefix("\ufeff")))
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([head, *sorted(rows, key=lambda row: row[COLUMNS.index("event.date")])])
    found = {case.slug: case for case in read_cases_csv(out.getvalue().encode())}
    for case in cases:
        assert sorted(found[case.slug].events, key=str) == sorted(case.events, key=str)
        assert found[case.slug].name_vi == case.name_vi


# The shipped cases


def test_the_shipped_cases_are_92_with_263_sourced_events() -> None:
    cases = read_cases_toml(SHIPPED)
    events = [event for case in cases for event in case.events]
    assert (len(cases), len(events)) == (92, 263)
    assert all(event.sources for event in events)
    assert sum(bool(event.joint) for event in events) == 69
    assert sum(case.status is Status.IMPRISONED for case in cases) == 39


def test_the_shipped_file_is_what_export_writes() -> None:
    text = SHIPPED.read_text("utf-8")
    exported = write_cases_toml(read_cases_toml(SHIPPED))
    assert text.partition("\n[[case]]")[2] == exported.partition("\n[[case]]")[2]


def test_every_shipped_note_has_both_languages() -> None:
    cases = read_cases_toml(SHIPPED)
    notes = [(case.note, case.note_vi) for case in cases]
    notes += [(event.note, event.note_vi) for case in cases for event in case.events]
    assert sum(bool(note) for note, _ in notes) == 37
    assert all(bool(note) == bool(note_vi) for note, note_vi in notes)


def test_the_shipped_cases_survive_both_forms() -> None:
    cases = read_cases_toml(SHIPPED)
    assert read_cases_csv(write_cases_csv(cases).encode()) == cases
    assert read_cases_toml(write_cases_toml(cases).encode()) == cases


# What is wrong


def test_every_bad_row_is_said_with_its_line_in_one_run() -> None:
    text = HEADER + GOOD
    text += 'nguyen-van-b,"Nguyễn\nVăn B",B,imprisoned,2026-03,arrest,07/10/2020,\r\n'
    text += ",,,,,arrest,2020-10-07,x\r\n"
    text += "nguyen-van-a,Nguyễn Văn Á,,,,,,\r\n"
    text += "nguyen-van-c,C,C,free,2026-03,,,,extra\r\n"
    lines = said(read_cases_csv, text)
    assert [line.partition(" “")[0] for line in lines] == [
        "cases.csv: line 7: has 9 cells, the first line names 8. Put text with a comma in quotation marks.",
        "cases.csv: line 5: has no slug. Say whose event this is.",
        (
            "cases.csv: line 6: name_vi: differs from another row of this case. "
            "Fill it in once and leave the rest empty."
        ),
        "cases.csv: line 3: date:",
        ("cases.csv: line 3: sources: is empty. No source, no fact: add the address of a page that states it."),
    ]


@pytest.mark.parametrize(
    ("text", "said_there"),
    [
        ("", "line 1: the column “slug” is missing"),
        ("name_vi\nA\n", "line 1: the column “slug” is missing"),
        ("slug,slug\n", "the column “slug” stands twice"),
        ("slug,nmae_vi\n", "line 1: unknown column “nmae_vi”. Did you mean “name_vi”?"),
        ('slug\n"a\n', "line 2: is not CSV from here on"),
        ("slug,event.additional\na,ja\n", "line 2: event.additional: “ja” cannot be read"),
        ("slug,event.prison_months\na,5½\n", "line 2: event.prison_months: “5½” cannot be read"),
        ("slug,event.prison_months\na," + "9" * 5000 + "\n", "cannot be read"),
    ],
)
def test_a_bad_spreadsheet_gets_a_clear_line(text: str, said_there: str) -> None:
    assert any(said_there in line for line in said(read_cases_csv, text))


@pytest.mark.parametrize(
    ("encoding", "problem"),
    [
        ("utf-16", "looks like UTF-16"),
        ("utf-16-le", "looks like UTF-16"),
        ("cp1258", "line 2: is not UTF-8"),
        ("latin-1", "line 2: is not UTF-8"),
    ],
)
def test_another_encoding_is_answered_with_how_to_save_it(encoding: str, problem: str) -> None:
    text = (HEADER + GOOD).replace("ễ", "ê").replace("ă", "â")
    for read in (read_cases_csv, read_cases_toml):
        (line,) = said(read, text.encode(encoding))
        assert problem in line
        assert "in Excel “CSV UTF-8”" in line


def test_a_byte_order_mark_and_decomposed_letters_are_welcome() -> None:
    text = "\ufeff" + HEADER + GOOD.replace("ễ", "e\u0302\u0303")
    assert read_cases_csv(text.encode())[0].name_vi == "Nguyễn Văn A"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[case]]\nslug = \n", "cases.toml: line 2, column 8: is not valid TOML"),
        ("[[case]\n", "cases.toml: line 1, column 7: is not valid TOML"),
        ('[[case]]\nslug = "a', "cases.toml: end of document: is not valid TOML"),
        ("cases = 1\n", "cases.toml: cases: unknown key. Did you mean “case”?"),
        ("case = 1\n", "cases.toml: case: must be a list of tables, each under [[case]]."),
        ("[meta]\nschema = 2\n", "cases.toml: meta: schema: must be a whole number from 1 to 1."),
        ("a = " + "[" * 5000, "cases.toml: "),
        ("a = " + "9" * 5000, "cases.toml: "),
    ],
)
def test_broken_toml_is_said_with_its_line(text: str, line: str) -> None:
    assert any(found.startswith(line) for found in said(read_cases_toml, text))


def test_a_bare_toml_date_is_a_date() -> None:
    text = write_cases_toml([a_case(an_event())]).replace('"2020-10-07"', "2020-10-07")
    assert tomllib.loads(text)
    assert str(read_cases_toml(text.encode())[0].events[0].date) == "2020-10-07"


def test_what_no_case_can_see_alone_is_found() -> None:
    trials = [an_event(EventKind.TRIAL, on, joint="hearing") for on in ("2021-12-14", "2021-12-15")]
    cases = [a_case(trial) for trial in trials]
    assert said(read_cases_toml, write_cases_toml(cases)) == [
        "cases.toml: case “nguyen-van-a”: stands twice. Join the two, or give one another slug.",
        "cases.toml: joint “hearing”: names trial of 2021-12-14, trial of 2021-12-15. One name is one hearing.",
    ]


def test_a_file_that_is_missing_unreadable_or_huge_is_said_so(tmp_path: Path) -> None:
    huge = tmp_path / "huge.toml"
    with huge.open("wb") as file:
        file.truncate(10_000_001)
    for path, problem in ((tmp_path / "none.toml", "is missing"), (tmp_path, "cannot be read"), (huge, "10 MB")):
        with pytest.raises(Rejected, match=problem):
            read_cases_toml(path)


def test_half_a_wrong_file_is_no_file() -> None:
    plain: dict[str, Any] = {"slug": "nguyen-van-b"}
    text = write_cases_toml([a_case()]) + f'\n[[case]]\nslug = "{plain["slug"]}"\n'
    assert len(said(read_cases_toml, text)) == 4
