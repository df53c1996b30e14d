"""The pictures of the documentation: `python -m tests.system.browser.shots FOLDER` goes the way of a post and keeps
what it sees. The same people, texts and times on every run; none of the people exists.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.system.browser.chromium import EVERYBODY, browser, serving
from tests.system.browser.showcase import EN, MORNING, PASSPHRASE, VI, Showcase, X

Theme = Literal["light", "dark"]
LONG = (
    f"{VI}\n\nÔng là nhà báo, và đã bị giam gần sáu năm. Xin hãy lên tiếng cho ông, và cho mọi người đang bị giam "
    "chỉ vì đã nói lên sự thật ở Việt Nam. Gia đình ông vẫn đợi ông trở về."
)
SHORT = "Nguyễn Văn A (tên mẫu) bị bắt ngày 30 tháng 11 năm 2020. Xin đọc: https://example.org/a #StopTheCrackdownVN"
SHORT_EN = "Nguyen Van A (a sample name) was arrested on 30 November 2020. https://example.org/a #StopTheCrackdownVN"
DESK, PHONE = (1280, 860), (390, 844)
COLOURS = 128
"""A page of text in so many colours looks the same, and takes a quarter of the room."""


@dataclass
class Camera:
    opened: Browser
    made: Showcase
    process: "Popen[str]"
    folder: Path

    @contextmanager
    def at(self, alias: str, language: str, theme: Theme, size: tuple[int, int] = DESK) -> Iterator[Page]:
        context = self.opened.new_context(
            base_url=self.made.url, color_scheme=theme, viewport={"width": size[0], "height": size[1]}
        )
        cookies = {"language": language, "session": self.made.cookies[alias]}
        context.add_cookies([{"name": name, "value": value, "url": self.made.url} for name, value in cookies.items()])
        context.set_default_timeout(20_000)
        page = context.new_page()
        yield page
        context.close()

    def take(self, page: Page, name: str, at: str = "", around: str = "") -> None:
        """From the element `at` on, or with the one `around` in the middle, else from the top."""
        if around:
            page.locator(around).first.evaluate("each => each.scrollIntoView({block: 'center'})")
        elif at:
            page.locator(at).first.evaluate("each => scrollTo(0, each.getBoundingClientRect().top + scrollY - 16)")
        else:
            page.evaluate("scrollTo(0, 0)")
        page.wait_for_load_state("networkidle")
        with Image.open(io.BytesIO(page.screenshot())) as seen:
            seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
                self.folder / f"{name}.png", optimize=True
            )

    def send(self, until: datetime) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{until.isoformat()}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline()


def a_post(camera: Camera) -> None:
    """Written, too long, shortened, refused to its writer, approved by another, out, in the log."""
    with camera.at(EVERYBODY, "en", "light") as page:
        page.goto("/posts/new")
        page.locator("[name=vi]").fill(LONG)
        page.locator("[name=en]").fill(EN)
        for box in page.locator(f"[name=channels]:not([value={X}])").all():
            box.uncheck()
        page.locator("[name=when][value=at]").check()
        page.locator("[name=day]").fill(f"{MORNING:%Y-%m-%d}")
        page.locator("[name=hour]").fill("10:00")
        page.locator("[name=do][value=check]").click()
        expect(page.get_by_text("The limit is 280").first).to_be_visible()
        camera.take(page, "compose-over-en-light", "h1")
        page.locator("[name=vi]").fill(SHORT)
        page.locator("[name=en]").fill(SHORT_EN)
        page.locator("[name=do][value=check]").click()
        expect(page.get_by_text("Fits everywhere").first).to_be_visible()
        camera.take(page, "compose-fits-en-light", "h1")
        page.locator("[name=do][value=submit]").click()
        number = page.url.rpartition("/")[2]
    with camera.at(EVERYBODY, "en", "light", PHONE) as page:
        page.goto(f"/review/{number}")
        camera.take(page, "review-own-en-light-phone", around="form[action$='/approve'] button")
    approved(camera, number, "review-vi-light")
    camera.send(MORNING + timedelta(hours=1, seconds=5))
    with camera.at(EVERYBODY, "en", "light") as page:
        page.goto(f"/posts/{number}")
        camera.take(page, "post-out-en-light")
    with camera.at("giang", "en", "dark") as page:
        page.goto(f"/audit?obj=post:{number}")
        camera.take(page, "audit-en-dark")
    with camera.at("giang", "vi", "light", PHONE) as page:
        page.goto("/audit")
        camera.take(page, "audit-vi-light-phone")


def approved(camera: Camera, number: str, name: str, around: str = "") -> None:
    """By as many as it takes."""
    for alias in ("chi", "dung"):
        with camera.at(alias, "vi", "light") as page:
            page.goto(f"/review/{number}")
            if page.locator("form[action$='/approve'] button[disabled]").count():
                continue
            for box in page.locator("form[action$='/approve'] input[type=checkbox]").all():
                box.check()
            camera.take(page, name, around=around)
            page.locator("form[action$='/approve'] button").click()
            if (again := page.locator("[name=passphrase_again]")).count():
                again.fill(PASSPHRASE)
                again.press("Enter")
            expect(page.locator("[role=status]")).to_be_visible()


def an_anniversary(camera: Camera) -> None:
    """Drafted by the program, with its card, approved, and out on its day."""
    with camera.at("chi", "vi", "dark") as page:
        page.goto("/calendar/2026/11")
        camera.take(page, "calendar-vi-dark")
        number = camera.made.places["anniversary"][0]
        page.goto("/cases/nguyen-van-a/cards")
        camera.take(page, "cards-vi-dark")
    with camera.at("binh", "vi", "light") as page:
        page.goto(f"/posts/{number}/card")
        page.locator("form button.primary-btn").click()
        page.locator("[name=do][value=submit]").click()
    approved(camera, number, "anniversary-review-vi-light", around="main img")
    camera.send(datetime.fromisoformat("2026-11-30T09:00:05+07:00"))
    with camera.at("binh", "vi", "dark", PHONE) as page:
        page.goto(f"/posts/{number}")
        page.locator("[name=alias]").fill("binh")  # their session has ended meanwhile
        page.locator("[name=passphrase]").fill(PASSPHRASE)
        page.locator("[name=passphrase]").press("Enter")
        expect(page.locator(".badge").first).to_be_visible()
        camera.take(page, "anniversary-out-vi-dark-phone")


def the_day(camera: Camera) -> None:
    for alias, language, theme, size, name in (
        ("binh", "en", "light", DESK, "today-en-light"),
        ("binh", "vi", "dark", PHONE, "today-vi-dark-phone"),
    ):
        with camera.at(alias, language, theme, size) as page:  # type: ignore[arg-type]
            page.goto("/")
            camera.take(page, name)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, serving(Path(place) / "house") as (made, process), browser() as opened:
        camera = Camera(opened, made, process, folder)
        the_day(camera)
        a_post(camera)
        an_anniversary(camera)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
