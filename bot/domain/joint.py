"""What can be printed of people heard together: names in one order, totals only where everyone is on file."""

from collections.abc import Sequence
from datetime import date

from bot.domain import phrases
from bot.domain.campaign import Places
from bot.domain.case import HELD, Case, Event, EventKind, Status, is_confirmed
from bot.domain.fields import Cite, Need, Page, event_cites, last_known
from bot.domain.judgments import Result, appealed
from bot.domain.phrases import Pair

People = Sequence[tuple[Case, Event]]
_TWO = 2
_RESULTS = {
    Result.UPHELD: ("y án {}", "{}, upheld"),
    Result.CUT: ("giảm án còn {}", "cut to {}"),
    Result.RAISED: ("tăng án lên {}", "raised to {}"),
}
_SINCE = {
    Status.EXILED: ("người phải rời Việt Nam", "had to leave Vietnam"),
    Status.RELEASED: ("người ra tù", "left prison"),
}


def several_people(page: Page, people: People, places: Places, on: date, max_age_days: int) -> None:
    """`people` in written order. A total, a number and “all” are said only of a hearing that is wholly on file."""
    first, count = people[0][1], len(people)
    page.put("date", phrases.day(first.date.first_day) if first.date.exact else None)
    page.put("court", places.courts.get(first.court))
    page.put("all", ("tất cả những người vừa nêu tên", "all of those named"))
    addressed = [(case.slug, "address") for case, _ in people if case.address]
    names = _names([case for case, _ in people])
    page.put("names", phrases.listing(names), *addressed)
    whole = all(event.joint_defendants == count and case.all_defendants_listed is not False for case, event in people)
    listed = [(case.slug, "custody") for case, _ in people]
    terms = [phrases.short_term(event) for _, event in people]
    _list(page, "names_sentences", names, terms, "{} ({})", addressed)
    if first.kind is EventKind.APPEAL_TRIAL:
        _results(page, people, names, terms, addressed)
    if not whole:
        page.grant(Need.PARTIAL, *listed)
        return
    _list(page, "names_terms", names, terms, "{} {}", addressed)
    page.put("n", (str(count), str(count)), *listed)
    page.put("all_n", ("cả hai", "both") if count == _TWO else (f"cả {count} người", f"all {count}"), *listed)
    page.put("total", _total(people), *listed)
    if all(last_known(case) in HELD for case, _ in people):
        months = [phrases.month(case.confirmation.as_of, bare=True) for case, _ in people]
        confirmed = [(case.slug, "confirmation") for case, _ in people]
        _list(page, "names_status", names, months, "{} {}", [*addressed, *confirmed])
    page.put("outcomes", _since_then(people, on, max_age_days), *listed)


def _names(cases: Sequence[Case]) -> list[Pair]:
    """One form of address for all, in the plural before the first name, or none."""
    names = [(case.name_vi, case.name_en) for case in cases]
    forms = {case.address.value for case in cases}
    if len(forms) == 1 and (form := forms.pop()):
        names[0] = (f"các {form} {names[0][0]}", names[0][1])
    return names


def _list(
    page: Page, field: str, names: Sequence[Pair], details: Sequence[Pair | None], form: str, cites: Sequence[Cite]
) -> None:
    """Nothing where a detail is not known of everyone."""
    known = [
        (form.format(name[0], detail[0]), form.format(name[1], detail[1]))
        for name, detail in zip(names, details, strict=True)
        if detail
    ]
    if len(known) == len(names):
        page.put(field, phrases.joined(known), *cites)


def _total(people: People) -> Pair | None:
    """Prison months only; none where somebody's term is for life or not known."""
    sentences = [event.sentence for _, event in people if event.sentence]
    months = [sentence.prison_months for sentence in sentences if sentence.prison_months and not sentence.life]
    return phrases.duration(sum(months)) if len(months) == len(people) else None


def _results(
    page: Page, people: People, names: Sequence[Pair], terms: Sequence[Pair | None], addressed: Sequence[Cite]
) -> None:
    found = [appealed(case, event) for case, event in people]
    cites = [event_cites(case, result[1])[0] for (case, _), result in zip(people, found, strict=True) if result]
    details: list[Pair | None] = []
    for result, term in zip(found, terms, strict=True):
        vi, en = _RESULTS[result[0]] if result else ("", "")
        details.append((vi.format(term[0]), en.format(term[1])) if result and term else None)
    _list(page, "names_outcomes", names, details, "{} ({})", [*addressed, *cites])
    if all(result and result[0] is Result.UPHELD for result in found):
        page.grant(Need.UPHELD, *cites)


def _since_then(people: People, on: date, max_age_days: int) -> Pair | None:
    """Each person once, so that the counts add up; none while nobody's outcome is known or somebody's news is fresh.

    None either where somebody has died: a hearing may be marked by itself, and a death is never told by itself.
    """
    statuses = [case.status for case, _ in people]
    fresh = any(case.status in HELD and is_confirmed(case, on, max_age_days) for case, _ in people)
    if (
        fresh
        or Status.DIED in statuses
        or any(event.in_absentia for _, event in people)
        or not _SINCE.keys() & set(statuses)
    ):
        return None
    counts = [(statuses.count(status), words) for status, words in _SINCE.items() if status in statuses]
    vi, en = ([f"{count} {words[language]}" for count, words in counts] for language in (0, 1))
    if silent := len(people) - sum(count for count, _ in counts):
        vi.append(f"{silent} người chưa có tin mới")
        en.append(f"{silent} without recent news")
    return ", ".join(vi), ", ".join(en)
