"""Gathers what the gate may look at, inside the transaction that would write `sending`."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.domain.audit import Act, Entry
from bot.domain.budget import begun_with
from bot.domain.case import Case, Consent, Event
from bot.domain.delivery import Delivery, DeliveryState, GateView, Reason, Ruling, gate
from bot.domain.facts import EVENT_FACT, case_to_plain
from bot.domain.post import Content, Post, canonical, part_from_plain, sha256
from bot.domain.slots import after_quiet, at_local, local_date
from bot.domain.tiers import tier_borne
from bot.library.images import image_path
from bot.services.budget import frees_at
from bot.services.context import PROGRAM, VIETNAM, Channel, Context
from bot.services.quorum import needed_approvals
from bot.store import approvals, audit, cases, deliveries, holds, pace, posts

OVERDUE = timedelta(minutes=5)
# Each says the digest of the case that it leaves behind.
FACT_ACTS = (
    Act.CASE_ADDED, Act.CASE_IMPORTED, Act.CASE_FACT_CHANGED, Act.CASE_CONFIRMED, Act.CASE_HEARING_ANSWERED
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Worker:
    """One daemon. `down_since` is when the last one before it was seen; both UTC."""

    name: str
    up_since: datetime
    down_since: datetime | None = None

    @property
    def was_down(self) -> timedelta:
        return self.up_since - self.down_since if self.down_since else timedelta(0)


@dataclass(slots=True)
class Wave:
    """What one transaction has read already, so that a thousand deliveries ask for it once."""

    tx: Connection
    now: datetime
    worker: Worker
    clock_suspect: bool
    holds: frozenset[tuple[str, str]] = frozenset()
    paused: frozenset[str] = frozenset()
    resting: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    dossiers: dict[int, "Dossier"] = field(default_factory=dict)
    published: dict[tuple[str, datetime], int] = field(default_factory=dict)
    begun: list[tuple[Delivery, Delivery, int]] = field(default_factory=list)
    ended: list[Delivery] = field(default_factory=list)

    def may_call(self, channel: str) -> bool:
        """Not by a clock in doubt, nor while the service asks to be left alone."""
        return not self.clock_suspect and channel not in self.resting


@dataclass(frozen=True, slots=True)
class Dossier:
    """A post as approved: its manifest, whether the record vouches for it, and its cases as they stand now."""

    post: Post
    content: Content
    manifest: Mapping[str, Any]
    approved_digest: str
    cases: Mapping[str, Case]
    altered: Collection[str] = ()


def open_wave(ctx: Context, tx: Connection, worker: Worker, *, clock_suspect: bool) -> Wave:
    return Wave(tx, ctx.now(), worker, clock_suspect, holds.open_holds(tx), holds.paused_channels(tx))


def rule(ctx: Context, wave: Wave, delivery: Delivery) -> Ruling:
    """Raises whatever goes wrong in looking; the caller must then hold the delivery."""
    return gate(delivery, _view(ctx, wave, delivery))


def gather(ctx: Context, wave: Wave, due: Collection[Delivery]) -> None:
    """Reads at once what `rule` will ask of these; what raises here raises there again, where it is that one's own."""
    wave.channels |= {each.channel for each in due}
    read = posts.by_ids(wave.tx, {each.post_id for each in due} - wave.dossiers.keys())
    named = cases.by_slug(wave.tx, {slug for post in read for slug in post.content.cases})
    altered = _altered(wave.tx, named)
    yeses = approvals.of_posts(wave.tx, [post.id for post in read])
    entries = audit.entries_at(wave.tx, [each.audit_seq for some in yeses.values() for each in some])
    for post in read:
        its = {slug: named[slug] for slug in post.content.cases if slug in named}
        said = [entries[each.audit_seq] for each in yeses.get(post.id, ()) if each.audit_seq in entries]
        wave.dossiers[post.id] = Dossier(
            post=post,
            content=post.content,
            manifest=json.loads(post.manifest),
            approved_digest=_approved_digest(ctx, wave.tx, post, its, said),
            cases=its,
            altered=altered,
        )


