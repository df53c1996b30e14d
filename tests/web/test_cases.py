"""Cases on their pages: found without tone marks, shown with their sources, held, and taken down when a family asks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.case import Address, Case, Consent, EventKind, Status
from bot.domain.delivery import DeliveryState
from bot.domain.post import PostState
from bot.library.casefiles import read_cases_toml
from bot.services import cases, plan, queue, register, review
from bot.services.context import Context
from bot.store import deliveries, posts
from tests.house import ROOT, Crew, FakeClock
from tests.sample_cases import SOURCE, a_case, an_event
from tests.web.conftest import Browser
from tests.web.test_crawl import check

A = "nguyen-van-a"
HOSTILE = "<script>alert(1)</script>\"&' {{ 7*7 }}"


def bring(ctx: Context, *given: Case) -> None:
    cases.import_cases(ctx, None, given, source="sample.toml")


def shipped(ctx: Context) -> None:
    bring(ctx, *read_cases_toml(ROOT / "schedules" / "cases.toml"))


def names(browser: Browser) -> list[str]:
    return [each.get_text() for each in browser.page.select("tbody th a[lang=vi]")]


def b(**facts: object) -> Case:
    known: dict[str, object] = {"slug": "tran-thi-b", "name_vi": "Trần Thị B", "name_en": "Tran Thi B"} | facts
    return a_case(**known)  # type: ignore[arg-type]


# The list


@pytest.mark.parametrize(
    "words", ["nguyen van dai", "NGUYỄN VĂN ĐÀI", "đài nguyễn", "Nguye\u0302\u0303n Va\u0306n Đa\u0300i"]
)
def test_search_needs_no_tone_marks_and_takes_any_order_or_form(binh: Browser, ctx: Context, words: str) -> None:
    shipped(ctx)
    binh.get(f"/cases?q={words}")
    assert "Nguyễn Văn Đài" in names(binh)


def test_what_nobody_is_called_says_how_to_search(giang: Browser, ctx: Context) -> None:
    shipped(ctx)
    giang.get("/cases?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "No case matches. Search without tone marks works too." in giang.text
    assert giang.page.select("main script") == []


def test_names_stand_by_given_name_in_vietnamese_and_by_family_name_in_english(
    browse: Callable[..., Browser], ctx: Context
) -> None:
    bring(
        ctx,
        a_case(slug="x", name_vi="Trần Văn Ấn", name_en="Tran Van An"),
        a_case(slug="y", name_vi="Lê Văn Đức", name_en="Le Van Duc"),
        a_case(slug="z", name_vi="Ngô Văn Dũng", name_en="Ngo Van Dung"),
    )
    shown = browse("binh", "vi")
    shown.get("/cases")
    assert names(shown) == ["Trần Văn Ấn", "Ngô Văn Dũng", "Lê Văn Đức"]
    shown = browse("binh", "en")
    shown.get("/cases")
    assert names(shown) == ["Lê Văn Đức", "Ngô Văn Dũng", "Trần Văn Ấn"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("status=released", ["Trần Thị B"]),
        ("only=stale", ["Nguyễn Văn A"]),
        ("only=held", ["Trần Thị B"]),
        ("missing=date", ["Nguyễn Văn A"]),
        ("missing=address", ["Nguyễn Văn A"]),
        ("campaign=now-campaign", ["Trần Thị B"]),
        ("status=no-such&only=x&missing=%00&campaign=../..&start=-1", ["Nguyễn Văn A", "Trần Thị B"]),
        ("start=999999999999", ["Nguyễn Văn A", "Trần Thị B"]),
        ("start=50", []),
    ],
)
def test_the_list_can_be_narrowed_and_nonsense_is_not_asked(
    binh: Browser, ctx: Context, crew: Crew, asked: str, found: list[str]
) -> None:
    released = an_event(EventKind.RELEASE, "2025-05-05")
    bring(
        ctx,
        a_case(as_of="2025"),
        replace(b(status=Status.RELEASED, address=Address.BA, campaigns=("now-campaign",)), events=(released,)),
    )
    queue.hold(ctx, crew.coordinator, "case", "tran-thi-b", "The family asks us to wait.")
    binh.get(f"/cases?{asked}")
    assert names(binh) == found


def test_today_and_the_list_mean_the_same_by_a_missing_day(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(), b(status=Status.RELEASED))
    binh.get("/")
    link = binh.page.select('a[href="/cases?missing=date"]')[0]
    binh.get(str(link["href"]))
    assert names(binh) == ["Nguyễn Văn A"]


def test_fifty_stand_on_a_page_and_the_filter_is_kept_on_the_next(binh: Browser, ctx: Context) -> None:
    bring(ctx, *(a_case(slug=f"n-{n}", name_vi=f"Nguyễn Văn {n:03}", name_en=f"N {n:03}") for n in range(60)))
    binh.get("/cases?q=nguyen&only=")
    assert len(names(binh)) == 50
    binh.get(str(binh.page.select("a[rel=next]")[0]["href"]))
    assert len(names(binh)) == 10
    assert binh.page.select("a[rel=prev]")[0]["href"] == "/cases?q=nguyen"
    assert "51–60 of 60" in binh.text


def test_a_changed_case_is_found_by_its_new_name_at_once(binh: Browser, ctx: Context, crew: Crew) -> None:
    bring(ctx, a_case(), b())
    binh.get("/cases")
    cases.change_case(ctx, crew.coordinator, A, a_case(name_vi="Nguyễn Văn Ơ", name_en="Nguyen Van O"), SOURCE)
    binh.get("/cases?q=van o")
    assert names(binh) == ["Nguyễn Văn Ơ"]


def test_the_next_day_is_one_that_is_marked_and_moves_on_with_the_clock(
    binh: Browser, ctx: Context, clock: FakeClock
) -> None:
    bring(ctx, a_case(an_event(on="2020-11-22"), as_of="2026-03"))
    binh.get("/cases")
    assert "22 November 2026" in binh.text
    clock.advance(days=2)
    with ctx.store.read() as tx:
        found = register.opened(ctx, tx).rows[A].next
    assert found
    assert found.on.isoformat() == "2027-11-22"


# One case


def test_a_case_shows_each_fact_with_its_source_revision_and_author(binh: Browser, ctx: Context, crew: Crew) -> None:
    bring(ctx, a_case(an_event(province="Hanoi"), occupation_vi="nhà báo", occupation_en="journalist"))
    case = cases.get_case(ctx, A)
    cases.change_case(ctx, crew.coordinator, A, replace(case, occupation_en="reporter"), "https://rsf.org/b")
    binh.get(f"/cases/{A}")
    row = next(each for each in binh.page.select("table.facts tr") if "Occupation" in each.get_text())
    said = " ".join(row.get_text(" ", strip=True).split())
    assert "nhà báo reporter" in said
    assert "rsf.org revision 2: binh, 21 November 2026" in said
    assert row.select('a[href="https://rsf.org/b"][rel=noreferrer]')
    assert "7 October 2020" in binh.text
    assert "without marks: Nguyen Van A" in binh.text


def test_a_form_of_address_is_never_guessed(browse: Callable[..., Browser], ctx: Context) -> None:
    bring(ctx, a_case(gender="f"), b(address=Address.BA))
    shown = browse("chi", "vi")
    shown.get(f"/cases/{A}")
    assert "xưng hô: chưa ghi nhận" in shown.text
    shown.get("/cases/tran-thi-b")
    assert "xưng hô: bà" in shown.text


def test_sources_that_differ_stand_side_by_side(giang: Browser, ctx: Context) -> None:
    event = an_event(
        alt_dates=(an_event(on="2020-10-06").date,), partial_sources=("https://example.net/less",), sources=(SOURCE,)
    )
    bring(ctx, a_case(event))
    giang.get(f"/cases/{A}")
    table = next(each for each in giang.page.select("table") if "Where sources differ" in each.get_text())
    cells = [" ".join(each.get_text(" ", strip=True).split()) for each in table.select("tbody td")]
    assert cells == ["7 October 2020 example.org", "6 October 2020", "example.net"]
    assert "posts then name the date instead of saying" in giang.text
    assert [each.get_text() for each in giang.page.select(".btn.off") if "Decide" in each.get_text()] == [
        "Decide: arrest"
    ]
    giang.get("/")
    assert "Sources differ on a day of 1 person" in giang.text
    giang.get("/cases?missing=dispute")
    assert "Sources differ on a day" in giang.text
    assert "Nguyễn Văn A" in giang.text


def test_a_stale_case_says_so_and_its_days_say_no_more_than_is_known(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event(on="2020-12-12"), as_of="2026-03"))
    binh.get(f"/cases/{A}")
    assert "Status not confirmed" in binh.text
    assert "Says only what stays true whatever happened since" in binh.text
    cases_of = cases.get_case(ctx, A)
    assert cases_of.confirmation.as_of.month == 3


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("alias", ["binh", "giang"])
def test_every_page_of_a_case_is_whole_whatever_stands_in_it(
    alias: str, language: str, browse: Callable[..., Browser], ctx: Context, crew: Crew
) -> None:
    event = an_event(
        charge=HOSTILE, court=HOSTILE, province=HOSTILE, note=HOSTILE, alt_dates=(an_event(on="2020").date,)
    )
    bring(
        ctx,
        a_case(
            event, as_of="2025-05", occupation_vi=HOSTILE, occupation_en=HOSTILE, note=HOSTILE, also_known_as=(HOSTILE,)
        ),
        b(consent=Consent.REFUSED),
    )
    queue.hold(ctx, crew.reviewer, "case", A, HOSTILE)
    browser = browse(alias, language)
    ends = ["", "/history", "/withdraw", "/cards"]
    ends += ["/edit", "/edit?fact=note", "/events/new", f"/events/{event.key}"] if alias == "binh" else []
    for path in [f"/cases/{A}{each}" for each in ends] + ["/cases", "/cases/tran-thi-b", "/confirm", "/coverage"]:
        answer = browser.client.get(path)
        assert answer.status_code == 200, path
        text = answer.get_data(as_text=True)
        check(path, text, language)
        assert "<script>alert" not in text, path


def test_a_case_that_is_not_there_is_answered_with_one_like_it(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    binh.get("/cases/nguyen-van-aa", status=404)
    assert "Did you mean “nguyen-van-a”?" in binh.text


def test_the_first_post_about_a_person_brought_in_here_takes_two(binh: Browser, ctx: Context, crew: Crew) -> None:
    cases.add_case(ctx, crew.coordinator, a_case(), source=SOURCE)
    binh.get(f"/cases/{A}")
    assert "The first post takes two approvals." in binh.text


def test_history_tells_each_revision_with_what_it_said_before(
    giang: Browser, ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    bring(ctx, a_case(occupation_en="journalist"))
    clock.advance(minutes=1)
    cases.change_case(ctx, crew.coordinator, A, a_case(occupation_en="reporter"), SOURCE)
    giang.get(f"/cases/{A}/history")
    newest = giang.page.select("ol.rows > li")[0].get_text(" ", strip=True)
    assert "Occupation, revision 2" in newest
    assert "journalist → reporter" in newest
    assert "binh, 21 November 2026" in newest


# Holding


def test_anyone_holds_a_case_and_two_people_end_it(giang: Browser, binh: Browser, chi: Browser, ctx: Context) -> None:
    bring(ctx, a_case())
    giang.get(f"/cases/{A}")
    giang.press("Hold this case", {"reason": ""}, status=422)
    assert [each["href"] for each in giang.page.select("#errors a")] == ["#f-reason"]
    giang.press("Hold this case", {"reason": "The family asks us to wait."})
    assert "giang: “The family asks us to wait.”" in giang.text
    assert "It takes the role" in giang.text
    binh.get(f"/cases/{A}")
    binh.press("Ask to end the hold")
    assert "You asked for this, so someone else must confirm it." in binh.text
    chi.get(f"/cases/{A}")
    chi.press("Confirm: end the hold")
    assert "It is held no longer." in chi.text
    assert queue.holds(ctx) == ()


# Taking down


def a_published_post(ctx: Context, crew: Crew, clock: FakeClock) -> int:
    bring(ctx, a_case(an_event(on="2020-11-25")))
    (post,) = plan.plan(ctx).drafted
    review.approve(ctx, crew.reviewer, post.id, post.digest or "")
    with ctx.store.write() as tx:
        for each in deliveries.of_post(tx, post.id):
            sent = DeliveryState.PUBLISHED
            deliveries.change(tx, each, sent, url="https://example.org/1", published_at=ctx.now(), attempts=1)
        posts.set_state(tx, post.id, PostState.PUBLISHED, "", ctx.now())
    clock.advance(minutes=1)
    return post.id


def test_a_family_is_heard_at_once(chi: Browser, ctx: Context, crew: Crew, clock: FakeClock) -> None:
    post_id = a_published_post(ctx, crew, clock)
    chi.get(f"/cases/{A}/withdraw")
    assert chi.page.select('a[href="https://example.org/1"]')
    chi.press("Hold it and take everything down", {"reason": " "}, status=422)
    chi.press("Hold it and take everything down", {"reason": "The family asks."})
    assert "Being taken down" in chi.text
    with ctx.store.read() as tx:
        assert posts.get(tx, post_id).state is PostState.WITHDRAWN
        assert all(each.withdraw_at for each in deliveries.of_post(tx, post_id))
    assert [(each.hold.scope, each.hold.target) for each in queue.holds(ctx)] == [("case", A)]
    with ctx.store.write() as tx:
        first, *_ = deliveries.of_post(tx, post_id)
        deliveries.note_withdrawal(tx, first, withdrawn_at=ctx.now(), again_at=None, note="")
    chi.get(f"/cases/{A}/withdraw")
    assert "Taken down" in chi.text


def test_taking_down_asks_for_the_passphrase_again_and_only_of_those_who_may(
    chi: Browser, giang: Browser, ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    a_published_post(ctx, crew, clock)
    giang.get(f"/cases/{A}/withdraw")
    assert "You may not take down posts." in giang.text
    chi.get(f"/cases/{A}/withdraw")
    clock.advance(minutes=6)
    chi.post({"reason": "The family asks."}, to=f"/cases/{A}/withdraw", status=401)
    assert queue.holds(ctx) == ()


# Coverage


def test_who_was_never_named_is_listed_and_a_post_is_a_step_away(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(), b(consent=Consent.REFUSED), a_case(slug="c", name_vi="Lê Văn C", status=Status.RELEASED))
    binh.get("/coverage")
    assert names(binh) == ["Nguyễn Văn A"]
    assert binh.page.select(f'a[href="/posts/new?case={A}"]')
    binh.get("/coverage?all=yes")
    assert names(binh) == ["Nguyễn Văn A", "Lê Văn C"]


def test_a_post_that_is_out_counts_for_half_a_year(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    a_published_post(ctx, crew, clock)

    def silent() -> list[tuple[datetime | None, datetime | None]]:
        found, _ = register.unnamed(ctx, everyone=False, start=0, most=9)
        return [(each.last, each.next) for each in found]

    clock.advance(days=30)
    assert silent() == []
    clock.time += timedelta(days=184)
    ((last, coming),) = silent()
    assert last is not None
    assert coming is None
