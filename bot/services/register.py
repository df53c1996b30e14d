"""Everybody, as the lists show them: who matches, whose status is to be confirmed first, who has not been named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from bot.domain.case import HELD, Case, Consent, Status, fold, is_confirmed, vietnamese_key
from bot.domain.gaps import Gap, gaps
from bot.domain.occasions import Bar, LeapDay, Occasion, PlanningRules, campaign_of, occasions
from bot.services.cases import LONGEST_QUERY
from bot.services.context import Context
from bot.services.known import everybody, one_at_a_time
from bot.store import holds, posts
from bot.store.engine import Store

A_YEAR = timedelta(days=366)
HALF_A_YEAR = timedelta(days=183)


class Only(StrEnum):
    STALE = "stale"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Row:
    """A case, and what it is found and sorted by. `next` is the first day of the coming year that is marked; `soonest`
    counts the days of custody too, which only a confirmed status lets be marked. `stale` is who is said to be held
    and was not confirmed of late.
    """

    case: Case
    campaign: str
    folded: str
    stale: bool
    gaps: frozenset[Gap]
    given_name: tuple[object, ...]
    family_name: tuple[object, ...]
    next: Occasion | None
    soonest: Occasion | None

    @property
    def slug(self) -> str:
        return self.case.slug


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a list; empty is all. `missing` is something that is not on file."""

    query: str = ""
    status: Status | None = None
    campaign: str = ""
    only: Only | None = None
    missing: Gap | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Some of `number` rows, and which of all the cases are held."""

    rows: tuple[Row, ...]
    number: int
    held: frozenset[str]


@dataclass(frozen=True, slots=True)
class Named:
    """When a published post last named somebody, and when the next one that is in hand will."""

    row: Row
    last: datetime | None
    next: datetime | None


@dataclass(frozen=True, slots=True)
class Register:
    """Everybody by slug on one day."""

    on: date
    cases: Mapping[str, Case]
    rows: Mapping[str, Row]


_seen: WeakKeyDictionary[Store, Register] = WeakKeyDictionary()


def opened(ctx: Context, tx: Connection) -> Register:
    """Kept until a case changes; a row stays for as long as its case does, for nothing else of it changes in a day."""
    with one_at_a_time:
        known, kept = everybody(ctx, tx).cases, _seen.get(ctx.store)
        if kept and kept.on == ctx.today() and kept.cases is known:
            return kept
        before = kept.rows if kept and kept.on == ctx.today() else {}
        rules = rules_of(ctx)
        rows = {
            slug: row if (row := before.get(slug)) and row.case is case else _row(ctx, case, rules)
            for slug, case in known.items()
        }
        found = _seen[ctx.store] = Register(ctx.today(), known, rows)
        return found


def rules_of(ctx: Context) -> PlanningRules:
    return PlanningRules.of(
        ctx.schedules.campaigns,
        status_max_age_days=ctx.planning.status_max_age_days,
        leap_day=LeapDay(ctx.planning.leap_day),
    )


def _row(ctx: Context, case: Case, rules: PlanningRules) -> Row:
    today = ctx.today()
    days = occasions((case,), (), today, today + A_YEAR, rules)
    return Row(
        case=case,
        campaign=campaign_of(case, rules),
        folded=fold(" ".join((case.name_vi, case.name_en, *case.also_known_as, _spelled(case.slug)))),
        stale=case.status in HELD and not is_confirmed(case, today, ctx.planning.status_max_age_days),
        gaps=gaps(case),
        given_name=(vietnamese_key(case.name_vi), case.slug),
        family_name=(fold(case.name_en), case.slug),
        next=next((one for one in days if one.bar is not Bar.NOT_FRESH), None),
        soonest=days[0] if days else None,
    )


def _spelled(slug: str) -> str:
    return f"{slug} {slug.replace('-', ' ')}"


def look(ctx: Context, wanted: Wanted, *, language: str, start: int, most: int) -> Listed:
    """By given name in the order of the Vietnamese letters, or by family name as written in English."""
    words = fold("".join(letter if letter.isprintable() else " " for letter in wanted.query[:LONGEST_QUERY])).split()
    with ctx.store.read() as tx:
        held = held_cases(tx)
        found = [row for row in opened(ctx, tx).rows.values() if _matches(row, wanted, words, held)]
    found.sort(key=lambda row: row.given_name if language == "vi" else row.family_name)
    return Listed(tuple(found[start : start + most]), len(found), held)


def _matches(row: Row, wanted: Wanted, words: Sequence[str], held: frozenset[str]) -> bool:
    return (
        all(word in row.folded for word in words)
        and wanted.status in {None, row.case.status}
        and wanted.campaign in {"", row.campaign}
        and (wanted.missing is None or wanted.missing in row.gaps)
        and {None: True, Only.STALE: row.stale, Only.HELD: row.slug in held}[wanted.only]
    )


def held_cases(tx: Connection) -> frozenset[str]:
    return frozenset(hold.target for hold in holds.current(tx) if hold.scope == "case")


def to_confirm(ctx: Context, *, unknown: bool, start: int, most: int) -> Listed:
    """Whose next day comes first stands first. `unknown` are those of whom nobody knows whether they are free."""
    with ctx.store.read() as tx:
        found = [
            row
            for row in opened(ctx, tx).rows.values()
            if (row.case.status is Status.UNKNOWN if unknown else row.stale) and row.case.consent is not Consent.REFUSED
        ]
        held = held_cases(tx)
    found.sort(key=lambda row: (row.soonest.on if row.soonest else date.max, row.given_name))
    return Listed(tuple(found[start : start + most]), len(found), held)


def like(ctx: Context, *names: str) -> tuple[Case, ...]:
    """Whose name, or another name of theirs, is one of these but for tone marks."""
    wanted = {fold(name) for name in names} - {""}
    with ctx.store.read() as tx:
        return tuple(
            row.case
            for row in opened(ctx, tx).rows.values()
            if not wanted.isdisjoint(map(fold, (row.case.name_vi, row.case.name_en, *row.case.also_known_as)))
        )


def unnamed(ctx: Context, *, everyone: bool, start: int, most: int) -> tuple[tuple[Named, ...], int]:
    """Who may be named and was not for half a year, whom it is longest first: those held or whose fate is not known."""
    now = ctx.now()
    with ctx.store.read() as tx:
        last, coming = posts.named(tx, now)
        found = [
            Named(row, last.get(row.case.id), coming.get(row.case.id))
            for row in opened(ctx, tx).rows.values()
            if row.case.consent is not Consent.REFUSED and (everyone or row.case.status in HELD | {Status.UNKNOWN})
        ]
    since = now - HALF_A_YEAR
    silent = [each for each in found if each.last is None or each.last < since]
    silent.sort(key=lambda each: (each.last or datetime.min.replace(tzinfo=now.tzinfo), each.row.given_name))
    return tuple(silent[start : start + most]), len(silent)
