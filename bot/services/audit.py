"""The audit log as a whole: signed checkpoints, verification, its reading, and the export that others can check."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import Connection

from bot.domain.audit import Act, Entry, Malformed, canonical, first_prev, parse_record
from bot.domain.checkpoint import Checkpoint, Frontier, Note, VerifyKey, checkpoint_body, parse_note, signed_note
from bot.domain.errors import Conflict, StoreFailed, Tampered
from bot.domain.people import Duty, Person, require
from bot.domain.slots import at_local
from bot.services.context import Context
from bot.services.verify import KEY_ACTS, Verdict, is_signed, keys_named, verify
from bot.store import audit
from bot.store.engine import Store
from bot.store.keystore import Keystore
from bot.store.tables import audit_payloads, audit_records, checkpoints

CHECKPOINT_RECORDS = 50
CHECKPOINT_AGE = timedelta(hours=1)
PAGE = 50
WINDOW = 20_000
"""How many entries are looked through for one page, where no index knows which fit."""
__all__ = ["Verdict", "checkpoint", "export", "require_anchor", "verify"]


def checkpoint(store: Store, keystore: Keystore, *, now: datetime, force: bool = False) -> Checkpoint | None:
    """Signs what is committed, once 50 entries or an hour have passed or if forced; returns the newest one.

    Raises Tampered, and signs nothing, if the log does not continue what was signed before.
    """
    with store.write() as tx:
        last, size = audit.latest_checkpoint(tx), audit.size(tx)
        since = size - (last.size if last else 0)
        recent = last is not None and now - last.at < CHECKPOINT_AGE and since < CHECKPOINT_RECORDS
        if since == 0 or (recent and not force):
            return last
        tree = _replay(tx, last, keystore)
        body, key = checkpoint_body(keystore.name, tree.size, tree.root()), keystore.vkey
        note = signed_note(body, key, keystore.sign(body))
        made = Checkpoint(tree.size, tree.root(), tuple(tree.peaks), note, key.id, now)
        audit.save_checkpoint(tx, made)
    # Only after the commit: a note kept for a checkpoint that was rolled back would cry wolf.
    keystore.remember(note)
    return made


def rotate_key(ctx: Context, actor: Person) -> VerifyKey:
    """From now on another key signs. The last that the old one signs is that there is a new one.

    Cut off in the middle of it, the log names a key that nobody has, which harms nothing. Raises Refused, Tampered.
    """

    def announce(new: VerifyKey) -> None:
        with ctx.acting(actor, Duty.MANAGE_KEYS) as tx:
            ctx.record(tx, actor, Act.KEY_ADDED, "log:1", {"vkey": str(new)})
        checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)

    return ctx.keystore.rotate(announce)


def require_anchor(tx: Connection, keystore: Keystore) -> None:
    """Raises Tampered where the log is not the one that was signed here last, however much was added since."""
    anchor = _anchor(keystore)
    if anchor is None:
        return
    if anchor.size <= audit.size(tx) and anchor.root.hex() == audit.signed_root(tx, anchor.size):
        return
    try:
        _replay(tx, audit.latest_checkpoint(tx), keystore)
    except Tampered as error:
        raise Tampered(
            "Entries that were signed here are gone: a backup was put back, or worse. Stop, and ask why. "
            "Then put back the newest copy of the whole folder, keys and all."
        ) from error


def _anchor(keystore: Keystore) -> Note | None:
    try:
        return parse_note(keystore.anchor) if keystore.anchor else None
    except Malformed as error:
        raise Tampered("The newest checkpoint, kept with the keys, is altered. Bring back their backup.") from error


def _replay(tx: Connection, last: Checkpoint | None, keystore: Keystore) -> Frontier:
    """The tree from the last checkpoint to the tail, through what the keystore remembers having signed."""
    signed = {last.size: last.root} if last else {}
    if last and not any(is_signed(parse_note(last.note), key) for key in keystore.vkeys):
        raise Tampered("The checkpoint at {size} is not signed by this installation.", size=last.size)
    anchor = _anchor(keystore)
    if anchor and signed.setdefault(anchor.size, anchor.root) != anchor.root:
        raise Tampered("The checkpoint at {size} is not the one that was signed.", size=anchor.size)
    tree = Frontier(last.size, last.peaks) if last else Frontier()
    before = audit.entry(tx, tree.size - 1)
    prev = before.leaf if before else first_prev(keystore.name)
    for entry in audit.leaves_after(tx, tree.size):
        if (entry.seq, entry.prev, entry.log) != (tree.size, prev, keystore.name):
            raise Tampered("Audit entry {seq} does not follow the one before it.", seq=entry.seq)
        tree.append(bytes.fromhex(entry.leaf))
        prev = entry.leaf
        if tree.size in signed and signed[tree.size] != tree.root():
            raise Tampered("The audit log is not what was signed at {size} entries.", size=tree.size)
    if tree.size < max(signed, default=0):
        raise Tampered("The audit log has {size} entries, fewer than were signed.", size=tree.size)
    return tree


def export(
    tx: Connection,
    folder: Path,
    *,
    keystore: Keystore,
    with_payloads: bool = False,
    mask: bool = False,
    anchors: Iterable[str] = (),
) -> int:
    """Writes the log and its verifier for others to check; returns the number of entries.

    Payloads hold personal data: only on request, and with `mask` without what is sealed for our own people.
    Raises Conflict if the folder holds anything.
    """
    with new_folder(folder):
        size = _export_records(tx, folder)
        for name, notes in (("checkpoints", _stored_notes(tx)), ("anchors", anchors)):
            (folder / name).mkdir()
            for count, note in enumerate(notes):
                (folder / name / f"{count:08d}.txt").write_text(note, encoding="utf-8")
        if with_payloads:
            with (folder / "payloads.jsonl").open("wb") as out:
                out.writelines(line for _seq, line in opened_payloads(tx, keystore, mask=mask))
    return size


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """With the verifier, and a page that tells strangers what this is and how to check it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Conflict("{folder} is not empty. Name a new folder.", folder=folder)
        yield
        for name, source in (("verify_audit.py", "verify_audit.py"), ("README.md", "verify_audit.md")):
            (folder / name).write_bytes(files("bot").joinpath(source).read_bytes())
    except OSError as error:
        raise StoreFailed("{folder} cannot be written: {why}.", folder=folder, why=error.strerror) from error


