"""What the browser tests look at, as a table for the documentation: `python -m tests.system.browser.tables`.

Violations are those of axe-core in all eight looks at the page: two languages, widths and themes. Bytes are those on
the wire, headers included, each page opened by a person with every role in a fresh browser (first) and once more with
what that browser kept (later).
"""

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from tests.system.browser.chromium import COLOURS, LOOK, OPEN_ALL, addresses, axe, browser, showcase, visitor
from tests.system.browser.showcase import Showcase

LANGUAGES, WIDTHS = ("en", "vi"), (1280, 390)


def loads(opened: Browser, made: Showcase, path: str) -> tuple[int, int, int]:
    """Bytes of the first load and of a later one, and the requests of the first."""
    with visitor(opened, made) as (context, page):
        watch = context.new_cdp_session(page)
        watch.send("Network.enable")
        sizes: list[float] = []
        asked: list[str] = []
        watch.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.on("request", lambda request: asked.append(request.url))
        first, requests = _open(page, path, sizes), len(asked)
        return first, _open(page, path, sizes), requests


def _open(page: Page, path: str, sizes: list[float]) -> int:
    sizes.clear()
    page.goto(path, wait_until="networkidle")
    return round(sum(sizes))


def faults(opened: Browser, made: Showcase, program: str) -> dict[str, list[int]]:
    """Of each page: how many violations at each look. One that leads on, since nothing waits there, is left out."""
    found: dict[str, list[int]] = {}
    for language in LANGUAGES:
        for width in WIDTHS:
            with visitor(opened, made, language=language, width=width) as (_context, page):
                for path in addresses(made, most=1):
                    page.goto(path)
                    if urlsplit(page.url).path != path:
                        continue
                    page.evaluate(OPEN_ALL)
                    page.evaluate(program)
                    for theme, look in (("light", LOOK), ("dark", COLOURS)):
                        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                        seen: Any = page.evaluate(look)["violations"]
                        found.setdefault(path, []).append(len(seen))
                    page.emulate_media(color_scheme="light")
    return found


def main() -> None:
    home = Path(tempfile.gettempdir()) / "axe-core"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, showcase(Path(folder)) as made, browser() as opened:
        seen = faults(opened, made, axe(home))
        _row("Page", "Looks", "Violations", "First load, kB", "Later, kB", "Requests")
        _row(*("---" for _ in range(6)))
        for path in seen:
            first, later, requests = loads(opened, made, path)
            _row(f"`{path}`", len(seen[path]), sum(seen[path]), f"{first / 1000:.1f}", f"{later / 1000:.1f}", requests)


def _row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |")  # noqa: T201 - a table for the terminal


if __name__ == "__main__":
    main()
