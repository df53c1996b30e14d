"""Reading a post to the end, and saying yes to exactly that: who may, what must be ticked, what voids it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import Act
from bot.domain.case import Case, Consent, EventKind, Status
from bot.domain.people import Role
from bot.domain.post import Post, PostState
from bot.services import cases, people, plan, posts, queue, review
from bot.services.context import Context
from bot.services.erase import erase
from bot.services.posts import When
from tests.house import Crew, FakeClock, find_person, payload, told
from tests.sample_cases import SOURCE, a_case, an_event
from tests.web.conftest import PASSPHRASE, Browser
from tests.writing import a_draft, changed, in_review, on_file, scheduled

APPROVE = "Approve exactly this text"


def read(browser: Browser, post: Post) -> list[str]:
    """The page of the post, and the value of every box on it."""
    browser.get(f"/review/{post.id}")
    return boxes(browser)


def boxes(browser: Browser) -> list[str]:
    return [str(each["value"]) for each in browser.page.select("input[name=seen]")]


def state(ctx: Context, post: Post) -> PostState:
    return posts.get_post(ctx, post.id).state


def edited(ctx: Context, crew: Crew, post: Post, vi: str, en: str = "Please read this story.") -> Post:
    content = replace(post.content, texts={("vi", ""): vi, ("en", ""): en})
    return posts.edit_post(ctx, crew.coordinator, post.id, content, revision=post.revision).post


def an_imprisoned(**known: object) -> Case:
    return a_case(an_event(), **known)  # type: ignore[arg-type]


# The list


def test_what_waits_for_you_comes_first_and_the_rest_says_why_it_does_not(
    dung: Browser, ctx: Context, crew: Crew
) -> None:
    in_review(ctx, crew.coordinator, en="The coordinator wrote this.")
    in_review(ctx, crew.second_reviewer, en="The reviewer wrote this.")
    dung.get("/review")
    yours, others = (dung.page.select(f"[aria-labelledby={name}]")[0].get_text(" ") for name in ("yours", "others"))
    assert "The coordinator wrote this." in yours
    assert "The reviewer wrote this." in others
    assert "You wrote this, so someone else must approve it." in others


def test_it_is_ordered_by_time_and_what_is_due_within_two_days_is_marked(
    chi: Browser, ctx: Context, crew: Crew
) -> None:
    for days, words in ((4, "The later one."), (1, "The sooner one.")):
        in_review(ctx, crew.coordinator, en=words, vi=words, when=When(at=ctx.now() + timedelta(days=days, hours=-4)))
    chi.get("/review")
    rows = [each.get_text(" ", strip=True) for each in chi.page.select(".rows > li")]
    assert ["The sooner one." in rows[0], "The later one." in rows[1]] == [True, True]
    assert ["Due within 48 hours" in each for each in rows] == [True, False]


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Nothing waits for you."), ("vi", "Không có việc nào chờ bạn.")]
)
def test_where_nothing_waits_it_says_so(language: str, words: str, browse: Callable[..., Browser]) -> None:
    chi = browse("chi", language)
    chi.get("/review")
    assert words in chi.text


def test_who_may_not_approve_is_told_so(giang: Browser, ctx: Context, crew: Crew) -> None:
    in_review(ctx, crew.coordinator)
    giang.get("/review")
    assert "You may not approve posts. It takes the role reviewer." in giang.text


@pytest.mark.parametrize("query", ["?after=0", "?after=x", "?after=99999999999999999999", "?after=%F0%9F%92%A9"])
def test_a_hostile_query_is_not_there_or_ignored(query: str, chi: Browser) -> None:
    assert chi.client.get(f"/review{query}").status_code in {200, 404}
    assert chi.client.get(f"/review/week?from={query[7:]}").status_code == 200


# Approving


def test_a_yes_takes_a_tick_for_each_fact_and_each_warning(chi: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, an_imprisoned(as_of="2025-01-01"))
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    ticks = read(chi, post)
    assert {"nguyen-van-a/identity/1", "nguyen-van-a/status/1", "nguyen-van-a/consent/1", "both"} < set(ticks)
    assert "was last confirmed" in chi.text
    for left in ([], ticks[:-1], ticks[1:]):
        chi.press(APPROVE, {"seen": left}, status=422)
        assert "Tick each fact and each warning" in chi.text
        assert [each["value"] for each in chi.page.select("input[name=seen][checked]")] == left
    assert state(ctx, post) is PostState.IN_REVIEW
    chi.press(APPROVE, {"seen": ticks})
    assert "Approved. It goes out 22 November 2026, 12:30 (Hà Nội, UTC+7)." in chi.text
    assert state(ctx, post) is PostState.SCHEDULED
    assert told(ctx, Act.POST_APPROVED)[0].data["digest"] == post.digest


def test_each_fact_stands_with_its_value_and_its_sources(chi: Browser, ctx: Context, crew: Crew) -> None:
    letter = "Letter of the family, 3 November 2021, <b>"
    trial = an_event(EventKind.TRIAL, "2021-03-05", court="Court of Sample", sources=(SOURCE, letter))
    on_file(ctx, a_case(trial))
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    content = replace(
        post.content, cites=(*post.content.cites, replace(post.content.cites[0], fact=f"event:{trial.key}"))
    )
    posts.edit_post(ctx, crew.coordinator, post.id, content, revision=1)
    read(chi, post)
    facts = chi.page.select(".facts")[0]
    assert "Trial: 5 March 2021" in facts.get_text(" ")
    assert "Court of Sample" in facts.get_text(" ")
    assert "Consent: not known. Published facts only, and no portrait." in facts.get_text(" ")
    assert {str(each["href"]) for each in facts.select("a[rel]")} == {SOURCE}
    assert f"“{letter}”" in facts.get_text(" ")


def test_who_stated_a_fact_is_named_by_alias_alone(chi: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, an_imprisoned())
    case = cases.get_case(ctx, "nguyen-van-a")
    cases.change_case(ctx, crew.coordinator, case.slug, replace(case, consent=Consent.GIVEN), SOURCE)
    post = in_review(ctx, crew.second_reviewer, cases=("nguyen-van-a",))
    read(chi, post)
    facts = chi.page.select(".facts")[0].get_text(" ")
    assert "Stated by binh" in facts
    assert crew.coordinator.pseudonym not in facts


def test_the_author_is_refused_with_the_reason_and_so_is_the_server(dung: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.second_reviewer)
    ticks = read(dung, post)
    assert "You wrote this, so someone else must approve it." in dung.text
    assert "Not dung: who wrote it, or a fact it rests on, cannot approve it." in dung.text
    assert dung.page.select("button[disabled]")[0].get_text(strip=True) == APPROVE
    hidden = {
        str(each["name"]): [str(each["value"])]
        for each in dung.page.select(f"form[action='/review/{post.id}/approve'] input[type=hidden]")
    }
    dung.send(f"/review/{post.id}/approve", hidden | {"seen": ticks}, status=422)
    assert "You wrote this, so someone else must approve it." in dung.page.select("#errors")[0].get_text(" ")
    assert state(ctx, post) is PostState.IN_REVIEW


def test_in_vietnamese_too(browse: Callable[..., Browser], ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.second_reviewer)
    dung = browse("dung", "vi")
    read(dung, post)
    assert "Bạn là người viết, nên cần người khác duyệt." in dung.text
    assert "Duyệt đúng nội dung này" in dung.text
    assert "Chỉ cần đổi một chữ, lần duyệt này hết hiệu lực." in dung.text


@pytest.mark.parametrize("alias", ["an", "binh", "giang"])
def test_who_is_no_reviewer_reads_it_and_is_told_what_it_takes(
    alias: str, browse: Callable[..., Browser], ctx: Context, crew: Crew
) -> None:
    browser = browse(alias)
    read(browser, in_review(ctx, crew.coordinator))
    assert "You may not approve posts. It takes the role reviewer." in browser.text


def test_what_the_author_of_an_account_wrote_its_holder_does_not_approve(
    chi: Browser, ctx: Context, crew: Crew
) -> None:
    people.set_roles(ctx, crew.admin, "an", {Role.ADMIN, Role.COORDINATOR})
    read(chi, in_review(ctx, find_person(ctx, "an")))
    assert "The author of this made your account, so someone else must approve it." in chi.text


def test_a_yes_takes_the_passphrase_once_more_after_a_while_and_keeps_the_ticks(
    chi: Browser, ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = in_review(ctx, crew.coordinator)
    ticks = read(chi, post)
    clock.advance(minutes=6)
    chi.press(APPROVE, {"seen": ticks}, status=401)
    assert state(ctx, post) is PostState.IN_REVIEW
    chi.press("Go on", {"passphrase_again": PASSPHRASE})
    assert state(ctx, post) is PostState.SCHEDULED


def test_an_outdated_fingerprint_shows_what_changed_since_and_no_tick_stays(
    chi: Browser, ctx: Context, crew: Crew
) -> None:
    post = in_review(ctx, crew.coordinator)
    ticks = read(chi, post)
    now = edited(ctx, crew, post, "Xin đọc kỹ câu chuyện này.")
    chi.press(APPROVE, {"seen": ticks}, status=422)
    assert "Someone edited this while you were reading. This is what changed." in chi.text
    assert "What changed since you read it" in chi.text
    assert [each.get_text() for each in chi.page.select(".diff ins")] == ["[added:  kỹ]"]
    assert chi.page.select("input[name=seen][checked]") == []
    chi.press(APPROVE, {"seen": [*ticks, *boxes(chi)]})
    assert told(ctx, Act.POST_APPROVED)[0].data["digest"] == now.digest


def test_of_two_reviewers_at_once_one_yes_counts_and_the_other_is_told(
    chi: Browser, dung: Browser, ctx: Context, crew: Crew
) -> None:
    post = in_review(ctx, crew.coordinator)
    for browser in (chi, dung):
        read(browser, post)
    chi.press(APPROVE, {"seen": boxes(chi)})
    dung.press(APPROVE, {"seen": boxes(dung)}, status=422)
    assert "is not waiting for approval: it is scheduled" in dung.text
    assert len(told(ctx, Act.POST_APPROVED)) == 1


def test_a_yes_and_a_return_at_once_leave_it_returned(chi: Browser, dung: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    for browser in (chi, dung):
        read(browser, post)
    dung.press("Request changes", {"reason": "The date is wrong."})
    chi.press(APPROVE, {"seen": boxes(chi)}, status=422)
    assert state(ctx, post) is PostState.RETURNED


def test_a_death_is_shown_as_one_of_two(chi: Browser, dung: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, an_imprisoned(status=Status.DIED))
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    chi.press(APPROVE, {"seen": read(chi, post)})
    assert "Your approval counts. One more person must approve it." in chi.text
    ticks = read(dung, post)
    assert "Approved, 1 of 2" in dung.text
    assert "Two people must approve it" in dung.text
    read(chi, post)
    assert "You approved this already. Someone else must approve it too." in chi.text
    read(dung, post)
    dung.press(APPROVE, {"seen": ticks})
    assert state(ctx, post) is PostState.SCHEDULED


def test_what_is_held_meanwhile_cannot_be_approved(chi: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, an_imprisoned())
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    read(chi, post)
    queue.hold(ctx, crew.coordinator, "case", "nguyen-van-a", "The family asks us to wait.")
    chi.press(APPROVE, {"seen": boxes(chi)}, status=422)
    assert "The case of Nguyễn Văn A is held." in chi.text
    assert state(ctx, post) is PostState.IN_REVIEW


# What changed


def test_the_diff_is_against_the_last_approved_text_in_both_languages(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer, vi="Bị giam hai năm.", en="Held for two years.")
    edited(ctx, crew, post, "Bị giam gần hai năm.", "Held for almost two years.")
    read(chi, post)
    assert [each.get_text(" ", strip=True) for each in chi.page.select(".steps b")] == [
        "✓ Written", "Approved, no longer counts", "✓ Edited", "Approve again",
    ]  # fmt: skip
    marked = {str(each["lang"]): each.select("ins")[0].get_text() for each in chi.page.select(".diff")}
    assert marked == {"vi": "[added:  gần]", "en": "[added:  almost]"}, "said to who cannot see it"
    assert "It was edited." in chi.text


def test_a_new_time_and_another_account_are_said_too(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    posts.schedule(ctx, crew.coordinator, post.id, When(at=ctx.now() + timedelta(hours=17)))
    again = posts.get_post(ctx, post.id)
    content = replace(again.content, channels=("rehearsal-x", "rehearsal-facebook"))
    posts.edit_post(ctx, crew.coordinator, post.id, content, revision=again.revision)
    read(chi, post)
    assert "Not a letter of the texts." in chi.text
    assert "22 November 2026, 12:30 (Hà Nội, UTC+7) became 22 November 2026, 15:30 (Hà Nội, UTC+7)" in chi.text
    assert "rehearsal-facebook: added" in chi.text


def test_the_page_shows_the_frozen_bytes_of_each_account(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(
        ctx, crew.coordinator, channels=("rehearsal-x", "rehearsal-facebook"), vi="Dòng một.\nDòng hai <b>."
    )
    read(chi, post)
    shown = [[part.get_text() for part in each.select(".part")] for each in chi.page.select(".preview")]
    assert shown == [
        ["Dòng một.\nDòng hai <b>.", "Please read this story."],
        ["Dòng một.\nDòng hai <b>.\n\nPlease read this story."],
    ]


# Sending back, and talking


@pytest.mark.parametrize(
    ("button", "after"), [("Request changes", PostState.RETURNED), ("Reject for good", PostState.CANCELLED)]
)
def test_sending_back_and_rejecting_take_a_reason(
    button: str, after: PostState, chi: Browser, ctx: Context, crew: Crew
) -> None:
    post = in_review(ctx, crew.coordinator)
    read(chi, post)
    chi.press(button, {"reason": " "}, status=422)
    assert [each["href"] for each in chi.page.select("#errors a")] == ["#f-reason"]
    assert state(ctx, post) is PostState.IN_REVIEW
    chi.press(button, {"reason": "The statement says almost two years."})
    assert state(ctx, post) is after


def test_the_reason_stands_on_the_page_when_it_comes_back(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    review.return_post(ctx, crew.second_reviewer, post.id, "Match the source.")
    review.submit(ctx, crew.coordinator, post.id)
    read(chi, post)
    assert "Match the source. dung, asking for changes" in chi.text


def test_a_comment_is_seen_by_all_and_lies_sealed(binh: Browser, giang: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    read(binh, post)
    binh.press("Comment", {"comment": "Ai kiểm lại ngày?\n<script>x</script>"})
    read(giang, post)
    assert giang.page.select("#comments blockquote p")[0].get_text() == "Ai kiểm lại ngày?\n<script>x</script>"
    assert "You may not comment on posts." in giang.text
    (entry,) = told(ctx, Act.POST_COMMENTED)
    assert entry.data == {}
    assert payload(ctx, entry) == {"text": "Ai kiểm lại ngày?\n<script>x</script>"}


@pytest.mark.parametrize("words", ["", "x" * 2_001])
def test_an_empty_or_endless_comment_is_refused(words: str, chi: Browser, ctx: Context, crew: Crew) -> None:
    read(chi, in_review(ctx, crew.coordinator))
    chi.press("Comment", {"comment": words}, status=422)
    assert told(ctx, Act.POST_COMMENTED) == []


def test_erasing_a_person_erases_their_comments(chi: Browser, binh: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    read(chi, post)
    chi.press("Comment", {"comment": "Only between us."})
    erase(ctx, crew.admin, "chi", "They asked.")
    read(binh, post)
    assert "Only between us." not in binh.text


# A week of anniversaries


@pytest.fixture
def days(ctx: Context) -> tuple[Post, ...]:
    """Two anniversaries of the coming week, drafted by the program."""
    on_file(
        ctx,
        a_case(an_event(on="2020-11-24")),
        a_case(an_event(on="2019-11-26"), slug="tran-thi-b", name_vi="Trần Thị B", name_en="Tran Thi B"),
    )
    return plan.plan(ctx, until=ctx.today() + timedelta(days=7)).drafted


def test_a_week_is_approved_one_by_one_on_one_page(chi: Browser, ctx: Context, days: tuple[Post, ...]) -> None:
    chi.get("/review/week")
    assert len(chi.page.select("form button.primary-btn")) == len(days) == 2
    first, other = days
    form = f"form[action='/review/{first.id}/approve']"
    ticks = [str(each["value"]) for each in chi.page.select(f"{form} input[name=seen]")]
    chi.post({"seen": ticks}, to=f"/review/{first.id}/approve")
    assert "Approved. It goes out" in chi.text
    assert chi.path == "/review/week"
    assert (state(ctx, first), state(ctx, other)) == (PostState.SCHEDULED, PostState.IN_REVIEW)
    assert chi.page.select(form) == []


def test_the_ticks_of_one_are_not_those_of_another(chi: Browser, ctx: Context, days: tuple[Post, ...]) -> None:
    chi.get("/review/week")
    ticks = [
        str(each["value"]) for each in chi.page.select(f"form[action='/review/{days[0].id}/approve'] input[name=seen]")
    ]
    chi.post({"seen": ticks}, to=f"/review/{days[1].id}/approve", status=422)
    assert state(ctx, days[1]) is PostState.IN_REVIEW


def test_with_htmx_what_is_decided_collapses(chi: Browser, ctx: Context, days: tuple[Post, ...]) -> None:
    chi.get("/review/week")
    form = chi.page.select(f"form[action='/review/{days[0].id}/approve']")[0]
    sent = {str(each["name"]): [str(each["value"])] for each in form.select("input[type=hidden]")}
    asked = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
    refused = chi.client.post(str(form["action"]), data=sent, headers=asked)
    assert refused.status_code == 422
    assert refused.get_data(as_text=True).lstrip().startswith(f'<section class="panel stack" id="post-{days[0].id}"')
    sent["seen"] = [str(each["value"]) for each in form.select("input[name=seen]")]
    done = chi.client.post(str(form["action"]), data=sent, headers=asked, follow_redirects=True)
    assert done.status_code == 200
    assert "Approved. It goes out" in done.get_data(as_text=True)
    assert "<form" not in done.get_data(as_text=True)


def test_a_changed_fact_takes_the_page_out_of_the_reviewers_hands(
    chi: Browser, ctx: Context, crew: Crew, days: tuple[Post, ...]
) -> None:
    ticks = read(chi, days[0])
    changed(ctx, crew.coordinator, "nguyen-van-a", consent=Consent.REFUSED)
    chi.press(APPROVE, {"seen": ticks}, status=422)
    assert state(ctx, days[0]) is PostState.CANCELLED


# Same hearing?


@pytest.fixture
def proposal(ctx: Context) -> Post:
    """Two people whose trials share a day and a court."""
    trial = an_event(EventKind.TRIAL, "2021-11-25", court="Court of Sample")
    on_file(ctx, a_case(trial), a_case(trial, slug="tran-thi-b", name_vi="Trần Thị B", name_en="Tran Thi B"))
    (post,) = plan.plan(ctx, until=ctx.today() + timedelta(days=7)).drafted
    assert post.state is PostState.DRAFT
    return post


def test_the_question_stands_on_today_and_on_the_draft(binh: Browser, proposal: Post) -> None:
    for path in ("/", f"/posts/{proposal.id}", f"/review/{proposal.id}"):
        binh.get(path)
        assert binh.page.select(f"a[href='/hearings/{proposal.id}']"), path


def test_yes_takes_a_source_and_makes_one_hearing(binh: Browser, ctx: Context, proposal: Post) -> None:
    binh.get(f"/hearings/{proposal.id}")
    everyone = [str(each["value"]) for each in binh.page.select("input[name=people]")]
    assert len(everyone) == 2
    binh.press("They were tried together", {"people": everyone, "source": ""}, status=422)
    assert "No source, no fact" in binh.text
    binh.press("They were tried together", {"people": everyone, "source": SOURCE, "defendants": "5"})
    events = [case.events[0] for case in cases.all_cases(ctx)]
    assert {event.joint_defendants for event in events} == {5}
    assert len({event.joint for event in events} - {""}) == 1
    assert state(ctx, proposal) is PostState.CANCELLED
    binh.get(f"/hearings/{proposal.id}", status=404)


def test_no_splits_it(binh: Browser, ctx: Context, proposal: Post) -> None:
    binh.get(f"/hearings/{proposal.id}")
    binh.press("They were tried apart")
    assert all(case.events[0].heard_alone for case in cases.all_cases(ctx))
    assert state(ctx, proposal) is PostState.CANCELLED
    binh.get("/")
    assert not binh.page.select("a[href^='/hearings/']")


def test_a_reviewer_reads_the_question_and_is_told_who_answers(chi: Browser, proposal: Post) -> None:
    chi.get(f"/hearings/{proposal.id}")
    assert "You may not edit cases. It takes the role coordinator." in chi.text


@pytest.mark.parametrize("number", ["many", "-1", "9" * 30, "１２"])
def test_a_number_of_defendants_is_a_number(number: str, binh: Browser, proposal: Post) -> None:
    binh.get(f"/hearings/{proposal.id}")
    people_ = [str(each["value"]) for each in binh.page.select("input[name=people]")]
    binh.press("They were tried together", {"people": people_, "source": SOURCE, "defendants": number}, status=422)


def test_there_is_no_question_about_other_posts(binh: Browser, ctx: Context, crew: Crew) -> None:
    binh.get(f"/hearings/{a_draft(ctx, crew.coordinator).id}", status=404)
    binh.get("/hearings/99", status=404)
