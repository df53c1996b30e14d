"""How numbers, dates, terms and lists are said, in Vietnamese and in English at once."""

from collections.abc import Sequence
from datetime import date

from bot.domain.case import Event, PartialDate

Pair = tuple[str, str]
"""The Vietnamese, then the English."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_YEAR_MONTHS = 12


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


def sentence(event: Event, *, probation: bool = True) -> Pair | None:
    """In full, as courts say it: prison, then probation. None where the prison term is not known."""
    if (prison := _prison(event, ("tù chung thân", "life in prison"), ("{} tù giam", "{} in prison"))) is None:
        return None
    vi, en = prison
    if probation and event.sentence and event.sentence.probation_months:
        after_vi, after_en = duration(event.sentence.probation_months)
        vi, en = f"{vi} và {after_vi} quản chế", f"{en} and {after_en} of probation"
    return (f"{vi} (bị xử vắng mặt)", f"{en} (in absentia)") if event.in_absentia else (vi, en)


def short_term(event: Event) -> Pair | None:
    """As it stands behind a name in a list: “10 năm”, “10 years”."""
    if (prison := _prison(event, ("chung thân", "life"), ("{}", "{}"))) is None:
        return None
    vi, en = prison
    return (f"{vi}, xử vắng mặt", f"{en}, in absentia") if event.in_absentia else (vi, en)


def _prison(event: Event, life: Pair, term: Pair) -> Pair | None:
    if event.sentence and event.sentence.life:
        vi, en = life
    elif event.sentence and event.sentence.prison_months:
        vi, en = (
            form.format(length) for form, length in zip(term, duration(event.sentence.prison_months), strict=True)
        )
    else:
        return None
    return (f"thêm {vi}", f"a further {en}") if event.additional else (vi, en)


def joined(items: Sequence[Pair], vi: str = ", ", en: str = ", ") -> Pair:
    return vi.join(item[0] for item in items), en.join(item[1] for item in items)


def listing(items: Sequence[Pair]) -> Pair:
    """“A, B và C”, “A, B and C”."""
    *before, last = items
    return joined([joined(before), last], " và ", " and ") if before else last


def occupation(text: str, language: str) -> str:
    """The last comma becomes “and”, unless what follows already has one."""
    before, comma, after = text.rpartition(", ")
    joint = {"vi": " và ", "en": " and "}[language]
    return f"{before}{joint}{after}" if comma and joint not in f" {after} " else text
