"""The audit log in the database: appended at its tail, read back as exact bytes, guarded by triggers."""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Row,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
)

from bot.domain.audit import (
    Act,
    Entry,
    Malformed,
    build_record,
    canonical,
    first_prev,
    parse_record,
    payload_commitment,
)
from bot.domain.checkpoint import Checkpoint, Frontier, parse_note
from bot.domain.errors import Conflict, Misconfigured, Tampered
from bot.store.keystore import Keystore
from bot.store.rows import batches
from bot.store.tables import audit_payloads, audit_records, checkpoints, meta

ORIGIN_KEY = "log_origin"
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Payload:
    """Personal data beside a record: sealed under the subject's key, and gone when that is forgotten."""

    subject: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What to append; place, chain and commitment are found when it is."""

    ts: datetime
    actor: str
    act: Act
    obj: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: Payload | None = None


class Tail(NamedTuple):
    """The size of the log and its last leaf."""

    size: int
    leaf: str


# Built once: in a wave these run for every delivery, and building costs more than running.
_c = audit_records.c
_LAST = select(_c.seq, _c.leaf).order_by(_c.seq.desc()).limit(1)
_ADD = insert(audit_records)
# By no index of acts, which SQLite would take for many objects: an act has a long history, an object a short one.
_LAST_ABOUT = (
    select(func.max(_c.seq))
    .where(_c.act.concat("").in_(bindparam("acts", expanding=True)), _c.obj.in_(bindparam("objs", expanding=True)))
    .group_by(_c.obj)
)
_AT = select(audit_records).where(_c.seq.in_(bindparam("at", expanding=True)))


def open_log(tx: Connection, *, keystore: Keystore, ts: datetime, actor: str) -> Entry:
    """Writes entry 0, with the key to verify by. Raises Conflict if the log is open already."""
    if tx.execute(select(meta.c.key).where(meta.c.key == ORIGIN_KEY)).first() or size(tx):
        raise Conflict("This database has an audit log already.")
    tx.execute(insert(meta).values(key=ORIGIN_KEY, value=keystore.name))
    return append(tx, NewEntry(ts, actor, Act.LOG_OPENED, "log:1", {"vkey": str(keystore.vkey)}), keystore=keystore)


def origin(tx: Connection) -> str:
    """Raises Misconfigured if no log was opened."""
    found = tx.execute(select(meta.c.value).where(meta.c.key == ORIGIN_KEY)).scalar()
    if found is None:
        raise Misconfigured("This database has no audit log. Run `campaignbot init` first.")
    return str(found)


def append(tx: Connection, new: NewEntry, *, keystore: Keystore, log: str = "") -> Entry:
    """One record in the caller's transaction: both stand or neither does."""
    return append_many(tx, [new], log=log, keystore=keystore)[0]


def append_many(
    tx: Connection, new: Sequence[NewEntry], *, keystore: Keystore, log: str = "", after: Tail | None = None
) -> tuple[Entry, ...]:
    """Reads the tail afresh: other processes append too, though none while `Store.write` is open; `after` is the
    tail as this same transaction read it.

    Without `log`, its origin is looked up. Raises Malformed for what no record may hold.
    """
    log = log or origin(tx)
    start, leaf = after or tail(tx)
    prev = leaf or first_prev(log)
    entries, payloads = [], []
    for seq, each in enumerate(new, start):
        commitment = ""
        if each.payload:
            salt, content = token_bytes(SALT_BYTES), canonical(dict(each.payload.content))
            commitment, subject = payload_commitment(salt, content), each.payload.subject
            sealed = keystore.seal(subject, content)
            payloads.append({"seq": seq, "subject": subject, "salt": salt, "sealed": sealed})
        entry = build_record(
            log=log, seq=seq, ts=each.ts, actor=each.actor, act=each.act, obj=each.obj,
            data=each.data, pc=commitment, prev=prev,
        )  # fmt: skip
        entries.append(entry)
        prev = entry.leaf
    if entries:
        tx.execute(_ADD, [_columns(each) for each in entries])
    if payloads:
        tx.execute(insert(audit_payloads), payloads)
    return tuple(entries)


def _columns(entry: Entry) -> dict[str, Any]:
    """The row that belongs to a record."""
    return {
        "seq": entry.seq, "record": entry.raw, "leaf": entry.leaf, "prev": entry.prev, "act": entry.act,
        "obj": entry.obj,
    }  # fmt: skip


def tail(tx: Connection) -> Tail:
    last = tx.execute(_LAST).first()
    return Tail(last.seq + 1, last.leaf) if last else Tail(0, "")


def size(tx: Connection) -> int:
    return tail(tx).size


def entry(tx: Connection, seq: int) -> Entry | None:
    return entries_at(tx, [seq]).get(seq)


def entries_at(tx: Connection, seqs: Iterable[int]) -> dict[int, Entry]:
    """Raises Tampered unless each row is what its own columns say."""
    return {row.seq: _entry(row) for some in batches(seqs) for row in tx.execute(_AT, {"at": some})}


def entries(
    tx: Connection,
    *,
    after: int | None = None,
    before: int | None = None,
    act: str | Sequence[str] = "",
    obj: str = "",
    actor: str = "",
    newest_first: bool = False,
    limit: int = 100,
) -> list[Entry]:
    """Entries with `after` < seq < `before`. An act ending in "." stands for all that begin so."""
    query = select(audit_records).order_by(_c.seq.desc() if newest_first else _c.seq).limit(limit)
    if after is not None:
        query = query.where(_c.seq > after)
    if before is not None:
        query = query.where(_c.seq < before)
    if not isinstance(act, str):
        query = query.where(_c.act.in_(act))
    elif act:
        query = query.where(_c.act.startswith(act, autoescape=True) if act.endswith(".") else _c.act == act)
    if obj:
        query = query.where(_c.obj == obj)
    if actor:  # no column: who did what is not made easy to list
        needle = literal(b'"actor":' + canonical(actor) + b',"data":{')
        sqlite = tx.dialect.name == "sqlite"
        place = func.instr(_c.record, needle) if sqlite else func.position(needle.op("IN")(_c.record))
        query = query.where(place > 0)
    found = [_entry(row) for row in tx.execute(query)]
    return [each for each in found if not actor or each.actor == actor]


