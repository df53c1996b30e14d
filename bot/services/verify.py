"""Verification of the audit log: one pass over its records, then a judgement by the signed notes."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.domain.audit import Act, Entry, Malformed, first_prev, parse_record, payload_commitment
from bot.domain.checkpoint import Frontier, Note, VerifyKey, parse_note, parse_vkey
from bot.domain.errors import Tampered
from bot.domain.remarks import Remark, remark
from bot.store import audit
from bot.store.keystore import Keystore
from bot.store.tables import audit_payloads, audit_records, checkpoints

GOOD, ALTERED, NOT_PROVABLE = 0, 1, 2
KEY_ACTS = frozenset({Act.LOG_OPENED, Act.KEY_ADDED})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is the exit code. `proven` entries stand under a checkpoint whose signature was checked."""

    code: int
    reason: Remark
    size: int = 0
    proven: int = 0
    first_bad: int | None = None


class _Bad(Exception):
    """The sentence may name {seq}, {proven} and its own fields."""

    def __init__(self, seq: int, template: str, **fields: object) -> None:
        self.seq, self.template, self.fields = seq, template, fields


@dataclass(slots=True)
class _Walk:
    """What one pass found; `doubts` are notes the records do not match, with the size of the last they did."""

    tree: Frontier = field(default_factory=Frontier)
    origin: str = ""
    keys: list[VerifyKey] = field(default_factory=list)
    matched: list[Note] = field(default_factory=list)
    doubts: list[tuple[Note, int]] = field(default_factory=list)
    bad: _Bad | None = None
    stray: bool = False

    def compare(self, notes: Iterable[Note]) -> None:
        good = self.matched[-1].size if self.matched else 0
        for note in notes:
            if note.origin == self.origin and note.root == self.tree.root():
                self.matched.append(note)
            else:
                self.doubts.append((note, good))


def verify(
    tx: Connection,
    *,
    vkeys: Iterable[VerifyKey] = (),
    anchors: Iterable[str] = (),
    keystore: Keystore | None = None,
    every: bool = False,
) -> Verdict:
    """Checks every record, root and anchor, and the newest signature of each key.

    Without `vkeys` the keys are those the log itself names: good against accidents, not against a forger.
    With a `keystore` its own anchor, and the payloads that are not erased, are checked too. `every` checks all
    signatures.
    """
    try:
        own = [keystore.anchor] if keystore and keystore.anchor else []
        notes, faults = _notes(tx, [*anchors, *own])
        walk, rows, commitments = _Walk(), audit.raw_rows(tx, audit_records), _commitments(tx, keystore)
        try:
            with closing(rows), closing(commitments):
                _step_through(walk, rows, notes, commitments)
        except _Bad as bad:
            walk.bad = bad
        return _judge(walk, notes, faults, tuple(vkeys), every=every)
    except DBAPIError:
        return Verdict(NOT_PROVABLE, remark("The database is damaged and cannot be read through."))


def _notes(tx: Connection, anchors: Iterable[str]) -> tuple[list[Note], list[Remark]]:
    """Checkpoints and anchors by size, and what is wrong with those that cannot be read."""
    notes, faults = {}, []
    for size, *texts, _at in audit.raw_rows(tx, checkpoints):
        root, frontier, note, key_id = ((text or b"").decode(errors="replace") for text in texts)
        try:
            notes[parse_note(audit.read_checkpoint(size, root, frontier, note, key_id, _EPOCH).note)] = size
        except Tampered as error:
            faults.append(Remark(error.template, error.fields))
    for anchor in anchors:
        try:
            notes[parse_note(anchor)] = 0
        except Malformed:
            faults.append(remark("An anchor cannot be read."))
    return sorted(notes, key=lambda note: note.size), faults


def _commitments(tx: Connection, keystore: Keystore | None) -> Generator[tuple[int, str]]:
    """What each payload that can be opened would have to be committed to as."""
    with closing(audit.raw_rows(tx, audit_payloads)) as rows:
        for seq, subject, salt, sealed in rows if keystore else ():
            name = (subject or b"").decode(errors="replace")
            if keystore and keystore.knows(name):
                content = keystore.unseal(name, sealed or b"")
                yield seq, "altered" if content is None else payload_commitment(salt or b"", content)


