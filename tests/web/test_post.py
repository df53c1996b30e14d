"""Post: what became of it, who agreed, what changed, and every act that a person may do with it."""

import io
from collections.abc import Callable
from dataclasses import replace
from zipfile import ZipFile

import pytest

from bot.domain.delivery import DeliveryState, Sighting
from bot.domain.post import Post, PostState
from bot.ports import Absent, Failure, Unsure
from bot.services import posts, queue
from bot.services.context import Context
from bot.store import deliveries
from tests import farside
from tests.farside import NINE, FarSide, X, deliveries_of, drain, go_to, worker_of
from tests.house import Crew, FakeClock
from tests.sample_cases import a_case, an_event
from tests.web.conftest import PASSPHRASE, Browser
from tests.web.test_crawl import check
from tests.writing import a_content, a_draft, in_review, on_file, scheduled

CSV = "campaign,vi,en\nstop-the-crackdown-vn,Xin chào.,Hello.\nnope,Xin chào.,Hello.\n"


def sent(ctx: Context, crew: Crew, clock: FakeClock, far: FarSide) -> Post:
    """Approved by two people, and answered by the far side as told, at nine."""
    x = replace(ctx.channels[X], platform=far)
    house = replace(ctx, channels={**ctx.channels, X: x})
    post = farside.scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    return posts.get_post(ctx, post.id)


def refuses(*answers: object) -> FarSide:
    return FarSide(answers=[lambda _, one=one: one for one in answers])  # type: ignore[misc]


