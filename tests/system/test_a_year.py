"""A year as `rehearse` tells it, by the real program in a fresh installation, judged by an oracle of its own."""

import calendar
import hashlib
import json
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.system import oracle
from tests.system.installation import HOUSE, Installation, token_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a year")]

START, DAYS = date(2026, 12, 1), 365
SAMPLES = Path(__file__).parent / "sample_people.toml"
CONFIRMED = {"nguyen-van-a": "2026-11-10"}
LIKES = ("x", "facebook", "bluesky", "mastodon", "telegram")
SPACING = timedelta(minutes=90)
Line = Mapping[str, Any]


@dataclass(frozen=True)
class Year:
    said: str
    lines: list[Line]
    cases: Mapping[str, oracle.Case]
    expected: Mapping[oracle.Key, oracle.Expected]
    here: Installation

    @property
    def going(self) -> list[Line]:
        return [line for line in self.lines if line["goes_out"]]

    @property
    def naming(self) -> list[Line]:
        return [line for line in self.going if line["cases"]]

    def people(self, line: Line) -> list[oracle.Case]:
        return [self.cases[slug] for slug in line["cases"]]

    def events(self, line: Line) -> list[oracle.Event]:
        """The event that each person named has on this day, in the order of the line."""
        kind = {"joint_trial": "trial", "joint_appeal": "appeal_trial", "day_count": "arrest"}.get(line["kind"])
        on, found = date.fromisoformat(line["date"]), []
        for case in self.people(line):
            of_kind = [event for event in case["event"] if event["kind"] == (kind or line["kind"])]
            days = [(event, oracle.first_day(event["date"])) for event in of_kind if oracle.is_exact(event["date"])]
            if line["days"]:
                found += [event for event, day in days if day + timedelta(days=line["days"]) == on]
            else:
                leap_day = (2, 29) if (on.month, on.day) == (2, 28) else None
                found += [event for event, day in days if (day.month, day.day) in {(on.month, on.day), leap_day}
                          and day.year + line["years"] == on.year]  # fmt: skip
        assert len(found) == len(line["cases"]), line
        return found


def key_of(line: Line) -> oracle.Key:
    people = frozenset(line["cases"])
    return oracle.Key(line["date"], line["kind"], people, line["years"], line["days"], line["observance"])


def an_installation(folder: Path) -> Installation:
    folder.mkdir()
    here = Installation(folder)
    here.config.write_text((HOUSE / "config.example.toml").read_text())
    here.tokens["an"] = token_in(here.run("init", "--admin", "an").stdout)
    return here


def judged(here: Installation, *files: Path, confirmed: Mapping[str, str]) -> Year:
    cases = [case | {"status_as_of": confirmed.get(case["slug"], case["status_as_of"])} for case in oracle.read(*files)]
    schedules = here.folder / "schedules"
    days = tomllib.loads((schedules / "observances.toml").read_text())["observance"]
    expected = oracle.expected(cases, days, START, DAYS, oracle.campaigns(schedules / "campaigns.toml"))
    assert len({one.key for one in expected}) == len(expected)
    said = rehearsed(here)
    return Year(said, json.loads(said), {case["slug"]: case for case in cases}, {e.key: e for e in expected}, here)


def rehearsed(here: Installation) -> str:
    return here.run("rehearse", "--from", START.isoformat(), "--days", str(DAYS), "--json").stdout


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Year:
    here = an_installation(tmp_path_factory.mktemp("shipped") / "here")
    return judged(here, here.folder / "schedules" / "cases.toml", confirmed={})


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Year:
    """With sample people beside the shipped ones, some of them fresh, and a campaign that marks the past."""
    here = an_installation(tmp_path_factory.mktemp("peopled") / "here")
    written = here.folder / "schedules" / "campaigns.toml"
    written.write_text(written.read_text().replace("marks_past = false", "marks_past = true", 1))
    here.tokens["binh"] = token_in(here.run("user", "add", "binh", "--role", "coordinator", by="an").stdout)
    here.run("case", "import", str(SAMPLES), by="binh")
    for slug, as_of in CONFIRMED.items():
        here.run("case", "confirm", slug, "--as-of", as_of, "--source", "https://example.org/seen", by="binh")
    return judged(here, here.folder / "schedules" / "cases.toml", SAMPLES, confirmed=CONFIRMED)


