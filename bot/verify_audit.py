#!/usr/bin/env python3
"""Checks an exported audit log, or the database itself, with Python alone: one file, to be read before it is run.

A record is one line of JSON in one fixed form. Each names the SHA-256 leaf of the one before it, and signed
checkpoints name the root of the RFC 6962 tree over all leaves: whoever changes, drops, adds or moves a record
breaks the one or the other. Exit code: 0 good, 1 altered, 2 not provable, 3 cannot be used like this.
"""

import argparse
import json
import re
import sqlite3
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256, sha512
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

GOOD, ALTERED, NOT_PROVABLE, USAGE = 0, 1, 2, 3
WORDS = ("good", "altered", "not provable", "cannot be used like this")
MAX_RECORD, MAX_NOTE, MAX_FILE, MAX_DEPTH = 16_384, 8_192, 1_000_000, 8
ORIGIN = r"[A-Za-z0-9./-]{1,64}"
RECORD = re.compile(
    r'\{"act":"(?P<act>[a-z_]{1,19}\.[a-z_]{1,20})","actor":"[A-Za-z0-9._:-]{1,64}","data":(?P<data>\{.*\}),'
    r'"log":"(?P<log>' + ORIGIN + r')","obj":"(?P<obj>[a-z_]{1,16}:[A-Za-z0-9._-]{1,63})",'
    r'"pc":"(?P<pc>(?:[0-9a-f]{64})?)","prev":"(?P<prev>[0-9a-f]{64})","seq":(?P<seq>0|[1-9][0-9]{0,14}),'
    r'"ts":"(?P<ts>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3})Z","v":1\}'
)
NOTE = re.compile(rf"({ORIGIN})\n([1-9][0-9]{{0,14}})\n([A-Za-z0-9+/]{{43}}=)\n\n((?:— {ORIGIN} [A-Za-z0-9+/]+=*\n)+)")
QUOTED = re.compile(r"^[> \t]+|[ \t\r]+$", re.MULTILINE)
VKEY = re.compile(rf"({ORIGIN})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]{{44}})")
MANIFEST = re.compile(rb'\{"head":"([0-9a-f]{64})","origin":"[^"]+","size":([0-9]{1,15}),"v":1\}\n')


class Bad(Exception):
    """Entry `seq` is not what was written."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq, self.why = seq, why


class Unusable(Exception):
    """What was named is no audit log."""


class Verdict(NamedTuple):
    code: int
    reason: str
    size: int = 0
    proven: int = 0
    first_bad: int | None = None


def require(holds: object) -> None:
    if not holds:
        raise ValueError


# Ed25519: RFC 8032, section 5.1, on extended coordinates.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P


def times(factor: int, point: Point) -> Point:
    result = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = add(result, point)
        point, factor = add(point, point), factor >> 1
    return result


def decode_point(raw: bytes) -> Point:
    """Raises ValueError for what is no point of the curve."""
    y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    require(y < P and (x * x - square) % P == 0 and (x or not sign))
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def encode_point(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        x, y, z, t = decode_point(public)
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    return s < L and encode_point(add(times(s, BASE), times(k, (P - x, y, z, P - t)))) == signature[:32]


# Records, notes and keys.


def refuse(token: str) -> NoReturn:
    raise ValueError(token)


decode_json = json.JSONDecoder(parse_float=refuse, parse_constant=refuse).decode
encode_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def require_plain(value: object, depth: int) -> None:
    """On such values `encode_json` writes the form of RFC 8785."""
    if isinstance(value, dict | list):
        require(depth and (isinstance(value, list) or all(key.isascii() for key in value)))
        for item in value.values() if isinstance(value, dict) else value:
            require_plain(item, depth - 1)
    else:
        require(isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53))


class Entry(NamedTuple):
    act: str
    data: Any
    log: str
    obj: str
    pc: str
    prev: str
    leaf: bytes


def read_entry(record: bytes | None, beside: tuple[object, ...], seq: int) -> Entry:
    """`beside` are the other columns of a database's row, texts as bytes."""
    try:
        found = RECORD.fullmatch(record.decode()) if record and len(record) <= MAX_RECORD else None
        if record is None or found is None:
            raise Bad(seq, "cannot be read")
        datetime.fromisoformat(found["ts"])
        data = decode_json(found["data"])
        require_plain(data, MAX_DEPTH)
        require(encode_json(data) == found["data"])
    except (ValueError, RecursionError) as error:
        raise Bad(seq, "cannot be read") from error
    act, obj, prev, leaf = found["act"], found["obj"], found["prev"], sha256(b"\x00" + record).digest()
    if int(found["seq"]) != seq:
        raise Bad(seq, "is missing or out of its place")
    if beside and beside != (seq, leaf.hex().encode(), prev.encode(), act.encode(), obj.encode()):
        raise Bad(seq, "is not what its row says")
    return Entry(act, data, found["log"], obj, found["pc"], prev, leaf)


