"""The folder of campaigns, days, slots and places: what ships is whole, and what is wrong is said in one run."""

import shutil
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pytest

from bot.domain.campaign import ObservanceKind, Places, Short
from bot.domain.case import EventKind, Precision, Tier
from bot.domain.errors import Rejected
from bot.domain.occasions import Bar, OccasionKind, PlanningRules, occasions
from bot.library.casefiles import read_cases_toml
from bot.library.schedules import Schedules, about_cases, load_schedules
from tests.sample_cases import a_case, an_event

HOUSE = Path(__file__).parents[2]
SHIPPED = HOUSE / "schedules"
# As published for Viet Nam; in 2030 and 2053 China's new year is a day later.
TET = (
    "1968-01-29 1985-01-21 2007-02-17 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 "
    "2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-02 2031-01-23 2032-02-11 2033-01-31 2034-02-19 "
    "2035-02-08 2036-01-28 2037-02-15 2038-02-04 2039-01-24 2040-02-12 2053-02-18"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "schedules"))


@pytest.fixture(scope="module")
def shipped() -> Schedules:
    return load_schedules(SHIPPED)


def said(folder: Path) -> list[str]:
    with pytest.raises(Rejected) as refusal:
        load_schedules(folder)
    return [str(finding) for finding in refusal.value.findings]


def with_day(folder: Path, rule: str, kind: str = "history") -> Schedules:
    text = f'[[observance]]\nid = "a-day"\nname_vi = "Ngày"\nname_en = "A day"\nkind = "{kind}"\n{rule}\n'
    (folder / "observances.toml").write_text(text, "utf-8")
    return load_schedules(folder)


# What ships


def test_two_campaigns_ship_and_one_is_the_default(shipped: Schedules) -> None:
    assert [campaign.slug for campaign in shipped.campaigns] == ["stop-the-crackdown-vn", "now-campaign"]
    assert shipped.default_campaign.hashtags == dict.fromkeys(("vi", "en"), ("#StopTheCrackdownVN",))
    now = shipped.campaign("now-campaign")
    assert now
    assert (now.name_vi, now.hashtags, now.marks_past, now.approvals) == ("Chiến dịch NOW!", {}, False, 1)
    assert shipped.campaign("gone") is None


def test_25_observances_and_ten_posts_ship(shipped: Schedules) -> None:
    assert len(shipped.observance_rules) == 25
    assert [post.id for post in shipped.posts] == [f"S-{number}" for number in range(1, 11)]
    assert {post.id for post in shipped.posts if post.note} == {"S-3", "S-4", "S-8"}
    notes = [(post.note, post.note_vi) for post in shipped.posts]
    notes += [(rule.note, rule.note_vi) for rule in shipped.observance_rules]
    assert all(bool(note) == bool(note_vi) for note, note_vi in notes)


def test_shipped_slots_are_evenings_in_ha_noi(shipped: Schedules) -> None:
    assert {(slot.at, slot.timezone) for slot in shipped.slots} == {(time(20), "Asia/Ho_Chi_Minh")}
    assert {slot.campaign for slot in shipped.slots} == {campaign.slug for campaign in shipped.campaigns}


def test_every_value_of_the_shipped_cases_has_a_short_form_but_the_charges_left_to_people(shipped: Schedules) -> None:
    left = about_cases(shipped, read_cases_toml(SHIPPED / "cases.toml"))
    assert [str(finding).partition(": charges: ")[2].partition("”")[0] for finding in left] == [
        "“Article 113 of the 2015 Penal Code",
        "“Article 276 of the 1999 Penal Code",
        "“Article 356 of the 2015 Penal Code",
        "“Articles 257 and 304 of the 1999 Penal Code",
        "“intentionally inflicting injury",
    ]


def test_short_forms_are_the_accepted_ones(shipped: Schedules) -> None:
    places = shipped.places
    assert places.courts["People's Court of Hanoi"] == Short("tòa án Hà Nội", "a Hanoi court")
    assert places.courts["People's Court of Nghe An province"].en == "the Nghe An provincial court"
    assert places.charges["Article 88 of the 1999 Penal Code"].vi == "“tuyên truyền chống Nhà nước”"
    assert places.destinations["United States"] == Short("Hoa Kỳ", "the United States")


