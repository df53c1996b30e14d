"""Runs everything in one process: APScheduler is only the clock, the database is the queue."""

import fcntl
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from bot.daemon import alerts
from bot.daemon.dispatch import Dispatcher
from bot.daemon.peers import Peers
from bot.domain.audit import Act
from bot.domain.errors import CampaignError
from bot.logs import log
from bot.services import anchors, audit, channels, clock, deliver, keeping, plan, review
from bot.services.context import Context
from bot.store import heartbeats

STAND_BY_S = 1.0
KEEP_S = 5.0
HEARTBEAT_S = 30
HOUSEKEEPING_S = 15
PLANNING_MINUTES = 60
CHECKPOINT_S = 60
ACCOUNTS_S = 600
BACKUP_S = 600


class Daemon:
    """One worker from start to orderly stop. On SQLite a second one stands by until the first is gone; on PostgreSQL
    several work, and one of them leads.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._stop = threading.Event()
        self._dispatcher: Dispatcher | None = None
        self._peers = Peers(ctx.store, on_news=partial(self._safely, "news", self._poll), on_lead=self._plan_soon)
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={
                "default": ThreadPoolExecutor(4),
                "alerts": ThreadPoolExecutor(1),
                "accounts": ThreadPoolExecutor(1),
                "backup": ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def run(self, ready: Callable[[], None]) -> None:
        """Blocks until `stop` or SIGTERM. `ready` is called once, when the first wave may begin."""
        with self._only_one():
            if self._stop.is_set():
                return
            worker = deliver.start(self._ctx, self._name)
            self._dispatcher = Dispatcher(self._ctx, worker, self._arm)
            self._note(Act.DAEMON_STARTED)
            self._peers.join()
            self._add_jobs()
            self._scheduler.start()
            threading.Thread(target=self._keep_jobs, name="jobs", daemon=True).start()
            self._peers.follow()
            ready()
            self._dispatcher.wake()
            if self._stop.is_set():  # while it was starting
                self._dispatcher.stop()
            self._dispatcher.run()
            self._scheduler.shutdown(wait=True)
            self._beat()
            self._note(Act.DAEMON_STOPPED)
            self._lead("checkpoint", self._checkpoint)
            self._peers.leave()

    def stop(self) -> None:
        self._stop.set()
        if self._dispatcher:
            self._dispatcher.stop()

    def stop_on_signals(self) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """SQLite has one writer anyway, so a second daemon waits for the file lock and then takes over."""
        if not self._ctx.store.is_sqlite:
            yield
            return
        lock = Path(self._ctx.data_dir) / "daemon.lock"
        with os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "r+") as held:
            said = False
            while not self._stop.is_set():
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not said:
                        log.info("standing_by")
                        said = True
                    self._stop.wait(STAND_BY_S)
            yield

    def _add_jobs(self) -> None:
        poll = self._ctx.publishing.poll_s
        add = self._scheduler.add_job
        add(self._safely, "interval", args=("poll", self._poll), seconds=poll, id="poll")
        often = min(HOUSEKEEPING_S, self._ctx.publishing.lease_s / 4)
        add(self._safely, "interval", args=("reap", self._housekeep), seconds=often, id="reap")
        add(self._lead, "interval", args=("lapse", self._lapse), seconds=HOUSEKEEPING_S, id="lapse")
        add(self._safely, "interval", args=("heartbeat", self._beat), seconds=HEARTBEAT_S, id="heartbeat")
        add(self._safely, "interval", args=("clock", self._mind_the_clock), seconds=HOUSEKEEPING_S, id="clock")
        add(self._safely, args=("load", self._ctx.load_platforms), id="load")
        aside = {"executor": "alerts"}
        if self._ctx.alerts:
            add(self._lead, "interval", args=("alerts", self._tell), seconds=alerts.EVERY_S, id="alerts", **aside)
        if self._ctx.ping:
            again = self._ctx.ping_s
            add(self._safely, "interval", args=("ping", self._ping), seconds=again, id="ping", **aside)
        # Not at once: whoever starts the daemon waits for posts, and has usually just checked the accounts.
        visit = ("accounts", self._check_accounts)
        add(self._lead, "interval", args=visit, seconds=ACCOUNTS_S, id="accounts", executor="accounts")
        now = datetime.now(self._scheduler.timezone)
        add(self._lead, "interval", args=("plan", self._plan), minutes=PLANNING_MINUTES, id="plan", next_run_time=now)
        if self._ctx.keeping:
            keep = {"args": ("backup", self._keep_backups), "executor": "backup", "next_run_time": now}
            add(self._lead, "interval", seconds=BACKUP_S, id="backup", **keep)
        sign = ("checkpoint", self._checkpoint)
        add(self._lead, "interval", args=sign, seconds=CHECKPOINT_S, id="checkpoint", next_run_time=now)

    def _keep_jobs(self) -> None:
        """The scheduler goes by the wall clock alone: where that was put back, its jobs would wait as long again."""
        while not self._stop.wait(KEEP_S):
            now = datetime.now(self._scheduler.timezone)
            for job in self._scheduler.get_jobs():
                every = getattr(job.trigger, "interval", None)
                if every and job.next_run_time > now + 2 * every:
                    job.modify(next_run_time=now)

    def _arm(self, moment: datetime | None) -> None:
        """Wake the dispatcher at the next due moment; posts that other processes add are found by the poll."""
        dispatcher = self._dispatcher
        # Once it stops, the scheduler holds its locks until this job is over: nothing may be added to it then.
        if dispatcher is None or moment is None or self._stop.is_set():
            return
        wait = moment - self._ctx.now()
        if wait <= timedelta():
            dispatcher.wake()
            return
        # The scheduler has a clock of its own, which need not be ours.
        then = datetime.now(self._scheduler.timezone) + wait
        self._scheduler.add_job(dispatcher.wake, DateTrigger(then), id="due", replace_existing=True)

    def _poll(self) -> None:
        if self._dispatcher:
            self._dispatcher.look()

    def _housekeep(self) -> None:
        if (deliver.reap(self._ctx) or deliver.is_to_look(self._ctx)) and self._dispatcher:
            self._dispatcher.wake()

    def _lapse(self) -> None:
        if not clock.in_doubt(self._ctx, self._name):
            review.lapse_overdue(self._ctx)

    def _mind_the_clock(self) -> None:
        if clock.in_doubt(self._ctx, self._name) and clock.ask(self._ctx, self._name) and self._dispatcher:
            self._dispatcher.wake()

    def _plan_soon(self) -> None:
        self._scheduler.modify_job("plan", next_run_time=datetime.now(self._scheduler.timezone))

    def _plan(self) -> None:
        if clock.in_doubt(self._ctx, self._name):
            return
        planned = plan.plan(self._ctx)
        log.info("planned", drafted=len(planned.drafted), left_out=len(planned.barred))

    def _checkpoint(self) -> None:
        if why := anchors.hold_if_altered(self._ctx):
            log.error("log_altered", detail=str(why))
            return
        audit.checkpoint(self._ctx.store, self._ctx.keystore, now=self._ctx.now(), force=self._stop.is_set())
        anchors.hold_if_old(self._ctx)

    def _keep_backups(self) -> None:
        """Not by a clock in doubt: what it calls old may be new."""
        if not clock.in_doubt(self._ctx, self._name) and (over := keeping.keep_up(self._ctx, self._stop.is_set)):
            log.info("backups_deleted", count=over)

    def _check_accounts(self) -> None:
        channels.check_due(self._ctx, self._stop.is_set)

    def _tell(self) -> None:
        alerts.tell(self._ctx, self._stop.is_set)

    def _ping(self) -> None:
        alerts.ping(self._ctx)

    def _beat(self) -> None:
        with self._ctx.store.write() as tx:
            heartbeats.beat(tx, self._name, self._ctx.now())

    def _note(self, act: Act) -> None:
        with self._ctx.store.write() as tx:
            self._ctx.record(tx, None, act, f"daemon:{self._name}")

    def _lead(self, job: str, work: Callable[[], None]) -> None:
        """What one daemon does for all."""
        if self._peers.leads:
            self._safely(job, work)

    def _safely(self, job: str, work: Callable[[], None]) -> None:
        """A job that fails is said and tried again at its next time; it never ends the daemon."""
        try:
            work()
        except CampaignError as error:
            log.error("job_failed", job=job, error=type(error).__name__, detail=str(error))
        except Exception:  # noqa: BLE001 - whatever it was, the other jobs must go on
            log.exception("job_failed", job=job)
