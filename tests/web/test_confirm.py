"""Confirm these first: the first work of a new team, one person after the other on one page."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain.case import Case, Consent, EventKind, Status
from bot.domain.post import Cite, Content, PostState
from bot.services import cases
from bot.services.context import Context
from bot.store import posts
from tests.house import START
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.web.test_cases import A, b, bring, shipped
from tests.web.test_crawl import check

PAGE = "https://example.org/new"
STALE = "2026-03"


def asked(browser: Browser) -> list[str]:
    return [each.get_text() for each in browser.page.select("section h2 a[lang=vi]")]


def confirm(browser: Browser, slug: str, code: int = 200, **typed: str) -> None:
    form = next(each for each in browser.page.select("form") if f"/{slug}/confirm" in str(each.get("action")))
    browser.post({f"{name}-{slug}": value for name, value in typed.items()}, to=str(form["action"]), status=code)


def several(ctx: Context, number: int = 3) -> list[Case]:
    days = [f"2020-{12 - each % 10:02}-0{1 + each % 9}" for each in range(number)]
    found = [
        a_case(an_event(on=on), as_of=STALE, slug=f"n-{each}", name_vi=f"Nguyễn Văn {each:02}", name_en=f"N {each:02}")
        for each, on in enumerate(days)
    ]
    bring(ctx, *found)
    return found


def test_whose_day_comes_first_stands_first(giang: Browser, ctx: Context) -> None:
    bring(
        ctx,
        a_case(an_event(on="2020-12-24"), as_of=STALE),
        replace(b(as_of=STALE), events=(an_event(on="2020-11-30"),)),
        a_case(slug="c", name_vi="Lê Văn C", as_of=STALE),
        a_case(slug="d", name_vi="Lê Văn D"),
        a_case(slug="e", name_vi="Lê Văn E", as_of=STALE, status=Status.RELEASED),
        a_case(slug="f", name_vi="Lê Văn F", as_of=STALE, consent=Consent.REFUSED),
    )
    giang.get("/confirm")
    assert asked(giang) == ["Trần Thị B", "Nguyễn Văn A", "Lê Văn C"]
    assert "3 people to confirm." in giang.text
    assert "You may not edit cases." in giang.text


def test_those_whose_fate_is_not_known_have_a_list_of_their_own(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(as_of=STALE), b(status=Status.UNKNOWN, last_known_status=Status.IMPRISONED))
    binh.get("/confirm?status=unknown")
    assert asked(binh) == ["Trần Thị B"]
    confirm(binh, "tran-thi-b", as_of="2026-11-20", source=PAGE, status="released")
    binh.press("Save this")
    assert binh.path == "/confirm"
    assert "Everybody is confirmed." in binh.text
    assert cases.get_case(ctx, "tran-thi-b").status is Status.RELEASED


def test_one_after_the_other_is_confirmed_on_one_page(binh: Browser, ctx: Context) -> None:
    several(ctx)
    binh.get("/confirm")
    first = asked(binh)
    for slug in ("n-2", "n-1"):
        confirm(binh, slug, as_of="2026-11-20", source=PAGE)
        assert binh.path == "/confirm"
    assert "Confirmed: Nguyễn Văn 01, as of 2026-11-20." in binh.text
    assert len(first) == 3
    assert asked(binh) == ["Nguyễn Văn 00"]
    case = cases.get_case(ctx, "n-1")
    assert (str(case.confirmation.as_of), case.confirmation.sources) == ("2026-11-20", (PAGE,))
    newest = next(each for each in cases.history(ctx, "n-1") if each.fact == "confirmation" and each.revision == 2)
    assert newest.author == "binh"


def test_ten_stand_on_a_page_and_the_place_is_kept(binh: Browser, ctx: Context) -> None:
    several(ctx, 12)
    binh.get("/confirm?start=10")
    assert len(asked(binh)) == 2
    slug = "n-" + asked(binh)[0].split()[-1].lstrip("0")
    confirm(binh, slug, as_of="2026-11-20", source="a friend", code=422)
    assert len(asked(binh)) == 2
    assert binh.page.select(f"#f-as_of-{slug}")[0]["value"] == "2026-11-20"
    confirm(binh, slug, as_of="2026-11-20", source=PAGE)
    assert "11–11 of 11" in binh.text


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"as_of": "", "source": PAGE}, "as_of"),
        ({"as_of": "soon", "source": PAGE}, "as_of"),
        ({"as_of": "2026-12", "source": PAGE}, "as_of"),
        ({"as_of": "2020", "source": PAGE}, "as_of"),
        ({"as_of": "2026-11-20", "source": " "}, "source"),
        ({"as_of": "2026-11-20", "source": "Facebook"}, "source"),
    ],
)
def test_what_is_wrong_is_said_at_that_person_and_nothing_is_changed(
    browse: Callable[..., Browser], ctx: Context, language: str, typed: dict[str, str], field: str
) -> None:
    several(ctx)
    before = cases.all_cases(ctx)
    binh = browse("binh", language)
    binh.get("/confirm")
    confirm(binh, "n-1", code=422, **typed)
    assert [each["href"] for each in binh.page.select("#errors a")] == [f"#f-{field}-n-1"]
    check("/confirm", str(binh.page), language)
    assert cases.all_cases(ctx) == before


def test_the_page_tells_what_a_confirmation_would_change(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event(on="2020-12-24"), as_of=STALE))
    binh.get("/confirm")
    assert "If confirmed, 1 coming day is worded otherwise" in binh.text
    assert "Now: says only what stays true whatever happened since. Then: may say “remains in prison”." in binh.text


def test_who_was_tried_together_is_only_spoken_of_in_prison_once_all_are_confirmed(ctx: Context, binh: Browser) -> None:
    together = {"joint": "hearing-a", "joint_sources": (PAGE,)}
    trial = an_event(EventKind.TRIAL, "2021-12-24", **together)
    bring(ctx, a_case(trial, as_of=STALE), replace(b(as_of=STALE), events=(trial,)))
    binh.get("/confirm")
    assert binh.text.count("No coming day would be worded otherwise.") == 2
    confirm(binh, "tran-thi-b", as_of="2026-11-20", source=PAGE)
    assert "If confirmed, 1 coming day is worded otherwise" in binh.text


def test_a_post_that_prints_the_date_is_shown_before_it_is_taken_back(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event(on="2020-11-25"), as_of="2025-05"))
    texts = {("vi", ""): "Nguyễn Văn A", ("en", ""): "Nguyen Van A"}
    content = Content("stop-the-crackdown-vn", texts, ("rehearsal-x",), cases=(A,), cites=(Cite(A, "confirmation", 1),))
    with ctx.store.write() as tx:
        (post,) = posts.add(tx, [posts.NewPost(content)], None, START)
        posts.set_state(tx, post.id, PostState.SCHEDULED, "", START)
    binh.get("/confirm")
    assert "Posts that print the date of confirmation" in binh.text
    confirm(binh, A, as_of="2026-11-20", source=PAGE)
    assert binh.heading == "Save this?"
    assert "It goes back to its writer." in binh.text
    assert cases.get_case(ctx, A).confirmation.as_of.year == 2025
    binh.press("Save this")
    assert cases.get_case(ctx, A).confirmation.as_of.year == 2026
    with ctx.store.read() as tx:
        assert posts.get(tx, post.id).state is PostState.RETURNED


def test_a_new_status_is_shown_before_it_is_kept(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event(on="2020-12-24"), as_of=STALE))
    binh.get(f"/cases/{A}")
    confirm(binh, A, as_of="2026-11-20", source=PAGE, status="released")
    assert binh.heading == "Save this?"
    assert "Imprisoned" in binh.text
    assert cases.get_case(ctx, A).status is Status.IMPRISONED
    binh.press("Back to the form")
    assert binh.page.select(f"#f-as_of-{A}")[0]["value"] == "2026-11-20"
    confirm(binh, A)
    binh.press("Save this")
    assert cases.get_case(ctx, A).status is Status.RELEASED
    assert binh.path == f"/cases/{A}"


def test_none_of_the_shipped_is_fresh_on_day_one(binh: Browser, ctx: Context) -> None:
    shipped(ctx)
    binh.get("/confirm")
    assert "39 people to confirm." in binh.text
    assert len(asked(binh)) == 10


def test_reviewers_cannot_confirm(chi: Browser, ctx: Context) -> None:
    several(ctx, 1)
    chi.get("/confirm")
    assert chi.page.select("form button[disabled]")
    token = chi.page.select("input[name=csrf_token]")[0]["value"]
    chi.send("/cases/n-0/confirm", {"csrf_token": str(token)}, 403)
