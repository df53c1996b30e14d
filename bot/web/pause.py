"""Pause: anyone stops everything, with a reason; one asks to start again, another confirms."""

from bot.domain.people import Duty
from bot.i18n import many
from bot.services import queue
from bot.services.today import in_hand
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("pause")


@pages.show("/pause", may=Door.SIGNED_IN)
def pause_page(visit: Visit) -> Answer:
    flying, held = in_hand(visit.ctx)
    halt = queue.halt_state(visit.ctx)
    holds = [each for each in queue.holds(visit.ctx) if each.hold.scope in queue.SCOPES]
    return page(
        "pause/pause.html",
        halt=halt,
        holds=holds,
        reaches=queue.reaches(visit.ctx, holds),
        pauses=queue.pauses(visit.ctx),
        flying=flying,
        held=held,
    )


@pages.act("/pause", may=Duty.HALT, again=pause_page)
def pause(visit: Visit) -> Answer:
    with visit.about("reason"):
        flying = queue.halt(visit.ctx, visit.person, visit.typed("reason"))
    if flying:
        one, more = (
            "{number} post was being sent and may still appear.",
            "{number} were being sent and may still appear.",
        )
        return see_other("/pause", "Publishing is paused. {flying}", kind="warn", flying=many(one, more, len(flying)))
    return see_other("/pause", "Publishing is paused. Nothing was being sent.")


@pages.act("/pause/ask", may=Duty.UNHALT, again=pause_page)
def ask(visit: Visit) -> Answer:
    queue.ask_unhalt(visit.ctx, visit.person)
    return see_other("/pause", "Asked. Somebody else must confirm.")


@pages.act("/pause/confirm", may=Duty.UNHALT, again=pause_page, fresh=True)
def confirm(visit: Visit) -> Answer:
    queue.confirm_unhalt(visit.ctx, visit.person)
    return see_other("/pause", "Publishing is on. What came due meanwhile waits for a person.")


@pages.act("/holds/ask", may=Duty.UNHALT, again=pause_page)
def ask_hold(visit: Visit) -> Answer:
    queue.ask_unhold(visit.ctx, visit.person, visit.typed("scope"), visit.typed("target"))
    return see_other("/pause", "Asked. Somebody else must confirm.")


@pages.act("/holds/confirm", may=Duty.UNHALT, again=pause_page, fresh=True)
def confirm_hold(visit: Visit) -> Answer:
    queue.confirm_unhold(visit.ctx, visit.person, visit.typed("scope"), visit.typed("target"))
    return see_other("/pause", "It is held no longer.")
