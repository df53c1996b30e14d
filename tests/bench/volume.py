"""Much of everything: ten thousand cases planned for a year, a million audit entries verified."""

import hashlib
import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot.app import build
from bot.domain.audit import Act
from bot.services import plan
from bot.services.audit import checkpoint
from bot.services.verify import verify
from bot.settings import load_settings
from bot.store import audit, schema
from bot.store.audit import NewEntry
from bot.store.engine import Store
from bot.store.keystore import Keystore
from tests.bench.figures import Figure, of_runs, say
from tests.bench.processes import timed
from tests.system.installation import HOUSE, Installation, token_in

CASES, ENTRIES, ROUNDS, BATCH = 10_000, 1_000_000, 3, 1_000
QUICK_CASES, QUICK_ENTRIES = 2_000, 100_000
COURTS = ("People's Court of Hanoi", "People's Court of Ho Chi Minh City", "")
CASE = """
[[case]]
slug = "nguyen-van-{number}"
name_vi = "Nguyễn Văn {number}"
name_en = "Nguyen Van {number}"
status = "imprisoned"
status_as_of = "{as_of}"
status_sources = ["https://example.org/{number}"]
consent = "given"
"""
EVENT = """
  [[case.event]]
  key = "{kind}-{on}"
  kind = "{kind}"
  date = "{on}"
  sources = ["https://example.org/{number}"]
"""
JUDGED = """  court = "{court}"
  sentence = {{ prison_months = {months} }}
"""


def a_case(number: int, chance: random.Random) -> str:
    """Arrested, tried and heard on appeal, some of them confirmed lately."""
    day = date(2010, 1, 1) + timedelta(days=chance.randrange(5_000))
    text = CASE.format(number=number, as_of=chance.choice(["2026-11", "2024-05", "2021"]))
    for kind, later in (("arrest", 0), ("trial", 300), ("appeal_trial", 420)):
        text += EVENT.format(kind=kind, on=day + timedelta(days=later), number=number)
        if kind != "arrest":
            text += JUDGED.format(court=chance.choice(COURTS), months=chance.randrange(12, 180))
    return text


def planned_years(folder: Path, *, quick: bool) -> Iterator[Figure]:
    cases = QUICK_CASES if quick else CASES
    say(f"planning: importing {cases:,} cases")
    here = Installation(folder / "plan")
    here.folder.mkdir()
    here.config.write_text((HOUSE / "config.example.toml").read_text())
    here.tokens["an"] = token_in(here.run("init", "--admin", "an").stdout)
    here.tokens["binh"] = token_in(here.run("user", "add", "binh", "--role", "coordinator", by="an").stdout)
    chance = random.Random(1)  # noqa: S311 - the same people each time
    (folder / "people.toml").write_text("".join(a_case(number, chance) for number in range(cases)))
    with timed(here, "case", "import", str(folder / "people.toml"), by="binh") as imported:
        pass
    say("planning: a year of them")
    until = datetime.now(UTC).date() + timedelta(days=364)
    ctx = build(load_settings(here.config))
    began = time.perf_counter()
    planned = plan.plan(ctx, until=until)
    took = time.perf_counter() - began
    ctx.store.close()
    people = f"{cases:,} sample people with three events each, 5 accounts"
    how = f"{people}: {len(planned.drafted):,} posts drafted, {len(planned.barred):,} days barred"
    yield Figure("planning a year", took, "s", f"the planner on an opened installation, {how}", "10")
    yield Figure("importing the cases", imported[0], "s", f"`campaignbot case import` of {people}, a whole process")


def verified_logs(folder: Path, *, quick: bool) -> Iterator[Figure]:
    size, rounds = (QUICK_ENTRIES, 1) if quick else (ENTRIES, ROUNDS)
    say(f"audit: writing {size:,} entries")
    path = folder / "audit.db"
    store = Store(f"sqlite:///{path}", scratch=True)
    schema.upgrade(store)
    keystore = Keystore.create(folder / "audit-keys")
    now = datetime(2026, 12, 1, tzinfo=UTC)
    with store.write() as tx:
        audit.open_log(tx, keystore=keystore, ts=now, actor="campaignbot")
    for start in range(1, size, BATCH):
        entries = [an_entry(now, number) for number in range(start, min(start + BATCH, size))]
        with store.write() as tx:
            audit.append_many(tx, entries, keystore=keystore)
    checkpoint(store, keystore, now=now, force=True)
    ours, bare = [], []
    for number in range(rounds):
        say(f"audit: verifying, round {number + 1} of {rounds}")
        began = time.perf_counter()
        with store.read() as tx:
            verdict = verify(tx, vkeys=keystore.vkeys, keystore=keystore)
        ours.append(time.perf_counter() - began)
        if (verdict.code, verdict.size) != (0, size):
            raise RuntimeError(verdict)
        bare.append(read_bare(path))
    store.close()
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    how = f"{size:,} entries, newest signatures; {rounds} rounds, each beside the bare loop"
    yield of_runs("audit verify, beside reading bare", ratios, "×", f"{how}: sqlite3, json.loads, two SHA-256", "3")
    yield of_runs("audit verify", ours, "s", how)


def an_entry(now: datetime, number: int) -> NewEntry:
    told = {"attempt": 1, "remote": f"post-{number}", "digest": hashlib.sha256(str(number).encode()).hexdigest()}
    moment = now + timedelta(milliseconds=number)
    return NewEntry(moment, "campaignbot", Act.DELIVERY_PUBLISHED, f"delivery:{number}", told)


def read_bare(path: Path) -> float:
    """What no verifier can do without: read each row, parse it, and hash it into a leaf and a node."""
    began = time.perf_counter()
    with closing(sqlite3.connect(path)) as database:
        for (record,) in database.execute("SELECT record FROM audit_records ORDER BY seq"):
            json.loads(record)
            hashlib.sha256(b"\1" + hashlib.sha256(b"\0" + record).digest()).hexdigest()
    return time.perf_counter() - began
