"""A case as plain values (the shape of TOML and of the database) and as facts that are revised one by one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any

from bot.domain.case import (
    Address,
    Case,
    Confirmation,
    Consent,
    Event,
    EventKind,
    PartialDate,
    Sentence,
    Status,
    Term,
    event_key,
)
from bot.domain.errors import Finding, Rejected
from bot.domain.reader import Reader
from bot.domain.sources import checkable

Plain = dict[str, Any]
MAX_MONTHS = 1_200
MAX_DEFENDANTS = 1_000
EVENT_KEY = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*\Z")

EVENT_FACT = "event:"
FACTS: Mapping[str, tuple[str, ...]] = {
    "identity": ("name_vi", "name_en", "also_known_as", "gender"),
    "occupation": ("occupation_vi", "occupation_en"),
    "address": ("address", "title_vi", "short_vi"),
    "status": ("status", "last_known_status"),
    "confirmation": ("status_as_of", "status_sources"),
    "term": ("term_end", "term_end_basis", "term_end_source"),
    "campaigns": ("campaigns",),
    "consent": ("consent",),
    "custody": ("custody_unbroken", "all_defendants_listed"),
    "note": ("note", "note_vi", "tag"),
}
CASE_KEYS = ("slug", *(key for keys in FACTS.values() for key in keys), "event")
EVENT_KEYS = tuple(field.name for field in fields(Event))
SENTENCE_KEYS = tuple(field.name for field in fields(Sentence))
_CASE_FIELDS = frozenset(field.name for field in fields(Case))
_ALWAYS = frozenset({"slug", "name_vi", "name_en", "status", "status_as_of"})


def event_to_plain(event: Event) -> Plain:
    """Only what differs from the default, in the order of the file."""
    said = {field: getattr(event, field.name) for field in fields(event)}
    return {
        field.name: _plain_value(value)
        for field, value in said.items()
        if field.default is MISSING or value != field.default
    }


def _plain_value(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, Sentence):
        return {key: part for key in SENTENCE_KEYS if (part := getattr(value, key)) is not None and part is not False}
    if isinstance(value, StrEnum):
        return value.value
    return str(value) if isinstance(value, PartialDate) else value


def case_to_plain(case: Case) -> Plain:
    """Loses nothing but `id` and `revisions`, which belong to one database."""
    term = case.term
    said = {
        **{key: getattr(case, key) for key in CASE_KEYS if key in _CASE_FIELDS},
        "status_as_of": case.confirmation.as_of,
        "status_sources": case.confirmation.sources,
        **({"term_end": term.end, "term_end_basis": term.basis, "term_end_source": term.source} if term else {}),
    }
    plain = {key: _plain_value(said[key]) for key in CASE_KEYS if key in said}
    kept = {key: value for key, value in plain.items() if key in _ALWAYS or value not in ("", [], None)}
    return {**kept, "event": [event_to_plain(event) for event in case.events]}


def facts_of(case: Case) -> dict[str, Plain]:
    """Each fact's plain value by its key; two cases state the same fact when these are equal."""
    plain = case_to_plain(case)
    facts = {name: {key: plain[key] for key in keys if key in plain} for name, keys in FACTS.items()}
    return facts | {EVENT_FACT + event.key: event_to_plain(event) for event in case.events}


_UNREAD = PartialDate(1900)
_NO_SOURCE = "No source, no fact: add the address of a page that states it."


def _read_sentence(reader: Reader) -> Sentence | None:
    part = reader.table("sentence", SENTENCE_KEYS)
    if part is None:
        return None
    prison = part.number("prison_months", most=MAX_MONTHS)
    probation = part.number("probation_months", most=MAX_MONTHS)
    sentence = Sentence(prison, probation, life=bool(part.flag("life")))
    return None if sentence == Sentence() else sentence


def event_from_plain(
    plain: Mapping[str, Any], *, file: str, where: str, taken: set[str]
) -> tuple[Event, list[Finding]]:
    """`taken` holds the keys already used in the case, and gains this event's key."""
    reader = Reader(plain, EVENT_KEYS, file=file, where=where)
    return _read_event(reader, taken), reader.findings


def _read_event(reader: Reader, taken: set[str]) -> Event:
    kind = reader.choice("kind", EventKind, EventKind.ARREST, required=True)
    when = reader.parsed("date", PartialDate.parse, required=True) or _UNREAD
    key = reader.name("key", EVENT_KEY) or event_key(kind, when, taken)
    if key in taken:
        reader.report("key", "“{event}” names two events of this case.", "Give each its own key.", event=key)
    taken.add(key)
    return Event(
        key=key,
        kind=kind,
        date=when,
        sources=reader.parsed_list("sources", checkable, required=_NO_SOURCE),
        partial_sources=reader.parsed_list("partial_sources", checkable),
        joint_sources=reader.parsed_list("joint_sources", checkable),
        alt_dates=reader.parsed_list("alt_dates", PartialDate.parse),
        sentence=_read_sentence(reader),
        joint=reader.name("joint"),
        joint_defendants=reader.number("joint_defendants", least=1, most=MAX_DEFENDANTS),
        **reader.simple(Event, but=("key", "joint", "sources", "partial_sources", "joint_sources")),
    )


def _read_events(reader: Reader, places: Sequence[str]) -> tuple[Event, ...]:
    """Events that bring their key come first, so that a key made up for another cannot collide with it."""
    tables = list(reader.tables("event", EVENT_KEYS, named="key"))
    for table, place in zip(tables, places, strict=False):
        table.where = place
    taken: set[str] = set()
    read = {
        id(table): _read_event(table, taken) for table in sorted(tables, key=lambda table: "key" not in table.plain)
    }
    return tuple(read[id(table)] for table in tables)


def _read_term(reader: Reader) -> Term | None:
    end = reader.parsed("term_end", PartialDate.parse)
    basis, source = reader.text("term_end_basis"), reader.parsed("term_end_source", checkable) or ""
    if end is None:
        return None
    if basis not in {"source", "computed"}:
        reader.report("term_end_basis", "must be “source” or “computed”.", "Say how the end of the term is known.")
    return Term(end, basis, source)


def case_from_plain(plain: Mapping[str, Any], *, file: str = "", where: str = "") -> Case:
    """Raises Rejected with every finding at once."""
    reader = Reader(plain, CASE_KEYS, file=file, where=where or str(plain.get("slug", "?"))[:60])
    case = read_case(reader)
    if reader.findings:
        raise Rejected(reader.findings)
    return case


def read_case(reader: Reader, event_places: Sequence[str] = ()) -> Case:
    """Not to be used if the reader gained findings. `event_places` says where each event stands."""
    return Case(
        slug=reader.name("slug", required=True),
        status=reader.choice("status", Status, Status.UNKNOWN, required=True),
        last_known_status=reader.choice("last_known_status", Status),
        confirmation=Confirmation(
            reader.parsed("status_as_of", PartialDate.parse, required=True) or _UNREAD,
            reader.parsed_list("status_sources", checkable),
        ),
        term=_read_term(reader),
        consent=reader.choice("consent", Consent, Consent.UNKNOWN),
        address=reader.choice("address", Address, Address.NONE),
        events=_read_events(reader, event_places),
        **reader.simple(Case, but=("slug",)),
    )
