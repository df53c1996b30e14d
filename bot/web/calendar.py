"""Calendar: a month of posts and days, as a grid where there is room, else as a list of the days with something."""

from datetime import date, timedelta
from urllib.parse import urlencode

from bot.domain.case import Status
from bot.domain.phrases import MONTHS, capital
from bot.domain.slots import local_date
from bot.i18n import language, word
from bot.services import calendar as months
from bot.services.calendar import Shown
from bot.web.frame import Answer, Door, Pages, Visit, not_there, page, see_other
from bot.web.words import days_of_the_week

pages = Pages("calendar")
YEARS = range(2000, 2100)
MOST_OF_A_DAY = 200
POSTS, DAYS = "posts", "days"


@pages.show("/calendar", may=Door.SIGNED_IN)
def this_month(visit: Visit) -> Answer:
    return see_other(path_of(_today(visit)))


@pages.show("/calendar/<int:year>/<int:month>", may=Door.SIGNED_IN)
def month(visit: Visit, year: int, month: int) -> Answer:
    if year not in YEARS or not 1 <= month <= len(MONTHS):
        not_there()
    first = date(year, month, 1)
    last = _next(first) - timedelta(days=1)
    shown = _shown(visit)
    whole = _day_asked(visit, first, last)
    if whole:
        first = last = whole
        shown = Shown(shown.posts, shown.occasions, shown.status, MOST_OF_A_DAY)
    found = months.look(visit.ctx, first, last, visit.zone, shown)
    return page(
        "calendar/month.html",
        found=found,
        first=first,
        whole=whole,
        today=_today(visit),
        month_name=month_name,
        statuses_of=lambda one: dict.fromkeys(found.cases[slug].status for slug in one.cases),
        show=POSTS if not shown.occasions else "" if shown.posts else DAYS,
        status=shown.status or "",
        asked=_asked(visit),
        paths={"before": path_of(first - timedelta(days=1)), "here": path_of(first), "after": path_of(_next(first))},
        names={"before": month_name(first - timedelta(days=1)), "after": month_name(_next(first))},
        statuses=[(each.value, capital(word(each, "status"))) for each in Status],
        week=days_of_the_week(),
        pad=(first.weekday(), 6 - last.weekday()),
    )


def month_name(on: date) -> str:
    return f"Tháng {on.month} năm {on.year}" if language() == "vi" else f"{MONTHS[on.month - 1]} {on.year}"


def path_of(on: date) -> str:
    return f"/calendar/{on.year}/{on.month:02}"


def _next(first: date) -> date:
    return (first.replace(day=1) + timedelta(days=31)).replace(day=1)


def _today(visit: Visit) -> date:
    return local_date(visit.ctx.now(), visit.zone)


def _day_asked(visit: Visit, first: date, last: date) -> date | None:
    return next((first.replace(day=day) for day in range(1, last.day + 1) if visit.asked("day") == str(day)), None)


def _shown(visit: Visit) -> Shown:
    what, status = visit.asked("show"), visit.asked("status")
    return Shown(what != DAYS, what != POSTS, next((each for each in Status if each == status), None))


def _asked(visit: Visit) -> str:
    """The filter, as it stands in an address."""
    shown = _shown(visit)
    what = "" if shown.posts and shown.occasions else POSTS if shown.posts else DAYS
    kept = {name: value for name, value in (("show", what), ("status", shown.status or "")) if value}
    return f"?{urlencode(kept)}" if kept else ""
