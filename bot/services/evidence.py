"""What an appeal to a platform needs of one delivery: what stood there, when, who agreed to it, and the proof."""

import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.delivery import Delivery
from bot.domain.errors import Conflict, StoreFailed
from bot.domain.people import Duty, Person, require
from bot.domain.post import moment_text, part_from_plain, sha256
from bot.library.images import image_path
from bot.services import proofs
from bot.services.audit import checkpoint
from bot.services.context import Context
from bot.store import approvals, attempts, audit, deliveries, posts

PROOF = "proof"


def export_delivery(ctx: Context, actor: Person, delivery_id: int, folder: Path) -> int:
    """Writes a new folder; returns how many records prove what it says. Raises Conflict where it holds anything.

    People are in it by their pseudonyms alone, unless the text that was published names them.
    """
    require(actor, Duty.EXPORT)
    with ctx.store.read() as tx:
        deliveries.get(tx, delivery_id)
    checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    with ctx.store.read() as tx:
        delivery = deliveries.get(tx, delivery_id)
        told, manifest = _told(ctx, tx, delivery), posts.get(tx, delivery.post_id).manifest
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise Conflict("{folder} is not empty. Name a new folder.", folder=folder)
            (folder / "delivery.json").write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
            (folder / "delivery.txt").write_text("\n".join(_lines(told)) + "\n", "utf-8")
            if sha256(manifest) == delivery.digest:
                (folder / "manifest.json").write_text(manifest, "utf-8")
            for image in told["pictures"]:
                shutil.copyfile(image_path(ctx.data_dir, image["sha256"], image["type"]), folder / image["file"])
        except OSError as error:
            raise StoreFailed("{folder} cannot be written: {why}.", folder=folder, why=error.strerror) from error
        proven = proofs.export_post(tx, folder / PROOF, delivery.post_id, keystore=ctx.keystore)
    with ctx.store.write() as tx:
        ctx.record(tx, actor, Act.DELIVERY_EXPORTED, f"delivery:{delivery_id}", {"records": proven})
    return proven


def _told(ctx: Context, tx: Connection, delivery: Delivery) -> dict[str, Any]:
    part = part_from_plain(json.loads(delivery.content))
    channel = ctx.channels.get(delivery.channel)
    images = [(image, image_path(ctx.data_dir, image.digest, image.mime)) for image in part.images]
    return {
        "delivery": delivery.id,
        "post": delivery.post_id,
        "part": delivery.part + 1,
        "platform": channel.profile.platform if channel else "",
        "account": channel.profile.account if channel else delivery.channel,
        "state": delivery.state.value,
        "address": delivery.url,
        "platform_id": delivery.remote_id,
        "reference": dict(delivery.reference or {}),
        "text": part.text,
        "text_sha256": sha256(part.text),
        "languages": list(part.languages),
        "pictures": [
            {"file": path.name, "sha256": image.digest, "type": image.mime, "alt_text": image.alt}
            for image, path in images
        ],
        "due_at": moment_text(delivery.due_at),
        "published_at": _moment(delivery.published_at),
        "attempts": [
            {"began_at": moment_text(each.began_at), "ended_at": _moment(each.ended_at), "outcome": each.outcome}
            for each in attempts.attempts_of(tx, delivery.id)
        ],
        "looked_at": _moment(delivery.looked_at),
        "found": delivery.sighting,
        "withdrawn_at": _moment(delivery.withdrawn_at),
        "approved_digest": delivery.digest,
        "approvals": list(_approvals(tx, delivery)),
    }


def _approvals(tx: Connection, delivery: Delivery) -> Iterable[Mapping[str, Any]]:
    for approval in approvals.of_post(tx, delivery.post_id, voided=True):
        entry = audit.entry(tx, approval.audit_seq)
        if entry and approval.digest == delivery.digest:
            yield {"by": entry.actor, "at": moment_text(entry.ts), "record": entry.seq}


def _moment(moment: datetime | None) -> str:
    return moment_text(moment) if moment else ""


def _lines(told: Mapping[str, Any]) -> Iterable[str]:
    """For a person at the platform, in English; the same as the JSON says."""
    yield f"Delivery {told['delivery']}: part {told['part']} of post {told['post']}"
    yield f"Account: {told['account']} ({told['platform']})"
    yield f"Address: {told['address'] or '-'}   id: {told['platform_id'] or '-'}"
    yield f"State: {told['state']}"
    for what in ("due_at", "published_at", "looked_at", "withdrawn_at"):
        if told[what]:
            yield f"{what.replace('_', ' ').capitalize()}: {told[what]}"
    if told["found"]:
        yield f"Found at that look: {told['found']}"
    for attempt in told["attempts"]:
        yield f"Sent: {attempt['began_at']} to {attempt['ended_at'] or '?'}: {attempt['outcome'] or 'no answer'}"
    yield f"Digest of what was approved (SHA-256 of manifest.json): {told['approved_digest']}"
    for approval in told["approvals"]:
        yield f"Approved by {approval['by']} at {approval['at']} (record {approval['record']})"
    for picture in told["pictures"]:
        yield f"Picture {picture['file']}: {picture['alt_text'] or '-'}"
    yield f"To check the records: python3 {PROOF}/verify_audit.py {PROOF}"
    yield ""
    yield told["text"]
