"""What would go out: the real code path under a virtual clock, on a temporary copy, to folders only."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from bot.app import rehearsal_platform
from bot.domain.byhand import PASSABLE
from bot.domain.delivery import Delivery, DeliveryState
from bot.domain.errors import BadInput
from bot.domain.occasions import Occasion
from bot.domain.people import Person, Role
from bot.domain.post import Part, Post, PostState, part_from_plain
from bot.domain.slots import VIETNAM, at_local, local_date, zone
from bot.domain.text import count
from bot.services import budget, deliver, plan, review
from bot.services.context import Context
from bot.services.errands import answer
from bot.services.gate import Worker
from bot.store import deliveries, people, posts, turns
from bot.store.copying import copy_to
from bot.store.keystore import Keystore

REVIEWERS = 2
PEOPLE_TOKEN = "!"  # noqa: S105 - no hash is ever this, so nobody can sign in as a stand-in
LONGEST_DAYS = 3_660
EVERY = 1_000_000


class VirtualClock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self._start = self._now = now

    def now(self) -> datetime:
        return self._now

    def boot(self) -> float:
        return (self._now - self._start).total_seconds()

    def set(self, moment: datetime) -> None:
        self._now = max(self._now, moment)


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """What one channel would get. `at` is local to `timezone`."""

    channel: str
    like: str
    at: datetime
    timezone: str
    state: str
    reason: str
    parts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One occasion or post; `reason` says why it would not go out, and is empty when it would."""

    on: date
    at: datetime | None
    kind: str
    cases: tuple[str, ...]
    campaign: str
    tier: str
    reason: str
    years: int = 0
    days: int = 0
    observance: str = ""
    key: str = ""
    model: str = ""
    needs_approval: bool = False
    post_id: int | None = None
    channels: tuple[ChannelLine, ...] = field(default=())


def rehearse(
    ctx: Context, start: date, days: int, progress: Callable[[int, int], None] | None = None
) -> tuple[Line, ...]:
    """Everything from `start` on, assuming that drafts are approved in time; the real data is not touched."""
    if not 0 < days <= LONGEST_DAYS:
        raise BadInput("A rehearsal takes from 1 to {most} days.", most=LONGEST_DAYS)
    clock = VirtualClock(at_local(start, time(), VIETNAM))
    with _scratch(ctx, clock) as stage:
        barred: dict[str, Occasion] = {}
        unapproved: set[int] = set()
        reviewers = _stand_ins(stage)
        worker = deliver.start(stage, "rehearsal")
        worker = replace(worker, down_since=None)
        stride = max(1, stage.planning.lead_days)
        for done in range(0, days, stride):
            until = min(done + stride, days)
            barred |= {occasion.key: occasion for occasion in plan.plan(stage).barred}
            review.lapse_overdue(stage)  # what waits today and is due before `start` is over by then
            unapproved |= _approve_all(stage, reviewers)
            _run_until(stage, worker, clock, at_local(start + timedelta(days=until), time(), VIETNAM))
            if progress:
                progress(until, days)
        return _lines(stage, start, start + timedelta(days=days), barred, unapproved)


@contextmanager
def _scratch(ctx: Context, clock: VirtualClock) -> Iterator[Context]:
    """The same house over a copy of its data, whose every channel writes into a folder that is then removed."""
    with tempfile.TemporaryDirectory(prefix="campaignbot-rehearsal-") as folder:
        place = Path(folder)
        store = copy_to(ctx.store, place / "rehearsal.db")
        channels = {
            name: replace(channel, platform=rehearsal_platform(channel.profile, place / "rehearsal"))
            for name, channel in ctx.channels.items()
        }
        (place / "media").symlink_to((ctx.data_dir / "media").resolve())
        keystore = Keystore.create(place / "keystore", name=ctx.keystore.name)
        try:
            yield replace(ctx, store=store, keystore=keystore, clock=clock, channels=channels, data_dir=place)
        finally:
            store.close()


def _stand_ins(stage: Context) -> tuple[Person, ...]:
    """Reviewers who exist in the copy alone, for what nobody has approved yet."""
    with stage.store.write() as tx:
        return tuple(
            people.add(
                tx,
                pseudonym=stage.keystore.add_person(f"rehearsal {number}"),
                roles=frozenset({Role.REVIEWER}),
                token_hash=PEOPLE_TOKEN,
                made_by=None,
                at=stage.now(),
            )
            for number in range(1, REVIEWERS + 1)
        )


def _approve_all(stage: Context, reviewers: Sequence[Person]) -> set[int]:
    """Approve whatever waits; returns the ids, since in truth they still need it."""
    with stage.store.read() as tx:
        waiting = posts.listed(tx, states=[PostState.IN_REVIEW], limit=EVERY)
    for post in waiting:
        for reviewer in reviewers:
            if not review.approve(stage, reviewer, post.id, post.digest).missing:
                break
    return {post.id for post in waiting}


def _run_until(stage: Context, worker: Worker, clock: VirtualClock, end: datetime) -> None:
    """The daemon's waves, one due moment after the other."""
    while True:
        with stage.store.read() as tx:
            moment = turns.next_moment(tx, stage.channels)
        if moment is None or moment >= end:
            break
        clock.set(moment)
        errands = deliver.wave(stage, worker, (), tuple(stage.channels))
        while errands:
            done = [answer(stage, errand) for errand in errands]
            errands = deliver.wave(stage, worker, done, tuple(stage.channels))
    clock.set(end)


