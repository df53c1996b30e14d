"""Others doing the same work through the same door, each in a process of its own: `… peers NAME PLACE DUE PORT COUNT`.

Each publishes as Mastodon does, and keeps the outcome and a hash-chained record of every post in one commit. PLACE is
a folder for SQLite, or the address of a PostgreSQL database.
"""

import asyncio
import hashlib
import json
import queue
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any, cast

from apscheduler.executors.pool import ThreadPoolExecutor as JobThreads
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from pydantic import SecretStr
from sqlalchemy import create_engine, event, text

from bot.doors import SystemClock
from bot.platforms.http import Door
from bot.platforms.mastodon import Mastodon
from bot.ports import Outcome, Parcel
from bot.store.engine import Store
from tests.bench.stock import CHANNELS, text_of

_TABLES = (
    "CREATE TABLE IF NOT EXISTS outcomes (number INTEGER PRIMARY KEY, remote TEXT)",
    "CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, record TEXT, leaf TEXT)",
)


class Office:
    """Forty accounts, and the outcomes of what they were given."""

    def __init__(self, place: str, port: int) -> None:
        clock = SystemClock()
        doors = (Door(f"http://127.0.0.1:{port}", clock=clock, timeout_s=30) for _ in range(CHANNELS))
        self._accounts = [(threading.Lock(), Mastodon(door, SecretStr("bench"))) for door in doors]
        self._lock, self._prev, self._seq = threading.Lock(), "", 0
        self._store = Store(place if "://" in place else f"sqlite:///{place}/outcomes.db")
        with self._store.writer.begin() as tx:
            for statement in _TABLES:
                tx.execute(text(statement))
        self._connection = self._store.writer.raw_connection()
        if not self._store.is_sqlite:
            cast("Any", self._connection.driver_connection).autocommit = True

    def publish(self, number: int, due: datetime) -> tuple[int, Outcome]:
        """One request at a time on an account."""
        lock, account = self._accounts[number % CHANNELS]
        key = hashlib.sha256(str(number).encode()).hexdigest()
        deadline = SystemClock().boot() + 600
        with lock:
            parcel = Parcel(number, key, due, text_of(number), ("vi", "en"), (), deadline)
            return number, account.publish(parcel)

    def keep(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """All of them in one commit, in as few words to the driver as it takes."""
        with self._lock:
            numbers, said, places, records, leaves = [], [], [], [], []
            for number, outcome in outcomes:
                record = json.dumps({"number": number, "outcome": repr(outcome), "prev": self._prev}, sort_keys=True)
                self._prev, self._seq = hashlib.sha256(record.encode()).hexdigest(), self._seq + 1
                numbers.append(number)
                said.append(repr(outcome))
                places.append(self._seq)
                records.append(record)
                leaves.append(self._prev)
            driver: Any = self._connection.driver_connection
            if not self._store.is_sqlite:
                driver.execute(_KEEP, (numbers, said, places, records, leaves))
                return
            driver.execute("BEGIN IMMEDIATE")
            driver.executemany("INSERT INTO outcomes VALUES (?, ?)", zip(numbers, said, strict=True))
            driver.executemany("INSERT INTO records VALUES (?, ?, ?)", zip(places, records, leaves, strict=True))
            driver.execute("COMMIT")


_KEEP = """WITH kept AS (INSERT INTO outcomes SELECT * FROM unnest(%s::int[], %s::text[]))
INSERT INTO records SELECT * FROM unnest(%s::int[], %s::text[], %s::text[])"""


@cache
def office(place: str, port: int) -> Office:
    return Office(place, port)


def send(place: str, port: int, number: int, due: datetime) -> None:
    """One job, found by its name."""
    office(place, port).keep([office(place, port).publish(number, due)])


def ready() -> None:
    print("Ready", flush=True)


def apscheduler(place: str, due: datetime, port: int, count: int) -> None:
    """A job a post in its own store; forty threads. Jobs are found by name, in a module that is not this main one."""
    import_module("tests.bench.peers").office(place, port)
    engine = create_engine(f"sqlite:///{place}/jobs.db")
    event.listen(engine, "connect", _without_waiting)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": SQLAlchemyJobStore(engine=engine)},
        executors={"default": JobThreads(CHANNELS)},
        job_defaults={"misfire_grace_time": None},
    )
    scheduler.start(paused=True)
    for number in range(count):
        scheduler.add_job("tests.bench.peers:send", "date", run_date=due, args=(place, port, number, due))
    event.remove(engine, "connect", _without_waiting)
    engine.dispose()
    scheduler.resume()
    ready()
    while True:
        time.sleep(1)


def _without_waiting(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Queueing up need not wait for the disk; the work does."""
    connection.execute("PRAGMA synchronous=OFF")


def bare(place: str, due: datetime, port: int, count: int) -> None:
    """No queue and no gate: a thread an account, one writer that commits whatever has come back by then."""
    here = office(place, port)
    done: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()

    def work(first: int) -> None:
        until(due)
        for number in range(first, count, CHANNELS):
            done.put(here.publish(number, due))

    with ThreadPoolExecutor(CHANNELS) as pool:
        for first in range(CHANNELS):
            pool.submit(work, first)
        ready()
        kept = 0
        while kept < count:
            some = [done.get()]
            while not done.empty():
                some.append(done.get())
            here.keep(some)
            kept += len(some)


def until(moment: datetime) -> None:
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(left)


def pgqueuer(place: str, due: datetime, port: int, count: int) -> None:
    """PgQueuer, polling twice a second and taking all that is due at a time, which is what serves it best.

    A lock in the process keeps an account to one request.
    """
    asyncio.run(_pgqueuer(place, due, port, count))


async def _pgqueuer(place: str, due: datetime, port: int, count: int) -> None:
    import psycopg  # noqa: PLC0415 - not everywhere
    from pgqueuer.db import PsycopgDriver  # noqa: PLC0415
    from pgqueuer.models import Job  # noqa: PLC0415
    from pgqueuer.qm import QueueManager  # noqa: PLC0415
    from pgqueuer.queries import Queries  # noqa: PLC0415

    address = place.replace("+psycopg", "")
    connection: Any = await psycopg.AsyncConnection.connect(address, autocommit=True)
    driver = PsycopgDriver(connection)
    queries = Queries(driver)
    await queries.install()
    office(place, port)
    threads = ThreadPoolExecutor(CHANNELS)
    manager = QueueManager(queries)

    @manager.entrypoint("send")
    async def work(job: Job) -> None:
        number = int(job.payload or b"0")
        await asyncio.get_running_loop().run_in_executor(threads, send, place, port, number, due)

    for start in range(0, count, 1_000):
        numbers = range(start, min(start + 1_000, count))
        left = due - datetime.now(UTC)
        await queries.enqueue(
            ["send"] * len(numbers), [b"%d" % each for each in numbers], [0] * len(numbers), [left] * len(numbers)
        )
    ready()
    await manager.run(dequeue_timeout=timedelta(seconds=0.5), batch_size=count)


if __name__ == "__main__":
    name, where, at, door, many = sys.argv[1:]
    known = {"apscheduler": apscheduler, "bare": bare, "pgqueuer": pgqueuer}
    known[name](where, datetime.fromisoformat(at), int(door), int(many))
