"""`delivery`: what was sent where, what waits and why, and what a person must settle."""

from pathlib import Path

import click

from bot.cli.frame import (
    NUMBER,
    Group,
    Session,
    acting,
    as_json,
    by_state,
    emit,
    option,
    plain,
    say,
    show,
    table,
    zone_name,
)
from bot.cli.withdraw import fate_of
from bot.domain.delivery import Delivery, DeliveryState, Sighting
from bot.domain.errors import BadInput
from bot.domain.people import Person
from bot.i18n import _, word

EMPTY = "Nothing is in the queue. Write a post with: campaignbot post add --help"


@click.group(cls=Group, help="Deliveries: one part of a post to one account, and what became of it.")
def delivery() -> None:
    pass


@delivery.command("list", examples=("delivery list --state held", "delivery list --channel x --json"))
@by_state(DeliveryState)
@option("--channel", default="", help="Only this account.")
@option("--post", "post_id", type=NUMBER, help="Only of this post.")
@option("--lost", is_flag=True, help="Only what is gone or was changed, and nobody has acknowledged.")
@option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@as_json
@click.pass_obj
def list_(
    session: Session,
    *,
    states: tuple[str, ...],
    channel: str,
    post_id: int | None,
    lost: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Deliveries, the newest due first."""
    from bot.store import deliveries

    wanted = [DeliveryState(state) for state in states]
    with session.ctx.store.read() as tx:
        if lost:
            found = deliveries.lost(tx)[:limit]
        else:
            found = deliveries.listed(tx, states=wanted, channel=channel, post_id=post_id, limit=limit)
    if as_json:
        emit([row_of(each) for each in found])
        return
    due = _("Due ({zone})").format(zone=zone_name(session.zone, session.ctx.now()))
    table(
        ["ID", "Post", "Account", due, "State"],
        [(each.id, each.post_id, each.channel, show(each.due_at, session.zone), state_of(each)) for each in found],
        empty=EMPTY,
    )


def row_of(each: Delivery) -> dict[str, object]:
    return {
        "id": each.id,
        "post": each.post_id,
        "channel": each.channel,
        "part": each.part,
        "state": each.state,
        "reason": each.reason,
        "due_at": each.due_at,
        "next_at": each.next_at,
        "not_after": each.not_after,
        "published_at": each.published_at,
        "withdrawn_at": each.withdrawn_at,
        "withdraw_at": each.withdraw_at,
        "withdraw_note": each.withdraw_note,
        "attempts": each.attempts,
        "remote_id": each.remote_id,
        "url": each.url,
        "looked_at": each.looked_at,
        "sighting": each.sighting,
        "acknowledged_at": each.acknowledged_at,
        "digest": each.digest,
    }


def state_of(each: Delivery) -> str:
    if fate := fate_of(each):
        return fate
    lost = each.sighting if each.sighting != Sighting.THERE else ""
    said = ": ".join(filter(None, (word(each.state, "delivery"), word(each.reason, "reason"), word(lost, "sighting"))))
    return f"{said} {each.url}" if each.url else said


@delivery.command("show")
@click.argument("delivery_id", metavar="ID", type=NUMBER)
@as_json
@click.pass_obj
def show_(session: Session, *, delivery_id: int, as_json: bool) -> None:
    """One delivery: its text, its times, and every attempt."""
    import json

    from bot.store import attempts, deliveries

    with session.ctx.store.read() as tx:
        found = deliveries.get(tx, delivery_id)
        tried = attempts.attempts_of(tx, delivery_id)
    content = json.loads(found.content)
    if as_json:
        emit(row_of(found) | {"text": content["text"], "languages": content["languages"], "attempts": plain(tried)})
        return
    zone = session.zone
    say("Delivery {id} of post {post} to {channel}: {state}", id=found.id, post=found.post_id, channel=found.channel,
        state=state_of(found))  # fmt: skip
    say("Due {due}, not after {end} ({zone})", due=show(found.due_at, zone), end=show(found.not_after, zone),
        zone=zone_name(zone, session.ctx.now()))  # fmt: skip
    if found.looked_at:
        seen = word(found.sighting, "sighting")
        say("Looked at {time}: {sighting}", time=show(found.looked_at, zone), sighting=seen)
    for attempt in tried:
        became, why = word(attempt.outcome, "delivery", "reason"), word(attempt.detail, "reason")
        click.echo(f"  {attempt.fence}. {show(attempt.began_at, zone)}  {became}  {why}")
    click.echo(f"\n{content['text']}")


@delivery.command(
    examples=("delivery settle 9 --live https://example.org/post/1 --as lan", "delivery settle 9 --resend --as minh")
)
@click.argument("delivery_id", metavar="ID", type=NUMBER)
@option("--live", metavar="URL", help="It is there, at this address.")
@option("--resend", is_flag=True, help="It is not there: send it again. What may have gone out needs two people.")
@option("--drop", is_flag=True, help="Do not send it.")
@acting(bare=True)
def settle(session: Session, actor: Person, delivery_id: int, live: str | None, *, resend: bool, drop: bool) -> None:
    """Say what became of a delivery that waits for a person. Look at the account first."""
    from bot.services import settle as settling

    if (live is not None) + resend + drop != 1:
        raise BadInput("Say one of --live URL, --resend or --drop.")
    if live is not None:
        found = settling.settle_live(session.ctx, actor, delivery_id, live)
    elif drop:
        found = settling.settle_drop(session.ctx, actor, delivery_id)
    else:
        found = settling.settle_resend(session.ctx, actor, delivery_id)
        if found.state is DeliveryState.HELD:
            say("Asked. Somebody else must confirm it with the same command.")
            return
    say("Delivery {id} is now: {state}", id=found.id, state=state_of(found))


@delivery.command(examples=("delivery acknowledge 9 --as lan",))
@click.argument("delivery_id", metavar="ID", type=NUMBER)
@acting()
def acknowledge(session: Session, actor: Person, delivery_id: int) -> None:
    """Say that you know that a published one is gone or was changed, and have done what is to be done."""
    from bot.services import settle as settling

    settling.acknowledge(session.ctx, actor, delivery_id)
    say("Delivery {id} is no longer reported.", id=delivery_id)


@delivery.command(examples=("delivery export 9 appeal-9 --as lan",))
@click.argument("delivery_id", metavar="ID", type=NUMBER)
@click.argument("folder", type=click.Path(path_type=Path))
@acting()
def export(session: Session, actor: Person, delivery_id: int, folder: Path) -> None:
    """Write what an appeal to a platform needs into a new folder: the receipt, the words, who agreed, the proof.

    People are in it by their pseudonyms alone, unless the text names them.
    """
    from bot.services import evidence

    proven = evidence.export_delivery(session.ctx, actor, delivery_id, folder)
    say("It is in {folder}; {number} records prove it. To check them:", folder=folder, number=proven)
    click.echo(f"  python3 {folder}/proof/verify_audit.py {folder}/proof")
