"""Facts: forms that change what is known of a person; what a change does to posts is shown before it is kept."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from flask import request

from bot.domain.case import Address, Case, Consent, Event, EventKind, unmarked
from bot.domain.errors import Conflict, Finding, NotFound, Rejected
from bot.domain.facts import FACTS, Plain, case_from_plain, case_to_plain, event_from_plain, event_to_plain
from bot.domain.people import Duty
from bot.domain.phrases import capital
from bot.domain.post import canonical, sha256
from bot.domain.revisions import UNSOURCED, require_source
from bot.domain.sources import require_checkable
from bot.i18n import _, filled, word
from bot.services import cases, register
from bot.services.cases import Preview
from bot.web.cases import campaign_names, statuses
from bot.web.frame import Amiss, Answer, Pages, Problem, Visit, page, see_other
from bot.web.gate import kept

pages = Pages("facts")
SURE, BACK = "sure", "back"
LISTS = frozenset({"also_known_as", "status_sources", "sources", "partial_sources", "alt_dates"})
KNOWN_OR_NOT = frozenset({"custody_unbroken", "all_defendants_listed"})
FLAGS = frozenset({"additional", "in_absentia", "in_custody", "life"})
SENTENCE = ("prison_months", "probation_months", "life")
# What is asked of an event; whether people were tried together is a question of its own.
EVENT_FIELDS = (
    "kind", "date", "sources", "province", "court", "charge", "destination", "alt_dates", "partial_sources",
    "additional", "in_absentia", "in_custody", "note_vi", "note",
)  # fmt: skip
_DIGITS = 9


def typed_plain(visit: Visit, keys: Collection[str]) -> Plain:
    """The fields as a file would have them; whatever cannot be read stays as typed, and the reader says so."""
    plain: Plain = {key: _typed(visit, key) for key in keys}
    return {key: value for key, value in plain.items() if value not in (None, "", [])}


def _typed(visit: Visit, key: str) -> object:
    text = visit.typed(key)
    if key == "campaigns":
        return list(visit.ticked(key))
    if key in LISTS:
        return lines(text)
    if key in KNOWN_OR_NOT:
        return {"yes": True, "no": False}.get(text)
    if key in FLAGS:
        return True if visit.ticked(key) else None
    is_number = key in SENTENCE and text.isascii() and text.isdecimal() and len(text) < _DIGITS
    return int(text) if is_number else text


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@contextmanager
def beside(fields: Collection[str], renamed: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """What a reader finds wrong is said beside the field it is about; `renamed` are the fields of an event."""
    try:
        yield
    except Rejected as error:
        raise Amiss([_problem(finding, fields, renamed) for finding in error.findings]) from error


def _problem(finding: Finding, fields: Collection[str], renamed: Mapping[str, str]) -> Problem:
    key = finding.where.rpartition(": ")[2]
    name = renamed.get(key, key)
    parts = [_(part) for part in (finding.problem, finding.remedy) if part]
    words = " ".join(parts).format_map(finding.fields) if finding.fields else " ".join(parts)
    known = name in fields or name in renamed.values()
    return Problem(name, words) if known else Problem("", f"{word(key, 'field')}: {words}")


# Facts


@pages.show("/cases/<slug>/edit", may=Duty.EDIT_CASE)
def edit_page(visit: Visit, slug: str) -> Answer:
    case = _case(visit, slug)
    return page(
        "cases/edit.html",
        case=case,
        plain=case_to_plain(case),
        facts=_chosen(visit),
        keys=FACTS,
        campaigns=campaign_names(visit),
        statuses=statuses(),
        consents=[(each.value, capital(word(each, "consent"))) for each in Consent],
        addresses=[(each.value, each.value) for each in Address if each],
    )


def _case(visit: Visit, slug: str) -> Case:
    case = cases.get_case(visit.ctx, slug)
    visit.here = visit.ctx.schedules.scope_of(case)
    return case


def _chosen(visit: Visit) -> tuple[str, ...]:
    """One fact, or all of them."""
    return (visit.asked("fact"),) if visit.asked("fact") in FACTS else tuple(FACTS)


@pages.act("/cases/<slug>/edit", may=Duty.EDIT_CASE, again=edit_page)
def edit(visit: Visit, slug: str) -> Answer:
    if visit.typed(BACK):
        return edit_page(visit, slug)
    before = cases.get_case(visit.ctx, slug)
    keys = [key for fact in _chosen(visit) for key in FACTS[fact]]
    rest = {key: value for key, value in case_to_plain(before).items() if key not in keys}
    with beside(keys):
        after = case_from_plain(rest | typed_plain(visit, keys))
        return settled(visit, before, after, visit.typed("source"))


def settled(visit: Visit, before: Case, after: Case, source: str, field: str = "source") -> Answer:
    """Asks first, with the exact values in the form, and keeps what was shown; shows it anew if that has changed."""
    foreseen = cases.preview_change(visit.ctx, before.slug, after)
    path = f"/cases/{before.slug}"
    if not foreseen.facts:
        return see_other(path, "Nothing to change.", kind="info")
    _require_as_read(visit, before, foreseen.facts)
    with visit.about(field):
        said = require_source(foreseen.facts, source)
        if not UNSOURCED.issuperset(foreseen.facts):
            require_checkable(said)
    if visit.typed(SURE) != mark_of(foreseen):
        return ask(visit, before, after, foreseen, said)
    done = cases.change_case(visit.ctx, visit.person, before.slug, after, said)
    return see_other(path, "Saved. {posts}", posts=_affected(done.affected))


def ask(visit: Visit, before: Case, after: Case, foreseen: Preview, source: str) -> str:
    return page(
        "cases/sure.html",
        before=before,
        after=after,
        foreseen=foreseen,
        source_said=source,
        mark=mark_of(foreseen),
        campaigns=dict(campaign_names(visit)),
        action=request.full_path.rstrip("?"),
        hidden=[(name, value) for name, value in kept() if name not in {SURE, BACK}],
        changed_since=bool(visit.typed(SURE)),
    )


def mark_of(foreseen: Preview) -> str:
    """Of exactly these changes and what comes of them."""
    fates = [[fate.post.id, fate.post.revision, fate.voided, fate.becomes or ""] for fate in foreseen.fates]
    return sha256(canonical({"facts": list(foreseen.facts), "posts": fates}))[:16]


def _require_as_read(visit: Visit, before: Case, facts: Collection[str]) -> None:
    for fact in facts:
        seen = visit.typed(f"seen-{fact}")
        if seen and seen != str(before.revisions.get(fact, 0)):
            raise Conflict("Somebody changed this while you were writing. See what is on file now, and send it again.")


def _affected(posts: Sequence[int]) -> str:
    if not posts:
        return filled("No post rested on it.", {})
    return filled("Posts that must be looked at again: {posts}.", {"posts": ", ".join(map(str, posts))})


# Events


@pages.show("/cases/<slug>/events/new", may=Duty.EDIT_CASE)
def new_event_page(visit: Visit, slug: str) -> Answer:
    return _event_page(visit, _case(visit, slug), None)


@pages.show("/cases/<slug>/events/<key>", may=Duty.EDIT_CASE)
def event_page(visit: Visit, slug: str, key: str) -> Answer:
    case = _case(visit, slug)
    return _event_page(visit, case, _event(case, key))


def _event(case: Case, key: str) -> Event:
    if (event := case.event(key)) is None:
        raise NotFound("There is no event “{key}” in this case.", key=key[:60])
    return event


def _event_page(visit: Visit, case: Case, event: Event | None) -> str:
    plain = event_to_plain(event) if event else {}
    return page(
        "cases/event.html",
        case=case,
        event=event,
        plain=plain | plain.get("sentence", {}),
        kinds=[(each.value, capital(word(each, "event"))) for each in EventKind],
        places=visit.ctx.schedules.places,
    )


def _typed_event(visit: Visit, before: Event | None, taken: set[str]) -> Event:
    """What the form does not ask stays, and so does what kind of event it is."""
    asked = EVENT_FIELDS[before is not None :]
    old = event_to_plain(before) if before else {}
    rest = {key: value for key, value in old.items() if key not in {*asked, "sentence"}}
    sentence = typed_plain(visit, SENTENCE)
    plain = rest | typed_plain(visit, asked) | ({"sentence": sentence} if sentence else {})
    event, findings = event_from_plain(plain, file="", where="", taken=taken)
    if findings:
        raise Rejected(findings)
    return event


@pages.act("/cases/<slug>/events/new", may=Duty.EDIT_CASE, again=new_event_page)
def add_event(visit: Visit, slug: str) -> Answer:
    if visit.typed(BACK):
        return new_event_page(visit, slug)
    case = cases.get_case(visit.ctx, slug)
    with beside((*EVENT_FIELDS, *SENTENCE)):
        event = _typed_event(visit, None, {each.key for each in case.events})
        after = replace(case, events=(*case.events, event))
        foreseen = cases.preview_change(visit.ctx, slug, after)
        if foreseen.fates and visit.typed(SURE) != mark_of(foreseen):
            return ask(visit, case, after, foreseen, "\n".join(event.sources))
        done = cases.add_event(visit.ctx, visit.person, slug, event)
    return see_other(f"/cases/{slug}", "Added. {posts}", posts=_affected(done.affected))


@pages.act("/cases/<slug>/events/<key>", may=Duty.EDIT_CASE, again=event_page)
def edit_event(visit: Visit, slug: str, key: str) -> Answer:
    if visit.typed(BACK):
        return event_page(visit, slug, key)
    case = cases.get_case(visit.ctx, slug)
    old = _event(case, key)
    with beside((*EVENT_FIELDS, *SENTENCE)):
        new = _typed_event(visit, old, set())
        after = replace(case, events=tuple(new if each.key == key else each for each in case.events))
        added = [each for each in new.sources if each not in old.sources] or list(new.sources[:1])
        return settled(visit, case, after, "\n".join(added), "sources")


@pages.act("/cases/<slug>/events/<key>/remove", may=Duty.EDIT_CASE, again=event_page)
def remove_event(visit: Visit, slug: str, key: str) -> Answer:
    """What turned out not to be so; why is told by the source."""
    if visit.typed(BACK):
        return event_page(visit, slug, key)
    case = cases.get_case(visit.ctx, slug)
    gone = _event(case, key)
    after = replace(case, events=tuple(each for each in case.events if each is not gone))
    return settled(visit, case, after, visit.typed("why"), "why")


# A new case

_NEW = ("name_vi", "name_en", "slug", "status", "status_as_of", "status_sources", "occupation_vi", "occupation_en")
_ARREST = {"date": "arrest_date", "province": "arrest_province", "charge": "arrest_charge"}


@pages.show("/cases/new", may=Duty.EDIT_CASE)
def new_case_page(visit: Visit) -> Answer:
    names = (visit.typed("name_vi"), visit.typed("name_en"))
    return page(
        "cases/new.html",
        statuses=statuses(),
        places=visit.ctx.schedules.places,
        namesakes=register.like(visit.ctx, *names) if any(names) else (),
    )


@pages.act("/cases/new", may=Duty.EDIT_CASE, again=new_case_page)
def add_case(visit: Visit) -> Answer:
    plain = typed_plain(visit, _NEW)
    plain.setdefault("name_en", unmarked(plain.get("name_vi", "")))
    if register.like(visit.ctx, plain.get("name_vi", ""), plain["name_en"]) and not visit.ticked("namesake"):
        raise Amiss([Problem("namesake", _("Somebody of this name is here already. Is this another person?"))])
    plain["slug"] = plain.get("slug") or cases.free_slug(visit.ctx, plain["name_en"])
    sources = plain.get("status_sources", [])
    if not sources:
        raise Amiss([Problem("status_sources", _("No source, no fact: add the address of a page that states it."))])
    arrest = {key: text for key, name in _ARREST.items() if (text := visit.typed(name))}
    plain["event"] = [{"kind": EventKind.ARREST.value, "sources": sources, **arrest}] if arrest else []
    with beside(_NEW, _ARREST):
        case = case_from_plain(plain)
        cases.add_case(visit.ctx, visit.person, case, source="\n".join(sources))
    return see_other(f"/cases/{case.slug}", "Added. Check what is on file, and add what else happened.")
