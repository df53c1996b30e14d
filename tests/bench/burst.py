"""A thousand posts due at one instant on forty accounts: ours, APScheduler with a job a post, a bare loop, in turn."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import build
from bot.domain.post import Content
from bot.services import people, posts, review
from bot.services.posts import When
from bot.settings import load_settings
from bot.store.engine import Store
from tests.bench.figures import Figure, of_runs, percentile, say
from tests.bench.peers import CHANNELS, EACH, LIKE, TOTAL, channel_name
from tests.bench.processes import cpu_s
from tests.system.installation import HOUSE, Installation, copy, token_in, wait_for

ROUNDS = 3
PREPARE_S, MARGIN_S, PEER_PREPARE_S, WAIT_S = 15, 4, 8, 120
OURS, PEER, BARE = "campaignbot", "apscheduler", "bare"
PEERS = {
    PEER: "a job a post in its SQLite store",
    BARE: "without queue, gate or claim, all that came back in one commit",
}


@dataclass(frozen=True)
class Run:
    """Seconds after the due moment at which each post was there, in order."""

    late: tuple[float, ...]
    cpu_ms: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.late) / self.late[-1]


def bursts(folder: Path) -> Iterator[Figure]:
    original = an_installation(folder / "burst")
    runs: dict[str, list[Run]] = {OURS: [], PEER: [], BARE: []}
    for number in range(ROUNDS):
        for name, found in runs.items():
            say(f"a burst of {TOTAL:,}: {name}, round {number + 1} of {ROUNDS}")
            place = folder / f"{name}-{number}"
            found.append(ours(original, place) if name == OURS else peer(name, place))
    yield from figures(runs)


def figures(runs: Mapping[str, list[Run]]) -> Iterator[Figure]:
    mine = runs[OURS]
    how = f"{TOTAL:,} posts due at once, {CHANNELS} rehearsal accounts, the worker up and idle; median of {ROUNDS}"
    yield of_runs("deliveries a second", [run.rate for run in mine], "/s", how)
    for part in (0.5, 0.99):
        late = [percentile(run.late, part) for run in mine]
        yield of_runs(f"lateness, p{part * 100:.0f}", late, "s", how)
    yield of_runs("the first is late by", [run.late[0] for run in mine], "s", how, "0.1")
    yield of_runs("CPU a delivery", [run.cpu_ms for run in mine], "ms", how)
    beside = f"the same rehearsal writes, an outcome and a chained record each, in rounds beside ours; {how}"
    for other, told in ((PEER, "APScheduler"), (BARE, "a bare loop")):
        rates = [run.rate for run in runs[other]]
        ratio = [run.rate / rate for run, rate in zip(mine, rates, strict=True)]
        note = f"{told}, {PEERS[other]}: {beside}"
        yield of_runs(f"{told}: deliveries a second", rates, "/s", note)
        yield of_runs(f"ours beside {told}", ratio, "×", note)


def an_installation(folder: Path) -> Installation:
    folder.mkdir()
    here = Installation(folder)
    account = f'platform = "rehearsal"\nlike = "{LIKE}"\nquiet_from = "00:00"\nquiet_until = "00:00"\n'
    account += "spacing_minutes = 0\ndaily_cap = 100\n"
    names = (channel_name(number) for number in range(CHANNELS))
    here.config.write_text("".join(f'[[channel]]\nname = "{name}"\n{account}' for name in names))
    here.tokens["an"] = token_in(here.run("init", "--admin", "an").stdout)
    here.bring_in()
    return here


def ours(original: Installation, folder: Path) -> Run:
    """Prepared with the program's own services: written, submitted and approved one by one."""
    budget = PREPARE_S
    while True:
        here = copy(original, folder / f"within-{budget}")
        due = datetime.now(UTC) + timedelta(seconds=budget)
        prepare(here, due)
        if datetime.now(UTC) < due - timedelta(seconds=MARGIN_S):
            break
        budget *= 2
        say(f"preparing took too long; again, within {budget} s")
    with here.running("daemon") as process:
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1))
        before = cpu_s(process.pid)
        arrived = awaited(here.rehearsed, due)
        spent = cpu_s(process.pid) - before
    return Run(arrived, spent * 1000 / TOTAL)


def prepare(here: Installation, due: datetime) -> None:
    """Without waiting for the disk: the daemon opens the database anew, and safely."""
    ctx = build(load_settings(here.config))
    ctx.store.close()
    ctx = replace(ctx, store=Store(f"sqlite:///{here.database}", scratch=True))
    author, reviewer = (people.find_person(ctx, alias) for alias in ("binh", "chi"))
    for number in range(TOTAL):
        texts = {("vi", ""): f"Câu chuyện số {number}.", ("en", ""): f"Story number {number}."}
        content = Content("stop-the-crackdown-vn", texts=texts, channels=(channel_name(number),))
        post = posts.add_post(ctx, author, content, When(at=due, grace=timedelta(hours=6)))
        post = review.submit(ctx, author, post.id)
        review.approve(ctx, reviewer, post.id, post.digest)
    ctx.store.close()


def peer(name: str, folder: Path) -> Run:
    folder.mkdir()
    due = datetime.now(UTC) + timedelta(seconds=PEER_PREPARE_S)
    words = [sys.executable, "-m", "tests.bench.peers", name, str(folder), due.isoformat()]
    with subprocess.Popen(words, cwd=HOUSE) as process:
        arrived = awaited(folder / "rehearsal", due)
        if process.wait(WAIT_S):
            raise RuntimeError(words)
    return Run(arrived)


def awaited(rehearsed: Path, due: datetime) -> tuple[float, ...]:
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() + 0.5))
    wait_for("every post", lambda: len(list(rehearsed.glob("account-*/2*"))) >= TOTAL, WAIT_S)
    files = list(rehearsed.glob("account-*/2*/post.json"))
    late = sorted(file.stat().st_mtime_ns / 1e9 - due.timestamp() for file in files)
    if len(late) != TOTAL or late[0] < 0 or EACH * CHANNELS != TOTAL:
        raise RuntimeError((len(late), late[0]))
    return tuple(late)
