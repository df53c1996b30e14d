"""What this machine can do at all: commits, requests through one door and through forty."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from bot.ports import Published, Receipt
from tests.bench.figures import Figure, say
from tests.bench.peers import Office
from tests.bench.service import serving
from tests.bench.stock import CHANNELS
from tests.system.installation import free_port

COMMITS, REQUESTS = 500, 2_000


def limits(folder: Path) -> Iterator[Figure]:
    say("what the machine can do at all")
    port, now = free_port(), datetime.now(UTC)
    with (folder / "flushed").open("wb") as file:
        began = time.perf_counter()
        for _ in range(COMMITS):
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        flushes = COMMITS / (time.perf_counter() - began)
    yield Figure("flushes to the disk", flushes, "/s", "4 KiB appended and fdatasync, one after the other")
    with serving(0.0, port):
        here = Office(str(folder), port)
        began = time.perf_counter()
        for number in range(COMMITS):
            here.keep([(number, Published(Receipt("1")))])
        rate = COMMITS / (time.perf_counter() - began)
        yield Figure("commits", rate, "/s", "an outcome and a record each, SQLite, through SQLAlchemy as a peer's")
        with ThreadPoolExecutor(CHANNELS) as pool:
            list(pool.map(lambda number: here.publish(number, now), range(CHANNELS)))
            began, before = time.perf_counter(), time.process_time()
            list(pool.map(lambda number: here.publish(number, now), range(REQUESTS)))
        rate, spent = REQUESTS / (time.perf_counter() - began), time.process_time() - before
        how = f"{CHANNELS} doors at once, answered at once, nothing written"
        yield Figure("requests", rate, "/s", how)
        yield Figure("CPU a request", spent * 1000 / REQUESTS, "ms", how)
