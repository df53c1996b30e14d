"""Standing approvals: a year of some people's days, worded now, read on one page and approved by two."""

import re
from collections.abc import Iterable
from datetime import date

from flask import request

from bot.domain.case import Case
from bot.domain.errors import BadInput, CampaignError
from bot.domain.people import Duty
from bot.domain.post import EDITABLE, Content
from bot.i18n import many, sentence
from bot.services import cases, standing
from bot.services.standing import A_YEAR, Prospect
from bot.web.frame import Answer, Door, Pages, Visit, page, problems_of, see_other
from bot.web.review import plain_moment, told

pages = Pages("standing")
MOST_FOUND = 30
_PAIR = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})", re.ASCII)


@pages.show("/standing", may=Door.SIGNED_IN)
def listed(visit: Visit) -> Answer:
    return page("standing/listed.html", found=standing.list_standings(visit.ctx))


@pages.show("/standing/new", may=Duty.WRITE_POST)
def new(visit: Visit) -> Answer:
    """Whom, on which accounts and until when; what it would cover is shown before anything is drafted."""
    slugs, query = _given("case"), visit.asked("q")
    known = {case.slug: case for case in cases.find_cases(visit.ctx, query, limit=MOST_FOUND)} if query else {}
    chosen = [each for each in (_case(visit, slug) for slug in slugs) if each]
    ahead = None
    if chosen and not query and not visit.problems:
        try:
            ahead = standing.prospect(visit.ctx, [case.slug for case in chosen], _accounts(visit), _until(visit))
        except CampaignError as error:
            visit.problems = problems_of(error)
    drafted = [*(each.content for each in ahead.sketches), *(each.content for each in ahead.joining)] if ahead else []
    return page(
        "standing/new.html",
        chosen=chosen,
        found=[case for slug, case in known.items() if slug not in slugs],
        query=query,
        accounts=_accounts(visit),
        until=request.values.get("until", "") or (visit.ctx.today() + A_YEAR).isoformat(),
        ahead=ahead,
        names={case.slug: case for case in _mentioned(visit, ahead)},
        beyond=_beyond(visit, Duty.WRITE_POST, drafted),
    )


@pages.act("/standing", may=Duty.WRITE_POST, again=new)
def propose(visit: Visit) -> Answer:
    if not (slugs := _given("case")):
        raise BadInput("Choose at least one case.")
    done = standing.propose_standing(visit.ctx, visit.person, slugs, _accounts(visit), _until(visit))
    return see_other(f"/standing/{done.standing.id}", "Proposed. Two reviewers may now read and approve it.")


@pages.show("/standing/<int:standing_id>", may=Door.SIGNED_IN)
def one(visit: Visit, standing_id: int) -> Answer:
    year = standing.read_standing(visit.ctx, visit.person, standing_id)
    ending = [post for post in (*(each.post for each in year.waiting), *year.others) if post.state in EDITABLE]
    return page(
        "standing/one.html",
        year=year,
        chosen=dict(_pairs(visit)),
        barred=next((sentence(each.refusal) for each in year.waiting if each.refusal), ""),
        unending=_beyond(visit, Duty.CANCEL_POST, [post.content for post in ending]),
        **told(visit),
    )


def _beyond(visit: Visit, duty: Duty, contents: Iterable[Content]) -> str:
    """Why not all of these, in words."""
    return next(filter(None, (visit.refusal(duty, each.scope) for each in contents)), "")


@pages.act("/standing/<int:standing_id>/approve", may=Duty.APPROVE_POST, again=one, fresh=True)
def approve(visit: Visit, standing_id: int) -> Answer:
    digests = dict(_pairs(visit))
    if not digests:
        raise BadInput("Tick the posts that you have read.")
    done = standing.approve_standing(visit.ctx, visit.person, standing_id, digests, visit.ticked("seen"))
    counted = many("Approved {number} post.", "Approved {number} posts.", len(done))
    if any(each.missing for each in done):
        return see_other(
            f"/standing/{standing_id}", "{told} One more person must approve them.", kind="info", told=counted
        )
    first = min((each.post for each in done), key=lambda post: post.due or visit.ctx.now())
    return see_other(
        f"/standing/{standing_id}", "{told} The first goes out {time}.", told=counted, time=plain_moment(first.due)
    )


@pages.act("/standing/<int:standing_id>/end", may=Duty.CANCEL_POST, again=one)
def end(visit: Visit, standing_id: int) -> Answer:
    with visit.about("reason"):
        standing.end_standing(visit.ctx, visit.person, standing_id, visit.typed("reason"))
    return see_other(f"/standing/{standing_id}", "Ended. What is not out yet does not go out by it.", kind="warn")


def _pairs(visit: Visit) -> list[tuple[int, str]]:
    return [(int(found[1]), found[2]) for each in visit.ticked("post") if (found := _PAIR.fullmatch(each))]


def _given(name: str) -> list[str]:
    return list(dict.fromkeys(request.values.getlist(name)))


def _case(visit: Visit, slug: str) -> Case | None:
    try:
        return cases.get_case(visit.ctx, slug)
    except CampaignError:
        return None


def _mentioned(visit: Visit, ahead: Prospect | None) -> list[Case]:
    days = [*ahead.barred, *(each.occasion for each in ahead.left_out)] if ahead else []
    found = dict.fromkeys(slug for one in days for slug in one.cases)
    return [case for case in (_case(visit, slug) for slug in found) if case]


def _accounts(visit: Visit) -> list[str]:
    return [name for name in visit.ctx.channels if name in _given("account")]


def _until(visit: Visit) -> date | None:
    text = request.values.get("until", "").strip()
    with visit.about("until"):
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise BadInput("“{text}” is not a date. Write 2026-12-31.", text=text[:40]) from error
