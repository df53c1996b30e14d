"""Cases as files: TOML for the repository and CSV for a spreadsheet; a round trip loses nothing."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import get_origin

from bot.domain.case import Case, Event, Sentence
from bot.domain.errors import Finding, Rejected
from bot.domain.facts import CASE_KEYS, EVENT_KEYS, SENTENCE_KEYS, Plain, case_to_plain, read_case
from bot.domain.reader import Reader, finding, normal
from bot.library.files import read_toml
from bot.library.sheets import Row, read_sheet, write_sheet

SCHEMA = 1
META_KEYS = ("schema", "compiled_on", "newest_evidence")
_LINE = 110

_EVENT = "event."
_TYPES = {"status_sources": tuple[str, ...], **{field.name: field.type for field in fields(Case)}}
_TYPES |= {_EVENT + field.name: field.type for kind in (Event, Sentence) for field in fields(kind)}
_CASE_COLUMNS = tuple(key for key in CASE_KEYS if key != "event")
_EVENT_COLUMNS = tuple(_EVENT + key for key in EVENT_KEYS for key in (SENTENCE_KEYS if key == "sentence" else (key,)))
COLUMNS = _CASE_COLUMNS + _EVENT_COLUMNS
_DIGITS = 9
Report = Callable[..., None]


def read_cases_toml(source: bytes | Path, name: str = "") -> tuple[Case, ...]:
    """Raises Rejected with every finding of the file."""
    plain, name = read_toml(source, name or ("cases.toml" if isinstance(source, bytes) else ""))
    reader = Reader(plain, ("meta", "case"), file=name)
    if meta := reader.table("meta", META_KEYS):
        meta.number("schema", least=SCHEMA, most=SCHEMA)
    cases = [read_case(table) for table in reader.tables("case", CASE_KEYS, named="slug")]
    return _agreed(cases, reader.findings, name)


def write_cases_toml(cases: Iterable[Case]) -> str:
    parts = [f"[meta]\nschema = {SCHEMA}\n"]
    for case in cases:
        plain = case_to_plain(case)
        events = plain.pop("event")
        parts.append("[[case]]\n" + _toml_table(plain, ""))
        parts += ["  [[case.event]]\n" + _toml_table(event, "  ") for event in events]
    return "\n".join(parts)


def _toml_table(plain: Plain, indent: str) -> str:
    return "".join(f"{indent}{key} = {_toml_value(key, value, indent)}\n" for key, value in plain.items())


def _toml_value(key: str, value: object, indent: str) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{part} = {_toml_value(part, item, '')}" for part, item in value.items()) + " }"
    if isinstance(value, list):
        items = [_toml_value(key, item, "") for item in value]
        line = "[" + ", ".join(items) + "]"
        if len(items) <= 1 or len(indent + key + line) <= _LINE:
            return line
        return "[\n" + "".join(f"{indent}  {item},\n" for item in items) + f"{indent}]"
    return json.dumps(value)


def write_cases_csv(cases: Iterable[Case]) -> str:
    """One row an event. What belongs to the case stands in its first row; the others carry the slug."""
    return write_sheet(COLUMNS, (row for case in cases for row in _rows(case)))


def _rows(case: Case) -> Iterable[dict[str, str]]:
    plain = case_to_plain(case)
    events = [_flat(event) for event in plain.pop("event")] or [{}]
    yield {key: _cell(value) for key, value in (plain | events[0]).items()}
    for event in events[1:]:
        yield {key: _cell(value) for key, value in ({"slug": case.slug} | event).items()}


def _flat(event: Plain) -> Plain:
    sentence = event.get("sentence", {})
    return {_EVENT + key: value for key, value in (event | sentence).items() if key != "sentence"}


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def read_cases_csv(source: bytes | Path, name: str = "") -> tuple[Case, ...]:
    """Rows of a case may stand anywhere. Raises Rejected with every finding and its line."""
    name = name or ("cases.csv" if isinstance(source, bytes) else "")
    sheet = read_sheet(source, COLUMNS, required=("slug",), name=name)
    by_slug: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sheet.rows:
        if slug := normal(row.cells["slug"]):
            by_slug[slug].append(row)
        else:
            problem = "has no slug."
            sheet.findings.append(Finding(sheet.file, f"line {row.line}", problem, "Say whose event this is."))
    cases = [_case_of_rows(rows, sheet.file, sheet.findings) for rows in by_slug.values()]
    return _agreed(cases, sheet.findings, sheet.file)


def _case_of_rows(rows: Sequence[Row], file: str, findings: list[Finding]) -> Case:
    plain: Plain = {}
    events: list[Plain] = []
    places: list[str] = []
    for row in rows:
        place = f"line {row.line}"
        report = _reporter(file, place, findings)
        for key in _CASE_COLUMNS:
            value = _value(key, row.cells[key], report)
            if value is not None and plain.setdefault(key, value) != value:
                report(key, "differs from another row of this case.", "Fill it in once and leave the rest empty.")
        cells = {key: row.cells[key] for key in _EVENT_COLUMNS}
        if any(cell.strip() for cell in cells.values()):
            events.append(_event_of_cells(cells, report))
            places.append(place)
    reader = Reader(plain | {"event": events}, CASE_KEYS, file=file, where=f"line {rows[0].line}", findings=findings)
    return read_case(reader, places)


def _event_of_cells(cells: Mapping[str, str], report: Report) -> Plain:
    values = {key.removeprefix(_EVENT): _value(key, cell, report) for key, cell in cells.items()}
    plain = {key: value for key, value in values.items() if value is not None}
    sentence = {key: plain.pop(key) for key in SENTENCE_KEYS if key in plain}
    return plain | ({"sentence": sentence} if sentence else {})


def _value(column: str, cell: str, report: Report) -> object:
    """What the cell says, None where it is empty."""
    text = normal(cell)
    if not text:
        return None
    value: object
    if _TYPES.get(column) in {bool, bool | None}:
        value, remedy = {"true": True, "false": False}.get(text.casefold()), "Write true, false or nothing."
    elif _TYPES.get(column) == int | None:
        whole = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
        value, remedy = int(text) if whole else None, "Write a whole number, in digits alone."
    else:
        return text.split("\n") if get_origin(_TYPES.get(column)) is tuple else text
    if value is None:
        report(column, "“{text}” cannot be read.", remedy, text=text[:40])
    return value


def _reporter(file: str, place: str, findings: list[Finding]) -> Report:
    def report(key: str, problem: str, remedy: str, **fields: object) -> None:
        findings.append(Finding(file, f"{place}: {key}", problem, remedy, fields))

    return report


def _agreed(cases: Sequence[Case], findings: list[Finding], file: str) -> tuple[Case, ...]:
    """What no case can see alone: a slug used twice, one hearing on two days."""
    findings += [
        Finding(file, f"case “{slug}”", "stands twice.", "Join the two, or give one another slug.")
        for slug, times in Counter(case.slug for case in cases).items()
        if slug and times > 1
    ]
    hearings = defaultdict(set)
    for event in (event for case in cases for event in case.events if event.joint):
        hearings[event.joint].add(f"{event.kind} of {event.date}")
    findings += [
        finding(file, f"joint “{joint}”", "names {days}.", "One name is one hearing.", days=", ".join(sorted(days)))
        for joint, days in hearings.items()
        if len(days) > 1
    ]
    if findings:
        raise Rejected(findings)
    return tuple(cases)