@pytest.fixture(params=["shipped", "peopled"])
def year(request: pytest.FixtureRequest) -> Year:
    found: Year = request.getfixturevalue(request.param)
    return found


def test_every_day_that_should_speak_is_there_and_no_other(year: Year) -> None:
    found = Counter(key_of(line) for line in year.lines)
    assert found == Counter(year.expected.keys())


def test_what_does_not_go_out_by_itself_says_why(year: Year) -> None:
    for line in year.lines:
        reasons = year.expected[key_of(line)].reasons
        assert (line["reason"] in reasons) if reasons else (line["reason"] == ""), (line, reasons)
        assert line["goes_out"] == (not reasons)


def accounts(line: Line) -> Iterator[tuple[Line, str, str]]:
    """Each account with all it says in Vietnamese and in English, across its parts."""
    for account in line["channels"]:
        said: dict[str, list[str]] = {"vi": [], "en": []}
        for part in account["parts"]:
            if part["language"] == "vi+en":
                texts = part["text"].split("\n\n")
                assert len(texts) == 2, part
                said["vi"].append(texts[0])
                said["en"].append(texts[1])
            else:
                said[part["language"]].append(part["text"])
        yield account, "\n".join(said["vi"]), "\n".join(said["en"])


def in_both(line: Line) -> Iterator[tuple[str, str]]:
    yield from ((vi, en) for _, vi, en in accounts(line))


def test_every_account_gets_both_languages(year: Year) -> None:
    for line in year.going:
        assert {account["like"] for account in line["channels"]} == set(LIKES), line
        for account, vi, en in accounts(line):
            assert account["state"] == "published", line
            assert vi, line
            assert en, line
            assert VIETNAMESE & set(vi), vi
            assert not VIETNAMESE & set(plain(en, year.people(line))), en


VIETNAMESE = set("ăâđêôơưĂÂĐÊÔƠƯ") | {chr(letter) for letter in range(0x1EA0, 0x1EFA)}


def plain(english: str, people: list[oracle.Case]) -> str:
    """Without what keeps its marks in English too: Tết, and the faith in an occupation."""
    for words in ("Tết", *(case.get("occupation_en", "") for case in people)):
        english = english.replace(words, "")
    return english


def weighted(text: str) -> int:
    """X: https://docs.x.com/fundamentals/counting-characters, for texts without links and emoji."""
    single = [(0, 4351), (8192, 8205), (8208, 8223), (8242, 8247)]
    return sum(1 if any(low <= ord(letter) <= high for low, high in single) else 2 for letter in text)


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


COUNTS: Mapping[str, tuple[Callable[[str], int], int]] = {
    "x": (weighted, 280),
    "bluesky": (len, 300),
    "mastodon": (len, 500),
    "telegram": (utf16, 4096),
    "facebook": (utf16, 63206),
}


def test_every_part_is_within_the_limit_of_its_platform(year: Year) -> None:
    """NFC Vietnamese leaves no combining mark, so that letters, graphemes and code points are the same number."""
    for line in year.going:
        for account in line["channels"]:
            count, limit = COUNTS[account["like"]]
            for part in account["parts"]:
                text = part["text"]
                assert "://" not in text
                assert not any(unicodedata.combining(letter) for letter in text), text
                assert (part["count"], part["limit"]) == (count(text), limit), part
                assert 0 < part["count"] <= limit


def test_every_text_is_composed_and_clean(year: Year) -> None:
    for line in year.going:
        for account in line["channels"]:
            for part in account["parts"]:
                text = part["text"]
                assert unicodedata.is_normalized("NFC", text)
                assert not re.search(r"[{}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|  | [.,:;]|\bNone\b", text), (
                    text
                )
                assert text == text.strip()


