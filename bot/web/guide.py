"""Help: what to do when something happens, in few words; also for who is not signed in."""

from bot.web.frame import Answer, Door, Pages, Visit, page

pages = Pages("guide")


@pages.show("/help", may=Door.ANYONE)
def help_page(visit: Visit) -> Answer:
    del visit
    return page("guide/guide.html")