def _export_records(tx: Connection, folder: Path) -> int:
    size, head, keys = 0, b"", []
    with (folder / "records.jsonl").open("wb") as out:
        for _seq, record, leaf, _prev, act, _obj in audit.raw_rows(tx, audit_records):
            out.write((record or b"") + b"\n")
            size, head = size + 1, leaf or b""
            if act and act.decode(errors="replace") in KEY_ACTS:
                keys += keys_named(parse_record(record))
    manifest = {"v": 1, "origin": audit.origin(tx), "size": size, "head": head.decode(errors="replace")}
    (folder / "manifest.json").write_bytes(canonical(manifest) + b"\n")
    (folder / "vkeys").write_text("".join(f"{key}\n" for key in keys), encoding="ascii")
    return size


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to show. An `act` that ends in a dot stands for all that begin so; `who` is a pseudonym."""

    who: str = ""
    act: str = ""
    obj: str = ""
    on: date | None = None
    zone: str = "UTC"

    def __bool__(self) -> bool:
        return bool(self.who or self.act or self.obj or self.on)


@dataclass(frozen=True, slots=True)
class Turned:
    """A page, the newest first. The page after it lies before entry `earlier`, if there is more to look through."""

    entries: tuple[Entry, ...]
    earlier: int | None


def turn(tx: Connection, wanted: Wanted, before: int | None = None) -> Turned:
    """However long the log is, a page reads no more than WINDOW entries."""
    low, high = _span(tx, wanted)
    top = high if before is None else min(before, high)
    scans = bool(wanted.who) or wanted.act.endswith(".")
    floor = max(low, top - WINDOW - 1) if scans else low
    found = audit.entries(
        tx, after=floor, before=top, act=wanted.act, obj=wanted.obj, actor=wanted.who, newest_first=True, limit=PAGE + 1
    )
    if len(found) > PAGE:
        return Turned(tuple(found[:PAGE]), found[PAGE - 1].seq)
    return Turned(tuple(found), floor + 1 if floor > low else None)


def _span(tx: Connection, wanted: Wanted) -> tuple[int, int]:
    """The entries of that day lie between these two; found by halving, since no column has the time."""
    size = audit.size(tx)
    if wanted.on is None:
        return -1, size
    begins, ends = (at_local(wanted.on + timedelta(days=more), time(), wanted.zone) for more in (0, 1))
    return _first_since(tx, begins, size) - 1, _first_since(tx, ends, size)


def _first_since(tx: Connection, when: datetime, size: int) -> int:
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        entry = audit.entry(tx, middle)
        low, high = (low, middle) if entry is None or entry.ts >= when else (middle + 1, high)
    return low


def bundle(ctx: Context, actor: Person, *, with_payloads: bool, mask: bool) -> IO[bytes]:
    """The export, signed up to now, as a zip that is gone when it is closed. Raises Refused."""
    require(actor, Duty.EXPORT_LOG)
    checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    with TemporaryDirectory(dir=ctx.data_dir, prefix="export-") as place:
        with ctx.store.read() as tx:
            size = export(tx, Path(place) / "log", keystore=ctx.keystore, with_payloads=with_payloads, mask=mask)
        packed = TemporaryFile(dir=ctx.data_dir)  # noqa: SIM115 - whoever sends it closes it
        with ZipFile(packed, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted((Path(place) / "log").rglob("*")):
                archive.write(path, path.relative_to(place))
    with ctx.store.write() as tx:
        ctx.record(tx, actor, Act.LOG_EXPORTED, "log:1", {"size": size, "payloads": with_payloads, "mask": mask})
    packed.seek(0)
    return packed


def _stored_notes(tx: Connection) -> Iterator[str]:
    return ((row[3] or b"").decode(errors="replace") for row in audit.raw_rows(tx, checkpoints))


def opened_payloads(tx: Connection, keystore: Keystore, *, mask: bool = False) -> Iterator[tuple[int, bytes]]:
    for seq, subject, salt, sealed in audit.raw_rows(tx, audit_payloads):
        name = (subject or b"").decode(errors="replace")
        content = None if mask and name.startswith("p-") else keystore.unseal(name, sealed or b"")
        if content is not None:
            tail = canonical({"salt": salt.hex(), "seq": seq}).replace(b"{", b",", 1)
            yield seq, b'{"payload":' + content + tail + b"\n"