def _altered(tx: Connection, named: Mapping[str, Case]) -> frozenset[str]:
    """Those that are not, to the letter, what the log says was last written."""
    said = audit.last_about(tx, FACT_ACTS, [f"case:{case.id}" for case in named.values()])
    written = {obj: entry.data.get("digest") for obj, entry in said.items()}
    plain = {slug: canonical(case_to_plain(case)) for slug, case in named.items()}
    return frozenset(slug for slug, case in named.items() if sha256(plain[slug]) != written.get(f"case:{case.id}"))


def _dossier(ctx: Context, wave: Wave, delivery: Delivery) -> Dossier:
    if delivery.post_id not in wave.dossiers:
        gather(ctx, wave, [delivery])
    return wave.dossiers[delivery.post_id]


def _approved_digest(
    ctx: Context, tx: Connection, post: Post, named: Mapping[str, Case], entries: Iterable[Entry]
) -> str:
    """The digest that enough different people approved, as the audit records say; "" when they do not.

    An approval row alone proves nothing: its record must name this post and the digest of the manifest as it is.
    """
    digest = sha256(post.manifest)
    reviewers = set()
    for entry in entries:
        told = entry.data
        if entry.act == Act.POST_APPROVED and entry.obj == f"post:{post.id}" and told.get("digest") == digest:
            reviewers.add(entry.actor)
    needed = needed_approvals(ctx, tx, post, named)
    return digest if len(reviewers - {PROGRAM}) >= needed else ""


def _view(ctx: Context, wave: Wave, delivery: Delivery) -> GateView:
    dossier = _dossier(ctx, wave, delivery)
    content = dossier.content
    channel = ctx.channels.get(delivery.channel)
    rendition = next((r for r in dossier.manifest["renditions"] if r["channel"] == delivery.channel), None)
    parent = deliveries.get(wave.tx, delivery.reply_to) if delivery.reply_to else None
    today = wave.now.astimezone(VIETNAM).date()
    return GateView(
        now=wave.now,
        halted=("all", "") in wave.holds,
        clock_suspect=wave.clock_suspect,
        channel_known=channel is not None and rendition is not None,
        channel_paused=delivery.channel in wave.paused,
        held=_is_held(wave, delivery, content),
        consent_refused=any(case.consent is Consent.REFUSED for case in dossier.cases.values()),
        account=channel.profile.account if channel else "",
        approved_account=rendition["account"] if rendition else "",
        approved=bool(dossier.approved_digest) and dossier.approved_digest == delivery.digest,
        content_intact=_is_intact(dossier, delivery, rendition),
        images_intact=_images_intact(ctx, delivery),
        stale_cites=_stale_cites(content, dossier.cases, dossier.altered),
        tier_borne=all(
            tier_borne(content.tier, case, _cited(content, case), today, ctx.planning.status_max_age_days)
            for case in dossier.cases.values()
        ),
        parent_published=parent is None or parent.state is DeliveryState.PUBLISHED,
        down_too_long=_was_down_too_long(ctx, wave, delivery),
        quiet_until=after_quiet(wave.now, channel.rhythm) if channel else None,
        spaced_until=_spaced_until(wave, delivery, channel),
        cap_until=_cap_until(wave, delivery, channel),
        catch_up_until=_catch_up_until(ctx, wave, delivery),
        budget_until=_budget_until(ctx, wave, delivery, rendition),
    )


def _cited(content: Content, case: Case) -> tuple[Event, ...]:
    facts = {cite.fact for cite in content.cites if cite.case == case.slug}
    return tuple(event for event in case.events if EVENT_FACT + event.key in facts)


def _is_held(wave: Wave, delivery: Delivery, content: Content) -> bool:
    languages = json.loads(delivery.content)["languages"]
    scopes = {
        ("campaign", content.campaign),
        ("channel", delivery.channel),
        ("post", str(delivery.post_id)),
        *(("case", slug) for slug in content.cases),
        *(("language", language) for language in languages),
    }
    return not scopes.isdisjoint(wave.holds)


