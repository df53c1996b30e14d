"""The interface in English and Vietnamese: gettext catalogues, English being the key."""

import os
from collections.abc import Mapping
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from bot.domain.errors import CampaignError, Rejected
from bot.domain.remarks import Blocked

LANGUAGES = ("vi", "en")
DOMAIN = "campaignbot"
LOCALE = Path(__file__).parent / "locale"

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


def sentence(error: CampaignError) -> str:
    """The error in the language in use, a line for each thing that is wrong."""
    if isinstance(error, Rejected):
        return "\n".join(finding.say(_) for finding in error.findings)
    if isinstance(error, Blocked):
        return "\n".join(filled(block.template, block.fields) for block in error.blocks)
    return filled(error.template, error.fields) if error.fields else _(error.template)


def filled(template: str, fields: Mapping[str, object]) -> str:
    """The template in the language in use; the words that fill it in are translated where they are ours."""
    return _(template).format_map({key: _(each) if isinstance(each, str) else each for key, each in fields.items()})
