"""The words and times of occasions, as the planner would post them: nothing is written down here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from bot.domain.campaign import LANGUAGES, Observance, Shape
from bot.domain.case import Case, Tier
from bot.domain.occasions import Bar, LeapDay, Occasion, PlanningRules, occasions
from bot.domain.post import Cite, Content, Misfit, Profile, Window
from bot.domain.slots import at_local, local_date, spread
from bot.domain.text import fits
from bot.library.messages import NoWording, Wording, compose
from bot.services.content import taken_times
from bot.services.context import Context
from bot.store import cases, holds

_MIDNIGHT = time(0)
_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
BETWEEN_POSTS = "\n---\n"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An account that does not get an occasion: its day is full, or no words fit or may be said."""

    occasion: Occasion
    channel: str
    why: Bar
    misfit: Misfit | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """A post about to be drafted."""

    occasion: Occasion
    content: Content


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person settled: each account's time, a model by its id, and whether a picture comes with it."""

    windows: Mapping[str, Window]
    model: str = ""
    with_media: bool = False


@dataclass(slots=True)
class Desk:
    """What a run of the planner looks at, read once, and the times it has given out so far."""

    cases: Mapping[str, Case]
    observances: Mapping[tuple[str, date], Observance]
    held: frozenset[tuple[str, str]]
    taken: dict[tuple[str, date], list[datetime]] = field(default_factory=dict)
    full: set[tuple[str, date]] = field(default_factory=set)
    left_out: list[LeftOut] = field(default_factory=list)


def open_desk(ctx: Context, tx: Connection, start: date, end: date, known: Mapping[str, Case] | None = None) -> Desk:
    """With everybody, read now unless they are `known`."""
    desk = Desk(
        cases={case.slug: case for case in cases.everyone(tx)} if known is None else known,
        observances={(one.id, one.on): one for one in ctx.schedules.observances(start, end)},
        held=holds.open_holds(tx),
    )
    first, last = (at_local(day, _MIDNIGHT, "UTC") for day in (start - 2 * _DAY, end + 3 * _DAY))
    for name, moments in taken_times(ctx, tx, first, last).items():
        for moment in moments:
            on = local_date(moment, ctx.channels[name].rhythm.timezone)
            desk.taken.setdefault((name, on), []).append(moment)
    return desk


def find_occasions(ctx: Context, desk: Desk, start: date, end: date) -> tuple[Occasion, ...]:
    """Both days included, in written order; those that are held are barred."""
    rules = PlanningRules.of(
        ctx.schedules.campaigns,
        status_max_age_days=ctx.planning.status_max_age_days,
        leap_day=LeapDay(ctx.planning.leap_day),
    )
    found = occasions(tuple(desk.cases.values()), tuple(desk.observances.values()), start, end, rules)
    return tuple(replace(one, bar=Bar.HELD) if one.bar is None and is_held(desk, one) else one for one in found)


def is_held(desk: Desk, occasion: Occasion) -> bool:
    scopes = {("campaign", occasion.campaign), *(("case", slug) for slug in occasion.cases)}
    return not scopes.isdisjoint(desk.held)


def sketch(
    ctx: Context, desk: Desk, found: Iterable[Occasion], channels: Sequence[str] = ()
) -> tuple[list[Sketch], tuple[Occasion, ...]]:
    """What would be posted, who comes first on a full day being who stands first; and the barred, with why."""
    sketches: list[Sketch] = []
    barred: list[Occasion] = []
    for occasion in found:
        if occasion.bar is not None:
            barred.append(occasion)
        if occasion.bar not in {None, Bar.SAME_HEARING}:
            continue
        content, why = written(ctx, desk, occasion, channels)
        if content is not None:
            sketches.append(Sketch(occasion, content))
        elif occasion.bar is None:
            barred.append(replace(occasion, bar=why))
    return sketches, tuple(barred)


def written(
    ctx: Context, desk: Desk, occasion: Occasion, channels: Sequence[str] = (), by_hand: ByHand | None = None
) -> tuple[Content | None, Bar]:
    """One post for all the accounts that can have it, or why there is none; `desk` is told who is left out."""
    worded: dict[str, tuple[Wording, Window]] = {}
    said: dict[tuple[str, bool], Wording] = {}
    why = Bar.DAILY_CAP
    for name in roomiest_first(ctx, channels or accounts_of(ctx, occasion.campaign)):
        window = by_hand.windows.get(name) if by_hand else own_window(ctx, desk, occasion, name)
        if window is None:
            desk.left_out.append(LeftOut(occasion, name, Bar.DAILY_CAP))
            continue
        is_local = local_date(window.due) == occasion.on
        words = _worded(ctx, desk, occasion, name, said, by_hand, today_is_local=is_local)
        if isinstance(words, Wording):
            worded[name] = (words, window)
            desk.taken.setdefault((name, occasion.on), []).append(window.due)
        else:
            why = Bar.NO_WORDING
            desk.left_out.append(_unworded(occasion, name, words))
    return (_gathered(ctx, desk, occasion, worded) if worded else None), why


