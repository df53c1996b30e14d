"""Cases of nobody: builders that need only the relevant fact, and cases drawn by Hypothesis."""

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


sentences = st.builds(Sentence, st.none() | st.integers(0, 240), st.none() | st.integers(0, 60), life=st.booleans())


@st.composite
def some_cases(draw: st.DrawFn, most: int = 4) -> tuple[Case, ...]:
    """Several people whose events share days, courts and hearings more often than chance would."""
    days = draw(st.lists(partial_dates(), min_size=1, max_size=4))
    events = st.builds(
        Event,
        key=st.just(""),
        kind=st.sampled_from(EventKind),
        date=st.sampled_from(days),
        sources=st.just((SOURCE,)),
        court=st.sampled_from(("", "Court A", "Court B")),
        sentence=st.none() | sentences,
        joint=st.sampled_from(("", "", "hearing-a", "hearing-b")),
        heard_alone=st.booleans(),
    )
    cases = []
    for number in range(draw(st.integers(1, most))):
        drawn = draw(st.lists(events, max_size=4))
        keyed = (
            Event(**{name: getattr(event, name) for name in Event.__slots__} | {"key": f"event-{place}"})
            for place, event in enumerate(drawn)
        )
        case = a_case(
            *keyed,
            slug=f"nguyen-van-{'abcdefgh'[number]}",
            status=draw(st.sampled_from(Status)),
            as_of=str(draw(partial_dates(first=date(2026, 1, 1)))),
            consent=draw(st.sampled_from(Consent)),
            campaigns=draw(st.sampled_from(((), ("second",), ("gone", "first")))),
            term=draw(st.none() | st.builds(Term, partial_dates(last=date(2030, 1, 1)), st.just("computed"))),
        )
        cases.append(case)
    return tuple(cases)


def _seen(text: str) -> str:
    """What is invisible is refused, and tested apart."""
    return "".join(letter for letter in text if letter == "\r" or not UNSEEN.match(letter))


# What people and their spreadsheets really put into a cell, beside everything else that Unicode holds.
hostile_text = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="aAđê\u0301\u0323\u031b=+-@'\"\\,;\t\n\r #[]{}\x7f“”", max_size=12),
    st.sampled_from(("=1+1", "'quoted'", "''", '"', 'a"b', "a\r\nb", "Nguye\u0302\u0303n", "\\u0041", "-", "@x")),
).map(_seen)


@st.composite
def plain_cases(draw: st.DrawFn) -> dict[str, Any]:
    """One case as TOML has it, with hostile text wherever text is free."""
    text, texts = hostile_text, st.lists(hostile_text, max_size=3)
    event = st.fixed_dictionaries(
        {
            "kind": st.sampled_from([kind.value for kind in EventKind]),
            "date": partial_dates().map(str),
            "sources": texts.map(lambda values: [*values, SOURCE]),
        },
        optional={
            "partial_sources": texts,
            "alt_dates": st.lists(partial_dates().map(str), max_size=2),
            "charge": text,
            "court": text,
            "sentence": st.fixed_dictionaries(
                {}, optional={"prison_months": st.integers(0, 1200), "life": st.booleans()}
            ),
            "in_absentia": st.booleans(),
            "joint_defendants": st.integers(1, 1000),
            "note": text,
        },
    )
    return draw(
        st.fixed_dictionaries(
            {
                "slug": st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)?", fullmatch=True),
                "name_vi": text.map(lambda value: "Nguyễn " + value),
                "name_en": text.map(lambda value: "Nguyen " + value),
                "status": st.sampled_from([status.value for status in Status]),
                "status_as_of": partial_dates().map(str),
                "event": st.lists(event, max_size=3),
            },
            optional={
                "also_known_as": texts,
                "consent": st.sampled_from([consent.value for consent in Consent]),
                "address": st.sampled_from([address.value for address in Address]),
                "custody_unbroken": st.booleans(),
                "note": text,
                "note_vi": text,
                "term_end": partial_dates().map(str),
            },
        )
    ) | {"term_end_basis": "computed"}
