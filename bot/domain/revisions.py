"""How a case changes: which facts differ, what an import may overwrite, and what cannot both be true."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import TypeVar

from bot.domain.case import HELD, Case, Event, EventKind, Status
from bot.domain.errors import BadInput, Refused
from bot.domain.facts import facts_of
from bot.domain.reader import MAX_TEXT, UNSEEN, normal
from bot.domain.tiers import ENDINGS

T = TypeVar("T", Case, Event)
LONGEST_KEY = 110
# What the campaign decides or a family wishes; a source can be given, but there need not be one.
UNSOURCED = frozenset({"address", "campaigns", "consent", "note"})


def at_first_revision(case: Case) -> Case:
    """Every fact at 1, the unsaid ones too: saying them later is a change."""
    return replace(case, revisions=dict.fromkeys(facts_of(case), 1))


def revised(before: Case, changed: Case) -> tuple[Case, tuple[str, ...]]:
    """The case with the next revision of each fact that differs, and the keys of those facts."""
    if changed.slug != before.slug:
        raise Refused("A case keeps its short name “{slug}”: posts and links go by it.", slug=before.slug)
    old, new = facts_of(before), facts_of(changed)
    facts = tuple(sorted(key for key in old | new if old.get(key) != new.get(key)))
    next_ones = {fact: before.revisions.get(fact, 0) + 1 for fact in facts}
    return replace(changed, id=before.id, revisions={**before.revisions, **next_ones}), facts


def require_source(facts: Collection[str], source: str) -> str:
    """The source as it is kept. Raises Refused where a fact needs one and there is none."""
    said = normal(source[: MAX_TEXT * 2])
    if not said and not UNSOURCED.issuperset(facts):
        raise Refused("No source, no fact: give the address of a page that states it.")
    if len(said) > MAX_TEXT or UNSEEN.search(said):
        raise BadInput("A source has at most {most} visible characters.", most=MAX_TEXT)
    return said


def require_coherent(case: Case) -> None:
    """Raises Refused where the status says “held” after a release, exile or death on file.

    Otherwise an approved “remains in prison” would go out although the release is known.
    """
    if case.status not in HELD:
        return
    arrests = case.of_kind(EventKind.ARREST)
    for event in case.events:
        began_again = any(arrest.date.last_day >= event.date.first_day for arrest in arrests)
        later = event.date.last_day >= case.confirmation.as_of.first_day
        if event.kind in ENDINGS and later and not began_again:
            raise Refused(
                "“{slug}” is said to be {status}, but there is a later {kind} ({date}). Confirm the new status first.",
                slug=case.slug,
                status=case.status.value,
                kind=event.kind.value,
                date=str(event.date),
            )


def in_status(case: Case, status: Status) -> Case:
    """Of somebody whose fate is not known any more, what was known last is kept."""
    if status is case.status:
        return case
    return replace(case, status=status, last_known_status=case.status if status is Status.UNKNOWN else None)


def is_older(new: Case, here: Case) -> bool:
    return new.confirmation.as_of < here.confirmation.as_of


def merged(here: Case, new: Case) -> Case:
    """Events by their key. What the new one leaves empty stays, and so does a status confirmed later."""
    events = {event.key: event for event in here.events}
    for event in new.events:
        events[event.key] = _filled(events[event.key], event) if event.key in events else event
    status = here if is_older(new, here) else new
    return replace(
        _filled(here, new),
        events=tuple(events.values()),
        id=here.id,
        revisions=here.revisions,
        status=status.status,
        last_known_status=status.last_known_status,
        confirmation=status.confirmation,
    )


def _filled(here: T, new: T) -> T:
    """What the new one says, over what is here; a value left at its default says nothing."""
    defaults: Mapping[str, object] = {field.name: field.default for field in fields(new)}
    said = {name: value for name in defaults if (value := getattr(new, name)) != defaults[name]}
    return replace(here, **said)