def find_last(tx: Connection, act: Act, obj: str) -> Entry | None:
    return next(iter(entries(tx, act=act, obj=obj, newest_first=True, limit=1)), None)


def last_about(tx: Connection, acts: Sequence[Act], objs: Iterable[str]) -> dict[str, Entry]:
    """The last entry of any of these acts, for each object that has one."""
    given = {"acts": list(acts)}
    seqs = [seq for some in batches(objs) for seq in tx.execute(_LAST_ABOUT, given | {"objs": some}).scalars()]
    return {entry.obj: entry for entry in entries_at(tx, seqs).values()}


def newest_of(tx: Connection, *nouns: str) -> int:
    """The seq of the last entry about any of these nouns, or -1: while it stays, nothing about them changed."""
    about = [act for act in Act if act.partition(".")[0] in nouns]
    found: int | None = tx.execute(select(func.max(_c.seq)).where(_c.act.in_(about))).scalar()
    return -1 if found is None else found


def objects_since(tx: Connection, seq: int, *nouns: str) -> frozenset[str]:
    """What the entries after that one, about any of these nouns, are about."""
    about = [act for act in Act if act.partition(".")[0] in nouns]
    return frozenset(tx.execute(select(_c.obj).where(_c.act.in_(about), _c.seq > seq).distinct()).scalars())


def _entry(row: Row[Any]) -> Entry:
    """Raises Tampered; any column may hold anything if somebody got at the file."""
    altered = Tampered("Audit entry {seq} is altered.", seq=row.seq, command="audit verify")
    try:
        found = parse_record(row.record)
    except (Malformed, TypeError, AttributeError) as error:
        raise altered from error
    if _columns(found) != row._asdict():
        raise altered
    return found


def raw_rows(tx: Connection, table: Table) -> Generator[Row[*tuple[Any, ...]]]:
    """Every row as it lies there, in order, a few at a time; for whoever verifies a file somebody got at.

    Texts come as bytes and what is of another type as null, so that nothing in the file can stop the reading.
    """
    sqlite = tx.dialect.name == "sqlite"
    wanted = ", ".join(_raw_column(column, sqlite=sqlite) for column in table.c)
    key = next(iter(table.primary_key)).name
    query = f"SELECT {wanted} FROM {table.name} ORDER BY {key}"  # noqa: S608 - names of our own columns
    with tx.exec_driver_sql(query, execution_options={"yield_per": 1000}) as found:  # no later query is meant
        yield from found


def _raw_column(column: Column[Any], *, sqlite: bool) -> str:
    name = column.name
    if isinstance(column.type, String):
        return f"CAST({name} AS BLOB)" if sqlite else f"convert_to({name}, 'UTF8')"
    kind = "blob" if isinstance(column.type, LargeBinary) else "integer"
    return f"CASE typeof({name}) WHEN '{kind}' THEN {name} END" if sqlite else name


def leaves_after(tx: Connection, size: int) -> Iterator[Entry]:
    return (_entry(row) for row in tx.execute(select(audit_records).where(_c.seq >= size).order_by(_c.seq)))


def read_payload(tx: Connection, seq: int, keystore: Keystore) -> Mapping[str, Any] | None:
    """None if there is none or it was erased. Whether it is the one committed to, `verify` says."""
    row = tx.execute(select(audit_payloads).where(audit_payloads.c.seq == seq)).first()
    opened = keystore.unseal(row.subject, row.sealed) if row else None
    content: Mapping[str, Any] | None = json.loads(opened) if opened else None
    return content


def erase_payloads(tx: Connection, subject: str) -> int:
    """Drops the rows. Once that is committed the caller has the keystore forget the key."""
    return tx.execute(delete(audit_payloads).where(audit_payloads.c.subject == subject)).rowcount


def save_checkpoint(tx: Connection, made: Checkpoint) -> None:
    said = {"root": made.root.hex(), "frontier": json.dumps([peak.hex() for peak in made.peaks]), "note": made.note}
    tx.execute(insert(checkpoints).values(said | {"size": made.size, "key_id": made.key_id, "at": made.at}))


def latest_checkpoint(tx: Connection) -> Checkpoint | None:
    """Raises Tampered if the row cannot be read."""
    row = tx.execute(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).first()
    return read_checkpoint(*row) if row else None


def signed_root(tx: Connection, size: int) -> str:
    """The root of the checkpoint at this size, in hex; empty where none was made."""
    return str(tx.execute(select(checkpoints.c.root).where(checkpoints.c.size == size)).scalar() or "")


def read_checkpoint(size: int, root: str, frontier: str, note: str, key_id: str, at: datetime) -> Checkpoint:
    """Raises Tampered unless the columns, the peaks and the note say the same."""
    try:
        peaks = tuple(bytes.fromhex(peak) for peak in json.loads(frontier))
        signed, found = parse_note(note), Frontier(size, peaks).root()
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Tampered("The checkpoint at {size} is altered.", size=size) from error
    signers = {signer for _, signer, _ in signed.signatures}
    if (signed.size, signed.root, root) != (size, found, found.hex()) or key_id not in signers:
        raise Tampered("The checkpoint at {size} is altered.", size=size)
    return Checkpoint(size, found, peaks, note, key_id, at)