UNCLEAN = re.compile(r"[{}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|  | [.,:;]|\bNone\b")
LAST_SEEN = re.compile(
    r"Lần cuối được xác nhận đang bị giam: (?P<vi>[^#\n]*?)\.(?= |$)"
    r"|Last confirmed in prison: (?P<en>[^#\n]*?)\.(?= |$)"
)
DEMANDED = re.compile(r"\b([Rr]elease|[Ff]ree) [A-Z]|\b[Ff]ree them\b(?! all)|cho họ\b")
OF_TODAY = {
    "vi": re.compile(
        r"\b(vẫn|đang|(?<!giảm án )còn|hiện|đến (?:hôm )?nay|đã bị giam|trong tù|thụ án)\b", re.IGNORECASE
    ),
    "en": re.compile(r"\b(still|remains?|currently|now|held|in custody|serving|has been|have been)\b", re.IGNORECASE),
}
OF_OTHERS = {
    *("Một ngày trong tù cũng đã là bất công.", "Nhiều tù nhân lương tâm khác vẫn chưa được về nhà."),
    *("Xin tiếp tục lên tiếng cho những người còn trong tù.", "Please keep speaking out for those still in prison."),
}


def claims_of_today(text: str, language: str) -> list[str]:
    for sentence in OF_OTHERS:
        text = text.replace(sentence, "")
    text = LAST_SEEN.sub("", text)
    return OF_TODAY[language].findall(text)


def test_only_what_is_fresh_speaks_of_today(year: Year) -> None:
    """Observances name nobody and are let off; so are sentences about others, word for word."""
    fresh = 0
    for line in year.naming:
        bears = year.expected[key_of(line)].bears_today
        for vi, en in in_both(line):
            said = claims_of_today(vi, "vi"), claims_of_today(en, "en")
            assert bool(said[0]) == bool(said[1]), (vi, en)
            assert bears or not any(said), (line["date"], vi, en, said)
            named = [case for case in year.people(line) if f"trả tự do cho {case['name_vi']}" in vi]
            assert bears or not named, vi
            assert bears or not re.search(
                r"\b([Rr]elease|[Ff]ree) [A-Z]|\b[Ff]ree them\b(?! all)|cho họ\b", f"{en} {vi}"
            ), en
            fresh += bool(any(said))
        assert (line["tier"] == "fresh") <= bears
    assert bool(fresh) == (year.cases.keys() >= CONFIRMED.keys())


def test_fresh_wording_is_used_where_the_confirmation_bears_it(peopled: Year) -> None:
    bearing = {key for key, one in peopled.expected.items() if one.bears_today and not one.reasons}
    assert {key_of(line) for line in peopled.going if line["tier"] == "fresh"} == bearing
    said = {(line["date"], line["kind"], *line["cases"]) for line in peopled.going if line["tier"] == "fresh"}
    assert ("2027-05-09", "trial", "nguyen-van-a") in said, "the 180th day after the confirmation"
    assert ("2027-05-10", "appeal_trial", "nguyen-van-a") not in said, "the day after it"
    assert ("2027-02-28", "arrest", "le-van-c") in said, "arrested on 29 February"


def test_last_confirmed_is_said_of_those_whose_term_runs_and_as_their_file_says(year: Year) -> None:
    for line in year.naming:
        for vi, en in in_both(line):
            said = [match["vi"] or match["en"] for text in (vi, en) for match in LAST_SEEN.finditer(text)]
            if not said:
                assert "Lần cuối" not in vi
                assert "Last confirmed" not in en
                continue
            on, people = date.fromisoformat(line["date"]), year.people(line)
            assert not any(oracle.near_end(case, on) for case in people), vi
            assert all(case["status"] in oracle.HELD for case in people), vi
            assert said == [seen(people, "vi"), seen(people, "en")], line


MONTHS = list(calendar.month_name)[1:]


def seen(people: list[oracle.Case], language: str) -> str:
    """The month, never the day."""
    said = []
    for case in people:
        year, month = (*case["status_as_of"].split("-"), "")[:2]
        vi = f"{int(month)}/{year}" if month else year
        en = f"{MONTHS[int(month) - 1]} {year}" if month else year
        if len(people) == 1:
            said.append(en if language == "en" else f"tháng {vi}" if month else f"năm {vi}")
        else:
            said.append(f"{case['name_en']} {en}" if language == "en" else f"{case['name_vi']} {vi}")
    return ", ".join(said)


