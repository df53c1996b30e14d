"""Rows of a spreadsheet: CSV that Excel and LibreOffice open, and that cannot make them run anything."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import Finding, Rejected
from bot.domain.reader import finding, normal
from bot.library.files import MAX_BYTES, read_source

# A spreadsheet runs a cell that begins so; our apostrophe tells it not to, and is taken away again on import.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\0", "'")
_DELIMITERS = ",;\t"
_BOM = "\ufeff"  # without it Excel takes Vietnamese for an old code page


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where it begins in the file; every known column has a cell, empty where the file has none."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    file: str
    rows: tuple[Row, ...]
    findings: list[Finding]


def guard(cell: str) -> str:
    return "'" + cell if cell.startswith(_RUNS) else cell


def unguard(cell: str) -> str:
    return cell.removeprefix("'")


def write_sheet(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Begins with a byte order mark, so that Excel reads it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([guard(row.get(column, "")) for column in columns] for row in rows)
    return _BOM + out.getvalue()


def read_sheet(source: bytes | Path, columns: Sequence[str], *, required: Sequence[str], name: str = "") -> Sheet:
    """Good rows, and findings about bad ones. Raises Rejected if the file or its first line is of no use."""
    text, name = read_source(source, name)
    header_text = text.partition("\n")[0]
    delimiter = next((letter for letter in header_text if letter in _DELIMITERS), ",")
    csv.field_size_limit(MAX_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    findings: list[Finding] = []
    line = 1
    try:
        header = _header(next(reader, []), columns, required, name)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells[len(header) :]):
                problem = "has {cells} cells, the first line names {columns}."
                remedy, counts = (
                    "Put text with a comma in quotation marks.",
                    {"cells": len(cells), "columns": len(header)},
                )
                findings.append(Finding(name, f"line {line}", problem, remedy, counts))
            elif any(cell.strip() for cell in cells):
                known = zip(header, map(unguard, cells), strict=False)
                rows.append(Row(line, {**dict.fromkeys(columns, ""), **dict(known)}))
            line = reader.line_num + 1
    except csv.Error as error:
        problem, remedy = "is not CSV from here on: {why}.", "Look for a lone quotation mark."
        findings.append(finding(name, f"line {line}", problem, remedy, why=str(error)))
    return Sheet(name, tuple(rows), findings)


def _header(cells: Sequence[str], columns: Sequence[str], required: Sequence[str], name: str) -> list[str]:
    header = [normal(unguard(cell)).casefold() for cell in cells]
    while header and not header[-1]:
        header.pop()
    findings = [
        finding(name, "line 1", "unknown column “{name}”.", "Remove it.", near=(cell, columns), name=cell[:40])
        for cell in header
        if cell not in columns
    ]
    findings += [
        finding(name, "line 1", "the column “{name}” stands twice.", "Remove one.", name=cell[:40])
        for cell, times in Counter(header).items()
        if times > 1
    ]
    findings += [
        finding(name, "line 1", "the column “{name}” is missing.", "The first line names the columns.", name=column)
        for column in required
        if column not in header
    ]
    if findings:
        raise Rejected(findings)
    return header
