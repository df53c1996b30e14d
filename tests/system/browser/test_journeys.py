"""From an empty installation to a post that is out, as its people go through it, with JavaScript and without."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser.chromium import PATIENCE_MS, SCREENS, Screen
from tests.system.browser.showcase import PASSPHRASE
from tests.system.installation import Installation, configure, copy, free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-vi")]
LONG = "Nguyễn Văn A (tên mẫu) cần được trả tự do. " * 8
VI = "Nguyễn Văn A (tên mẫu) đã bị giam 1.000 ngày. #StopTheCrackdownVN"
EN = "Nguyen Van A (a sample name) has been held for 1,000 days. #StopTheCrackdownVN"
ROLES = {"binh": "Coordinator", "chi": "Reviewer", "giang": "Auditor"}


@dataclass
class Crowd:
    """Everybody at their own browser, of one kind and size."""

    browser: Browser
    url: str
    screen: Screen

    @contextmanager
    def somebody(self) -> Iterator[Page]:
        context = self.browser.new_context(
            viewport={"width": self.screen.width, "height": 900},
            java_script_enabled=self.screen.scripts,
            base_url=self.url,
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        try:
            yield page
        finally:
            context.close()

    def come_in(self, page: Page, link: str, alias: str = "") -> None:
        """By a one-time link; the first admin chooses an alias too."""
        page.goto(link)
        if alias:
            page.get_by_label("Alias").fill(alias)
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_label("The same once more").fill(PASSPHRASE)
        page.get_by_role("button", name="Come in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")


@pytest.fixture(scope="module")
def nobodys(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("nobodys") / "here"
    folder.mkdir()
    made = Installation(folder, free_port())
    configure(folder, likes=("x", "facebook"), port=made.port, poll_s=0.2, request_timeout_s=1, lease_s=3, settle_s=3)
    made.run("init")
    return made


@pytest.fixture
def empty(nobodys: Installation, tmp_path: Path) -> Installation:
    return copy(nobodys, tmp_path / "here")


@pytest.mark.parametrize("screen", SCREENS)
def test_a_newcomer_is_led_from_an_empty_installation_to_the_first_post(
    screen: Screen, empty: Installation, browser: Browser
) -> None:
    with empty.running("run") as process:
        assert process.stdout
        process.stdout.readline()
        crowd = Crowd(browser, f"http://127.0.0.1:{empty.port}", screen)
        links = an_admin_brings_people_in(crowd, process.stdout.readline().strip())
        a_coordinator_writes(crowd, links["binh"])
        a_reviewer_approves(crowd, links["chi"])
        wait_for("the post is out", lambda: empty.went_out("x"))
        (sent, *_others) = empty.went_out("x")
        assert VI in str(sent)
        assert unicodedata.is_normalized("NFC", str(sent))
        an_auditor_reads(crowd, links["giang"])


def an_admin_brings_people_in(crowd: Crowd, link: str) -> dict[str, str]:
    links = {}
    with crowd.somebody() as page:
        crowd.come_in(page, link, alias="an")
        expect(page.get_by_role("heading", name="First steps")).to_be_visible()
        page.get_by_role("link", name="Invite who writes, and another who approves").click()
        for alias, role in ROLES.items():
            page.get_by_label("Alias").fill(alias)
            page.get_by_label(re.compile(f"^{role}:")).check()
            page.get_by_role("button", name="Make the link").click()
            links[alias] = page.locator("[role=status] .hash").inner_text()
    return links


def a_coordinator_writes(crowd: Crowd, link: str) -> None:
    with crowd.somebody() as page:
        crowd.come_in(page, link)
        page.get_by_role("link", name="Compose").click()
        page.locator("[name=vi]").fill(unicodedata.normalize("NFD", LONG))
        page.locator("[name=en]").fill(EN)
        for account in page.locator("[name=channels]").all():
            account.check()
        page.get_by_role("button", name="Check lengths and previews").click()
        expect(page.get_by_text("x counts this as").first).to_be_visible()
        page.locator("[name=vi]").fill(unicodedata.normalize("NFD", VI))
        page.get_by_label("As soon as it is approved, within an hour").check()
        page.get_by_role("button", name="Send for review").click()
        expect(page.get_by_text("Sent for review.")).to_be_visible()
        page.get_by_role("link", name="Review", exact=True).last.click()
        expect(page.get_by_role("button", name="Approve exactly this text")).to_be_disabled()


def a_reviewer_approves(crowd: Crowd, link: str) -> None:
    with crowd.somebody() as page:
        crowd.come_in(page, link)
        page.goto("/review")
        page.locator("ol.rows a").first.click()
        page.get_by_role("button", name="Approve exactly this text").click()
        expect(page.locator("#errors")).to_be_visible()
        for box in page.locator("form[action$='/approve'] input[type=checkbox]").all():
            box.check()
        page.get_by_role("button", name="Approve exactly this text").click()
        expect(page.locator("[role=status]")).to_contain_text("Approved.")


def an_auditor_reads(crowd: Crowd, link: str) -> None:
    with crowd.somebody() as page:
        crowd.come_in(page, link)
        page.get_by_role("link", name="Audit log", exact=True).first.click()
        entries = page.locator("tbody tr")
        expect(entries.filter(has_text="approved a post")).to_contain_text("chi")
        entries.filter(has_text="sent it").first.get_by_role("link").click()
        expect(page.get_by_role("heading", name="What it says")).to_be_visible()
        page.goto("/queue")
        page.get_by_role("link", name=re.compile("Nguyen Van A")).first.click()
        expect(page.locator(".badge").first).to_have_text("Sent")
        with page.expect_response("**/pause") as answered:
            page.goto("/pause")
        assert answered.value.ok
