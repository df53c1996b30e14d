"""Review: what waits for whom, one post read to the end, and the yes to exactly that."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby

from bot.domain.budget import dollars
from bot.domain.people import Duty
from bot.domain.post import Part, PostState, Rendition
from bot.domain.remarks import Remark
from bot.domain.slots import local_date
from bot.i18n import filled, many, sentence
from bot.services import readings, review
from bot.services.hearings import question
from bot.services.readings import BOTH_SAY_THE_SAME, WEEK, Reading
from bot.web import cited, previews
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other
from bot.web.words import moment

pages = Pages("review")
REJECT = "reject"
NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
YEARS = range(2000, 2100)


@pages.show("/review", may=Door.SIGNED_IN)
def listed(visit: Visit) -> Answer:
    after = visit.asked("after")
    rows, last = readings.waiting(visit.ctx, visit.person, int(after) if NUMBER.fullmatch(after) else 0)
    return page(
        "review/review.html",
        yours=[each for each in rows if not each.refusal],
        others=[each for each in rows if each.refusal],
        later=f"/review?after={last}" if last else "",
        earlier="/review" if after else "",
        sentence=sentence,
        week=_today(visit),
    )


@pages.show("/review/week", may=Door.SIGNED_IN)
def week(visit: Visit) -> Answer:
    start = _day(visit.asked("from")) or _today(visit)
    found = readings.week(visit.ctx, visit.person, start, visit.zone)
    return page(
        "review/week.html",
        readings=found,
        start=start,
        last=start + WEEK - timedelta(days=1),
        earlier=f"/review/week?from={start - WEEK}",
        later=f"/review/week?from={start + WEEK}",
        **told(visit),
    )


@pages.show("/review/<int:post_id>", may=Door.SIGNED_IN)
def one(visit: Visit, post_id: int) -> Answer:
    reading = readings.read(visit.ctx, visit.person, post_id, read_digest=visit.typed("digest"))
    visit.here = reading.post.content.scope
    week_of = _day(visit.typed("week"))
    if visit.wants_fragment:
        decided = not visit.problems and reading.refusal is not None
        return page("review/_one.html", reading=reading, decided=decided, start=week_of, **told(visit))
    asked = question(visit.ctx, post_id) is not None
    return page("review/post.html", reading=reading, start=week_of, asked=asked, **told(visit))


@pages.act("/review/<int:post_id>/approve", may=Duty.APPROVE_POST, again=one, fresh=True)
def approve(visit: Visit, post_id: int) -> Answer:
    done = readings.approve(visit.ctx, visit.person, post_id, visit.typed("digest"), visit.ticked("seen"))
    back = _back(visit, post_id)
    if done.missing:
        return see_other(back, "Your approval counts. One more person must approve it.", kind="info")
    return see_other(back, "Approved. It goes out {time}.", time=plain_moment(done.post.due))


@pages.act("/review/<int:post_id>/return", may=Duty.RETURN_POST, again=one)
def send_back(visit: Visit, post_id: int) -> Answer:
    reject = visit.typed("do") == REJECT
    with visit.about("reason"):
        (review.cancel if reject else review.return_post)(visit.ctx, visit.person, post_id, visit.typed("reason"))
    if reject:
        return see_other("/review", "Rejected. Nothing of it goes out.")
    return see_other("/review", "Sent back to its writer, with your reason.")


@pages.act("/review/<int:post_id>/comment", may=Duty.COMMENT, again=one)
def comment(visit: Visit, post_id: int) -> Answer:
    with visit.about("comment"):
        readings.comment(visit.ctx, visit.person, post_id, visit.typed("comment"))
    return see_other(f"/review/{post_id}#comments", "Your comment is there.")


def told(visit: Visit) -> Mapping[str, Callable[..., object]]:
    """What the templates of a reading call."""

    def ticked(reading: Reading, key: str) -> bool:
        """Ticks belong to the text they were set on."""
        return not reading.was_read and key in visit.ticked("seen")

    def said(each: Remark) -> str:
        return filled(each.template, each.fields)

    def voices(reading: Reading, rendition: Rendition, part: Part) -> list[tuple[str, str]]:
        """The part's text by language, so that each is read out as what it is."""
        channel = visit.ctx.channels.get(rendition.channel)
        return previews.voices(reading.post.content, channel.profile if channel else None, part)

    def price(reading: Reading, channel: str) -> str:
        return dollars(reading.checked.costs[channel])

    return {
        "facts": by_person, "words": lambda: cited, "left": lambda due: left(visit, due), "said": said,
        "sentence": sentence, "ticked": ticked, "both": lambda: BOTH_SAY_THE_SAME, "sent": sent_alike,
        "price_of": price, "voices": voices, "between": lambda: previews.BETWEEN,
        "in_review": lambda reading: reading.post.state is PostState.IN_REVIEW,
    }  # fmt: skip


def by_person(reading: Reading) -> list[tuple[str, list[readings.Fact]]]:
    return [(slug, list(each)) for slug, each in groupby(reading.facts, lambda fact: fact.cite.case)]


def sent_alike(reading: Reading) -> list[list[Rendition]]:
    """The accounts that get the very same parts, together."""
    found: dict[tuple[object, ...], list[Rendition]] = {}
    for each in reading.renditions:
        found.setdefault(each.parts, []).append(each)
    return list(found.values())


def left(visit: Visit, due: datetime | None) -> str:
    """How long until then, in whole days, hours or minutes; "" once it is past."""
    minutes = int((due - visit.ctx.now()).total_seconds() // 60) if due else 0
    if minutes <= 0:
        return ""
    if minutes < 60:  # noqa: PLR2004 - an hour
        return many("{number} minute left", "{number} minutes left", minutes)
    if minutes < 48 * 60:
        return many("{number} hour left", "{number} hours left", minutes // 60)
    return many("{number} day left", "{number} days left", minutes // (24 * 60))


def plain_moment(when: datetime | None) -> str:
    return moment(when).striptags()


def _back(visit: Visit, post_id: int) -> str:
    if visit.wants_fragment:
        return f"/review/{post_id}"
    start = _day(visit.typed("week"))
    return f"/review/week?from={start}" if start else "/review"


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _today(visit: Visit) -> date:
    return local_date(visit.ctx.now(), visit.zone)