def _is_intact(dossier: Dossier, delivery: Delivery, rendition: Mapping[str, Any] | None) -> bool:
    """The row, the manifest and the document must still say the same, byte for byte."""
    if rendition is None or delivery.part >= len(rendition["parts"]):
        return False
    window = dossier.content.window(delivery.channel)
    return (
        dossier.manifest["post"] == delivery.post_id
        and dossier.manifest["document"] == sha256(dossier.post.document)
        and canonical(rendition["parts"][delivery.part]) == delivery.content
        and window is not None
        and (window.due, window.not_after) == (delivery.due_at, delivery.not_after)
    )


def _images_intact(ctx: Context, delivery: Delivery) -> bool:
    for image in json.loads(delivery.content)["images"]:
        path = image_path(ctx.data_dir, image["digest"], image["mime"])
        if hashlib.sha256(path.read_bytes()).hexdigest() != image["digest"]:
            return False
    return True


def _stale_cites(content: Content, named: Mapping[str, Case], altered: Collection[str]) -> tuple[str, ...]:
    gone = tuple(slug for slug in content.cases if slug not in named or slug in altered)
    return gone + tuple(
        cite.fact
        for cite in content.cites
        if cite.case in named and named[cite.case].revisions.get(cite.fact) != cite.revision
    )


def _was_down_too_long(ctx: Context, wave: Wave, delivery: Delivery) -> bool:
    longest = timedelta(hours=ctx.publishing.down_hours)
    return wave.worker.was_down > longest and delivery.due_at < wave.worker.up_since and not delivery.attempts


def _spaced_until(wave: Wave, delivery: Delivery, channel: Channel | None) -> datetime | None:
    """Posts approved late, that may wait, leave one by one; a time that people chose and kept is theirs."""
    came_due_unseen = delivery.due_at < wave.worker.up_since
    if channel is None or delivery.reply_to is not None or came_due_unseen or wave.now - delivery.due_at < OVERDUE:
        return None
    last = pace.last_published(wave.tx, delivery.channel)
    if last is None or last + channel.rhythm.spacing > delivery.not_after:
        return None
    return last + channel.rhythm.spacing


def _cap_until(wave: Wave, delivery: Delivery, channel: Channel | None) -> datetime | None:
    """The next local midnight when the channel has had its posts of the day; parts of a thread count once."""
    if channel is None or delivery.reply_to is not None:
        return None
    zone = channel.rhythm.timezone
    today = local_date(wave.now, zone)
    midnight = at_local(today, time(), zone)
    if _published_since(wave, delivery.channel, midnight) < channel.rhythm.daily_cap:
        return None
    return at_local(today + timedelta(days=1), time(), zone)


def _published_since(wave: Wave, channel: str, midnight: datetime) -> int:
    """Asked once for all channels of the wave that share this midnight."""
    if (channel, midnight) not in wave.published:
        asked = wave.channels | {channel}
        counts = pace.published_counts(wave.tx, asked, midnight)
        wave.published |= {(each, midnight): counts[each] for each in asked}
    return wave.published[channel, midnight]


def _catch_up_until(ctx: Context, wave: Wave, delivery: Delivery) -> datetime | None:
    """What came due while no daemon ran goes out at most N an hour."""
    if delivery.reply_to is not None or delivery.due_at >= wave.worker.up_since:
        return None
    hour = timedelta(hours=1)
    up, most = wave.worker.up_since, ctx.publishing.catch_up_per_hour
    late = pace.published_counts(wave.tx, [delivery.channel], wave.now - hour, due_before=up)
    return wave.now + hour / most if late[delivery.channel] >= most else None


def _budget_until(
    ctx: Context, wave: Wave, delivery: Delivery, rendition: Mapping[str, Any] | None
) -> tuple[datetime, Reason] | None:
    channel = ctx.channels.get(delivery.channel)
    if channel is None or rendition is None or not channel.budget.is_set:
        return None
    parts = begun_with([part_from_plain(part) for part in rendition["parts"]], delivery.part)
    return frees_at(ctx, wave.tx, wave.now, channel, parts)
