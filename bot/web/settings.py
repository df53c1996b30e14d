"""Settings."""

from bot.web.frame import Answer, Door, Pages, Visit, page

pages = Pages("settings")


@pages.show("/settings", may=Door.SIGNED_IN)
def settings(visit: Visit) -> Answer:
    return page("settings/settings.html")