def held(ctx: Context, post: Post) -> int:
    """Its first part waits for a person, who must find out whether it is there."""
    first = deliveries_of(ctx, post)[0]
    with ctx.store.write() as tx:
        deliveries.change(tx, first, DeliveryState.HELD, "cannot_look", not_after=first.due_at.replace(year=2027))
    return first.id


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("alias", ["an", "binh", "chi", "giang"])
def test_the_page_is_whole_for_everyone(
    browse: Callable[..., Browser], alias: str, language: str, ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    on_file(ctx, a_case(an_event()))
    drafted = a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",))
    out = sent(ctx, crew, clock, refuses(Unsure("timeout")))
    held(ctx, out)
    browser = browse(alias, language)
    for post in (drafted, out):
        browser.get(f"/posts/{post.id}")
        assert browser.answer
        check(f"/posts/{post.id}", browser.answer.get_data(as_text=True), language)
        assert "campaignbot " not in browser.text


def test_what_went_out_shows_its_address_and_who_agreed(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, FarSide())
    giang = browse("giang")
    giang.get(f"/posts/{post.id}")
    assert [each["href"] for each in giang.page.select(".timeline a")] == [
        "https://example.org/1",
        "https://example.org/2",
    ]
    assert "1 of 1 needed." in giang.text
    assert "chi, 21 November 2026, 22:30 (Hà Nội, UTC+7)" in giang.text
    assert "binh: sent a post for review" in giang.text


def test_what_was_refused_says_why_and_can_be_written_anew_for_that_account(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    far = refuses(Absent(Failure.REJECTED, "duplicate"))
    far.answers.insert(0, lambda parcel: FarSide().publish(parcel))
    post = sent(ctx, crew, clock, far)
    assert post.state is PostState.PARTLY_PUBLISHED
    binh = browse("binh")
    binh.get(f"/posts/{post.id}")
    assert "the platform refused it (duplicate)" in binh.text
    link = binh.page.find("a", string="Write it anew for rehearsal-x")
    assert link
    binh.get(str(link["href"]))
    assert binh.page.select_one("#f-en").get_text(strip=True) == farside.TEXTS["en", ""]  # type: ignore[union-attr]


def test_it_is_there_is_said_with_its_address_after_the_passphrase(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, refuses(Unsure("timeout")))
    number = held(ctx, post)
    binh = browse("binh")
    clock.advance(minutes=6)
    binh.get(f"/posts/{post.id}")
    assert "We don’t know whether it was sent." in binh.text
    binh.post({f"url-{number}": "https://example.org/there"}, to=f"/deliveries/{number}/live", status=401)
    binh.press("Go on", {"passphrase_again": PASSPHRASE})
    assert "It is on record as sent." in binh.text
    assert deliveries_of(ctx, post)[0].url == "https://example.org/there"


def test_a_wrong_address_is_kept_and_named(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, refuses(Unsure("timeout")))
    number = held(ctx, post)
    binh = browse("binh")
    binh.get(f"/posts/{post.id}")
    binh.post({f"url-{number}": "javascript:alert(1)"}, to=f"/deliveries/{number}/live", status=422)
    assert [each["href"] for each in binh.page.select("#errors a")] == [f"#f-url-{number}"]
    assert not binh.page.select('a[href^="javascript"]')


def test_sending_again_takes_two_people(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, refuses(Unsure("timeout")))
    number = held(ctx, post)
    binh, chi = browse("binh"), browse("chi")
    binh.get(f"/posts/{post.id}")
    binh.post(to=f"/deliveries/{number}/resend")
    assert "Asked. Somebody else must confirm it here." in binh.text
    assert "You asked for this already." in binh.text
    assert not binh.page.select(f'form[action="/deliveries/{number}/resend"]')
    chi.get(f"/posts/{post.id}")
    assert "binh says it is not there and asks to send it again." in chi.text
    chi.press("Confirm: send it again")
    assert deliveries_of(ctx, post)[0].state is DeliveryState.SCHEDULED


def test_what_is_dropped_stays_unsent(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, refuses(Unsure("timeout")))
    number = held(ctx, post)
    binh = browse("binh")
    binh.get(f"/posts/{post.id}")
    binh.post(to=f"/deliveries/{number}/drop")
    assert deliveries_of(ctx, post)[0].state is DeliveryState.CANCELLED
    assert "binh: settled what became of it: do not send it" in binh.text


def test_what_is_gone_since_is_said_until_somebody_knows(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, FarSide())
    with ctx.store.write() as tx:
        deliveries.note_sighting(tx, deliveries_of(ctx, post)[0], again_at=None, now=ctx.now(), sighting=Sighting.GONE)
    chi = browse("chi")
    chi.get(f"/posts/{post.id}")
    assert "It is no longer there as it was." in chi.text
    chi.press("I know, and have done")
    assert "It is no longer there as it was." not in chi.text


def test_taking_down_needs_a_reason_and_a_correction_can_be_written(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, FarSide())
    binh = browse("binh")
    binh.get(f"/posts/{post.id}")
    binh.press("Take this post down", {"reason": " "}, status=422)
    binh.press("Take this post down", {"reason": "Ngày tháng bị sai."})
    assert posts.get_post(ctx, post.id).state is PostState.WITHDRAWN
    assert "Ngày tháng bị sai." in binh.text
    binh.get(f"/posts/new?corrects={post.id}")
    binh.press("Save draft", {"vi": "Đính chính: ngày 7.", "en": "Correction: the 7th."})
    (made,) = [each for each in posts.list_posts(ctx) if each.corrects_id]
    assert made.corrects_id == post.id
    binh.get(f"/posts/{post.id}")
    assert f"Post {made.id} corrects it." in binh.text


def test_what_an_appeal_needs_comes_as_one_file(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = sent(ctx, crew, clock, FarSide())
    giang = browse("giang")
    giang.get(f"/posts/{post.id}")
    number = deliveries_of(ctx, post)[0].id
    path = f"/deliveries/{number}/export"
    answer = giang.client.post(path, data=giang.filled(to=path), headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    names = ZipFile(io.BytesIO(answer.data)).namelist()
    assert f"delivery-{number}/delivery.txt" in names
    assert f"delivery-{number}/proof/verify_audit.py" in names


def test_versions_show_which_words_changed_and_by_whom(binh: Browser, ctx: Context, crew: Crew) -> None:
    post = a_draft(ctx, crew.coordinator)
    changed = a_content("Xin đọc câu chuyên này.", "Please read this story.", windows=post.content.windows)
    posts.edit_post(ctx, crew.second_reviewer, post.id, changed, revision=1)
    binh.get(f"/posts/{post.id}")
    assert [each.get_text() for each in binh.page.select("del, ins")] == ["[removed: chuyện]", "[added: chuyên]"]
    assert "Version 2, dung, " in binh.text


def test_a_new_time_voids_the_approval_and_says_so(binh: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    binh.get(f"/posts/{post.id}")
    binh.press("Change the time", {"when": "at", "day": "2026-11-23", "hour": ""}, status=422)
    assert binh.page.select_one("#f-day")["value"] == "2026-11-23"  # type: ignore[index]
    binh.press("Change the time", {"when": "at", "day": "2026-11-23", "hour": "09:00"})
    assert "It was approved before; that no longer counts." in binh.text
    assert posts.get_post(ctx, post.id).state is PostState.IN_REVIEW
    assert "No longer counts: it was given another time" in binh.text


def test_whoever_may_not_sees_the_reason_and_is_refused(giang: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    giang.get(f"/posts/{post.id}")
    assert "You may not write posts. It takes the role coordinator." in giang.text
    giang.send(f"/posts/{post.id}/cancel", giang.filled(to="/logout") | {"reason": ["x"]}, 403)
    assert posts.get_post(ctx, post.id).state is PostState.IN_REVIEW


def test_hostile_words_stay_words(binh: Browser, ctx: Context, crew: Crew) -> None:
    words = "<img src=x onerror=alert(1)> {{ 7 * 7 }}"
    post = a_draft(ctx, crew.coordinator, vi=words, en=words, note=words)
    binh.get(f"/posts/{post.id}")
    assert not binh.page.select("img")
    assert words in binh.text


def test_posts_come_from_a_file_and_bad_rows_are_named(binh: Browser, ctx: Context) -> None:
    binh.get("/posts/import")
    filled = binh.filled(to="/posts/import")
    for _ in "twice":
        binh.upload("/posts/import", filled | {"file": (io.BytesIO(CSV.encode()), "posts.csv")}, 422)
        assert "line 3" in binh.text
    assert len(posts.list_posts(ctx)) == 1
    binh.upload("/posts/import", filled | {"file": (io.BytesIO(CSV.rpartition("nope")[0].encode()), "posts.csv")})
    assert binh.path == "/queue"
    assert "Imported 0 posts as drafts. 1 was here already." in binh.text


def test_posts_are_taken_out_as_a_file(giang: Browser, ctx: Context, crew: Crew) -> None:
    a_draft(ctx, crew.coordinator)
    giang.get("/posts/import")
    assert "You may not write posts." in giang.text
    data = giang.filled(to="/posts/export") | {"state": "draft"}
    answer = giang.client.post("/posts/export", data=data, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert "Xin đọc câu chuyện này." in answer.get_data(as_text=True)


def test_a_post_that_is_held_says_so_and_two_people_free_it(
    browse: Callable[..., Browser], ctx: Context, crew: Crew
) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    queue.hold(ctx, crew.auditor, "post", str(post.id), "chờ gia đình")
    binh, chi = browse("binh"), browse("chi")
    binh.get(f"/posts/{post.id}")
    assert "giang: “chờ gia đình”" in binh.text
    binh.press("Ask to resume")
    binh.get(f"/posts/{post.id}")
    assert "You asked for this, so someone else must confirm it." in binh.text
    chi.get(f"/posts/{post.id}")
    chi.press("Confirm: resume")
    chi.get(f"/posts/{post.id}")
    assert "chờ gia đình" not in chi.text.partition("What happened")[0]