class Note(NamedTuple):
    origin: str
    size: int
    root: bytes
    body: bytes
    signatures: tuple[tuple[str, str, bytes], ...]


def read_note(text: str) -> Note:
    found = NOTE.fullmatch(text) if len(text) <= MAX_NOTE else None
    if found is None:
        raise ValueError("no signed checkpoint")
    lines = [line.split(" ") for line in found[4].splitlines()]
    blobs = [(name, read_base64(blob)) for _, name, blob in lines]
    signatures = tuple((name, blob[:4].hex(), blob[4:]) for name, blob in blobs if len(blob) == 4 + 64)
    body = "".join(f"{found[line]}\n" for line in (1, 2, 3)).encode()
    return Note(found[1], int(found[2]), read_base64(found[3]), body, signatures)


def note_in(letter: bytes) -> bytes:
    """The signed note in a text that it was sent or kept in; the text itself if there is none."""
    text = QUOTED.sub("", letter[: 64 * MAX_NOTE].decode(errors="replace")) + "\n"
    found = re.search(NOTE.pattern.removesuffix("+)") + "{1,16})", text)
    return found[0].encode() if found else letter


def read_base64(text: str) -> bytes:
    raw = b64decode(text, validate=True)
    require(b64encode(raw).decode() == text)
    return raw


class Key(NamedTuple):
    id: str
    name: str
    public: bytes
    text: str


def read_key(text: str) -> Key:
    found = VKEY.fullmatch(text)
    raw = b64decode(found[3]) if found else b""
    if not found or raw[:1] != b"\x01" or sha256(found[1].encode() + b"\n" + raw).hexdigest()[:8] != found[2]:
        raise ValueError(f"{text[:200]!r} is no verifier key.")
    return Key(found[2], found[1], raw[1:], text)


def is_signed(note: Note, key: Key) -> bool:
    mine = [signature for name, key_id, signature in note.signatures if (name, key_id) == (key.name, key.id)]
    return bool(mine) and is_signature(key.public, note.body, mine[0])


def root_of(peaks: list[bytes]) -> bytes:
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = sha256(b"\x01" + peak + root).digest()
    return root


# Where a log may lie: an export folder, or an SQLite database.

Row = tuple[bytes | None, tuple[object, ...]]


@dataclass
class Log:
    """`files` are the manifest and the keys of an export, `head` the size and the last leaf that it names."""

    rows: Iterator[Row]
    payloads: Iterator[tuple[int, str]] = field(default_factory=lambda: iter(()))
    notes: list[Note] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    files: tuple[bytes, bytes] | None = None
    head: tuple[int, str] | None = None

    def add_note(self, text: bytes, name: object) -> None:
        try:
            self.notes.append(read_note(text.decode()))
        except ValueError:
            self.faults.append(f"{name} is altered.")


def open_folder(folder: Path) -> Log:
    if not (folder / "records.jsonl").is_file():
        raise Unusable(f"{folder} is no export: it has no records.jsonl.")
    log = Log(folder_rows(folder / "records.jsonl"), folder_payloads(folder / "payloads.jsonl"))
    for path in sorted([*folder.glob("checkpoints/*"), *folder.glob("anchors/*")]):
        log.add_note(read_some(path), f"{path.parent.name}/{path.name}")
    log.files = (read_some(folder / "manifest.json"), read_some(folder / "vkeys"))
    found = MANIFEST.fullmatch(log.files[0])
    log.head = (int(found[2]), found[1].decode()) if found else None
    return log


