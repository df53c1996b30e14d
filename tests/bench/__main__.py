"""`make bench`, or `python -m tests.bench [--quick] [--json] [PART…]`: measures, and says which goals are met."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.bench import burst, endurance, limits, pages, processes, volume
from tests.bench.figures import Figure, as_json, as_table


def parts(*, quick: bool) -> Mapping[str, Callable[[Path], Iterator[Figure]]]:
    return {
        "limits": limits.limits,
        "lines": lambda _: processes.lines(),
        "start-up": partial(processes.start_ups, quick=quick),
        "idle": processes.idling,
        "burst": partial(burst.bursts, quick=quick),
        "slow-disk": partial(burst.slow_disks, quick=quick),
        "postgresql": partial(burst.postgresqls, quick=quick),
        "kill": partial(endurance.killed, quick=quick),
        "queue": partial(endurance.long_queues, quick=quick),
        "three": partial(endurance.three, quick=quick),
        "year": partial(processes.rehearsed_years, quick=quick),
        "planning": partial(volume.planned_years, quick=quick),
        "audit": partial(volume.verified_logs, quick=quick),
        "pages": partial(pages.pages, quick=quick),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(parts(quick=True))}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and less of everything, in four minutes")
    parser.add_argument("--json", action="store_true", help="the figures as JSON, each with all its runs")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(parts(quick=True)):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="campaignbot-bench-") as folder:
        found = [
            figure
            for name, measure in parts(quick=chosen.quick).items()
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
