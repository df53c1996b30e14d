"""The message models: filled as written, true of every shipped case, within every platform's limit."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.domain.campaign import Campaign, Observance, ObservanceKind, Short
from bot.domain.case import Address, Case, Confirmation, Consent, EventKind, PartialDate, Status, Tier
from bot.domain.errors import Rejected
from bot.domain.occasions import Bar, Occasion, OccasionKind, PlanningRules, occasions
from bot.domain.post import Misfit
from bot.domain.text import RULES, TextRules, count, fits
from bot.library.cards import alt_texts
from bot.library.casefiles import read_cases_toml
from bot.library.messages import Messages, NoWording, Wording, compose, compose_general, load_messages
from bot.library.schedules import Schedules, load_schedules

ROOT = Path(__file__).resolve().parents[2]
GOLDEN: Sequence[Mapping[str, Any]] = json.loads((Path(__file__).parent / "golden_messages.json").read_text("utf-8"))
X = RULES["x"]
TAGGED = Campaign(
    "tagged",
    "Ngừng Ngay Đàn Áp",
    "Stop the Crackdown",
    hashtags={"vi": ("#NgừngNgayĐànÁp", "#StopTheCrackdownVN"), "en": ("#StopTheCrackdownVN",)},
    links={"vi": "https://example.org/vi", "en": "https://example.org/en"},
)
JOINT = {"joint_trial": EventKind.TRIAL, "joint_appeal": EventKind.APPEAL_TRIAL, "day_count": EventKind.ARREST}


@pytest.fixture(scope="module")
def messages() -> Messages:
    return load_messages(ROOT / "messages")


@pytest.fixture(scope="module")
def schedules() -> Schedules:
    return load_schedules(ROOT / "schedules")


@pytest.fixture(scope="module")
def shipped() -> dict[str, Case]:
    return {case.slug: case for case in read_cases_toml(ROOT / "schedules" / "cases.toml")}


def _marked(case: Case, kind: str, on: date) -> tuple[str, str]:
    """The event of that kind whose day it is; of day counts, the newest arrest."""
    wanted = JOINT.get(kind, kind)
    found = [event for event in case.events if event.kind == wanted and event.date.exact]
    same_day = [e for e in found if (e.date.month, e.date.day) in {(on.month, on.day), (2, on.day + 1)}]
    return case.slug, (same_day or found)[-1].key


def _as_in(row: Mapping[str, Any], shipped: Mapping[str, Case]) -> dict[str, Case]:
    """The shipped cases as the example supposes them."""
    cases = {slug: shipped[slug] for slug in row["cases"]}
    for slug, as_of in zip(row["cases"], row.get("confirmed", ()), strict=False):
        cases[slug] = replace(cases[slug], confirmation=Confirmation(PartialDate.parse(as_of)))
    for slug, case in cases.items():
        events = case.events
        if row.get("date_undisputed"):
            events = tuple(replace(event, alt_dates=()) for event in events)
        unbroken = row.get("custody_unbroken", case.custody_unbroken)
        cases[slug] = replace(case, events=events, custody_unbroken=unbroken)
    return cases


def _occasion(row: Mapping[str, Any], cases: Mapping[str, Case]) -> Occasion:
    on = date.fromisoformat(row["on"])
    kind = OccasionKind(row["kind"])
    if kind is OccasionKind.OBSERVANCE:
        return Occasion("golden", kind, on, Tier.STALE, cases=tuple(cases), observance=row["observance"])
    events = tuple(_marked(case, row["kind"], on) for case in cases.values())
    event = cases[events[0][0]].event(events[0][1])
    assert event is not None
    first = event.date.first_day
    days = (on - first).days if kind is OccasionKind.DAY_COUNT else 0
    years = 0 if days else on.year - first.year
    return Occasion("golden", kind, on, Tier(row["tier"]), tuple(cases), events, years=years, days=days)


def _observance(row: Mapping[str, Any], schedules: Schedules) -> Observance | None:
    if "observance" not in row:
        return None
    on = date.fromisoformat(row["on"])
    return next(one for one in schedules.observances(on, on) if one.id == row["observance"])


@pytest.mark.parametrize("row", GOLDEN, ids=[row["model"] for row in GOLDEN])
def test_each_model_reads_as_written_and_weighs_on_x_as_measured(
    row: Mapping[str, Any], messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    if row["kind"] == "general":
        found = compose_general(messages, TAGGED, X, turn=0, model=row["model"])
    else:
        cases = _as_in(row, shipped)
        found = compose(
            messages, _occasion(row, cases), cases, TAGGED, schedules.places, X,
            observance=_observance(row, schedules), model=row["model"],
        )  # fmt: skip
    assert isinstance(found, Wording), found
    assert (found.texts["vi"], found.texts["en"], found.dropped) == (row["vi"], row["en"], ())
    weights = {language: [count(part, X) for part in text.split("\n---\n")] for language, text in found.texts.items()}
    assert weights == row["x_weight"]


def test_every_model_of_the_golden_file_is_there_and_the_file_holds_all_57() -> None:
    assert len({row["model"] for row in GOLDEN}) == 57


@pytest.fixture(scope="module")
def everything(shipped: Mapping[str, Case], schedules: Schedules) -> tuple[tuple[Occasion, Observance | None], ...]:
    """All occasions of eleven years, whether or not they would be posted by themselves."""
    start, end = date(2026, 1, 1), date(2036, 12, 31)
    rules = PlanningRules.of([replace(campaign, marks_past=True) for campaign in schedules.campaigns])
    days = {(one.id, one.on): one for one in schedules.observances(start, end)}
    found = occasions(tuple(shipped.values()), tuple(days.values()), start, end, rules)
    return tuple((one, days.get((one.observance, one.on))) for one in found if one.bar is not Bar.CALENDAR_ONLY)


def _parts(found: Wording, rules: TextRules, layout: str) -> Iterator[str]:
    whole = "\n\n".join(found.texts.values())
    if layout == "joined" and "\n---\n" not in whole and fits(whole, rules):
        yield whole
        return
    for text in found.texts.values():
        yield from text.split("\n---\n")


CLAIMS_PRISON = ("vẫn đang bị giam", "vẫn ở trong tù", "đã bị giam", "still in prison", "still held", "has been held")
ABOUT_OTHERS = {OccasionKind.OBSERVANCE, OccasionKind.RELEASE}


def _assert_true_and_fitting(occasion: Occasion, found: Wording, rules: TextRules, layout: str) -> None:
    said = "\n".join(found.texts.values())
    assert set(found.texts) == {"vi", "en"}
    assert all(part and fits(part, rules) for part in _parts(found, rules, layout)), (occasion.key, found)
    assert "{" not in said
    assert "  " not in said
    if occasion.tier is not Tier.FRESH and occasion.kind not in ABOUT_OTHERS:
        assert not any(claim in said for claim in CLAIMS_PRISON), (occasion.key, found)


@pytest.mark.slow
@pytest.mark.parametrize("platform", sorted(RULES))
def test_every_shipped_case_kind_and_year_renders_in_both_languages_within_the_limit(
    platform: str,
    messages: Messages,
    schedules: Schedules,
    shipped: Mapping[str, Case],
    everything: Sequence[tuple[Occasion, Observance | None]],
) -> None:
    rules = RULES[platform]
    silent = []
    for occasion, observance in everything:
        for layout in ("thread", "separate") if platform == "x" else ("joined", "thread"):
            found = compose(
                messages, occasion, shipped, TAGGED, schedules.places, rules,
                observance=observance, layout=layout, platform=platform,
            )  # fmt: skip
            if isinstance(found, NoWording):
                silent.append(occasion)
            else:
                assert isinstance(found, Wording), (occasion.key, found)
                _assert_true_and_fitting(occasion, found, rules, layout)
    unsaid = {(occasion.kind, occasion.tier) for occasion in silent}
    assert unsaid == {(OccasionKind.DAY_COUNT, Tier.STALE)}, silent


def test_once_confirmed_everyone_in_prison_is_spoken_of_as_in_prison(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    as_of = PartialDate.parse("2027-01-01")
    cases = {slug: replace(case, confirmation=Confirmation(as_of)) for slug, case in shipped.items()}
    found = occasions(tuple(cases.values()), (), date(2027, 1, 2), date(2027, 6, 29), PlanningRules())
    fresh = [one for one in found if one.tier is Tier.FRESH and not one.near_term_end]
    assert len(fresh) > 20
    for occasion in fresh:
        wording = compose(messages, occasion, cases, TAGGED, schedules.places, X)
        assert isinstance(wording, Wording), (occasion, wording)
        _assert_true_and_fitting(occasion, wording, X, "thread")
    tiers = [compose(messages, one, cases, TAGGED, schedules.places, X).tier for one in fresh]  # type: ignore[union-attr]
    assert tiers.count(Tier.FRESH) > len(fresh) * 0.8


def _arrest(slug: str, cases: Mapping[str, Case], year: int, tier: Tier) -> Occasion:
    event = cases[slug].of_kind(EventKind.ARREST)[0]
    day = event.date.first_day
    on = day.replace(year=year)
    return Occasion("k", OccasionKind.ARREST, on, tier, (slug,), ((slug, event.key),), years=year - day.year)


def _trial(slug: str, cases: Mapping[str, Case], year: int, tier: Tier) -> Occasion:
    event = cases[slug].of_kind(EventKind.TRIAL)[0]
    day = event.date.first_day
    on = day.replace(year=year)
    return Occasion("k", OccasionKind.TRIAL, on, tier, (slug,), ((slug, event.key),), years=year - day.year)


@pytest.mark.parametrize(
    ("change", "weight", "dropped", "second"),
    [
        ({}, 278, (), "Đến nay vẫn đang bị giam."),
        ({"address": Address.BA, "short_vi": "Trang"}, 235, ("charge",), "Bà Trang vẫn đang bị giam."),
        ({"address": Address.CHI, "short_vi": "Trang"}, 241, ("charge",), "Chị Trang vẫn đang bị giam."),
        ({"title_vi": "nhà báo"}, 245, ("charge",), "Đến nay vẫn đang bị giam."),
    ],
)
def test_a_form_of_address_lengthens_the_text_and_costs_the_charge_first(
    change: Mapping[str, Any],
    weight: int,
    dropped: tuple[str, ...],
    second: str,
    messages: Messages,
    schedules: Schedules,
    shipped: Mapping[str, Case],
) -> None:
    cases = {"pham-doan-trang": replace(shipped["pham-doan-trang"], **change)}
    occasion = _trial("pham-doan-trang", cases, 2025, Tier.FRESH)
    found = compose(messages, occasion, cases, TAGGED, schedules.places, X, model="T-f1")
    assert isinstance(found, Wording)
    assert (count(found.texts["vi"], X), found.dropped) == (weight, dropped)
    assert second in found.texts["vi"]
    assert ("on a charge of" in found.texts["en"]) == (not dropped)


def test_what_is_left_out_is_left_out_in_the_written_order_and_in_both_languages(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    occasion = _arrest("hoang-duc-binh", shipped, 2027, Tier.STALE)
    seen: dict[tuple[str, ...], Mapping[str, str]] = {}
    for limit in range(280, 100, -1):
        rules = replace(X, limit=limit)
        found = compose(messages, occasion, shipped, TAGGED, schedules.places, rules, model="A-s1")
        if isinstance(found, Misfit):
            assert found.limit == limit
            assert found.overflow > 0
            break
        assert isinstance(found, Wording)
        seen.setdefault(found.dropped, found.texts)
    assert list(seen) == [(), ("occupation",), ("occupation", "tag"), ("occupation", "tag", "link")]
    last = seen["occupation", "tag", "link"]
    assert "labour" not in last["en"]
    assert last["vi"].endswith("#StopTheCrackdownVN\n---\nhttps://example.org/vi")
    assert last["en"].endswith("#StopTheCrackdownVN\n---\nhttps://example.org/en")


def test_probation_may_be_left_out_but_never_the_call_or_the_years(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    occasion = _trial("tran-van-bang", shipped, 2027, Tier.STALE)
    found = compose(messages, occasion, shipped, TAGGED, schedules.places, replace(X, limit=200), model="T-s1")
    assert isinstance(found, Wording)
    assert found.dropped[-1] == "probation"
    assert "the court sentenced Tran Van Bang to 8 years in prison. Last" in found.texts["en"]
    assert "The conviction should be quashed." in found.texts["en"]


def test_both_languages_share_a_post_where_they_fit_and_else_become_a_thread(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    occasion = _arrest("hoang-duc-binh", shipped, 2027, Tier.STALE)
    for limit, dropped in ((4096, ()), (270, ()), (180, ("occupation",))):
        rules = replace(RULES["telegram"], limit=limit)
        found = compose(messages, occasion, shipped, TAGGED, schedules.places, rules, layout="joined", model="A-s3")
        assert isinstance(found, Wording)
        assert found.dropped == dropped


def test_near_the_end_of_a_term_nothing_hints_at_prison(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    occasion = replace(_arrest("dinh-thi-thu-thuy", shipped, 2027, Tier.FRESH), near_term_end=True)
    found = compose(messages, occasion, shipped, TAGGED, schedules.places, X)
    assert isinstance(found, Wording)
    assert found.model == "A-s3"


def test_where_it_is_another_day_in_viet_nam_the_date_stands_and_no_today(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    occasion = _arrest("hoang-duc-binh", shipped, 2029, Tier.STALE)
    for platform in ("x", "telegram"):
        found = compose(messages, occasion, shipped, TAGGED, schedules.places, RULES[platform], today_is_local=False)
        assert isinstance(found, Wording)
        assert "15 May 2017" in found.texts["en"]
        assert "ago today" not in found.texts["en"]


def test_the_facts_a_text_prints_are_cited_and_no_others(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    slug = "hoang-duc-binh"
    occasion = _arrest(slug, shipped, 2027, Tier.STALE)
    ask = {"A-s1": {"occupation", "confirmation", "event:trial-2018-02-06"}, "A-s3": {"occupation"}}
    always = {"identity", "status", "consent", "term", "event:arrest-2017-05-15"}
    for model, facts in ask.items():
        found = compose(messages, occasion, shipped, TAGGED, schedules.places, X, model=model)
        assert isinstance(found, Wording)
        assert found.cites == {(slug, fact) for fact in facts | always}


def _joint(name: str, cases: Mapping[str, Case], year: int) -> Occasion:
    found = occasions(tuple(cases.values()), (), date(year, 1, 1), date(year, 12, 31), PlanningRules())
    return next(one for one in found if f":{name}:" in one.key)


def test_totals_go_as_soon_as_one_of_those_tried_refuses_to_be_named(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    whole = compose(messages, _joint("ijavn-2021-01-05", shipped, 2027), shipped, TAGGED, schedules.places, X)
    assert isinstance(whole, Wording)
    assert "37" in whole.texts["en"] or "3 people" in whole.texts["en"]
    refused = dict(shipped)
    refused["nguyen-tuong-thuy"] = replace(shipped["nguyen-tuong-thuy"], consent=Consent.REFUSED)
    for occasion in (_joint("ijavn-2021-01-05", shipped, 2027), _joint("ijavn-2021-01-05", refused, 2027)):
        found = compose(messages, occasion, refused, TAGGED, schedules.places, X)
        assert isinstance(found, Wording)
        for said in found.texts.values():
            assert "Thuy" not in said
            assert "Thụy" not in said
            assert "37" not in said
            assert "3 p" not in said


def test_names_that_do_not_fit_become_a_thread_cut_between_names(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    occasion = _joint("hien-phap-2020-07-31", shipped, 2027)
    found = compose(messages, occasion, shipped, TAGGED, schedules.places, replace(X, limit=205), model="J-p2")
    assert isinstance(found, Wording)
    parts = found.texts["vi"].split("\n---\n")
    assert len(parts) > 2
    people = [shipped[slug].name_vi for slug in occasion.cases]
    assert len(people) == 8
    assert all(sum(name in part for part in parts[1:]) == 1 for name in people)
    assert all(count(part, X) <= 205 for part in parts)


def test_an_appeal_heard_together_is_never_said_to_have_sent_anyone_to_prison(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    for year in range(2026, 2036):
        occasion = _joint("coalition-appeal-2019-03-18", shipped, year)
        found = compose(messages, occasion, shipped, TAGGED, schedules.places, RULES["bluesky"])
        assert isinstance(found, Wording), found
        assert "to prison" not in found.texts["en"]
        assert "kết án tù" not in found.texts["vi"]
        assert all(shipped[slug].name_vi in found.texts["vi"] for slug in occasion.cases)


def test_in_absentia_is_always_said(messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]) -> None:
    case = shipped["nguyen-van-dai"]
    event = next(event for event in case.events if event.in_absentia)
    occasion = Occasion(
        "k", OccasionKind.TRIAL, date(2027, 12, 31), Tier.PAST, (case.slug,), ((case.slug, event.key),), years=2
    )
    found = compose(messages, occasion, shipped, TAGGED, schedules.places, X)
    assert isinstance(found, Wording)
    assert "in absentia" in found.texts["en"]
    assert "xử vắng mặt" in found.texts["vi"]
    assert "left Vietnam" not in found.texts["en"]


def test_a_person_picks_the_case_that_an_observance_names(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    on = date(2027, 12, 10)
    day = Observance("human-rights-day", "Ngày Quốc tế Nhân quyền", "International Human Rights Day",
                     ObservanceKind.ADVOCACY, on)  # fmt: skip
    general = Occasion("k", OccasionKind.OBSERVANCE, on, Tier.STALE, observance=day.id)
    texts = {}
    for year in (2026, 2027, 2028):
        moved, at = replace(general, on=on.replace(year=year)), replace(day, on=on.replace(year=year))
        found = compose(messages, moved, shipped, TAGGED, schedules.places, X, observance=at)
        assert isinstance(found, Wording)
        texts[found.model] = found.texts["en"]
    assert len(texts) == 3
    named = replace(general, cases=("pham-doan-trang",))
    found = compose(messages, named, shipped, TAGGED, schedules.places, X, observance=day)
    assert isinstance(found, Wording)
    assert found.model == "O-2"
    assert "Free all prisoners of conscience in Vietnam." in found.texts["en"]


def test_a_familys_own_tag_stands_beside_the_campaigns_with_consent_only(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    slug = "hoang-duc-binh"
    for consent, expected in ((Consent.GIVEN, True), (Consent.UNKNOWN, False)):
        cases = {slug: replace(shipped[slug], tag="SampleTag", consent=consent)}
        occasion = _arrest(slug, cases, 2027, Tier.STALE)
        found = compose(messages, occasion, cases, TAGGED, schedules.places, X, model="A-s3")
        assert isinstance(found, Wording)
        assert ("#StopTheCrackdownVN #SampleTag" in found.texts["vi"]) is expected
        assert ((slug, "note") in found.cites) is expected
        assert found.texts["vi"].count("#") == 2


def test_what_a_place_is_called_is_never_guessed(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    bare = replace(schedules.places, courts={}, destinations={"Germany": Short("Đức", "Germany")})
    occasion = _trial("tran-van-bang", shipped, 2027, Tier.STALE)
    found = compose(messages, occasion, shipped, TAGGED, bare, X)
    assert isinstance(found, Wording)
    assert found.model == "T-s2"
    silent = compose(messages, replace(occasion, near_term_end=True), shipped, TAGGED, bare, X)
    assert isinstance(silent, Wording)
    assert silent.model == "T-s4"


def test_a_share_card_is_described_in_both_languages(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    confirmed = Confirmation(PartialDate.parse("2023-11"))
    cases = {"hoang-duc-binh": replace(shipped["hoang-duc-binh"], confirmation=confirmed)}
    occasion = _arrest("hoang-duc-binh", cases, 2027, Tier.STALE)
    found = alt_texts(messages, occasion, cases, schedules.places, source="hrw.org")
    assert found is not None
    assert found["en"] == (
        "Share card: Hoang Duc Binh, labour and environmental activist. 10 years since the arrest (15 May 2017). "
        "Last confirmed in prison: November 2023. As of November 2023. Source: hrw.org."
    )
    near_the_end = replace(occasion, near_term_end=True)
    silent = alt_texts(messages, near_the_end, cases, schedules.places, source="hrw.org")
    assert silent is not None
    assert "prison" not in silent["en"]
    hearing = _joint("hien-phap-2020-07-31", shipped, 2027)
    joint = alt_texts(messages, hearing, shipped, schedules.places, source="x.org")
    assert joint is not None
    assert max(map(len, joint.values())) <= 1000
    assert "Đoàn Thị Hồng" in joint["vi"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "messages", tmp_path / "messages")
    return tmp_path / "messages"


def _findings(folder: Path) -> list[str]:
    with pytest.raises(Rejected) as caught:
        load_messages(folder)
    return [str(finding) for finding in caught.value.findings]


def _rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("en/arrest.j2", "{{ place }}", "{{ plaec }}", "Did you mean “place”?"),
        ("en/release.j2", "{{ left }}", "{{ court }}", "not known of this kind"),
        ("vi/arrest.j2", "## A-s2 stale", "## A-s2 stael", "Did you mean “stale”?"),
        ("vi/arrest.j2", "[one-day]", "[one-dya]", "Did you mean “one-day”?"),
        ("en/arrest.j2", "{{ years }} ago", "{{ years } ago", "line 4"),
        ("en/arrest.j2", "{{ years }} ago", "{{ years|upper }} ago", "holds more than fields"),
        ("en/arrest.j2", "{{ years }} ago", "{% for x in years %}{% endfor %} ago", "holds more than fields"),
        ("en/arrest.j2", "The sentence:", "Still held:", "claims what may have changed"),
        ("vi/arrest.j2", "[last] [one-day]", "[held] [one-day]", "A stale model may not"),
        ("vi/arrest.j2", "Bản án:", "Đến nay vẫn bị giam:", "claims what may have changed"),
        ("vi/trial.j2", "Lên tiếng không phải là tội.", "Một kẻ phản động.", "is not ours to say"),
        ("vi/day_count.j2", "như thế. [", "như thế.Do đó [", "would become a link"),
        ("en/arrest.j2", "## A-p3 past round dated", "## A-p9 past round dated", "A-p3: is missing"),
        ("en/arrest.j2", "## A-p3 past round dated", "## A-p3 past dated", "Make them the same"),
        ("en/arrest.j2", ", {{ occupation }},", ", an activist,", "only one language prints occupation"),
        ("en/arrest.j2", "## A-f1", "Something\n## A-f1", "stands above the first heading"),
        ("vi/arrest.j2", "## A-s1 stale", "## A-s1 stale dated", "does not say “today”"),
    ],
)
def test_a_slip_is_named_with_its_file_and_its_remedy(folder: Path, file: str, old: str, new: str, said: str) -> None:
    _rewrite(folder / file, old, new)
    findings = _findings(folder)
    assert any(said in finding for finding in findings), findings
    assert all(finding.split(":")[0].endswith(".j2") for finding in findings)


def test_every_slip_is_found_in_one_run(folder: Path) -> None:
    _rewrite(folder / "vi/death.j2", "Tưởng nhớ", "Tưởng nhớ anh hùng!")
    _rewrite(folder / "en/exile.j2", "{{ destination }}", "{{ country }}")
    (folder / "en/general.j2").unlink()
    (folder / "en/arest.j2").write_text("## A-f1 fresh\nx\n", "utf-8")
    (folder / "vi/trial.j2").write_bytes(b"## T-f1 fresh\n\xff\xfe\n")
    findings = "\n".join(_findings(folder))
    for said in ("vi/death.j2", "en/exile.j2", "en/general.j2", "Did you mean “arrest”?", "is not UTF-8"):
        assert said in findings


def test_what_is_put_in_the_wrong_place_is_not_passed_over_in_silence(folder: Path) -> None:
    (folder / "en" / "twiter").mkdir()
    (folder / "en" / "twiter" / "arrest.j2").write_text("## A-f1 fresh\nx\n", "utf-8")
    (folder / "en" / "x").mkdir()
    (folder / "en" / "x" / "shared.j2").write_text("## now fresh\nx\n", "utf-8")
    (folder / "en" / "bluesky" / "arrest.j2").mkdir(parents=True)
    nested = "{% if name %}" * 3000 + "{% endif %}" * 3000
    (folder / "en" / "general.j2").write_text(f"## G-1 any\n{nested}\n", "utf-8")
    findings = "\n".join(_findings(folder))
    for said in ("never looked into", "en/x/shared.j2: is not a kind of message here", "cannot be opened", "G-1"):
        assert said in findings


def test_text_typed_on_a_mac_is_the_same_text(folder: Path) -> None:
    import unicodedata  # noqa: PLC0415 - this test alone

    path = folder / "vi" / "arrest.j2"
    path.write_text(unicodedata.normalize("NFD", path.read_text("utf-8")), "utf-8")
    assert load_messages(folder).patterns == load_messages(ROOT / "messages").patterns


def test_the_most_particular_folder_wins_model_by_model(
    folder: Path, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    for layer in ("x", "campaigns/tagged", "cases/hoang-duc-binh"):
        for language in ("vi", "en"):
            path = folder / language / layer / "arrest.j2"
            path.parent.mkdir(parents=True)
            path.write_text(f"## A-s3 stale dated\n{layer} {{{{ name }}}}, {{{{ date }}}}.\n", "utf-8")
    own = load_messages(folder)

    def said(slug: str, campaign: Campaign, platform: str) -> str:
        occasion = _arrest(slug, shipped, 2027, Tier.STALE)
        found = compose(own, occasion, shipped, campaign, schedules.places, X, platform=platform, model="A-s3")
        assert isinstance(found, Wording)
        return found.texts["en"].split(" ")[0]

    assert said("hoang-duc-binh", TAGGED, "x") == "cases/hoang-duc-binh"
    assert said("le-dinh-luong", TAGGED, "x") == "campaigns/tagged"
    assert said("le-dinh-luong", replace(TAGGED, slug="other"), "x") == "x"
    assert said("le-dinh-luong", replace(TAGGED, slug="other"), "telegram") == "On"


def test_a_release_of_somebody_held_again_is_not_spoken_of(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case]
) -> None:
    slug = "nguyen-van-hoa"
    cases = {slug: replace(shipped[slug], status=Status.IMPRISONED)}
    events = ((slug, cases[slug].of_kind(EventKind.RELEASE)[0].key),)
    occasion = Occasion("k", OccasionKind.RELEASE, date(2027, 1, 11), Tier.STALE, (slug,), events, years=3)
    assert isinstance(compose(messages, occasion, cases, TAGGED, schedules.places, X), NoWording)