def accounts_of(ctx: Context, campaign: str) -> tuple[str, ...]:
    known = ctx.schedules.campaign(campaign) or ctx.schedules.default_campaign
    return known.channels or tuple(ctx.channels)


def card_shape(ctx: Context, occasion: Occasion) -> Shape | None:
    """Of the share card that goes with what the program drafts for this campaign, if one does."""
    return (ctx.schedules.campaign(occasion.campaign) or ctx.schedules.default_campaign).cards


def own_window(ctx: Context, desk: Desk, occasion: Occasion, name: str, *, even_if_full: bool = False) -> Window | None:
    """Open until the end of the local day. None when the day has no room or is over there."""
    rhythm, day = ctx.channels[name].rhythm, (name, occasion.on)
    (due,) = (None,) if day in desk.full else spread(occasion.on, 1, desk.taken.get(day, ()), rhythm)
    if due is None:
        desk.full.add(day)
        if not even_if_full:
            return None
        due = at_local(occasion.on, rhythm.post_time, rhythm.timezone)
    not_after = at_local(occasion.on + _DAY, _MIDNIGHT, rhythm.timezone) - _INSTANT
    return Window(name, due, not_after) if not_after > ctx.now() else None


def roomiest_first(ctx: Context, names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: -ctx.channels[name].profile.rules.limit)


def _worded(
    ctx: Context,
    desk: Desk,
    occasion: Occasion,
    name: str,
    said: dict[tuple[str, bool], Wording],
    by_hand: ByHand | None,
    *,
    today_is_local: bool,
) -> Wording | Misfit | NoWording:
    """The words for one account. Those of a roomier one, with nothing left out, are its own too wherever they fit."""
    profile = ctx.channels[name].profile
    media = by_hand.with_media if by_hand else card_shape(ctx, occasion) is not None
    own = profile.like if any(layer == profile.like for layer, _ in ctx.messages.patterns) else ""
    whole = said.get((own, today_is_local))
    if whole and not whole.dropped and _fits(whole, profile, with_media=media):
        return whole
    model = by_hand.model if by_hand else ""
    words = said_as(ctx, desk, occasion, profile, model, today_is_local=today_is_local, with_media=media)
    if isinstance(words, Wording):
        said.setdefault((own, today_is_local), words)
    return words


def said_as(
    ctx: Context,
    desk: Desk,
    occasion: Occasion,
    profile: Profile,
    model: str = "",
    *,
    today_is_local: bool = True,
    with_media: bool = False,
) -> Wording | Misfit | NoWording:
    """As `compose`, with what is on the desk."""
    return compose(
        ctx.messages,
        occasion,
        desk.cases,
        ctx.schedules.campaign(occasion.campaign) or ctx.schedules.default_campaign,
        ctx.schedules.places,
        profile.rules,
        observance=desk.observances.get((occasion.observance, occasion.on)),
        today_is_local=today_is_local,
        layout=profile.layout,
        platform=profile.like,
        with_media=with_media,
        model=model,
        max_age_days=ctx.planning.status_max_age_days,
    )


def _fits(words: Wording, profile: Profile, *, with_media: bool) -> bool:
    parts = [text.split(BETWEEN_POSTS) for text in words.texts.values()]
    first = all(fits(first, profile.rules, with_media=with_media) for first, *_ in parts)
    return first and all(fits(part, profile.rules) for _, *more in parts for part in more)


def _unworded(occasion: Occasion, channel: str, words: Misfit | NoWording) -> LeftOut:
    if isinstance(words, Misfit):
        return LeftOut(occasion, channel, Bar.NO_WORDING, misfit=replace(words, channel=channel))
    return LeftOut(occasion, channel, Bar.NO_WORDING, missing=words.missing)


def texts_of(worded: Mapping[str, Wording]) -> dict[tuple[str, str], str]:
    """The roomiest account's text, which comes first, is common; the others keep theirs where it differs."""
    common = next(iter(worded.values()))
    texts = {(language, ""): common.texts[language] for language in LANGUAGES}
    for name, words in worded.items():
        if words.texts != common.texts:
            texts |= {(language, name): words.texts[language] for language in LANGUAGES}
    return texts


def _gathered(ctx: Context, desk: Desk, occasion: Occasion, worded: Mapping[str, tuple[Wording, Window]]) -> Content:
    common = next(iter(worded.values()))[0]
    cited = sorted({cite for words, _ in worded.values() for cite in words.cites})
    tiers = {words.tier for words, _ in worded.values()}
    return Content(
        campaign=occasion.campaign,
        texts=texts_of({name: words for name, (words, _) in worded.items()}),
        channels=tuple(name for name in ctx.channels if name in worded),
        windows=tuple(worded[name][1] for name in ctx.channels if name in worded),
        cases=occasion.cases,
        cites=tuple(Cite(slug, fact, desk.cases[slug].revisions[fact]) for slug, fact in cited),
        kind=occasion.kind.value,
        tier=(Tier.FRESH if Tier.FRESH in tiers else common.tier).value,
        model=common.model,
        on=occasion.on.isoformat(),
    )