def _lines(
    stage: Context, start: date, end: date, barred: dict[str, Occasion], unapproved: set[int]
) -> tuple[Line, ...]:
    known = {occasion.key: occasion for occasion, _ in plan.upcoming(stage, start, end - timedelta(days=1))} | barred
    lines = []
    drafted = set()
    with stage.store.read() as tx:
        for post in posts.listed(tx, limit=EVERY):
            on = local_date(post.due, VIETNAM) if post.due else None
            if on is None or not start <= on < end or post.state is PostState.CANCELLED:
                continue
            drafted.add(post.occasion)
            sent = [each for each in deliveries.of_post(tx, post.id) if each.digest == post.digest]
            lines.append(_post_line(stage, post, on, sent, known.get(post.occasion), needs=post.id in unapproved))
    alone = [occasion for key, occasion in barred.items() if start <= occasion.on < end and key not in drafted]
    lines += [_barred_line(occasion) for occasion in alone]
    return tuple(sorted(lines, key=lambda line: (line.on, str(line.at or ""), line.kind, line.cases, line.observance)))


def _barred_line(occasion: Occasion) -> Line:
    return Line(
        on=occasion.on,
        at=None,
        kind=occasion.kind.value,
        cases=occasion.cases,
        campaign=occasion.campaign,
        tier=occasion.tier.value,
        reason=_bar(occasion),
        years=occasion.years,
        days=occasion.days,
        observance=occasion.observance,
        key=occasion.key,
    )


def _bar(occasion: Occasion | None, *, drafted: bool = False) -> str:
    """Why it makes no post by itself; where it has one, only what a person cannot pass."""
    bar = occasion.bar if occasion else None
    return "" if bar is None or (drafted and bar in PASSABLE) else bar.value


def _post_line(
    stage: Context, post: Post, on: date, sent: Sequence[Delivery], occasion: Occasion | None, *, needs: bool
) -> Line:
    channels = tuple(
        _channel_line(stage, name, [delivery for delivery in sent if delivery.channel == name])
        for name in post.content.channels
        if any(delivery.channel == name for delivery in sent)
    )
    went = any(line.state == DeliveryState.PUBLISHED for line in channels)
    stopped = next((line.reason for line in channels if line.reason), "")
    return Line(
        on=occasion.on if occasion else on,
        at=min((line.at for line in channels), default=None) or post.due,
        kind=post.content.kind,
        cases=post.content.cases,
        campaign=post.content.campaign,
        tier=post.content.tier,
        reason="" if went else _bar(occasion, drafted=True) or stopped or post.reason or post.state.value,
        years=occasion.years if occasion else 0,
        days=occasion.days if occasion else 0,
        observance=occasion.observance if occasion else "",
        key=post.occasion,
        model=post.content.model,
        needs_approval=needs,
        post_id=post.id,
        channels=channels,
    )


def _channel_line(stage: Context, name: str, sent: Sequence[Delivery]) -> ChannelLine:
    first = sent[0]
    channel = stage.channels.get(name)
    timezone = channel.rhythm.timezone if channel else VIETNAM
    published = first.published_at or first.due_at
    return ChannelLine(
        channel=name,
        like=channel.profile.like if channel else "",
        at=published.astimezone(zone(timezone)),
        timezone=timezone,
        state=first.state.value,
        reason=next((delivery.reason for delivery in sent if delivery.reason), ""),
        parts=tuple(_part(stage, name, part_from_plain(json.loads(delivery.content))) for delivery in sent),
    )


def _part(stage: Context, channel: str, part: Part) -> Mapping[str, Any]:
    known = stage.channels.get(channel)
    weight = count(part.text, known.profile.rules) if known else len(part.text)
    return {
        "text": part.text,
        "language": "+".join(part.languages),
        "count": weight,
        "limit": known.profile.rules.limit if known else weight,
        "cost": budget.cost(stage, known.profile, [part.text]) if known else 0,
    }


def line_to_plain(line: Line) -> dict[str, Any]:
    """The JSON of one line: local date and time with its zone, and the reason where it would not go out."""
    return {
        "key": line.key,
        "date": line.on.isoformat(),
        "time": line.at.astimezone(zone(VIETNAM)).strftime("%H:%M") if line.at else "",
        "timezone": VIETNAM,
        "kind": line.kind,
        "cases": list(line.cases),
        "campaign": line.campaign,
        "years": line.years,
        "days": line.days,
        "observance": line.observance,
        "tier": line.tier,
        "model": line.model,
        "goes_out": not line.reason,
        "reason": line.reason,
        "needs_approval": line.needs_approval,
        "post": line.post_id,
        "channels": [
            {
                "channel": channel.channel,
                "like": channel.like,
                "date": channel.at.date().isoformat(),
                "time": channel.at.strftime("%H:%M"),
                "timezone": channel.timezone,
                "state": channel.state,
                "reason": channel.reason,
                "parts": [dict(part) for part in channel.parts],
            }
            for channel in line.channels
        ],
    }
