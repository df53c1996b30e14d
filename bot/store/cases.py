"""Cases as they are now, each as one document, and every revision of every fact with its source and author."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

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
    fold,
)
from bot.domain.errors import BadInput, NotFound, Tampered
from bot.domain.facts import Plain, case_to_plain, facts_of
from bot.domain.post import canonical
from bot.store.rows import batches, value
from bot.store.tables import cases, fact_revisions, people


@dataclass(frozen=True, slots=True)
class FactRevision:
    """What a fact said from `at` on; an empty value where it was taken out. `author` is a pseudonym, or ""."""

    fact: str
    revision: int
    value: Plain
    source: str
    author: str
    at: datetime


def add(tx: Connection, new: Sequence[Case], source: str, author_id: int | None, at: datetime) -> tuple[Case, ...]:
    """Every fact of a new case is at its first revision, the unsaid ones too: saying them later is a change."""
    if not new:
        return ()
    rows = [{**_columns(case), "slug": case.slug, "added_at": at} for case in new]
    ids = {row.slug: row.id for row in tx.execute(insert(cases).returning(cases.c.slug, cases.c.id), rows)}
    added = tuple(replace(case, id=ids[case.slug]) for case in new)
    _add_revisions(tx, [(case, case.revisions) for case in added], source, author_id, at)
    return added


def save(
    tx: Connection, case: Case, facts: Collection[str], *, source: str, author_id: int | None, at: datetime
) -> None:
    """The case as it is from now on; `case.revisions` holds the new number of each of the changed `facts`."""
    tx.execute(update(cases).where(cases.c.id == case.id).values(**_columns(case)))
    _add_revisions(tx, [(case, facts)], source, author_id, at)


def _columns(case: Case) -> dict[str, str]:
    names = (case.name_vi, case.name_en, *case.also_known_as, case.slug, case.slug.replace("-", " "))
    return {
        "document": canonical(case_to_plain(case)),
        "revisions": canonical(dict(case.revisions)),
        "folded": fold(" ".join(names)),
        "status": case.status.value,
    }


def _add_revisions(
    tx: Connection, changed: Iterable[tuple[Case, Collection[str]]], source: str, author_id: int | None, at: datetime
) -> None:
    said = {"source": source, "author_id": author_id, "at": at}
    rows = [
        {"case_id": case.id, "fact": fact, "revision": case.revisions[fact], "value": canonical(values.get(fact, {}))}
        for case, facts in changed
        for values in (facts_of(case),)
        for fact in facts
    ]
    tx.execute(insert(fact_revisions), [row | said for row in rows])


def history(tx: Connection, case_id: int) -> tuple[FactRevision, ...]:
    """Oldest first."""
    of = fact_revisions.c
    query = select(fact_revisions, people.c.pseudonym).outerjoin_from(
        fact_revisions, people, of.author_id == people.c.id
    )
    rows = tx.execute(query.where(of.case_id == case_id).order_by(of.at, of.fact, of.revision))
    return tuple(value(FactRevision, row, value=json.loads(row.value), author=row.pseudonym or "") for row in rows)


def get(tx: Connection, slug: str) -> Case:
    """Raises NotFound, with a name like it where there is one."""
    found = by_slug(tx, [slug]) if slug.isprintable() else {}
    if slug not in found:
        known = tx.execute(select(cases.c.slug)).scalars().all()
        if meant := get_close_matches(slug[:60], known, 1):
            raise NotFound("There is no case “{slug}”. Did you mean “{meant}”?", slug=slug[:60], meant=meant[0])
        raise NotFound("There is no case “{slug}”.", slug=slug[:60], command="case list")
    return found[slug]


def by_slug(tx: Connection, slugs: Iterable[str]) -> dict[str, Case]:
    """Those there are."""
    queries = (select(cases).where(cases.c.slug.in_(some)) for some in batches(slugs))
    return {case.slug: case for query in queries for case in _all(tx, query)}


def by_ids(tx: Connection, ids: Iterable[int]) -> tuple[Case, ...]:
    """Those there are."""
    queries = (select(cases).where(cases.c.id.in_(some)) for some in batches(ids))
    return tuple(case for query in queries for case in _all(tx, query))


def everyone(tx: Connection) -> tuple[Case, ...]:
    """Every case, by slug."""
    return _all(tx, select(cases).order_by(cases.c.slug))


def find(tx: Connection, words: Iterable[str], status: Status | None = None) -> tuple[Case, ...]:
    """Cases in whose names, other names and slug each of the folded words stands."""
    query = select(cases)
    for word in words:
        query = query.where(cases.c.folded.contains(word, autoescape=True))
    return _all(tx, query.where(cases.c.status == status) if status else query)


def _all(tx: Connection, query: Select[Any]) -> tuple[Case, ...]:
    return tuple(_value(row) for row in tx.execute(query))


def _value(row: Row[Any]) -> Case:
    try:
        return _case(json.loads(row.document), row.id, json.loads(row.revisions))
    except (AttributeError, BadInput, LookupError, TypeError, ValueError) as error:
        raise Tampered("Case {id} in the database is not as written. Restore a backup.", id=row.id) from error


# What was checked when it was written is only put together here: ten thousand cases load in a second.

_Readers = Mapping[str, Callable[[Any], object]]
_date = lru_cache(maxsize=65_536)(PartialDate.parse)
_status = {status.value: status for status in Status}.__getitem__
_EVENT_VALUES: _Readers = {
    "kind": {kind.value: kind for kind in EventKind}.__getitem__,
    "date": _date,
    "alt_dates": lambda texts: tuple(_date(text) for text in texts),
    "sources": tuple,
    "partial_sources": tuple,
    "joint_sources": tuple,
    "sentence": lambda plain: Sentence(**plain),
}
_CASE_VALUES: _Readers = {
    "status": _status,
    "last_known_status": _status,
    "consent": {consent.value: consent for consent in Consent}.__getitem__,
    "address": {address.value: address for address in Address}.__getitem__,
    "campaigns": tuple,
    "also_known_as": tuple,
}


def _read(plain: Plain, readers: _Readers) -> Plain:
    for key, read in readers.items():
        if key in plain:
            plain[key] = read(plain[key])
    return plain


def _case(plain: Plain, case_id: int, revisions: Mapping[str, int]) -> Case:
    take = plain.pop
    events = tuple(Event(**_read(event, _EVENT_VALUES)) for event in take("event"))
    confirmation = Confirmation(_date(take("status_as_of")), tuple(take("status_sources", ())))
    end, basis, source = take("term_end", ""), take("term_end_basis", ""), take("term_end_source", "")
    return Case(
        **_read(plain, _CASE_VALUES),
        events=events,
        confirmation=confirmation,
        term=Term(_date(end), basis, source) if end else None,
        id=case_id,
        revisions=revisions,
    )
