"""One measured figure, and the table and JSON they end up in."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`goal` is an upper bound unless it says “≥”; empty where there is none. `runs` are behind the value."""

    what: str
    value: float
    unit: str
    how: str
    goal: str = ""
    runs: tuple[float, ...] = ()

    @property
    def is_met(self) -> bool | None:
        if not self.goal:
            return None
        least = self.goal.startswith("≥")
        bound = float(self.goal.lstrip("≥≤ "))
        return self.value >= bound if least else self.value <= bound


def of_runs(what: str, runs: Sequence[float], unit: str, how: str, goal: str = "") -> Figure:
    """The median."""
    return Figure(what, median(runs), unit, how, goal, tuple(round(run, 4) for run in runs))


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


_STARTED = time.monotonic()


def say(what: str) -> None:
    """Progress, beside the table and not in it."""
    print(f"[{time.monotonic() - _STARTED:5.0f} s] {what}", file=sys.stderr, flush=True)


def as_json(figures: Sequence[Figure]) -> str:
    return json.dumps([asdict(one) | {"met": one.is_met} for one in figures], ensure_ascii=False, indent=2)


def as_table(figures: Sequence[Figure]) -> str:
    """Each figure with the number of the note that says how it was measured."""
    marks = {None: "", True: "met", False: "MISSED"}
    notes = list(dict.fromkeys(one.how for one in figures))
    rows = [
        (one.what, _number(one.value), one.unit, one.goal, marks[one.is_met], f"[{notes.index(one.how) + 1}]")
        for one in figures
    ]
    head = ("What", "Value", "Unit", "Goal", "", "How")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    table = [_row(row, widths) for row in (head, tuple("-" * width for width in widths), *rows)]
    return "\n".join([*table, "", *(f"[{number}] {note}" for number, note in enumerate(notes, 1))])


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    what, value, *rest = row
    cells = [what.ljust(widths[0]), value.rjust(widths[1])]
    cells += [cell.ljust(width) for cell, width in zip(rest, widths[2:], strict=True)]
    return "  ".join(cells).rstrip()


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"
