"""Every page, for everyone, in both languages: one heading, no script or style in it, every control labelled."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from bot.domain.people import Role
from bot.web.answers import CSP
from tests.web.conftest import Browser
from tests.web.test_access import ALIASES, ROUTES

# What stands in an address where a page is about one thing; without an entry the page is not there, and says so.
PLACES: dict[str, str] = {"year": "2026", "month": "11", "name": "rehearsal-x", "campaign": "stop-the-crackdown-vn"}


def addresses() -> list[str]:
    found = []
    for route in ROUTES:
        method, _, rule = route.partition(" ")
        if method == "GET":
            found.append(re.sub(r"<(?:\w+:)?(\w+)>", lambda place: PLACES.get(place[1], "1"), rule))
    return found


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("role", Role)
def test_every_page_is_whole(role: Role, language: str, browse: Callable[..., Browser], app: Flask) -> None:
    browser = browse(ALIASES[role], language)
    for path in addresses():
        answer = browser.client.get(path, headers={"Accept-Language": language})
        if answer.status_code in {303, 403, 404} or answer.mimetype != "text/html":
            continue
        assert answer.status_code == 200, path
        check(path, answer.get_data(as_text=True), language)
        assert answer.headers["Content-Security-Policy"] == CSP
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def check(path: str, text: str, language: str) -> None:
    page = BeautifulSoup(text, "html.parser")
    assert len(page.find_all("h1")) == 1, path
    assert page.html
    assert page.html["lang"] == language, path
    assert page.title
    assert page.title.get_text(strip=True)
    assert not page.find_all("style"), path
    assert not page.find_all(style=True), path
    assert [each for each in page.find_all("script") if not each.get("src")] == [], path
    assert [a for each in page.find_all() for a in each.attrs if a.startswith(("on", "hx-on"))] == [], path
    twice = [key for key, number in Counter(each["id"] for each in page.find_all(id=True)).items() if number > 1]
    assert twice == [], path
    check_forms(path, page)
    check_references(path, page)
    assert unicodedata.is_normalized("NFC", text), path


def check_forms(path: str, page: BeautifulSoup) -> None:
    for form in page.find_all("form"):
        if form.get("method") == "post":
            assert form.select("input[name=csrf_token]"), (path, form.get("action"))
    labelled = {each.get("for") for each in page.find_all("label")}
    for each in page.find_all(["input", "textarea", "select"]):
        if each.get("type") in {"hidden", "submit"}:
            continue
        assert each.get("id") in labelled or each.get("aria-label") or each.find_parent("label"), (path, each)
    for each in page.find_all("button"):
        assert each.get_text(strip=True) or each.get("aria-label"), (path, each)


def check_references(path: str, page: BeautifulSoup) -> None:
    ids = {each["id"] for each in page.find_all(id=True)}
    for attribute in ("aria-describedby", "aria-labelledby", "aria-controls", "for"):
        for each in page.select(f"[{attribute}]"):
            value = each[attribute]
            wanted = value if isinstance(value, list) else str(value).split()
            assert set(wanted) <= ids, (path, attribute, wanted)
    for each in page.find_all("a", href=re.compile("^#")):
        assert str(each["href"])[1:] in ids, (path, each["href"])


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_pages_of_strangers_are_whole_too(language: str, stranger: Browser) -> None:
    stranger.client.set_cookie("language", language)
    for path in ("/login", "/invitation/nobody", "/nowhere"):
        answer = stranger.client.get(path)
        check(path, answer.get_data(as_text=True), language)


def test_no_page_says_in_english_what_it_should_say_in_vietnamese(browse: Callable[..., Browser]) -> None:
    """Sentences that are marked as English, or are names, are let be."""
    english = re.compile(r"\b(the|and|with|your|this|who|nobody|publishing|waiting|settings)\b", re.IGNORECASE)
    for role in Role:
        browser = browse(ALIASES[role], "vi")
        for path in addresses():
            answer = browser.client.get(path)
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
            for foreign in page.select("[lang=en]:not(html), script, code, pre"):
                foreign.decompose()
            assert english.findall(page.get_text(" ")) == [], path
