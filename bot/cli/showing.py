"""A post on the terminal: exactly what would go out, what it rests on, and what to stop at."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from bot.cli.frame import Session, cut, say, show, zone_name
from bot.domain.budget import dollars
from bot.domain.case import Case
from bot.domain.post import EDITABLE, Cite, Post, part_to_plain
from bot.domain.text import count
from bot.i18n import _, filled, word

if TYPE_CHECKING:
    from bot.services.content import Checked
    from bot.services.sheets import Sheet

PREVIEW = 60


def read_sheet(session: Session, post_id: int) -> "Sheet":
    from bot.services import sheets

    return sheets.read_sheet(session.ctx, post_id)


def row_of(post: Post) -> dict[str, Any]:
    return {
        "id": post.id,
        "state": post.state,
        "reason": post.reason,
        "due_at": post.due,
        "campaign": post.content.campaign,
        "kind": post.content.kind,
        "tier": post.content.tier,
        "on": post.content.on,
        "key": post.occasion,
        "cases": post.content.cases,
        "channels": post.content.channels,
        "revision": post.revision,
        "digest": post.digest,
        "corrects": post.corrects_id,
        "texts": {":".join(filter(None, key)): text for key, text in sorted(post.content.texts.items())},
    }


def state_of(post: Post) -> str:
    """With the reason: a word of the program's, or what a person wrote."""
    return ": ".join(filter(None, (word(post.state, "post"), word(post.reason, "void", "reason"))))


def preview(post: Post) -> str:
    return cut(post.content.texts.get(("vi", ""), "") or next(iter(post.content.texts.values()), ""), PREVIEW)


def plain_sheet(sheet: "Sheet") -> dict[str, Any]:
    from bot.cli.delivery import row_of as delivery_row

    return (
        row_of(sheet.post)
        | {
            "note": sheet.post.content.note,
            "windows": sheet.post.content.windows,
            "renditions": [
                {"channel": each.channel, "parts": [part_to_plain(part) for part in each.parts]}
                for each in sheet.checked.renditions
            ],
            "facts": [_plain_cite(sheet.cases, cite) for cite in sheet.post.content.cites],
            "approved_by": sheet.approved_by,
            "approvals_needed": sheet.needed,
            "deliveries": [delivery_row(each) for each in sheet.deliveries],
            "corrected_by": sheet.corrected_by,
        }
        | plain_remarks(sheet.checked)
    )


def plain_remarks(checked: "Checked") -> dict[str, Any]:
    return {
        "blocks": [filled(each.template, each.fields) for each in checked.blocks],
        "warnings": list(_warnings(checked)),
        "figures": {
            f"{channel}:{language}": {"count": each.count, "limit": each.limit, "bytes": each.bytes}
            for (channel, language), each in checked.figures.items()
        },
        "costs_usd": {channel: dollars(cost).removeprefix("$") for channel, cost in checked.costs.items()},
    }


def _warnings(checked: "Checked") -> Iterator[str]:
    yield from (filled(each.template, each.params) for each in checked.problems)
    yield from (_(each.template).format(x=each.shown) for each in checked.differences)
    yield from (filled(each.template, each.fields) for each in checked.warnings)


def say_remarks(checked: "Checked") -> None:
    for block in checked.blocks:
        click.echo(f"✕ {filled(block.template, block.fields)}")
    for warning in _warnings(checked):
        click.echo(f"! {warning}")


def _say_head(session: Session, sheet: "Sheet") -> None:
    post, zone = sheet.post, session.zone
    say("Post {id}, {campaign}: {state}", id=post.id, campaign=post.content.campaign, state=state_of(post))
    if post.corrects_id:
        say("It corrects post {id}.", id=post.corrects_id)
    if sheet.corrected_by:
        say("It is corrected by: {ids}.", ids=", ".join(map(str, sheet.corrected_by)))
    for window in post.content.windows:
        say(
            "  {channel}: {due}, not after {end} ({zone})",
            channel=window.channel, due=show(window.due, zone), end=show(window.not_after, zone),
            zone=zone_name(zone, window.due),
        )  # fmt: skip


def say_sheet(session: Session, sheet: "Sheet") -> None:
    from bot.cli import delivery as deliveries

    post, zone = sheet.post, session.zone
    _say_head(session, sheet)
    if post.content.note:
        say("Note: {note}", note=post.content.note)
    for rendition in sheet.checked.renditions:
        rules = session.ctx.channels[rendition.channel].profile.rules
        for number, part in enumerate(rendition.parts, 1):
            place = f"{rendition.channel} {number}/{len(rendition.parts)} {'+'.join(part.languages)}"
            click.secho(f"\n── {place} · {count(part.text, rules)}/{rules.limit}", bold=True)
            click.echo(part.text)
            for image in part.images:
                say("[picture {digest}: {alt}]", digest=image.digest[:12], alt=image.alt)
    click.echo()
    say_costs(sheet.checked)
    for cite in post.content.cites:
        _say_cite(sheet.cases, cite)
    if post.state in EDITABLE:
        say_remarks(sheet.checked)
    if post.digest:
        names = ", ".join(sheet.approved_by) or "–"
        say("Approved by {names}; needed: {needed}.", names=names, needed=sheet.needed)
        say("Digest: {digest}", digest=post.digest)
    for delivery in sheet.deliveries:
        click.echo(
            f"  {delivery.id}  {delivery.channel}  {show(delivery.due_at, zone)}  {deliveries.state_of(delivery)}"
        )


def say_costs(checked: "Checked") -> None:
    for channel, cost in checked.costs.items():
        say("On {channel} it costs {cost}.", channel=channel, cost=dollars(cost))


def _plain_cite(cases: Mapping[str, Case], cite: Cite) -> dict[str, Any]:
    from bot.services.sheets import fact

    value, sources = fact(cases.get(cite.case), cite.fact)
    return {"case": cite.case, "fact": cite.fact, "revision": cite.revision, "value": value, "sources": sources}


def _say_cite(cases: Mapping[str, Case], cite: Cite) -> None:
    from bot.services.sheets import fact

    value, sources = fact(cases.get(cite.case), cite.fact)
    said = ", ".join(f"{key}: {each}" for key, each in value.items() if "source" not in key and each)
    click.echo(f"· {cite.case} · {cite.fact} · {said}")
    for source in sources:
        click.echo(f"    {source}")


def say_due(session: Session, post: Post) -> None:
    """What it is now, in a line."""
    zone = zone_name(session.zone, session.ctx.now())
    due = f"{show(post.due, session.zone)} ({zone})" if post.due else _("without a time")
    say("Post {id}: {state}, {due}.", id=post.id, state=state_of(post), due=due)