def test_nobody_who_refused_is_named_or_counted(peopled: Year) -> None:
    refused = [case for case in peopled.cases.values() if case["consent"] == "refused"]
    assert refused
    for case in refused:
        for name in (case["slug"], case["name_vi"], case["name_en"]):
            assert name not in peopled.said
    (hearing,) = [line for line in peopled.going if "vu-van-f" in line["cases"] and line["kind"] == "joint_trial"]
    for vi, en in in_both(hearing):
        assert not re.search(r"\b[23] người|tổng cộng|cả hai|cả 3", vi)
        assert not re.search(r"\b[23] people|in all\b|[Bb]oth", en)


def test_a_limited_consent_never_speaks_by_itself(peopled: Year) -> None:
    limited = {slug for slug, case in peopled.cases.items() if case["consent"] == "limited"}
    lines = [line for line in peopled.lines if limited & set(line["cases"])]
    assert lines
    assert not any(line["goes_out"] or line["channels"] for line in lines)


def test_of_those_who_died_or_left_nothing_says_by_itself_how_it_ended_unless_the_campaign_marks_it(year: Year) -> None:
    for line in year.naming:
        statuses = {case["status"] for case in year.people(line)}
        for vi, en in in_both(line):
            assert not re.search(r"qua đời|từ trần|tưởng nhớ", vi), vi
            assert not re.search(r"\bdied\b|\bdeath\b", en), en
            if statuses == {"imprisoned"}:
                assert not re.search(r"ra tù|rời Việt Nam|mãn hạn", vi), vi


def test_every_name_is_whole_in_both_languages(year: Year) -> None:
    for line in year.naming:
        for vi, en in in_both(line):
            for case in year.people(line):
                assert case["name_vi"] in vi, (line, vi)
                assert case["name_en"] in en, (line, en)


def test_nobody_else_is_named(year: Year) -> None:
    for line in year.going:
        others = [case for slug, case in year.cases.items() if slug not in line["cases"]]
        named = " ".join(case["name_vi"] for case in year.people(line))
        for vi, _ in in_both(line):
            assert not [case["slug"] for case in others if case["name_vi"] in vi and case["name_vi"] not in named], vi


YEARS_SINCE = {
    "vi": re.compile(
        r"([\d.]+) năm (?:trước|sau\b|đã qua|ngày|phiên)|(?:[Tt]ròn|Đã) ([\d.]+) năm|bị giam ([\d.]+) năm,"
    ),
    "en": re.compile(
        r"([\d,]+) years? (?:ago|later|since|on,|ha(?:s|ve) passed|after the|away)|held for ([\d,]+) years?"
    ),
}
DAYS_SINCE = {"vi": re.compile(r"([\d.]+) ngày\b"), "en": re.compile(r"([\d,]+) days?\b")}
DATES = {
    "vi": re.compile(r"\b(\d{1,2}/\d{1,2}/\d{4})\b"),
    "en": re.compile(rf"\b(\d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{4}})\b"),
}


def numbers(pattern: re.Pattern[str], text: str) -> set[int]:
    found = (next(filter(None, match.groups())) for match in pattern.finditer(text))
    return {int(number.replace(".", "").replace(",", "")) for number in found}


def written(day: date, language: str) -> str:
    return f"{day:%-d/%-m/%Y}" if language == "vi" else f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def test_years_days_and_dates_are_the_arithmetic_of_the_file(year: Year) -> None:
    for line in year.naming:
        events = year.events(line)
        day = oracle.first_day(events[0]["date"])
        own = {oracle.first_day(event["date"]) for case in year.people(line) for event in case["event"]
               if oracle.is_exact(event["date"])}  # fmt: skip
        for texts in in_both(line):
            for language, text in zip(("vi", "en"), texts, strict=True):
                assert numbers(YEARS_SINCE[language], text) <= {line["years"]} - {0}, text
                assert numbers(DAYS_SINCE[language], text) == ({line["days"]} - {0}), text
                dates = set(DATES[language].findall(text))
                assert dates <= {written(each, language) for each in own}, text
                anchored = numbers(YEARS_SINCE[language], text) or numbers(DAYS_SINCE[language], text)
                assert anchored or written(day, language) in dates, text


