"""Every page in a real browser: for everybody's eyes and hands, in both languages, themes and sizes."""

import unicodedata
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.system.browser.chromium import COLOURS, EVERYBODY, LOOK, OPEN_ALL, WIDER, addresses, launched, visitor
from tests.system.browser.showcase import Showcase

pytestmark = [pytest.mark.slow]


def everything(made: Showcase, *, all_states: bool = True) -> list[tuple[str, list[str]]]:
    """Who looks at which pages; also one that is not there."""
    return [
        (EVERYBODY, [*addresses(made, most=99 if all_states else 1), "/nowhere"]),
        ("giang", ["/", "/audit", "/pause", "/people"]),
        ("", addresses(made, strangers=True)),
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "language", [pytest.param(each, marks=pytest.mark.xdist_group(f"browser-{each}")) for each in ("en", "vi")]
)
def test_axe_finds_no_fault_in_either_theme(
    language: str, width: int, browser: Browser, made: Showcase, axe: str
) -> None:
    """Each page in every state we have of it where it is narrowest and longest, else in one."""
    faults = []
    for alias, paths in everything(made, all_states=(language, width) == ("vi", 390)):
        with visitor(browser, made, alias, language=language, width=width) as (_context, page):
            for path in paths:
                page.goto(path)
                page.evaluate(OPEN_ALL)
                page.evaluate(axe)
                for theme, look in (("light", LOOK), ("dark", COLOURS)):
                    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                    found = page.evaluate(look)["violations"]
                    faults += [
                        (path, alias, theme, each["id"], [one["html"][:160] for one in each["nodes"]][:3])
                        for each in found
                    ]
                page.emulate_media(color_scheme="light")
    assert faults == []


@pytest.mark.xdist_group("browser-vi")
@pytest.mark.parametrize(("width", "text"), [(320, 100), (1280, 200)])
def test_nothing_scrolls_sideways_on_a_small_phone_or_with_large_text(
    width: int, text: int, browser: Browser, made: Showcase
) -> None:
    """In Vietnamese, whose lines are the longer ones; the size of the text is what a person sets in the browser."""
    wider = []
    larger = launched(browser.browser_type, f"--blink-settings=defaultFontSize={16 * text // 100}")
    for alias, paths in everything(made):
        with visitor(larger, made, alias, language="vi", width=width) as (_context, page):
            for path in paths:
                page.goto(path)
                page.evaluate(OPEN_ALL)
                assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == f"{16 * text // 100}px"
                wider += [(path, more)] if (more := page.evaluate(WIDER)) > 0 else []
    larger.close()
    assert wider == []


@pytest.mark.xdist_group("browser-en")
def test_every_link_leads_somewhere(browser: Browser, made: Showcase) -> None:
    """For who has every role; to others a page says which role it takes."""
    dead, seen = [], set()
    for alias, paths in (each for each in everything(made) if each[0] in {EVERYBODY, ""}):
        with visitor(browser, made, alias) as (context, page):
            for path in paths:
                page.goto(path)
                for link in page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)"):
                    place = urlsplit(link)
                    if not link.startswith(made.url) or (alias, link) in seen:
                        continue
                    seen.add((alias, link))
                    if place.path == urlsplit(page.url).path and place.query == urlsplit(page.url).query:
                        there = not place.fragment or page.locator(f"[id='{place.fragment}']").count() > 0
                        said = "no such place"
                    else:
                        answer = context.request.get(link)
                        there, said = answer.ok, f"{answer.status}: {answer.text()[-2000:]}"
                    dead += [] if there else [(alias, path, link, said)]
    assert dead == []


FOCUS = """() => {
  const on = document.activeElement, box = on.getBoundingClientRect(), style = getComputedStyle(on);
  return {
    tag: on.tagName, nth: [...document.querySelectorAll('*')].indexOf(on),
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0,
    ringed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""
REACHABLE = """() => [...document.querySelectorAll(
  'a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, summary')]
  .filter(each => each.checkVisibility() && !(each.type === 'radio' && !each.checked
    && document.querySelector(`input[name="${each.name}"]:checked`)))
  .map(each => [...document.querySelectorAll('*')].indexOf(each))"""


def tabbed(page: Page, most: int) -> list[dict[str, object]]:
    """What has the focus after each press of Tab, until it leaves the page."""
    found: list[dict[str, object]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUS)
        if now["tag"] == "BODY" or (found and now["nth"] == found[0]["nth"]):
            break
        found.append(now)
    return found


@pytest.mark.xdist_group("browser-en")
def test_the_keyboard_alone_reaches_everything_in_order_and_shows_where_it_is(browser: Browser, made: Showcase) -> None:
    wrong = []
    with visitor(browser, made) as (_context, page):
        for path in addresses(made, most=1):
            page.goto(path)
            page.evaluate(OPEN_ALL)
            page.evaluate("document.activeElement.blur()")
            wanted = page.evaluate(REACHABLE)
            stops = tabbed(page, len(wanted) + 20)
            places = [stop["nth"] for stop in stops]
            if missed := set(wanted) - set(places):
                wrong.append((path, "not reached", len(missed)))
            if places != sorted(places):  # type: ignore[type-var]
                wrong.append((path, "out of order", 0))
            ringed = {stop["nth"] for stop in stops if stop["ringed"]}  # a date has several stops in it
            if hidden := [stop for stop in stops if not stop["seen"] or stop["nth"] not in ringed]:
                wrong.append((path, f"focus not seen: {hidden[0]}", len(hidden)))
    assert wrong == []


@pytest.mark.xdist_group("browser-en")
def test_the_first_press_of_tab_offers_to_skip_to_the_content(browser: Browser, made: Showcase) -> None:
    with visitor(browser, made) as (_context, page):
        page.goto("/queue")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.xdist_group("browser-vi")
def test_vietnamese_that_is_typed_decomposed_is_kept_composed(browser: Browser, made: Showcase) -> None:
    reason = "Gia đình Nguyễn Văn A đề nghị tạm dừng."
    with visitor(browser, made, "giang", language="vi") as (_context, page):
        page.goto("/pause")
        page.fill("#f-reason", unicodedata.normalize("NFD", reason))
        page.get_by_role("button", name="Tạm dừng toàn bộ việc đăng bài").click()
        assert reason in page.locator(".running").inner_text()
    with visitor(browser, made, "binh") as (_context, page):
        page.goto("/pause")
        page.get_by_role("button", name="Ask to resume").first.click()
    with visitor(browser, made, "chi") as (_context, page):
        page.goto("/pause")
        page.get_by_role("button", name="Confirm: resume").first.click()
        assert "Publishing is on" in page.locator(".running").inner_text()
