"""What can be printed of an occasion: each field's words in both languages, and the facts they rest on.

A field that is not known is absent; that alone keeps every model that prints it from being chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.domain import phrases
from bot.domain.campaign import Observance, ObservanceKind, Places
from bot.domain.case import HELD, Case, Event, EventKind, Status, Tier
from bot.domain.facts import EVENT_FACT
from bot.domain.judgments import (
    Result,
    appealed,
    arrest_before,
    first_after,
    is_final,
    judgments,
    prison_months,
    term_end,
)
from bot.domain.occasions import Occasion
from bot.domain.phrases import Pair

Cite = tuple[str, str]
"""A case's slug and the key of a fact in it."""

_PERSON = frozenset({"name", "ref", "occupation"})
_LEAVING = frozenset({"release_date", "release_month", "exile_date", "destination"})
_DATED = _PERSON | {"years", "years_passed", "date", "sentence"}
_JUDGED = _DATED | _LEAVING | {"status_as_of"}
_JOINT = frozenset(
    {"years", "years_passed", "date", "court", "n", "all_n", "all"}
    | {"names", "names_sentences", "names_status", "outcomes"}
)

KIND_FIELDS: Mapping[str, frozenset[str]] = {
    "arrest": _JUDGED | {"place", "charge", "served"},
    "trial": _JUDGED | {"court", "charge"},
    "appeal_trial": _JUDGED | {"court", "outcome"},
    "joint_trial": _JOINT | {"total", "names_terms"},
    "joint_appeal": _JOINT | {"names_outcomes"},
    "day_count": _PERSON | {"days", "date", "place", "charge", "sentence"},
    "release": _DATED | {"left"},
    "exile": _DATED | {"destination"},
    "death": _DATED,
    "observance": _PERSON | {"observance", "date", "line", "sentence", "charge"},
    "general": frozenset(),
}
"""The fields each kind of message may print; with a capital ({{ Name }}) they begin a sentence."""

CAPITALISED = frozenset(
    {"name", "sentence", "names", "names_terms", "names_outcomes", "release_month", "all_n", "all", "observance"}
)
EARLY_DAYS = 3
"""A release this many days before the end of the term is still its end: terms are counted in more ways than one."""


class Need(StrEnum):
    """What must be so before a model may be chosen, where no field says it. Written in the model's heading."""

    UNBROKEN = "unbroken"
    UNTRIED = "untried"
    UPHELD = "upheld"
    PARTIAL = "partial"
    IN_CUSTODY = "in-custody"
    NO_COURT = "no-court"
    ADVOCACY = "advocacy"
    AMNESTY = "amnesty"
    NAMED = "named"
    LINK = "link"


@dataclass(slots=True)
class Page:
    """The words at hand for one occasion. `shorter` holds those that can do without the probation."""

    vi: dict[str, str] = field(default_factory=dict)
    en: dict[str, str] = field(default_factory=dict)
    shorter: dict[str, Pair] = field(default_factory=dict)
    cites: dict[str, frozenset[Cite]] = field(default_factory=dict)
    always: set[Cite] = field(default_factory=set)

    def put(self, name: str, words: Pair | None, *cites: Cite) -> None:
        if words is None:
            return
        self.vi[name], self.en[name] = words
        if name in CAPITALISED:
            self.vi[phrases.capital(name)] = phrases.capital(words[0])
            self.en[phrases.capital(name)] = phrases.capital(words[1])
        self.cites[name] = frozenset(cites)

    def grant(self, need: Need, *cites: Cite) -> None:
        self.cites[need] = frozenset(cites)


def event_cites(case: Case, *events: Event) -> tuple[Cite, ...]:
    return tuple((case.slug, EVENT_FACT + event.key) for event in events)


def begin(occasion: Occasion) -> Page:
    """What every model of these people rests on."""
    page = Page()
    facts = ("identity", "status", "consent", *(() if occasion.tier is Tier.PAST else ("term",)))
    page.always.update((slug, fact) for slug in occasion.cases for fact in facts)
    page.always.update((slug, EVENT_FACT + key) for slug, key in occasion.events)
    page.put("years", phrases.years(occasion.years) if occasion.years else None)
    page.put("years_passed", phrases.years_passed(occasion.years) if occasion.years else None)
    page.put("days", phrases.number(occasion.days) if occasion.days else None)
    return page


def one_person(page: Page, case: Case, event: Event, places: Places) -> None:
    _person(page, case)
    page.put("date", phrases.day(event.date.first_day) if event.date.exact else None)
    page.put("place", places.provinces.get(event.province))
    page.put("court", places.courts.get(event.court))
    page.put("charge", places.charges.get(event.charge))
    if last_known(case) in HELD:
        page.put("status_as_of", phrases.month(case.confirmation.as_of), (case.slug, "confirmation"))
    _left_prison(page, case, event)
    _left_country(page, case, event, places)
    hearing = event.kind in {EventKind.TRIAL, EventKind.APPEAL_TRIAL}
    held = (event,) if hearing else judgments(case, event)
    if event.kind is not EventKind.DEATH or not any(judgment.in_absentia for judgment in held):
        _sentenced(page, case, held)
    if event.kind is EventKind.APPEAL_TRIAL:
        _outcome(page, case, event)
    if case.custody_unbroken:
        page.grant(Need.UNBROKEN, (case.slug, "custody"))
    if event.court not in places.courts:
        page.grant(Need.NO_COURT)
    if event.in_custody:
        page.grant(Need.IN_CUSTODY)
    if case.status is Status.AWAITING_TRIAL and not case.of_kind(EventKind.TRIAL):
        page.grant(Need.UNTRIED)


