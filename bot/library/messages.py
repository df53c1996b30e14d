"""Words an occasion: picks the model whose turn it is, fills it in both languages, and makes it fit the channel."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.domain.campaign import LANGUAGES, Campaign, Observance, Places
from bot.domain.case import STATUS_MAX_AGE_DAYS, Case, Consent, Tier
from bot.domain.errors import Rejected
from bot.domain.fields import KIND_FIELDS, Cite, Need, Page
from bot.domain.occasions import Occasion
from bot.domain.phrases import Pair, day_of_year
from bot.domain.post import Layout, Misfit
from bot.domain.text import TextRules, fits, overflow
from bot.domain.wording import (
    Model,
    NoWording,
    Wording,
    drops,
    in_order,
    is_possible,
    kind_of,
    missing_fields,
    needs_date,
    page_of,
    without,
)
from bot.library.models import BREAK, compiled, fields_of, model_of, read
from bot.library.proofreading import proofread

__all__ = ["Messages", "NoWording", "Wording", "compose", "compose_general", "listed", "load_messages"]

_NEXT_POST = f"\n{BREAK}\n"
_BETWEEN_NAMES = re.compile(r"(?<=,) (?!xử vắng mặt|in absentia)")
_MOST_TAGS = 2
_DEFAULT_LINE = "default"


def listed(names: str) -> list[str]:
    """The names of a list, each with what stands behind it."""
    return _BETWEEN_NAMES.split(names)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A model with its source in both languages."""

    model: Model
    vi: str
    en: str


Patterns = Mapping[str, Pattern]


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything in messages/, by layer and kind; a layer is a platform, `campaigns/<slug>` or `cases/<slug>`."""

    patterns: Mapping[tuple[str, str], Patterns]
    texts: Mapping[tuple[str, str], Pair]

    def pool(self, kind: str, layers: Iterable[str]) -> Patterns:
        """The models of a kind; where several layers hold one, the last named layer wins."""
        return {name: one for layer in layers for name, one in self.patterns.get((layer, kind), {}).items()}

    def say(self, file: str, name: str, page: Page) -> Pair | None:
        """A text that is no model, or None where there is none or it prints what is not known."""
        sources = self.texts.get((file, name))
        return _filled(*sources, page) if sources else None

    def printed(self, file: str, name: str) -> frozenset[str]:
        """The fields of a text that is no model."""
        return frozenset().union(*map(fields_of, self.texts.get((file, name), ())))

    def day_words(self, observance: Observance) -> tuple[Pair, Pair]:
        page = Page()
        page.put("date", day_of_year(observance.on))
        name = self.say("days", observance.id, page) or (observance.name_vi, observance.name_en)
        line = self.say("lines", observance.id, page) or self.say("lines", _DEFAULT_LINE, page)
        return name, line or ("", "")


def _filled(vi: str, en: str, page: Page) -> Pair:
    return compiled(vi).render(page.vi), compiled(en).render(page.en)


def load_messages(folder: Path) -> Messages:
    """Raises Rejected with every finding of every file in one go."""
    reading = read(folder)
    if findings := [*reading.findings, *proofread(reading)]:
        raise Rejected(findings)
    patterns: dict[tuple[str, str], Patterns] = {}
    texts: dict[tuple[str, str], Pair] = {}
    for (layer, kind), shelf in reading.shelves.items():
        both = [(vi, shelf["en"][name]) for name, vi in shelf["vi"].items()]
        if kind in KIND_FIELDS:
            patterns[layer, kind] = {vi.id: Pattern(model_of(vi, en), vi.source, en.source) for vi, en in both}
        elif not layer:
            texts |= {("lines" if "line" in vi.words else kind, vi.id): (vi.source, en.source) for vi, en in both}
    return Messages(patterns, texts)


@dataclass(frozen=True, slots=True)
class _Tail:
    """What every post ends with: at most two hashtags, and a link."""

    tags: Mapping[str, tuple[str, ...]]
    links: Mapping[str, str]
    cites: frozenset[Cite] = frozenset()
    link_apart: bool = False

    def can_drop(self, drop: str) -> bool:
        return any(self.links.values()) if drop == "link" else any(len(tags) > 1 for tags in self.tags.values())

    def without(self, drop: str) -> "_Tail":
        """One tag is left: the one that both languages share, if there is one. The link moves to a reply."""
        if drop == "link":
            return replace(self, link_apart=True)
        kept = {language: (_in_both(self.tags, tags) or tags)[-1:] for language, tags in self.tags.items()}
        return replace(self, tags=kept)

    def put_behind(self, body: str, language: str) -> str:
        first, *more = (part.strip() for part in body.split(_NEXT_POST))
        link = self.links.get(language, "")
        ending = [*self.tags.get(language, ()), *([] if self.link_apart else [link])]
        parts = [" ".join(filter(None, [first, *ending])), *more, *([link] if self.link_apart and link else [])]
        return unicodedata.normalize("NFC", _NEXT_POST.join(parts))


def _in_both(tags: Mapping[str, tuple[str, ...]], some: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(tag for tag in some if all(tag in tags.get(language, ()) for language in LANGUAGES))


def _tail(campaign: Campaign, cases: list[Case], *, with_link: bool) -> _Tail:
    """The tags that both languages share come before a family's own, and that before a language's own."""
    own = tuple(f"#{case.tag.lstrip('#')}" for case in cases if case.tag and case.consent is Consent.GIVEN)[:1]
    chosen = {}
    for language in LANGUAGES:
        written = (*campaign.hashtags.get(language, ()), *(own if len(cases) == 1 else ()))
        shared = _in_both(campaign.hashtags, written)
        ranked = (*shared, *(tag for tag in written if tag in own), *written)
        kept = tuple(dict.fromkeys(ranked))[:_MOST_TAGS]
        chosen[language] = tuple(tag for tag in dict.fromkeys(written) if tag in kept)
    cites = frozenset((case.slug, "note") for case in cases if own and own[0] in chosen["vi"])
    return _Tail(chosen, dict(campaign.links) if with_link else {}, cites)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The channel the words must fit."""

    rules: TextRules
    joined: bool
    with_media: bool

    def fitted(self, texts: Mapping[str, str], *, threaded: bool) -> dict[str, str] | Misfit:
        """The texts, cut between names where a thread of names is too long; or the first that does not fit."""
        whole = "\n\n".join(texts.values())
        if self.joined and _NEXT_POST not in whole and fits(whole, self.rules, with_media=self.with_media):
            return dict(texts)
        found = {}
        for language, text in texts.items():
            parts = text.split(_NEXT_POST)
            if threaded:
                parts = [parts[0], *(piece for part in parts[1:] for piece in self._between_names(part))]
            for number, part in enumerate(parts):
                media = self.with_media and number == 0
                if over := overflow(part, self.rules, with_media=media):
                    limit = (self.rules.caption_limit if media else None) or self.rules.limit
                    return Misfit("", language, limit + over, limit)
            found[language] = _NEXT_POST.join(parts)
        return found

    def _between_names(self, part: str) -> list[str]:
        pieces: list[str] = []
        for name in listed(part):
            if pieces and fits(f"{pieces[-1]} {name}", self.rules):
                pieces[-1] += f" {name}"
            else:
                pieces.append(name)
        return pieces


