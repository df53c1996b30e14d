"""Post: both texts, what they rest on, who agreed, what became of it on each account, and what can be done."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

from flask import make_response
from markupsafe import Markup
from werkzeug.wrappers import Response

from bot.domain.delivery import IN_FLIGHT, Delivery, DeliveryState, Sighting
from bot.domain.differences import Piece, words
from bot.domain.errors import BadInput
from bot.domain.people import Duty
from bot.domain.phrases import capital
from bot.domain.post import EDITABLE, PostState
from bot.i18n import _, filled, many, word
from bot.library.files import MAX_BYTES
from bot.services import evidence, postfiles, posts, queue, review, settle, sheets, withdraw
from bot.services.content import is_unanswered
from bot.services.sheets import Step, Tried, Version
from bot.web.compose import read_time
from bot.web.frame import Amiss, Answer, Door, Pages, Problem, Visit, page, see_other
from bot.web.previews import previews
from bot.web.words import say

pages = Pages("posts")
Line: TypeAlias = tuple[datetime | None, Markup | str, str]
_GONE = IN_FLIGHT | {DeliveryState.PUBLISHED}
_GOOD = frozenset({"delivery.published", "delivery.withdrawn", "post.published", "post.approved"})
_BAD = frozenset({
    "delivery.failed", "delivery.missed", "delivery.unknown", "delivery.held", "delivery.gone", "delivery.changed",
    "delivery.not_withdrawn", "post.lapsed", "post.cancelled", "post.partly_published",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What one version changed: a text word by word, by (language, account or platform), or a name of what else."""

    version: Version
    texts: Sequence[tuple[tuple[str, str], list[Piece]]]
    others: Sequence[str]


@pages.show("/posts/<int:post_id>", may=Door.SIGNED_IN)
def post(visit: Visit, post_id: int) -> Answer:
    sheet, history = sheets.read_sheet(visit.ctx, post_id), sheets.read_history(visit.ctx, post_id)
    visit.here = sheet.post.content.scope
    stopped = (each for each in queue.holds(visit.ctx) if (each.hold.scope, each.hold.target) == ("post", str(post_id)))
    accounts: dict[str, list[tuple[Tried, list[Line]]]] = {each.delivery.channel: [] for each in history.tried}
    for each in history.tried:
        accounts[each.delivery.channel].append((each, timeline(visit, each)))
    return page(
        "posts/post.html",
        sheet=sheet,
        history=history,
        accounts=accounts,
        lines=[_line(step) for step in history.steps],
        changes=list(changes(history.versions))[::-1],
        previews=previews(visit.ctx, sheet.post.content, sheet.checked),
        held=next(stopped, None),
        editable=sheet.post.state in EDITABLE and not any(each.state in _GONE for each in sheet.deliveries),
        is_out=any(each.attempts and each.withdrawn_at is None for each in sheet.deliveries),
        asked=is_unanswered(sheet.post.content, sheet.cases),
        lost=[each.id for each in sheet.deliveries if _is_lost(each)],
        duty_to_resend=settle.duty_to_resend,
        filled=filled,
    )


def _is_lost(each: Delivery) -> bool:
    gone = each.sighting in {Sighting.GONE, Sighting.CHANGED} and each.acknowledged_at is None
    return gone and each.withdrawn_at is None and each.withdraw_at is None


def timeline(visit: Visit, tried: Tried) -> list[Line]:
    """One delivery's own: when it was due, each try with its answer, and what comes next."""
    each, said = tried.delivery, {attempt.fence: attempt.detail for attempt in tried.attempts}
    lines: list[Line] = [(each.due_at, _("due"), "")]
    for step in tried.steps:
        detail = said.get(step.attempt or -1, "") if step.act in _BAD or step.act == "delivery.retry" else ""
        lines.append(_line(step, detail if detail != each.remote_id else ""))
        if step.act == "delivery.published" and each.url.startswith(("https://", "http://")):
            link = Markup('<a href="{}" rel="noreferrer">{}</a>').format(each.url, each.url)
            lines[-1] = (step.at, say("{what}: {link}", what=lines[-1][1], link=link), "ok")
    if each.sighting == Sighting.THERE:
        lines.append((each.looked_at, word(each.sighting, "sighting"), "ok"))
    lines.sort(key=lambda line: line[0] or visit.ctx.now())
    if each.state is DeliveryState.RETRY_WAIT:
        lines.append((each.next_at, _("next try"), ""))
    return lines


