"""What a year should say, worked out from the data files by the written rules, with none of the program's code."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

Case = Mapping[str, Any]
Event = Mapping[str, Any]

CONFIRMATION_BEARS_DAYS = 180
TERM_MARGIN_DAYS = 30
DAILY_CAP = 6
FIRST_COUNTS, EVERY_DAYS = (100, 200, 500, 1_000), 500
TET = {2027: date(2027, 2, 6), 2028: date(2028, 1, 26), 2029: date(2029, 2, 13), 2030: date(2030, 2, 2)}
HELD, PAST = {"imprisoned", "awaiting_trial"}, {"released", "exiled", "died"}
WRITTEN_ORDER = [
    *("joint_trial", "joint_appeal", "observance", "day_count", "arrest", "trial", "appeal_trial"),
    *("exile", "release", "death"),
]


class Key(NamedTuple):
    on: str
    kind: str
    cases: frozenset[str]
    years: int
    days: int
    observance: str


@dataclass(frozen=True)
class Expected:
    """`reasons` are those of which one must be given; none where it goes out by itself. `bears_today`: fresh."""

    key: Key
    reasons: frozenset[str] = frozenset()
    bears_today: bool = False


@dataclass(frozen=True)
class Campaigns:
    default: str
    marking_past: frozenset[str]
    names: Sequence[str]


def read(*files: Path) -> list[dict[str, Any]]:
    return [case for file in files for case in tomllib.loads(file.read_text())["case"]]


def campaigns(file: Path) -> Campaigns:
    every = tomllib.loads(file.read_text())["campaign"]
    marking = frozenset(one["slug"] for one in every if one["marks_past"])
    return Campaigns(next(one["slug"] for one in every if one.get("default")), marking, [one["slug"] for one in every])


def expected(
    cases: Iterable[Case], observances: Iterable[Mapping[str, Any]], start: date, days: int, known: Campaigns
) -> list[Expected]:
    end = start + timedelta(days=days - 1)
    willing = [case for case in cases if case["consent"] != "refused"]
    found = [
        *(one for group in _groups(willing) for one in _yearly(group, start, end, known)),
        *(one for case in willing for one in _counted(case, start, end)),
        *(one for observance in observances for one in _observed(observance, start, end)),
    ]
    return _capped(found)


def first_day(text: str) -> date:
    return date.fromisoformat((text + "-01-01")[:10] if len(text) == len("2020") else (text + "-01")[:10])


def last_day(text: str) -> date:
    first = first_day(text)
    width = {len("2020"): 366, len("2020-01"): 31}.get(len(text), 1)
    days = (first + timedelta(days=number) for number in range(width))
    return max(day for day in days if day.isoformat().startswith(text))


def is_exact(text: str) -> bool:
    return len(text) == len("2020-01-01")


def near_end(case: Case, on: date) -> bool:
    """The term is over, or ends within thirty days, or may."""
    end = case.get("term_end")
    return end is not None and on >= first_day(end) - timedelta(days=TERM_MARGIN_DAYS)


def confirmed(case: Case, on: date) -> bool:
    return 0 <= (on - first_day(case["status_as_of"])).days <= CONFIRMATION_BEARS_DAYS


def bears_today(case: Case, event: Event, on: date) -> bool:
    """Whether a sentence about this event may speak of the present."""
    if event["kind"] == "exile":
        return bool(case["status"] == "exiled") and confirmed(case, on)
    if event["kind"] in {"release", "death"} or case["status"] not in HELD or near_end(case, on):
        return False
    seen_after = last_day(case["status_as_of"]) >= first_day(event["date"])
    return confirmed(case, on) and seen_after and _of_present_custody(case, event)


def _of_present_custody(case: Case, event: Event) -> bool:
    day = event["date"]
    for other in case["event"]:
        if other["kind"] in {"release", "exile", "death"} and last_day(other["date"]) >= first_day(day):
            return False
        if other["kind"] == "arrest" and other is not event:
            later_arrest = last_day(other["date"]) > first_day(day)
            if later_arrest and (event["kind"] == "arrest" or first_day(other["date"]) > last_day(day)):
                return False
    return True


def _groups(cases: Iterable[Case]) -> Iterator[list[tuple[Case, Event]]]:
    groups: dict[object, list[tuple[Case, Event]]] = defaultdict(list)
    for case in cases:
        for event in case["event"]:
            if not is_exact(event["date"]):
                continue
            hearing = event["kind"] in {"trial", "appeal_trial"}
            key: object = (case["slug"], event["key"])
            if hearing and event.get("joint"):
                key = (event["kind"], event["date"], event["joint"])
            elif hearing and event.get("court") and case["consent"] != "limited" and not event.get("heard_alone"):
                key = (event["kind"], event["date"], event["court"].lower(), "asked")
            groups[key].append((case, event))
    yield from groups.values()


def _yearly(group: list[tuple[Case, Event]], start: date, end: date, known: Campaigns) -> Iterator[Expected]:
    event = group[0][1]
    day, several = first_day(event["date"]), len(group) > 1
    kind = {"trial": "joint_trial", "appeal_trial": "joint_appeal"}[event["kind"]] if several else event["kind"]
    for year in range(start.year, end.year + 1):
        leap_day = (day.month, day.day) == (2, 29)
        common = year % 4 != 0 or (year % 100 == 0 and year % 400 != 0)
        on = date(year, 2, 28) if leap_day and common else day.replace(year=year)
        if not start <= on <= end or year <= day.year:
            continue
        slugs = frozenset(case["slug"] for case, _ in group)
        reason = _of_several(group, known) if several else _of_one(group[0][0], event["kind"], known)
        yield Expected(
            Key(on.isoformat(), kind, slugs, year - day.year, 0, ""),
            frozenset(filter(None, [reason])),
            all(bears_today(case, event, on) for case, event in group),
        )


def _is_disputed(event: Event) -> bool:
    """Another date was found that does not begin as this one does: 2020-10 says no more than 2020-10-07."""
    return any(not event["date"].startswith(other) for other in event.get("alt_dates", ()))


def _campaign(case: Case, known: Campaigns) -> str:
    return next((slug for slug in case.get("campaigns", ()) if slug in known.names), known.default)


def _of_one(case: Case, kind: str, known: Campaigns) -> str:
    if case["status"] == "died" or kind == "death":
        return "death_by_hand"
    if kind in {"release", "exile"} and case["status"] in HELD:
        return "no_wording"
    if case["consent"] == "limited":
        return "consent_limited"
    over = case["status"] in PAST or kind in {"release", "exile"}
    return "past_off" if over and _campaign(case, known) not in known.marking_past else ""


def _of_several(group: list[tuple[Case, Event]], known: Campaigns) -> str:
    people = [case for case, _ in group]
    if any(case["consent"] == "limited" for case in people):
        return "consent_limited"
    if all(case["status"] == "died" for case in people):
        return "death_by_hand"
    counts = Counter(_campaign(case, known) for case in people)
    campaign = min(counts, key=lambda slug: (-counts[slug], known.names.index(slug)))
    if all(case["status"] in PAST for case in people) and campaign not in known.marking_past:
        return "past_off"
    return "" if group[0][1].get("joint") else "same_hearing"


def _counted(case: Case, start: date, end: date) -> Iterator[Expected]:
    arrests = [event for event in case["event"] if event["kind"] == "arrest" and is_exact(event["date"])]
    present = [event for event in arrests if _of_present_custody(case, event)]
    if case["status"] in PAST or not present:
        return
    (arrest,) = present
    first = first_day(arrest["date"])
    for days in sorted({*FIRST_COUNTS, *range(EVERY_DAYS * 3, (end - first).days + 1, EVERY_DAYS)}):
        on = first + timedelta(days=days)
        if not start <= on <= end:
            continue
        fresh = bears_today(case, arrest, on)
        reasons = {"sources_differ"} if _is_disputed(arrest) else set[str]()
        if case["consent"] == "limited":
            reasons = {"consent_limited"}
        if not fresh:  # near the end of a term the status may be fresh, and still no wording says so
            reasons = {"no_wording"} if near_end(case, on) and confirmed(case, on) else {"not_fresh"}
        key = Key(on.isoformat(), "day_count", frozenset({case["slug"]}), 0, days, "")
        yield Expected(key, frozenset(reasons), fresh)


def _observed(observance: Mapping[str, Any], start: date, end: date) -> Iterator[Expected]:
    silent = observance["kind"] not in {"advocacy", "amnesty_watch"}
    for year in range(start.year, end.year + 1):
        on = _day_of(observance, year)
        if on and start <= on <= end:
            key = Key(on.isoformat(), "observance", frozenset(), 0, 0, observance["id"])
            yield Expected(key, frozenset({"calendar_only"} if silent else ()))


def _day_of(observance: Mapping[str, Any], year: int) -> date | None:
    if "month_day" in observance:
        return date.fromisoformat(f"{year}-{observance['month_day']}")
    if observance.get("lunar") == "tet":
        return TET.get(year)
    if "date" in observance and is_exact(observance["date"]):
        day = date.fromisoformat(observance["date"])
        return day if day.year == year else None
    return None


def _capped(found: list[Expected]) -> list[Expected]:
    """Of a full day the first in written order speak; a question whether it was one hearing keeps its place."""
    settled, room = [], Counter[str]()
    for one in sorted(found, key=_written_order):
        takes_room = not one.reasons or one.reasons == {"same_hearing"}
        if takes_room:
            room[one.key.on] += 1
        full = takes_room and room[one.key.on] > DAILY_CAP
        settled.append(Expected(one.key, frozenset({"daily_cap"})) if full else one)
    return settled


def _written_order(one: Expected) -> tuple[object, ...]:
    key = one.key
    return key.on, WRITTEN_ORDER.index(key.kind), key.years % 5 != 0, -(key.days or key.years), sorted(key.cases)
