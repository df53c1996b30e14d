"""One case with all there is around it: where each fact comes from, its days, its posts, and what stops it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.domain.case import Case, Confirmation, PartialDate
from bot.domain.occasions import Occasion
from bot.domain.post import Post
from bot.domain.revisions import revised
from bot.services.cases import history
from bot.services.context import Context
from bot.services.known import everybody
from bot.services.queue import Stopped, holds
from bot.services.register import A_YEAR
from bot.services.review import Fate, foresee
from bot.services.sketch import Desk, find_occasions
from bot.store import approvals, cases, posts
from bot.store import holds as stops
from bot.store.cases import FactRevision

MOST_POSTS = 20


@dataclass(frozen=True, slots=True)
class Dossier:
    """`facts` is the newest revision of each; `days` are those of the coming year, each with its post or 0."""

    case: Case
    facts: Mapping[str, FactRevision]
    hold: Stopped | None
    days: tuple[tuple[Occasion, int], ...]
    posts: tuple[Post, ...]
    first_named: bool


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a confirmation as of today would change: a day as it stands and as it would be; and posts in hand."""

    days: tuple[tuple[Occasion, Occasion], ...]
    fates: tuple[Fate, ...]


def look(ctx: Context, slug: str) -> Dossier:
    """Raises NotFound."""
    facts = {each.fact: each for each in history(ctx, slug)}
    held = next((each for each in holds(ctx) if (each.hold.scope, each.hold.target) == ("case", slug)), None)
    with ctx.store.read() as tx:
        case = cases.get(tx, slug)
        days = days_of(ctx, desk_of(ctx, tx, case), slug)
        marked = posts.occasions_taken(tx, [one.key for one in days])
        return Dossier(
            case=case,
            facts=facts,
            hold=held,
            days=tuple((one, marked.get(one.key, 0)) for one in days),
            posts=posts.newest_naming(tx, case.id, MOST_POSTS),
            first_named=approvals.first_public(tx, (slug,)),
        )


def desk_of(ctx: Context, tx: Connection, *named: Case) -> Desk:
    """All it takes to find and word the days of these people."""
    return Desk(everybody(ctx, tx).near(*named), {}, stops.open_holds(tx))


def days_of(ctx: Context, desk: Desk, slug: str) -> tuple[Occasion, ...]:
    """Of the coming year, the next one first."""
    today = ctx.today()
    return tuple(one for one in find_occasions(ctx, desk, today, today + A_YEAR) if slug in one.cases)


def prospect(ctx: Context, case: Case) -> Prospect:
    """What it would change if a source confirmed today that the status is as it was."""
    today = ctx.today()
    seen = Confirmation(PartialDate(today.year, today.month, today.day), ("https://example.org/",))
    with ctx.store.read() as tx:
        desk = desk_of(ctx, tx, case)
        after, facts = revised(case, replace(case, confirmation=seen))
        fates = foresee(tx, after, facts)
    now = {one.key: one for one in days_of(ctx, desk, case.slug)}
    then = days_of(ctx, replace(desk, cases={**desk.cases, case.slug: after}), case.slug)
    changed = ((now.get(one.key, one), one) for one in then)
    return Prospect(tuple((old, new) for old, new in changed if (old.tier, old.bar) != (new.tier, new.bar)), fates)