def test_a_year_of_the_shipped_cases_says_nobody_is_in_prison_until_people_confirm(shipped: Schedules) -> None:
    cases = read_cases_toml(SHIPPED / "cases.toml")
    start, end = date(2026, 12, 1), date(2027, 11, 30)
    year = occasions(cases, shipped.observances(start, end), start, end, PlanningRules.of(shipped.campaigns))
    assert all(one.tier is not Tier.FRESH for one in year)
    assert all(one.bar is Bar.NOT_FRESH for one in year if one.kind is OccasionKind.DAY_COUNT)
    exact = [event for case in cases for event in case.events if event.date.precision is Precision.DAY]
    assert sum(len(one.events) for one in year if one.years) == len(exact)
    asked = [one.cases for one in year if one.bar is Bar.SAME_HEARING]
    assert asked == [("dang-dinh-bach", "mai-phan-loi")]


# Days


def test_tet_is_vietnams_own(shipped: Schedules) -> None:
    for day in TET.split():
        found = shipped.observances(date.fromisoformat(day[:4] + "-01-01"), date.fromisoformat(day[:4] + "-12-31"))
        assert [str(one.on) for one in found if one.id == "tet"] == [day]


def test_the_lunar_calendar_is_loaded_in_its_season_alone() -> None:
    script = """
import sys
from datetime import date
from pathlib import Path
from bot.library.schedules import load_schedules
shipped = load_schedules(Path("schedules"))
assert len(shipped.observances(date(2026, 2, 22), date(2026, 12, 31))) == 14
assert "holidays" not in sys.modules
assert [one.id for one in shipped.observances(date(2026, 2, 17), date(2026, 2, 17))] == ["tet"]
assert "holidays" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=HOUSE)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ('month_day = "12-10"', ["2026-12-10", "2027-12-10"]),
        ('weekday = { nth = 2, day = "sunday", month = 5 }', ["2026-05-10", "2027-05-09"]),
        ('weekday = { nth = -1, day = "mon", month = 8 }', ["2026-08-31", "2027-08-30"]),
        ('weekday = { nth = 5, day = "sun", month = 8 }', ["2026-08-30", "2027-08-29"]),
        ('weekday = { nth = 5, day = "wed", month = 12 }', ["2026-12-30", "2027-12-29"]),
        ('weekday = { nth = 5, day = "mon", month = 2 }', []),
        ('lunar = "hung-kings"', ["2026-04-26", "2027-04-16"]),
        ('date = "2026-03-11"\nuntil = "2026-03-12"', ["2026-03-11"]),
        ("date = 2026-03-11", ["2026-03-11"]),
    ],
)
def test_days_come_round_by_their_rule(folder: Path, rule: str, days: list[str]) -> None:
    found = with_day(folder, rule).observances(date(2026, 1, 1), date(2027, 12, 31))
    assert [str(one.on) for one in found] == days


def test_a_range_touches_each_of_its_days_and_a_month_all_of_them(folder: Path) -> None:
    schedules = with_day(folder, 'date = "2026-03-11"\nuntil = "2026-03-13"')
    touched = [day for day in range(9, 16) if schedules.observances(date(2026, 3, day), date(2026, 3, day))]
    assert touched == [11, 12, 13]
    (month,) = with_day(folder, 'date = "2019-01"').observances(date(2019, 1, 20), date(2019, 1, 21))
    assert (month.on, month.until, month.precision) == (date(2019, 1, 1), date(2019, 1, 31), Precision.MONTH)


@pytest.mark.parametrize(
    ("rule", "kind", "problem"),
    [
        ("", "history", "needs exactly one of month_day, weekday, lunar, date"),
        ('month_day = "12-10"\nlunar = "tet"', "history", "needs exactly one"),
        ('month_day = "13-01"', "history", "is not a month and a day"),
        ('month_day = "02-29"', "history", "does not come every year"),
        ('weekday = { nth = 0, day = "sun", month = 5 }', "history", "needs nth"),
        ('weekday = { nth = 2, day = "someday", month = 5 }', "history", "“someday” is not a weekday"),
        ("weekday = { nth = 2, month = 5 }", "history", "day: is missing"),
        ('weekday = { nht = 2, day = "sun", month = 5 }', "history", "Did you mean “nth”?"),
        ('lunar = "tết"', "history", "Write one of tet, hung-kings"),
        ('lunar = "mid-autumn"', "history", "Write one of tet, hung-kings"),
        ('date = "2026-03-11"\nuntil = "2026-03-11"', "history", "does not follow"),
        ('date = "2026-03-11"\nuntil = "2026-04"', "history", "does not follow"),
        ('month_day = "12-10"\nuntil = "2026-04"', "history", "belongs to a date"),
        ('date = "2019-01"', "advocacy", "is no day, so nothing can be posted"),
        ('date = "2019-01-01"', "histroy", "Did you mean “history”?"),
    ],
)
def test_a_rule_that_makes_no_day_is_refused(folder: Path, rule: str, kind: str, problem: str) -> None:
    with pytest.raises(Rejected) as refusal:
        with_day(folder, rule, kind)
    assert any(problem in str(finding) for finding in refusal.value.findings)


def test_kinds_are_the_designs() -> None:
    assert {kind.value for kind in ObservanceKind} == {"advocacy", "amnesty_watch", "campaign", "history", "un_review"}


# What is wrong


def test_every_file_is_read_before_anything_is_said(folder: Path) -> None:
    (folder / "campaigns.toml").write_text(
        '[[campaign]]\nslug = "a"\nname_vi = "A"\nname_en = "A"\nhashtags = { vi = ["#NOW!"] }\n'
        'links = { vi = "http://a", en = "https://a b" }\n[[campaign]]\nslug = "a"\nname_vi = "A"\n',
        "utf-8",
    )
    (folder / "slots.toml").write_text(
        '[[slot]]\nname = "s"\ncampaign = "a"\nat = "25:00"\nweekdays = ["tues", "nope"]\ntimezone = "Hanoi"\n', "utf-8"
    )
    (folder / "observances.toml").write_text("[[observance]\n", "utf-8")
    (folder / "places.toml").write_text(
        '[courts]\n"Court A" = { vi = "tòa A" }\n"Court B" = "b"\n'
        '[charges]\n"Article 1" = { vi = "điều 1", en = "“one”" }\n',
        "utf-8",
    )
    (folder / "posts.toml").unlink()
    assert [line.partition(": Expected")[0] for line in said(folder)] == [
        "campaigns.toml: campaign “a”: hashtags: en: is missing. Both languages are one unit.",
        (
            "campaigns.toml: campaign “a”: hashtags: vi: “#NOW!” is cut short by platforms. "
            "A tag is # and letters or digits."
        ),
        "campaigns.toml: campaign “a”: links: vi: “http://a” is not a link. It begins with https://.",
        "campaigns.toml: campaign “a”: links: en: “https://a b” is not a link. It begins with https://.",
        "campaigns.toml: campaign “a”: name_en: is missing. Fill it in.",
        "campaigns.toml: campaign “a”: the slug stands twice. Give one another.",
        "slots.toml: slot “s”: weekdays: “nope” is not a weekday. Write one of mon, tue, wed, thu, fri, sat, sun.",
        "slots.toml: slot “s”: at: “25:00” is not a time of day. Write 20:00.",
        "slots.toml: slot “s”: timezone: “Hanoi” is not a time zone. Write it like Asia/Ho_Chi_Minh.",
        "observances.toml: line 1, column 13: is not valid TOML",
        "places.toml: courts: Court A: en: is missing. Fill it in.",
        "places.toml: courts: Court B: must be a table.",
        "places.toml: charges: “Article 1”: has no “quotation marks”. A charge is never our word.",
        "posts.toml: is missing. Copy the original back, or name another file.",
    ]


def test_what_one_file_says_of_another_must_exist(folder: Path) -> None:
    for name in ("campaigns.toml", "slots.toml", "posts.toml"):
        text = (folder / name).read_text("utf-8").replace("default = true\n", "")
        (folder / name).write_text(text.replace('campaign = "now-campaign"', 'campaign = "now-campagin"'), "utf-8")
    lines = said(folder)
    assert lines[0] == "campaigns.toml: default: 0 campaigns are the default. Write default = true at exactly one."
    assert lines[1] == (
        "slots.toml: slot “now-evening”: campaign: “now-campagin” does not exist. Did you mean “now-campaign”?"
    )
    assert len(lines) == 5


def test_what_cases_need_and_do_not_find_is_listed(shipped: Schedules) -> None:
    case = a_case(an_event(EventKind.EXILE, "2020-10-07", destination="Atlantis"), campaigns=("now-campagin",))
    lines = [str(finding) for finding in about_cases(shipped, [case])]
    assert lines[:2] == [
        (
            "places.toml: destinations: “Atlantis” is missing, and is named 1 times. "
            "Models that print it are passed over."
        ),
        "cases: nguyen-van-a: campaigns: “now-campagin” does not exist. Did you mean “now-campaign”?",
    ]
    assert all("post “S-3”" in line for line in lines[2:])


def test_places_are_found_whatever_the_form_of_their_letters(folder: Path) -> None:
    (folder / "places.toml").write_text(
        '[provinces]\n"Đa\u0300 Nẵng" = { vi = "Đa\u0300 Nẵng", en = "Da Nang" }\n', "utf-8"
    )
    assert load_schedules(folder).places == Places(provinces={"Đà Nẵng": Short("Đà Nẵng", "Da Nang")})
