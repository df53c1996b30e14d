"""Which wording may be used of whom, and the words that are printed: rules of truth, then variety."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import phrases
from bot.domain.campaign import Places, Short
from bot.domain.case import Address, Case, Confirmation, Consent, Event, EventKind, PartialDate, Sentence, Status, Tier
from bot.domain.fields import Need, Page
from bot.domain.judgments import Result, compared, judgments, term_end
from bot.domain.occasions import Occasion, OccasionKind
from bot.domain.wording import Model, drops, in_order, is_possible, kind_of, needs_date, page_of, without

PLACES = Places(
    courts={"the court": Short("tòa án Hà Nội", "a Hanoi court")},
    provinces={"Hanoi": Short("Hà Nội", "Hanoi")},
    destinations={"Germany": Short("Đức", "Germany")},
    charges={"Article 117": Short("“tuyên truyền chống Nhà nước”", "“propaganda against the State”")},
)


def event(kind: EventKind, on: str, **facts: Any) -> Event:  # noqa: ANN401 - whatever the fact is
    return Event(f"{kind}-{on}", kind, PartialDate.parse(on), ("https://example.org/a",), **facts)


ARREST = event(EventKind.ARREST, "2020-06-24", province="Hanoi", charge="Article 117")
TRIAL = event(EventKind.TRIAL, "2021-05-05", court="the court", charge="Article 117", sentence=Sentence(96, 36))


def case(*events: Event, slug: str = "nguyen-van-a", **facts: Any) -> Case:  # noqa: ANN401 - the same
    known: dict[str, Any] = {"name_vi": "Nguyễn Văn A", "name_en": "Nguyen Van A", "status": Status.IMPRISONED}
    known |= {"confirmation": Confirmation(PartialDate.parse("2025-05")), "occupation_vi": "nhà báo, blogger"}
    known |= {"occupation_en": "journalist, blogger", "events": events or (ARREST, TRIAL)}
    return Case(slug, **{**known, **facts})


def occasion(
    kind: str,
    *people: Case,
    on: str = "2027-06-24",
    tier: Tier = Tier.STALE,
    **facts: Any,  # noqa: ANN401 - the same
) -> Occasion:
    wanted = {"joint_trial": "trial", "joint_appeal": "appeal_trial", "day_count": "arrest"}.get(kind, kind)
    events = tuple((one.slug, one.of_kind(EventKind(wanted))[-1].key) for one in people)
    slugs = tuple(one.slug for one in people)
    facts = {"years": 7, **facts}
    return Occasion("k", OccasionKind(kind), date.fromisoformat(on), tier, slugs, events, **facts)


def page(kind: str, *people: Case, places: Places = PLACES, **facts: Any) -> Page:  # noqa: ANN401 - the same
    return page_of(occasion(kind, *people, **facts), {one.slug: one for one in people}, places)


# Words


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_dates_are_said_as_babel_says_them(day: date) -> None:
    assert phrases.day(day) == (format_date(day, "d/M/y", locale="vi"), format_date(day, "d MMMM y", locale="en"))
    assert phrases.day_of_year(day)[1] == format_date(day, "d MMMM", locale="en")


@given(st.integers(0, 10_000_000))
def test_numbers_are_said_as_babel_says_them(value: int) -> None:
    assert phrases.number(value) == (format_decimal(value, locale="vi"), format_decimal(value, locale="en"))


@pytest.mark.parametrize(("value", "en"), [(1, "1 year has passed"), (2, "2 years have passed")])
def test_one_year_has_passed_and_two_have(value: int, en: str) -> None:
    assert phrases.years_passed(value) == (f"{value} năm đã qua", en)


@pytest.mark.parametrize(
    ("months", "vi", "en"),
    [
        (54, "4 năm 6 tháng", "4 years 6 months"),
        (96, "8 năm", "8 years"),
        (13, "1 năm 1 tháng", "1 year 1 month"),
        (9, "9 tháng", "9 months"),
    ],
)
def test_a_term_is_said_in_years_and_months(months: int, vi: str, en: str) -> None:
    assert phrases.duration(months) == (vi, en)


@pytest.mark.parametrize(
    ("text", "said"), [("2025-05-17", "tháng 5/2025"), ("2025-05", "tháng 5/2025"), ("2023", "năm 2023")]
)
def test_a_status_is_confirmed_in_a_month_or_a_year_never_on_a_day(text: str, said: str) -> None:
    assert phrases.month(PartialDate.parse(text))[0] == said


def test_the_last_comma_of_an_occupation_becomes_and() -> None:
    assert phrases.occupation("người bán mì, nhà hoạt động", "vi") == "người bán mì và nhà hoạt động"
    assert phrases.occupation("writer, teacher, blogger", "en") == "writer, teacher and blogger"
    assert phrases.occupation("writer, land and labour activist", "en") == "writer, land and labour activist"


@pytest.mark.parametrize(
    ("facts", "en"),
    [
        ({"sentence": Sentence(96, 36)}, "8 years in prison and 3 years of probation"),
        ({"sentence": Sentence(132), "additional": True}, "a further 11 years in prison"),
        ({"sentence": Sentence(life=True)}, "life in prison"),
        (
            {"sentence": Sentence(204, 60), "in_absentia": True},
            "17 years in prison and 5 years of probation (in absentia)",
        ),
    ],
)
def test_a_sentence_is_said_in_full(facts: Mapping[str, Any], en: str) -> None:
    found = page("trial", case(event(EventKind.TRIAL, "2021-05-05", **facts)))
    assert found.en["sentence"] == en


@pytest.mark.parametrize("sentence", [None, Sentence(), Sentence(probation_months=36)])
def test_a_sentence_without_its_prison_term_is_not_said(sentence: Sentence | None) -> None:
    assert "sentence" not in page("trial", case(event(EventKind.TRIAL, "2021-05-05", sentence=sentence))).en


# Forms of address


@pytest.mark.parametrize(
    ("facts", "name", "capital", "ref"),
    [
        ({}, "Nguyễn Văn A", "Đến nay", ""),
        ({"address": Address.ONG, "short_vi": "A"}, "ông Nguyễn Văn A", "Ông A", " ông A"),
        ({"address": Address.ONG}, "ông Nguyễn Văn A", "Ông Nguyễn Văn A", " ông Nguyễn Văn A"),
        ({"title_vi": "nhà báo"}, "nhà báo Nguyễn Văn A", "Đến nay", ""),
    ],
)
def test_the_second_mention_follows_the_form_of_address(
    facts: Mapping[str, Any], name: str, capital: str, ref: str
) -> None:
    found = page("arrest", case(**facts))
    assert (found.vi["name"], found.vi["Ref"], found.vi["ref"]) == (name, capital, ref)
    assert found.en["name"] == "Nguyen Van A"
    assert found.vi["Name"][0].isupper()
    assert bool(found.vi["occupation"]) == ("title_vi" not in facts)


def test_a_list_has_one_form_of_address_or_none() -> None:
    a, b = case(TRIAL, slug="a", name_vi="Nguyễn Văn A"), case(TRIAL, slug="b", name_vi="Nguyễn Văn B")
    both = page("joint_trial", replace(a, address=Address.ONG), replace(b, address=Address.ONG))
    assert both.vi["names"] == "các ông Nguyễn Văn A và Nguyễn Văn B"
    mixed = page("joint_trial", replace(a, address=Address.ONG), b)
    assert mixed.vi["names"] == "Nguyễn Văn A và Nguyễn Văn B"


# Judgments


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (Sentence(96, 36), Sentence(96, 36), Result.UPHELD),
        (Sentence(96, 36), Sentence(96), Result.UPHELD),
        (Sentence(96, 36), Sentence(96, 24), None),
        (Sentence(96), Sentence(72), Result.CUT),
        (Sentence(72), Sentence(life=True), Result.RAISED),
        (Sentence(96), Sentence(), None),
        (None, Sentence(96), None),
    ],
)
def test_an_appeal_is_compared_with_the_trial(
    first: Sentence | None, second: Sentence | None, result: Result | None
) -> None:
    assert compared(first, second) is result


def test_an_appeal_without_its_trial_on_file_has_no_outcome() -> None:
    appeal = event(EventKind.APPEAL_TRIAL, "2021-12-24", court="the court", sentence=Sentence(96))
    assert page("appeal_trial", case(ARREST, TRIAL, appeal)).en["outcome"] == "upheld the sentence of"
    assert "outcome" not in page("appeal_trial", case(ARREST, appeal)).en


def test_the_sentence_of_an_arrest_is_the_one_in_force() -> None:
    upheld = event(EventKind.APPEAL_TRIAL, "2021-12-24", sentence=Sentence(96))
    cut = event(EventKind.APPEAL_TRIAL, "2021-12-24", sentence=Sentence(72))
    more = event(EventKind.TRIAL, "2025-09-27", sentence=Sentence(132), additional=True)
    assert judgments(case(ARREST, TRIAL, upheld), ARREST) == (TRIAL,)
    assert judgments(case(ARREST, TRIAL, cut), ARREST) == (cut,)
    assert judgments(case(ARREST, TRIAL, more), ARREST) == (TRIAL, more)
    said = page("arrest", case(ARREST, TRIAL, more)).en["sentence"]
    assert said == "8 years in prison and 3 years of probation, and a further 11 years in prison"


def test_of_two_convictions_side_by_side_neither_is_the_sentence() -> None:
    second = event(EventKind.TRIAL, "2021-06-05", sentence=Sentence(60))
    assert judgments(case(ARREST, TRIAL, second), ARREST) == ()


def test_each_custody_has_its_own_judgment() -> None:
    release = event(EventKind.RELEASE, "2024-01-01")
    again = event(EventKind.ARREST, "2025-02-01")
    then = event(EventKind.TRIAL, "2025-09-27", sentence=Sentence(60))
    twice = case(ARREST, TRIAL, release, again, then)
    assert judgments(twice, ARREST) == (TRIAL,)
    assert judgments(twice, release) == (TRIAL,)
    assert judgments(twice, again) == (then,)


@given(st.dates(date(1980, 1, 1), date(2040, 12, 31)), st.integers(1, 400))
def test_a_term_ends_on_the_same_day_of_a_month_or_on_its_last(start: date, months: int) -> None:
    arrest = event(EventKind.ARREST, start.isoformat())
    end = term_end(arrest, [event(EventKind.TRIAL, "2041-01-01", sentence=Sentence(months))])
    assert end is not None
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


RELEASED: dict[str, Any] = {"status": Status.RELEASED, "custody_unbroken": True}


@pytest.mark.parametrize(
    ("day", "appealed", "left", "served"),
    [
        ("2028-06-24", False, "was released at the end of the term", "8 years"),
        ("2027-12-24", True, "was released early", None),
        ("2027-12-24", False, "was released", None),
        ("2029-01-01", True, "was released", None),
    ],
)
def test_how_a_person_left_is_said_only_when_it_can_be_reckoned(
    day: str,
    appealed: bool,  # noqa: FBT001 - a table of examples
    left: str,
    served: str | None,
) -> None:
    appeal = (event(EventKind.APPEAL_TRIAL, "2021-12-24", sentence=Sentence(96)),) if appealed else ()
    free = case(ARREST, TRIAL, *appeal, event(EventKind.RELEASE, day), **RELEASED)
    found = page("arrest", free)
    assert page("release", free).en["left"] == left
    assert found.en.get("served") == served
    assert "served" not in page("arrest", replace(free, custody_unbroken=None)).en


def test_a_later_arrest_parts_an_arrest_from_a_release() -> None:
    again = event(EventKind.ARREST, "2023-01-01")
    free = case(ARREST, again, event(EventKind.RELEASE, "2024-01-01"), status=Status.RELEASED)
    assert (
        "release_date"
        not in page_of(
            Occasion(
                "k", OccasionKind.ARREST, date(2027, 6, 24), Tier.PAST, (free.slug,), ((free.slug, ARREST.key),), 7
            ),
            {free.slug: free},
            PLACES,
        ).en
    )
    assert page("arrest", free).en["release_date"] == "1 January 2024"


def test_last_confirmed_in_prison_is_said_of_prisoners_alone() -> None:
    assert page("arrest", case()).vi["status_as_of"] == "tháng 5/2025"
    unknown = case(status=Status.UNKNOWN, last_known_status=Status.IMPRISONED)
    assert "status_as_of" in page("arrest", unknown).vi
    assert "status_as_of" not in page("arrest", case(status=Status.UNKNOWN)).vi
    assert "status_as_of" not in page("arrest", case(status=Status.RELEASED)).vi


# Hearings of several people


def tried(slug: str, months: int | None = 96, total: int | None = 2, **facts: Any) -> Case:  # noqa: ANN401
    sentence = Sentence(months) if months else Sentence(life=True)
    hearing = event(EventKind.TRIAL, "2021-05-05", court="the court", sentence=sentence, joint_defendants=total)
    return case(hearing, slug=slug, name_vi=f"Nguyễn Văn {slug.upper()}", name_en=f"Nguyen Van {slug.upper()}", **facts)


def test_numbers_and_totals_are_said_of_a_hearing_wholly_on_file_alone() -> None:
    whole = page("joint_trial", tried("a"), tried("b", 60))
    assert (whole.en["n"], whole.en["total"], whole.en["all_n"]) == ("2", "13 years", "both")
    assert whole.en["names_sentences"] == "Nguyen Van A (8 years), Nguyen Van B (5 years)"
    assert Need.PARTIAL not in whole.cites
    for others in (
        (tried("a", total=3), tried("b", total=3)),
        (tried("a", total=None), tried("b", total=None)),
        (tried("a"), tried("b", all_defendants_listed=False)),
        (tried("a", total=3), tried("b", total=3), tried("c", total=3, consent=Consent.REFUSED)),
    ):
        partial = page("joint_trial", *others)
        assert not {"n", "total", "all_n", "outcomes", "names_status"} & partial.cites.keys()
        assert Need.PARTIAL in partial.cites
        assert "Nguyen Van C" not in partial.en["names"]


def test_what_became_of_a_group_is_not_told_where_somebody_died() -> None:
    freed = tried("a", status=Status.RELEASED)
    assert page("joint_trial", freed, tried("b", status=Status.EXILED)).en["outcomes"]
    assert "outcomes" not in page("joint_trial", freed, tried("b", status=Status.DIED)).en


def test_a_life_sentence_stands_outside_every_total() -> None:
    found = page("joint_trial", tried("a", None), tried("b"))
    assert "total" not in found.en
    assert found.vi["names_sentences"] == "Nguyễn Văn A (chung thân), Nguyễn Văn B (8 năm)"


def test_outcomes_count_each_person_once_and_none_whose_news_is_fresh() -> None:
    people = (
        tried("a", total=3, status=Status.EXILED),
        tried("b", total=3, status=Status.RELEASED),
        tried("c", total=3),
    )
    assert page("joint_trial", *people).en["outcomes"] == "1 had to leave Vietnam, 1 left prison, 1 without recent news"
    newest = Confirmation(PartialDate.parse("2027-06"))
    assert "outcomes" not in page("joint_trial", *people[:2], replace(people[2], confirmation=newest)).en
    assert "outcomes" not in page("joint_trial", tried("a"), tried("b")).en


def test_a_hearing_of_which_one_may_be_named_is_told_as_that_persons_own() -> None:
    people = tried("a"), tried("b", consent=Consent.REFUSED)
    cases = {one.slug: one for one in people}
    assert kind_of(occasion("joint_trial", *people), cases) == "trial"
    assert page("joint_trial", *people).en["name"] == "Nguyen Van A"


# Which model


def models(*lines: str) -> list[Model]:
    """Each line: id, tier, then “round” or “dated”, needs, and fields in braces."""
    found = []
    for line in lines:
        name, tier, *words = line.split()
        fields = {word[1:-1] for word in words if word.startswith("{")}
        needs = {Need(word) for word in words if word in set(Need)}
        found.append(
            Model(name, tier, frozenset(fields), frozenset(), frozenset(needs), "round" in words, "dated" in words)
        )
    return found


ARRESTS = models(
    "A-f1 fresh round {name} {sentence}", "A-f2 fresh dated {date} {place} {charge}",
    "A-f3 fresh dated {date} unbroken",
    "A-s1 stale {sentence} {status_as_of}", "A-s2 stale round dated {place} {date} {status_as_of}",
    "A-s3 stale dated {name} {date}", "A-p1 past {release_date}",
)  # fmt: skip


def chosen(one: Occasion, person: Case, *, dated: bool = False) -> list[str]:
    found = page_of(one, {person.slug: person}, PLACES)
    return [model.id for model in in_order(ARRESTS, found, one, "arrest", dated=dated)]


def test_each_tier_says_no_more_than_is_known() -> None:
    person = case()
    assert set(chosen(occasion("arrest", person), person)) == {"A-s1", "A-s2", "A-s3"}
    fresh = chosen(occasion("arrest", person, tier=Tier.FRESH), person)
    assert set(fresh[:2]) == {"A-f1", "A-f2"}
    assert set(fresh[2:]) == {"A-s1", "A-s2", "A-s3"}
    assert chosen(occasion("arrest", person, tier=Tier.PAST), person) == ["A-s3"]


def test_near_the_end_of_a_term_only_what_is_timeless_is_said() -> None:
    person = case()
    for tier in (Tier.FRESH, Tier.STALE):
        assert chosen(occasion("arrest", person, tier=tier, near_term_end=True), person) == ["A-s3"]


def test_a_custody_not_known_to_be_unbroken_is_not_counted_as_one() -> None:
    person = case(custody_unbroken=True)
    assert "A-f3" in chosen(occasion("arrest", person, tier=Tier.FRESH), person)
    for unbroken in (None, False):
        broken = replace(person, custody_unbroken=unbroken)
        assert "A-f3" not in chosen(occasion("arrest", broken, tier=Tier.FRESH), broken)


def test_round_years_take_the_round_models_and_first_years_those_that_introduce() -> None:
    person = case()
    for years in (5, 10, 15):
        assert chosen(occasion("arrest", person, years=years), person)[0] == "A-s2"
    assert chosen(occasion("arrest", person, years=1, tier=Tier.FRESH), person)[0] == "A-f2"


@given(st.from_regex(r"[a-z]{1,8}(-[a-z]{1,8}){0,3}", fullmatch=True), st.integers(2, 40))
def test_a_wording_returns_after_three_years_at_the_earliest(slug: str, years: int) -> None:
    person = case(slug=slug)
    turns = [chosen(occasion("arrest", person, years=n), person)[0] for n in (years, years + 1, years + 2) if n % 5]
    assert len(set(turns)) == len(turns)


def test_the_turn_is_the_years_and_the_crc32_of_the_slug() -> None:
    person = case(slug="le-thi-b")  # its crc32 is 3_062_508_768, divisible by 3
    first = [chosen(occasion("arrest", person, years=n), person)[0] for n in (6, 7, 8)]
    offset = 3_062_508_768 % 3
    names = ["A-s1", "A-s2", "A-s3"]
    assert first == [names[(n + offset) % 3] for n in (6, 7, 8)]


def test_no_today_where_it_would_be_wrong_or_disputed() -> None:
    person = case()
    day = occasion("arrest", person)
    cases = {person.slug: person}
    assert not needs_date(day, cases, today_is_local=True)
    assert needs_date(day, cases, today_is_local=False)
    other = replace(ARREST, alt_dates=(PartialDate.parse("2020-06-23"),))
    disputed = case(other, TRIAL)
    assert needs_date(occasion("arrest", disputed), {disputed.slug: disputed}, today_is_local=True)
    leap = case(event(EventKind.ARREST, "2024-02-29"))
    eve = occasion("arrest", leap, on="2025-02-28", years=1)
    assert needs_date(eve, {leap.slug: leap}, today_is_local=True)
    assert not needs_date(replace(eve, on=date(2028, 2, 29)), {leap.slug: leap}, today_is_local=True)
    count = occasion("day_count", person, on="2022-12-16", years=0, days=905)
    assert not needs_date(count, cases, today_is_local=True)
    assert set(chosen(day, person, dated=True)) == {"A-s2", "A-s3"}


def test_day_counts_have_no_stale_form() -> None:
    person = case()
    counts = models("D-1 fresh dated {days} {name}")
    for tier, near, expected in ((Tier.FRESH, False, 1), (Tier.FRESH, True, 0), (Tier.STALE, False, 0)):
        one = occasion("day_count", person, tier=tier, near_term_end=near, years=0, days=1000)
        found = page_of(one, {person.slug: person}, PLACES)
        assert len(list(in_order(counts, found, one, "day_count", dated=False))) == expected
        assert found.vi["days"] == "1.000"


@pytest.mark.parametrize("missing", ["courts", "provinces", "destinations", "charges"])
def test_a_place_without_a_checked_short_form_is_not_printed(missing: str) -> None:
    field = {"courts": "court", "provinces": "place", "destinations": "destination", "charges": "charge"}[missing]
    kind = {"court": "trial", "place": "arrest", "destination": "exile", "charge": "arrest"}[field]
    gone = event(EventKind.EXILE, "2024-01-01", destination="Germany")
    person = case(ARREST, TRIAL, gone, status=Status.EXILED)
    assert is_possible(Model("m", "stale", frozenset({field})), page(kind, person), dated=False)
    bare = page(kind, person, places=replace(PLACES, **{missing: {}}))
    assert not is_possible(Model("m", "stale", frozenset({field})), bare, dated=False)


def test_somebody_who_refused_is_not_spoken_of() -> None:
    person = case(consent=Consent.REFUSED)
    assert chosen(occasion("arrest", person, tier=Tier.FRESH), person) == []


# What is left out


def test_each_kind_leaves_out_its_own_first() -> None:
    optional = frozenset({"occupation", "charge", "sentence"})
    model = Model("m", "stale", optional | {"court"}, optional)
    found = page("trial", case())
    assert list(drops(model, "trial", found)) == ["charge", "occupation", "place", "tag", "probation", "link"]
    assert list(drops(model, "arrest", found)) == ["occupation", "charge", "place", "tag", "probation", "link"]
    assert next(drops(model, "release", found)) == "sentence"
    assert next(drops(model, "observance", found)) == "charge"


def test_what_is_left_out_is_no_longer_cited() -> None:
    found = page("trial", case())
    for drop in ("occupation", "place", "probation"):
        without(found, drop)
    assert (found.vi["occupation"], found.vi["court"], found.en["court"]) == ("", "tòa", "the court")
    assert found.cites["occupation"] == frozenset()
    assert found.en["sentence"] == "8 years in prison"
    assert found.cites["sentence"] == {("nguyen-van-a", "event:trial-2021-05-05")}
