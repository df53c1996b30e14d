"""Every page, for everyone, in both languages: one heading, no script or style in it, every control labelled."""

import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from bot.domain.people import Role
from bot.domain.post import PostState
from bot.ports import Absent, Failure
from bot.services import posts, review, standing, withdraw
from bot.services.context import Context
from bot.services.posts import When
from bot.web.answers import CSP
from tests import farside
from tests.house import Crew, open_house
from tests.sample_cases import a_case, an_event
from tests.web.conftest import CHEAP, Browser
from tests.web.test_access import ALIASES, ROUTES
from tests.writing import a_draft, in_review, on_file

X, FACEBOOK = "rehearsal-x", "rehearsal-facebook"
A, ARREST = "nguyen-van-a", "arrest-2020-12-01"
# What stands in an address where a page is about one thing; the house has a post in every state.
PLACES: dict[str, tuple[str, ...]] = {
    "year": ("2026",),
    "month": ("11",),
    "name": (X,),
    "campaign": (farside.CAMPAIGN,),
    "slug": (A,),
    "key": (ARREST,),
    "standing_id": ("1",),
    "post_id": tuple(str(number) for number, _ in enumerate(PostState, 1)),
}
PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
# Nobody is invited or sets up codes, no picture is kept, no two were tried on one day, and nothing is signed yet.
NOT_HERE = (
    "/invitation/", "/settings/codes/", "/pictures/", "/cards/", "/hearings/",
    "/calendar.ics", "/checkpoint", "/consistency.jsonl",
)  # fmt: skip


def addresses() -> list[str]:
    rules = [route.removeprefix("GET ") for route in ROUTES if route.startswith("GET ")]
    return [path for rule in rules for path in filled(rule)]


def filled(rule: str) -> Iterator[str]:
    """Once with each thing that stands in a place, where there are several."""
    place = PLACE.search(rule)
    if place is None:
        yield rule
        return
    for stands in PLACES.get(place[1], ("1",)):
        yield from filled(rule.replace(place[0], stands))


@pytest.fixture(scope="module")
def furnished(web_house: tuple[Path, Crew], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a person on file, a standing approval, and a post in every state."""
    folder = tmp_path_factory.mktemp("furnished") / "house"
    shutil.copytree(web_house[0], folder)
    house = replace(open_house(folder), signing_in=CHEAP)
    on_file(house, a_case(an_event(on="2020-12-01")), by=web_house[1].binh)
    add_posts(house, web_house[1])
    standing.propose_standing(house, web_house[1].binh, [A])
    house.store.close()
    return folder


@pytest.fixture
def ctx(furnished: Path, tmp_path: Path) -> Iterator[Context]:
    """An hour later."""
    shutil.copytree(furnished, tmp_path / "house")
    opened = replace(open_house(tmp_path / "house"), signing_in=CHEAP)
    farside.go_to(opened.clock, farside.NINE + timedelta(hours=5))  # type: ignore[arg-type]
    yield opened
    opened.store.close()


def add_posts(house: Context, crew: Crew) -> None:
    far = farside.FarSide(answers=[lambda _: Absent(Failure.REJECTED, "not here")])
    house = replace(house, channels={**house.channels, FACEBOOK: replace(house.channels[FACEBOOK], platform=far)})
    hours = [farside.NINE + timedelta(hours=each) for each in (0, 2, 4)]
    farside.scheduled(house, crew, at=hours[0], cases=(A,))
    taken_back = farside.scheduled(house, crew, at=hours[1], cases=(A,))
    partly = in_review(house, crew.binh, channels=(X, FACEBOOK), when=When(at=hours[2]))
    review.approve(house, crew.chi, partly.id, partly.digest)
    in_review(house, crew.binh, when=When(at=hours[0]))
    worker = farside.worker_of(house)
    for each in hours:
        farside.go_to(house.clock, each)  # type: ignore[arg-type]
        farside.drain(house, worker)
    review.lapse_overdue(house)
    withdraw.withdraw_post(house, crew.binh, taken_back.id, "Gia đình xin gỡ.")
    a_draft(house, crew.binh)
    returned, stopped, _waits = (in_review(house, crew.binh) for _ in range(3))
    review.return_post(house, crew.chi, returned.id, "Thiếu nguồn.")
    review.cancel(house, crew.binh, stopped.id, "Gia đình xin hoãn.")
    farside.scheduled(house, crew, at=farside.NINE + timedelta(days=1))
    found = [posts.get_post(house, int(number)).state for number in PLACES["post_id"]]
    assert sorted(found) == sorted(PostState)


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("role", Role)
def test_every_page_is_whole(role: Role, language: str, browse: Callable[..., Browser], app: Flask) -> None:
    browser = browse(ALIASES[role], language)
    for path in addresses():
        answer = browser.client.get(path, headers={"Accept-Language": language})
        if answer.status_code == 404:
            assert path.startswith(NOT_HERE), path
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
