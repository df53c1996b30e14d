"""What a long queue, a sudden end, and more daemons on one database change."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.burst import OURS, measured, running, words
from tests.bench.figures import Figure, of_runs, percentile, say
from tests.bench.processes import cpu_s, pss_mib
from tests.bench.service import Service, serving
from tests.bench.stock import Stock, fresh, server, stocked

DUE, IDLE_S, LEAD_S = 100, 10, 15.0
KILLED_AT, ALL = 400, 1_000


def long_queues(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """One daemon idle, then a hundred due; and one that starts when they are due already."""
    few, many = 1_000, 100_000 if quick else 1_000_000
    found = {later: _queued(folder / f"queue-{later}", later) for later in (few, many)}
    how = f"{DUE} due at once, and {few:,} or {many:,} posts queued for a year on; SQLite, once each"
    for what, unit, goal in (
        ("start-up to the first request", "s", "1.2"),
        ("lateness p50", "s", "1.2"),
        ("CPU while idle", "%", "1.2"),
        ("memory while idle", "MiB", ""),
    ):
        for later in (few, many):
            yield Figure(f"{later:,} queued: {what}", found[later][what], unit, how)
        if goal:
            ratio = found[many][what] / max(found[few][what], 0.001)
            yield Figure(f"{many:,} beside {few:,}: {what}", ratio, "×", how, goal)
    more = found[many]["memory while idle"] - found[few]["memory while idle"]
    yield Figure(f"{many:,} beside {few:,}: memory", max(more, 0.0), "MiB", how, "10")


def _queued(folder: Path, later: int) -> dict[str, float]:
    say(f"a queue of {later:,}")
    with stocked(folder / "stock", DUE, later) as stock:
        with serving(0.0, stock.port) as service, fresh(stock, folder / "idle") as here:
            due = datetime.now(UTC) + timedelta(seconds=LEAD_S + IDLE_S + later / 100_000)
            with running(words(OURS, here, due, DUE)) as process:
                time.sleep(3)
                before, began = cpu_s(process.pid), time.monotonic()
                time.sleep(IDLE_S)
                idle = (cpu_s(process.pid) - before) / (time.monotonic() - began) * 100
                memory = pss_mib(process.pid)
                run = measured([process.pid], service, DUE, due)
        with serving(0.0, stock.port) as service, fresh(stock, folder / "late") as here:
            began = time.time()
            due = datetime.fromtimestamp(began, UTC) - timedelta(seconds=1)
            with running(words(OURS, here, due, DUE)):
                first = _await(service, 1)[0]
    return {
        "start-up to the first request": first - began,
        "lateness p50": percentile(run.late, 0.5),
        "CPU while idle": idle,
        "memory while idle": memory,
    }


def _await(service: Service, count: int) -> list[float]:
    until = time.monotonic() + 120
    while service.count() < count:
        if time.monotonic() > until:
            raise RuntimeError((service.count(), count))
        time.sleep(0.005)
    return [moment for moment, _ in service.arrivals()]


def killed(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """SIGKILL after 400 of 1,000, and a new daemon at once; what was in flight is repeated or held, never doubled."""
    again, double = [], []
    with stocked(folder / "killed", ALL) as stock:
        for number in range(1 if quick else 3):
            say(f"killed in the middle, round {number + 1}")
            with serving(0.05, stock.port) as service, fresh(stock, folder / f"killed-{number}") as here:
                due = datetime.now(UTC) + timedelta(seconds=LEAD_S)
                with running(words(OURS, here, due, ALL)) as process:
                    while service.count() < KILLED_AT:
                        time.sleep(0.01)
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                time.sleep(0.1)
                before = service.arrivals()
                began = time.time()
                with running(words(OURS, here, due, ALL)):
                    time.sleep(8)
                    after = service.arrivals()
                again.append(min(moment for moment, _ in after) - began)
                keys = [key for _, key in (*before, *after)]
                double.append(float(len(keys) - len(set(keys))))
    how = f"SIGKILL after {KILLED_AT} of {ALL:,} at 50 ms, a new daemon at once"
    yield of_runs("sending again after kill -9", again, "s", how, "2")
    yield of_runs("sent twice after kill -9", double, "posts", how, "0")


def three(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """One daemon and three on one PostgreSQL, in turn."""
    count, rates = 1_000 if quick else 4_000, {1: [0.0], 3: [0.0]}
    with ExitStack() as kept:
        address = kept.enter_context(server(folder / "three-pg"))
        if not address:
            say("left out, since there is no PostgreSQL: three daemons")
            return
        stock = kept.enter_context(stocked(folder / "three", count, server=address))
        for number in range(1 if quick else 3):
            for daemons, found in rates.items():
                say(f"{daemons} on one PostgreSQL, round {number + 1}")
                found.append(_together(folder / f"three-{number}-{daemons}", stock, count, daemons))
    how = f"{count:,} due at once at 0 ms on one PostgreSQL, on a machine of {os.cpu_count()} cores"
    ratio = [three / one for one, three in zip(rates[1][1:], rates[3][1:], strict=True)]
    yield of_runs("PostgreSQL, one daemon", rates[1][1:], "/s", how)
    yield of_runs("PostgreSQL, three daemons", rates[3][1:], "/s", how)
    yield of_runs("three daemons beside one", ratio, "×", how, "≥ 1.6")


def _together(folder: Path, stock: Stock, count: int, daemons: int) -> float:
    with ExitStack() as kept:
        service = kept.enter_context(serving(0.0, stock.port))
        here = kept.enter_context(fresh(stock, folder))
        due = datetime.now(UTC) + timedelta(seconds=LEAD_S + count / 500)
        started = [kept.enter_context(running(words(OURS, here, due, count))) for _ in range(daemons)]
        return measured([each.pid for each in started], service, count, due).rate
