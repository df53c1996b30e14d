"""Cases change fact by fact, with a source and an author, and take back what was approved on the old facts."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot.domain.audit import Act
from bot.domain.case import Address, Case, Confirmation, Consent, Event, EventKind, PartialDate, Status
from bot.domain.errors import BadInput, CampaignError, Conflict, NotFound, Refused, Rejected
from bot.domain.facts import facts_of
from bot.domain.people import Person
from bot.domain.post import Cite, Content, PostState
from bot.library.casefiles import read_cases_toml
from bot.services import cases, hearings, plan
from bot.services.context import Context
from bot.store import posts
from tests.house import ROOT, START, Crew, FakeClock, payload, told
from tests.sample_cases import SOURCE, a_case, an_event, some_cases

A = "nguyen-van-a"
ARREST = "event:arrest-2020-10-07"
PAGE = "https://example.org/new"


def imported(ctx: Context, *given: Case, by: Person | None = None) -> cases.Imported:
    return cases.import_cases(ctx, by, given, source="sample.toml")


def a_scheduled_post(ctx: Context, *cites: Cite, state: PostState = PostState.SCHEDULED) -> int:
    texts = {("vi", ""): "Nguyễn Văn A", ("en", ""): "Nguyen Van A"}
    content = Content("stop-the-crackdown-vn", texts, ("rehearsal-x",), cases=(A,), cites=cites)
    with ctx.store.write() as tx:
        post = posts.add(tx, [posts.NewPost(content)], None, START)[0]
        posts.set_state(tx, post.id, state, "", START)
    return post.id


def state_of(ctx: Context, post_id: int) -> PostState:
    with ctx.store.read() as tx:
        return posts.get(tx, post_id).state


# Importing


def test_an_imported_case_is_there_with_every_fact_at_its_first_revision(ctx: Context) -> None:
    given = a_case(an_event(), occupation_vi="nhà báo")
    assert imported(ctx, given) == cases.Imported((A,), (), (), (), ())
    kept = cases.get_case(ctx, A)
    assert replace(kept, id=0, revisions={}) == given
    assert kept.revisions == dict.fromkeys(facts_of(given), 1)


def test_the_shipped_cases_come_back_as_they_were_and_a_second_import_changes_nothing(ctx: Context) -> None:
    shipped = read_cases_toml(ROOT / "schedules" / "cases.toml")
    assert len(imported(ctx, *shipped).added) == len(shipped)
    before = cases.all_cases(ctx)
    kept = {case.slug: replace(case, id=0, revisions={}) for case in before}
    assert kept == {case.slug: case for case in shipped}
    again = imported(ctx, *shipped)
    assert (len(again.unchanged), again.added, again.changed, again.affected) == (len(shipped), (), (), ())
    assert cases.all_cases(ctx) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(given=some_cases())
def test_importing_the_same_again_changes_nothing(ctx: Context, given: tuple[Case, ...]) -> None:
    free = [replace(case, campaigns=(), status=Status.UNKNOWN) for case in given]
    imported(ctx, *free)
    before = cases.all_cases(ctx)
    again = imported(ctx, *free)
    assert (again.added, again.changed, set(again.unchanged)) == ((), (), {case.slug for case in free})
    assert cases.all_cases(ctx) == before


def test_only_facts_that_differ_get_a_new_revision(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    corrected = a_case(an_event(charge="Article 117"), an_event(EventKind.TRIAL, "2021-05-05"), occupation_vi="nhà báo")
    assert imported(ctx, corrected, by=crew.coordinator).changed == (A,)
    revisions = cases.get_case(ctx, A).revisions
    assert {fact: n for fact, n in revisions.items() if n != 1} == {ARREST: 2, "occupation": 2}
    assert revisions["event:trial-2021-05-05"] == 1


def test_an_import_does_not_blank_what_is_known_here(ctx: Context, crew: Crew) -> None:
    known = a_case(
        an_event(charge="Article 117", joint="hearing-a"),
        an_event(EventKind.TRIAL, "2021-05-05"),
        consent=Consent.REFUSED,
        address=Address.ONG,
        custody_unbroken=True,
        occupation_vi="nhà báo",
    )
    imported(ctx, known)
    result = imported(ctx, a_case(an_event()), by=crew.coordinator)
    assert (result.changed, result.unchanged) == ((), (A,))
    assert replace(cases.get_case(ctx, A), id=0, revisions={}) == known


def test_an_older_file_does_not_take_back_a_status_that_was_confirmed_later(ctx: Context) -> None:
    imported(ctx, a_case(status=Status.RELEASED, as_of="2026-11-10"))
    result = imported(ctx, a_case(status=Status.IMPRISONED, as_of="2026-03"))
    assert (result.kept, result.changed) == ((A,), ())
    assert cases.get_case(ctx, A).status is Status.RELEASED


def test_a_newer_file_brings_the_newer_status_unknown_too(ctx: Context) -> None:
    imported(ctx, a_case(status=Status.IMPRISONED, as_of="2026-03"))
    result = imported(ctx, a_case(status=Status.UNKNOWN, as_of="2026-10", last_known_status=Status.IMPRISONED))
    case = cases.get_case(ctx, A)
    assert (result.kept, case.status, case.last_known_status) == ((), Status.UNKNOWN, Status.IMPRISONED)


def test_an_import_is_whole_or_not_at_all(ctx: Context) -> None:
    broken = a_case(slug="nguyen-van-b", name_vi="")
    with pytest.raises(Rejected, match="name_vi"):
        imported(ctx, a_case(), broken)
    with pytest.raises(BadInput, match="twice"):
        imported(ctx, a_case(), a_case())
    assert cases.all_cases(ctx) == ()
    assert told(ctx, Act.CASE_IMPORTED) == []


@pytest.mark.parametrize("role", ["admin", "reviewer", "auditor"])
def test_only_coordinators_edit_cases(ctx: Context, crew: Crew, role: str) -> None:
    imported(ctx, a_case())
    actor: Person = getattr(crew, role)
    acts: list[Callable[[], object]] = [
        lambda: imported(ctx, a_case(slug="nguyen-van-b"), by=actor),
        lambda: cases.change_case(ctx, actor, A, a_case(note="x"), PAGE),
        lambda: cases.confirm_status(ctx, actor, A, PartialDate(2026, 11, 2), [PAGE]),
        lambda: cases.add_event(ctx, actor, A, an_event()),
        lambda: hearings.answer_same_hearing(ctx, actor, [(A, "x")], same=False),
    ]
    for act in acts:
        with pytest.raises(Refused, match="edit cases"):
            act()
    assert len(cases.all_cases(ctx)) == 1


# Finding


def test_a_case_that_is_not_there_is_answered_with_one_like_it(ctx: Context) -> None:
    imported(ctx, a_case())
    with pytest.raises(NotFound, match="Did you mean “nguyen-van-a”"):
        cases.get_case(ctx, "nguyen-van-aa")
    for odd in ("", "\x00", "x" * 100_000, "%", "'; DROP TABLE cases"):
        with pytest.raises(NotFound):
            cases.get_case(ctx, odd)


@pytest.mark.parametrize(
    "query", ["đài", "DAI", "Nguyễn đài", "dai nguyen", "nguyen-van-dai", "ông đồ", unicodedata.normalize("NFD", "Đài")]
)
def test_search_ignores_tone_marks_case_and_the_order_of_words(ctx: Context, query: str) -> None:
    sought = a_case(
        slug="nguyen-van-dai", name_vi="Nguyễn Văn Đài", name_en="Nguyen Van Dai", also_known_as=("Ông Đồ",)
    )
    imported(ctx, sought, a_case())
    assert [case.slug for case in cases.find_cases(ctx, query)] == ["nguyen-van-dai"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "'", "a%", "v_n", "\x00%", "\ud800%"])
def test_what_means_anything_to_a_database_means_only_itself(ctx: Context, query: str) -> None:
    imported(ctx, a_case())
    assert cases.find_cases(ctx, query) == ()


def test_a_huge_query_is_cut_and_finds_nothing(ctx: Context) -> None:
    imported(ctx, a_case())
    assert cases.find_cases(ctx, "x " * 100_000) == ()


def test_cases_are_sorted_as_vietnamese_names_are_and_shown_by_the_page(ctx: Context) -> None:
    names = ["Nguyễn Văn B", "Trần Văn A", "Nguyễn Văn Á", "Nguyễn Văn A", "Nguyễn Văn Đ", "Nguyễn Văn D"]
    imported(ctx, *(a_case(slug=f"sample-{n}", name_vi=name) for n, name in enumerate(names)))
    found = [case.name_vi for case in cases.find_cases(ctx)]
    assert found == ["Nguyễn Văn A", "Trần Văn A", "Nguyễn Văn Á", "Nguyễn Văn B", "Nguyễn Văn D", "Nguyễn Văn Đ"]
    assert [case.name_vi for case in cases.find_cases(ctx, limit=2, offset=3)] == found[3:5]


def test_search_may_ask_for_one_status(ctx: Context) -> None:
    imported(ctx, a_case(), a_case(slug="nguyen-van-b", status=Status.RELEASED))
    assert [case.slug for case in cases.find_cases(ctx, "nguyen", status=Status.RELEASED)] == ["nguyen-van-b"]


# Changing


def test_a_change_has_a_source_and_an_author(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    imported(ctx, a_case(an_event()))
    clock.advance(hours=1)
    change = cases.change_case(ctx, crew.coordinator, A, a_case(an_event(charge="Article 117")), f"  {PAGE} ")
    assert change == cases.Change((ARREST,), ())
    *_, first, last = [each for each in cases.history(ctx, A) if each.fact == ARREST]
    assert (first.revision, first.author, first.source, first.at) == (1, "", "sample.toml", START)
    assert (last.revision, last.author, last.source, last.at) == (2, "binh", PAGE, clock.now())
    assert (first.value.get("charge"), last.value["charge"]) == (None, "Article 117")


@pytest.mark.parametrize(
    "changed",
    [
        a_case(an_event(charge="Article 117")),
        a_case(),
        a_case(an_event(), occupation_vi="nhà báo"),
        a_case(an_event(), name_vi="Nguyễn Văn Á"),
        a_case(an_event(), status=Status.RELEASED),
        a_case(an_event(), custody_unbroken=True),
    ],
    ids=["event", "event gone", "occupation", "name", "status", "custody"],
)
def test_no_source_no_fact(ctx: Context, crew: Crew, changed: Case) -> None:
    imported(ctx, a_case(an_event()))
    for nothing in ("", "  \n "):
        with pytest.raises(Refused, match="No source, no fact"):
            cases.change_case(ctx, crew.coordinator, A, changed, nothing)
    assert len(cases.change_case(ctx, crew.coordinator, A, changed, PAGE).facts) == 1


def test_what_a_family_wishes_needs_no_source(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case())
    wishes = a_case(consent=Consent.LIMITED, address=Address.BA, note="gọi trước", campaigns=("now-campaign",))
    wishes = replace(wishes, campaigns=(ctx.schedules.campaigns[-1].slug,))
    change = cases.change_case(ctx, crew.coordinator, A, wishes, "")
    assert change.facts == ("address", "campaigns", "consent", "note")


def test_a_fact_taken_out_and_put_back_is_at_its_third_revision(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    cases.change_case(ctx, crew.coordinator, A, a_case(), PAGE)
    assert cases.get_case(ctx, A).revisions[ARREST] == 2
    cases.change_case(ctx, crew.coordinator, A, a_case(an_event()), PAGE)
    assert cases.get_case(ctx, A).revisions[ARREST] == 3
    assert [bool(each.value) for each in cases.history(ctx, A) if each.fact == ARREST] == [True, False, True]


def test_changing_nothing_leaves_no_trace(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    before = cases.history(ctx, A)
    assert cases.change_case(ctx, crew.coordinator, A, a_case(an_event()), PAGE) == cases.Change()
    assert cases.history(ctx, A) == before
    assert told(ctx, Act.CASE_FACT_CHANGED) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (a_case(slug="nguyen-van-b"), "keeps its short name"),
        (a_case(name_vi=""), "name_vi"),
        (a_case(an_event(sources=())), "No source, no fact"),
        (a_case(campaigns=("nobody",)), "no campaign “nobody”"),
        (a_case(an_event(key="a" * 200)), "too long"),
        (a_case(note="x" * 5_000), "longer than"),
        (a_case(note="a\u202eb"), "invisible"),
        (a_case(an_event(), an_event()), "two events"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(ctx: Context, crew: Crew, changed: Case, said: str) -> None:
    imported(ctx, a_case())
    before = cases.get_case(ctx, A)
    with pytest.raises(CampaignError, match=said):
        cases.change_case(ctx, crew.coordinator, A, changed, PAGE)
    assert cases.get_case(ctx, A) == before


@pytest.mark.parametrize("source", ["x" * 100_000, "a\x00b", "a\u202eb"])
def test_a_source_must_be_legible(ctx: Context, crew: Crew, source: str) -> None:
    imported(ctx, a_case())
    with pytest.raises(BadInput, match="source"):
        cases.change_case(ctx, crew.coordinator, A, a_case(occupation_vi="nhà báo"), source)


def test_a_source_must_be_one_that_others_can_check(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case())
    for vague in ("a friend", f"{PAGE}\na friend"):
        with pytest.raises(BadInput, match="“a friend” is no source"):
            cases.change_case(ctx, crew.coordinator, A, a_case(occupation_vi="nhà báo"), vague)
    with pytest.raises(Rejected, match=r"status_sources: “a friend” is no source"):
        cases.confirm_status(ctx, crew.coordinator, A, PartialDate(2026, 11, 20), ["a friend"])
    with pytest.raises(Rejected, match=r"sources: “a friend” is no source"):
        cases.add_event(ctx, crew.coordinator, A, an_event(sources=("a friend",)))
    wishes = a_case(consent=Consent.LIMITED)
    assert cases.change_case(ctx, crew.coordinator, A, wishes, "the sister, by phone").facts == ("consent",)


def test_what_is_kept_is_in_nfc(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(name_vi=unicodedata.normalize("NFD", "Nguyễn Văn Ấ")))
    assert cases.get_case(ctx, A).name_vi == "Nguyễn Văn Ấ"
    nfd = replace(cases.get_case(ctx, A), name_vi=unicodedata.normalize("NFD", "Nguyễn Văn Ấ"))
    assert cases.change_case(ctx, crew.coordinator, A, nfd, PAGE).facts == ()


@pytest.mark.parametrize("end", [EventKind.RELEASE, EventKind.EXILE, EventKind.DEATH])
def test_nobody_stays_imprisoned_beside_a_later_release_exile_or_death(
    ctx: Context, crew: Crew, end: EventKind
) -> None:
    imported(ctx, a_case(an_event(), as_of="2026-03-12"))
    ending = an_event(end, "2026-11-20")
    with pytest.raises(Refused, match="Confirm the new status first"):
        cases.add_event(ctx, crew.coordinator, A, ending)
    status = {"release": Status.RELEASED, "exile": Status.EXILED, "death": Status.DIED}[end.value]
    cases.confirm_status(ctx, crew.coordinator, A, PartialDate(2026, 11, 20), [PAGE], status=status)
    assert cases.add_event(ctx, crew.coordinator, A, ending).facts == (f"event:{ending.key}",)


def test_a_release_before_another_arrest_does_not_contradict_imprisonment(ctx: Context, crew: Crew) -> None:
    again = an_event(EventKind.ARREST, "2026-10-01")
    imported(ctx, a_case(an_event(), an_event(EventKind.RELEASE, "2024-01-01"), again, as_of="2026-10"))
    with pytest.raises(Refused, match="Confirm"):
        cases.add_event(ctx, crew.coordinator, A, an_event(EventKind.RELEASE, "2026-11"))


# What a change takes back


def test_a_change_takes_back_the_approval_of_what_cites_the_fact(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    citing = a_scheduled_post(ctx, Cite(A, ARREST, 1))
    in_review = a_scheduled_post(ctx, Cite(A, ARREST, 1), state=PostState.IN_REVIEW)
    other = a_scheduled_post(ctx, Cite(A, "occupation", 1))
    public = a_scheduled_post(ctx, Cite(A, ARREST, 1), state=PostState.PUBLISHED)
    changed = a_case(an_event(charge="Article 117"))
    foreseen = cases.preview_change(ctx, A, changed)
    assert [state_of(ctx, post) for post in (citing, in_review)] == [PostState.SCHEDULED, PostState.IN_REVIEW]
    assert [fate.becomes for fate in foreseen.fates] == [PostState.RETURNED] * 2
    done = cases.change_case(ctx, crew.coordinator, A, changed, PAGE)
    assert done == cases.Change((ARREST,), (citing, in_review)) == cases.Change(foreseen.facts, foreseen.affected)
    assert {state_of(ctx, post) for post in (citing, in_review)} == {PostState.RETURNED}
    assert (state_of(ctx, other), state_of(ctx, public)) == (PostState.SCHEDULED, PostState.PUBLISHED)


def test_what_the_program_drafted_is_foreseen_to_be_cancelled_its_proposals_too(ctx: Context, crew: Crew) -> None:
    trial = an_event(EventKind.TRIAL, "2021-11-25", court="People's Court of Hanoi")
    imported(ctx, a_case(trial), a_case(trial, slug="nguyen-van-b", name_vi="Nguyễn Văn B", name_en="Nguyen Van B"))
    (proposal,) = plan.plan(ctx).drafted
    assert proposal.state is PostState.DRAFT
    changed = a_case(replace(trial, charge="Article 117"))
    foreseen = cases.preview_change(ctx, A, changed)
    assert [(fate.post.id, fate.becomes) for fate in foreseen.fates] == [(proposal.id, PostState.CANCELLED)]
    cases.change_case(ctx, crew.coordinator, A, changed, PAGE)
    assert state_of(ctx, proposal.id) is PostState.CANCELLED


def test_an_import_takes_back_approvals_too(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    citing = a_scheduled_post(ctx, Cite(A, ARREST, 1))
    assert imported(ctx, a_case(an_event(charge="Article 117")), by=crew.coordinator).affected == (citing,)
    assert state_of(ctx, citing) is PostState.RETURNED


def test_confirming_an_unchanged_status_takes_back_only_what_prints_the_date(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event(), as_of="2026-03"))
    says_so = a_scheduled_post(ctx, Cite(A, "status", 1), Cite(A, ARREST, 1))
    prints_date = a_scheduled_post(ctx, Cite(A, "status", 1), Cite(A, "confirmation", 1))
    on = PartialDate(2026, 11, 20)
    change = cases.confirm_status(ctx, crew.coordinator, A, on, [PAGE])
    assert change == cases.Change(("confirmation",), (prints_date,))
    assert state_of(ctx, says_so) is PostState.SCHEDULED
    case = cases.get_case(ctx, A)
    assert (case.status, case.confirmation) == (Status.IMPRISONED, Confirmation(on, (PAGE,)))
    assert (case.revisions["status"], case.revisions["confirmation"]) == (1, 2)


@pytest.mark.parametrize("status", [Status.RELEASED, Status.EXILED, Status.DIED, Status.UNKNOWN])
def test_a_new_status_takes_back_every_post_that_says_the_old_one(ctx: Context, crew: Crew, status: Status) -> None:
    imported(ctx, a_case(an_event(), as_of="2026-03"))
    says_so = a_scheduled_post(ctx, Cite(A, "status", 1))
    change = cases.confirm_status(ctx, crew.coordinator, A, PartialDate(2026, 11, 20), [PAGE], status=status)
    assert change == cases.Change(("confirmation", "status"), (says_so,))
    case = cases.get_case(ctx, A)
    was = Status.IMPRISONED if status is Status.UNKNOWN else None
    assert (case.status, case.last_known_status) == (status, was)


@pytest.mark.parametrize(
    ("on", "sources", "said"),
    [
        (PartialDate(2026, 11, 23), [PAGE], "has not come yet"),
        (PartialDate(2027), [PAGE], "has not come yet"),
        (PartialDate(2026, 2), [PAGE], "later"),
        (PartialDate(2026, 11, 20), [], "No source"),
        (PartialDate(2026, 11, 20), ["  "], "No source"),
    ],
)
def test_a_confirmation_needs_a_source_and_a_day_that_makes_sense(
    ctx: Context, crew: Crew, on: PartialDate, sources: list[str], said: str
) -> None:
    imported(ctx, a_case(as_of="2026-03"))
    with pytest.raises(CampaignError, match=said):
        cases.confirm_status(ctx, crew.coordinator, A, on, sources)


def test_today_is_today_in_viet_nam(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    imported(ctx, a_case(as_of="2026-03"))
    clock.advance(hours=2)
    assert clock.now().day == 21
    cases.confirm_status(ctx, crew.coordinator, A, PartialDate(2026, 11, 22), [PAGE])
    assert cases.get_case(ctx, A).confirmation.as_of == PartialDate(2026, 11, 22)


# Events


def test_a_new_event_gets_a_key_and_leaves_other_facts_alone(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    imported(ctx, a_case(an_event()))
    clock.advance(minutes=1)
    new = Event("", EventKind.TRIAL, PartialDate(2021, 5, 5), (SOURCE, PAGE))
    assert cases.add_event(ctx, crew.coordinator, A, new) == cases.Change(("event:trial-2021-05-05",))
    case = cases.get_case(ctx, A)
    assert [event.key for event in case.events] == ["arrest-2020-10-07", "trial-2021-05-05"]
    last = cases.history(ctx, A)[-1]
    assert (last.fact, last.revision, last.source, last.author) == (
        "event:trial-2021-05-05", 1, f"{SOURCE}\n{PAGE}", "binh",
    )  # fmt: skip


def test_the_same_arrest_is_not_put_on_file_twice(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    for double in (an_event(key=""), an_event(on="2020-10-08", key="arrest-2020-10-07")):
        with pytest.raises(Conflict, match="on file already"):
            cases.add_event(ctx, crew.coordinator, A, double)


def test_an_event_without_a_source_is_refused(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case())
    with pytest.raises(Rejected, match="No source, no fact"):
        cases.add_event(ctx, crew.coordinator, A, an_event(sources=()))


# Hearings

TRIAL = "trial-2021-05-05"


def two_on_trial(ctx: Context, **facts: Any) -> None:  # noqa: ANN401
    trial = an_event(EventKind.TRIAL, "2021-05-05", court="Court A", **facts)
    imported(ctx, a_case(trial), a_case(trial, slug="nguyen-van-b"))


BOTH = ((A, TRIAL), ("nguyen-van-b", TRIAL))


def hearing_of(ctx: Context, slug: str) -> Event:
    event = cases.get_case(ctx, slug).event(TRIAL)
    assert event is not None
    return event


def test_yes_makes_it_one_hearing_with_its_sources_and_defendants(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    two_on_trial(ctx)
    clock.advance(minutes=1)
    citing = a_scheduled_post(ctx, Cite(A, f"event:{TRIAL}", 1))
    change = hearings.answer_same_hearing(ctx, crew.coordinator, BOTH, same=True, defendants=4, sources=[PAGE])
    assert change == cases.Change((f"event:{TRIAL}",), (citing,))
    for slug, _ in BOTH:
        event = hearing_of(ctx, slug)
        assert (event.joint, event.joint_defendants, event.joint_sources) == ("nguyen-van-a-2021-05-05", 4, (PAGE,))
    assert len(told(ctx, Act.CASE_HEARING_ANSWERED)) == 2
    assert cases.history(ctx, A)[-1].source == PAGE


def test_no_splits_it_for_good(ctx: Context, crew: Crew) -> None:
    two_on_trial(ctx, joint="hearing-a", joint_defendants=2, joint_sources=(SOURCE,))
    hearings.answer_same_hearing(ctx, crew.coordinator, BOTH, same=False)
    for slug, _ in BOTH:
        event = hearing_of(ctx, slug)
        assert (event.joint, event.joint_defendants, event.joint_sources, event.heard_alone) == ("", None, (), True)


def test_yes_after_no_is_yes(ctx: Context, crew: Crew) -> None:
    two_on_trial(ctx)
    hearings.answer_same_hearing(ctx, crew.coordinator, BOTH, same=False)
    hearings.answer_same_hearing(ctx, crew.coordinator, BOTH, same=True, sources=[PAGE])
    assert not hearing_of(ctx, A).heard_alone
    assert hearing_of(ctx, A).joint == hearing_of(ctx, "nguyen-van-b").joint != ""


def test_one_more_person_joins_a_hearing_under_its_own_name(ctx: Context, crew: Crew) -> None:
    trial = an_event(EventKind.TRIAL, "2021-05-05")
    imported(ctx, a_case(replace(trial, joint="hearing-a")), a_case(trial, slug="nguyen-van-b"))
    hearings.answer_same_hearing(ctx, crew.coordinator, BOTH, same=True, sources=[PAGE])
    assert hearing_of(ctx, "nguyen-van-b").joint == "hearing-a"


@pytest.mark.parametrize(
    ("events", "answer", "said"),
    [
        (BOTH, {"sources": []}, "No source"),
        (BOTH, {"defendants": 1}, "no fewer"),
        (BOTH[:1], {}, "at least two"),
        ((BOTH[0], (A, "trial-2022-05-05")), {}, "themselves"),
        ((BOTH[0], ("nguyen-van-b", "trial-2022-05-05")), {}, "not one hearing"),
        ((BOTH[0], ("nguyen-van-b", "nothing")), {}, "no hearing"),
        ((BOTH[0], ("nobody", TRIAL)), {}, "no hearing"),
        ((BOTH[0], ("nguyen-van-b", "arrest-2021-05-05")), {}, "no hearing"),
    ],
)
def test_an_answer_that_cannot_be_true_is_refused(
    ctx: Context, crew: Crew, events: tuple[tuple[str, str], ...], answer: dict[str, Any], said: str
) -> None:
    facts = (
        an_event(EventKind.TRIAL, "2021-05-05"),
        an_event(EventKind.TRIAL, "2022-05-05"),
        an_event(on="2021-05-05"),
    )
    imported(ctx, a_case(*facts), a_case(*facts, slug="nguyen-van-b"))
    with pytest.raises(CampaignError, match=said):
        hearings.answer_same_hearing(ctx, crew.coordinator, events, same=True, **{"sources": [PAGE]} | answer)
    assert told(ctx, Act.CASE_HEARING_ANSWERED) == []


# The record


def test_the_record_names_nobody_and_the_sealed_part_says_what_changed(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    cases.change_case(ctx, crew.coordinator, A, a_case(an_event(charge="Article 117"), consent=Consent.REFUSED), PAGE)
    obj = f"case:{cases.get_case(ctx, A).id}"
    (first,), (changed,), (consent,) = (
        told(ctx, act, obj) for act in (Act.CASE_IMPORTED, Act.CASE_FACT_CHANGED, Act.CASE_CONSENT_CHANGED)
    )
    assert (first.actor, changed.actor) == ("campaignbot", crew.coordinator.pseudonym)
    assert consent.data == {"consent": "refused"}
    assert payload(ctx, changed) == {"slug": A, "source": PAGE, "facts": {ARREST: 2, "consent": 2}}
    for entry in (first, changed, consent):
        assert not any(word in entry.raw.lower() for word in (b"nguyen", b"2020-10-07", b"article", b"example.org"))


def test_a_failed_change_leaves_neither_revision_nor_record(
    ctx: Context, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(ctx, a_case(an_event()))
    before = cases.get_case(ctx, A), cases.history(ctx, A)

    def fail(*_: object) -> tuple[int, ...]:
        raise Conflict("no")

    monkeypatch.setattr(cases, "void_citing", fail)
    with pytest.raises(Conflict):
        cases.change_case(ctx, crew.coordinator, A, a_case(occupation_vi="x"), PAGE)
    assert (cases.get_case(ctx, A), cases.history(ctx, A)) == before
    assert told(ctx, Act.CASE_FACT_CHANGED) == []


def test_what_has_not_happened_yet_is_no_fact(ctx: Context, crew: Crew) -> None:
    imported(ctx, a_case(an_event()))
    tomorrow = an_event(EventKind.TRIAL, "2026-11-23")
    with pytest.raises(BadInput, match="not come yet"):
        cases.add_event(ctx, crew.coordinator, A, tomorrow)
    cases.add_event(ctx, crew.coordinator, A, an_event(EventKind.TRIAL, "2026-11-21"))
