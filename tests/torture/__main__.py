"""`make torture`: MINUTES of it (15), on DATABASE (sqlite or postgresql), from a SEED to begin the same way again."""

import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.torture.accounts import KINDS, accounts
from tests.torture.judge import Verdict, judge
from tests.torture.postgres import Server
from tests.torture.world import Plan, World

EACH = 4
# On SQLite one daemon works and one stands by, so several installations suffer side by side.
WORLDS = {"sqlite": 3, "postgresql": 2}
DAEMONS = {"sqlite": 2, "postgresql": 3}
ROWS = (
    "starts", "kills", "stops", "halts", "full disks", "crashes of the database", "ended by itself", "freed",
    "posts refused", "posts", "deliveries", "requests", "published", "held", "failed", "missed", "cancelled", "waiting",
    "lost", "double", "misjudged", "silent", "stuck", "given up", "early", "after a halt", "log", "broken", "crashes",
)  # fmt: skip


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def torture(database: str, seconds: float, seed: int) -> list[tuple[World, Verdict]]:
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="campaignbot-torture-"))
        server = stack.enter_context(Server()) if database == "postgresql" else None
        worlds = []
        for number in range(WORLDS[database]):
            plan = Plan(seconds, daemons=DAEMONS[database], seed=seed + number, posts_a_second=0.2)
            if server:
                plan.database, plan.owner = stack.enter_context(server.database())
                plan.crash = server.crash if number == 0 else None
            (folder / str(number)).mkdir(mode=0o700)
            worlds.append(World(folder / str(number), accounts(EACH), plan))
        threads = [
            threading.Thread(target=world.run, args=(lambda line, n=n: say(f"[{n}] {line}"),))
            for n, world in enumerate(worlds)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [(world, judge(world)) for world in worlds]
        for world in worlds:
            world.ctx.store.close()
    if not any(verdict.faults for _, verdict in found):
        shutil.rmtree(folder)
    else:
        say(f"what was left behind: {folder}")
    return found


def main() -> int:
    database, minutes = os.environ.get("DATABASE", "sqlite"), float(os.environ.get("MINUTES", "15"))
    seed = int(os.environ.get("SEED", "0")) or secrets.randbelow(10**6)
    if database not in WORLDS:
        say(f"DATABASE is sqlite or postgresql, not {database}.")
        return 2
    say(f"{minutes:g} minutes on {database}, seed {seed}, accounts on {', '.join(KINDS)}")
    found = torture(database, minutes * 60, seed)
    total: Counter[str] = sum((verdict.figures for _, verdict in found), Counter())
    for row in ROWS:
        print(f"{row:>26}  {total[row]}")
    for name, number in total.items():
        if name.startswith("  "):
            print(f"{number:>26}  {name.strip()}")
    faults = [fault for _, verdict in found for fault in verdict.faults]
    print(*faults[:40], sep="\n")
    say("guilty" if faults else "nothing was lost, nothing was doubled")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
