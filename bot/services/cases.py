"""What is known of people: every changed fact has a source and an author, and takes back what was approved on it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import Case, Confirmation, Event, PartialDate, Status, event_key, fold, vietnamese_key
from bot.domain.errors import BadInput, Conflict, Refused
from bot.domain.facts import FACTS, case_from_plain, case_to_plain
from bot.domain.people import Duty, Person, require
from bot.domain.post import canonical, sha256
from bot.domain.revisions import (
    LONGEST_KEY,
    UNSOURCED,
    at_first_revision,
    in_status,
    is_older,
    merged,
    require_coherent,
    require_source,
    revised,
)
from bot.domain.sources import require_checkable
from bot.services.context import Context
from bot.services.review import Fate, foresee, void_citing
from bot.store import audit, cases
from bot.store.cases import FactRevision

LONGEST_QUERY = 200
LONGEST_SLUG = 80
_sort_key = lru_cache(maxsize=16_384)(vietnamese_key)


@dataclass(frozen=True, slots=True)
class Change:
    """The facts that change, by key, and the posts whose approval that takes back."""

    facts: tuple[str, ...] = ()
    affected: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The facts that would change, by key, and what would become of the posts that rest on them."""

    facts: tuple[str, ...]
    fates: tuple[Fate, ...]

    @property
    def affected(self) -> tuple[int, ...]:
        return tuple(fate.post.id for fate in self.fates)


