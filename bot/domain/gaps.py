"""What is not on file about a person, or not decided, though their posts would need it."""

from enum import StrEnum

from bot.domain.case import HELD, Case, EventKind


class Gap(StrEnum):
    DATE = "date"
    ARREST = "arrest"
    SOURCE = "source"
    ADDRESS = "address"
    DISPUTE = "dispute"


def gaps(case: Case) -> frozenset[Gap]:
    """Only a day that a source gives is marked; without a form of address the wording does without one."""
    exact = [event for event in case.events if event.date.exact and event.sources]
    found = {
        Gap.DATE: case.status in HELD and not exact,
        Gap.ARREST: not any(event.kind is EventKind.ARREST for event in exact),
        Gap.SOURCE: not case.confirmation.sources,
        Gap.ADDRESS: not case.address,
        Gap.DISPUTE: case.is_disputed,
    }
    return frozenset(gap for gap, missing in found.items() if missing)
