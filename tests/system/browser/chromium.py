"""Debian's Chromium driven by Playwright, axe-core beside it, and the showcase that both look at."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect, sync_playwright

from tests.system.browser.showcase import Showcase
from tests.system.pds import locked, run

HERE = Path(__file__).parent
HOUSE = HERE.parents[2]
QUIET = (
    "--no-sandbox",  # containers of tests allow no namespaces; only our own pages are opened
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
EVERYBODY = "mai"
"""Has every role, so that no form is hidden from the tests."""
STRANGERS = ("/login", "/invitation/<token>", "/help")
# Pictures and texts that stand beside the pages, as do those with a dot in their name.
NOT_PAGES = ("/checkpoint", "/vkeys", "/pictures/<digest>", "/pictures/<digest>/whole", "/settings/codes/picture")
PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
INSTALL_S = 120
PATIENCE_MS = 30_000
REFUSED = re.compile(
    "status of 4|Response Status Error Code 4|ERR_CONTENT_LENGTH_MISMATCH|htmx:(afterRequest|sendError)"
)
"""What the browser and htmx say of an answer that a test asked for, or kept from coming."""
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
LOOK = f"() => axe.run({{runOnly: {list(WCAG)}, resultTypes: ['violations']}})"
# All that a theme changes.
COLOURS = "() => axe.run({runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}})"
WIDER = "document.documentElement.scrollWidth - innerWidth"


@dataclass(frozen=True, slots=True)
class Screen:
    """How somebody looks at the pages."""

    scripts: bool
    width: int


SCREENS = tuple(
    pytest.param(Screen(scripts, width), id=f"{width} px {'with' if scripts else 'without'} JavaScript")
    for scripts in (True, False)
    for width in (1280, 390)
)


def executable() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("Chromium is not here, so no page was seen in a browser: sudo apt-get install chromium")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    executable()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = launched(playwright.chromium)
        try:
            yield opened
        finally:
            opened.close()


def launched(kind: BrowserType, *more: str) -> Browser:
    return kind.launch(executable_path=executable(), args=[*QUIET, *more])


@contextmanager
def showcase(folder: Path) -> Iterator[Showcase]:
    with serving(folder) as (made, _process):
        yield made


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Showcase, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-m", "tests.system.browser.showcase", str(folder)]
    with subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert line, "the showcase did not start"
            yield Showcase(**json.loads(line)), process
        finally:
            process.stdin.close()
            process.wait(10)


def axe(home: Path) -> str:
    """The program of axe-core, installed once into `home`."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm is not here, so axe-core did not look at the pages")
    lock, done = (HERE / "package-lock.json").read_bytes(), home / "installed-lock.json"
    with locked(home):
        if not done.exists() or done.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, home / name)
            run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], home, INSTALL_S)
            done.write_bytes(lock)
    return (home / "node_modules" / "axe-core" / "axe.min.js").read_text()


def addresses(made: Showcase, *, strangers: bool = False, most: int = 99) -> list[str]:
    """An address, or up to `most`, for each page of the program; one with nothing to stand in its place fails.

    Where it is not the same everywhere, the rule itself names what stands in it.
    """
    found = []
    for rule in made.rules:
        if rule in NOT_PAGES or "." in rule or (rule in STRANGERS) is not strangers:
            continue
        stands = {name: made.places.get(rule) or made.places[name] for name in PLACE.findall(rule)}
        for count in range(min(most, max(map(len, stands.values()), default=1))):
            chosen = {name: values[min(count, len(values) - 1)] for name, values in stands.items()}
            found.append(PLACE.sub(lambda place, chosen=chosen: chosen[place[1]], rule))  # type: ignore[misc]
    return found


@contextmanager
def visitor(
    opened: Browser,
    made: Showcase,
    alias: str = EVERYBODY,
    *,
    language: str = "en",
    width: int = 1280,
    **more: Any,  # noqa: ANN401 - as Playwright takes them
) -> Iterator[tuple[BrowserContext, Page]]:
    """One person at one screen; whatever the console or the program complains of fails at the end."""
    context = opened.new_context(viewport={"width": width, "height": 900}, base_url=made.url, **more)
    cookies = {"language": language} | ({"session": made.cookies[alias]} if alias else {})
    context.add_cookies([{"name": name, "value": value, "url": made.url} for name, value in cookies.items()])
    context.set_default_timeout(PATIENCE_MS)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    try:
        yield context, page
        left = [each for each in complaints if not REFUSED.search(each)]
        assert left == [], left
    finally:
        context.close()
