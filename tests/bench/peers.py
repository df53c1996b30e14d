"""Others doing the same rehearsal writes, each in a process of its own: `python -m tests.bench.peers NAME FOLDER DUE`.

Each keeps an outcome and a hash-chained record of every post in SQLite, committed to the disk as ours are.
"""

import hashlib
import json
import queue
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor as JobThreads
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from bot.domain.post import DEFAULT_LAYOUT, Profile
from bot.domain.text import RULES
from bot.platforms.rehearsal import Rehearsal
from bot.ports import Outcome, Parcel
from bot.store.engine import journal_of

CHANNELS, EACH = 40, 25
TOTAL = CHANNELS * EACH
LIKE = "mastodon"


def channel_name(number: int) -> str:
    return f"account-{number % CHANNELS:02}"


def sqlite_module() -> Any:  # noqa: ANN401 - two modules of one shape
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return import_module("sqlite3.dbapi2")


class Office:
    """Forty rehearsal accounts, and the outcomes of what they were given."""

    def __init__(self, folder: Path) -> None:
        names = {channel_name(number) for number in range(CHANNELS)}
        self._platforms = {name: Rehearsal(folder / "rehearsal", self._profile(name)) for name in names}
        self._lock, self._prev = threading.Lock(), ""
        module = sqlite_module()
        self._database = module.connect(folder / "outcomes.db", isolation_level=None, check_same_thread=False)
        journal, synchronous = journal_of(module.sqlite_version_info)
        for pragma in (f"journal_mode={journal}", f"synchronous={synchronous}"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE IF NOT EXISTS outcomes (number INTEGER PRIMARY KEY, remote TEXT)")
        self._database.execute("CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, record TEXT, leaf TEXT)")

    def _profile(self, name: str) -> Profile:
        rules, layout = RULES[LIKE], DEFAULT_LAYOUT[LIKE]
        return Profile(name, "rehearsal", LIKE, rules, layout, ("vi", "en"), "UTC", f"rehearsal/{LIKE}")

    def publish(self, number: int, due: datetime) -> tuple[int, Outcome]:
        key = hashlib.sha256(str(number).encode()).hexdigest()
        text = f"Câu chuyện số {number}.\n\nStory number {number}."
        parcel = Parcel(number, key, due, text, ("vi", "en"), (), time.monotonic() + 60)
        return number, self._platforms[channel_name(number)].publish(parcel)

    def keep(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """All of them in one commit."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            for number, outcome in outcomes:
                record = json.dumps({"number": number, "outcome": repr(outcome), "prev": self._prev}, sort_keys=True)
                self._prev = hashlib.sha256(record.encode()).hexdigest()
                self._database.execute("INSERT INTO outcomes VALUES (?, ?)", (number, repr(outcome)))
                self._database.execute("INSERT INTO records (record, leaf) VALUES (?, ?)", (record, self._prev))
            self._database.execute("COMMIT")


@cache
def office(folder: str) -> Office:
    return Office(Path(folder))


def send(folder: str, number: int, due: datetime) -> None:
    """One job of APScheduler's, found by its name."""
    office(folder).keep([office(folder).publish(number, due)])


def apscheduler(folder: Path, due: datetime) -> None:
    """A job a post in its own SQLite store; forty threads."""
    store = SQLAlchemyJobStore(f"sqlite:///{folder / 'jobs.db'}")
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": store},
        executors={"default": JobThreads(CHANNELS)},
        job_defaults={"misfire_grace_time": None},
    )
    for number in range(TOTAL):
        scheduler.add_job("tests.bench.peers:send", "date", run_date=due, args=(str(folder), number, due))
    scheduler.start()
    until(due)
    while scheduler.get_jobs():
        time.sleep(0.1)
    scheduler.shutdown(wait=True)


def bare(folder: Path, due: datetime) -> None:
    """No queue and no gate: a thread an account, one writer that commits whatever has come back by then."""
    here = office(str(folder))
    done: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()

    def work(first: int) -> None:
        until(due)
        for number in range(first, TOTAL, CHANNELS):
            done.put(here.publish(number, due))

    with ThreadPoolExecutor(CHANNELS) as pool:
        list_of_work = [pool.submit(work, first) for first in range(CHANNELS)]
        kept = 0
        while kept < TOTAL:
            some = [done.get()]
            while not done.empty():
                some.append(done.get())
            here.keep(some)
            kept += len(some)
        for each in list_of_work:
            each.result()


def until(moment: datetime) -> None:
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(left)


if __name__ == "__main__":
    name, where, at = sys.argv[1:]
    {"apscheduler": apscheduler, "bare": bare}[name](Path(where), datetime.fromisoformat(at))