def test_one_year_is_singular(year: Year) -> None:
    for line in year.going:
        for _, en in in_both(line):
            assert not re.search(
                r"\b1 (?:years|days|months|people)\b|\b1 year have\b|\b(?:[2-9]|\d\d+) (?:year|day|month)\b", en
            ), en


def months(event: oracle.Event) -> int:
    return int(event["sentence"]["prison_months"])


def term(value: int) -> tuple[str, str]:
    years, rest = divmod(value, 12)
    vi = [f"{years} năm"] * bool(years) + [f"{rest} tháng"] * bool(rest)
    en = [f"{years} year" + "s" * (years > 1)] * bool(years) + [f"{rest} month" + "s" * (rest > 1)] * bool(rest)
    return " ".join(vi), " ".join(en)


def test_numbers_and_totals_are_said_only_of_a_hearing_that_is_wholly_on_file(year: Year) -> None:
    totals = 0
    for line in year.naming:
        if not line["kind"].startswith("joint"):
            continue
        events = year.events(line)
        whole = all(event.get("joint_defendants") == len(events) for event in events)
        for vi, en in in_both(line):
            counted = [int(number) for number in re.findall(r"\b(\d+) người (?:trong|bị|ở)", vi)]
            assert set(counted) <= ({len(events)} if whole else set()), vi
            said = "tổng cộng" in vi or re.search(r"người, [\d ]+năm", vi)
            if said:
                totals += 1
                vi_total, en_total = term(sum(months(event) for event in events))
                assert whole
                assert f"{vi_total} tù giam" in vi, vi
                assert f"{en_total} in prison" in en, en
            if since := re.search(r"Từ đó: (.*?)\.(?: |$)", vi):
                assert sum(int(number) for number in re.findall(r"(\d+) người", since[1])) == len(events), vi
    assert totals


def test_sentences_are_those_of_the_file(year: Year) -> None:
    for line in year.naming:
        for vi, en in in_both(line):
            known = [event["sentence"] for case in year.people(line) for event in case["event"] if "sentence" in event]
            terms = {term(each["prison_months"]) for each in known if each.get("prison_months")}
            if not line["kind"].startswith("joint"):
                single = re.findall(r"(\d+ năm(?: \d+ tháng)?|\d+ tháng) tù giam", vi)
                assert {text.strip() for text in single} <= {vi for vi, _ in terms}, vi
                assert set(re.findall(r"(\d+ years?(?: \d+ months?)?|\d+ months?) in prison", en)) <= {
                    e for _, e in terms
                }


def test_an_account_speaks_at_most_six_times_a_day_and_ninety_minutes_apart(year: Year) -> None:
    spoken: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for line in year.going:
        for account in line["channels"]:
            assert account["timezone"] == "Asia/Ho_Chi_Minh"
            assert account["date"] == line["date"], line
            spoken[account["channel"], line["date"]].append(datetime.fromisoformat(f"{line['date']}T{account['time']}"))
    for moments in spoken.values():
        ordered = sorted(moments)
        assert len(ordered) <= oracle.DAILY_CAP
        assert ordered[0].strftime("%H:%M") >= "09:00"
        assert all(later - earlier >= SPACING for earlier, later in pairwise(ordered))
    assert year.cases.keys() < CONFIRMED.keys() or max(map(len, spoken.values())) > 1


def test_a_second_run_says_the_same_to_the_letter_and_changes_nothing(shipped: Year) -> None:
    before = fingerprint(shipped.here)
    assert rehearsed(shipped.here) == shipped.said
    assert fingerprint(shipped.here) == before


def fingerprint(here: Installation) -> Mapping[str, str]:
    files = [
        file for file in here.folder.rglob("*") if file.is_file() and not file.name.endswith(("-wal", "-shm", ".log"))
    ]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
