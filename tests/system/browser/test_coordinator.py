"""A coordinator's way with what is known: confirming whom nobody confirmed of late, and correcting a fact that queued
posts rest on.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.domain.case import EventKind
from bot.domain.post import Cite, Post, PostState
from bot.services import cases, posts, review
from bot.services.posts import When
from tests.sample_cases import a_case, an_event
from tests.system.browser.chromium import SCREENS, Screen
from tests.system.browser.served import Served
from tests.writing import a_content, on_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
PAGE = "https://example.org/seen"
LETTER = "thư gia đình, ngày 20 tháng 11 năm 2026"
SEEN, WRONG, RIGHT = "2026-11-20", "2019-12-20", "2019-12-21"
numbers = count(1)


@dataclass(frozen=True)
class Somebody:
    """Held, confirmed eight months ago, and named in two approved posts: one prints that date, one the arrest's."""

    slug: str
    name: str
    dated: Post
    told: Post


@pytest.fixture
def somebody(served: Served) -> Somebody:
    ctx, number = served.ctx, next(numbers)
    slug, name = f"mau-{number}", f"Nguyễn Văn Mẫu {number}"
    arrest = an_event(EventKind.ARREST, WRONG)
    on_file(ctx, a_case(arrest, slug=slug, name_vi=name, name_en=f"Nguyen Van Mau {number}", as_of="2026-03"))
    dated, told = (
        approved(served, slug, name, f"{number}{which}", fact)
        for which, fact in enumerate(("confirmation", f"event:{arrest.key}"))
    )
    return Somebody(slug, name, dated, told)


def approved(served: Served, slug: str, name: str, mark: str, fact: str) -> Post:
    """Days from now, each at its own hour, so that none is too near another."""
    ctx, by = served.ctx, served.person
    plain = unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode()
    content = a_content(
        vi=f"Xin nhắc tên {name}, lần {mark}.",
        en=f"Remember {plain}, time {mark}.",
        cases=(slug,),
        cites=(Cite(slug, fact, 1),),
    )
    written = posts.add_post(ctx, by("binh"), content, When(at=ctx.now() + timedelta(days=5 + int(mark))))
    sent = review.submit(ctx, by("binh"), written.id)
    for alias in ("chi", "dung"):
        if not review.approve(ctx, by(alias), sent.id, sent.digest).missing:
            break
    found = posts.get_post(ctx, sent.id)
    assert found.state is PostState.SCHEDULED
    return found


@pytest.mark.parametrize("screen", SCREENS)
def test_a_coordinator_confirms_a_status_and_corrects_a_date(
    screen: Screen, served: Served, somebody: Somebody, browser: Browser
) -> None:
    with served.at(browser, screen, "binh") as page:
        page.goto("/")
        page.get_by_role("link", name=re.compile("not confirmed of late")).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirm these first")
        the_status_is_confirmed(page, served, somebody)
        the_date_is_corrected(page, served, somebody)


def the_status_is_confirmed(page: Page, served: Served, somebody: Somebody) -> None:
    """With a source that others can check, after the page has told what that changes."""
    panel = page.get_by_role("region", name=somebody.name)
    panel.get_by_text(re.compile("If confirmed, ")).click()
    expect(panel.get_by_text("Posts that print the date of confirmation")).to_be_visible()
    expect(panel.locator(f"a[href='/posts/{somebody.dated.id}']")).to_be_visible()
    expect(panel.locator(f"a[href='/posts/{somebody.told.id}']")).to_have_count(0)
    confirmed(page, somebody, "a friend")
    expect(page.locator("#errors")).to_contain_text("“a friend” is no source that others can check")
    expect(panel.get_by_label("When the source saw it")).to_have_value(SEEN)
    confirmed(page, somebody, unicodedata.normalize("NFD", LETTER))
    expect(page.get_by_role("heading", level=1)).to_have_text("Save this?")
    expect(page.locator("main")).to_contain_text("It goes back to its writer.")
    assert str(cases.get_case(served.ctx, somebody.slug).confirmation.as_of) == "2026-03"
    page.get_by_role("button", name="Save this").click()
    expect(page.locator("[role=status]")).to_have_text(f"Confirmed: {somebody.name}, as of {SEEN}.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm these first")
    expect(panel).to_have_count(0)
    found = cases.get_case(served.ctx, somebody.slug).confirmation
    assert (str(found.as_of), found.sources) == (SEEN, (LETTER,))
    assert posts.get_post(served.ctx, somebody.dated.id).state is PostState.RETURNED
    assert posts.get_post(served.ctx, somebody.told.id).state is PostState.SCHEDULED


def confirmed(page: Page, somebody: Somebody, source: str) -> None:
    panel = page.get_by_role("region", name=somebody.name)
    panel.get_by_label("When the source saw it").fill(SEEN)
    panel.get_by_label("Source", exact=True).fill(source)
    panel.get_by_role("button", name="Confirm").click()


def the_date_is_corrected(page: Page, served: Served, somebody: Somebody) -> None:
    """What that does to the post is shown before anything is kept, and to go back loses nothing."""
    page.goto(f"/cases/{somebody.slug}")
    page.get_by_role("link", name="Edit Arrest").click()
    page.get_by_label("Date", exact=True).fill(RIGHT)
    page.get_by_label("Sources of this date").fill(PAGE)
    page.get_by_role("button", name="See what it does").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save this?")
    row = page.locator("tbody tr").filter(has_text="Arrest")
    expect(row.locator("td").nth(0)).to_contain_text("20 December 2019")
    expect(row.locator("td").nth(1)).to_contain_text("21 December 2019")
    panel = page.get_by_role("region", name="What it does to posts")
    expect(panel.locator(f"a[href='/posts/{somebody.told.id}']")).to_be_visible()
    expect(panel).to_contain_text(re.compile("approvals? no longer counts?"))
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_label("Date", exact=True)).to_have_value(RIGHT)
    assert str(cases.get_case(served.ctx, somebody.slug).events[0].date) == WRONG
    assert posts.get_post(served.ctx, somebody.told.id).state is PostState.SCHEDULED
    page.get_by_role("button", name="See what it does").first.click()
    page.get_by_role("button", name="Save this").click()
    expect(page.locator("[role=status]")).to_have_text(
        f"Saved. Posts that must be looked at again: {somebody.told.id}."
    )
    assert str(cases.get_case(served.ctx, somebody.slug).events[0].date) == RIGHT
    page.goto(f"/posts/{somebody.told.id}")
    expect(page.locator(".badge").first).to_have_text("Changes requested")