def _line(step: Step, detail: str = "") -> Line:
    how = {"live": _("it is there"), "resend": _("send it again"), "drop": _("do not send it")}.get(step.how, "")
    told = ": ".join(filter(None, (word(step.act, "act"), how or word(step.why, "reason", "void"))))
    if detail:
        told = f"{told} ({word(detail, 'reason')})"
    kind = "ok" if step.act in _GOOD else "fail" if step.act in _BAD else ""
    return step.at, f"{step.by}: {told}" if step.by else capital(told), kind


def changes(versions: Sequence[Version]) -> Iterator[Change]:
    """What each version after the first changed."""
    for before, after in pairwise(versions):
        old, new = before.content, after.content
        keys = sorted({*old.texts, *new.texts}, key=lambda key: (key[1], key[0] != "vi"))
        texts = [
            (key, words(old.texts.get(key, ""), new.texts.get(key, "")))
            for key in keys
            if old.texts.get(key) != new.texts.get(key)
        ]
        named = (
            (_("the campaign"), old.campaign, new.campaign),
            (_("the accounts"), old.channels, new.channels),
            (_("the time"), old.windows, new.windows),
            (_("the pictures"), old.pictures, new.pictures),
            (_("the people"), old.cases, new.cases),
            (_("the facts it rests on"), old.cites, new.cites),
            (_("the note"), old.note, new.note),
        )
        yield Change(after, texts, [name for name, was, now in named if was != now])


@pages.act("/posts/<int:post_id>/submit", may=Duty.WRITE_POST, again=post)
def submit(visit: Visit, post_id: int) -> Answer:
    review.submit(visit.ctx, visit.person, post_id)
    return see_other(f"/posts/{post_id}", "Sent for review. Somebody else must approve it before its time.")


@pages.act("/posts/<int:post_id>/schedule", may=Duty.WRITE_POST, again=post)
def schedule(visit: Visit, post_id: int) -> Answer:
    with visit.about("day"):
        when = read_time(visit)
        if not when.at and not when.slot:
            raise BadInput("Choose a time, or the next free slot.")
        done = posts.schedule(visit.ctx, visit.person, post_id, when)
    if done.voided:
        return see_other(f"/posts/{post_id}", "It was approved before; that no longer counts.", kind="warn")
    return see_other(f"/posts/{post_id}", "Saved.")


@pages.act("/posts/<int:post_id>/cancel", may=Duty.CANCEL_POST, again=post)
def cancel(visit: Visit, post_id: int) -> Answer:
    with visit.about("reason"):
        review.cancel(visit.ctx, visit.person, post_id, visit.typed("reason"))
    return see_other(f"/posts/{post_id}", "Cancelled. Nothing of it goes out.")


@pages.act("/posts/<int:post_id>/withdraw", may=Duty.WITHDRAW, again=post, fresh=True)
def take_down(visit: Visit, post_id: int) -> Answer:
    with visit.about("reason"):
        unwanted = withdraw.withdraw_post(visit.ctx, visit.person, post_id, visit.typed("reason"))
    one, more = "{number} of it is to be taken down.", "{number} of it are to be taken down."
    said = "Nothing more of it goes out. {rest} This page shows what came of it."
    return see_other(f"/posts/{post_id}", said, rest=many(one, more, len(unwanted)))


def of_delivery(visit: Visit, delivery_id: int) -> Answer:
    return post(visit, sheets.delivery(visit.ctx, delivery_id).post_id)


