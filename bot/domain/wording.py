"""Which wording may be used: truth first, then variety; and what is left out, in order, when space is short."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from bot.domain.campaign import Observance, Places
from bot.domain.case import STATUS_MAX_AGE_DAYS, Case, Consent, Tier
from bot.domain.fields import Cite, Need, Page, begin, observed, one_person
from bot.domain.joint import several_people
from bot.domain.occasions import Occasion, OccasionKind
from bot.domain.phrases import Pair

ROUND_YEARS = 5
TIMELESS = "timeless"
ANY = "any"
_JOINT = {OccasionKind.JOINT_TRIAL: OccasionKind.TRIAL, OccasionKind.JOINT_APPEAL: OccasionKind.APPEAL_TRIAL}
_ANY_COURT: Pair = ("tòa", "the court")
_CONFIRMATION = frozenset({"status_as_of", "names_status"})
_FOR_NEWCOMERS = frozenset({"place", "charge", "court"})
_DAYS_A_STEP = 100

_DROPS = ("occupation", "charge", "place", "tag", "probation", "link")
_DROPS_FIRST: Mapping[str, str] = {"trial": "charge", "release": "sentence", "observance": "charge"}


@dataclass(frozen=True, slots=True)
class Model:
    """A way to say it, the same in both languages. `optional` fields can be left out, `fields` must be known.

    `dated` prints the date and does not say “today”; `round` is for years that end in 5 or 0.
    """

    id: str
    tier: str
    fields: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    needs: frozenset[Need] = frozenset()
    round: bool = False
    dated: bool = False
    threaded: bool = False

    @property
    def claim(self) -> str:
        """What it may claim; timeless is what stays true and does not hint at prison either."""
        return TIMELESS if self.tier == Tier.STALE and not self.fields & _CONFIRMATION else self.tier


@dataclass(frozen=True, slots=True)
class Wording:
    """Both texts of an occasion, NFC, with their tail; a line `---` begins the next post of a thread.

    `tier` is the strongest claim the words make; `cites` names the facts they print, by case and fact.
    """

    model: str
    texts: Mapping[str, str]
    cites: frozenset[Cite]
    dropped: tuple[str, ...] = ()
    tier: Tier = Tier.PAST


@dataclass(frozen=True, slots=True)
class NoWording:
    """No model may say it; `missing` are the fields that models would have printed, had they been known."""

    missing: tuple[str, ...] = ()


def page_of(
    occasion: Occasion,
    cases: Mapping[str, Case],
    places: Places,
    *,
    observance: Observance | None = None,
    day_words: tuple[Pair, Pair] = (("", ""), ("", "")),
    max_age_days: int = STATUS_MAX_AGE_DAYS,
) -> Page:
    """`day_words` is what an observance is called inside a sentence, and the line that suits it."""
    page = begin(occasion)
    if observance is not None:
        person = cases[occasion.cases[0]] if occasion.cases else None
        observed(page, observance, *day_words, person, places)
        return page
    found = ((case := cases[slug], case.event(key)) for slug, key in occasion.events)
    people = [(case, event) for case, event in found if event and case.consent is not Consent.REFUSED]
    if len(people) > 1:
        several_people(page, people, places, occasion.on, max_age_days)
    elif people:
        one_person(page, *people[0], places)
    return page


def kind_of(occasion: Occasion, cases: Mapping[str, Case]) -> str:
    """The kind of message; a hearing of which only one person may be spoken is said as that person's own."""
    speaking = sum(cases[slug].consent is not Consent.REFUSED for slug in occasion.cases)
    return str(_JOINT.get(occasion.kind, occasion.kind) if speaking == 1 else occasion.kind)


def needs_date(occasion: Occasion, cases: Mapping[str, Case], *, today_is_local: bool) -> bool:
    """Whether “today” would be wrong or disputed: another date there, other dates found, or a leap day's eve."""
    if not today_is_local:
        return True
    events = (cases[slug].event(key) for slug, key in occasion.events)
    moved = bool(occasion.years)
    on = (occasion.on.month, occasion.on.day)
    return any(event and (event.alt_dates or (moved and (event.date.month, event.date.day) != on)) for event in events)


