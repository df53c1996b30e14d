"""Queue: every post by its time, a page at a time. Holding is all that is done to several at once."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from urllib.parse import urlencode

from bot.domain.campaign import LANGUAGES
from bot.domain.people import Duty
from bot.domain.phrases import capital
from bot.domain.post import PostState
from bot.domain.slots import at_local, local_date
from bot.i18n import many, word
from bot.services import agenda, queue
from bot.services.agenda import Queued, Wanted
from bot.store.posts import Cursor
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("queue")
_CURSOR = re.compile(r"(-?[0-9]{1,17}|none)\.([0-9]{1,15})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
HOLDABLE = (PostState.DRAFT, PostState.RETURNED, PostState.IN_REVIEW, PostState.SCHEDULED)


@pages.show("/queue", may=Door.SIGNED_IN)
def queue_page(visit: Visit) -> Answer:
    wanted, before = _wanted(visit), _cursor(visit.asked("before"))
    after = _cursor(visit.asked("after"))
    start = at_local(local_date(visit.ctx.now(), visit.zone), time(), visit.zone)
    turned = agenda.turn(
        visit.ctx, before or after or (start, 0), wanted, backwards=before is not None, with_late=not (before or after)
    )
    return page(
        "queue/queue.html",
        wanted=wanted,
        turned=turned,
        days=_by_day(visit, turned.rows),
        holdable=HOLDABLE,
        states=[(state.value, capital(word(state, "post"))) for state in PostState],
        accounts=[(name, name) for name in visit.ctx.channels],
        today=local_date(visit.ctx.now(), visit.zone),
        here=address(visit),
        earlier=address(visit, before=_written(turned.first)) if turned.earlier else "",
        later=address(visit, after=_written(turned.last)) if turned.later else "",
    )


@pages.act("/queue/hold", may=Duty.HALT, again=queue_page)
def hold(visit: Visit) -> Answer:
    ids = [int(each) for each in visit.ticked("post") if re.fullmatch(r"[0-9]{1,15}", each, re.ASCII)]
    with visit.about("reason" if ids else "post"):
        queue.hold_posts(visit.ctx, visit.person, ids, visit.typed("reason"))
    one, more = "{number} post is held.", "{number} posts are held."
    return see_other(address(visit), "{held} Pause shows them.", held=many(one, more, len(ids)))


def _wanted(visit: Visit) -> Wanted:
    """What is asked for in words we do not know is not asked for."""
    state = next((each for each in PostState if each == visit.asked("state")), None)
    account = visit.asked("account")
    language = visit.asked("lang")
    return Wanted(state, account if account in visit.ctx.channels else "", language if language in LANGUAGES else "")


def address(visit: Visit, **cursor: str) -> str:
    """This page with its filter, or the page beside it."""
    wanted = _wanted(visit)
    asked: Mapping[str, str] = {"state": wanted.state or "", "account": wanted.account, "lang": wanted.language}
    kept = {name: value for name, value in {**asked, **cursor}.items() if value}
    return f"/queue?{urlencode(kept)}" if kept else "/queue"


def _by_day(visit: Visit, rows: Iterable[Queued]) -> list[tuple[date | None, list[Queued]]]:
    def day(row: Queued) -> date | None:
        return local_date(row.post.due, visit.zone) if row.post.due else None

    return [(on, list(each)) for on, each in groupby(rows, day)]


def _cursor(text: str) -> Cursor | None:
    found = _CURSOR.fullmatch(text)
    if found is None:
        return None
    try:
        due = None if found[1] == "none" else _EPOCH + int(found[1]) * _MICROSECOND
    except OverflowError:
        return None
    return due, int(found[2])


def _written(cursor: Cursor) -> str:
    due, post_id = cursor
    return f"{'none' if due is None else (due - _EPOCH) // _MICROSECOND}.{post_id}"
