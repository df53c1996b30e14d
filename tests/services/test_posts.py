"""Posts as people write, check, time, import and look for them."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.audit import Act
from bot.domain.case import Consent, EventKind, PartialDate, Status
from bot.domain.errors import BadInput, CampaignError, Conflict, NotFound, Refused, Rejected
from bot.domain.post import Cite, Content, PostState, Window
from bot.domain.text import fitting
from bot.services import postfiles, posts, queue, review
from bot.services.content import Checked, check_content
from bot.services.context import Context
from bot.services.postfiles import read_grace, read_when
from bot.services.posts import When
from bot.store import posts as kept
from tests.house import Crew, FakeClock, told
from tests.sample_cases import a_case, an_event
from tests.writing import CAMPAIGN, SOON, a_content, a_draft, a_png, in_review, on_file, scheduled, soon

NFD_NAME = unicodedata.normalize("NFD", "Nguyễn Văn A")


def checked(
    ctx: Context, vi: str = "Xin chào.", en: str = "Hello.", *, at: datetime | None = None, **facts: object
) -> Checked:
    content = a_content(vi, en, **facts)
    with ctx.store.read() as tx:
        windows = posts.windows(ctx, tx, content, When(at=at or ctx.now() + SOON))
    return check_content(ctx, replace(content, windows=windows))


def warned(found: Checked) -> str:
    return "\n".join(map(str, found.warnings))


def blocked(found: Checked) -> str:
    return "\n".join(map(str, found.blocks))


# Writing


def test_a_new_post_is_a_draft_in_its_authors_name(ctx: Context, crew: Crew) -> None:
    post = a_draft(ctx, crew.coordinator)
    assert (post.state, post.revision, post.due) == (PostState.DRAFT, 1, ctx.now() + SOON)
    assert posts.get_post(ctx, post.id) == post
    assert [each.author_id for each in posts.post_history(ctx, post.id)] == [crew.coordinator.id]
    assert told(ctx, Act.POST_ADDED)[0].obj == f"post:{post.id}"


def test_decomposed_letters_are_composed_at_the_door(ctx: Context, crew: Crew) -> None:
    post = a_draft(ctx, crew.coordinator, vi=NFD_NAME + " \r\n\r\n")
    assert post.content.texts["vi", ""] == "Nguyễn Văn A"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"campaign": "nowhere"}, "no campaign “nowhere”"),
        ({"channels": ("mastodom",)}, "No account “mastodom”"),
        ({"cases": ("nguyen-van-b",)}, "no case “nguyen-van-b”"),
        ({"vi": " ", "en": ""}, "no text"),
        ({"vi": "Xin\0chào"}, "U\\+0000"),
        ({"vi": "x" * 6_000}, "6000 characters"),
        ({"en": "bad \ud800 half"}, "D800"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(
    ctx: Context, crew: Crew, facts: dict[str, object], said: str
) -> None:
    with pytest.raises(CampaignError, match=said):
        a_draft(ctx, crew.coordinator, **facts)
    assert posts.list_posts(ctx) == ()


def test_only_coordinators_write(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Refused, match="write posts"):
        a_draft(ctx, crew.reviewer)


def test_a_post_without_accounts_goes_to_all_of_its_campaign(ctx: Context, crew: Crew) -> None:
    post = a_draft(ctx, crew.coordinator, channels=())
    assert post.content.channels == ("rehearsal-x", "rehearsal-facebook")


def test_a_post_about_a_case_rests_on_who_it_is_its_status_and_consent(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    listed = (Cite("nguyen-van-a", "event:arrest-2020-10-07", 0), Cite("nguyen-van-z", "status", 1))
    post = a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",), cites=listed)
    facts = {cite.fact: cite.revision for cite in post.content.cites}
    assert facts == {"identity": 1, "status": 1, "consent": 1, "event:arrest-2020-10-07": 1}


def test_two_people_who_edit_the_same_revision_do_not_overwrite_each_other(ctx: Context, crew: Crew) -> None:
    post = a_draft(ctx, crew.coordinator)
    posts.edit_post(ctx, crew.second_reviewer, post.id, a_content(vi="Một."), revision=1)
    with pytest.raises(Conflict, match="while you were writing"):
        posts.edit_post(ctx, crew.coordinator, post.id, a_content(vi="Hai."), revision=1)
    assert [each.content.texts["vi", ""] for each in posts.post_history(ctx, post.id)][-1] == "Một."


def test_an_edit_that_brings_only_texts_keeps_the_time_and_the_facts(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    post = a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",))
    both = ("rehearsal-x", "rehearsal-facebook")
    edited = posts.edit_post(
        ctx, crew.coordinator, post.id, a_content(vi="Khác.", cases=("nguyen-van-a",), channels=both), revision=1
    ).post
    assert edited.content.cites == post.content.cites
    assert {window.due for window in edited.content.windows} == {post.due}
    assert {window.channel for window in edited.content.windows} == set(both)


def test_a_published_or_cancelled_post_cannot_be_edited(ctx: Context, crew: Crew) -> None:
    post = a_draft(ctx, crew.coordinator)
    review.cancel(ctx, crew.coordinator, post.id, "không cần nữa")
    with pytest.raises(Refused, match="cancelled: you cannot edit"):
        posts.edit_post(ctx, crew.coordinator, post.id, a_content(), revision=1)


# Times and slots


def test_the_next_slot_is_each_accounts_next_free_one(ctx: Context, crew: Crew) -> None:
    first = a_draft(ctx, crew.coordinator, when=When(slot="next"))
    second = a_draft(ctx, crew.coordinator, vi="Bài hai", when=When(slot="next"))
    # The sample day is a Saturday, half past ten in the evening; the slots are Tuesday, Thursday, Saturday at 20:00.
    assert first.due == datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert second.due == datetime(2026, 11, 26, 13, tzinfo=UTC)


def test_a_slot_can_be_asked_for_by_name_and_a_campaign_without_one_says_so(ctx: Context, crew: Crew) -> None:
    named = a_draft(ctx, crew.coordinator, campaign="now-campaign", when=When(slot="now-evening"))
    assert named.due == datetime(2026, 11, 22, 13, tzinfo=UTC)
    with pytest.raises(BadInput, match=r"no slot “now-evening” .* There are: next, "):
        a_draft(ctx, crew.coordinator, when=When(slot="now-evening"))


def test_grace_is_the_posts_own_or_the_configured_one(ctx: Context, crew: Crew) -> None:
    own = a_draft(ctx, crew.coordinator, when=replace(soon(ctx), grace=timedelta(hours=2)))
    usual = a_draft(ctx, crew.coordinator)
    lengths = [(window.not_after - window.due) for post in (own, usual) for window in post.content.windows]
    assert lengths == [timedelta(hours=2), timedelta(minutes=20)]


# Checking


def test_a_sound_post_is_rendered_counted_and_not_blocked(ctx: Context) -> None:
    found = checked(ctx)
    assert found.blocks == ()
    assert [part.text for part in found.renditions[0].parts] == ["Xin chào.", "Hello."]
    assert found.figures["rehearsal-x", "en"].count == 6


def test_a_text_that_is_too_long_names_the_account_and_by_how_much(ctx: Context) -> None:
    found = checked(ctx, "ạ" * 150, channels=("rehearsal-x", "rehearsal-facebook"))
    assert [(misfit.channel, misfit.overflow) for misfit in found.misfits] == [("rehearsal-x", 20)]
    assert "rehearsal-x counts the text in vi as 300. The limit is 280: 20 over." in blocked(found)
    assert [rendition.channel for rendition in found.renditions] == ["rehearsal-facebook"]


def test_an_account_may_have_a_shorter_text_of_its_own(ctx: Context) -> None:
    content = a_content("x" * 300, "y" * 300, channels=("rehearsal-x", "rehearsal-facebook"))
    texts = {**content.texts, ("vi", "x"): "ngắn", ("en", "rehearsal-x"): "short"}
    found = check_content(ctx, replace(content, texts=texts))
    assert found.misfits == ()
    assert [part.text for part in found.renditions[0].parts] == ["ngắn", "short"]


def test_one_language_alone_is_blocked(ctx: Context) -> None:
    assert "in en is empty" in blocked(checked(ctx, en="  "))


def test_what_cannot_be_seen_is_blocked_and_odd_letters_are_told(ctx: Context) -> None:
    assert "cannot be seen" in blocked(checked(ctx, "Xin\u200bchào"))
    found = checked(ctx, "Ðài bị bắt")
    assert found.blocks == ()
    assert found.problems[0].kind == "look_alike"


def test_a_difference_between_the_languages_is_told_and_does_not_block(ctx: Context) -> None:
    found = checked(ctx, "Tròn 5 năm.", "6 years ago today.")
    assert {difference.only_in for difference in found.differences} == {"vi", "en"}
    assert found.blocks == ()


def test_a_picture_must_be_described_in_both_languages(ctx: Context, crew: Crew) -> None:
    picture = posts.add_picture(ctx, crew.coordinator, a_png(), alt_vi="Ảnh", alt_en=" ")
    assert "Describe it in both languages" in blocked(checked(ctx, pictures=(picture,)))
    described = replace(picture, alt={"vi": "Ảnh", "en": "Picture"})
    assert checked(ctx, pictures=(described,)).blocks == ()
    assert "not here any more" in blocked(checked(ctx, pictures=(replace(described, digest="f" * 64),)))


def test_consent_refused_or_a_held_campaign_blocks(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(consent=Consent.REFUSED))
    assert "refused" in blocked(checked(ctx, cases=("nguyen-van-a",)))
    queue.hold(ctx, crew.auditor, "campaign", CAMPAIGN, "chờ")
    assert "is held" in blocked(checked(ctx))


def test_people_heard_on_one_day_are_not_said_to_be_tried_together_by_guess(ctx: Context) -> None:
    together = an_event(EventKind.TRIAL, joint="hearing-a", joint_sources=("https://example.org/page",))
    alone = an_event(EventKind.TRIAL)
    cites = tuple(Cite(slug, f"event:{alone.key}", 1) for slug in ("nguyen-van-a", "nguyen-van-b"))
    slugs = ("nguyen-van-a", "nguyen-van-b")
    for event, answered in ((alone, False), (together, True)):
        on_file(ctx, *(a_case(event, slug=slug) for slug in slugs))
        said = blocked(checked(ctx, cases=slugs, cites=cites, kind="joint_trial"))
        assert ("tried together" not in said) == answered


@pytest.mark.parametrize(
    ("other", "differs"), [("2020-10-06", True), ("2020-11", True), ("2019", True), ("2020-10", False), ("2020", False)]
)
def test_whoever_rests_on_a_day_on_which_sources_differ_is_told(ctx: Context, other: str, *, differs: bool) -> None:
    event = an_event(on="2020-10-07", alt_dates=(PartialDate.parse(other),))
    on_file(ctx, a_case(event))
    cites = (Cite("nguyen-van-a", f"event:{event.key}", 1),)
    told = f"Sources differ on a day of Nguyễn Văn A: 2020-10-07, or {other}."
    found = checked(ctx, cases=("nguyen-van-a",), cites=cites)
    assert (told in warned(found)) == differs
    assert blocked(found) == ""
    assert "Sources differ" not in warned(checked(ctx, cases=("nguyen-van-a",)))


def test_a_status_that_is_not_fresh_on_the_day_is_told(ctx: Context) -> None:
    on_file(ctx, a_case(an_event(), as_of="2026-01-01"))
    assert "last confirmed 325 days before" in warned(checked(ctx, cases=("nguyen-van-a",)))


def test_a_fresh_status_or_one_that_is_over_is_not(ctx: Context) -> None:
    on_file(ctx, a_case(an_event()), a_case(slug="nguyen-van-b", status=Status.RELEASED, as_of="2020"))
    assert "confirmed" not in warned(checked(ctx, cases=("nguyen-van-a", "nguyen-van-b")))


def test_a_name_whose_case_is_not_listed_is_told(ctx: Context) -> None:
    on_file(ctx, a_case(an_event()))
    assert "names Nguyễn Văn A" in warned(checked(ctx, "Nguyễn Văn A bị bắt."))
    assert "names" not in warned(checked(ctx, "Nguyễn Văn A bị bắt.", cases=("nguyen-van-a",)))
    assert "names" not in warned(checked(ctx, "Nguyễn Văn An bị bắt."))


@pytest.mark.parametrize(
    ("vi", "said"),
    [
        (NFD_NAME, "decomposed"),
        ("Họ là đối tượng nào?", "“đối tượng”"),
        ("#stopthecrackdownvn", "written “#StopTheCrackdownVN”"),
    ],
)
def test_a_reviewer_is_told_of_words_tags_and_pasted_letters(ctx: Context, vi: str, said: str) -> None:
    assert said in warned(checked(ctx, vi))


def test_quiet_hours_and_crowded_times_are_told(ctx: Context, crew: Crew) -> None:
    late = datetime.fromisoformat("2026-12-20T23:00:00+07:00")
    before_the_hours_were_changed = a_content(windows=(Window("rehearsal-x", late, late + timedelta(hours=1)),))
    assert "quiet at that hour" in warned(check_content(ctx, before_the_hours_were_changed))
    for _ in range(6):
        a_draft(ctx, crew.coordinator, when=When(at=ctx.now() + SOON + timedelta(days=3)))
    assert "The day is full" in warned(checked(ctx, at=ctx.now() + SOON + timedelta(days=3, hours=4)))
    a_draft(ctx, crew.coordinator, vi="Đã có bài khác hẳn vào giờ này")
    assert "near that time" in warned(checked(ctx, at=ctx.now() + SOON + timedelta(minutes=30)))


def test_a_moment_in_quiet_hours_becomes_their_end(ctx: Context, crew: Crew) -> None:
    late = datetime.fromisoformat("2026-12-20T23:00:00+07:00")
    post = a_draft(ctx, crew.coordinator, when=When(at=late))
    assert post.due == datetime.fromisoformat("2026-12-21T06:00:00+07:00")


def test_an_edit_that_changes_nothing_keeps_the_approval(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    edited = posts.edit_post(ctx, crew.coordinator, post.id, post.content, revision=post.revision)
    assert (edited.post, edited.voided) == (post, 0)


LONG_VI = "Hôm nay xin nhắc lại câu chuyện của những người đã lên tiếng ôn hòa và vì thế phải ở tù rất lâu."
LONG_EN = "Today please remember the story of those who spoke peacefully and for that were jailed for very long."


def test_a_twin_is_told_within_a_month_and_a_likeness_within_days(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer, vi=LONG_VI, en=LONG_EN)
    week = ctx.now() + SOON + timedelta(days=7)
    assert f"nearly the same as post {post.id}" in warned(checked(ctx, LONG_VI, LONG_EN, at=week))
    like = LONG_VI.replace("rất lâu", "nhiều năm nay mà chưa được về nhà")
    tomorrow = ctx.now() + SOON + timedelta(days=1)
    assert f"much like post {post.id}" in warned(checked(ctx, like, "Other words.", at=tomorrow))
    assert "like post" not in warned(checked(ctx, like, "Other words.", at=week))
    assert "like post" not in warned(check_content(ctx, post.content, post_id=post.id))


# Looking for posts


def test_posts_are_listed_by_time_and_page_on_from_the_last_seen(ctx: Context, crew: Crew) -> None:
    late, timeless, early = (
        a_draft(ctx, crew.coordinator, when=when).id for when in (When(at=ctx.now() + 2 * SOON), When(), soon(ctx))
    )
    assert [post.id for post in posts.list_posts(ctx)] == [early, late, timeless]
    seen: list[int] = []
    after = None
    while page := posts.list_posts(ctx, limit=1, after=after):
        seen.append(page[0].id)
        after = (page[0].due, page[0].id)
    assert seen == [early, late, timeless]


def test_posts_are_found_by_state_account_and_day(ctx: Context, crew: Crew) -> None:
    draft = a_draft(ctx, crew.coordinator, channels=("rehearsal-facebook",), vi='Tên "rehearsal-x" trong bài')
    waiting = in_review(ctx, crew.coordinator, when=When(at=ctx.now() + 3 * SOON))
    assert [post.id for post in posts.list_posts(ctx, states=[PostState.IN_REVIEW])] == [waiting.id]
    assert [post.id for post in posts.list_posts(ctx, channel="rehearsal-x")] == [waiting.id]
    assert [post.id for post in posts.list_posts(ctx, end=ctx.now() + 2 * SOON)] == [draft.id]
    assert posts.count_posts(ctx) == {"draft": 1, "in_review": 1}


def test_a_post_that_is_not_there_says_how_to_find_others(ctx: Context) -> None:
    with pytest.raises(NotFound, match="There is no post 7") as error:
        posts.get_post(ctx, 7)
    assert error.value.fields["command"] == "post list"


# Many at once


SHEET = (
    "campaign,vi,en,at,case,channels\r\n"
    f"{CAMPAIGN},Một,One,2026-12-10 09:00,,\r\n"
    f'{CAMPAIGN},"Hai,\nba",Two,,nguyen-van-a,rehearsal-x\r\n'
    f"{CAMPAIGN},Bốn,,2026-12-11 09:00,,\r\n"
    f"{CAMPAIGN},Năm,Five,10/12/2026,,\r\n"
    f"nowhere,Sáu,Six,,,\r\n"
    f"{CAMPAIGN},'=SUM(A1),'@home,,,\r\n"
)


def test_of_a_spreadsheet_the_good_rows_are_kept_and_each_bad_one_named_by_line(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    found = postfiles.import_posts(ctx, crew.coordinator, SHEET.encode("utf-8-sig"), "bài.csv")
    assert [post.content.texts["vi", ""] for post in found.added] == ["Một", "Hai,\nba", "=SUM(A1)"]
    assert {post.state for post in found.added} == {PostState.DRAFT}
    assert found.added[0].due == datetime(2026, 12, 10, 2, tzinfo=UTC)
    assert found.added[1].content.cases == ("nguyen-van-a",)
    assert [str(finding) for finding in found.findings] == [
        "bài.csv: line 5: The text in en is empty. Both languages are one post.",
        "bài.csv: line 6: “10/12/2026” is not a time. Write it like 2026-12-10 09:00.",
        "bài.csv: line 7: There is no campaign “nowhere”. There are: stop-the-crackdown-vn, now-campaign.",
    ]
    assert [entry.obj for entry in told(ctx, Act.POST_IMPORTED)] == [f"post:{post.id}" for post in found.added]


def test_importing_twice_is_importing_once(ctx: Context, crew: Crew) -> None:
    raw = f"campaign,vi,en\n{CAMPAIGN},Một,One\n".encode()
    postfiles.import_posts(ctx, crew.coordinator, raw, "a.csv")
    again = postfiles.import_posts(ctx, crew.second_reviewer, raw.replace(b"\n", b"\r\n"), "b.csv")
    assert (again.added, again.known, again.findings) == ((), 1, ())
    assert len(posts.list_posts(ctx)) == 1


def test_a_spreadsheet_in_an_old_code_page_is_refused_with_what_to_do(ctx: Context, crew: Crew) -> None:
    raw = "campaign,vi,en\nx,Đài,One\n".encode("cp1258", "replace")
    with pytest.raises(Rejected, match="UTF-8"):
        postfiles.import_posts(ctx, crew.coordinator, raw, "cũ.csv")
    with pytest.raises(Rejected, match="UTF-16"):
        postfiles.import_posts(ctx, crew.coordinator, SHEET.encode("utf-16"), "cũ.csv")


def test_unknown_columns_are_refused_and_texts_of_one_account_are_read(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Rejected, match="campain"):
        postfiles.import_posts(ctx, crew.coordinator, b"campain,vi,en\n", "a.csv")
    raw = f"campaign,vi,en,vi:x,en:rehearsal-facebook\n{CAMPAIGN},Dài,Long,Ngắn,Longer\n".encode()
    (post,) = postfiles.import_posts(ctx, crew.coordinator, raw, "a.csv").added
    assert post.content.texts["vi", "x"] == "Ngắn"
    assert post.content.texts["en", "rehearsal-facebook"] == "Longer"


def test_toml_says_the_same_and_bad_tables_are_named(ctx: Context, crew: Crew) -> None:
    raw = f"""
        [[post]]
        campaign = "{CAMPAIGN}"
        vi = "Một"
        en = "One"
        at = 2026-12-10 09:00:00
        channels = ["rehearsal-x", "rehearsal-facebook"]
        grace = "2h"
        [[post]]
        campaign = "{CAMPAIGN}"
        chanels = "x"
    """
    found = postfiles.import_posts(ctx, crew.coordinator, raw.encode(), "bài.toml")
    assert found.added[0].due == datetime(2026, 12, 10, 2, tzinfo=UTC)
    assert found.added[0].content.channels == ("rehearsal-x", "rehearsal-facebook")
    assert str(found.findings[0]) == "bài.toml: post 2: chanels: unknown key. Did you mean “channels”?"
    with pytest.raises(Rejected, match="something else"):
        postfiles.import_posts(ctx, crew.coordinator, b"posts = 1", "bài.toml")


def test_a_row_brings_a_picture_that_lies_beside_its_file_and_no_other(
    ctx: Context, crew: Crew, tmp_path: Path
) -> None:
    (tmp_path / "card.png").write_bytes(a_png())
    (tmp_path / "card.svg").write_text("<svg/>")
    head = "campaign,vi,en,media,alt_vi,alt_en\n"
    rows = [f"{CAMPAIGN},Bài {n},Post {n},{name},Ảnh,Picture\n" for n, name in enumerate(
        ("card.png", "../card.png", "gone.png", "card.svg")
    )]  # fmt: skip
    raw = (head + "".join(rows)).encode()
    found = postfiles.import_posts(ctx, crew.coordinator, raw, "a.csv", folder=tmp_path)
    (post,) = found.added
    assert post.content.pictures[0].alt == {"vi": "Ảnh", "en": "Picture"}
    said = "\n".join(map(str, found.findings))
    assert "line 3: “../card.png” is no bare file name" in said
    assert "line 4: The picture “gone.png” cannot be read" in said
    assert "line 5: This is not a PNG" in said
    without = postfiles.import_posts(ctx, crew.coordinator, raw, "b.csv")
    assert "lies beside it" in str(without.findings[0])


def test_rows_with_the_next_slot_take_one_after_the_other(ctx: Context, crew: Crew) -> None:
    raw = f"campaign,vi,en,slot\n{CAMPAIGN},Một,One,next\n{CAMPAIGN},Hai,Two,next\n".encode()
    first, second = postfiles.import_posts(ctx, crew.coordinator, raw, "a.csv").added
    assert first.due is not None
    assert second.due is not None
    assert first.due < second.due


@pytest.mark.parametrize("text", ["", "soon", "10/12/2026 09:00", "2026-12-10", "2026-02-30 09:00"])
def test_a_time_that_could_be_read_in_two_ways_is_not_read(text: str) -> None:
    with pytest.raises(BadInput, match="2026-12-10 09:00"):
        read_when(text)


def test_a_time_is_local_to_viet_nam_unless_it_names_its_offset() -> None:
    assert read_when("2026-12-10 09:00") == datetime(2026, 12, 10, 2, tzinfo=UTC)
    assert read_when("2026-12-10T09:00+02:00") == datetime(2026, 12, 10, 7, tzinfo=UTC)


def test_grace_is_minutes_or_hours_up_to_two_days() -> None:
    assert [read_grace(text) for text in ("20", "20m", "48h")] == [
        timedelta(minutes=20), timedelta(minutes=20), timedelta(days=2)
    ]  # fmt: skip
    for text in ("0", "49h", "-5m", "1d"):
        with pytest.raises(BadInput, match="20m or 2h"):
            read_grace(text)


def test_the_starting_posts_come_once_as_drafts_of_nobody(ctx: Context) -> None:
    on_file(ctx, *(a_case(slug=slug) for slug in {slug for post in ctx.schedules.posts for slug in post.cases}))
    added = postfiles.import_starting_posts(ctx)
    assert len(added) == 10
    assert postfiles.import_starting_posts(ctx) == ()
    assert {post.state for post in added} == {PostState.DRAFT}
    assert {each.author_id for post in added for each in posts.post_history(ctx, post.id)} == {None}


def test_every_starting_post_fits_every_account_and_agrees_in_both_languages(ctx: Context) -> None:
    on_file(ctx, *(a_case(slug=slug) for slug in {slug for post in ctx.schedules.posts for slug in post.cases}))
    for post in postfiles.import_starting_posts(ctx):
        found = check_content(ctx, post.content, post_id=post.id)
        assert found.misfits == ()
        assert [str(block) for block in found.blocks] == ["It has no time. Give it one, or the next free slot."]
        assert found.differences == ()


def test_an_export_opens_in_a_spreadsheet_and_is_on_record(ctx: Context, crew: Crew) -> None:
    a_draft(ctx, crew.coordinator, vi="=HYPERLINK(1)")
    text = postfiles.export_posts(ctx, crew.coordinator)
    assert text.startswith("\ufeffid,state,campaign,vi,en,at,")
    assert "'=HYPERLINK(1)" in text
    assert "2026-11-22 12:30" in text
    assert told(ctx, Act.POST_EXPORTED)[0].data == {"posts": 1}
    with pytest.raises(Refused):
        postfiles.export_posts(ctx, crew.reviewer)


def test_the_record_of_a_post_holds_no_word_of_it(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    on_file(ctx, a_case(an_event()))
    post = scheduled(ctx, crew.coordinator, crew.reviewer, cases=("nguyen-van-a",), vi="Nguyễn Văn A bị bắt.")
    posts.schedule(ctx, crew.coordinator, post.id, When(at=ctx.now() + 2 * SOON))
    review.return_post(ctx, crew.reviewer, post.id, "Nguyễn Văn A không muốn")
    told_of_it = [entry for act in Act for entry in told(ctx, act, f"post:{post.id}")]
    assert len(told_of_it) == 8
    assert not any("guy" in entry.raw.decode() for entry in told_of_it)


def test_a_broken_row_leaves_nothing_of_itself(ctx: Context, crew: Crew) -> None:
    content = Content(CAMPAIGN, {("vi", ""): "x", ("en", ""): "y"}, ("rehearsal-x",), cases=("gone",))
    with pytest.raises(NotFound), ctx.store.write() as tx:
        kept.add(tx, [kept.NewPost(content)], None, ctx.now())
    assert posts.list_posts(ctx) == ()


@pytest.mark.parametrize(("language", "said"), [("vi", "The Vietnamese changed"), ("en", "The English changed")])
def test_a_text_changed_after_the_other_is_said(ctx: Context, crew: Crew, language: str, said: str) -> None:
    post = a_draft(ctx, crew.coordinator)
    texts = {**post.content.texts, (language, ""): "Một chữ khác."}
    edited = posts.edit_post(ctx, crew.coordinator, post.id, replace(post.content, texts=texts), revision=1).post
    assert said in warned(check_content(ctx, edited.content, post_id=post.id))
    both = {(each, ""): f"Cả hai {each}." for each in ("vi", "en")}
    edited = posts.edit_post(ctx, crew.coordinator, post.id, replace(edited.content, texts=both), revision=2).post
    assert "changed after" not in warned(check_content(ctx, edited.content, post_id=post.id))


def test_how_much_of_a_text_fits_is_told_to_the_letter(ctx: Context) -> None:
    rules = ctx.channel("rehearsal-x").profile.rules
    assert [fitting(text, rules) for text in ("", "abc", "a" * 300, "ệ" * 200)] == [0, 3, 280, 140]
