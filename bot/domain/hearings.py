"""Who was tried together: one hearing is one post, when a source or a person says that it was one."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from bot.domain.case import Case, Consent, Event, EventKind, fold, vietnamese_key

_court = lru_cache(maxsize=4_096)(fold)
HEARINGS = frozenset({EventKind.TRIAL, EventKind.APPEAL_TRIAL})
Person = tuple[Case, Event]


@dataclass(frozen=True, slots=True)
class Hearing:
    """Events of one day that are spoken of together; most are of one person.

    `confirmed` is false where only the day and the court agree: that proposes, and a person answers.
    """

    name: str
    day: date
    people: tuple[Person, ...]
    confirmed: bool = True


def hearings(cases: Sequence[Case]) -> tuple[Hearing, ...]:
    """Every event known to the day, each once. Events of a hearing that shrinks to one person stand alone."""
    groups: defaultdict[Hashable, dict[str, Person]] = defaultdict(dict)
    days: defaultdict[str, set[date]] = defaultdict(set)
    for case in cases:
        for event in case.events:
            if event.date.exact:
                group = groups[group_of(case, event)]
                if case.slug in group:  # nobody is tried together with themselves
                    group = groups[case.slug, event.key]
                group[case.slug] = (case, event)
                days[event.kind + event.joint].add(event.date.first_day)
    return tuple(_hearing(tuple(people.values()), days) for people in groups.values())


def group_of(case: Case, event: Event) -> Hashable:
    """Equal for events of one hearing. Neither a missing court nor a limited consent joins by a guess."""
    if event.kind in HEARINGS and event.joint:
        return (event.kind, event.date, event.joint)
    guess = event.kind in HEARINGS and not event.heard_alone and case.consent is not Consent.LIMITED
    if guess and event.court:
        return (event.kind, event.date, "court", _court(event.court))
    return (case.slug, event.key)


def groups_of(case: Case) -> frozenset[Hashable]:
    """Its hearings, and their names: one name on two days is a slip that changes what the days are called."""
    events = [each for each in case.events if each.kind in HEARINGS]
    groups = {group_of(case, each) for each in events if each.joint or each.court}
    return frozenset(groups | {(each.kind, each.joint) for each in events if each.joint})


def _hearing(people: Sequence[Person], days: Mapping[str, Collection[date]]) -> Hearing:
    event = people[0][1]
    torn = len(days[event.kind + event.joint]) > 1  # one name on two days is a slip; each keeps its own key
    name = event.joint if event.joint and not torn else f"{event.date}@{event.joint or fold(event.court)}"
    ordered = tuple(sorted(people, key=_longest_term_first))
    return Hearing(name, event.date.first_day, ordered, confirmed=bool(event.joint))


def _longest_term_first(person: Person) -> tuple[object, ...]:
    case, event = person
    months = (event.sentence and event.sentence.prison_months) or 0
    life = bool(event.sentence and event.sentence.life)
    return (not life, -months, vietnamese_key(case.name_vi), case.slug)
