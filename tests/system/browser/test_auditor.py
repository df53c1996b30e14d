"""An auditor's way: in with a code, to one entry and its proof, and away with the log to check it elsewhere."""

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from bot.domain.audit import leaf_hash
from tests.system.browser.chromium import SCREENS, Screen
from tests.system.browser.served import Served, sign_in
from tests.system.browser.showcase import PASSPHRASE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
LATER_MIN = 6
"""After so long the passphrase is asked for once more."""


@pytest.fixture(scope="module")
def app(served: Served) -> pyotp.TOTP:
    return served.with_codes(served.person("giang"))


@pytest.mark.parametrize("screen", SCREENS)
def test_an_auditor_follows_the_log_to_its_proof_and_takes_it_away(
    screen: Screen, served: Served, app: pyotp.TOTP, browser: Browser, tmp_path: Path
) -> None:
    with served.at(browser, screen) as page:
        page.goto("/audit")
        sign_in(page, "giang")
        expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
        page.get_by_label("Code").fill("000000")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#errors")).to_contain_text("Wrong code")
        page.get_by_label("Code").fill(served.next_code(app))
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
        size = the_log_is_narrowed_down(page, served.made.places["/posts/<int:post_id>"][1])
        one_entry_is_proven(page)
        served.clock.advance(minutes=LATER_MIN)
        checked_elsewhere(page, tmp_path, size)


def the_log_is_narrowed_down(page: Page, post: str) -> int:
    """By who, what and about what. Returns how many entries are signed."""
    state = page.get_by_role("heading", name=re.compile("Verified ✓ up to entry"))
    size = int(re.sub(r"\D", "", state.inner_text())) + 1
    page.get_by_label("Who", exact=True).select_option(label="chi")
    page.get_by_label("What", exact=True).select_option(label="approved a post")
    page.get_by_label("About", exact=True).fill(f"post:{post}")
    page.get_by_role("button", name="Filter").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("chi")
    expect(rows.first).to_contain_text("approved a post")
    expect(page.get_by_label("About", exact=True)).to_have_value(f"post:{post}")
    return size


def one_entry_is_proven(page: Page) -> None:
    """What stands there is what was sealed, and it holds on to the entry before."""
    page.locator("tbody tr a").first.click()
    expect(page.get_by_role("heading", name="What it says")).to_be_visible()
    page.get_by_text("The record, letter for letter").click()
    record, seal = page.locator("pre.kept").inner_text(), page.locator("dd.hash").nth(0).inner_text()
    before = page.locator("dd.hash").nth(1).inner_text()
    assert leaf_hash(record.encode()).hex() == seal
    page.locator("a[rel=prev]").click()
    expect(page.locator("dd.hash").nth(0)).to_have_text(before)
    page.get_by_role("link", name="In the log").click()
    expect(page.locator("tbody tr").first).to_contain_text(f"{before[:4]} {before[4:8]}")


def checked_elsewhere(page: Page, folder: Path, size: int) -> None:
    """By Python alone; before that, by the passphrase."""
    page.get_by_role("button", name="Download the log").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    with page.expect_download() as loading:
        page.get_by_role("button", name="Go on").click()
    with ZipFile(loading.value.path()) as archive:
        archive.extractall(folder)
    log = folder / "log"
    good = verified(log)
    assert good.returncode == 0, good.stdout
    found = re.match(r"good: (\d+) entries, (\d+) of them signed for", good.stdout)
    assert found
    assert int(found[2]) >= size
    records = log / "records.jsonl"
    records.write_bytes(records.read_bytes().replace(b"post.approved", b"post.returned", 1))
    assert verified(log).returncode == 1


def verified(log: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(log / "verify_audit.py"), str(log)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


ELSEWHERE = ("/", "/queue", "/posts/2", "/review/2", "/cases/nguyen-van-a", "/cases/files", "/accounts/rehearsal-x",
             "/people", "/standing/1", "/pause", "/confirm", "/campaigns/stop-the-crackdown-vn")  # fmt: skip
# Anyone stops what goes out; an auditor takes the log and the lists away besides, and asks an account how it is.
THEIRS = re.compile("Pause|Hold|Download|Export|Check|Filter|Search|Show|English|Tiếng Việt|Sign out")


def test_what_an_auditor_may_not_do_is_shown_disabled_with_the_reason(served: Served, browser: Browser) -> None:
    barred = set()
    with served.at(browser, Screen(scripts=True, width=390), "giang") as page:
        for path in ELSEWHERE:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            for button in page.locator("main button:visible").all():
                if button.is_enabled():
                    assert THEIRS.search(button.inner_text()), (path, button.inner_text())
                    continue
                expect(button).to_have_accessible_description(re.compile("It takes the role"))
                barred.add(button.inner_text())
            for link in page.locator("main .btn.off:visible").all():
                expect(link.locator("xpath=following-sibling::*[1]")).to_contain_text("It takes the role")
    assert {"Approve exactly this text", "Request changes", "Confirm", "Comment"} <= barred