def read_some(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(MAX_FILE)


def folder_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        while line := file.readline(MAX_RECORD + 2):
            yield (line[:-1] if line.endswith(b"\n") else None), ()


def folder_payloads(path: Path) -> Iterator[tuple[int, str]]:
    """The seq and the commitment of each payload; -1 for what cannot be read."""
    if path.is_file():
        with path.open("rb") as file:
            while line := file.readline(MAX_FILE):
                try:
                    found = decode_json(line.decode())
                    require(set(found) == {"payload", "salt", "seq"} and encode_json(found) + "\n" == line.decode())
                    sealed = b"\x02" + bytes.fromhex(found["salt"]) + encode_json(found["payload"]).encode()
                    yield int(found["seq"]), sha256(sealed).hexdigest()
                except (ValueError, TypeError, RecursionError):
                    yield -1, ""


def open_database(database: sqlite3.Connection) -> Log:
    database.text_factory = bytes
    rows = database.execute(
        "SELECT CASE typeof(record) WHEN 'blob' THEN record END, CASE typeof(seq) WHEN 'integer' THEN seq END,"
        " CAST(leaf AS BLOB), CAST(prev AS BLOB), CAST(act AS BLOB), CAST(obj AS BLOB)"
        " FROM audit_records ORDER BY seq"
    )
    log = Log((row[0], row[1:]) for row in rows)
    stored = "SELECT size, note, root, frontier, key_id FROM checkpoints ORDER BY size"
    for size, text, root, frontier, key_id in database.execute(stored):
        try:
            note, peaks = read_note(text.decode()), [bytes.fromhex(peak) for peak in json.loads(frontier)]
            require(key_id in {signer.encode() for _, signer, _ in note.signatures})
            require(size == note.size and len(peaks) == size.bit_count())
            require(root_of(peaks) == note.root and root == note.root.hex().encode())
            log.notes.append(note)
        except (ValueError, TypeError, AttributeError, RecursionError):
            log.faults.append(f"The checkpoint at {size} is altered.")
    return log


# The judgement.


@dataclass
class Walk:
    """What one pass found; `doubts` are notes the records do not match, with the size of the last they did."""

    size: int = 0
    origin: str = ""
    last: bytes = b""
    peaks: list[bytes] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    matched: list[Note] = field(default_factory=list)
    doubts: list[tuple[Note, int]] = field(default_factory=list)
    bad: Bad | None = None
    stray: bool = False

    def append(self, entry: Entry, notes: list[Note]) -> None:
        leaf, below = entry.leaf, self.size
        while below & 1:
            leaf, below = sha256(b"\x01" + self.peaks.pop() + leaf).digest(), below >> 1
        self.peaks.append(leaf)
        self.last, self.size = entry.leaf, self.size + 1
        if entry.act in {"log.opened", "key.added"}:
            with suppress(ValueError):
                self.keys.append(read_key(str(entry.data.get("vkey"))))
        good = self.matched[-1].size if self.matched else 0
        for note in notes:
            if (note.origin, note.root) == (self.origin, root_of(self.peaks)):
                self.matched.append(note)
            else:
                self.doubts.append((note, good))


def step_through(log: Log, walk: Walk) -> None:
    """Raises Bad at the first record that is not what it was."""
    prev, by_size = walk.last.hex(), {size: list(some) for size, some in groupby(log.notes, key=lambda note: note.size)}
    payload = next(log.payloads, None)
    for row in log.rows:
        seq, entry = walk.size, read_entry(*row, walk.size)
        if seq == 0:
            walk.origin, prev = entry.log, sha256(entry.log.encode()).hexdigest()
        if entry.prev != prev or entry.log != walk.origin:
            raise Bad(culprit(log, seq, entry, walk.origin), "does not fit in the chain")
        if payload and payload[0] == seq:
            if payload[1] != entry.pc:
                raise Bad(seq, "has a payload other than it was written with")
            payload = next(log.payloads, None)
        walk.append(entry, by_size.get(seq + 1, []))
        prev = entry.leaf.hex()
    walk.stray = payload is not None


def culprit(log: Log, seq: int, entry: Entry, origin: str) -> int:
    """The chain breaks before `entry`; if what comes after vouches for that, the one before was altered."""
    if seq == 0 or entry.log != origin:
        return seq
    follower, leaf = next(log.rows, None), entry.leaf.hex()
    try:
        claimed = read_entry(*follower, seq + 1).prev if follower else log.head[1] if log.head else leaf
    except Bad:
        return seq
    return seq - 1 if claimed == leaf else seq


def judge(log: Log, pinned: list[Key], anchors: list[Path], *, every: bool) -> Verdict:
    """A note is believed against the records only if its signature holds; else the note is what is wrong."""
    for anchor in anchors:
        log.add_note(note_in(read_some(anchor)), f"The anchor {anchor}")
    log.notes = sorted(set(log.notes), key=lambda note: note.size)
    walk, faults = Walk(), log.faults
    try:
        step_through(log, walk)
    except Bad as found:
        walk.bad = found
    keys = {key.id: key for key in pinned or walk.keys}
    signers = {note: [key_id for _, key_id, _ in note.signatures if key_id in keys] for note in log.notes}

    @cache
    def signed(note: Note) -> bool:
        return bool(signers[note]) and all(is_signed(note, keys[key_id]) for key_id in signers[note])

    bad = first_bad(log, walk, signed)
    newest = {key_id: note for note in log.notes for key_id in signers[note]}
    weak = [note for note in (log.notes if every else newest.values()) if not signed(note)]
    weak = [note for note in weak if signers[note] or not pinned]  # an older key may be unknown to who pins one
    faults += [f"The signature of the checkpoint at {note.size} does not hold." for note in weak]
    if walk.stray or any(note.size > walk.size for note in log.notes):
        faults.append("There are checkpoints or payloads of entries that are not there.")
    proven = next((note.size for note in reversed(walk.matched) if signed(note)), 0)
    if bad:
        return Verdict(ALTERED, f"Entry {bad.seq} {bad.why}; {proven} are proven.", walk.size, proven, bad.seq)
    faults += files_amiss(log, walk)
    if faults:
        return Verdict(ALTERED, faults[0], walk.size, proven)
    if not proven:
        return Verdict(NOT_PROVABLE, "No checkpoint is signed by a known key.", walk.size)
    return Verdict(GOOD, f"{walk.size} entries, {proven} of them signed for.", walk.size, proven)


def first_bad(log: Log, walk: Walk, signed: Callable[[Note], bool]) -> Bad | None:
    size, bad = walk.size, walk.bad
    if not bad and log.head and log.head[1] != walk.last.hex():
        if log.head[0] != size:
            bad = Bad(min(log.head[0], size), "is missing or was added")
        elif not any(note.size == size and signed(note) for note in walk.matched):
            bad = Bad(size - 1, "is not the last one of the manifest")
    for note, good in walk.doubts:
        if note.origin == walk.origin and signed(note):
            if bad is None or bad.seq >= note.size:
                bad = Bad(good, f"or a later one before {note.size} is not the one that was signed")
            break
        log.faults.append(f"The checkpoint at {note.size} is altered, or its key is not known.")
    if bad is None and any(size == 0 or signed(note) for note in log.notes if note.size > size):
        bad = Bad(size, "is missing")
    return bad


def files_amiss(log: Log, walk: Walk) -> list[str]:
    manifest = {"v": 1, "origin": walk.origin, "size": walk.size, "head": walk.last.hex()}
    wanted = (encode_json(manifest).encode() + b"\n", "".join(f"{key.text}\n" for key in walk.keys).encode())
    names = ("manifest.json", "vkeys")
    found = zip(names, log.files or wanted, wanted, strict=True)
    return [f"{name} is altered." for name, had, want in found if had != want]


# Single entries, each with the path of hashes from it to a signed root.


def root_by(leaf: bytes, seq: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2. Raises ValueError where it is no path of such an entry."""
    at, last = seq, size - 1
    require(0 <= seq < size)
    for step in path:
        require(last)
        is_right = at & 1 or at == last
        leaf = sha256(b"\x01" + (step + leaf if is_right else leaf + step)).digest()
        while is_right and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    require(not last)
    return leaf


def read_proven(line: bytes, note: Note) -> tuple[int, Entry]:
    """Raises ValueError, or Bad."""
    found = decode_json(line.decode())
    require(set(found) == {"path", "record", "seq"} and encode_json(found) + "\n" == line.decode())
    seq, path = found["seq"], [bytes.fromhex(step) for step in found["path"]]
    require(isinstance(seq, int) and all(len(step) == len(note.root) for step in path))
    entry = read_entry(found["record"].encode(), (), seq)
    if entry.log != note.origin or root_by(entry.leaf, seq, note.size, path) != note.root:
        raise Bad(seq, "is not in the log that was signed")
    return seq, entry


def judge_entries(folder: Path, pinned: list[Key], anchors: list[Path]) -> Verdict:
    """Good only if every entry is in its place under the checkpoint, and that is signed by a known key."""
    entries: dict[int, Entry] = {}
    try:
        note = read_note(read_some(folder / "checkpoint").decode())
        with (folder / "entries.jsonl").open("rb") as file:
            while line := file.readline(MAX_FILE):
                seq, entry = read_proven(line, note)
                require(seq > max(entries, default=-1))
                entries[seq] = entry
        require(all(entries[seq].pc == given for seq, given in folder_payloads(folder / "payloads.jsonl")))
        kept = [read_note(note_in(read_some(anchor)).decode()) for anchor in anchors]
    except Bad as bad:
        return Verdict(ALTERED, f"Entry {bad.seq} {bad.why}.", len(entries), 0, bad.seq)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Verdict(ALTERED, "An entry, its path or payload, the checkpoint or an anchor is altered.", len(entries))
    named = [str(each.data.get("vkey")) for each in entries.values() if each.act in {"log.opened", "key.added"}]
    keys = pinned
    with suppress(ValueError):
        keys = pinned or [read_key(text) for text in named]
    if any((each.origin, each.size) == (note.origin, note.size) and each.root != note.root for each in kept):
        return Verdict(ALTERED, "The checkpoint is not the one of the anchor.", len(entries))
    if not any(is_signed(note, key) for key in keys):
        return Verdict(NOT_PROVABLE, "The checkpoint is not signed by a known key.", len(entries))
    same = any((each.size, each.root) == (note.size, note.root) for each in kept)
    unsure = " No anchor is of this very checkpoint: check the whole log with them." if anchors and not same else ""
    said = f"{len(entries)} entries are in the log of {note.size} that was signed.{unsure}"
    return Verdict(GOOD, said, len(entries), len(entries))


def verify(path: Path, *, pinned: list[Key], anchors: list[Path], every: bool = False) -> Verdict:
    """Raises Unusable if there is no audit log at `path`."""
    try:
        if (path / "entries.jsonl").is_file():
            return judge_entries(path, pinned, anchors)
        if path.is_dir():
            return judge(open_folder(path), pinned, anchors, every=every)
        if not read_some(path).startswith(b"SQLite format 3\0"):
            raise Unusable(f"{path} is neither an export folder nor an SQLite database.")
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return judge(open_database(database), pinned, anchors, every=every)
    except sqlite3.Error as error:
        return Verdict(NOT_PROVABLE, f"The database cannot be read through: {error}.")
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.") from error


class Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.format_usage()}{message}\n")


def main(argv: list[str] | None = None) -> int:
    parser = Arguments(description="Checks an audit log.", epilog="Exit: 0 good, 1 altered, 2 not provable, 3 usage.")
    parser.add_argument("path", type=Path, help="an export folder, or the SQLite database")
    parser.add_argument("--vkey", action="append", default=[], help="a key you were given; else the log's own")
    parser.add_argument(
        "--anchor", action="append", default=[], type=Path, help="a checkpoint kept elsewhere, or its letter"
    )
    parser.add_argument("--all-signatures", action="store_true", help="not only the newest of each key: slow")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    try:
        pinned = [read_key(text) for text in asked.vkey]
        verdict = verify(asked.path, pinned=pinned, anchors=asked.anchor, every=asked.all_signatures)
    except (Unusable, ValueError) as error:
        verdict = Verdict(USAGE, str(error))
    lines = [f"{WORDS[verdict.code]}: {verdict.reason}"]
    if verdict.first_bad is not None:
        lines.append(f"first bad entry: {verdict.first_bad}")
    if verdict.code == GOOD and not asked.vkey:
        lines.append("The key is the one the log names. If you were given one, check again with --vkey.")
    if asked.json:
        lines = [json.dumps({"verdict": WORDS[verdict.code], **verdict._asdict()})]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
