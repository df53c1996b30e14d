"""Looks over everything people edit beside config.toml, and says all that is wrong in one run."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.domain.case import Case
from bot.domain.errors import Finding, Rejected
from bot.domain.reader import finding
from bot.library.casefiles import read_cases_toml
from bot.library.messages import load_messages
from bot.library.schedules import Schedules, about_cases, load_schedules
from bot.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """`findings` stop the program until they are mended; `notes` narrow what can be said."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def check(folder: Path, settings: Settings | None, cases: Sequence[Case] | None = None) -> Checked:
    """`cases` are those of the database; without them, those that would be imported are looked at."""
    findings: list[Finding] = []
    schedules = _read(findings, lambda: load_schedules(folder / "schedules"))
    _read(findings, lambda: load_messages(folder / "messages"))
    shipped = _read(findings, lambda: read_cases_toml(folder / "schedules" / "cases.toml")) or ()
    if schedules is None:
        return Checked(tuple(findings), ())
    if settings:
        findings += astray(schedules, settings)
    return Checked(tuple(findings), about_cases(schedules, shipped if cases is None else cases))


def _read(findings: list[Finding], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Rejected as error:
        findings += error.findings
        return None


def astray(schedules: Schedules, settings: Settings) -> Iterator[Finding]:
    """What config.toml and the schedules name in each other and is not there."""
    slugs = [campaign.slug for campaign in schedules.campaigns]
    config, no_campaign = settings.path.name, "there is no campaign “{name}”."
    for own in settings.campaigns:
        yield from _unknown(config, f"[[campaign]] “{own.slug}”", no_campaign, [own.slug], slugs)
    accounts, no_account = [channel.name for channel in settings.channels], "there is no account “{name}”."
    for channel in settings.channels:
        if channel.budget.per_month_usd is not None:
            where, priced = f"[[channel]] “{channel.name}”: budget", [price.platform for price in schedules.prices]
            yield from _unknown(config, where, "prices.toml has no price of “{name}”.", [channel.habits], priced)
    for campaign in schedules.campaigns:
        where = f"campaign “{campaign.slug}”: channels"
        yield from _unknown("campaigns.toml", where, no_account, campaign.channels, accounts)
    for slot in schedules.slots:
        yield from _unknown("slots.toml", f"slot “{slot.name}”: channels", no_account, slot.channels, accounts)


def _unknown(file: str, where: str, problem: str, names: Iterable[str], known: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        if name not in known:
            yield finding(file, where, problem, "Add it, or leave it out here.", near=(name, known), name=name)
