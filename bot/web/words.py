"""What templates say: sentences, states, times with their zone, numbers, each in the language in use."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g
from markupsafe import Markup, escape
from werkzeug.local import LocalProxy

from bot.domain import phrases
from bot.domain.case import Event, PartialDate
from bot.domain.occasions import Occasion
from bot.domain.people import ANYWHERE, EVERYTHING, Duty, Role
from bot.domain.post import Content
from bot.domain.slots import VIETNAM
from bot.domain.slots import zone as zone_of
from bot.domain.sources import page_in
from bot.i18n import _, language, many, spoken, word
from bot.web.frame import Door, Visit

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_THU = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
LONGEST_HEADLINE = 90
visit: Visit = LocalProxy(lambda: g.visit)  # type: ignore[assignment]


def say(template: str, **fields: object) -> Markup:
    """The sentence in the language in use; what fills it in is escaped, unless it is markup already."""
    return Markup(escape(_(template))).format(**fields)  # noqa: S704 - escaped just here


def number(value: int) -> str:
    return phrases.number(value)[language() == "en"]


def weekday(on: date) -> str:
    return (_THU, _WEEKDAYS)[language() == "en"][on.weekday()]


def days_of_the_week() -> tuple[str, ...]:
    """Monday first."""
    return (_THU, _WEEKDAYS)[language() == "en"]


def day(on: date | datetime, *, named: bool = False, short: bool = False) -> Markup:
    """A local date; of a moment, the date in the reader's zone. `named` begins with the day of the week."""
    local = on.astimezone(zone_of(visit.zone)).date() if isinstance(on, datetime) else on
    vietnamese, english = phrases.day(local)
    long = f"ngày {local.day} tháng {local.month} năm {local.year}"
    said = (vietnamese if short else long) if language() == "vi" else english
    if named:
        said = f"{weekday(local)}{', ' if language() == 'vi' else ' '}{said}"
    return _time(local.isoformat(), said)


def partial(on: PartialDate, *, short: bool = False) -> Markup:
    """A date no more precise than it is known."""
    if on.exact:
        return day(on.exact, short=short)
    return _time(str(on), phrases.month(on, bare=short)[language() == "en"])


def in_language(pair: phrases.Pair) -> str:
    return pair[language() == "en"]


def term(event: Event) -> str:
    """The sentence as courts say it, or nothing."""
    return in_language(phrases.sentence(event) or ("", ""))


def initials(name: str) -> str:
    """Of the family name and of the given name, which comes last."""
    words = name.split()
    return (words[0][0] + words[-1][0]).upper() if words else ""


