"""Settings: how the pages look to one person, their passphrase, and where they are signed in."""

from flask import request

from bot.domain.errors import BadInput
from bot.domain.slots import VIETNAM, zone
from bot.i18n import LANGUAGES, use
from bot.services import changes, sessions
from bot.web.feed import address
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("settings")
THEMES = ("auto", "light", "dark")
# Where people of the campaigns live; any other zone can be typed.
ZONES = (
    VIETNAM, "Asia/Bangkok", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul", "Australia/Sydney", "Europe/Berlin",
    "Europe/London", "Europe/Paris", "Europe/Prague", "America/New_York", "America/Chicago", "America/Los_Angeles",
    "America/Toronto", "UTC",
)  # fmt: skip


@pages.show("/settings", may=Door.SIGNED_IN)
def settings(visit: Visit) -> Answer:
    own, lately = sessions.list_own(visit.ctx, visit.signed_in), changes.listed(visit.ctx, visit.signed_in)
    known = {"sessions": own, "changes": lately, "calendar": address(visit)}
    return page("settings/settings.html", themes=THEMES, zones=ZONES, **known)


@pages.act("/settings", may=Door.SIGNED_IN, again=settings)
def change(visit: Visit) -> Answer:
    language, theme = visit.typed("language"), visit.typed("theme")
    with visit.about("timezone"):
        zone(visit.typed("timezone"))
    if language not in LANGUAGES or theme not in THEMES:
        raise BadInput("Choose one of what the page offers.")
    switches = {name: "on" if visit.ticked(name) else "" for name in ("discreet", "shortcuts")}
    chosen = {"language": language, "theme": theme, "timezone": visit.typed("timezone"), **switches}
    sessions.change_settings(visit.ctx, visit.signed_in, chosen)
    use(language)
    return see_other("/settings", "Saved.")


@pages.act("/settings/passphrase", may=Door.SIGNED_IN, again=settings)
def change_passphrase(visit: Visit) -> Answer:
    old, new = (request.form.get(name, "") for name in ("passphrase_old", "passphrase_new"))
    if new != request.form.get("passphrase_twice", ""):
        with visit.about("passphrase_twice"):
            raise BadInput("The two are not the same. Type them again.")
    with visit.about("passphrase_old"):
        sessions.prove(visit.ctx, visit.signed_in, old)
    with visit.about("passphrase_new"):
        sessions.change_passphrase(visit.ctx, visit.signed_in, new)
    return see_other("/settings", "Your passphrase is changed. Everywhere else you are signed out.")


@pages.act("/settings/sessions/<int:session_id>/end", may=Door.SIGNED_IN)
def end_session(visit: Visit, session_id: int) -> Answer:
    sessions.end(visit.ctx, visit.signed_in, session_id)
    return see_other("/settings", "You are signed out there.")


@pages.act("/settings/sessions/end", may=Door.SIGNED_IN)
def end_others(visit: Visit) -> Answer:
    sessions.end_others(visit.ctx, visit.signed_in)
    return see_other("/settings", "Everywhere else you are signed out.")
