"""One installation under torture: its accounts, its people, and the daemons that never live long."""

import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import build, establish
from bot.domain.delivery import ENDED, Delivery, DeliveryState, Reason
from bot.domain.errors import CampaignError
from bot.domain.people import Role
from bot.services import people as accounts_of_people
from bot.services.context import Context
from bot.settings import load_settings
from bot.store import deliveries
from tests.house import ROOT
from tests.torture.accounts import Account
from tests.torture.nursery import Child, Nursery
from tests.torture.people import People
from tests.torture.steps import STEPS

LEASE_S, TIMEOUT_S, SETTLE_S = 3, 1, 3
OVER = {*ENDED, DeliveryState.HELD}
DISK = "256m"
SETTINGS = f"""
[publishing]
poll_s = {{poll_s}}
request_timeout_s = {TIMEOUT_S}
lease_s = {LEASE_S}
settle_s = {SETTLE_S}
catch_up_per_hour = 60
"""
WEIGHTS: dict[str, float] = {"kill": 6, "kill at a step": 6, "stop": 2, "stop at a step": 2, "crash": 0.2, "fill": 0.3}


@dataclass
class Plan:
    """How hard it is made. `crash` takes the database away and brings it back; `owner` is its address."""

    seconds: float
    daemons: int = 2
    failing: float = 0.15
    posts_a_second: float = 1.0
    halts_a_second: float = 0.3
    acts_a_second: float = 2.0
    poll_s: float = 0.2
    database: str = ""
    owner: str = ""
    crash: Callable[[], None] | None = None
    naive: bool = False
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)