@dataclass(frozen=True, slots=True)
class Imported:
    """Slugs. `kept` are those whose status here was confirmed later than the file says, and stayed."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    affected: tuple[int, ...]


def get_case(ctx: Context, slug: str) -> Case:
    with ctx.store.read() as tx:
        return cases.get(tx, slug)


def all_cases(ctx: Context) -> tuple[Case, ...]:
    """By slug."""
    with ctx.store.read() as tx:
        return cases.everyone(tx)


def find_cases(
    ctx: Context, query: str = "", *, status: Status | None = None, limit: int | None = None, offset: int = 0
) -> tuple[Case, ...]:
    """Cases with every word of the query in a name or the slug, tone marks and case aside; in Vietnamese order."""
    letters = "".join(letter if letter.isprintable() else " " for letter in query[:LONGEST_QUERY])
    with ctx.store.read() as tx:
        found = cases.find(tx, fold(letters).split(), status)
    ordered = sorted(found, key=lambda case: (_sort_key(case.name_vi), case.slug))
    return tuple(ordered[offset : None if limit is None else offset + limit])


def history(ctx: Context, slug: str) -> tuple[FactRevision, ...]:
    """Every revision of every fact, oldest first; `author` is an alias, or "" for the program."""
    with ctx.store.read() as tx:
        found = cases.history(tx, cases.get(tx, slug).id)
    return tuple(replace(each, author=ctx.keystore.alias(each.author)) for each in found)


def preview_change(ctx: Context, slug: str, changed: Case) -> Preview:
    """What `change_case` would do, done to nothing."""
    with ctx.store.read() as tx:
        after, facts = revised(cases.get(tx, slug), _checked(ctx, changed))
        return Preview(facts, foresee(tx, after, facts))


def change_case(ctx: Context, actor: Person, slug: str, changed: Case, source: str) -> Change:
    """The source stands for every fact that differs. Raises Refused without one where a fact needs it, and for one
    that nobody could check.
    """
    with ctx.acting(actor, Duty.EDIT_CASE) as tx:
        return revise(ctx, tx, actor, cases.get(tx, slug), changed, source)


def revise(
    ctx: Context,
    tx: Connection,
    actor: Person | None,
    before: Case,
    changed: Case,
    source: str,
    act: Act = Act.CASE_FACT_CHANGED,
) -> Change:
    after, facts = revised(before, _checked(ctx, changed))
    if actor:
        for case in (before, after):
            require(actor, Duty.EDIT_CASE, ctx.schedules.scope_of(case))
    if not facts:
        return Change()
    said = require_source(facts, source)
    if act is Act.CASE_FACT_CHANGED and not UNSOURCED.issuperset(facts):
        require_checkable(said)
    cases.save(tx, after, facts, source=said, author_id=actor.id if actor else None, at=ctx.now())
    affected = void_citing(ctx, tx, after, facts)
    _record(ctx, tx, actor, act, after, facts, said)
    if "consent" in facts:
        ctx.record(tx, actor, Act.CASE_CONSENT_CHANGED, f"case:{after.id}", {"consent": after.consent.value})
    return Change(facts, affected)


def _record(
    ctx: Context, tx: Connection, actor: Person | None, act: Act, case: Case, facts: Collection[str], source: str
) -> None:
    """An import of many says only which bytes it left behind: a key to erase by is made for what people typed."""
    told = {"facts": len(facts), "digest": sha256(canonical(case_to_plain(case)))}
    typed = {"slug": case.slug, "source": source, "facts": {fact: case.revisions[fact] for fact in facts}}
    payload = None if act is Act.CASE_IMPORTED else audit.Payload(f"case:{case.id}", typed)
    ctx.record(tx, actor, act, f"case:{case.id}", told, payload)


def _checked(ctx: Context, case: Case) -> Case:
    """Normal and whole. Raises Rejected with all findings, or Refused where the facts contradict each other."""
    case = case_from_plain(case_to_plain(case))
    if too_long := next((key for key in (case.slug, *(e.key for e in case.events)) if len(key) > LONGEST_KEY), None):
        raise BadInput("“{key}…” is too long. The most is {most} letters.", key=too_long[:40], most=LONGEST_KEY)
    for event in case.events:
        if event.date.first_day > ctx.today():
            raise BadInput("{date} has not come yet. What is on file has happened.", date=str(event.date))
    for slug in case.campaigns:
        if not ctx.schedules.campaign(slug):
            known = ", ".join(campaign.slug for campaign in ctx.schedules.campaigns)
            raise BadInput("There is no campaign “{slug}”. There are: {known}.", slug=slug[:60], known=known)
    require_coherent(case)
    return case


def import_cases(ctx: Context, actor: Person | None, new: Sequence[Case], *, source: str) -> Imported:
    """Merge by slug, and events by their key. What a file leaves empty stays as it is here, and so does a status
    that was confirmed later. Nobody imports what is shipped.
    """
    with ctx.acting(actor, Duty.EDIT_CASE) as tx:
        return _import_in(ctx, tx, actor, new, source)


def _import_in(ctx: Context, tx: Connection, actor: Person | None, new: Sequence[Case], source: str) -> Imported:
    author = actor.id if actor else None
    changed: list[str] = []
    kept: list[str] = []
    affected: list[int] = []
    if len({case.slug for case in new}) < len(new):
        raise BadInput("A case stands twice in what is to be imported. Leave one.")
    here = cases.by_slug(tx, [case.slug for case in new])
    for case in new:
        if before := here.get(case.slug):
            change = revise(ctx, tx, actor, before, merged(before, case), source, Act.CASE_IMPORTED)
            affected += change.affected
            changed += [case.slug] if change.facts else []
            kept += [case.slug] if is_older(case, before) else []
    fresh = [at_first_revision(_checked(ctx, case)) for case in new if case.slug not in here]
    if actor:
        for case in fresh:
            require(actor, Duty.EDIT_CASE, ctx.schedules.scope_of(case))
    for case in cases.add(tx, fresh, require_source(FACTS, source), author, ctx.now()):
        act = Act.CASE_IMPORTED if len(new) > 1 or actor is None else Act.CASE_ADDED
        _record(ctx, tx, actor, act, case, case.revisions, source)
    added = tuple(case.slug for case in fresh)
    unchanged = tuple(slug for slug in here if slug not in changed)
    return Imported(added, tuple(changed), unchanged, tuple(kept), tuple(dict.fromkeys(affected)))


def preview_import(ctx: Context, new: Sequence[Case]) -> Imported:
    """What `import_cases` would do, done to nothing. Raises as it does."""
    changed: list[str] = []
    affected: list[int] = []
    with ctx.store.read() as tx:
        here = cases.by_slug(tx, [case.slug for case in new])
        for case in new:
            if before := here.get(case.slug):
                after, facts = revised(before, _checked(ctx, merged(before, case)))
                changed += [case.slug] if facts else []
                affected += [fate.post.id for fate in foresee(tx, after, facts)]
            else:
                _checked(ctx, case)
    kept = tuple(case.slug for case in new if case.slug in here and is_older(case, here[case.slug]))
    added = tuple(case.slug for case in new if case.slug not in here)
    unchanged = tuple(slug for slug in here if slug not in changed)
    return Imported(added, tuple(changed), unchanged, kept, tuple(dict.fromkeys(affected)))


def export_cases(ctx: Context, actor: Person) -> tuple[Case, ...]:
    """By slug; the log says who took them."""
    require(actor, Duty.EXPORT)
    with ctx.acting(actor, Duty.EXPORT) as tx:
        found = cases.everyone(tx)
        ctx.record(tx, actor, Act.CASE_EXPORTED, "case:all", {"cases": len(found)})
        return found


def add_case(ctx: Context, actor: Person, case: Case, *, source: str) -> None:
    """A new one. Raises BadInput, and changes nothing, where the slug is taken."""
    with ctx.acting(actor, Duty.EDIT_CASE) as tx:
        if cases.by_slug(tx, [case.slug]):
            raise BadInput(
                "The case “{slug}” is here already. Edit that one, or give this one another short name.", slug=case.slug
            )
        _import_in(ctx, tx, actor, [case], source)


def confirm_status(
    ctx: Context, actor: Person, slug: str, as_of: PartialDate, sources: Sequence[str], *, status: Status | None = None
) -> Change:
    """The status is as it was, or `status` from now on, says the newest source. Unchanged, it is no change of
    that fact and takes back only posts that print the date of confirmation.
    """
    with ctx.acting(actor, Duty.EDIT_CASE) as tx:
        case = cases.get(tx, slug)
        confirmed = _confirmed(ctx, case, as_of, sources, status)
        return revise(ctx, tx, actor, case, confirmed, sources[0], Act.CASE_CONFIRMED)


def preview_confirmation(
    ctx: Context, slug: str, as_of: PartialDate, sources: Sequence[str], status: Status
) -> tuple[Case, Preview]:
    """The case as `confirm_status` would leave it, and what would come of that. Raises as it does."""
    confirmed = _confirmed(ctx, get_case(ctx, slug), as_of, sources, status)
    return confirmed, preview_change(ctx, slug, confirmed)


def _confirmed(ctx: Context, case: Case, as_of: PartialDate, sources: Sequence[str], status: Status | None) -> Case:
    if not any(source.strip() for source in sources):
        raise Refused("No source, no fact: give the address of a page that states it.")
    if as_of.first_day > ctx.today():
        raise BadInput("{date} has not come yet. Give the day on which the source saw it.", date=str(as_of))
    if as_of < (known := case.confirmation.as_of):
        raise Refused("The status was confirmed as of {date} already, which is later.", date=str(known))
    return replace(in_status(case, status or case.status), confirmation=Confirmation(as_of, tuple(sources)))


def free_slug(ctx: Context, name: str) -> str:
    """A short name that no case has yet: “nguyen-van-a”, then “nguyen-van-a-2”; "" where the name has no letters."""
    stem = "-".join(re.findall(r"[a-z0-9]+", fold(name)))[:LONGEST_SLUG].strip("-")
    with ctx.store.read() as tx:
        tries = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
        return next(slug for slug in tries if not cases.by_slug(tx, [slug])) if stem else ""


def add_event(ctx: Context, actor: Person, slug: str, event: Event) -> Change:
    """The event's own sources stand for it; without a key it gets one."""
    with ctx.acting(actor, Duty.EDIT_CASE) as tx:
        case = cases.get(tx, slug)
        for other in case.events:
            if (other.kind, other.date) == (event.kind, event.date) or other.key == event.key:
                raise Conflict("“{key}” is on file already. Edit that event.", key=other.key)
        key = event.key or event_key(event.kind, event.date, {each.key for each in case.events})
        grown = replace(case, events=(*case.events, replace(event, key=key)))
        return revise(ctx, tx, actor, case, grown, "\n".join(event.sources))
