"""The calendar as calendar programs read it, at a private address that its owner makes and takes back in Settings."""

from datetime import UTC, datetime, time, timedelta
from hashlib import sha256

from flask import make_response, request
from icalendar import Calendar, Event

from bot.domain.occasions import Occasion
from bot.domain.post import Post, PostState
from bot.i18n import LANGUAGES, _, use, word
from bot.services import feed
from bot.services.feed import Feed
from bot.web.frame import Answer, Door, Pages, Visit, see_other
from bot.web.words import capital, first_line, occasion_words

pages = Pages("feed")
LASTS = timedelta(minutes=15)
_NAMED = 3


@pages.show("/calendar.ics", may=Door.ANYONE)
def calendar(visit: Visit) -> Answer:
    """Whoever holds the address reads it; nothing in it can be changed."""
    found = feed.read(visit.ctx, visit.asked("key"))
    use(found.language if found.language in LANGUAGES else visit.language)
    answer = make_response(_written(visit, found))
    answer.mimetype = "text/calendar"
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag(weak=True)
    return answer.make_conditional(request)


@pages.act("/settings/calendar", may=Door.SIGNED_IN, fresh=True)
def renew(visit: Visit) -> Answer:
    names = bool(visit.ticked("names"))
    feed.renew(visit.ctx, visit.signed_in, language=visit.language, with_names=names)
    return see_other("/settings#calendar", "This is your calendar’s new address. One from before leads nowhere now.")


@pages.act("/settings/calendar/end", may=Door.SIGNED_IN)
def end(visit: Visit) -> Answer:
    feed.end(visit.ctx, visit.signed_in)
    return see_other("/settings#calendar", "Your calendar’s address leads nowhere now.")


def address(visit: Visit) -> str:
    key = feed.key_of(visit.ctx, visit.signed_in)
    return f"{visit.site.address or request.host_url.rstrip('/')}/calendar.ics?key={key}" if key else ""


def _written(visit: Visit, found: Feed) -> bytes:
    made = Calendar()
    made.add("prodid", "-//campaignbot//calendar//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", visit.site.name if found.with_names else _("Notes"))
    for post in found.posts:
        made.add_component(_of_post(post, found))
    for one in found.days:
        made.add_component(_of_day(one, found))
    return bytes(made.to_ical())


def _of_post(post: Post, found: Feed) -> Event:
    said = first_line(post.content)[1] if found.with_names else _("Post {number}").format(number=post.id)
    event = _event(f"post-{post.id}", f"{said} ({word(post.state, 'post')})", post.changed_at, found)
    event.add("status", "TENTATIVE" if post.state is PostState.IN_REVIEW else "CONFIRMED")
    assert post.due  # noqa: S101 - found by its time
    event.add("dtstart", post.due)
    event.add("dtend", post.due + LASTS)
    return event


def _of_day(one: Occasion, found: Feed) -> Event:
    """All of the day, which is Viet Nam's."""
    names = ", ".join(found.cases[slug].name_vi for slug in one.cases[:_NAMED])
    more = " …" if len(one.cases) > _NAMED else ""
    said = f"{names}{more}: {occasion_words(one)}" if found.with_names else _("Anniversary")
    event = _event(one.key, capital(said), datetime.combine(one.on, time(), UTC), found)
    event.add("dtstart", one.on)
    event.add("dtend", one.on + timedelta(days=1))
    return event


def _event(name: str, summary: str, stamp: datetime, found: Feed) -> Event:
    event = Event()
    event.add("uid", f"{sha256(f'{found.salt} {name}'.encode()).hexdigest()[:32]}@campaignbot")
    event.add("summary", summary)
    event.add("dtstamp", stamp)
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    return event
