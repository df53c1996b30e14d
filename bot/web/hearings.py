"""Same hearing?: the question that a draft about several people waits for, and its two answers."""

from bot.domain.errors import BadInput
from bot.domain.people import Duty
from bot.services import hearings
from bot.services.hearings import Question
from bot.web.cited import host, when
from bot.web.frame import Answer, Door, Pages, Visit, not_there, page, see_other

pages = Pages("hearings")
MOST = 10_000


@pages.show("/hearings/<int:post_id>", may=Door.SIGNED_IN)
def question(visit: Visit, post_id: int) -> Answer:
    asked, schedules = _asked(visit, post_id), visit.ctx.schedules
    refusals = [visit.refusal(Duty.EDIT_CASE, schedules.scope_of(case)) for case, _ in asked.people]
    barred = next(filter(None, refusals), "")
    few = refusals.count("") < 2  # noqa: PLR2004 - two make a joint trial
    return page(
        "hearings/hearing.html", asked=asked, when=when, host=host, apart=barred, together=barred if few else ""
    )


@pages.act("/hearings/<int:post_id>/yes", may=Duty.EDIT_CASE, again=question)
def together(visit: Visit, post_id: int) -> Answer:
    events = _events(_asked(visit, post_id))
    chosen = [pair for pair in events if "/".join(pair) in visit.ticked("people")]
    number = visit.typed("defendants")
    with visit.about("defendants"):
        if number and not (number.isascii() and number.isdecimal() and int(number[:6]) < MOST):
            raise BadInput("Give the number in figures, or leave it empty.")
    with visit.about("source"):
        lines = visit.typed("source").splitlines()
        hearings.answer_same_hearing(
            visit.ctx,
            visit.person,
            chosen,
            same=True,
            defendants=int(number) if number else None,
            sources=[line.strip() for line in lines if line.strip()],
        )
    return see_other("/", "It is on file: one hearing. The draft is worded anew within the hour.")


@pages.act("/hearings/<int:post_id>/no", may=Duty.EDIT_CASE, again=question)
def apart(visit: Visit, post_id: int) -> Answer:
    with visit.about("no_source"):
        lines = visit.typed("no_source").splitlines()
        sources = [line.strip() for line in lines if line.strip()]
        events = _events(_asked(visit, post_id))
        hearings.answer_same_hearing(visit.ctx, visit.person, events, same=False, sources=sources)
    return see_other("/", "It is on file: each in a hearing of their own. Each gets a draft within the hour.")


def _asked(visit: Visit, post_id: int) -> Question:
    return hearings.question(visit.ctx, post_id) or not_there()


def _events(asked: Question) -> list[tuple[str, str]]:
    return [(case.slug, event.key) for case, event in asked.people]
