"""Facts change with a source, after the page has shown what that does to posts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain.case import Address, Consent, EventKind, PartialDate, Sentence, Status
from bot.domain.post import PostState
from bot.services import cases, plan, review
from bot.services.context import Context
from bot.store import posts
from tests.house import Crew
from tests.sample_cases import SOURCE, a_case, an_event
from tests.web.conftest import Browser
from tests.web.test_cases import HOSTILE, A, b, bring
from tests.web.test_crawl import check

PAGE = "https://example.org/new"
EDIT = f"/cases/{A}/edit"


def a_draft(ctx: Context, crew: Crew) -> int:
    """A planned post about the arrest, approved and scheduled."""
    bring(ctx, a_case(an_event(on="2020-11-25")))
    (post,) = plan.plan(ctx).drafted
    review.approve(ctx, crew.reviewer, post.id, post.digest or "")
    return post.id


def state_of(ctx: Context, post_id: int) -> PostState:
    with ctx.store.read() as tx:
        return posts.get(tx, post_id).state


def test_a_change_is_shown_first_with_what_it_does_and_then_kept(binh: Browser, ctx: Context, crew: Crew) -> None:
    post_id = a_draft(ctx, crew)
    binh.get(f"{EDIT}?fact=identity")
    binh.press("See what it does", {"name_en": "Nguyen Van Aa", "source": PAGE})
    assert binh.heading == "Save this?"
    assert "Nguyen Van A" in binh.text
    assert "Nguyen Van Aa" in binh.text
    assert "1 approval no longer counts." in binh.text
    assert "It is cancelled, and the program words it anew." in binh.text
    assert binh.page.select(f'a[href="/posts/{post_id}"]')
    assert state_of(ctx, post_id) is PostState.SCHEDULED
    assert cases.get_case(ctx, A).name_en == "Nguyen Van A"
    binh.press("Save this")
    assert f"Saved. Posts that must be looked at again: {post_id}." in binh.text
    assert state_of(ctx, post_id) is PostState.CANCELLED
    assert cases.get_case(ctx, A).name_en == "Nguyen Van Aa"
    newest = next(each for each in reversed(cases.history(ctx, A)) if each.fact == "identity" and each.revision == 2)
    assert (newest.author, newest.source) == ("binh", PAGE)


def test_back_to_the_form_keeps_what_was_typed_and_changes_nothing(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    binh.get(f"{EDIT}?fact=note")
    binh.press("See what it does", {"note": "line one\nline two", "note_vi": HOSTILE})
    assert "line one" in binh.text
    binh.press("Back to the form")
    assert binh.page.select("textarea[name=note]")[0].get_text().strip() == "line one\nline two"
    assert binh.page.select("textarea[name=note_vi]")[0].get_text().strip() == HOSTILE
    assert cases.get_case(ctx, A).note == ""
    binh.press("See what it does")
    binh.press("Save this")
    assert (cases.get_case(ctx, A).note, cases.get_case(ctx, A).note_vi) == ("line one\nline two", HOSTILE)


def test_what_came_between_is_shown_before_anything_is_kept(binh: Browser, ctx: Context, crew: Crew) -> None:
    bring(ctx, a_case(an_event(on="2020-11-25")))
    binh.get(f"{EDIT}?fact=identity")
    binh.press("See what it does", {"name_en": "Nguyen Van Aa", "source": PAGE})
    assert "No post in hand rests on it." in binh.text
    (post,) = plan.plan(ctx).drafted
    binh.press("Save this")
    assert "What it does has changed while you were reading" in binh.text
    assert binh.page.select(f'a[href="/posts/{post.id}"]')
    assert cases.get_case(ctx, A).name_en == "Nguyen Van A"
    binh.press("Save this")
    assert cases.get_case(ctx, A).name_en == "Nguyen Van Aa"


def test_two_who_edit_one_fact_do_not_undo_each_other(binh: Browser, dung: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    binh.get(f"{EDIT}?fact=address")
    dung.get(f"{EDIT}?fact=address")
    binh.press("See what it does", {"address": "bà"})
    binh.press("Save this")
    dung.press("See what it does", {"address": "ông"}, status=422)
    assert "Somebody changed this while you were writing." in dung.text
    assert "On file now: bà" in dung.text
    assert dung.page.select("select[name=address] option[selected]")[0]["value"] == "ông"
    assert cases.get_case(ctx, A).address is Address.BA
    dung.press("See what it does")
    dung.press("Save this")
    assert cases.get_case(ctx, A).address is Address.ONG


def test_two_who_edit_different_facts_both_succeed(binh: Browser, dung: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    for browser in (binh, dung):
        browser.get(f"{EDIT}?fact={'address' if browser is binh else 'consent'}")
    binh.press("See what it does", {"address": "bà"})
    dung.press("See what it does", {"consent": "limited"})
    for browser in (binh, dung):
        browser.press("Save this")
    case = cases.get_case(ctx, A)
    assert (case.address, case.consent) == (Address.BA, Consent.LIMITED)


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"occupation_en": "writer", "source": ""}, "source", "No source, no fact"),
        ({"occupation_en": "writer", "source": "a friend"}, "source", "“a friend” is no source that others can check"),
        ({"occupation_en": "x" * 2001, "source": PAGE}, "occupation_en", "is longer than 2000 characters"),
        ({"name_vi": "", "source": PAGE}, "name_vi", "is missing"),
        ({"status_as_of": "yesterday", "source": PAGE}, "status_as_of", "is not a date"),
        ({"status_sources": "someone", "source": PAGE}, "status_sources", "is no source that others can check"),
        ({"term_end": "2030", "term_end_basis": "", "source": PAGE}, "term_end_basis", "must be “source” or"),
        ({"also_known_as": "a\u202eb", "source": PAGE}, "also_known_as", "invisible character"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_is_kept(
    binh: Browser, ctx: Context, typed: dict[str, str], field: str, said: str
) -> None:
    bring(ctx, a_case())
    before = cases.get_case(ctx, A)
    binh.get(EDIT)
    binh.press("See what it does", typed, status=422)
    assert [each["href"] for each in binh.page.select("#errors a")] == [f"#f-{field}"]
    assert said in binh.page.select(f"#f-{field}-error")[0].get_text()
    assert binh.title.startswith("Error: ")
    check(EDIT, str(binh.page), "en")
    shown = binh.page.select('[name="source"]')[0].get_text().strip()
    assert shown == typed["source"]
    assert cases.get_case(ctx, A) == before


def test_the_error_stands_in_vietnamese_too(browse: Callable[..., Browser], ctx: Context) -> None:
    bring(ctx, a_case())
    binh = browse("binh", "vi")
    binh.get(EDIT)
    binh.press("Xem sẽ thay đổi gì", {"occupation_vi": "nhà báo", "source": "bạn tôi"}, status=422)
    assert "“bạn tôi” không phải là nguồn mà người khác kiểm tra được." in binh.text
    assert binh.title.startswith("Lỗi: ")


def test_all_facts_stand_in_one_form_and_come_back_as_they_were(binh: Browser, ctx: Context) -> None:
    full = a_case(
        also_known_as=("A một", "A hai"), gender="m", occupation_vi="nhà báo", occupation_en="journalist",
        address=Address.ONG, title_vi="linh mục", short_vi="A", campaigns=("now-campaign",), custody_unbroken=True,
        all_defendants_listed=False, note="n", note_vi="g", tag="", consent=Consent.GIVEN,
    )  # fmt: skip
    bring(ctx, full)
    before = cases.get_case(ctx, A)
    binh.get(EDIT)
    binh.press("See what it does")
    assert "Nothing to change." in binh.text
    assert cases.get_case(ctx, A) == before


def test_consent_needs_no_source_and_refusing_says_what_follows(binh: Browser, ctx: Context, crew: Crew) -> None:
    post_id = a_draft(ctx, crew)
    binh.get(f"{EDIT}?fact=consent")
    binh.press("See what it does", {"consent": "refused", "source": "The sister, by phone."})
    assert "From now on nothing that names this person goes out." in binh.text
    binh.press("Save this")
    assert cases.get_case(ctx, A).consent is Consent.REFUSED
    assert state_of(ctx, post_id) is PostState.CANCELLED
    assert "Nothing is posted about this case." in binh.text


# Events


def test_a_new_event_is_added_with_its_own_sources(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event()))
    binh.get(f"/cases/{A}/events/new")
    typed = {"kind": "trial", "date": "2021-05-05", "sources": f"{PAGE}\n{SOURCE}", "alt_dates": "2021-05-06",
             "court": "People's Court of Hanoi", "prison_months": "60", "probation_months": "36",
             "in_absentia": "yes"}  # fmt: skip
    binh.press("Add it", typed)
    assert "Added. No post rested on it." in binh.text
    event = cases.get_case(ctx, A).event("trial-2021-05-05")
    assert event
    assert (event.kind, event.sources, event.sentence) == (EventKind.TRIAL, (PAGE, SOURCE), Sentence(60, 36))
    assert (event.alt_dates, event.in_absentia) == ((PartialDate(2021, 5, 6),), True)
    assert "a Hanoi court" in binh.text
    assert "5 years in prison and 3 years of probation (in absentia)" in binh.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"date": "2021-05-05", "sources": ""}, "sources"),
        ({"date": "5 May", "sources": SOURCE}, "date"),
        ({"date": "", "sources": SOURCE}, "date"),
        ({"date": "2021-05-05", "sources": "x"}, "sources"),
        ({"date": "2021-05-05", "sources": SOURCE, "prison_months": "many"}, "prison_months"),
        ({"date": "2021-05-05", "sources": SOURCE, "prison_months": "9" * 30}, "prison_months"),
        ({"date": "2021-05-05", "sources": SOURCE, "alt_dates": "2021-13"}, "alt_dates"),
    ],
)
def test_a_mistyped_event_is_answered_beside_its_field(
    binh: Browser, ctx: Context, typed: dict[str, str], field: str
) -> None:
    bring(ctx, a_case())
    binh.get(f"/cases/{A}/events/new")
    binh.press("Add it", typed, status=422)
    assert f"#f-{field}" in [each["href"] for each in binh.page.select("#errors a")]
    check("events/new", str(binh.page), "en")
    assert cases.get_case(ctx, A).events == ()


@pytest.mark.parametrize("on", ["2027-01-01", "2020-10-07"])
def test_what_cannot_be_is_refused_with_what_was_typed(binh: Browser, ctx: Context, on: str) -> None:
    """A day to come, and an event that is on file."""
    bring(ctx, a_case(an_event()))
    binh.get(f"/cases/{A}/events/new")
    binh.press("Add it", {"kind": "arrest", "date": on, "sources": SOURCE}, status=422)
    assert binh.page.select("#f-date")[0]["value"] == on


def test_an_event_is_corrected_under_its_key_and_keeps_what_the_form_does_not_ask(
    binh: Browser, ctx: Context, crew: Crew
) -> None:
    joint = {"joint": "hearing-a", "joint_sources": (SOURCE,), "joint_defendants": 3}
    bring(ctx, a_case(an_event(EventKind.TRIAL, "2021-05-05", **joint)))
    place = f"/cases/{A}/events/trial-2021-05-05"
    binh.get(place)
    binh.press("See what it does", {"date": "2021-05-06", "sources": f"{SOURCE}\n{PAGE}"})
    assert binh.heading == "Save this?"
    binh.press("Save this")
    event = cases.get_case(ctx, A).event("trial-2021-05-05")
    assert event
    assert (str(event.date), event.joint, event.joint_defendants) == ("2021-05-06", "hearing-a", 3)
    newest = [each for each in cases.history(ctx, A) if each.fact == "event:trial-2021-05-05"][-1]
    assert (newest.revision, newest.source) == (2, PAGE)


def test_an_event_that_did_not_happen_is_taken_out_and_its_posts_with_it(
    binh: Browser, ctx: Context, crew: Crew
) -> None:
    post_id = a_draft(ctx, crew)
    binh.get(f"/cases/{A}/events/arrest-2020-11-25")
    binh.post({"why": ""}, to=f"/cases/{A}/events/arrest-2020-11-25/remove", status=422)
    assert [each["href"] for each in binh.page.select("#errors a")] == ["#f-why"]
    binh.post({"why": PAGE}, to=f"/cases/{A}/events/arrest-2020-11-25/remove")
    binh.press("Save this")
    assert cases.get_case(ctx, A).events == ()
    assert state_of(ctx, post_id) is PostState.CANCELLED
    binh.get(f"/cases/{A}/events/arrest-2020-11-25", status=404)


def test_a_release_beside_a_status_in_prison_says_what_to_do_first(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event()))
    binh.get(f"/cases/{A}/events/new")
    binh.press("Add it", {"kind": "release", "date": "2026-11-20", "sources": SOURCE}, status=422)
    assert "Confirm the new status first." in binh.text


# A new case


def test_a_new_arrest_becomes_a_case_in_one_form(binh: Browser, ctx: Context) -> None:
    binh.get("/cases/new")
    typed = {"name_vi": "Nguye\u0302\u0303n Va\u0306n Đo\u031b\u0323i", "status": "awaiting_trial",
             "status_as_of": "2026-11-20", "status_sources": PAGE, "arrest_date": "2026-11-19",
             "arrest_province": "Hanoi"}  # fmt: skip
    binh.press("Add the case", typed)
    assert binh.path == "/cases/nguyen-van-doi"
    case = cases.get_case(ctx, "nguyen-van-doi")
    assert (case.name_vi, case.name_en, case.status) == ("Nguyễn Văn Đợi", "Nguyen Van Doi", Status.AWAITING_TRIAL)
    (arrest,) = case.events
    assert (arrest.key, arrest.province, arrest.sources) == ("arrest-2026-11-19", "Hanoi", (PAGE,))
    assert "The first post takes two approvals." in binh.text


def test_a_namesake_must_be_told_apart(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    binh.get("/cases/new")
    typed = {"name_vi": "Nguyễn Văn Á", "name_en": "Nguyen Van A", "status": "imprisoned", "status_as_of": "2026-11",
             "status_sources": PAGE}  # fmt: skip
    binh.press("Add the case", typed, status=422)
    assert "Somebody of this name is here already" in binh.text
    assert binh.page.select(f'#f-namesake a[href="/cases/{A}"]')
    binh.press("Add the case", {"namesake": "yes"})
    assert binh.path == f"/cases/{A}-2"
    assert {case.slug for case in cases.all_cases(ctx)} == {A, f"{A}-2"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name_vi": ""}, "name_vi"),
        ({"status": ""}, "status"),
        ({"status_as_of": "2026-11-31"}, "status_as_of"),
        ({"status_sources": ""}, "status_sources"),
        ({"status_sources": "Zalo"}, "status_sources"),
        ({"arrest_date": "soon"}, "arrest_date"),
        ({"slug": "Nguyễn"}, "slug"),
    ],
)
def test_a_mistyped_case_is_answered_beside_its_field(
    binh: Browser, ctx: Context, typed: dict[str, str], field: str
) -> None:
    good = {"name_vi": "Nguyễn Văn A", "status": "imprisoned", "status_as_of": "2026-11", "status_sources": PAGE}
    binh.get("/cases/new")
    binh.press("Add the case", good | typed, status=422)
    assert f"#f-{field}" in [each["href"] for each in binh.page.select("#errors a")]
    check("/cases/new", str(binh.page), "en")
    assert cases.all_cases(ctx) == ()


def test_a_slug_that_is_taken_says_so(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    binh.get("/cases/new")
    binh.press("Add the case", {"name_vi": "Lê Văn C", "slug": A, "status": "imprisoned", "status_as_of": "2026-11",
                                "status_sources": PAGE}, status=422)  # fmt: skip
    assert "is here already" in binh.text
    assert cases.get_case(ctx, A).name_vi == "Nguyễn Văn A"


def test_whoever_may_not_edit_sees_no_form_but_the_reason(chi: Browser, ctx: Context) -> None:
    bring(ctx, a_case(), replace(b(), events=(an_event(),)))
    chi.get(f"/cases/{A}")
    assert not chi.page.select(f'a[href^="{EDIT}"]')
    assert "You may not edit cases. It takes the role coordinator." in chi.text
    chi.get(EDIT, status=403)
