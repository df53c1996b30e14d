"""Posts due at one instant on forty accounts of one service: ours and its peers, in turn, through the same door."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.figures import Figure, of_runs, percentile, say
from tests.bench.processes import cpu_s, pss_mib
from tests.bench.service import Service, serving
from tests.bench.stock import CHANNELS, Stock, fresh, server, stocked
from tests.databases import database, on
from tests.system.installation import HOUSE

LEAD_S, MARGIN_S, ENOUGH_S = 6.0, 1.0, 300.0
OURS, APSCHEDULER, PGQUEUER, BARE = "campaignbot", "APScheduler", "PgQueuer", "bare loop"
DOES: Mapping[str, str] = {APSCHEDULER: "apscheduler", PGQUEUER: "pgqueuer", BARE: "bare"}
SLOW_DISK = HOUSE / "tests" / "bench" / "slow_disk.c"


@dataclass(frozen=True)
class Race:
    """What all run in turn."""

    what: str
    count: int
    latency_s: float
    server: str = ""
    shim: Path | None = None

    @property
    def ideal_s(self) -> float:
        """The lateness of the last, if nothing but the service took time."""
        return (self.count / CHANNELS - 1) * self.latency_s


@dataclass(frozen=True)
class Run:
    """Seconds after the due moment at which each post arrived, in order; CPU in ms a delivery, memory in MiB."""

    late: Sequence[float]
    cpu_ms: float
    memory_mib: float

    @property
    def rate(self) -> float:
        return len(self.late) / self.late[-1]

    def late_by(self, part: float) -> float:
        return percentile(self.late, part)


def bursts(folder: Path, *, quick: bool) -> Iterator[Figure]:
    many, rounds = (2_000, 1) if quick else (10_000, 3)
    for race in (Race("0 ms", many, 0.0), Race("50 ms", 1_000, 0.05)):
        yield from raced(folder, race, rounds)


def slow_disks(folder: Path, *, quick: bool) -> Iterator[Figure]:
    shim = compiled(folder)
    if shim is None:
        say("left out, since there is no C compiler: disks that flush")
        return
    for race in (
        Race("0 ms, fsync + 2 ms", 1_000, 0.0, shim=shim),
        Race("50 ms, fsync + 2 ms", 1_000, 0.05, shim=shim),
    ):
        yield from raced(folder, race, 1 if quick else 3)


def postgresqls(folder: Path, *, quick: bool) -> Iterator[Figure]:
    with server(folder / "pg") as address:
        if not address:
            say("left out, since there is none here: PostgreSQL")
            return
        many, rounds = (1_000, 1) if quick else (4_000, 3)
        for latency, count in ((0.0, many), (0.05, 1_000)):
            name = f"{latency * 1000:.0f} ms, PostgreSQL"
            yield from raced(folder, Race(name, count, latency, server=address), rounds)


def compiled(folder: Path) -> Path | None:
    made = folder / "slow_disk.so"
    compiler = shutil.which("cc")
    words = (str(compiler), "-shared", "-fPIC", "-O2", str(SLOW_DISK), "-o", str(made), "-ldl")
    return made if compiler and subprocess.run(words, check=False).returncode == 0 else None


def raced(folder: Path, race: Race, rounds: int) -> Iterator[Figure]:
    place = folder / re.sub("[^a-z0-9]", "", race.what.lower())
    names = [OURS, PGQUEUER if race.server else APSCHEDULER, BARE]
    runs: dict[str, list[Run]] = {name: [] for name in names}
    with stocked(place / "stock", race.count, server=race.server) as stock:
        for number in range(rounds):
            for name, found in runs.items():
                say(f"{race.count:,} due at once, {race.what}: {name}, round {number + 1} of {rounds}")
                found.append(one_run(place / f"{name}-{number}", name, race, stock))
                say(f"… {found[-1].rate:,.0f}/s, {found[-1].cpu_ms:.2f} ms of CPU a delivery")
    yield from figures(race, runs)


def one_run(folder: Path, name: str, race: Race, stock: Stock) -> Run:
    """With more and more time to get ready in, where the machine is too busy."""
    lead = LEAD_S + race.count / 500
    while True:
        with ExitStack() as kept:
            service = kept.enter_context(serving(race.latency_s, stock.port))
            place = kept.enter_context(fresh(stock, folder) if name == OURS else elsewhere(stock, folder))
            due = datetime.now(UTC) + timedelta(seconds=lead)
            process = kept.enter_context(running(words(name, place, due, race.count), race.shim))
            if datetime.now(UTC) < due - timedelta(seconds=MARGIN_S):
                return measured([process.pid], service, race.count, due)
        lead *= 2
        say(f"getting ready took too long; again, within {lead:.0f} s")


def words(name: str, place: Stock, due: datetime, count: int) -> tuple[str, ...]:
    if name == OURS:
        return ("tests.bench.worker", str(place.config), str((place.due - due).total_seconds()))
    where = on(place.server, place.name) if place.server else str(place.folder)
    return ("tests.bench.peers", DOES[name], where, due.isoformat(), str(place.port), str(count))


@contextmanager
def elsewhere(stock: Stock, folder: Path) -> Iterator[Stock]:
    """An empty place for a peer, on the same kind of database."""
    folder.mkdir(parents=True)
    try:
        if stock.server:
            with database(stock.server) as name:
                yield replace(stock, folder=folder, name=name)
        else:
            yield replace(stock, folder=folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(words: Sequence[str], shim: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A module of ours, from the moment it says that it is ready; killed at the end."""
    environment = dict(os.environ) | ({"LD_PRELOAD": str(shim)} if shim else {})
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, cwd=HOUSE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or not process.stdout.readline().startswith("Ready"):
                raise RuntimeError(words)
            yield process
        finally:
            process.kill()


