"""What others need to check the log without trusting us: later continues earlier, and the records of one post."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from bot.domain.audit import canonical
from bot.domain.checkpoint import Checkpoint
from bot.domain.errors import Conflict, StoreFailed
from bot.domain.proof import Tree
from bot.services import audit as log
from bot.services.verify import KEY_ACTS, keys_named
from bot.store import audit, deliveries, posts
from bot.store.keystore import Keystore
from bot.store.tables import audit_records, checkpoints

NEWEST = 2_000
"""How many earlier checkpoints the newest one is proven to continue; hourly, that is twelve weeks."""


def tree(tx: Connection) -> Tree:
    return Tree(bytes.fromhex((leaf or b"").decode()) for _seq, _record, leaf, *_ in audit.raw_rows(tx, audit_records))


def consistency(tx: Connection) -> Iterator[bytes]:
    """A line for each earlier checkpoint: the path from its root to the newest one's."""
    sizes = [int(row[0]) for row in audit.raw_rows(tx, checkpoints)]
    if len(sizes) > 1:
        whole = tree(tx)
        for size in sizes[-NEWEST - 1 : -1]:
            path = [step.hex() for step in whole.consistency(size, sizes[-1])]
            yield canonical({"from": size, "path": path, "to": sizes[-1]}) + b"\n"


def _newest(tx: Connection) -> Checkpoint:
    found = audit.latest_checkpoint(tx)
    if found is None:
        raise Conflict("There is no checkpoint yet. The publisher signs one once it runs.", command="audit checkpoint")
    return found


def publish(tx: Connection, folder: Path, keystore: Keystore) -> int:
    """Writes over what a witness reads, in any folder that is served or copied; returns the size signed for.

    It holds no record: sizes, hashes and signatures alone.
    """
    newest = _newest(tx)
    written = {
        "vkeys": "".join(f"{key}\n" for key in keystore.vkeys).encode(),
        "consistency.jsonl": b"".join(consistency(tx)),
        "checkpoint": newest.note.encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in written.items():  # the checkpoint last: its proof is there before it
            spare = folder / f".{name}.new"
            spare.write_bytes(content)
            spare.replace(folder / name)
    except OSError as error:
        raise StoreFailed("{folder} cannot be written: {why}.", folder=folder, why=error.strerror) from error
    return newest.size


def export_post(
    tx: Connection, folder: Path, post_id: int, *, keystore: Keystore, with_payloads: bool = False, mask: bool = False
) -> int:
    """The records about one post and its deliveries, each with its path to the newest signed root; how many.

    Nothing else of the log is in it. Raises NotFound, Conflict.
    """
    posts.get(tx, post_id)
    newest, whole = _newest(tx), tree(tx)
    about = [f"post:{post_id}", *(f"delivery:{each.id}" for each in deliveries.of_post(tx, post_id))]
    found = {entry.seq: entry for obj in about for entry in audit.entries(tx, obj=obj, limit=10_000)}
    named = [entry for act in KEY_ACTS for entry in audit.entries(tx, act=act)]
    found |= {entry.seq: entry for entry in named}
    chosen = [found[seq] for seq in sorted(found) if seq < newest.size]
    lines = [
        canonical({
            "path": [step.hex() for step in whole.inclusion(entry.seq, newest.size)],
            "record": entry.raw.decode(),
            "seq": entry.seq,
        })
        for entry in chosen
    ]  # fmt: skip
    with log.new_folder(folder):
        (folder / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        (folder / "checkpoint").write_text(newest.note, encoding="utf-8")
        keys = [key for entry in named for key in keys_named(entry)]
        (folder / "vkeys").write_text("".join(f"{key}\n" for key in keys), encoding="ascii")
        if with_payloads:
            opened = log.opened_payloads(tx, keystore, mask=mask)
            (folder / "payloads.jsonl").write_bytes(b"".join(line for seq, line in opened if seq in found))
    return len(chosen)