def _claims(occasion: Occasion, kind: str) -> tuple[frozenset[str], ...]:
    """The claims that are true, strongest first."""
    fresh, stale, past = (frozenset({tier}) for tier in (Tier.FRESH, Tier.STALE, Tier.PAST))
    timeless = frozenset({TIMELESS})
    lasting = occasion.tier is Tier.FRESH and not occasion.near_term_end
    match kind:
        case OccasionKind.OBSERVANCE:
            found: tuple[frozenset[str], ...] = (frozenset({ANY}),)
        case OccasionKind.RELEASE | OccasionKind.DEATH:
            found = (past,) if occasion.tier is Tier.PAST else ()
        case OccasionKind.DAY_COUNT:
            found = (fresh,) if lasting else ()
        case OccasionKind.EXILE:
            found = (fresh, timeless) if occasion.tier is Tier.FRESH else (timeless,)
        case _ if occasion.tier is Tier.PAST:
            found = (past, timeless)
        case _:
            below = (
                timeless
                | (frozenset() if occasion.near_term_end else stale)
                | (past if kind in _JOINT else frozenset())
            )
            found = (fresh, below) if lasting else (below,)
    return found


def is_possible(model: Model, page: Page, *, dated: bool) -> bool:
    """Every value known, every need met, and no “today” where a date must stand."""
    return model.fields <= page.cites.keys() and model.needs <= page.cites.keys() and (model.dated or not dated)


def in_order(models: Iterable[Model], page: Page, occasion: Occasion, kind: str, *, dated: bool) -> Iterator[Model]:
    """The models that may be used, the one whose turn it is first."""
    possible = [model for model in models if is_possible(model, page, dated=dated)]
    turn = _number(occasion) + crc32((occasion.observance or occasion.cases[0]).encode())
    for claims in _claims(occasion, kind):
        yield from _varied([model for model in possible if model.claim in claims], occasion.years, turn)


def missing_fields(models: Iterable[Model], page: Page, occasion: Occasion, kind: str) -> tuple[str, ...]:
    true = frozenset[str]().union(*_claims(occasion, kind))
    known = page.cites.keys()
    lacking = (model.fields - known for model in models if model.claim in true and model.needs <= known)
    return tuple(sorted(frozenset[str]().union(*lacking)))


def _number(occasion: Occasion) -> int:
    return occasion.years or occasion.days // _DAYS_A_STEP or occasion.on.year


def _varied(models: Sequence[Model], years: int, turn: int) -> list[Model]:
    """Round years keep the round models, first years those that introduce; a step that leaves none is skipped."""
    kept = [model for model in models if not model.threaded] or list(models)
    if years and years % ROUND_YEARS == 0:
        kept = [model for model in kept if model.round] or kept
    if years == 1:
        kept = [model for model in kept if model.fields & _FOR_NEWCOMERS] or kept
    start = turn % len(kept) if kept else 0
    first = [*kept[start:], *kept[:start]]
    rest = sorted((model for model in models if model not in first), key=lambda model: model.threaded)
    return [*first, *rest]


def drops(model: Model, kind: str, page: Page) -> Iterator[str]:
    """What can be left out of this model, in order. The tag and the link are the campaign's, so always named."""
    first = _DROPS_FIRST.get(kind, "")
    for drop in dict.fromkeys((first, *_DROPS) if first else _DROPS):
        known = drop in model.optional and page.vi.get(drop)
        court = drop == "place" and "court" in model.fields
        shorter = drop == "probation" and any(name in page.shorter for name in model.fields)
        if known or court or shorter or (drop == "tag") or (drop == "link" and Need.LINK not in model.needs):
            yield drop


def without(page: Page, drop: str) -> None:
    """Takes the words of one step out of the page."""
    if drop == "probation":
        for name, words in page.shorter.items():
            page.put(name, words, *page.cites[name])
        return
    if drop == "place" and "court" in page.cites:
        page.put("court", _ANY_COURT)
    if drop in page.cites:
        page.put(drop, ("", ""))
