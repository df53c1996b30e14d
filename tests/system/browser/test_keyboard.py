"""The keyboard alone, from signing in to a post before the reviewers, and to the pause of everything."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.domain.post import PostState
from bot.services import posts, queue
from tests.system.browser.chromium import Screen
from tests.system.browser.served import Served
from tests.system.browser.showcase import EN, PASSPHRASE, VI

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
MOST = 90
REASON = "Gia đình đề nghị tạm dừng."
# What a screen reader would call that which has the focus; a field by its label.
NAMED = """() => {
  const on = document.activeElement;
  const label = on.labels?.length ? on.labels[0] : null;
  return (label ? `Field: ${label.textContent}` : on.getAttribute('aria-label') || on.textContent)
    .replace(/\\s+/g, ' ').trim();
}"""


def go_to(page: Page, name: str, *, key: str = "Tab") -> None:
    """One stop after the other until there."""
    passed = []
    for _ in range(MOST):
        page.keyboard.press(key)
        passed.append(page.evaluate(NAMED))
        if passed[-1].startswith(name):
            return
    raise AssertionError((name, passed))


def press(page: Page, name: str) -> None:
    go_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.fixture
def paused(served: Served) -> Iterator[Served]:
    """Only until the test is over."""
    yield served
    if queue.halt_state(served.ctx):
        queue.ask_unhalt(served.ctx, served.person("binh"))
        queue.confirm_unhalt(served.ctx, served.person("chi"))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_post_is_written_and_everything_paused_without_a_mouse(width: int, paused: Served, browser: Browser) -> None:
    served = paused
    with served.at(browser, Screen(scripts=True, width=width)) as page:
        page.goto("/login")
        for name, words in (("Field: Alias", "dung"), ("Field: Passphrase", PASSPHRASE)):
            go_to(page, name)
            page.keyboard.insert_text(words)
        press(page, "Sign in")
        press(page, "Compose")
        for name, words in (("Field: Tiếng Việt", VI), ("Field: English", EN)):
            go_to(page, name)
            page.keyboard.insert_text(words)
        go_to(page, "Field: Not yet")
        go_to(page, "Field: As soon as it is approved", key="ArrowDown")
        press(page, "Send for review")
        expect(page.get_by_role("status")).to_contain_text("Sent for review.")
        post = posts.get_post(served.ctx, int(page.url.rpartition("/")[2]))
        assert (post.state, post.content.texts["vi", ""]) == (PostState.IN_REVIEW, VI)
        press(page, "Today")
        go_to(page, "Pause publishing…")
        page.keyboard.press("Enter")
        go_to(page, "Field: Reason")
        page.keyboard.insert_text(REASON)
        press(page, "Pause all publishing")
        expect(page.locator(".running")).to_contain_text(REASON)
