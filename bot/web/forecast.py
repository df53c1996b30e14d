"""Forecast: what goes out in the next 30 days, and why something will not."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from bot.domain.budget import dollars
from bot.domain.slots import local_date
from bot.services import forecast
from bot.services.forecast import Coming
from bot.web.frame import Answer, Door, Pages, Visit, page

pages = Pages("forecast")
MOST_OF_A_DAY, MOST_AMISS = 10, 30


@pages.show("/forecast", may=Door.SIGNED_IN)
def look(visit: Visit) -> Answer:
    found = forecast.look(visit.ctx)
    amiss = [each for each in found.coming if each.why]
    return page(
        "forecast/forecast.html",
        found=found,
        amiss=amiss,
        most_amiss=MOST_AMISS,
        days=_by_day(visit, found.coming),
        most=MOST_OF_A_DAY,
        until=visit.ctx.today() + forecast.AHEAD,
        lead_days=visit.ctx.planning.lead_days,
        dollars=dollars,
    )


def _by_day(visit: Visit, coming: Sequence[Coming]) -> list[tuple[date, list[Coming]]]:
    return [(on, list(each)) for on, each in groupby(coming, lambda one: local_date(one.due, visit.zone))]
