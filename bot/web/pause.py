"""Pause: anyone stops everything, with a reason; one asks to start again, another confirms."""

from bot.domain.people import Duty
from bot.i18n import many
from bot.services import queue
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("pause")


@pages.show("/pause", may=Door.SIGNED_IN)
def pause_page(visit: Visit) -> Answer:
    return page("pause/pause.html", halt=queue.halt_state(visit.ctx), holds=queue.holds(visit.ctx))


def _again(visit: Visit) -> Answer:
    return pause_page(visit)


@pages.act("/pause", may=Duty.HALT, again=_again)
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


@pages.act("/pause/ask", may=Duty.UNHALT, again=_again)
def ask(visit: Visit) -> Answer:
    queue.ask_unhalt(visit.ctx, visit.person)
    return see_other("/pause", "Asked. Somebody else must confirm.")


@pages.act("/pause/confirm", may=Duty.UNHALT, again=_again, fresh=True)
def confirm(visit: Visit) -> Answer:
    queue.confirm_unhalt(visit.ctx, visit.person)
    return see_other("/pause", "Publishing is on. What came due meanwhile waits for a person.")
