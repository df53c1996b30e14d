"""What htmx swaps while the page stays: counters and previews as somebody writes, and a week's approvals."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from bot.domain.people import Role
from bot.domain.post import Post, PostState
from bot.services import people, plan, posts, review, sessions
from bot.store import approvals
from bot.store import posts as stored
from tests.sample_cases import a_case, an_event
from tests.system.browser.chromium import Screen
from tests.system.browser.served import Served, sign_in
from tests.system.browser.showcase import EN, PASSPHRASE, VI
from tests.writing import on_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
WIDTHS = pytest.mark.parametrize("width", [1280, 390])
LARGEST = 5_000
"""Bytes on the wire of a part of a page, headers apart."""
HERE = "window.still = true"
STILL = "window.still === true"
TWICE = """() => [...document.querySelectorAll('[id]')].map(each => each.id)
  .filter((id, nth, all) => all.indexOf(id) !== nth)"""
YES = re.compile("Approved. It goes out|Your approval counts.")


@contextmanager
def swapped(page: Page, path: str) -> Iterator[list[Response]]:
    """What the page asked for by itself, which must be small; the page is not left."""
    page.evaluate(HERE)
    found: list[Response] = []
    with page.expect_response(lambda answer: answer.url.endswith(path)) as answered:
        yield found
    found.append(answered.value)
    assert "hx-request" in found[0].request.headers
    assert found[0].request.sizes()["responseBodySize"] <= LARGEST


def count_of(served: Served) -> int:
    with served.ctx.store.read() as tx:
        return sum(stored.counts(tx).values())


@WIDTHS
def test_lengths_and_previews_follow_whoever_writes_and_nothing_is_kept(
    width: int, served: Served, browser: Browser
) -> None:
    before = count_of(served)
    with served.at(browser, Screen(scripts=True, width=width), "binh") as page:
        page.goto("/posts/new")
        vi, counter = page.locator("[name=vi]"), page.locator("#vi-n")
        with swapped(page, "/posts/check"):
            vi.fill("Trả tự do cho Nguyễn Văn A! " * 20)
        expect(counter).to_contain_text("The limit is 280")
        expect(page.locator("#found")).to_contain_text("to put right before review")
        with swapped(page, "/posts/check"):
            vi.fill(VI)
            page.locator("[name=en]").fill(EN.replace("2020", "2021"))
        expect(counter).to_contain_text("Fits everywhere")
        expect(page.get_by_role("region", name="Do the two texts say the same?").locator("li.no")).not_to_have_count(0)
        with swapped(page, "/posts/check"):
            page.locator("[name=en]").fill(EN)
        expect(page.get_by_role("region", name="Do the two texts say the same?").locator("li.no")).to_have_count(0)
        expect(page.locator("#found figure").first).to_contain_text("Nguyễn Văn A")
        with swapped(page, "/posts/check"):
            page.locator("[name=channels]").first.uncheck()
        expect(page.locator("[name=en]")).to_have_value(EN)
        assert page.evaluate(STILL)
        assert count_of(served) == before


@WIDTHS
def test_whoever_writes_beyond_the_end_of_their_session_loses_no_letter(
    width: int, served: Served, browser: Browser
) -> None:
    text = f"{VI} Viết lúc {width}."
    ended = sessions.open_session(served.ctx, served.person("dung"))
    with served.at(browser, Screen(scripts=True, width=width)) as page:
        page.context.add_cookies([{"name": "session", "value": ended.token, "url": served.made.url}])
        page.goto("/posts/new")
        visitor = sessions.whose(served.ctx, ended.token)
        assert visitor
        sessions.sign_out(served.ctx, visitor)
        page.locator("[name=vi]").fill(text)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        expect(page.get_by_text("Sign in again. Your text is kept.")).to_be_visible()
        sign_in(page, "dung")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("[name=vi]")).to_have_value(text)


@pytest.fixture
def week(served: Served) -> Iterator[tuple[Post, Post, Post]]:
    """Three anniversaries of one week that wait for review."""
    ctx, start = served.ctx, count_of(served)
    on_file(
        ctx,
        *(
            a_case(an_event(on=f"201{number}-12-0{number}"), slug=f"tuan-{start}-{number}",
                   name_vi=f"Nguyễn Văn Tuần {start}{number}", name_en=f"Nguyen Van Tuan {start}{number}")
            for number in (3, 4, 5)
        ),
    )  # fmt: skip
    first, second, third = plan.plan(ctx).drafted
    yield first, second, third
    for each in (first, second, third):
        if posts.get_post(ctx, each.id).state is PostState.IN_REVIEW:
            review.cancel(ctx, served.person("chi"), each.id, "Đã thử xong.")


def approve(part: Locator) -> None:
    """By the words beside each box, as most people tick."""
    for words in part.locator(".check label").all():
        words.click()
    part.get_by_role("button", name="Approve exactly this text").click()


@WIDTHS
def test_a_week_is_approved_post_by_post_without_leaving_the_page(
    width: int, served: Served, browser: Browser, week: tuple[Post, Post, Post]
) -> None:
    first, second, _third = week
    with served.at(browser, Screen(scripts=True, width=width), "chi") as page:
        page.goto("/review/week?from=2026-11-30")
        parts = [page.locator(f"#post-{each.id}") for each in week]
        with swapped(page, f"/review/{first.id}/approve"):
            parts[0].get_by_role("button", name="Approve exactly this text").click()
        expect(parts[0].get_by_role("alert")).to_contain_text("Tick each fact and each warning")
        expect(parts[0].get_by_role("alert")).to_be_focused()
        with swapped(page, f"/review/{second.id}/approve"):
            parts[1].get_by_role("button", name="Approve exactly this text").click()
        expect(parts[1].get_by_role("alert")).to_be_focused()
        assert page.evaluate(TWICE) == []
        parts[1].locator("input[type=checkbox]").first.check()
        with swapped(page, f"/review/{first.id}/approve"):
            approve(parts[0])
        expect(parts[0].get_by_role("status")).to_contain_text(YES)
        expect(parts[0].get_by_role("link")).to_be_focused()
        expect(parts[1].locator("input[type=checkbox]").first).to_be_checked()
        reworded(served, second)
        with swapped(page, f"/review/{second.id}/approve"):
            approve(parts[1])
        expect(parts[1]).to_contain_text("Someone edited this while you were reading.")
        expect(parts[1].locator(".diff ins").first).to_contain_text("Xin chia sẻ.")
        expect(parts[1].locator("input[type=checkbox]").first).not_to_be_checked()
        assert page.evaluate(STILL)
        served.clock.advance(minutes=6)
        approve(parts[2])
        expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("status")).to_contain_text(YES)
        expect(page.get_by_role("heading", level=1)).to_have_text("A week of anniversaries")
    yeses = [len(approvals_of(served, each)) for each in week]
    assert yeses == [1, 0, 1]


def reworded(served: Served, post: Post) -> None:
    texts = {**post.content.texts, ("vi", ""): f"{post.content.texts['vi', '']} Xin chia sẻ."}
    changed = replace(post.content, texts=texts)
    posts.edit_post(served.ctx, served.person("binh"), post.id, changed, revision=post.revision)


def approvals_of(served: Served, post: Post) -> tuple[object, ...]:
    with served.ctx.store.read() as tx:
        return tuple(approvals.of_post(tx, post.id))


@WIDTHS
def test_a_press_that_gets_no_part_is_answered_by_a_page(
    width: int, served: Served, browser: Browser, week: tuple[Post, Post, Post]
) -> None:
    """The line dropped before or after it was done, which is then not done again; and the role was taken away.

    The server drops the line: taking requests from the browser on their way sometimes loses the one that follows.
    """
    alias = f"hoa-{width}"
    served.newcomer(alias, Role.REVIEWER)
    done = re.compile("is not waiting for approval: it is scheduled|You approved this already")
    dropped = [("before", YES), ("after", done), ("", re.compile("You may not approve"))]
    with served.at(browser, Screen(scripts=True, width=width), alias) as page:
        for each, (drops, said) in zip(week, dropped, strict=True):
            page.goto("/review/week?from=2026-11-30")
            served.line.drops = drops
            if not drops:
                people.set_roles(served.ctx, served.person("an"), alias, {Role.AUDITOR})
            with page.expect_navigation():
                approve(page.locator(f"#post-{each.id}"))
            expect(page.locator("main")).to_contain_text(said)
    assert [len(approvals_of(served, each)) for each in week] == [1, 1, 0]
