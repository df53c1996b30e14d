"""Cases: who there is, one case with all that is known of it, holding it, and taking down what names the person."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from bot.domain.case import HELD, Case, Status, is_confirmed
from bot.domain.facts import EVENT_FACT, FACTS
from bot.domain.gaps import Gap, gaps
from bot.domain.people import Duty
from bot.domain.phrases import capital
from bot.i18n import language, word
from bot.services import cards, cases, dossier, queue, register, withdraw
from bot.services.register import Only, Wanted
from bot.store.cases import FactRevision
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("cases")
A_PAGE = 50
_FARTHEST = 1_000_000


@pages.show("/cases", may=Door.SIGNED_IN)
def list_page(visit: Visit) -> Answer:
    wanted, start = _wanted(visit), start_of(visit)
    found = register.look(visit.ctx, wanted, language=language(), start=start, most=A_PAGE)
    return page(
        "cases/list.html",
        wanted=wanted,
        found=found,
        today=visit.ctx.today(),
        turn=turn_of("/cases", start, A_PAGE, found.number, _asked(wanted)),
        statuses=statuses(),
        campaigns=campaign_names(visit),
        gaps=[(gap.value, capital(word(gap, "gap"))) for gap in Gap],
    )


def _wanted(visit: Visit) -> Wanted:
    """What is asked for in words we do not know is not asked for."""
    campaign = visit.asked("campaign")
    return Wanted(
        query=visit.asked("q"),
        status=next((each for each in Status if each == visit.asked("status")), None),
        campaign=campaign if visit.ctx.schedules.campaign(campaign) else "",
        only=next((each for each in Only if each == visit.asked("only")), None),
        missing=next((each for each in Gap if each == visit.asked("missing")), None),
    )


def _asked(wanted: Wanted) -> dict[str, str]:
    return {
        "q": wanted.query,
        "status": wanted.status or "",
        "campaign": wanted.campaign,
        "only": wanted.only or "",
        "missing": wanted.missing or "",
    }


def start_of(visit: Visit) -> int:
    text = visit.asked("start")
    return min(int(text), _FARTHEST) if text.isascii() and text.isdecimal() and len(text) < len(str(_FARTHEST)) else 0


def turn_of(path: str, start: int, most: int, number: int, asked: Mapping[str, str] = {}) -> dict[str, object]:
    """Which rows these are, and the addresses of the pages before and after, or ""."""

    def address(first: int) -> str:
        kept = {name: value for name, value in {**asked, "start": str(first) if first else ""}.items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path

    before = address(max(start - most, 0)) if start else ""
    after = address(start + most) if start + most < number else ""
    return {"first": start + 1, "last": min(start + most, number), "number": number, "before": before, "after": after}


def statuses() -> list[tuple[str, str]]:
    return [(each.value, capital(word(each, "status"))) for each in Status]


def campaign_names(visit: Visit) -> list[tuple[str, str]]:
    found = visit.ctx.schedules.campaigns
    return [(each.slug, each.name_vi if language() == "vi" else each.name_en) for each in found]


@pages.show("/cases/<slug>", may=Door.SIGNED_IN)
def case_page(visit: Visit, slug: str) -> Answer:
    ctx, found = visit.ctx, dossier.look(visit.ctx, slug)
    case, facts = found.case, facts_in(found.case)
    visit.here = ctx.schedules.scope_of(case)
    return page(
        "cases/case.html",
        case=case,
        found=found,
        gaps=gaps(case),
        confirmed=is_confirmed(case, ctx.today(), ctx.planning.status_max_age_days),
        is_held=case.status in HELD,
        today=ctx.today(),
        rows=[(fact, said, sources_of(case, fact, said)) for fact in facts if (said := found.facts[fact]).value],
        absent=[fact for fact in facts if not found.facts[fact].value],
        disputed=[event for event in case.events if event.alt_dates or event.partial_sources],
        card=next(iter(cards.card_days(ctx, slug)), None),
        campaigns=dict(campaign_names(visit)),
        statuses=statuses(),
    )


def facts_in(case: Case) -> list[str]:
    """In the order in which they are read; events as they happened."""
    return [*FACTS, *(EVENT_FACT + event.key for event in sorted(case.events, key=lambda event: event.date))]


def sources_of(case: Case, fact: str, revision: FactRevision) -> Sequence[str]:
    """A fact's own sources, else those of whoever last changed it."""
    event = case.event(fact.removeprefix(EVENT_FACT))
    own: Sequence[str] = event.sources if event else ()
    if fact in {"status", "confirmation"}:
        own = case.confirmation.sources
    elif fact == "term" and case.term and case.term.source:
        own = (case.term.source,)
    return own or revision.source.splitlines()


@pages.show("/cases/<slug>/history", may=Door.SIGNED_IN)
def history_page(visit: Visit, slug: str) -> Answer:
    case, found = cases.get_case(visit.ctx, slug), cases.history(visit.ctx, slug)
    before = {(each.fact, each.revision + 1): each for each in found}
    told = [(each, before.get((each.fact, each.revision))) for each in reversed(found)]
    shown = [(now, then) for now, then in told if now.value or then]
    start = start_of(visit)
    turn = turn_of(f"/cases/{slug}/history", start, A_PAGE, len(shown))
    return page("cases/history.html", case=case, rows=shown[start : start + A_PAGE], turn=turn)


@pages.act("/cases/<slug>/hold", may=Duty.HALT, again=case_page)
def hold(visit: Visit, slug: str) -> Answer:
    with visit.about("reason"):
        queue.hold(visit.ctx, visit.person, "case", slug, visit.typed("reason"))
    return see_other(f"/cases/{slug}", "Nothing that names this person goes out until two people end the hold.")


@pages.act("/cases/<slug>/unhold/ask", may=Duty.UNHALT, again=case_page)
def ask_unhold(visit: Visit, slug: str) -> Answer:
    queue.ask_unhold(visit.ctx, visit.person, "case", slug)
    return see_other(f"/cases/{slug}", "Asked. Somebody else must confirm.")


@pages.act("/cases/<slug>/unhold/confirm", may=Duty.UNHALT, again=case_page, fresh=True)
def confirm_unhold(visit: Visit, slug: str) -> Answer:
    queue.confirm_unhold(visit.ctx, visit.person, "case", slug)
    return see_other(f"/cases/{slug}", "It is held no longer.")


@pages.show("/cases/<slug>/withdraw", may=Door.SIGNED_IN)
def withdraw_page(visit: Visit, slug: str) -> Answer:
    case, out = cases.get_case(visit.ctx, slug), withdraw.out_naming(visit.ctx, slug)
    visit.here = visit.ctx.schedules.scope_of(case)
    return page("cases/withdraw.html", case=case, out=out)


@pages.act("/cases/<slug>/withdraw", may=Duty.WITHDRAW, again=withdraw_page, fresh=True)
def take_down(visit: Visit, slug: str) -> Answer:
    with visit.about("reason"):
        withdraw.withdraw_case(visit.ctx, visit.person, slug, visit.typed("reason"))
    said = "The case is held, and all that is out is being taken down. What came of each stands below."
    return see_other(f"/cases/{slug}/withdraw", said, kind="warn")


@pages.show("/coverage", may=Door.SIGNED_IN)
def coverage_page(visit: Visit) -> Answer:
    everyone, start = visit.asked("all") == "yes", start_of(visit)
    found, number = register.unnamed(visit.ctx, everyone=everyone, start=start, most=A_PAGE)
    turn = turn_of("/coverage", start, A_PAGE, number, {"all": "yes" if everyone else ""})
    return page("cases/coverage.html", found=found, turn=turn, everyone=everyone)
