"""A reviewer's way with one post, and its writer's: sent back with a reason, mended, read as what changed, approved."""

import unicodedata
from datetime import timedelta
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.domain.post import Post, PostState
from bot.services import posts, review
from bot.services.posts import When
from tests.system.browser.chromium import SCREENS, Screen
from tests.system.browser.served import Served
from tests.system.browser.showcase import PASSPHRASE
from tests.writing import a_content

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
WHY = "Thiếu năm bị bắt. Xin bổ sung."
ADDED = "Ông bị bắt năm 2020."
ADDED_EN = "He was arrested in 2020."
numbers = count(1)


@pytest.fixture
def waiting(served: Served) -> Post:
    """Of a day with nothing else on it."""
    number = next(numbers)
    content = a_content(vi=f"Xin đọc câu chuyện thứ {number}.", en=f"Please read story {number}.")
    when = When(at=served.ctx.now() + timedelta(days=60 + number))
    written = posts.add_post(served.ctx, served.person("binh"), content, when)
    return review.submit(served.ctx, served.person("binh"), written.id)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_reviewer_sends_a_post_back_and_approves_what_became_of_it(
    screen: Screen, served: Served, waiting: Post, browser: Browser
) -> None:
    with served.at(browser, screen, "chi") as theirs, served.at(browser, screen, "binh") as writers:
        it_is_sent_back(theirs, waiting)
        assert posts.get_post(served.ctx, waiting.id).state is PostState.RETURNED
        it_is_mended(writers, waiting)
        assert posts.get_post(served.ctx, waiting.id).state is PostState.IN_REVIEW
        it_is_approved(theirs, served, waiting)
        assert posts.get_post(served.ctx, waiting.id).state is PostState.SCHEDULED
        writers.reload()
        expect(writers.locator(".badge").first).to_have_text("Scheduled")


def it_is_sent_back(page: Page, post: Post) -> None:
    """With a comment first; without a reason it is not."""
    page.goto("/review")
    page.locator(f"a[href='/review/{post.id}']").click()
    page.get_by_label("Comment", exact=True).fill("Năm nào?")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator("#comments blockquote")).to_contain_text("Năm nào?")
    page.get_by_role("button", name="Request changes").click()
    expect(page.locator("#errors a")).to_have_attribute("href", "#f-reason")
    page.get_by_label("Or send it back, with a reason").fill(unicodedata.normalize("NFD", WHY))
    page.get_by_role("button", name="Request changes").click()
    expect(page.get_by_role("status")).to_have_text("Sent back to its writer, with your reason.")


def it_is_mended(page: Page, post: Post) -> None:
    page.goto("/")
    needs = page.get_by_role("region", name="Needs someone")
    needs.locator(f"a[href='/posts/{post.id}']").click()
    expect(page.locator("main")).to_contain_text(WHY)
    page.get_by_role("link", name="Edit", exact=True).first.click()
    for language, more in (("vi", ADDED), ("en", ADDED_EN)):
        field = page.locator(f"[name={language}]")
        field.fill(f"{field.input_value()} {unicodedata.normalize('NFD', more)}")
    page.get_by_role("button", name="Send for review").click()
    expect(page.get_by_role("status")).to_contain_text("Sent for review.")


def it_is_approved(page: Page, served: Served, post: Post) -> None:
    """Exactly as it stands now, by whoever has the passphrase."""
    page.goto(f"/review/{post.id}")
    expect(page.locator("main")).to_contain_text(ADDED)
    expect(page.locator("#comments")).to_contain_text(WHY)
    served.clock.advance(minutes=6)
    for box in page.locator("form[action$='/approve'] input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="Approve exactly this text").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("status")).to_contain_text("Approved. It goes out")
