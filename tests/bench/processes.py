"""The program as people run it: how soon it works, what it takes while idle, how long a rehearsed year lasts."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen

from tests.bench.figures import Figure, of_runs, say
from tests.bench.stock import at_home
from tests.system.installation import HOUSE, Installation, copy, install, wait_for

STARTS, YEARS, QUICK = 7, 3, 1
SETTLE_S, IDLE_S = 4, 10
WAIT_S = 60
TICKS = os.sysconf("SC_CLK_TCK")


def lines() -> Iterator[Figure]:
    for folder in ("bot", "tests"):
        count = sum(len(file.read_text().splitlines()) for file in (HOUSE / folder).rglob("*.py"))
        yield Figure(f"lines of Python in {folder}/", count, "lines", "every line of every .py file")


def start_ups(folder: Path, *, quick: bool) -> Iterator[Figure]:
    say("start-up: making an installation with a post that is due")
    original = install(folder / "original", likes=("facebook",))
    due = datetime.now(UTC) + timedelta(seconds=8)
    texts = ("--vi", "Xin đọc câu chuyện này.", "--en", "Please read this story.")
    times = ("--at", due.isoformat(), "--grace", "12h")
    original.run("post", "add", "--campaign", "stop-the-crackdown-vn", *texts, *times, by="binh")
    post = next(row for row in original.read("post", "list") if row["due_at"])
    original.run("post", "submit", str(post["id"]), by="binh")
    digest = original.read("post", "show", str(post["id"]))["digest"]
    original.run("post", "approve", str(post["id"]), "--digest", digest, by="chi")
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    first_dispatch, ready, spent = [], [], []
    starts = QUICK if quick else STARTS
    for number in range(starts):
        say(f"start-up: run {number + 1} of {starts}")
        here = copy(original, folder / f"start-{number}")
        at_home(here.config)
        spawned = time.time()
        with here.running("daemon") as process:
            ready.append(time.time() - spawned)
            spent.append(cpu_s(process.pid))
            wait_for("the first post", partial(here.arrived_at, "facebook"), WAIT_S)
        first_dispatch.append(here.arrived_at("facebook")[0].timestamp() - spawned)
    how = f"`campaignbot daemon` spawned with one post already due; median of {starts}, each on a fresh copy"
    yield of_runs("start-up to the first dispatch", first_dispatch, "s", how, "1")
    yield of_runs("start-up to the line “Ready”", ready, "s", how, "1")
    yield of_runs(
        "start-up to “Ready”, CPU", spent, "s", f"user and system time, whatever else the machine does; {how}"
    )


def idling(folder: Path) -> Iterator[Figure]:
    here = install(folder / "idle", likes=("x", "facebook", "bluesky", "mastodon", "telegram"))
    for words, goal in (("daemon", "100"), ("run", "150")):
        say(f"idle `{words}`: {SETTLE_S + IDLE_S} s")
        with here.running(words) as process:
            time.sleep(SETTLE_S)
            before, began = cpu_s(process.pid), time.monotonic()
            time.sleep(IDLE_S)
            share = (cpu_s(process.pid) - before) / (time.monotonic() - began) * 100
            memory = pss_mib(process.pid)
        how = f"PSS from smaps_rollup, CPU of one core over {IDLE_S} s; shipped cases, 5 accounts, {SETTLE_S} s on"
        yield Figure(f"memory of idle `{words}`", memory, "MiB", how, goal)
        yield Figure(f"CPU of idle `{words}`", share, "%", how)


def pss_mib(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))) / 1024


def cpu_s(pid: int) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rehearsed_years(folder: Path, *, quick: bool) -> Iterator[Figure]:
    here = Installation(folder / "year")
    here.folder.mkdir()
    here.config.write_text((HOUSE / "config.example.toml").read_text())
    here.run("init", "--admin", "an")
    walls, cpus = [], []
    years = QUICK if quick else YEARS
    for number in range(years):
        say(f"a rehearsed year: run {number + 1} of {years}")
        with timed(here, "rehearse", "--from", "2026-12-01", "--days", "365", "--json") as took:
            pass
        walls.append(took[0])
        cpus.append(took[1])
    how = f"`campaignbot rehearse --days 365 --json`, 92 cases, 5 accounts, a whole process; median of {years}"
    yield of_runs("a year rehearsed", walls, "s", how, "10")
    yield of_runs("a year rehearsed, CPU", cpus, "s", how)


@contextmanager
def timed(here: Installation, *words: str, by: str = "") -> Iterator[list[float]]:
    """Runs a command to its end; gives its seconds on the wall, its CPU seconds and its peak memory in MiB."""
    began = time.monotonic()
    acting = ("--as", by) if by else ()
    process = Popen(here.command(*words, *acting), env=here.environment(by), stdout=DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = [time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
    if process.returncode:
        raise RuntimeError(words)
    yield took
