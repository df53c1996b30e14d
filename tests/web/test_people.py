"""People: links that work once, roles, and nobody left without an admin."""

import re

import pytest

from bot.domain.people import Limit, Role
from bot.services import people
from bot.services.context import Context
from tests.house import Crew, find_person
from tests.web.conftest import PASSPHRASE, Browser


def link_on(browser: Browser) -> str:
    found = re.search(r"http://localhost(/invitation/[\w-]{43})", browser.text)
    assert found, browser.text
    return found[1]


def test_an_admin_invites_somebody_who_then_comes_in(an: Browser, stranger: Browser, ctx: Context) -> None:
    an.get("/people")
    an.press("Make the link", {"alias": "Lan Anh", "roles": ["coordinator", "reviewer"]})
    path = link_on(an)
    an.get("/people")
    assert path not in an.text
    assert "has not come in yet" in an.text
    stranger.get(path)
    assert stranger.page.select("#f-alias")[0]["value"] == "Lan Anh"
    stranger.press("Come in", {"passphrase": PASSPHRASE, "passphrase_twice": PASSPHRASE})
    assert stranger.heading == "Today"
    row = next(each for each in people.list_people(ctx) if each.alias == "Lan Anh")
    assert row.person.roles == {Role.COORDINATOR, Role.REVIEWER}
    assert (row.made_by, row.invited, row.has_passphrase) == ("an", False, True)
    stranger.get(path, 404)


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"alias": "kim"}, "roles", "Choose at least one role."),
        ({"alias": "BINH", "roles": ["reviewer"]}, "alias", "is taken, or too like another"),
        ({"alias": "x", "roles": ["reviewer"]}, "alias", "2 to 40 characters"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(an: Browser, typed: dict[str, str], field: str, said: str) -> None:
    an.get("/people")
    an.press("Make the link", typed, status=422)
    (link,) = an.page.select("#errors a")
    assert link["href"] == f"#f-{field}"
    assert said in link.get_text()
    assert an.page.select("#f-alias")[0]["value"] == typed["alias"]


def test_others_see_who_is_here_and_why_they_cannot_invite(binh: Browser) -> None:
    binh.get("/people")
    assert "giang" in binh.text
    assert "You may not manage people. It takes the role admin." in binh.text
    assert binh.page.select("main form button[disabled]")
    assert not binh.page.select('a[href^="/people/"]')


def person_page(browser: Browser, alias: str) -> None:
    browser.get("/people")
    (link,) = [each for each in browser.page.select("main a") if each.get_text() == alias]
    browser.get(str(link["href"]))


def test_roles_change_and_hold_at_once(an: Browser, chi: Browser, ctx: Context) -> None:
    person_page(an, "chi")
    an.press("Save", {"roles": ["auditor"]})
    assert "Saved." in an.text
    assert find_person(ctx, "chi").roles == {Role.AUDITOR}
    chi.get("/people")
    assert "kiểm" not in chi.text


def test_the_last_admin_stays_one(an: Browser, ctx: Context) -> None:
    person_page(an, "an")
    an.press("Save", {"roles": ["auditor"]}, status=422)
    assert "This is the last active admin." in an.text
    an.press("Disable an", status=422)
    assert find_person(ctx, "an").active


def test_an_alias_changes_and_the_person_stays(an: Browser, ctx: Context, crew: Crew) -> None:
    person_page(an, "chi")
    an.press("Change the alias", {"alias": "Chị Ba"})
    assert an.heading == "Chị Ba"
    assert find_person(ctx, "Chị Ba").id == crew.reviewer.id


def test_a_new_link_lets_somebody_in_again(an: Browser, chi: Browser, stranger: Browser) -> None:
    person_page(an, "chi")
    an.press("Make a new link")
    chi.get("/")
    assert chi.heading == "Sign in"
    stranger.get(link_on(an))
    assert "You come in as chi." in stranger.text
    stranger.press("Come in", {"passphrase": PASSPHRASE, "passphrase_twice": PASSPHRASE})
    assert stranger.heading == "Today"


def test_whoever_is_disabled_is_out_and_shown_so(an: Browser, chi: Browser) -> None:
    person_page(an, "chi")
    an.press("Disable chi")
    assert "chi can no longer sign in." in an.text
    chi.get("/")
    assert chi.heading == "Sign in"
    an.get("/people")
    assert "disabled" in an.text


def test_nobody_is_found_by_a_number_nobody_has(an: Browser) -> None:
    an.get("/people/99", 404)


def test_a_role_is_limited_to_a_campaign_and_the_page_shows_it(an: Browser, ctx: Context) -> None:
    person_page(an, "chi")
    an.press("Save", {"roles": ["reviewer"], "reviewer_campaigns": ["now-campaign"], "reviewer_channels": []})
    (limit,) = find_person(ctx, "chi").limits
    assert limit == Limit(Role.REVIEWER, frozenset({"now-campaign"}))
    assert an.page.select('input[name="reviewer_campaigns"][value="now-campaign"][checked]')
    an.press("Save", {"reviewer_campaigns": []})
    assert not find_person(ctx, "chi").limits
