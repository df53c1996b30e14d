"""Audit log: who did what, how far it is proven, and all that others need to check it without trusting us."""

import re
from collections.abc import Iterator
from datetime import date
from types import MappingProxyType
from typing import IO
from urllib.parse import urlencode

from flask import Response

from bot.domain.audit import Act
from bot.domain.errors import Conflict
from bot.domain.people import Duty
from bot.i18n import word
from bot.services import anchors, audit, proofs
from bot.services.audit import Wanted
from bot.services.context import PROGRAM
from bot.store import audit as records
from bot.web.frame import Answer, Door, Pages, Visit, not_there, page

pages = Pages("audit")
LARGEST_PROOF = 20_000
"""Proving that a log grew takes a pass over it: a longer one is published by the command, never in a request."""
_NOUNS = tuple(dict.fromkeys(f"{act.partition('.')[0]}." for act in Act))
_OBJ = re.compile(r"[a-z_]{1,16}:[A-Za-z0-9._-]{1,63}")
_CHUNK = 64 * 1024
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


@pages.show("/audit", may=Door.SIGNED_IN)
def log_page(visit: Visit) -> Answer:
    """How far it is proven is for everyone here; who did what and when, for those who read the log."""
    wanted, before = _wanted(visit), visit.asked("before")
    may_read, ctx = visit.may(Duty.READ_AUDIT), visit.ctx
    with ctx.store.read() as tx:
        cursor = int(before) if _NUMBER.fullmatch(before) else None
        turned = audit.turn(tx, wanted, cursor) if may_read else audit.Turned((), None)
        state = {
            "size": records.size(tx),
            "signed": records.latest_checkpoint(tx),
            "bad": anchors.altered_from(tx),
            "exposed": anchors.exposure(tx),
        }
    aliases = ctx.keystore.people()
    return page(
        "audit/audit.html",
        **state,
        anchor=next(iter(anchors.listed(ctx, limit=1)), None),
        wanted=wanted,
        turned=turned,
        aliases=MappingProxyType({**aliases, PROGRAM: ""}),
        people=sorted((name, alias) for name, alias in aliases.items()),
        acts=[(each, word(each, "act")) for each in sorted((*_NOUNS, *Act))],
        newest=_address(wanted) if before else "",
        earlier=_address(wanted, before=str(turned.earlier)) if turned.earlier else "",
    )


@pages.show("/audit/<int:seq>", may=Duty.READ_AUDIT)
def entry_page(visit: Visit, seq: int) -> Answer:
    with visit.ctx.store.read() as tx:
        entry = records.entry(tx, seq) if seq < 10**15 else None
        if entry is None:
            not_there()
        payload = records.read_payload(tx, seq, visit.ctx.keystore) if entry.pc else None
        is_last = seq == records.size(tx) - 1
    alias = "" if entry.actor == PROGRAM else visit.ctx.keystore.alias(entry.actor)
    return page("audit/entry.html", entry=entry, payload=payload, alias=alias, is_last=is_last)


@pages.act("/audit/export", may=Duty.EXPORT_LOG, again=log_page, fresh=True)
def export(visit: Visit) -> Answer:
    content = "content" in visit.ticked("with")
    found = audit.bundle(visit.ctx, visit.person, with_payloads=content, mask="people" not in visit.ticked("with"))
    return Response(
        _chunks(found),
        headers={"Content-Disposition": "attachment; filename=audit-log.zip"},
        mimetype="application/zip",
    )


def _chunks(found: IO[bytes]) -> Iterator[bytes]:
    with found:
        while chunk := found.read(_CHUNK):
            yield chunk


@pages.show("/checkpoint", may=Door.ANYONE)
def checkpoint(visit: Visit) -> Answer:
    """The newest signed note: a size, a hash and signatures. This and the next two are what a witness reads."""
    with visit.ctx.store.read() as tx:
        found = records.latest_checkpoint(tx)
    return _text(found.note if found else "")


@pages.show("/vkeys", may=Door.ANYONE)
def vkeys(visit: Visit) -> Answer:
    return _text("".join(f"{key}\n" for key in visit.ctx.keystore.vkeys))


@pages.show("/consistency.jsonl", may=Door.ANYONE)
def consistency(visit: Visit) -> Answer:
    with visit.ctx.store.read() as tx:
        if records.size(tx) > LARGEST_PROOF:
            raise Conflict("This log is too long to prove here. Whoever looks after the server can publish the proof.")
        return _text(b"".join(proofs.consistency(tx)).decode())


def _text(content: str) -> Response:
    return Response(content, mimetype="text/plain") if content else not_there()


def _wanted(visit: Visit) -> Wanted:
    """What is asked for in words we do not know is not asked for."""
    who, act, obj = visit.asked("who"), visit.asked("act"), visit.asked("obj")
    known = {*visit.ctx.keystore.people(), PROGRAM}
    return Wanted(
        who if who in known else "",
        act if act in (*_NOUNS, *Act) else "",
        obj if _OBJ.fullmatch(obj) else "",
        _day(visit.asked("on")),
        visit.zone,
    )


def _day(text: str) -> date | None:
    found = re.fullmatch(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", text, re.ASCII)
    try:
        return date.fromisoformat(text) if found else None
    except ValueError:
        return None


def _address(wanted: Wanted, **cursor: str) -> str:
    asked = {"who": wanted.who, "act": wanted.act, "obj": wanted.obj, "on": str(wanted.on or "")}
    kept = {name: value for name, value in {**asked, **cursor}.items() if value}
    return f"/audit?{urlencode(kept)}" if kept else "/audit"