class World:
    def __init__(self, folder: Path, accounts: list[Account], plan: Plan) -> None:
        self.folder, self.accounts, self.plan = folder, accounts, plan
        self.chance = random.Random(plan.seed)
        self.done: Counter[str] = Counter()
        self.children: list[Child] = []
        self.broken = ""
        self.calm_until: datetime | None = None
        self.log = folder / "daemons.log"
        self._fillable = False
        self.people = self._settle()

    def _settle(self) -> People:
        """An installation with three people, whose accounts lie on loopback."""
        for name in ("messages", "schedules"):
            shutil.copytree(ROOT / name, self.folder / name)
        database = f'database = "{self.plan.database}"\n' if self.plan.database else ""
        channels = "".join(account.configure(self.folder) for account in self.accounts)
        (self.folder / "config.toml").write_text(
            f"[bot]\n{database}{SETTINGS.format(poll_s=self.plan.poll_s)}{channels}"
        )
        establish(load_settings(self.folder / "config.toml"), owner=self.plan.owner)
        ctx = self._open()
        an, _ = accounts_of_people.add_person(ctx, None, "an", {Role.ADMIN})
        roles = (("binh", Role.COORDINATOR), ("chi", Role.REVIEWER), ("dung", Role.REVIEWER))
        binh, chi, dung = (accounts_of_people.add_person(ctx, an, alias, {role})[0] for alias, role in roles)
        left = {each.name: max(5, round(each.kind.most * self.plan.seconds / 900)) for each in self.accounts}
        return People(ctx, binh, chi, dung, self.accounts, left, random.Random(self.plan.seed + 1), self.done)

    def _open(self) -> Context:
        return build(load_settings(self.folder / "config.toml"))

    @property
    def ctx(self) -> Context:
        return self.people.ctx

    def run(self, tell: Callable[[str], None]) -> None:
        """Torture, then peace until nothing is open any more."""
        try:
            with self.served(), self._small_disk(), Nursery(self.folder / "config.toml", self.log) as nursery:
                self._torture(nursery, tell)
                if not self.plan.naive:
                    self._calm(nursery, tell)
        except BaseException as error:
            self.broken = repr(error)
            raise

    @contextmanager
    def served(self) -> Iterator[None]:
        for account in self.accounts:
            account.server.fault_rate = self.plan.failing
            account.server.__enter__()
        try:
            yield
        finally:
            for account in self.accounts:
                account.server.__exit__()

    @contextmanager
    def _small_disk(self) -> Iterator[None]:
        """A disk of the data's own, where that is allowed: only then is it ever filled."""
        data, kept = self.folder / "var", self.folder / "kept"
        if self.plan.database:
            yield
            return
        self.ctx.store.close()
        data.rename(kept)
        data.mkdir(mode=0o700)
        mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(data))
        self._fillable = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        shutil.copytree(kept, data, dirs_exist_ok=True)
        self.people.ctx = self._open()
        try:
            yield
        finally:
            if self._fillable:
                self._leave_disk(data)

    def _leave_disk(self, data: Path) -> None:
        """The judge reads it once more, elsewhere."""
        self.ctx.store.close()
        shutil.copytree(data, self.folder / "after")
        subprocess.run(("umount", "--lazy", str(data)), check=True)
        data.rmdir()
        (self.folder / "after").rename(data)
        self.people.ctx = self._open()

    def _torture(self, nursery: Nursery, tell: Callable[[str], None]) -> None:
        over = threading.Event()
        crowd = [threading.Thread(target=self.people.live, args=(over, self.plan.posts_a_second))]
        if not self.plan.naive:
            crowd.append(threading.Thread(target=self.people.stop_at_times, args=(over, self.plan.halts_a_second)))
        for each in crowd:
            each.start()
        try:
            self._torment(nursery, tell)
        finally:
            over.set()
            self._kill_all()
            for each in crowd:
                each.join()
        self.people.unhalt()

    def _torment(self, nursery: Nursery, tell: Callable[[str], None]) -> None:
        now = time.monotonic()
        until, said, act_at = now + self.plan.seconds, now, now
        while time.monotonic() < until:
            self._keep_alive(nursery)
            if time.monotonic() > act_at:
                self._act()
                act_at = time.monotonic() + self.chance.expovariate(self.plan.acts_a_second)
            if time.monotonic() > said + 10:
                said = time.monotonic()
                tell(self.progress())
            time.sleep(0.02)

    def _kill_all(self) -> None:
        for child in self.children:
            child.send(signal.SIGKILL)
        self.children.clear()

    def _keep_alive(self, nursery: Nursery) -> None:
        """The dead are replaced; the stopped go on once their leases are over."""
        now = time.monotonic()
        for child in list(self.children):
            if not child.is_alive:
                self.children.remove(child)
                was_killed = child.order.get("killed") or child.order.get("fate") == "SIGKILL"
                self.done["kills" if was_killed else "ended by itself"] += 1
            elif child.is_stopped and child.wakes is None:
                child.wakes = now + LEASE_S + self.chance.uniform(0.2, 1.5)
            elif child.wakes is not None and now > child.wakes:
                child.wakes = None
                child.send(signal.SIGCONT)
                self.done["stops"] += 1
        while len(self.children) < self.plan.daemons:
            self.children.append(nursery.spawn(self._order()))
            self.done["starts"] += 1

    def _order(self) -> dict[str, object]:
        """Some are born to die, or to stand still, at a certain step."""
        if self.plan.naive:
            return {"naive": True}
        weights = self.plan.weights
        fates = {
            "": weights["kill"] + weights["stop"],
            "SIGKILL": weights["kill at a step"],
            "SIGSTOP": weights["stop at a step"],
        }
        fate = self.chance.choices(list(fates), list(fates.values()))[0]
        if not fate:
            return {}
        return {"step": self.chance.choice(STEPS), "number": self.chance.choice((1, 1, 1, 2, 3, 5)), "fate": fate}

    def _act(self) -> None:
        acts = ("kill", "stop", "crash", "fill")
        act = self.chance.choices(acts, [self.plan.weights[name] for name in acts])[0]
        running = [child for child in self.children if child.wakes is None]
        if act == "crash" and self.plan.crash:
            self.plan.crash()
            self.done["crashes of the database"] += 1
        elif act == "fill" and self._fillable:
            self._fill()
        elif running and act in {"kill", "stop"}:
            child = self.chance.choice(running)
            if act == "kill":
                child.order = {**child.order, "killed": True}
            child.send(signal.SIGKILL if act == "kill" else signal.SIGSTOP)

    def _fill(self) -> None:
        filler = self.folder / "var" / "filler"
        for piece in (1_000_000, 512):
            with suppress(OSError), filler.open("ab", buffering=0) as file:
                while True:
                    file.write(b"\0" * piece)
        time.sleep(self.chance.uniform(0.3, 1.5))
        filler.unlink()
        self.done["full disks"] += 1

    def _calm(self, nursery: Nursery, tell: Callable[[str], None]) -> None:
        """No more faults: what is open must come to an end by itself, or before a person."""
        for account in self.accounts:
            account.server.fault_rate = 0.0
        self.children = [nursery.spawn({}) for _ in range(self.plan.daemons)]
        is_short = self.plan.seconds < 60
        until = time.monotonic() + (25 if is_short else 240)
        while time.monotonic() < until and self._is_moving(timedelta(seconds=10 if is_short else 90)):
            with suppress(CampaignError):
                self.people.free()
            time.sleep(0.3)
        tell(self.progress())
        self.calm_until = self.ctx.now()
        for child in self.children:
            child.end()
        self.children.clear()

    def _is_moving(self, soon: timedelta) -> bool:
        """Something will come to an end before long."""
        with self.ctx.store.read() as tx:
            return any(self._is_open(each, soon) for each in deliveries.listed(tx, limit=100_000))

    def _is_open(self, delivery: Delivery, soon: timedelta) -> bool:
        if delivery.state is DeliveryState.HELD:
            return delivery.reason == Reason.HALT
        in_flight = delivery.state in {DeliveryState.SENDING, DeliveryState.CLAIMED}
        return delivery.state not in OVER and (in_flight or delivery.next_at < self.ctx.now() + soon)

    def progress(self) -> str:
        try:
            with self.ctx.store.read() as tx:
                states = deliveries.counts(tx)
        except CampaignError:
            return "the database is away"
        told = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        did = ", ".join(f"{self.done[name]} {name}" for name in ("kills", "stops", "halts") if self.done[name])
        return f"{did}; {len(self.people.approved)} posts: {told}"
