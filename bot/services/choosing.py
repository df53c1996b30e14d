"""What a person may draft that the program did not, found by its key, and the words there are to pick from."""

from dataclasses import replace
from datetime import date, timedelta

from bot.domain.byhand import PASSABLE, naming, require_draftable
from bot.domain.case import Consent
from bot.domain.errors import NotFound, Refused
from bot.domain.occasions import Occasion, PlanningRules
from bot.domain.wording import kind_of
from bot.library.messages import Wording
from bot.services.context import Context
from bot.services.known import days_between, everybody
from bot.services.sketch import Desk, accounts_of, find_occasions, is_held, open_desk, roomiest_first, said_as, sketch
from bot.store import posts

A_YEAR = timedelta(days=366)
_DAY = timedelta(days=1)


def draftable(ctx: Context, start: date, end: date) -> tuple[tuple[Occasion, int], ...]:
    """What is not drafted by itself, with why; and observances, which a person may let name somebody.

    Each with the id of its post, or 0.
    """
    with ctx.store.read() as tx:
        desk = open_desk(ctx, tx, start, end)
        found = [one for one in find_occasions(ctx, desk, start, end) if _may_be_drafted(desk, one)]
        marked = posts.occasions_taken(tx, [one.key for one in found])
    _, barred = sketch(ctx, desk, [one for one in found if one.key not in marked])
    why = {one.key: one for one in barred}
    left = (why.get(one.key, one) for one in found if one.key not in marked or one.observance)
    return tuple((one, marked.get(one.key, 0)) for one in left if one.bar in PASSABLE and (one.bar or one.observance))


def _may_be_drafted(desk: Desk, occasion: Occasion) -> bool:
    try:
        require_draftable(occasion, desk.cases, held=is_held(desk, occasion))
    except Refused:
        return False
    return True


def find(ctx: Context, key: str, slug: str = "") -> tuple[Occasion, Desk]:
    """The day, naming the case if one is picked; and a desk with what it takes to word it.

    Raises NotFound, or Refused with what is to be done first.
    """
    start, end = ctx.today() - _DAY, ctx.today() + A_YEAR  # yesterday is not over everywhere
    with ctx.store.read() as tx:
        known = everybody(ctx, tx)
        desk = open_desk(ctx, tx, start, end, known.cases)
        named = [known.cases[part] for part in key.split(":") if part in known.cases]
        days = find_occasions(ctx, replace(desk, cases=known.near(*named)), start, end) if named else ()
        found = next((one for one in days or days_between(ctx, tx, start, end) if one.key == key), None)
    if found is None:
        raise _not_there(desk, key)
    if slug:
        if slug not in desk.cases:
            raise NotFound("There is no case “{slug}”.", slug=slug[:80], command="case list")
        found = naming(found, desk.cases[slug], PlanningRules.of(ctx.schedules.campaigns))
    require_draftable(found, desk.cases, held=is_held(desk, found))
    return found, desk


def _not_there(desk: Desk, key: str) -> NotFound | Refused:
    """Of somebody who refused there are no days at all."""
    named = (desk.cases[part] for part in key.split(":") if part in desk.cases)
    if refused := next((case for case in named if case.consent is Consent.REFUSED), None):
        return Refused("{name}, or the family, refused: nothing is posted about this case.", name=refused.name_vi)
    return NotFound("No day of the coming year is called “{key}”.", key=key[:120], command="post draft")


def choices(ctx: Context, desk: Desk, occasion: Occasion) -> tuple[Wording, ...]:
    """Every model that may say it, filled in as the roomiest of its accounts would get it."""
    kind = kind_of(occasion, desk.cases)
    names = dict.fromkeys(name for (_, of), shelf in ctx.messages.patterns.items() if of == kind for name in shelf)
    profile = ctx.channels[roomiest_first(ctx, accounts_of(ctx, occasion.campaign))[0]].profile
    found = (said_as(ctx, desk, occasion, profile, name) for name in names)
    return tuple(words for words in found if isinstance(words, Wording))
