"""Campaigns, slots, days, places, prices and starting posts, loaded from the folder that people edit."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from bot.domain.budget import MILLIONTHS, Price
from bot.domain.campaign import LANGUAGES, Campaign, Observance, Places, Shape, Short, Slot
from bot.domain.case import Case
from bot.domain.errors import BadInput, Finding, Rejected
from bot.domain.people import Scope
from bot.domain.reader import Reader, finding, normal
from bot.domain.slots import zone
from bot.library.files import read_toml
from bot.library.observances import OBSERVANCE_KEYS, ObservanceRule, read_observance, weekday

T = TypeVar("T")
META_KEYS = ("schema", "compiled_on")
MAX_APPROVALS = 5
DEAREST = 100
_TAG = re.compile(r"#[^\W_]\w*\Z")
_QUOTED = re.compile("“[^“”]+”")


@dataclass(frozen=True, slots=True)
class StartingPost:
    """A general post, imported as a draft; literal, hashtags included. `cases` are the people it names."""

    id: str
    campaign: str
    vi: str
    en: str
    note: str = ""
    note_vi: str = ""
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedules:
    campaigns: tuple[Campaign, ...] = ()
    slots: tuple[Slot, ...] = ()
    observance_rules: tuple[ObservanceRule, ...] = ()
    places: Places = field(default_factory=Places)
    posts: tuple[StartingPost, ...] = ()
    prices: tuple[Price, ...] = ()

    @property
    def default_campaign(self) -> Campaign:
        return next(campaign for campaign in self.campaigns if campaign.default)

    def scope_of(self, case: Case) -> Scope:
        """The campaigns whose posts speak of the case."""
        return Scope(frozenset(case.campaigns or (each.slug for each in self.campaigns if each.default)))

    def campaign(self, slug: str) -> Campaign | None:
        return next((campaign for campaign in self.campaigns if campaign.slug == slug), None)

    def observances(self, start: date, end: date) -> tuple[Observance, ...]:
        """Every observance that touches the days from `start` to `end`, both included, by date."""
        found = (one for rule in self.observance_rules for one in rule.between(start, end))
        return tuple(sorted(found, key=lambda one: (one.on, one.id)))


def load_schedules(folder: Path) -> Schedules:
    """Raises Rejected with the findings of all files at once."""
    findings: list[Finding] = []
    schedules = Schedules(
        campaigns=_list_of(folder, "campaign", _keys(Campaign), _campaign, findings),
        slots=_list_of(folder, "slot", _keys(Slot), _slot, findings),
        observance_rules=_list_of(folder, "observance", OBSERVANCE_KEYS, read_observance, findings),
        places=_places(_open(folder / "places.toml", _keys(Places), findings)),
        posts=_list_of(folder, "post", _keys(StartingPost), _post, findings),
        prices=_list_of(folder, "price", _keys(Price), _price, findings),
    )
    if not any(finding.file == "campaigns.toml" for finding in findings):
        findings += _astray(schedules)
    if findings:
        raise Rejected(findings)
    return schedules


def load_prices(folder: Path) -> tuple[Price, ...]:
    """Raises Rejected with the findings of that file."""
    findings: list[Finding] = []
    prices = _list_of(folder, "price", _keys(Price), _price, findings)
    if findings:
        raise Rejected(findings)
    return prices


def _keys(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _open(path: Path, known: Sequence[str], findings: list[Finding]) -> Reader:
    try:
        plain, name = read_toml(path)
    except Rejected as error:
        findings += error.findings
        return Reader({}, known, file=path.name, findings=findings)
    reader = Reader(plain, ("meta", *known), file=name, findings=findings)
    if meta := reader.table("meta", META_KEYS):
        meta.number("schema", least=1, most=1)
    return reader


def _list_of(
    folder: Path, noun: str, known: Sequence[str], read: Callable[[Reader], T], findings: list[Finding]
) -> tuple[T, ...]:
    """The tables of a file, each called by the first of the keys it may have."""
    reader, named = _open(folder / f"{noun}s.toml", (noun,), findings), known[0]
    values = tuple(read(table) for table in reader.tables(noun, known, named))
    for name, times in Counter(str(getattr(value, named)) for value in values).items():
        if name and times > 1:
            reader.report(f"{noun} “{name[:40]}”", "the {key} stands twice.", "Give one another.", key=named)
    return values


def _campaign(table: Reader) -> Campaign:
    return Campaign(
        slug=table.name("slug", required=True),
        hashtags=_by_language(table, "hashtags", lambda part, language: part.parsed_list(language, _tag)),
        links=_by_language(table, "links", lambda part, language: part.parsed(language, _link) or ""),
        approvals=table.number("approvals", least=1, most=MAX_APPROVALS) or 1,
        cards=table.choice("cards", Shape),
        **table.simple(Campaign, but=("slug",)),
    )


def _by_language(table: Reader, key: str, read: Callable[[Reader, str], T]) -> dict[str, T]:
    """Both languages or neither."""
    part = table.table(key, LANGUAGES)
    if part is None:
        return {}
    for language in LANGUAGES:
        if language not in part.plain:
            part.report(language, "is missing.", "Both languages are one unit.")
    return {language: read(part, language) for language in LANGUAGES}


def _tag(text: str) -> str:
    if not _TAG.match(text):
        raise BadInput("“{text}” is cut short by platforms. A tag is # and letters or digits.", text=text[:60])
    return text


def _link(text: str) -> str:
    if not text.startswith("https://") or len(text.split()) != 1:
        raise BadInput("“{text}” is not a link. It begins with https://.", text=text[:60])
    return text


def _slot(table: Reader) -> Slot:
    weekdays = frozenset(table.parsed_list("weekdays", weekday))
    if not weekdays and not table.plain.get("weekdays"):
        table.report("weekdays", "is missing.", 'Write for example ["tue", "sat"].')
    return Slot(
        at=table.parsed("at", clock_time, required=True) or time(),
        weekdays=weekdays,
        timezone=table.parsed("timezone", lambda name: zone(name).key) or "",
        **table.simple(Slot, but=("timezone",)),
    )


def clock_time(text: str) -> time:
    """A wall time to the minute."""
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if not match:
        raise BadInput("“{text}” is not a time of day. Write 20:00.", text=text[:40])
    return time(int(match[1]), int(match[2]))


def _post(table: Reader) -> StartingPost:
    return StartingPost(**table.simple(StartingPost))


def _price(table: Reader) -> Price:
    return Price(
        since=table.parsed("since", _day, required=True) or date.max,
        seen_on=table.parsed("seen_on", _day, required=True) or date.min,
        per_post=_cost(table, "per_post"),
        per_link_post=_cost(table, "per_link_post"),
        source=table.parsed("source", _link, required=True) or "",
        **table.simple(Price, but=("source",)),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("“{text}” is not in the calendar. Write 2026-12-10.", text=text[:40]) from None


def _cost(table: Reader, key: str) -> int:
    """US dollars, as people write them, in millionths."""
    try:
        cost = Decimal(str(table.plain.get(key))) * MILLIONTHS
        if 0 <= cost <= DEAREST * MILLIONTHS and cost == int(cost):
            return int(cost)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    table.report(key, "must be US dollars such as 0.015.")
    return 0


def _places(reader: Reader) -> Places:
    groups = {key: _shorts(reader, key) for key in _keys(Places)}
    for wording, short in groups["charges"].items():
        if not (_QUOTED.search(short.vi) and _QUOTED.search(short.en)):
            reader.report(f"charges: “{wording[:60]}”", "has no “quotation marks”.", "A charge is never our word.")
    return Places(**groups)


def _shorts(reader: Reader, key: str) -> dict[str, Short]:
    group = reader.table(key, list(reader.plain.get(key) or ()))
    shorts = {}
    for wording in group.plain if group else ():
        if group and (part := group.table(wording, LANGUAGES)):
            shorts[normal(wording)] = Short(part.text("vi", required=True), part.text("en", required=True))
    return shorts


def _astray(schedules: Schedules) -> list[Finding]:
    """What one file says of another."""
    slugs = [campaign.slug for campaign in schedules.campaigns]
    defaults = sum(campaign.default for campaign in schedules.campaigns)
    findings = []
    if defaults != 1:
        problem, remedy = "{count} campaigns are the default.", "Write default = true at exactly one."
        findings.append(finding("campaigns.toml", "default", problem, remedy, count=defaults))
    for slot in schedules.slots:
        findings += _nowhere("slots.toml", f"slot “{slot.name}”: campaign", [slot.campaign], slugs, "Create it.")
    for post in schedules.posts:
        findings += _nowhere("posts.toml", f"post “{post.id}”: campaign", [post.campaign], slugs, "Create it.")
    return findings


def about_cases(schedules: Schedules, cases: Sequence[Case]) -> tuple[Finding, ...]:
    """What the cases need of the schedules and do not find: none of it stops a post, all of it narrows one."""
    findings = []
    for noun in ("court", "province", "charge", "destination"):
        used = [getattr(event, noun) for case in cases for event in case.events]
        findings += [
            finding("places.toml", f"{noun}s", _NO_SHORT, _PASSED, name=value, times=used.count(value))
            for value in _missing(used, getattr(schedules.places, f"{noun}s"))
        ]
    campaigns, present = ([one.slug for one in known] for known in (schedules.campaigns, cases))
    for case in cases:
        findings += _nowhere("cases", f"{case.slug}: campaigns", case.campaigns, campaigns)
    for post in schedules.posts:
        findings += _nowhere("posts.toml", f"post “{post.id}”: cases", post.cases, present)
    return tuple(findings)


_NO_SHORT = "“{name}” is missing, and is named {times} times."
_PASSED = "Models that print it are passed over."


def _nowhere(file: str, where: str, used: Iterable[str], known: Sequence[str], remedy: str = "") -> Iterator[Finding]:
    for name in _missing(used, known):
        yield finding(file, where, "“{name}” does not exist.", remedy, near=(name, known), name=name[:40])


def _missing(used: Iterable[str], known: Iterable[str]) -> list[str]:
    return sorted(set(used) - set(known) - {""})
