"""How numbers, dates, terms and lists are said, in Vietnamese and in English at once."""

from collections.abc import Sequence
from datetime import date

from bot.domain.case import PartialDate, Sentence

Pair = tuple[str, str]
"""The Vietnamese, then the English."""

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_YEAR_MONTHS = 12
_AND = {"vi": "và", "en": "and"}


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def number(value: int) -> Pair:
    english = f"{value:,}"
    return english.replace(",", "."), english


def counted(value: int, noun: str) -> str:
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def years(value: int) -> Pair:
    """The Vietnamese stands before “năm”, the English says “years” itself."""
    return str(value), counted(value, "year")


def years_passed(value: int) -> Pair:
    return f"{value} năm đã qua", f"{counted(value, 'year')} {'has' if value == 1 else 'have'} passed"


def day(on: date) -> Pair:
    return f"{on.day}/{on.month}/{on.year}", f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def day_of_year(on: date) -> Pair:
    return f"{on.day}/{on.month}", f"{on.day} {MONTHS[on.month - 1]}"


def month(when: PartialDate, *, bare: bool = False) -> Pair:
    """Never the day: a status is confirmed in a month, or only in a year. `bare` is for lists."""
    if when.month is None:
        return str(when.year) if bare else f"năm {when.year}", str(when.year)
    vietnamese = f"{when.month}/{when.year}"
    return vietnamese if bare else f"tháng {vietnamese}", f"{MONTHS[when.month - 1]} {when.year}"


def duration(months: int) -> Pair:
    """54 months are 4 years 6 months."""
    whole, rest = divmod(months, _YEAR_MONTHS)
    vietnamese = [f"{value} {unit}" for value, unit in ((whole, "năm"), (rest, "tháng")) if value]
    english = [counted(value, unit) for value, unit in ((whole, "year"), (rest, "month")) if value]
    return " ".join(vietnamese), " ".join(english)


def sentence(of: Sentence, *, additional: bool, in_absentia: bool, probation: bool = True) -> Pair | None:
    """In full, as courts say it: prison, then probation. None where the prison term is not known."""
    if of.life:
        vi, en = "tù chung thân", "life in prison"
    elif of.prison_months:
        vi, en = duration(of.prison_months)
        vi, en = f"{vi} tù giam", f"{en} in prison"
    else:
        return None
    if additional:
        vi, en = f"thêm {vi}", f"a further {en}"
    if probation and of.probation_months:
        after_vi, after_en = duration(of.probation_months)
        vi, en = f"{vi} và {after_vi} quản chế", f"{en} and {after_en} of probation"
    return (f"{vi} (bị xử vắng mặt)", f"{en} (in absentia)") if in_absentia else (vi, en)


def short_term(of: Sentence, *, additional: bool, in_absentia: bool) -> Pair | None:
    """As it stands behind a name in a list: “10 năm”, “10 years”."""
    if of.life:
        vi, en = "chung thân", "life"
    elif of.prison_months:
        vi, en = duration(of.prison_months)
    else:
        return None
    if additional:
        vi, en = f"thêm {vi}", f"a further {en}"
    return (f"{vi}, xử vắng mặt", f"{en}, in absentia") if in_absentia else (vi, en)


def listing(items: Sequence[str], language: str) -> str:
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {_AND[language]} {items[-1]}"


def occupation(text: str, language: str) -> str:
    """The last comma becomes “and”, unless what follows already has one."""
    before, comma, after = text.rpartition(", ")
    joint = f" {_AND[language]} "
    return f"{before}{joint}{after}" if comma and joint not in f" {after} " else text
