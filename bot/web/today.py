"""Today: what needs someone, what goes out, which days come, and whether all is well."""

from bot.services import changes
from bot.services import today as day
from bot.web.frame import Answer, Door, Pages, Visit, page

pages = Pages("today")


@pages.show("/", may=Door.SIGNED_IN)
def today(visit: Visit) -> Answer:
    own = changes.to_notice(visit.ctx, visit.signed_in)
    return page("today/today.html", now=visit.ctx.now(), today=day.look(visit.ctx, visit.person), changes=own)
