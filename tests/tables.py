"""Runs the contract suite and writes down what it found: platforms × clauses, platforms × faults.

`python -m tests.tables docs/platforms.md`; without a file it prints.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.contracts.network_contract import NetworkContract
from tests.contracts.platform_contract import PlatformContract

HOUSE = Path(__file__).parents[1]
SERVICES = {"X": "x", "Facebook": "facebook", "Bluesky": "bluesky", "Mastodon": "mastodon", "Telegram": "telegram"}
REHEARSAL = "Rehearsal"
HEAD = """# What every platform was found to do

Written by `python -m tests.tables docs/platforms.md` from one run of the contract suite: the real code of each platform
against a service on loopback that behaves as recorded (`tests/contracts/simulators/`). A number says in how many cases
the clause was tried. Where a service cannot do a thing, the clause asks for what is honest instead: no alt text on
Telegram, no language on X, a person's look where nothing else can tell.
"""
FAULTS = """
## What becomes of each fault

First what is known at once, then what a look at the account tells. *Unknown* is never sent again by itself: it is
looked for, and where that tells nothing a person decides. *Absent* was surely not posted.
"""


class Collector:
    """A pytest plugin: what passed, by clause and platform, and how each fault ended."""

    def __init__(self) -> None:
        self.passed: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.failed: set[tuple[str, str]] = set()
        self.ends: dict[str, dict[str, str]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        _, kind, test = (*report.nodeid.split("::"), "")[:3]
        platform = REHEARSAL if kind.startswith("TestLike") else kind.removeprefix("Test")
        clause = test.partition("[")[0]
        if platform not in {*SERVICES, REHEARSAL} or not hasattr(NetworkContract, clause):
            return
        if report.failed:
            self.failed.add((clause, platform))
        elif report.when == "call":
            self.passed[clause][platform] += 1
            for fault, end in report.user_properties:
                self.ends[fault][platform] = str(end)


def table(heads: Iterable[str], rows: Mapping[str, Mapping[str, str]]) -> str:
    heads = list(heads)
    lines = [f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(cells.get(head, '–') for head in heads)} |" for name, cells in rows.items()]
    return "\n".join(lines) + "\n"


def clauses(found: Collector) -> Mapping[str, Mapping[str, str]]:
    order = [name for kind in (PlatformContract, NetworkContract) for name in vars(kind) if name.startswith("test_")]
    return {
        name.removeprefix("test_").replace("_", " "): {
            platform: "**✕**" if (name, platform) in found.failed else f"✓ {times}"
            for platform, times in found.passed[name].items()
        }
        for name in order
    }


def main() -> int:
    found = Collector()
    files = [f"tests/contracts/test_{name}.py" for name in (*SERVICES.values(), REHEARSAL.lower())]
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-k", "Test", *files], plugins=[found])
    said = HEAD + "\n" + table((*SERVICES, REHEARSAL), clauses(found)) + FAULTS + "\n" + table(SERVICES, found.ends)
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(said, "utf-8")
    else:
        print(said)  # noqa: T201 - a tool for the terminal
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
