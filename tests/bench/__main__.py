"""`make bench`, or `python -m tests.bench [--json] [PART…]`: measures, prints a table, and says which goals are met."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.bench import burst, processes, volume
from tests.bench.figures import Figure, as_json, as_table

PARTS: Mapping[str, Callable[[Path], Iterator[Figure]]] = {
    "lines": lambda _: processes.lines(),
    "start-up": processes.start_ups,
    "idle": processes.idling,
    "year": processes.rehearsed_years,
    "planning": volume.planned_years,
    "audit": volume.verified_logs,
    "burst": burst.bursts,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="the figures as JSON, each with all its runs")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="campaignbot-bench-") as folder:
        found = [
            figure
            for name, measure in PARTS.items()
            if not chosen.parts or name in chosen.parts
            for figure in measure(Path(folder))
        ]
    if chosen.json:
        print(as_json(found))
    else:
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load}\n")
        print(as_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
