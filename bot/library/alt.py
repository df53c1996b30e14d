"""Describes a share card in both languages, for people who do not see it."""

from collections.abc import Mapping

from jinja2 import UndefinedError

from bot.domain.campaign import LANGUAGES, Places
from bot.domain.case import Case, Tier
from bot.domain.fields import Page
from bot.domain.occasions import Occasion
from bot.domain.phrases import Pair, capital, month
from bot.domain.wording import kind_of, page_of
from bot.library.messages import Messages

_STATUS_LINES: Mapping[Tier, tuple[str, ...]] = {
    Tier.FRESH: ("held",),
    Tier.STALE: ("last",),
    Tier.PAST: ("left-vietnam", "out", "died"),
}


def alt_texts(
    messages: Messages, occasion: Occasion, cases: Mapping[str, Case], places: Places, *, source: str
) -> Mapping[str, str] | None:
    """What a share card of the occasion shows, for people who do not see it; None where a word is not known."""
    page = page_of(occasion, cases, places)
    if len(occasion.cases) == 1:
        confirmed = month(cases[occasion.cases[0]].confirmation.as_of, bare=True)
        page.put("as_of", confirmed)
    page.put("source", (source, source))
    # Near the end of a term nothing may hint at prison.
    said = () if occasion.near_term_end else _STATUS_LINES[occasion.tier]
    lines = (_known(messages, ("shared", name), page) for name in said)
    line = next((pair for pair in lines if pair), None)
    page.put("status_line", line or ("", ""))
    page.put("outcome_line", line and (capital(line[0]), capital(line[1])))
    words = _known(messages, ("alt", kind_of(occasion, cases)), page)
    return words and {language: " ".join(text.split()) for language, text in zip(LANGUAGES, words, strict=True)}


def _known(messages: Messages, text: tuple[str, str], page: Page) -> Pair | None:
    try:
        return messages.say(*text, page)
    except UndefinedError:
        return None