@pages.act("/deliveries/<int:delivery_id>/live", may=Duty.SETTLE_DELIVERY, again=of_delivery, fresh=True)
def live(visit: Visit, delivery_id: int) -> Answer:
    with visit.about(f"url-{delivery_id}"):
        settled = settle.settle_live(visit.ctx, visit.person, delivery_id, visit.typed(f"url-{delivery_id}"))
    return see_other(f"/posts/{settled.post_id}", "It is on record as sent.")


@pages.act("/deliveries/<int:delivery_id>/resend", may=Duty.SETTLE_DELIVERY, again=of_delivery, fresh=True)
def resend(visit: Visit, delivery_id: int) -> Answer:
    settled = settle.settle_resend(visit.ctx, visit.person, delivery_id)
    if settled.state is DeliveryState.HELD:
        return see_other(f"/posts/{settled.post_id}", "Asked. Somebody else must confirm it here.", kind="info")
    return see_other(f"/posts/{settled.post_id}", "It goes out again, once more through every check.")


@pages.act("/deliveries/<int:delivery_id>/drop", may=Duty.SETTLE_DELIVERY, again=of_delivery, fresh=True)
def drop(visit: Visit, delivery_id: int) -> Answer:
    settled = settle.settle_drop(visit.ctx, visit.person, delivery_id)
    return see_other(f"/posts/{settled.post_id}", "It stays unsent.")


@pages.act("/deliveries/<int:delivery_id>/acknowledge", may=Duty.SETTLE_DELIVERY, again=of_delivery)
def acknowledge(visit: Visit, delivery_id: int) -> Answer:
    settle.acknowledge(visit.ctx, visit.person, delivery_id)
    return see_other(f"/posts/{sheets.delivery(visit.ctx, delivery_id).post_id}", "It is no longer reported.")


@pages.act("/deliveries/<int:delivery_id>/export", may=Duty.EXPORT, again=of_delivery, fresh=True)
def export(visit: Visit, delivery_id: int) -> Answer:
    """What an appeal to the platform needs, as one file."""
    name = f"delivery-{delivery_id}"
    packed = io.BytesIO()
    with TemporaryDirectory() as room:
        folder = Path(room) / name
        evidence.export_delivery(visit.ctx, visit.person, delivery_id, folder)
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            for each in sorted(folder.rglob("*")):
                archive.write(each, each.relative_to(room))
    return _download(packed.getvalue(), f"{name}.zip", "application/zip")


def _download(content: bytes, name: str, mime: str) -> Response:
    response = make_response(content)
    response.mimetype = mime
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.show("/posts/import", may=Door.SIGNED_IN)
def files(visit: Visit) -> Answer:
    campaigns = visit.ctx.schedules.campaigns
    return page("posts/import.html", columns=postfiles.COLUMNS, states=tuple(PostState), campaigns=campaigns)


@pages.act("/posts/import", may=Duty.WRITE_POST, again=files)
def bring_in(visit: Visit) -> Answer:
    sent = visit.file("file")
    with visit.about("file"):
        if sent is None:
            raise BadInput("Choose a file.")
        name = re.sub(r"[^\w. -]", "_", Path(sent.filename or "").name)[:80]
        done = postfiles.import_posts(visit.ctx, visit.person, sent.stream.read(MAX_BYTES + 1), name)
    told = many("Imported {number} post as a draft.", "Imported {number} posts as drafts.", len(done.added))
    if done.findings:
        rest = [Problem("file", each.say(_)) for each in done.findings]
        raise Amiss([Problem("", told), *rest] if done.added else rest)
    known = many("{number} was here already.", "{number} were here already.", done.known) if done.known else ""
    return see_other("/queue?state=draft", "{told} {known}", told=told, known=known)


@pages.act("/posts/export", may=Duty.EXPORT, again=files, fresh=True)
def take_out(visit: Visit) -> Answer:
    wanted = tuple(state for state in PostState if state in visit.ticked("state"))
    return _download(postfiles.export_posts(visit.ctx, visit.person, states=wanted).encode(), "posts.csv", "text/csv")