def measured(pids: Sequence[int], service: Service, count: int, due: datetime) -> Run:
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - MARGIN_S / 2))
    before = sum(cpu_s(pid) for pid in pids)
    until, memory = time.monotonic() + ENOUGH_S, 0.0
    while service.count() < count:
        time.sleep(0.1)
        memory = max(memory, sum(pss_mib(pid) for pid in pids))
        if time.monotonic() > until:
            raise RuntimeError((service.count(), count))
    time.sleep(0.5)  # the last outcome is still to be written, and whatever is sent twice to come
    spent = sum(cpu_s(pid) for pid in pids) - before
    arrivals = service.arrivals()
    late = sorted(moment - due.timestamp() for moment, _ in arrivals)
    if len(late) != count or len({key for _, key in arrivals}) != count or late[0] < 0:
        raise RuntimeError((len(late), len({key for _, key in arrivals}), late[0]))
    return Run(late, spent * 1000 / count, memory)


def figures(race: Race, runs: Mapping[str, Sequence[Run]]) -> Iterator[Figure]:
    mine, rounds = runs[OURS], len(runs[OURS])
    how = f"{race.count:,} posts due at once, {CHANNELS} accounts, requests through the same door; median of {rounds}"
    for name, found in runs.items():
        yield of_runs(f"{race.what}: {name}", [run.rate for run in found], "/s", how)
    for name, found in runs.items():
        if name != OURS:
            ratio = [run.rate / other.rate for run, other in zip(mine, found, strict=True)]
            yield of_runs(f"{race.what}: ours beside {name}", ratio, "×", how, _rate_goal(race, name))
    if race.latency_s:
        goal = 1.25 if race.shim else 1.15
        late = [run.late_by(0.99) / race.ideal_s for run in mine]
        yield of_runs(f"{race.what}: p99 lateness beside ideal", late, "×", how, f"{goal}")
        for name, found in runs.items():
            yield of_runs(f"{race.what}: p50 lateness, {name}", [run.late_by(0.5) for run in found], "s", how)
            yield of_runs(f"{race.what}: CPU a delivery, {name}", [run.cpu_ms for run in found], "ms", how)
        for name in runs.keys() - {OURS, BARE}:
            ratio = [run.cpu_ms / other.cpu_ms for run, other in zip(mine, runs[name], strict=True)]
            yield of_runs(f"{race.what}: CPU beside {name}", ratio, "×", how, "1.5")
    yield of_runs(f"{race.what}: the first is late by", [run.late[0] for run in mine], "s", how, "0.1")
    yield of_runs(f"{race.what}: memory of the worker", [run.memory_mib for run in mine], "MiB", how, "100")


def _rate_goal(race: Race, name: str) -> str:
    """Where the service takes time, or for a loop without queue and gate, there is none."""
    if race.latency_s or name == BARE:
        return ""
    return "≥ 4" if race.shim else "≥ 1"
