"""Confirm these first: whose status nobody has confirmed of late, in the order in which their days come."""

from bot.domain.case import PartialDate, Status
from bot.domain.people import Duty
from bot.domain.sources import require_checkable
from bot.services import cases, dossier, register
from bot.web.cases import case_page, start_of, statuses, turn_of
from bot.web.facts import ask, lines, mark_of
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("confirm")
A_PAGE = 10


@pages.show("/confirm", may=Door.SIGNED_IN)
def confirm_page(visit: Visit) -> Answer:
    unknown, start = visit.asked("status") == Status.UNKNOWN, start_of(visit)
    found = register.to_confirm(visit.ctx, unknown=unknown, start=start, most=A_PAGE)
    return page(
        "cases/confirm.html",
        unknown=unknown,
        rows=[(row, dossier.prospect(visit.ctx, row.case)) for row in found.rows],
        held=found.held,
        today=visit.ctx.today(),
        here=_list_address(visit),
        turn=turn_of("/confirm", start, A_PAGE, found.number, {"status": Status.UNKNOWN.value if unknown else ""}),
        statuses=statuses(),
    )


def _list_address(visit: Visit) -> str:
    status = f"&status={Status.UNKNOWN}" if visit.asked("status") == Status.UNKNOWN else ""
    return f"?from=list&start={start_of(visit)}{status}"


def _where_it_was(visit: Visit, slug: str) -> Answer:
    return confirm_page(visit) if visit.asked("from") == "list" else case_page(visit, slug)


@pages.act("/cases/<slug>/confirm", may=Duty.EDIT_CASE, again=_where_it_was)
def confirm(visit: Visit, slug: str) -> Answer:
    if visit.typed("back"):
        return _where_it_was(visit, slug)
    case = cases.get_case(visit.ctx, slug)
    status = next((each for each in Status if each == visit.typed(f"status-{slug}")), case.status)
    with visit.about(f"source-{slug}"):
        sources = lines(visit.typed(f"source-{slug}"))
        require_checkable("\n".join(sources))
    with visit.about(f"as_of-{slug}"):
        as_of = PartialDate.parse(visit.typed(f"as_of-{slug}"))
    with visit.about(f"as_of-{slug}" if sources else f"source-{slug}"):
        after, foreseen = cases.preview_confirmation(visit.ctx, slug, as_of, sources, status)
    if (foreseen.fates or status is not case.status) and visit.typed("sure") != mark_of(foreseen):
        return ask(visit, case, after, foreseen, "\n".join(sources))
    cases.confirm_status(visit.ctx, visit.person, slug, as_of, sources, status=status)
    led = _list_path(visit) if visit.asked("from") == "list" else f"/cases/{slug}"
    return see_other(led, "Confirmed: {name}, as of {date}.", name=case.name_vi, date=str(as_of))


def _list_path(visit: Visit) -> str:
    return "/confirm" + _list_address(visit).replace("?from=list&", "?")
