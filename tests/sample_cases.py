"""Cases of nobody: builders that need only the relevant fact, and cases drawn by Hypothesis."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import strategies as st

from bot.domain.case import Address, Case, Confirmation, Consent, Event, EventKind, PartialDate, Sentence, Status, Term
from bot.domain.reader import UNSEEN

SOURCE = "https://example.org/page"


def an_event(kind: EventKind = EventKind.ARREST, on: str = "2020-10-07", **facts: object) -> Event:
    known: dict[str, Any] = {"key": f"{kind}-{on}", "sources": (SOURCE,)} | facts
    return Event(kind=kind, date=PartialDate.parse(on), **known)


def a_case(*events: Event, status: Status = Status.IMPRISONED, as_of: str = "2026-11-01", **facts: object) -> Case:
    known: dict[str, Any] = {"slug": "nguyen-van-a", "name_vi": "Nguyễn Văn A", "name_en": "Nguyen Van A"} | facts
    confirmation = Confirmation(PartialDate.parse(as_of), (SOURCE,))
    return Case(status=status, confirmation=confirmation, events=events, **known)


@st.composite
def partial_dates(draw: st.DrawFn, first: date = date(2008, 1, 1), last: date = date(2026, 11, 20)) -> PartialDate:
    day = draw(st.dates(first, last))
    precision = draw(st.sampled_from((3, 3, 3, 2, 1)))
    return PartialDate(*(day.year, day.month, day.day)[:precision])


_SENTENCES = (None, Sentence(), Sentence(60), Sentence(96, 36), Sentence(life=True))
_KINDS = (*EventKind, EventKind.ARREST, EventKind.TRIAL, EventKind.APPEAL_TRIAL, EventKind.TRIAL)
_STATUSES = (*Status, Status.IMPRISONED, Status.AWAITING_TRIAL, Status.EXILED)
_CONSENTS = (*Consent, Consent.GIVEN, Consent.UNKNOWN)
_COURTS, _JOINTS = ("", "Court A", "Court B"), ("", "", "hearing-a", "hearing-b")
_CAMPAIGNS: tuple[tuple[str, ...], ...] = ((), ("second",), ("gone", "first"))


def _picked(number: int, *options: Sequence[Any]) -> list[Any]:
    """One drawn number decides everything: forty draws a case would make these tests slow."""
    number = number * 2_654_435_761 % 2**32  # small numbers are drawn most, and must not all pick the first
    picks = []
    for some in options:
        number, place = divmod(number, len(some))
        picks.append(some[place])
    return picks


@st.composite
def some_cases(draw: st.DrawFn, most: int = 4) -> tuple[Case, ...]:
    """Several people whose events share days, courts and hearings more often than chance would."""
    days = draw(st.lists(partial_dates(), min_size=2, max_size=4))
    numbers = st.lists(st.integers(0, 99_999), max_size=5)
    return tuple(_case_of(number, drawn, days) for number, drawn in enumerate(draw(st.lists(numbers, max_size=most))))


def _case_of(number: int, drawn: list[int], days: Sequence[PartialDate]) -> Case:
    about, *rest = drawn or [0]
    status, consent, campaigns, as_of, end = _picked(
        about, _STATUSES, _CONSENTS, _CAMPAIGNS, ("2026", "2026-09", "2026-10-15"), (None, None, None, *days)
    )
    events = []
    for place, one in enumerate(rest):
        kind, day, court, joint, sentence, alone = _picked(
            one, _KINDS, days, _COURTS, _JOINTS, _SENTENCES, (False, False, True)
        )
        facts = {"key": f"event-{place}", "court": court, "joint": joint, "sentence": sentence, "heard_alone": alone}
        events.append(an_event(kind, str(day), **facts))
    term = Term(end, "computed") if end else None
    known = {"slug": f"nguyen-van-{'abcdefgh'[number]}", "consent": consent, "campaigns": campaigns, "term": term}
    return a_case(*events, status=status, as_of=as_of, **known)


def _seen(text: str) -> str:
    """What is invisible is refused, and tested apart."""
    return "".join(letter for letter in text if letter == "\r" or not UNSEEN.match(letter))


# What people and their spreadsheets really put into a cell, beside everything else that Unicode holds.
hostile_text = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="aAđê\u0301\u0323\u031b=+-@'\"\\,;\t\n\r #[]{}\x7f“”", max_size=12),
    st.sampled_from(("=1+1", "'quoted'", "''", '"', 'a"b', "a\r\nb", "Nguye\u0302\u0303n", "\\u0041", "-", "@x")),
).map(_seen)


_texts = st.lists(hostile_text, max_size=3)
_sources = _texts.map(lambda values: [f"{SOURCE} {value}" for value in values])
_plain_events = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([kind.value for kind in EventKind]),
        "date": partial_dates().map(str),
        "sources": _sources.map(lambda values: [*values, SOURCE]),
    },
    optional={
        "partial_sources": _sources,
        "alt_dates": st.lists(partial_dates().map(str), max_size=2),
        "charge": hostile_text,
        "court": hostile_text,
        "sentence": st.fixed_dictionaries({}, optional={"prison_months": st.integers(0, 1200), "life": st.booleans()}),
        "in_absentia": st.booleans(),
        "joint_defendants": st.integers(1, 1000),
        "note": hostile_text,
    },
)
_plain_cases = st.fixed_dictionaries(
    {
        "slug": st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)?", fullmatch=True),
        "name_vi": hostile_text.map(lambda value: "Nguyễn " + value),
        "name_en": hostile_text.map(lambda value: "Nguyen " + value),
        "status": st.sampled_from([status.value for status in Status]),
        "status_as_of": partial_dates().map(str),
        "event": st.lists(_plain_events, max_size=3),
    },
    optional={
        "also_known_as": _texts,
        "consent": st.sampled_from([consent.value for consent in Consent]),
        "address": st.sampled_from([address.value for address in Address]),
        "custody_unbroken": st.booleans(),
        "note": hostile_text,
        "note_vi": hostile_text,
        "term_end": partial_dates().map(str),
    },
)


def plain_cases() -> st.SearchStrategy[dict[str, Any]]:
    """One case as TOML has it, with hostile text wherever text is free."""
    return _plain_cases.map(lambda plain: plain | {"term_end_basis": "computed"})
