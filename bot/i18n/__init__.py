"""The interface in English and Vietnamese: gettext catalogues, English being the key."""

import os
from collections.abc import Mapping
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from bot.domain.errors import CampaignError, Rejected
from bot.domain.remarks import Blocked
from bot.i18n.words import FIELDS, WORDS
from bot.ports import Said

LANGUAGES = ("vi", "en")
DOMAIN = "campaignbot"
LOCALE = Path(__file__).parents[1] / "locale"

_current: ContextVar[tuple[str, NullTranslations]] = ContextVar("language", default=("en", NullTranslations()))
_loaded: dict[str, NullTranslations] = {"en": NullTranslations()}


def choose(wanted: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """What was asked for, else $CAMPAIGNBOT_LANG, else the machine's own language if that is Vietnamese."""
    asked = wanted or environment.get("CAMPAIGNBOT_LANG", "")
    if asked in LANGUAGES:
        return asked
    machine = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "vi" if machine.startswith("vi") else "en"


def use(language: str) -> None:
    """From here on, in this thread or request."""
    if language not in _loaded:
        with (LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as catalogue:
            _loaded[language] = GNUTranslations(catalogue)
    _current.set((language, _loaded[language]))


def language() -> str:
    return _current.get()[0]


def _(text: str) -> str:
    return _current.get()[1].gettext(text) if text else ""


def many(one: str, more: str, number: int) -> str:
    """The right plural, with {number} filled in."""
    return _current.get()[1].ngettext(one, more, number).format(number=number)


def word(value: str, *scopes: str) -> str:
    """What people call a state, a reason or a kind; whatever is none of these stays as it is."""
    known = next((WORDS[scope][value] for scope in scopes if value in WORDS[scope]), None)
    return _(known) if known else str(value)


def filled(template: str, fields: Mapping[str, object]) -> str:
    """The template in the language in use, as are the words of ours that fill it in."""
    said = {key: _field(value, FIELDS[key]) if key in FIELDS else spoken(value) for key, value in fields.items()}
    return _(template).format_map(said)


def spoken(value: object) -> object:
    """What a platform said of itself, in the language in use; anything else, also foreign words, as it is."""
    return (filled(value.template, value.fields) if value.fields else _(value)) if isinstance(value, Said) else value


def _field(value: object, scopes: tuple[str, ...]) -> str:
    return ", ".join(word(part, *scopes) for part in str(value).split(", "))


def sentence(error: CampaignError) -> str:
    """The error in the language in use, a line for each thing that is wrong."""
    if isinstance(error, Rejected):
        return "\n".join(finding.say(_) for finding in error.findings)
    if isinstance(error, Blocked):
        return "\n".join(filled(block.template, block.fields) for block in error.blocks)
    return filled(error.template, error.fields) if error.fields else _(error.template)
