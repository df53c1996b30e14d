"""Second factors as people set them up and use them: one-time codes, recovery codes, and passkeys of Chromium's own."""

from itertools import count

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from bot.domain.people import Person, Role
from bot.services import factors, people
from tests.system.browser.chromium import SCREENS, Screen
from tests.system.browser.eyes import Eyes
from tests.system.browser.served import Served, sign_in
from tests.system.browser.showcase import PASSPHRASE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
LATER_MIN = 6
numbers = count(1)


@pytest.fixture
def alias(served: Served) -> str:
    """Of a reviewer who is new."""
    name = f"lan-{next(numbers)}"
    served.newcomer(name, Role.REVIEWER)
    return name


def come_back(page: Page, alias: str, code: str = "") -> None:
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, alias)
    if code:
        type_code(page, code)


def type_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()


@pytest.mark.parametrize("screen", SCREENS)
def test_codes_are_set_up_then_asked_for_and_a_recovery_code_stands_in_once(
    screen: Screen, served: Served, alias: str, browser: Browser
) -> None:
    heading = "Today"
    with served.at(browser, screen) as page:
        page.goto("/login")
        sign_in(page, alias)
        page.get_by_role("link", name="Set one up").click()
        page.get_by_role("button", name="Set up codes").click()
        expect(page.get_by_alt_text("The letters below, as a picture for your app")).to_be_visible()
        app = pyotp.TOTP("".join(page.locator("p.hash").inner_text().split()))
        field = page.get_by_label("The code that the app shows now")
        for code in ("000000", app.at(served.ctx.now())):
            field.fill(code)
            page.get_by_role("button", name="Turn on").click()
            if code == "000000":
                expect(page.locator("#errors a")).to_have_attribute("href", "#f-code")
        recovery = page.locator("ol.hash li").all_inner_texts()
        assert len(recovery) == factors.RECOVERY_CODES
        page.get_by_role("link", name="I have them").click()
        expect(page.get_by_role("region", name="One-time codes").locator(".badge")).to_have_text("On")
        come_back(page, alias)
        type_code(page, "000000")
        expect(page.locator("#errors")).to_contain_text("Wrong code")
        type_code(page, served.next_code(app))
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        come_back(page, alias, recovery[0])
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        come_back(page, alias, recovery[0])
        expect(page.locator("#errors")).to_contain_text("Wrong code")
        type_code(page, recovery[1])
        page.goto("/settings/factors")
        expect(page.get_by_role("region", name="Recovery codes")).to_contain_text("8 are left.")


def a_device(page: Page) -> tuple[CDPSession, str]:
    """A security key of Chromium's own, whose owner has their finger on it."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return devices, devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_passkey_is_added_lets_in_proves_who_it_is_and_is_taken_away(
    width: int, served: Served, alias: str, browser: Browser
) -> None:
    with served.at(browser, Screen(scripts=True, width=width)) as page:
        devices, device = a_device(page)
        page.goto("/login")
        sign_in(page, alias)
        page.goto("/settings/factors")
        page.get_by_label("What to call it").fill("máy xanh")
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("ol.hash li")).to_have_count(factors.RECOVERY_CODES)
        page.get_by_role("link", name="I have them").click()
        own = page.get_by_role("region", name="Passkeys")
        expect(own.get_by_text("máy xanh")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        nobodys_finger(page, devices, device)
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")
        served.clock.advance(minutes=LATER_MIN)
        page.goto("/settings/factors")
        page.get_by_role("button", name="Make a token for 15 minutes").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
        page.get_by_role("button", name="Use a passkey").click()
        token = page.locator("[role=status] .hash").inner_text()
        assert people.sign_in(served.ctx, alias, token) == whole(served.person(alias))
        own.get_by_text("Take away…").click()
        own.get_by_role("button", name="Take this passkey away").click()
        expect(page.get_by_role("status")).to_have_text("It is taken away.")
        assert not factors.owned(served.ctx, served.person(alias)).passkeys


def whole(person: Person) -> Person:
    """Who lacks nothing that a guarded duty takes."""
    assert person.lacks is None
    return person


def nobodys_finger(page: Page, devices: CDPSession, device: str) -> None:
    """The device does not know it, so nothing happens, and the place is kept."""
    button = page.get_by_role("button", name="Sign in with a passkey")
    for is_theirs in (False, True):
        devices.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": is_theirs})
        if not is_theirs:
            button.click()
            expect(button).to_be_focused()
            expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_without_javascript_no_passkey_is_offered_and_codes_are(served: Served, alias: str, browser: Browser) -> None:
    with served.at(browser, Screen(scripts=False, width=390)) as page:
        page.goto("/login")
        expect(page.locator("form[data-passkey]")).to_be_hidden()
        sign_in(page, alias)
        page.goto("/settings/factors")
        said = page.locator("noscript").text_content()  # which Chromium shows only where its own switch is off
        assert "Passkeys need JavaScript; codes do not." in str(said)
        expect(page.locator("form[data-passkey]")).to_be_hidden()
        expect(page.get_by_role("button", name="Set up codes")).to_be_enabled()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_axe_finds_no_fault_in_what_only_a_form_leads_to(
    language: str, served: Served, alias: str, browser: Browser, axe: str
) -> None:
    with served.at(browser, Screen(scripts=True, width=1280), language=language) as page:
        eyes = Eyes(page, axe)
        a_device(page)
        page.goto("/login")
        eyes.send("/login", {"alias": alias, "passphrase": "not this one"})
        eyes.send("/login", {"alias": alias, "passphrase": PASSPHRASE})
        page.goto("/settings/factors")
        eyes.send("/settings/codes")
        eyes.send("/settings/codes/accept", {"code": "000000"})
        app = pyotp.TOTP("".join(page.locator("p.hash").inner_text().split()))
        eyes.send("/settings/codes/accept", {"code": app.at(served.ctx.now())})
        page.goto("/settings/factors")
        page.locator("form[action='/settings/passkeys'] button").click()
        expect(page.get_by_role("status")).to_be_visible()
        eyes.look()
        served.clock.advance(minutes=LATER_MIN)
        page.goto("/settings/factors")
        eyes.send("/settings/token")
        eyes.send("/settings/token", {"passphrase_again": "not this one"})
        page.goto("/login")
        eyes.send("/login", {"alias": alias, "passphrase": PASSPHRASE})
        eyes.send("/login/code", {"passphrase_code": "000000"})
        page.goto("/login")
        eyes.send("/login", {"alias": alias, "passphrase": PASSPHRASE})
        eyes.send("/login/code", {"passphrase_code": served.next_code(app)})
        page.goto("/pause")
        page.context.clear_cookies(name="session")
        eyes.send("/pause", {"reason": "Gia đình đề nghị."})
        eyes.send("/login", {"alias": alias, "passphrase": PASSPHRASE})
        eyes.send("/login/code", {"passphrase_code": served.next_code(app)})
    assert eyes.faults == []
    assert len(eyes.seen) == 15
