"""The dispatch loop: one writer gathers what came back and what may start, and commits both in one wave."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from bot.daemon.clockwatch import ClockWatch
from bot.domain.errors import CampaignError
from bot.logs import log
from bot.ports import Absent, Failure
from bot.services import clock, deliver, share
from bot.services.context import Context
from bot.services.errands import Done, Errand, answer
from bot.services.gate import Worker
from bot.store import heartbeats

IDLE_S = 60.0
PAUSE_AFTER_FAILURE_S = 2.0


class Dispatcher:
    """One errand at a time on each channel, so that a slow platform delays no other.

    `on_next` is told the next due moment after every wave, and is expected to call `wake` then.
    """

    def __init__(self, ctx: Context, worker: Worker, on_next: Callable[[datetime | None], None]) -> None:
        self._ctx = ctx
        self._worker = worker
        self._on_next = on_next
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._unwritten: list[Done] = []
        self._busy: set[str] = set()
        self._resting: dict[str, datetime] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        with ctx.store.read() as tx:
            self._doubted = heartbeats.in_doubt(tx, worker.name)
            self._watch = ClockWatch(ctx.clock, heartbeats.highest(tx), suspect=self._doubted)
        self._pool = ThreadPoolExecutor(max(len(ctx.channels), 1), thread_name_prefix="channel")

    def wake(self) -> None:
        self._wake.set()

    def look(self) -> None:
        """Find what other processes have queued since; wakes the loop when something is due."""
        self._on_next(self._next_moment())

    def _next_moment(self) -> datetime | None:
        away = {*self._busy, *self._resting}
        moment = share.next_moment(self._ctx, self._worker, [each for each in self._ctx.channels if each not in away])
        return min(filter(None, (moment, *self._resting.values())), default=None)

    def stop(self) -> None:
        """Begin nothing new; what is in flight is waited for and written down."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Until stopped. A failing database is tried again; what came back is kept until it is written."""
        while not (self._stopping.is_set() and not self._busy):
            self._wake.wait(IDLE_S)
            self._wake.clear()
            try:
                self.turn()
            except CampaignError as error:
                log.error("wave_failed", error=type(error).__name__, detail=str(error))
                self._stopping.wait(PAUSE_AFTER_FAILURE_S)
                self._wake.set()
        self._pool.shutdown(wait=True)

    def turn(self) -> None:
        """One wave: commit, then hand out the errands."""
        self._collect()
        free = [] if self._stopping.is_set() else [name for name in self._ctx.channels if name not in self._busy]
        suspect, now = self._clock_is_suspect(), self._ctx.now()
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        errands = deliver.wave(
            self._ctx, self._worker, self._unwritten, free, clock_suspect=suspect, resting=self._resting
        )
        self._unwritten.clear()
        for errand in errands:
            self._busy.add(errand.delivery.channel)
            self._pool.submit(self._run_errand, errand)
        # By a clock in doubt the poll comes back soon enough; where answers wait, the next wave begins at once anyway.
        if not suspect and self._done.empty():
            self._on_next(self._next_moment())

    def _clock_is_suspect(self) -> bool:
        """Told to everybody as soon as it is seen; over as soon as anybody says so."""
        if self._doubted and not clock.in_doubt(self._ctx, self._worker.name):
            self._watch.trust()
            self._doubted = False
        if self._watch.is_suspect() and not self._doubted:
            clock.doubt(self._ctx, self._worker.name)
            self._doubted = True
            log.error("clock_suspect")
        return self._doubted

    def _collect(self) -> None:
        while True:
            try:
                done = self._done.get_nowait()
            except queue.Empty:
                return
            self._busy.discard(done.errand.delivery.channel)
            self._unwritten.append(done)
            if isinstance(done.outcome, Absent) and done.outcome.failure is Failure.RATE_LIMITED:
                # The limit is the account's: whatever else is due there would only be refused as well.
                self._resting[done.errand.delivery.channel] = done.outcome.retry_at or self._ctx.now()

    def _run_errand(self, errand: Errand) -> None:
        self._done.put(answer(self._ctx, errand))
        self._wake.set()