def _step_through(
    walk: _Walk, rows: Iterator[tuple[Any, ...]], notes: Iterable[Note], commitments: Iterator[tuple[int, str]]
) -> None:
    """Raises _Bad at the first record that is not what it was."""
    tree, prev = walk.tree, ""
    by_size: dict[int, list[Note]] = {}
    for note in notes:
        by_size.setdefault(note.size, []).append(note)
    committed = next(commitments, None)
    for row in rows:
        seq, entry = tree.size, _read(row, tree.size)
        if seq == 0:
            walk.origin, prev = entry.log, first_prev(entry.log)
        if entry.prev != prev or entry.log != walk.origin:
            culprit = _culprit(seq, entry, walk.origin, rows)
            raise _Bad(culprit, "Entry {seq} does not fit in the chain; {proven} are proven.")
        if committed and committed[0] == seq:
            if committed[1] != entry.pc:
                other = "Entry {seq} has a payload other than it was written with; {proven} are proven."
                raise _Bad(seq, other)
            committed = next(commitments, None)
        if entry.act in KEY_ACTS:
            walk.keys += keys_named(entry)
        tree.append(bytes.fromhex(entry.leaf))
        prev = entry.leaf
        if seq + 1 in by_size:
            walk.compare(by_size[seq + 1])
    walk.stray = committed is not None


def _read(row: tuple[Any, ...], seq: int) -> Entry:
    try:
        entry = parse_record(row[1])
    except (Malformed, AttributeError, TypeError) as error:
        raise _Bad(seq, "Entry {seq} cannot be read; {proven} are proven.") from error
    if entry.seq != seq or row[0] != seq:
        raise _Bad(seq, "Entry {seq} is missing or out of its place; {proven} are proven.")
    texts = (entry.leaf.encode(), entry.prev.encode(), entry.act.encode(), entry.obj.encode())
    if row[2:] != texts:
        raise _Bad(seq, "Entry {seq} is not what its row says; {proven} are proven.")
    return entry


def _culprit(seq: int, entry: Entry, origin: str, rows: Iterator[tuple[Any, ...]]) -> int:
    """The chain breaks before `entry`; if the record after vouches for that, the one before was altered."""
    if seq == 0 or entry.log != origin:
        return seq
    follower = next(rows, None)
    try:
        vouched = follower is None or _read(follower, seq + 1).prev == entry.leaf
    except _Bad:
        vouched = False
    return seq - 1 if vouched else seq


def keys_named(entry: Entry) -> list[VerifyKey]:
    try:
        return [parse_vkey(str(entry.data.get("vkey")))]
    except Malformed:
        return []


def is_signed(note: Note, key: VerifyKey) -> bool:
    for name, key_id, signature in note.signatures:
        if (name, key_id) == (key.name, key.id):
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature, note.body)
            except InvalidSignature:
                return False
            return True
    return False


def _judge(
    walk: _Walk, notes: list[Note], faults: list[Remark], pinned: Sequence[VerifyKey], *, every: bool
) -> Verdict:
    """A note is believed against the records only if its signature holds; else the note is what is wrong."""
    size, bad, keys = walk.tree.size, walk.bad, {key.id: key for key in pinned or walk.keys}
    signers = {note: [key_id for _, key_id, _ in note.signatures if key_id in keys] for note in notes}

    @cache
    def signed(note: Note) -> bool:
        return bool(signers[note]) and all(is_signed(note, keys[key_id]) for key_id in signers[note])

    for note, good in walk.doubts:
        if note.origin == walk.origin and signed(note):
            if bad is None or bad.seq >= note.size:
                one = "Entry {seq} or a later one before {end} is not the one that was signed; {proven} are proven."
                bad = _Bad(good, one, end=note.size)
            break
        faults.append(remark("The checkpoint at {size} is altered, or its key is not known.", size=note.size))
    beyond = [note for note in notes if note.size > size]
    if bad is None and any(size == 0 or signed(note) for note in beyond):
        bad = _Bad(size, "Entry {seq} is missing; {proven} are proven.")
    newest = {key_id: note for note in notes for key_id in signers[note]}
    weak = [note for note in (notes if every else newest.values()) if not signed(note)]
    # Whoever pins one key may not know an older one; the log itself names them all.
    weak = [note for note in weak if signers[note] or not pinned]
    faults += [remark("The signature of the checkpoint at {size} does not hold.", size=note.size) for note in weak]
    if beyond or walk.stray:
        faults.append(remark("There are checkpoints or payloads of entries that are not there."))
    proven = next((note.size for note in reversed(walk.matched) if signed(note)), 0)
    if bad:
        reason = Remark(bad.template, {"seq": bad.seq, "proven": proven, **bad.fields})
        return Verdict(ALTERED, reason, size, proven, bad.seq)
    if faults:
        return Verdict(ALTERED, faults[0], size, proven)
    if not proven:
        return Verdict(NOT_PROVABLE, remark("No checkpoint is signed by a known key."), size)
    said = remark("{size} entries, {proven} of them signed for.", size=size, proven=proven)
    return Verdict(GOOD, said, size, proven)
