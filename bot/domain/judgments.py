"""Which judgment is in force, what an appeal did to it, and when its term ends; silent wherever that is not sure."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from bot.domain.case import Case, Event, EventKind, Sentence
from bot.domain.tiers import ENDINGS

_FOR_LIFE = 1_000_000
_YEAR_MONTHS = 12


class Result(StrEnum):
    """What an appeal did to the prison term."""

    UPHELD = "upheld"
    CUT = "cut"
    RAISED = "raised"


def compared(first: Sentence | None, second: Sentence | None) -> Result | None:
    """None where a term is not known, or where only the probation was changed."""
    before, after = _prison(first), _prison(second)
    if not first or not second or not before or not after:
        return None
    if before != after:
        return Result.CUT if after < before else Result.RAISED
    probation = {first.probation_months, second.probation_months} - {None}
    return Result.UPHELD if len(probation) <= 1 else None


def _prison(sentence: Sentence | None) -> int:
    if sentence is None:
        return 0
    return _FOR_LIFE if sentence.life else sentence.prison_months or 0


def appealed(case: Case, appeal: Event) -> tuple[Result, Event] | None:
    """The appeal's result, and the trial it judged."""
    trials = [
        event
        for event in case.of_kind(EventKind.TRIAL)
        if event.additional == appeal.additional and event.date.last_day <= appeal.date.first_day
    ]
    trial = max(trials, key=lambda event: event.date, default=None)
    result = compared(trial.sentence, appeal.sentence) if trial else None
    return (result, trial) if trial and result else None


def arrest_before(case: Case, event: Event) -> Event | None:
    earlier = (one for one in case.of_kind(EventKind.ARREST) if one.date.last_day <= event.date.first_day)
    return max(earlier, key=lambda one: one.date, default=None)


def first_after(case: Case, kind: EventKind, event: Event) -> Event | None:
    """The first of its kind that surely came after, unless another arrest may have come between."""
    later = (one for one in case.of_kind(kind) if one.date.first_day > event.date.last_day)
    found = min(later, key=lambda one: one.date, default=None)
    if found is None:
        return None
    arrests = (one for one in case.of_kind(EventKind.ARREST) if one.date.last_day > event.date.first_day)
    return found if all(one.date.first_day > found.date.last_day for one in arrests if one is not event) else None


def judgments(case: Case, event: Event) -> tuple[Event, ...]:
    """The judgments in force of the custody that began with, or ended in, this event; none if that is not sure.

    An appeal that left the prison term as it was leaves the whole sentence of the trial in force.
    """
    starts = event.kind is EventKind.ARREST
    arrest = event if starts else arrest_before(case, event)
    if arrest is None:
        return ()
    ends = (one for one in case.events if one.kind in ENDINGS) if starts else (event,)
    after = (one.date.last_day for one in ends if one.date.first_day > arrest.date.last_day)
    next_arrest = (one.date.first_day for one in case.of_kind(EventKind.ARREST) if one.date > arrest.date)
    until = min((*after, *next_arrest), default=date.max)
    hearings = [
        one
        for one in (*case.of_kind(EventKind.TRIAL), *case.of_kind(EventKind.APPEAL_TRIAL))
        if one.date.last_day >= arrest.date.first_day and one.date.first_day <= until
    ]
    further = [one for one in hearings if one.additional]
    held = [_in_force([one for one in hearings if not one.additional]), *([_in_force(further)] if further else [])]
    return tuple(one for one in held if one) if all(held) else ()


def _in_force(hearings: Sequence[Event]) -> Event | None:
    """None where two trials stand side by side: then no single sentence is the sentence."""
    trials = [one for one in hearings if one.kind is EventKind.TRIAL]
    if len(trials) != 1 or trials[0].sentence is None:
        return None
    appeals = [one for one in hearings if one.kind is EventKind.APPEAL_TRIAL and one.date > trials[0].date]
    if any(one.sentence is None for one in appeals):
        return None
    last = max(appeals, key=lambda one: one.date, default=trials[0])
    return trials[0] if compared(trials[0].sentence, last.sentence) is Result.UPHELD else last


def prison_months(held: Sequence[Event]) -> int:
    """Of all these judgments; 0 where one is for life or not known."""
    terms = [one.sentence.prison_months or 0 for one in held if one.sentence and not one.sentence.life]
    return sum(terms) if len(terms) == len(held) and all(terms) else 0


def term_end(arrest: Event, held: Sequence[Event]) -> date | None:
    """The day on which the whole term is served, counted from the arrest."""
    start, months = arrest.date.exact, prison_months(held)
    if start is None or not months or any(one.in_absentia for one in held):
        return None
    year, months_before = divmod(start.year * _YEAR_MONTHS + start.month - 1 + months, _YEAR_MONTHS)
    month = months_before + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def is_final(case: Case, held: Sequence[Event]) -> bool:
    """A sentence without its appeal on file may have been cut unseen."""
    appeals = case.of_kind(EventKind.APPEAL_TRIAL)
    last = {additional: [one.date for one in appeals if one.additional == additional] for additional in (False, True)}
    return all(one in appeals or any(when > one.date for when in last[one.additional]) for one in held)