def last_known(case: Case) -> Status | None:
    return case.last_known_status if case.status is Status.UNKNOWN else case.status


def _person(page: Page, case: Case) -> None:
    """A title stands in for the occupation; the second mention is “Bà Trang”, or “Đến nay” without a form."""
    before = case.title_vi or case.address.value
    cites = ((case.slug, "address"),) if before else ()
    page.put("name", (f"{before} {case.name_vi}" if before else case.name_vi, case.name_en), *cites)
    second = f"{case.address.value} {case.short_vi or case.name_vi}" if case.address else ""
    page.put("ref", (f" {second}" if second else "", ""), *cites)
    page.vi["Ref"], page.en["Ref"] = phrases.capital(second) or "Đến nay", ""
    if case.occupation_vi and case.occupation_en and not case.title_vi:
        vi, en = phrases.occupation(case.occupation_vi, "vi"), phrases.occupation(case.occupation_en, "en")
        page.put("occupation", (vi, en), (case.slug, "occupation"))
    else:
        page.put("occupation", ("", ""))


def _left_prison(page: Page, case: Case, event: Event) -> None:
    release = event if event.kind is EventKind.RELEASE else first_after(case, EventKind.RELEASE, event)
    if release is None:
        return
    cites = event_cites(case, release)
    page.put("release_month", phrases.month(release.date) if release.date.month else None, *cites)
    if not release.date.exact:
        return
    page.put("release_date", phrases.day(release.date.first_day), *cites)
    arrest, held = arrest_before(case, release), judgments(case, release)
    end = term_end(arrest, held) if arrest else None
    if not arrest or not end or abs(margin := end - release.date.first_day) > timedelta(days=EARLY_DAYS):
        early = end and margin > timedelta(0) and is_final(case, held)
        words = ("được trả tự do trước thời hạn", "was released early") if early else ("được trả tự do", "was released")
        page.put("left", words, *(event_cites(case, *held) if early else ()))
        return
    facts = event_cites(case, arrest, *held)
    page.put("left", ("mãn hạn tù", "was released at the end of the term"), *facts)
    if case.custody_unbroken and not margin:
        page.put("served", phrases.duration(prison_months(held)), *facts, *cites, (case.slug, "custody"))


def _left_country(page: Page, case: Case, event: Event, places: Places) -> None:
    exile = event if event.kind is EventKind.EXILE else first_after(case, EventKind.EXILE, event)
    if exile:
        cites = event_cites(case, exile)
        page.put("exile_date", phrases.day(exile.date.first_day) if exile.date.exact else None, *cites)
        page.put("destination", places.destinations.get(exile.destination), *cites)


def _sentenced(page: Page, case: Case, held: Sequence[Event]) -> None:
    whole, shorter = (_sentences(held, probation=probation) for probation in (True, False))
    page.put("sentence", whole, *event_cites(case, *held))
    if shorter and shorter != whole:
        page.shorter["sentence"] = shorter


def _sentences(held: Sequence[Event], *, probation: bool) -> Pair | None:
    said = [words for event in held if (words := phrases.sentence(event, probation=probation))]
    return phrases.joined(said, en=", and ") if said and len(said) == len(held) else None


_OUTCOMES: Mapping[Result, Pair] = {
    Result.UPHELD: ("y án", "upheld the sentence of"),
    Result.CUT: ("giảm án còn", "cut the sentence to"),
    Result.RAISED: ("tăng án lên", "raised the sentence to"),
}


def _outcome(page: Page, case: Case, appeal: Event) -> None:
    found = appealed(case, appeal)
    if found:
        result, trial = found
        page.put("outcome", _OUTCOMES[result], *event_cites(case, trial))
        if result is Result.UPHELD:
            page.grant(Need.UPHELD, *event_cites(case, trial))


_OBSERVED = {ObservanceKind.ADVOCACY: Need.ADVOCACY, ObservanceKind.AMNESTY_WATCH: Need.AMNESTY}


def observed(page: Page, observance: Observance, name: Pair, line: Pair, person: Case | None, places: Places) -> None:
    """`person` only where somebody picked the case; then nothing general is said."""
    page.put("date", phrases.day_of_year(observance.on))
    page.put("observance", name)
    page.put("line", line)
    if person is None:
        if observance.kind in _OBSERVED:
            page.grant(_OBSERVED[observance.kind])
        return
    page.grant(Need.NAMED)
    _person(page, person)
    arrest = max(person.of_kind(EventKind.ARREST), key=lambda event: event.date, default=None)
    held = judgments(person, arrest) if arrest else ()
    _sentenced(page, person, held)
    trials = [event for event in person.of_kind(EventKind.TRIAL) if event.charge and not event.additional]
    if len(held) == 1 and len(trials) == 1:
        page.put("charge", places.charges.get(trials[0].charge), *event_cites(person, trials[0]))
