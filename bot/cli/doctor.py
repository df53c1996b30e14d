"""`doctor`: what is wrong with this installation, and what to do about it."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import click

from bot.cli.frame import Command, Session, as_json, emit, option, say, show
from bot.domain.case import HELD, is_confirmed
from bot.domain.delivery import DeliveryState
from bot.domain.errors import CampaignError
from bot.domain.people import Role
from bot.domain.post import PostState
from bot.i18n import _, sentence, spoken, word

if TYPE_CHECKING:
    from bot.services.context import Context

ENOUGH_BYTES, TOO_FEW_BYTES = 500_000_000, 50_000_000
SILENT = timedelta(minutes=5)
BEHIND = timedelta(minutes=2)


class Symptom(NamedTuple):
    """`ok` is None for what is worth knowing and nothing to mend."""

    what: str
    ok: bool | None
    text: str


@click.command(cls=Command, examples=("doctor", "doctor --security"))
@option("--security", is_flag=True, help="How well it is locked: files, keys, address, clock, anchors, people.")
@as_json
@click.pass_obj
def doctor(session: Session, *, security: bool, as_json: bool) -> None:
    """Look at the database, the record, the keys, the clock, the disk and the queue."""
    found = list(_locks(session) if security else _symptoms(session))
    if as_json:
        emit([symptom._asdict() for symptom in found])
    else:
        for symptom in found:
            mark, colour = {True: ("✓", "green"), False: ("✕", "red"), None: ("·", None)}[symptom.ok]
            click.echo(f"{click.style(mark, fg=colour)} {symptom.text}")
        if any(symptom.what == "halt" for symptom in found):
            say("Publishing is stopped. To start it again, one person asks and another confirms: campaignbot unhalt")
        elif all(symptom.ok is not False for symptom in found):
            say("Nothing needs to be mended.")
    if any(symptom.ok is False for symptom in found):
        raise click.exceptions.Exit(1)


def _locks(session: Session) -> Iterator[Symptom]:
    from bot.cli import security

    return security.symptoms(session)


def good(what: str, line: str, **fields: object) -> Symptom:
    return Symptom(what, True, _(line).format(**fields))  # noqa: FBT003 - the field's value


def bad(what: str, line: str, **fields: object) -> Symptom:
    return Symptom(what, False, _(line).format(**fields))  # noqa: FBT003


def note(what: str, line: str, **fields: object) -> Symptom:
    return Symptom(what, None, _(line).format(**fields))


def _symptoms(session: Session) -> Iterator[Symptom]:
    from bot.settings.findings import aging

    try:
        ctx = session.ctx
    except CampaignError as error:
        yield bad("installation", "{said}", said=sentence(error))
        return
    yield good("installation", "Configuration, database, guards of the log and keys are as they should be.")
    for look in (_database, _log, _disk, clock, _stops, _queue, accounts, _backups, _budgets, _alerts, _cases, _people):
        try:
            yield from look(ctx, session.zone)
        except CampaignError as error:
            yield bad(look.__name__.lstrip("_"), "{said}", said=sentence(error))
    for finding in aging(session.settings.channels, ctx.now().date()):
        yield note("version", "{said}", said=finding.say(_))


def _database(ctx: "Context", _zone: str) -> Iterator[Symptom]:
    if not ctx.store.is_sqlite:
        yield from _role(ctx)
        return
    asked = ("SELECT sqlite_version()", "PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA quick_check(1)")
    with ctx.store.read() as tx:
        version, journal, level, sound = (tx.exec_driver_sql(query).scalar_one() for query in asked)
    levels = {2: "full", 3: "extra"}
    line = "SQLite {version}, journal {journal}, synchronous {level}."
    yield good("database", line, version=version, journal=journal, level=levels.get(level, level))
    if sound != "ok":
        yield bad("database", "The database is damaged. Do not delete it: copy it, then restore a backup.")


def _role(ctx: "Context") -> Iterator[Symptom]:
    from bot.store import grants

    with ctx.store.read() as tx:
        role, owns = grants.role(tx), grants.owns(tx)
    if owns:
        line = (
            "The database role {role} may take the guards of the record away, and so may whoever learns its password. "
            "Give the tables to another: campaignbot init --help"
        )
        yield note("role", line, role=role)
    yield good("database", "PostgreSQL answers.")


def _log(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import anchors
    from bot.services import audit as log
    from bot.store import audit

    with ctx.store.read() as tx:
        log.require_anchor(tx, ctx.keystore)
        size, sealed = audit.size(tx), audit.latest_checkpoint(tx)
        exposed = anchors.exposure(tx)
    line = "The log has {size} entries; {sealed} of them are signed for, last at {time}."
    yield good(
        "log", line, size=size, sealed=sealed.size if sealed else 0, time=show(sealed.at if sealed else None, zone)
    )
    most = ctx.publishing.anchor_max_age_days
    if exposed and ctx.now() - exposed.since > (timedelta(days=most) * 0.8 if most else anchors.WARN_AFTER):
        level = bad if most else note
        yield level(
            "anchor",
            "Nobody outside keeps a checkpoint newer than {time}. Give one: campaignbot audit checkpoint --mail",
            time=show(exposed.since, zone),
        )


def _disk(ctx: "Context", _zone: str) -> Iterator[Symptom]:
    free = shutil.disk_usage(ctx.data_dir).free
    level = good if free >= ENOUGH_BYTES else note if free >= TOO_FEW_BYTES else bad
    yield level("disk", "{free} MB are free for the data; without space nothing is published.", free=free // 10**6)


def clock(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.store import heartbeats

    with ctx.store.read() as tx:
        seen, highest, doubted = heartbeats.last(tx), heartbeats.highest(tx), heartbeats.in_doubt(tx)
    now = ctx.now()
    if highest and highest - now > BEHIND:
        yield bad(
            "clock", "The clock stands before {time}, which it has shown already. Set it.", time=show(highest, zone)
        )
    if doubted:
        line = "The clock jumped: nothing is sent until it is confirmed. See: campaignbot clock show"
        yield bad("clock", line)
    if seen is None:
        yield note("daemon", "No daemon ran yet. Start it: campaignbot run")
    elif now - seen > SILENT:
        line = "No daemon was seen since {time}: nothing is published. Start it: campaignbot run"
        yield bad("daemon", line, time=show(seen, zone))
    else:
        yield good("daemon", "The daemon was last seen at {time}.", time=show(seen, zone))


def _stops(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import queue

    for stop in queue.holds(ctx):
        of, why = f"{word(stop.hold.scope, 'scope')} {stop.hold.target}".rstrip(), word(stop.hold.reason, "reason")
        yield note(
            "halt" if stop.hold.scope == "all" else "hold",
            "Stopped: {of}, since {time}, by {alias}: {reason}",
            of=of, time=show(stop.hold.placed_at, zone), alias=stop.by or "campaignbot", reason=why,
        )  # fmt: skip
    for pause in queue.pauses(ctx):
        why = word(pause.reason, "reason")
        yield note("pause", "The account {name} is paused: {reason}", name=pause.channel, reason=why)


def _queue(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import posts
    from bot.store import deliveries, turns

    waiting = posts.count_posts(ctx).get(PostState.IN_REVIEW, 0)
    yield note("review", "Waiting for approval: {number}. See: campaignbot post list --state in_review", number=waiting)
    with ctx.store.read() as tx:
        states, oldest = deliveries.counts(tx), turns.next_moment(tx, ctx.channels)
        homeless, lost = deliveries.homeless(tx, ctx.channels), deliveries.lost(tx)
    if lost:
        line = "Published, and since then gone or changed by others: {number}. See: campaignbot delivery list --lost"
        yield bad("lost", line, number=len(lost))
    if number := states.get(DeliveryState.HELD, 0):
        line = "Deliveries that wait for a person: {number}. See: campaignbot delivery list --state held"
        yield note("deliveries", line, number=number)
    if number := states.get(DeliveryState.UNKNOWN, 0):
        line = (
            "Deliveries of which it is not known whether they were sent: {number}. The program looks by itself. "
            "See: campaignbot delivery list --state unknown"
        )
        yield note("unknown", line, number=number)
    for name, number in homeless.items():
        line = (
            "The account {name} is no longer in config.toml, and {number} deliveries are scheduled for it. "
            "Put it back, or look at them: campaignbot delivery list --channel {name}"
        )
        yield bad("channel", line, name=name, number=number)
    if oldest and oldest < ctx.now() - SILENT:
        yield bad("overdue", "A post is due since {time} and did not go out.", time=show(oldest, zone))


def accounts(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import channels

    found = channels.looked(ctx)
    for name in channels.ailing(ctx, found):
        for line in found[name].missing:
            yield bad("account", "{name}: {problem}", name=name, problem=spoken(line))
        if ends := found[name].expires_at:
            yield note("account", "{name}: its permission ends at {time}.", name=name, time=show(ends, zone))


def _backups(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services.keeping import kept

    with ctx.store.read() as tx:
        found = kept(ctx, tx)
    newest = show(found.at, zone)
    if found.is_ill:
        line = "The newest backup is of {time}: no other could be made. The daemon’s log says why: job_failed, backup."
        yield bad("backup", line, time=newest)
    elif ctx.keeping:
        line = "The newest backup is of {time}." if found.at else "The daemon makes the first backup when it runs."
        yield good("backup", line, time=newest)
    else:
        line = "No backup is made by itself, and the newest is of {time}: set [backup] in config.toml."
        yield note("backup", line, time=newest)


def _budgets(ctx: "Context", _zone: str) -> Iterator[Symptom]:
    from bot.cli import spending
    from bot.services import budget

    for name, channel in ctx.channels.items():
        with ctx.store.read() as tx:
            nearly = budget.used(ctx, tx, name).nearly(channel.budget)
        if nearly:
            yield note(
                "budget",
                "The budget of {name} is nearly used up. {used}",
                name=name,
                used=" ".join(spending.lines(ctx, name)),
            )
    for price in budget.stale_prices(ctx):
        line = "The price of {id} was last looked up on {day}. Look again, and mend schedules/prices.toml: {source}"
        yield note("prices", line, id=price.id, day=price.seen_on, source=price.source)


def _alerts(ctx: "Context", zone: str) -> Iterator[Symptom]:
    from bot.services import alerts

    if not ctx.alerts:
        yield note("alerts", "Nobody is told when something goes wrong: add an [[alert]] to config.toml.")
    for name in ctx.alerts:
        row = alerts.progress(ctx, name)
        if row and row.failures:
            line = "The alert {name} failed {times} times: {why}. Next try: {time}. Try it: campaignbot alert test"
            yield bad("alerts", line, name=name, times=row.failures, why=row.error, time=show(row.next_at, zone))


def _cases(ctx: "Context", _zone: str) -> Iterator[Symptom]:
    from bot.services import cases

    held = [case for case in cases.all_cases(ctx) if case.status in HELD]
    stale = sum(not is_confirmed(case, ctx.today(), ctx.planning.status_max_age_days) for case in held)
    line = "Said to be in prison: {held}; not confirmed of late: {stale}. See: campaignbot case list --stale"
    yield note("cases", line, held=len(held), stale=stale)


def _people(ctx: "Context", _zone: str) -> Iterator[Symptom]:
    from bot.services import people

    active = [row.person for row in people.list_people(ctx) if row.person.active]
    writers = {person.id for person in active if Role.COORDINATOR in person.roles}
    readers = {person.id for person in active if Role.REVIEWER in person.roles}
    if not writers or not readers or len(writers | readers) == 1:
        yield note("people", "Publishing needs two people, a coordinator and a reviewer: campaignbot user add --help")
