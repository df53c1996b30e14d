"""Looks at the page that stands there with axe-core, at two widths and in two themes, and for its width on a phone."""

from collections.abc import Mapping

from playwright.sync_api import Page

from tests.system.browser.chromium import COLOURS, LOOK, OPEN_ALL, WIDER

SEND = "each => { each.noValidate = true; each.requestSubmit(); }"
NARROWEST = 320


class Eyes:
    def __init__(self, page: Page, axe: str) -> None:
        self.page, self.axe = page, axe
        self.faults: list[tuple[object, ...]] = []
        self.seen: list[str] = []

    def look(self) -> None:
        self.page.evaluate(OPEN_ALL)
        self.page.evaluate(self.axe)
        title = self.page.title()
        for width in (1280, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            for theme, look in (("light", LOOK), ("dark", COLOURS)):
                self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                for each in self.page.evaluate(look)["violations"]:
                    found = [one["html"][:160] for one in each["nodes"]][:3]
                    self.faults.append((title, width, theme, each["id"], found))
        self.page.set_viewport_size({"width": NARROWEST, "height": 900})
        if (wider := self.page.evaluate(WIDER)) > 0:
            self.faults.append((title, NARROWEST, "wider by", wider))
        self.seen.append(title)

    def send(self, action: str, typed: Mapping[str, str] | None = None) -> None:
        """The form that leads there, whatever the browser itself would say of it, and a look at the answer.

        By its address, since the words are of two languages.
        """
        form = self.page.locator(f"form[action='{action}']:not([data-passkey])").first
        for name, value in (typed or {}).items():
            field = form.locator(f"[name='{name}']")
            if field.evaluate("each => each.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        with self.page.expect_navigation():
            form.evaluate(SEND)
        self.look()
