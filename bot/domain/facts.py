"""A case as plain values (the shape of TOML and of the database) and as facts that are revised one by one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any

from bot.domain.case import (
    SLUG,
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
    fold,
)
from bot.domain.errors import Finding, Rejected
from bot.domain.reader import Reader

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


def event_to_plain(event: Event) -> Plain:
    """Only what differs from the default, in the order of the file."""
    plain: Plain = {}
    for field in fields(event):
        value = getattr(event, field.name)
        default = () if field.default is MISSING else field.default
        if field.name in {"key", "kind", "date", "sources"} or value != default:
            plain[field.name] = _plain_value(value)
    return plain


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
    plain: Plain = {
        "slug": case.slug,
        "name_vi": case.name_vi,
        "name_en": case.name_en,
        "also_known_as": list(case.also_known_as),
        "gender": case.gender,
        "occupation_vi": case.occupation_vi,
        "occupation_en": case.occupation_en,
        "address": case.address.value,
        "title_vi": case.title_vi,
        "short_vi": case.short_vi,
        "status": case.status.value,
        "last_known_status": case.last_known_status.value if case.last_known_status else "",
        "status_as_of": str(case.confirmation.as_of),
        "status_sources": list(case.confirmation.sources),
        "term_end": str(case.term.end) if case.term else "",
        "term_end_basis": case.term.basis if case.term else "",
        "term_end_source": case.term.source if case.term else "",
        "campaigns": list(case.campaigns),
        "consent": case.consent.value,
        "custody_unbroken": case.custody_unbroken,
        "all_defendants_listed": case.all_defendants_listed,
        "note": case.note,
        "note_vi": case.note_vi,
        "tag": case.tag,
        "event": [event_to_plain(event) for event in case.events],
    }
    required = {"slug", "name_vi", "name_en", "status", "status_as_of", "event"}
    return {key: value for key, value in plain.items() if key in required or value not in ("", [], None)}


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


def _read_name(reader: Reader, key: str, shape: re.Pattern[str], *, required: bool = False) -> str:
    name = reader.text(key, required=required)
    if name and not shape.match(name):
        problem, remedy = "“{name}” may hold only a–z, 0–9 and single hyphens.", "Try “{slug}”."
        reader.report(key, problem, remedy, name=name[:40], slug=_slug(name))
    return name


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:60] or "nguyen-van-a"


def event_from_plain(
    plain: Mapping[str, Any], *, file: str, where: str, taken: set[str]
) -> tuple[Event, list[Finding]]:
    """`taken` holds the keys already used in the case, and gains this event's key."""
    reader = Reader(plain, EVENT_KEYS, file=file, where=where)
    return _read_event(reader, taken), reader.findings


def _read_event(reader: Reader, taken: set[str]) -> Event:
    kind = reader.choice("kind", EventKind, EventKind.ARREST, required=True)
    when = reader.parsed("date", PartialDate.parse, required=True) or _UNREAD
    key = _read_name(reader, "key", EVENT_KEY) or event_key(kind, when, taken)
    if key in taken:
        reader.report("key", "“{event}” names two events of this case.", "Give each its own key.", event=key)
    taken.add(key)
    return Event(
        key=key,
        kind=kind,
        date=when,
        sources=reader.texts("sources", required=_NO_SOURCE),
        partial_sources=reader.texts("partial_sources"),
        alt_dates=reader.parsed_list("alt_dates", PartialDate.parse),
        charge=reader.text("charge"),
        court=reader.text("court"),
        province=reader.text("province"),
        destination=reader.text("destination"),
        sentence=_read_sentence(reader),
        additional=bool(reader.flag("additional")),
        in_absentia=bool(reader.flag("in_absentia")),
        in_custody=bool(reader.flag("in_custody")),
        joint=_read_name(reader, "joint", SLUG),
        joint_sources=reader.texts("joint_sources"),
        joint_defendants=reader.number("joint_defendants", least=1, most=MAX_DEFENDANTS),
        heard_alone=bool(reader.flag("heard_alone")),
        note=reader.text("note"),
        note_vi=reader.text("note_vi"),
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
    basis, source = reader.text("term_end_basis"), reader.text("term_end_source")
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
        slug=_read_name(reader, "slug", SLUG, required=True),
        name_vi=reader.text("name_vi", required=True),
        name_en=reader.text("name_en", required=True),
        also_known_as=reader.texts("also_known_as"),
        occupation_vi=reader.text("occupation_vi"),
        occupation_en=reader.text("occupation_en"),
        gender=reader.text("gender"),
        status=reader.choice("status", Status, Status.UNKNOWN, required=True),
        last_known_status=reader.choice("last_known_status", Status),
        confirmation=Confirmation(
            reader.parsed("status_as_of", PartialDate.parse, required=True) or _UNREAD, reader.texts("status_sources")
        ),
        term=_read_term(reader),
        campaigns=reader.texts("campaigns"),
        consent=reader.choice("consent", Consent, Consent.UNKNOWN),
        address=reader.choice("address", Address, Address.NONE),
        title_vi=reader.text("title_vi"),
        short_vi=reader.text("short_vi"),
        custody_unbroken=reader.flag("custody_unbroken"),
        all_defendants_listed=reader.flag("all_defendants_listed"),
        tag=reader.text("tag"),
        note=reader.text("note"),
        note_vi=reader.text("note_vi"),
        events=_read_events(reader, event_places),
    )