def plainly(value: object) -> str:
    """A value of a fact as it is kept."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{word(key, 'field')}: {plainly(each)}" for key, each in value.items())
    return ", ".join(map(plainly, value)) if isinstance(value, list) else word(str(value), "status", "consent", "event")


def source(text: str) -> Markup:
    """The page it is at as a link that says where it leads; of a document, its name."""
    if (page := page_in(text)) is None:
        return Markup("<span>{}</span>").format(text)
    host = (urlsplit(page).hostname or "").removeprefix("www.")
    said = text.replace(page, "").strip(" ,:;()")
    link = Markup('<a href="{}" rel="noreferrer">{}</a>').format(page, host)
    return Markup("{} ({})").format(said, link) if said else link


def clock(when: datetime, *, seconds: bool = False) -> Markup:
    """The time of day alone: for a place that names the day and the zone."""
    local = when.astimezone(zone_of(visit.zone))
    return _time(when.astimezone(UTC).isoformat(), f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}")


def moment(when: datetime | None, *, bare: bool = False) -> Markup:
    """Day and time with the zone; `bare` for a place that names the zone."""
    if when is None:
        return Markup("–")
    local = when.astimezone(zone_of(visit.zone))
    vietnamese, english = phrases.day(local.date())
    said = f"{local:%H:%M} {vietnamese}" if language() == "vi" else f"{english}, {local:%H:%M}"
    return _time(when.astimezone(UTC).isoformat(), said if bare else f"{said} ({zone_name(visit.zone, when)})")


def _time(machine: str, said: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, said)


def zone_name(zone: str, now: datetime) -> str:
    offset = now.astimezone(zone_of(zone)).strftime("%z")
    hours = f"{offset[0]}{int(offset[1:3])}" + (f":{offset[3:5]}" if offset[3:5] != "00" else "")
    return f"{'Hà Nội' if zone == VIETNAM else zone}, UTC{hours}"


def ago(when: datetime) -> str:
    """How long ago, in whole minutes, hours or days."""
    seconds = max(int((visit.ctx.now() - when).total_seconds()), 0)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return _("just now")
    if seconds < 3600:  # noqa: PLR2004 - an hour
        return many("{number} minute ago", "{number} minutes ago", seconds // 60)
    if seconds < 2 * 86_400:
        return many("{number} hour ago", "{number} hours ago", seconds // 3600)
    return many("{number} day ago", "{number} days ago", seconds // 86_400)


def first_line(content: Content, most: int = LONGEST_HEADLINE) -> tuple[str, str]:
    """The language and the first line of a post, in the reader's language where there is one."""
    known = next((each for each in (language(), "vi", "en") if (each, "") in content.texts), "")
    text = content.texts[known, ""] if known else next(iter(content.texts.values()), "")
    line = next((each.strip() for each in text.splitlines() if each.strip()), "") or _("(no text yet)")
    if len(line) > most:
        line = line[:most].rpartition(" ")[0] + " …"
    return known or language(), line


def headline(content: Content, most: int | None = None) -> Markup:
    return Markup('<span lang="{}">{}</span>').format(*first_line(content, most or LONGEST_HEADLINE))


def occasion_words(occasion: Occasion) -> str:
    """What the day marks, without whom it is about."""
    if occasion.days:
        one, more = "{number} day in prison", "{number} days in prison"
        return many(one, more, occasion.days).replace(str(occasion.days), number(occasion.days))
    kind = word(occasion.kind, "kind")
    return f"{kind}, {many('{number} year', '{number} years', occasion.years)}" if occasion.years else kind


def observance_name(occasion: Occasion) -> str:
    found = visit.ctx.schedules.observances(occasion.on, occasion.on)
    named = next((each for each in found if each.id == occasion.observance), None)
    return (named.name_vi if language() == "vi" else named.name_en) if named else occasion.observance


def capital(text: str) -> str:
    return phrases.capital(text)


# What a state looks like, beside its word.
BADGES: Mapping[str, Mapping[str, str]] = {
    "post": {"in_review": "warn", "returned": "warn", "scheduled": "ok", "published": "ok",
             "partly_published": "danger", "lapsed": "danger"},
    "delivery": {"published": "ok", "scheduled": "ok", "unknown": "warn", "held": "warn", "retry_wait": "warn",
                 "failed": "danger", "missed": "danger"},
    "status": {"imprisoned": "prison", "awaiting_trial": "held", "released": "freed", "exiled": "exile",
               "died": "died", "unknown": "warn"},
}  # fmt: skip


def badge_class(scope: str, state: str) -> str:
    return BADGES.get(scope, {}).get(state, "")


def teach(app: Flask, **more: Any) -> None:  # noqa: ANN401 - whatever templates may call
    """Gives templates their words."""
    app.jinja_env.globals |= {
        "_": _, "say": say, "spoken": spoken, "many": many, "word": word, "visit": visit,
        "language": language, "moment": moment,
        "day": day, "partial": partial, "in_language": in_language, "source": source,
        "term": term, "initials": initials, "plainly": plainly,
        "clock": clock, "ago": ago, "weekday": weekday, "zone_name": zone_name, "badge_class": badge_class,
        "headline": headline, "occasion_words": occasion_words, "observance_name": observance_name,
        "Duty": Duty, "Role": Role, "Door": Door, "ANYWHERE": ANYWHERE, "EVERYTHING": EVERYTHING, **more,
    }  # fmt: skip
    app.jinja_env.filters |= {"moment": moment, "day": day, "number": number, "capital": capital}
