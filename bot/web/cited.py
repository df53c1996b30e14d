"""A cited fact in the reader's words, with the pages and documents that state it."""

from urllib.parse import urlsplit

from bot.domain import phrases
from bot.domain.case import Case, Consent, Event, PartialDate
from bot.domain.phrases import Pair, capital
from bot.i18n import _, language, many, word
from bot.services.readings import Fact

Line = tuple[str, str]
"""A text and its language."""


def when(on: PartialDate) -> str:
    return _own(phrases.day(on.exact) if on.exact else phrases.month(on))


def _own(pair: Pair) -> str:
    return pair[language() == "en"]


def title(fact: Fact) -> Line:
    """What the reviewer is to check, in a few words."""
    case, name = fact.case, fact.cite.fact
    if fact.event:
        return f"{capital(word(fact.event.kind, 'kind'))}: {when(fact.event.date)}", language()
    if case is None or name not in _TITLES:
        return f"{fact.cite.case}, {name}", language()
    return _TITLES[name](case), "vi" if name == "identity" else language()


def _status(case: Case) -> str:
    return f"{capital(word(case.status, 'status'))} ({_confirmation(case)})"


def _confirmation(case: Case) -> str:
    return _("as of {when}").format(when=when(case.confirmation.as_of))


def _term(case: Case) -> str:
    return (
        _("The prison term ends: {when}").format(when=when(case.term.end))
        if case.term
        else _("No end of the prison term is on file.")
    )


def consent(case: Case) -> str:
    return {
        Consent.GIVEN: _("Consent: given by the person or the family."),
        Consent.LIMITED: _("Consent: limited. Only what was agreed, and two people approve."),
        Consent.REFUSED: _("Consent: refused. Nothing is posted."),
        Consent.UNKNOWN: _("Consent: not known. Published facts only, and no portrait."),
    }[case.consent]


def _custody(case: Case) -> str:
    if case.custody_unbroken is None:
        return _("It is not known whether the custody was ever interrupted.")
    return _("In custody without a break.") if case.custody_unbroken else _("The custody was interrupted.")


def _address(case: Case) -> str:
    said = " ".join(filter(None, (case.address.value, case.title_vi, case.short_vi)))
    return (
        _("Form of address: {words}").format(words=said) if said else _("No form of address is known, so none is used.")
    )


def _occupation(case: Case) -> str:
    said = case.occupation_vi if language() == "vi" else case.occupation_en
    return _("Occupation: {words}").format(words=said or "–")


def _campaigns(case: Case) -> str:
    return _("Campaigns: {names}").format(names=", ".join(case.campaigns) or "–")


_TITLES = {
    "identity": lambda case: case.name_vi,
    "status": _status,
    "confirmation": lambda case: capital(_confirmation(case)),
    "term": _term,
    "consent": consent,
    "custody": _custody,
    "address": _address,
    "occupation": _occupation,
    "campaigns": _campaigns,
}


def details(fact: Fact) -> list[Line]:
    """What else the fact says; the files state courts and charges in English."""
    if fact.event:
        return _of_event(fact.event)
    if fact.case and fact.cite.fact == "identity":
        return [(", ".join((fact.case.name_en, *fact.case.also_known_as)), "en")]
    return []


def _of_event(event: Event) -> list[Line]:
    lines = [(text, "en") for text in (event.court, event.charge, event.province, event.destination) if text]
    if term := phrases.sentence(event):
        lines.append((_own(term), language()))
    if event.joint_defendants:
        one, more = "{number} person was tried.", "{number} people were tried together."
        lines.append((many(one, more, event.joint_defendants), language()))
    return lines


def pages(fact: Fact) -> list[tuple[str, str]]:
    """Address and host of each page on file, once."""
    stated = fact.stated.source.split() if fact.stated else []
    return [(each, host(each)) for each in dict.fromkeys([*fact.sources, *stated]) if host(each)]


def host(text: str) -> str:
    """Of a page on the web; "" for whatever is none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return (parts.hostname or "").removeprefix("www.") if parts.scheme in {"http", "https"} else ""


def documents(fact: Fact) -> list[str]:
    """What is no page: a letter, a call, as somebody described it. What the program brought names its file only."""
    lines = [*fact.sources, *(fact.stated.source.splitlines() if fact.stated and fact.stated.author else [])]
    return [each for each in dict.fromkeys(line.strip() for line in lines) if each and not host(each.split()[0])]
