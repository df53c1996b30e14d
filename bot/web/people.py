"""People."""

from bot.web.frame import Answer, Door, Pages, Visit, page

pages = Pages("people")


@pages.show("/people", may=Door.SIGNED_IN)
def people(visit: Visit) -> Answer:
    return page("people/people.html")
