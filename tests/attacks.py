"""Attacks on the record, as figures: `python -m tests.attacks`. What must be found, and what by construction cannot be.

Both verifiers judge: the program's own, and the stand-alone file. A copy of the signing key is "stolen"; an anchor is a
checkpoint that somebody outside kept from before.
"""

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bot import verify_audit
from bot.domain.audit import Act, Entry, build_record, canonical, first_prev
from bot.domain.checkpoint import Frontier, checkpoint_body, signed_note
from bot.services import audit
from bot.services.context import PROGRAM
from bot.store import audit as records
from bot.store import schema
from bot.store.engine import Store
from bot.store.keystore import Keystore

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNED_EVERY = 50
Rows = list[bytes]


@dataclass
class Sizes:
    """How much of each; the full figures are the defaults."""

    entries: int = 1_000
    flip_every: int = 1
    edits: int = 10_000
    stolen: int = 500
    honest: int = 1_000


@dataclass
class Log:
    """An exported log, its keys, and the checkpoint that somebody kept when it was `anchored` entries long."""

    folder: Path
    keystore: Keystore
    entries: list[Entry]
    anchors: dict[int, str] = field(default_factory=dict)

    @property
    def export(self) -> Path:
        return self.folder / "export"

    @property
    def lines(self) -> Rows:
        return (self.export / "records.jsonl").read_bytes().splitlines(keepends=True)


def grow(store: Store, keystore: Keystore, count: int, chance: random.Random) -> None:
    acts = [Act.POST_ADDED, Act.POST_APPROVED, Act.DELIVERY_SENDING, Act.DELIVERY_PUBLISHED, Act.HALT_STARTED]
    with store.write() as tx:
        for number in range(count):
            told = {"digest": f"{chance.getrandbits(256):064x}", "n": number}
            when = NOON + timedelta(seconds=number)
            new = records.NewEntry(when, PROGRAM, chance.choice(acts), f"post:{chance.randrange(99)}", told)
            records.append(tx, new, keystore=keystore)


