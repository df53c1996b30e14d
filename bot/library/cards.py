"""Words a share card in both languages, and describes it for people who do not see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from jinja2 import UndefinedError

from bot.domain.campaign import LANGUAGES, Campaign, Places
from bot.domain.case import Case, Tier
from bot.domain.fields import Cite, Page
from bot.domain.occasions import Occasion, OccasionKind
from bot.domain.phrases import Pair, capital, month
from bot.domain.wording import kind_of, page_of
from bot.library.messages import Messages, listed

_STATUS_LINES: Mapping[Tier, tuple[str, ...]] = {
    Tier.FRESH: ("held",),
    Tier.STALE: ("last",),
    Tier.PAST: ("left-vietnam", "out", "died"),
}
_NEXT_LINE = "\n---\n"
SPACE = "\N{NO-BREAK SPACE}"


class Design(StrEnum):
    """How a card looks. A day count leads with its number; a hearing stands on light ground."""

    ARREST = "arrest"
    DAYS = "days"
    TRIAL = "trial"
    JOINT = "joint"


_DESIGNS: Mapping[str, Design] = {
    OccasionKind.ARREST: Design.ARREST,
    OccasionKind.DAY_COUNT: Design.DAYS,
    OccasionKind.TRIAL: Design.TRIAL,
    OccasionKind.APPEAL_TRIAL: Design.TRIAL,
    OccasionKind.JOINT_TRIAL: Design.JOINT,
    OccasionKind.JOINT_APPEAL: Design.JOINT,
}


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that is printed on a card, and nothing else.

    `lines` are pairs, the first the largest. `number` is the same figure in both languages. `cites` names the facts
    that the card prints, by case and fact; `claims` is what it says of today. `day` is as in a Picture.
    """

    design: Design
    lines: tuple[Pair, ...]
    footer: tuple[str, ...]
    tags: tuple[str, ...]
    alt: Mapping[str, str]
    cites: frozenset[Cite]
    claims: Tier
    name: str = ""
    role: Pair = ("", "")
    number: str = ""
    day: str = ""
    names: tuple[str, ...] = ()

    @property
    def initials(self) -> str:
        """Of the family name and of the given name, which comes last."""
        words = self.name.split()
        return (words[0][0] + words[-1][0]).upper() if words else ""


def card_of(
    messages: Messages,
    occasion: Occasion,
    cases: Mapping[str, Case],
    campaign: Campaign,
    places: Places,
    *,
    source: str,
) -> Card | None:
    """None where there is no such card, or a word on it is not known. `source` is the host of a page."""
    kind = kind_of(occasion, cases)
    page = _page(messages, occasion, cases, places, source)
    lines, alt = _known(messages, ("card", kind), page), _known(messages, ("alt", kind), page)
    names = _known(messages, ("card", "names"), page) if _DESIGNS.get(kind) is Design.JOINT else ("", "")
    if kind not in _DESIGNS or not (lines and alt and names):
        return None
    if kind == OccasionKind.DAY_COUNT and (occasion.tier is not Tier.FRESH or occasion.near_term_end):
        return None
    one = cases[occasion.cases[0]] if len(occasion.cases) == 1 else None
    footer = [_known(messages, ("card", name), page) for name in ("as_of", "source")]
    counts = occasion.days or "years" in messages.printed("card", kind) | messages.printed("alt", kind)
    status = any(page.vi["status_line"] and page.vi["status_line"] in words for words in lines)
    return Card(
        design=_DESIGNS[kind],
        lines=tuple(zip(*(text.split(_NEXT_LINE) for text in lines), strict=True)),
        footer=tuple(" · ".join(pair) for pair in footer if pair),
        tags=tuple(dict.fromkeys(tag for language in LANGUAGES for tag in campaign.hashtags.get(language, ())))[:2],
        alt=_spaced(alt),
        cites=_cites(messages, page, ("card", kind), ("alt", kind), ("card", "as_of")).union(page.always),
        claims=occasion.tier if status else Tier.STALE,
        name=one.name_vi if one else "",
        role=(capital(page.vi["occupation"]), capital(page.en["occupation"])) if one else ("", ""),
        number=f"{occasion.days:,}".replace(",", SPACE) if occasion.days else "",
        day=occasion.on.isoformat() if counts else "",
        names=tuple(map(_both_terms, *map(listed, names))) if any(names) else (),
    )


def alt_texts(
    messages: Messages, occasion: Occasion, cases: Mapping[str, Case], places: Places, *, source: str
) -> Mapping[str, str] | None:
    """What a share card of the occasion shows, for people who do not see it; None where a word is not known."""
    page = _page(messages, occasion, cases, places, source)
    words = _known(messages, ("alt", kind_of(occasion, cases)), page)
    return words and _spaced(words)


def _page(messages: Messages, occasion: Occasion, cases: Mapping[str, Case], places: Places, source: str) -> Page:
    page = page_of(occasion, cases, places)
    if len(occasion.cases) == 1:
        slug = occasion.cases[0]
        page.put("as_of", month(cases[slug].confirmation.as_of, bare=True), (slug, "confirmation"))
    page.put("source", (source, source))
    # Near the end of a term nothing may hint at prison.
    said = () if occasion.near_term_end else _STATUS_LINES[occasion.tier]
    lines = ((name, _known(messages, ("shared", name), page)) for name in said)
    name, line = next(((name, pair) for name, pair in lines if pair), ("", None))
    cites = _cites(messages, page, ("shared", name)) if line else ()
    page.put("status_line", line or ("", ""), *cites)
    page.put("outcome_line", line and (capital(line[0]), capital(line[1])), *cites)
    return page


def _cites(messages: Messages, page: Page, *texts: tuple[str, str]) -> frozenset[Cite]:
    """The facts that these texts print."""
    fields = frozenset[str]().union(*(messages.printed(*text) for text in texts))
    return frozenset[Cite]().union(*(page.cites.get(name, ()) for name in fields))


def _known(messages: Messages, text: tuple[str, str], page: Page) -> Pair | None:
    try:
        return messages.say(*text, page)
    except UndefinedError:
        return None


def _spaced(words: Pair) -> Mapping[str, str]:
    return {language: " ".join(text.split()) for language, text in zip(LANGUAGES, words, strict=True)}


def _both_terms(vi: str, en: str) -> str:
    """“Nguyễn Văn A (5 năm · 5 years)”: a name stands on a card once, with its marks."""
    name, _, term = vi.strip(" ,").rpartition(" (")
    return f"{name} ({term.removesuffix(')')} · {en.strip(' ,').rpartition(' (')[2].removesuffix(')')})"