def _worded(pattern: Pattern, kind: str, page: Page, tail: _Tail, frame: _Frame) -> Wording | Misfit:
    """One model, with as little as possible left out, in both languages at once."""
    model, dropped = pattern.model, list[str]()
    steps = drops(model, kind, page)
    while True:
        bodies = zip(LANGUAGES, _filled(pattern.vi, pattern.en, page), strict=True)
        texts = {language: tail.put_behind(body, language) for language, body in bodies}
        found = frame.fitted(texts, threaded=model.threaded)
        if not isinstance(found, Misfit):
            printed = (page.cites[name] for name in (*model.fields, *model.needs))
            cites = frozenset(page.always).union(tail.cites, *printed)
            tier = Tier(model.tier) if model.tier in set(Tier) else Tier.STALE
            return Wording(model.id, found, cites, tuple(dropped), tier)
        step = next((step for step in steps if step not in {"tag", "link"} or tail.can_drop(step)), None)
        if step is None:
            return found
        if step in {"tag", "link"}:
            tail = tail.without(step)
        else:
            page = Page(dict(page.vi), dict(page.en), page.shorter, dict(page.cites), page.always)
            without(page, step)
        dropped.append(step)


def compose(  # noqa: PLR0913 - what is said, of whom, where, and how: each is another thing
    messages: Messages,
    occasion: Occasion,
    cases: Mapping[str, Case],
    campaign: Campaign,
    places: Places,
    rules: TextRules,
    *,
    observance: Observance | None = None,
    today_is_local: bool = True,
    layout: str = Layout.THREAD,
    platform: str = "",
    with_link: bool = True,
    with_media: bool = False,
    model: str = "",
    max_age_days: int = STATUS_MAX_AGE_DAYS,
) -> Wording | Misfit | NoWording:
    """The words for one channel. `model` asks for one model by its id; it must be as true as any other.

    `Misfit` is the nearest miss, without the channel's name; `NoWording` means that no model may say it.
    """
    kind = kind_of(occasion, cases)
    day_words: tuple[Pair, Pair] = messages.day_words(observance) if observance else (("", ""), ("", ""))
    page = page_of(occasion, cases, places, observance=observance, day_words=day_words, max_age_days=max_age_days)
    tail = _tail(campaign, [cases[slug] for slug in occasion.cases], with_link=with_link)
    layers = ["", platform, f"campaigns/{campaign.slug}"]
    if len(occasion.cases) == 1:
        layers.append(f"cases/{occasion.cases[0]}")
    pool = messages.pool(kind, layers)
    models = [pattern.model for name, pattern in pool.items() if not model or name == model]
    frame = _Frame(rules, layout == Layout.JOINED, with_media)
    dated = needs_date(occasion, cases, today_is_local=today_is_local)
    misfits: list[Misfit] = []
    for one in in_order(models, page, occasion, kind, dated=dated):
        found = _worded(pool[one.id], kind, page, tail, frame)
        if isinstance(found, Wording):
            return found
        misfits.append(found)
    if misfits:
        return min(misfits, key=lambda misfit: misfit.overflow)
    return NoWording(missing_fields(models, page, occasion, kind))


def compose_general(  # noqa: PLR0913 - as compose
    messages: Messages,
    campaign: Campaign,
    rules: TextRules,
    *,
    turn: int,
    layout: str = Layout.THREAD,
    platform: str = "",
    with_link: bool = True,
    with_media: bool = False,
    model: str = "",
) -> Wording | Misfit | NoWording:
    """A general appeal, which names nobody; `turn` counts through the models."""
    tail = _tail(campaign, [], with_link=with_link)
    page = Page()
    if all(tail.links.get(language) for language in LANGUAGES):
        page.grant(Need.LINK)
    pool = messages.pool("general", ["", platform, f"campaigns/{campaign.slug}"])
    named = [pattern for name, pattern in pool.items() if not model or name == model]
    usable = [pattern for pattern in named if is_possible(pattern.model, page, dated=False)]
    if not usable:
        return NoWording()
    frame = _Frame(rules, layout == Layout.JOINED, with_media)
    return _worded(usable[turn % len(usable)], "general", page, tail, frame)