def make_log(folder: Path, entries: int, seed: int = 1, every: int = SIGNED_EVERY) -> Log:
    """Signed every `every` entries and at its end; the note of each is kept as an anchor."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, keystore = random.Random(seed), Keystore.create(folder / "keys")  # noqa: S311 - a repeatable attack
    store = Store(f"sqlite:///{folder / 'campaign.sqlite'}", scratch=True)
    with closing(store):
        schema.upgrade(store)
        with store.write() as tx:
            records.open_log(tx, keystore=keystore, ts=NOON, actor=PROGRAM)
        log, size = Log(folder, keystore, []), 1
        while size < entries:
            step = min(every, entries - size)
            grow(store, keystore, step, chance)
            size += step
            made = audit.checkpoint(store, keystore, now=NOON, force=True)
            if made:
                log.anchors[made.size] = made.note
        with store.read() as tx:
            audit.export(tx, folder / "export", keystore=keystore)
            log.entries = records.entries(tx, limit=entries + 1)
    return log


def judged(log: Log, anchors: Iterable[str] = ()) -> verify_audit.Verdict:
    kept = []
    for number, note in enumerate(anchors):
        kept.append(log.folder / f"anchor-{number}")
        kept[-1].write_text(note)
    key = verify_audit.read_key(str(log.keystore.vkey))
    return verify_audit.verify(log.export, pinned=[key], anchors=kept)


def by_program(log: Log, anchors: Iterable[str] = ()) -> int:
    store = Store(f"sqlite:///{log.folder / 'campaign.sqlite'}", scratch=True)
    with closing(store), store.read() as tx:
        return audit.verify(tx, vkeys=log.keystore.vkeys, anchors=anchors, keystore=log.keystore).code


def flips(log: Log, chance: random.Random, every: int) -> Counter[str]:
    """A bit of every byte, or of one in `every`; what stands before the entry was verified once and stays so."""
    told, lines, walk = Counter[str](), log.lines, verify_audit.Walk()
    whole = verify_audit.open_folder(log.export)
    for seq, line in enumerate(lines):
        for at in range(chance.randrange(every), len(line), every):
            bad = bytearray(line)
            bad[at] ^= 1 << chance.randrange(8)
            if seq >= len(lines) - 2:
                told[_whole_flip(log, seq, bytes(bad))] += 1
                continue
            rows = b"".join([bytes(bad), *lines[seq + 1 : seq + 3]]).splitlines(keepends=True)
            part = replace(whole, rows=iter([(row[:-1] if row.endswith(b"\n") else None, ()) for row in rows]))
            told[_found_at(part, replace(walk, peaks=list(walk.peaks), keys=list(walk.keys)), seq)] += 1
        verify_audit.step_through(replace(whole, rows=iter([(line[:-1], ())])), walk)
    return told


def _found_at(log: verify_audit.Log, walk: verify_audit.Walk, seq: int) -> str:
    try:
        verify_audit.step_through(log, walk)
    except verify_audit.Bad as bad:
        return "found at its entry" if bad.seq == seq else "found"
    return "MISSED"


def _whole_flip(log: Log, seq: int, line: bytes) -> str:
    path, lines = log.export / "records.jsonl", log.lines
    path.write_bytes(b"".join([*lines[:seq], line, *lines[seq + 1 :]]))
    verdict = judged(log)
    path.write_bytes(b"".join(lines))
    return "found at its entry" if verdict.first_bad == seq else "found" if verdict.code else "MISSED"


def edited(rows: Rows, what: str, chance: random.Random) -> Rows:
    rows, at = list(rows), chance.randrange(len(rows))
    if what == "edit":
        place = chance.randrange(len(rows[at]) - 1)
        rows[at] = rows[at][:place] + chance.randbytes(chance.randrange(1, 4)) + rows[at][place + 1 :]
    elif what == "delete":
        del rows[at : at + chance.randrange(1, 20)]
    elif what == "swap":
        other = chance.choice([n for n in range(len(rows)) if n != at])
        rows[at], rows[other] = rows[other], rows[at]
    elif what == "insert":
        rows.insert(at, chance.choice(rows))
    else:
        del rows[at:]
    return rows


def edits(log: Log, chance: random.Random, count: int) -> Counter[str]:
    """By somebody who has the files, but does not mend the chain."""
    told, path, lines = Counter[str](), log.export / "records.jsonl", log.lines
    for _ in range(count):
        what = chance.choice(["edit", "delete", "swap", "insert", "tail cut"])
        rows = edited(lines, what, chance)
        path.write_bytes(b"".join(rows))
        told[f"{what}: {'found' if judged(log).code == 1 else 'MISSED'}"] += rows != lines
    path.write_bytes(b"".join(lines))
    return told


def rewritten(log: Log, start: int, length: int) -> list[Entry]:
    """Another history from entry `start` on, whose chain fits again."""
    entries = log.entries[:start]
    for seq in range(start, length):
        old = log.entries[seq] if seq < len(log.entries) else log.entries[-1]
        data = {**old.data, "n": 10_000 + seq} if seq == start or seq >= len(log.entries) else old.data
        entries.append(
            build_record(
                log=old.log, seq=seq, ts=old.ts, actor=old.actor, act=Act(old.act), obj=old.obj, data=data,
                prev=entries[-1].leaf if entries else first_prev(old.log),
            )
        )  # fmt: skip
    return entries


def write_history(log: Log, entries: list[Entry], *, key: Keystore | None) -> None:
    """With the key every checkpoint is signed anew; without it only those that still fit are left."""
    (log.export / "records.jsonl").write_bytes(b"".join(entry.raw + b"\n" for entry in entries))
    manifest = {"v": 1, "origin": log.keystore.name, "size": len(entries), "head": entries[-1].leaf}
    (log.export / "manifest.json").write_bytes(canonical(manifest) + b"\n")
    shutil.rmtree(log.export / "checkpoints")
    (log.export / "checkpoints").mkdir()
    tree = Frontier()
    for entry in entries:
        tree.append(bytes.fromhex(entry.leaf))
        name = log.export / "checkpoints" / f"{tree.size:08d}.txt"
        if key and (tree.size % SIGNED_EVERY == 1 or tree.size == len(entries)):
            body = checkpoint_body(key.name, tree.size, tree.root())
            name.write_text(signed_note(body, key.vkey, key.sign(body)), encoding="utf-8")
        elif not key and tree.size in log.anchors:
            name.write_text(log.anchors[tree.size], encoding="utf-8")


def without_key(log: Log, chance: random.Random, count: int) -> Counter[str]:
    """Mends chain and manifest, and leaves every checkpoint that is there, signed by us."""
    told = Counter[str]()
    for _ in range(count):
        start = chance.randrange(1, len(log.entries))
        write_history(log, rewritten(log, start, len(log.entries)), key=None)
        told["found" if judged(log).code == 1 else "MISSED"] += 1
    return told


def with_key(log: Log, chance: random.Random, count: int) -> Counter[str]:
    """Rolls back or rewrites, and signs all of it anew with our own key."""
    told = Counter[str]()
    for number in range(count):
        start, kept = chance.randrange(1, len(log.entries)), chance.choice(list(log.anchors))
        length = len(log.entries) if number % 2 else chance.randrange(start + 1, len(log.entries) + 50)
        write_history(log, rewritten(log, start, length), key=log.keystore)
        told[f"without an anchor: {'found' if judged(log).code else 'not found, by construction'}"] += 1
        code = judged(log, [log.anchors[kept]]).code
        if start < kept:
            told[f"before the anchor: {'found' if code == 1 else 'MISSED'}"] += 1
        else:
            told[f"after the anchor: {'found' if code else 'not found, by construction'}"] += 1
    return told


def honest(folder: Path, chance: random.Random, count: int) -> Counter[str]:
    told = Counter[str]()
    for number in range(count):
        place = folder / str(number)
        place.mkdir(parents=True)
        log = make_log(place, chance.randrange(2, 60), seed=number, every=chance.randrange(1, 30))
        kept = chance.sample(list(log.anchors.values()), chance.randrange(1 + len(log.anchors)))
        codes = (judged(log, kept).code, by_program(log, kept))
        told["no alarm" if codes == (0, 0) else "FALSE ALARM"] += 1
        shutil.rmtree(place)
    return told


def attack(folder: Path, sizes: Sizes) -> dict[str, Counter[str]]:
    chance = random.Random(7)  # noqa: S311 - a repeatable attack
    log = make_log(folder / "log", sizes.entries)
    rounds: dict[str, Callable[[], Counter[str]]] = {
        "flipped bytes": lambda: flips(log, chance, sizes.flip_every),
        "edits, deletes, swaps, inserts, tail cuts": lambda: edits(log, chance, sizes.edits),
        "rewritten without the key": lambda: without_key(log, chance, sizes.stolen),
        "rolled back or rewritten with the stolen key": lambda: with_key(log, chance, sizes.stolen),
        "honest logs": lambda: honest(folder / "honest", chance, sizes.honest),
    }
    found = {}
    for name, play in rounds.items():
        began = time.monotonic()
        found[name] = play()
        said = ", ".join(f"{number:,} {what}" for what, number in sorted(found[name].items()))
        sys.stderr.write(f"{name}: {said} ({time.monotonic() - began:.0f} s)\n")
    return found


def wrong(found: dict[str, Counter[str]]) -> list[str]:
    return [f"{name}: {what}" for name, told in found.items() for what in told if "MISSED" in what or "FALSE" in what]


if __name__ == "__main__":
    # The same few signatures are checked thousands of times; pure Python signs slowly, once each is enough.
    verify_audit.is_signature = cache(verify_audit.is_signature)
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(bool(wrong(attack(Path(scratch), Sizes()))))
