"""Compose: kept on every check, counted as each account counts, shown as it will look, and never lost."""

import io
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup

from bot.domain.post import Post, PostState
from bot.services import posts
from bot.services.context import Context
from bot.services.posts import When
from tests.house import Crew, FakeClock
from tests.sample_cases import a_case, an_event
from tests.web.conftest import PASSPHRASE, Browser
from tests.web.test_crawl import check
from tests.writing import a_draft, a_png, in_review, on_file, scheduled

TEXTS = {"vi": "Xin đọc câu chuyện này.", "en": "Please read this story."}
LONG = "Nguyễn Văn Đài đã bị giam giữ tùy tiện và chưa được xét xử " * 6
TOMORROW = {"when": "at", "day": "2026-11-22", "hour": "20:00", "zone": "Asia/Ho_Chi_Minh"}


def only(ctx: Context) -> Post:
    (found,) = posts.list_posts(ctx)
    return found


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_page_of_it_is_whole(browse: Callable[..., Browser], language: str, ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    post = a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",))
    browser = browse("binh", language)
    for path in ("/posts/new", f"/posts/{post.id}/edit", f"/posts/{post.id}/card", "/posts/import"):
        browser.get(path)
        assert browser.answer
        check(path, browser.answer.get_data(as_text=True), language)


def test_a_check_keeps_the_draft_and_shows_what_each_account_gets(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Check lengths", TEXTS)
    post = only(ctx)
    assert (post.state, post.content.texts["vi", ""]) == (PostState.DRAFT, TEXTS["vi"])
    assert binh.path == f"/posts/{post.id}/edit"
    assert "Fits everywhere" in binh.text
    assert "It has no time. Give it one, or the next free slot." in binh.text
    assert [each.get_text() for each in binh.page.select(".preview .body")][:2] == [TEXTS["vi"], TEXTS["en"]]


def test_a_double_tap_makes_one_post(binh: Browser, ctx: Context) -> None:
    form = binh.get("/posts/new")
    binh.press("Save draft", TEXTS)
    first = binh.path
    binh.page = form
    binh.press("Save draft", TEXTS)
    assert binh.path == first == f"/posts/{only(ctx).id}"


def test_a_text_too_long_for_x_is_counted_cut_and_named_and_may_get_its_own(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Check lengths", {**TEXTS, "vi": LONG})
    assert "rehearsal-x counts this as 389. The limit is 280." in binh.text
    assert "109 over." in binh.text
    assert "letters count as two." in binh.text
    assert binh.page.select(".preview .cut")
    binh.press("Write a shorter text for rehearsal-x")
    binh.press("Check lengths", {"vi:rehearsal-x": "Ngắn thôi."})
    assert only(ctx).content.texts["vi", "rehearsal-x"] == "Ngắn thôi."
    assert "over" not in binh.page.select_one("#found table").get_text()  # type: ignore[union-attr]


def test_what_the_two_texts_do_not_share_is_listed(binh: Browser) -> None:
    binh.get("/posts/new")
    binh.press("Check lengths", {"vi": "Năm 2017, #ĐànÁp", "en": "Read this."})
    assert "Only the Vietnamese has “#ĐànÁp”." in binh.text


def test_decomposed_letters_are_kept_composed_and_reported(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Check lengths", {**TEXTS, "vi": unicodedata.normalize("NFD", TEXTS["vi"])})
    assert "The text came in decomposed letters" in binh.text
    assert only(ctx).content.texts["vi", ""] == TEXTS["vi"]


def test_a_wrong_time_keeps_what_was_typed_and_the_picture(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    picture = {"picture": (io.BytesIO(a_png()), "a.png"), "alt_vi": "Một ô màu lam.", "alt_en": "A blue square."}
    sent = binh.filled("Check lengths") | {**TEXTS, **TOMORROW, "day": "2001-01-01", "do": "check"} | picture
    binh.upload("/posts/new", sent, 422)
    assert binh.title.startswith("Error: ")
    assert "That time has passed." in binh.text
    assert binh.page.select_one("#f-vi").get_text(strip=True) == TEXTS["vi"]  # type: ignore[union-attr]
    assert posts.list_posts(ctx) == ()
    binh.press("Check lengths", {"day": "2026-11-22"})
    (kept,) = only(ctx).content.pictures
    assert kept.alt == {"vi": "Một ô màu lam.", "en": "A blue square."}
    image = binh.client.get(f"/pictures/{kept.digest}")
    assert (image.status_code, image.mimetype) == (200, "image/jpeg")
    assert binh.client.get(f"/pictures/{kept.digest}/whole").mimetype == "image/png"
    assert binh.client.get(f"/pictures/{'0' * 64}").status_code == 404


def test_what_is_no_picture_is_refused_beside_its_field(binh: Browser) -> None:
    binh.get("/posts/new")
    sent = binh.filled("Check lengths") | {**TEXTS, "picture": (io.BytesIO(b"<svg onload=x>"), "a.png")}
    binh.upload("/posts/new", sent, 422)
    assert [each["href"] for each in binh.page.select("#errors a")] == ["#f-picture"]


def test_a_time_is_read_in_the_zone_that_the_form_names(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Check lengths", {**TEXTS, **TOMORROW})
    due = only(ctx).due
    assert due
    assert due.isoformat() == "2026-11-22T13:00:00+00:00"
    assert binh.page.select_one("#f-hour")["value"] == "20:00"  # type: ignore[index]


def test_sent_for_review_it_waits_for_somebody_else(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Send for review", {**TEXTS, **TOMORROW})
    assert "Sent for review. Somebody else must approve it before its time." in binh.text
    assert only(ctx).state is PostState.IN_REVIEW


def test_what_is_not_fit_for_review_is_kept_as_a_draft_that_says_why(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Send for review", TEXTS)
    assert only(ctx).state is PostState.DRAFT
    assert "Saved as a draft." in binh.text
    assert "One thing to put right before review" in binh.text


def test_an_approved_post_that_is_edited_must_be_approved_anew(binh: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    binh.get(f"/posts/{post.id}/edit")
    assert "If one letter changes, an approval no longer counts." in binh.text
    binh.press("Save draft", {"en": "Please read this other story."})
    assert "It was approved before; that no longer counts." in binh.text
    assert only(ctx).state is PostState.IN_REVIEW


def test_when_someone_else_edited_it_both_texts_are_shown_and_mine_can_be_kept(
    binh: Browser, dung: Browser, ctx: Context, crew: Crew
) -> None:
    post = a_draft(ctx, crew.coordinator)
    binh.get(f"/posts/{post.id}/edit")
    dung.get(f"/posts/{post.id}/edit")
    dung.press("Save draft", {"en": "Please hear this story."})
    binh.press("Save draft", {"en": "Please tell this story."}, status=422)
    assert "Someone edited this while you were writing. This is what changed." in binh.text
    assert [each.get_text() for each in binh.page.select(".diff ins")] == ["[added: hear]"]
    assert binh.page.select_one("#f-en").get_text(strip=True) == "Please tell this story."  # type: ignore[union-attr]
    binh.press("Save draft")
    assert only(ctx).content.texts["en", ""] == "Please tell this story."


def test_people_are_found_without_tone_marks_and_their_facts_can_be_ticked(binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event()), a_case(slug="nguyen-van-b", name_vi="Nguyễn Văn B", name_en="Nguyen Van B"))
    binh.get("/posts/new")
    binh.press("Check lengths", {**TEXTS, "about": "nguyen van"}, status=422)
    assert "may be several: nguyen-van-a, nguyen-van-b." in binh.text
    binh.press("Check lengths", {"about": "nguyen van a"})
    assert "Source: https://example.org/page" in binh.text
    binh.press("Check lengths", {"cites": "nguyen-van-a|event:arrest-2020-10-07"})
    assert "event:arrest-2020-10-07" in {cite.fact for cite in only(ctx).content.cites}


def test_while_typing_only_what_was_found_is_answered_and_nothing_is_kept(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    sent = binh.filled("Check lengths") | {"vi": [LONG], "en": ["Hi."]}
    del sent["once"]
    headers = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true", "Accept-Encoding": "gzip"}
    answer = binh.client.post("/posts/check", data=sent, headers=headers)
    assert answer.status_code == 200
    assert len(answer.data) < 5_000
    binh.send("/posts/check", sent)
    assert not binh.page.find("h1")
    assert binh.page.select_one('#vi-n[hx-swap-oob="true"]')
    assert posts.list_posts(ctx) == ()


def test_no_account_ticked_is_said_and_none_is_chosen_silently(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new")
    binh.press("Check lengths", {**TEXTS, "channels": []}, status=422)
    assert "Choose at least one account." in binh.text
    assert posts.list_posts(ctx) == ()


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{ 7 * 7 }} {% raw %}", "\u202eabc", "a\0b", "😀" * 3000]
)
def test_hostile_text_is_shown_as_it_is_or_refused_in_words(binh: Browser, text: str) -> None:
    binh.get("/posts/new")
    answer = binh.client.post(
        "/posts/new",
        data=binh.filled("Check lengths") | {"vi": text, "en": text},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code in {303, 422}
    if answer.status_code == 303:
        binh.get(answer.headers["Location"])
    else:
        binh.page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    assert not [each for each in binh.page.find_all("script") if not each.get("src")]
    assert "49 {% raw %}" not in binh.text


def test_hostile_fields_are_answered_in_words(binh: Browser) -> None:
    binh.get("/posts/new")
    filled = binh.filled("Check lengths")
    del filled["once"]
    for strange in (
        {"when": "at", "day": "9" * 90, "hour": "x", "zone": "../../etc"}, {"campaign": "nope"}, {"cites": "a|b|c"},
        {"channels": ["nope"]}, {"pictures": "0" * 64}, {"grace": "99h"}, {"when": "slot", "slot": "x" * 500},
        {"corrects": "9" * 30}, {"cases": "no-such-case"}, {"own": "../../"}, {"vi:nope": "x"}, {"about": "\0" * 90},
    ):  # fmt: skip
        answer = binh.client.post(
            "/posts/new", data={**filled, **TEXTS, **strange}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status_code in {303, 404, 422}, strange


def test_a_correction_begins_with_the_same_accounts_and_says_what_it_corrects(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/new?corrects=1", status=404)
    binh.get("/posts/new?case=nobody", status=422)
    assert posts.list_posts(ctx) == ()


def test_what_is_cancelled_cannot_be_edited(binh: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    binh.get(f"/posts/{post.id}")
    binh.press("Cancel this post", {"reason": "Không cần nữa."})
    binh.get(f"/posts/{post.id}/edit", status=403)
    assert "cancelled" in binh.text


def test_a_share_card_is_put_on_in_two_clicks(binh: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(), status=a_case().status, as_of="2026-11-01"))
    post = a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",))
    binh.get(f"/posts/{post.id}/edit")
    binh.press("attach a share card")
    (day,) = binh.page.select("input[name=day]")
    assert day.has_attr("disabled")
    assert "The share card is true on 2027-10-07 alone" in binh.text
    assert "No day of theirs is the day of this post." in binh.text
    posts.schedule(ctx, crew.coordinator, post.id, When(at=datetime(2027, 10, 7, 5, tzinfo=UTC)))
    binh.get(f"/posts/{post.id}/card")
    binh.press("Put it on the post")
    (picture,) = only(ctx).content.pictures
    assert picture.alt["vi"]
    assert (picture.width, picture.height) == (1200, 675)


def test_what_was_typed_outlives_the_session(binh: Browser, ctx: Context, clock: FakeClock) -> None:
    binh.get("/posts/new")
    clock.advance(hours=13)
    binh.press("Check lengths", TEXTS, status=401)
    assert "Sign in again. Your text is kept." in binh.text
    binh.press("Sign in", {"alias": "binh", "passphrase": PASSPHRASE})
    binh.press("Go on")
    assert only(ctx).content.texts["vi", ""] == TEXTS["vi"]
