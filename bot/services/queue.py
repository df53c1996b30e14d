"""Stopping, in one step by anyone, and starting again, in two steps by two people."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.campaign import LANGUAGES
from bot.domain.delivery import Delivery
from bot.domain.errors import BadInput, CampaignError, Conflict, NotFound, Refused
from bot.domain.people import EVERYTHING, Duty, Person, Scope, require
from bot.domain.review import require_reason
from bot.services.audit import checkpoint
from bot.services.context import Context
from bot.services.people import aliases
from bot.store import audit, cases, deliveries, people, posts
from bot.store import holds as stops
from bot.store.holds import HALT, Hold, Pause

_HELD: Mapping[str, tuple[Act, Act]] = {
    "all": (Act.HALT_STARTED, Act.HALT_ENDED),
    "case": (Act.CASE_HELD, Act.CASE_UNHELD),
    "campaign": (Act.CAMPAIGN_HELD, Act.CAMPAIGN_UNHELD),
    "language": (Act.LANGUAGE_HELD, Act.LANGUAGE_UNHELD),
    "channel": (Act.CHANNEL_HELD, Act.CHANNEL_UNHELD),
    "post": (Act.POST_HELD, Act.POST_UNHELD),
}
SCOPES = tuple(scope for scope in _HELD if scope != HALT[0])


@dataclass(frozen=True, slots=True)
class Stopped:
    """An open hold and the aliases of who placed it and who has asked to end it; "" is the program, or nobody.

    Whoever asked and was disabled since is nobody: somebody else must ask.
    """

    hold: Hold
    by: str
    asked_by: str


def halt(ctx: Context, actor: Person | None, reason: str) -> tuple[Delivery, ...]:
    """Stop everything. When this returns no request can begin any more; what it returns may still appear."""
    with ctx.acting(actor, Duty.HALT) as tx:
        stop(ctx, tx, actor, HALT, require_reason(reason))
        in_flight = deliveries.in_flight(tx)
    # The halt stands whether or not it can be signed; the daemon's own checkpoint says what is wrong.
    with suppress(CampaignError):
        checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    return in_flight


def hold(ctx: Context, actor: Person | None, scope: str, target: str, reason: str) -> Hold:
    """Stop one case, campaign, language, channel or post; as with a halt, what is under way may still appear."""
    with ctx.acting(actor, Duty.HALT) as tx:
        _require_target(ctx, tx, scope, target)
        return stop(ctx, tx, actor, (scope, target), require_reason(reason))


def hold_posts(ctx: Context, actor: Person, post_ids: Collection[int], reason: str) -> None:
    """All of them or none."""
    with ctx.acting(actor, Duty.HALT) as tx:
        said = require_reason(reason)
        if not post_ids:
            raise BadInput("Tick the posts that are to be held.")
        for post_id in post_ids:
            stop(ctx, tx, actor, ("post", str(posts.get(tx, post_id).id)), said)


def stop(ctx: Context, tx: Connection, actor: Person | None, what: tuple[str, str], reason: str) -> Hold:
    """Stopping again what is stopped keeps one hold, with the newer reason, and takes back a wish to end it."""
    hold_id = stops.place(tx, *what, reason, actor.id if actor else None, ctx.now())
    _record(ctx, tx, actor, _HELD[what[0]][0], what, hold_id, reason)
    return _open(tx, what)


def _require_target(ctx: Context, tx: Connection, scope: str, target: str) -> None:
    known: Mapping[str, tuple[str, ...]] = {
        "campaign": tuple(campaign.slug for campaign in ctx.schedules.campaigns),
        "language": LANGUAGES,
        "channel": tuple(ctx.channels),
    }
    if scope == "case":
        cases.get(tx, target)
    elif scope == "post":
        posts.get(tx, _number(target))
    elif scope not in known:
        raise BadInput("“{scope}” cannot be held. These can: {scopes}.", scope=scope[:40], scopes=", ".join(SCOPES))
    elif target not in known[scope]:
        names = ", ".join(known[scope]) or "none"
        raise NotFound(
            "There is no {scope} “{target}”. There are: {names}.", scope=scope, target=target[:60], names=names
        )


def _number(target: str) -> int:
    """Only as the gate writes it: a hold on “007” would stop nothing."""
    if not re.fullmatch(r"[1-9][0-9]{0,14}", target):
        raise NotFound("There is no post “{target}”.", target=target[:60])
    return int(target)


def ask_unhalt(ctx: Context, actor: Person) -> None:
    """The first of two: somebody else must confirm."""
    ask_unhold(ctx, actor, *HALT)


def confirm_unhalt(ctx: Context, actor: Person) -> None:
    """The second of two: from now on what is due goes out. What came due meanwhile waits for a reviewer."""
    confirm_unhold(ctx, actor, *HALT)


def ask_unhold(ctx: Context, actor: Person, scope: str, target: str) -> None:
    what = (scope, target)
    with ctx.acting(actor, Duty.UNHALT) as tx:
        found = _open(tx, what)
        require(actor, Duty.UNHALT, _reach(ctx, tx, what))
        asker = people.get(tx, found.asked_by) if found.asked_by else None
        if asker and asker.active:
            raise Refused("This has been asked already. Someone else than who asked must confirm it.")
        stops.ask_end(tx, found.id, actor.id)
        _record(ctx, tx, actor, Act.HALT_END_ASKED if what == HALT else Act.HOLD_END_ASKED, what, found.id)


def confirm_unhold(ctx: Context, actor: Person, scope: str, target: str) -> None:
    what = (scope, target)
    with ctx.acting(actor, Duty.UNHALT) as tx:
        found = _open(tx, what)
        require(actor, Duty.UNHALT, _reach(ctx, tx, what))
        if found.asked_by is None:
            raise Refused("Nobody has asked to end this yet. Ask first; then someone else confirms.")
        _require_second(actor, people.get(tx, found.asked_by))
        stops.end(tx, found.id, actor.id, ctx.now())
        _record(ctx, tx, actor, _HELD[scope][1], what, found.id)


def reaches(ctx: Context, found: Collection[Stopped]) -> Mapping[int, Scope]:
    """How far each of these holds reaches, by its id: whoever ends it must be allowed as far."""
    with ctx.store.read() as tx:
        return {each.hold.id: _reach(ctx, tx, (each.hold.scope, each.hold.target)) for each in found}


def _reach(ctx: Context, tx: Connection, what: tuple[str, str]) -> Scope:
    scope, target = what
    match scope:
        case "case":
            return ctx.schedules.scope_of(cases.get(tx, target))
        case "post":
            return posts.get(tx, int(target)).content.scope
        case "campaign":
            return Scope(campaigns=frozenset({target}))
        case "channel":
            return Scope(channels=frozenset({target}))
        case _:
            return EVERYTHING


def _require_second(actor: Person, asker: Person) -> None:
    if actor.id == asker.id:
        raise Refused("You asked for this, so someone else must confirm it.")
    if asker.id in actor.lineage:
        raise Refused("Who asked for this made your account, so someone else must confirm it.")
    if not asker.active:
        raise Conflict("The account that asked is disabled by now. Ask again; then someone else confirms.")


def _open(tx: Connection, what: tuple[str, str]) -> Hold:
    found = stops.find(tx, *what)
    if found is None:
        raise NotFound("Nothing is stopped there.", command="doctor")
    return found


def _record(
    ctx: Context, tx: Connection, actor: Person | None, act: Act, what: tuple[str, str], hold: int, said: str = ""
) -> None:
    """A person's words can be erased with them, or with the case they are about; the program's are its own."""
    scope, target = what
    obj = f"{scope}:{target}"
    if scope == "case":
        obj = f"case:{cases.get(tx, target).id}"
    elif what == HALT:
        obj = f"hold:{hold}"
    if actor and said:
        payload = audit.Payload(obj if scope == "case" else actor.pseudonym, {"reason": said})
        ctx.record(tx, actor, act, obj, {"hold": hold}, payload)
    else:
        ctx.record(tx, actor, act, obj, {"hold": hold, "reason": said} if said else {"hold": hold})


def halt_state(ctx: Context) -> Stopped | None:
    with ctx.store.read() as tx:
        return halt_in(ctx, tx)


def halt_in(ctx: Context, tx: Connection) -> Stopped | None:
    found = stops.find(tx, *HALT)
    return _told(ctx, tx, (found,))[0] if found else None


def holds(ctx: Context) -> tuple[Stopped, ...]:
    """The halt too, newest first."""
    with ctx.store.read() as tx:
        return _told(ctx, tx, stops.current(tx))


def _told(ctx: Context, tx: Connection, found: Sequence[Hold]) -> tuple[Stopped, ...]:
    names = aliases(ctx, tx)
    active = {each.person.id for each in people.everyone(tx) if each.person.active}
    return tuple(
        Stopped(each, names[each.placed_by], names[each.asked_by] if each.asked_by in active else "") for each in found
    )


def pause_channel(ctx: Context, actor: Person, name: str, reason: str) -> None:
    """Anyone may; pausing what is paused keeps the first reason."""
    with ctx.acting(actor, Duty.HALT) as tx:
        ctx.channel(name)
        said = require_reason(reason)
        if stops.pause(tx, name, ctx.now(), actor.id, said):
            payload = audit.Payload(actor.pseudonym, {"reason": said})
            ctx.record(tx, actor, Act.CHANNEL_PAUSED, f"channel:{name}", {}, payload)


def resume_channel(ctx: Context, actor: Person, name: str) -> None:
    with ctx.acting(actor, Duty.MANAGE_CHANNELS) as tx:
        ctx.channel(name)
        if name not in stops.paused_channels(tx):
            raise Refused("“{name}” is not paused.", name=name)
        stops.resume(tx, name)
        ctx.record(tx, actor, Act.CHANNEL_RESUMED, f"channel:{name}")


def pauses(ctx: Context) -> tuple[Pause, ...]:
    with ctx.store.read() as tx:
        return stops.pauses(tx)
