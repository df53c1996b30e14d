"""What a channel gets is fixed before review: layouts, parts, and the digest of it all."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.post import (
    Cite,
    Content,
    Layout,
    Misfit,
    Picture,
    Profile,
    Rendition,
    Window,
    canonical,
    content_from_plain,
    content_to_plain,
    manifest,
    missing_languages,
    part_from_plain,
    part_to_plain,
    render,
    sha256,
)
from bot.domain.text import RULES

DUE = datetime(2026, 12, 10, 2, 0, 0, 123456, tzinfo=UTC)
VI = "Hôm nay tròn 5 năm ngày Nguyễn Văn A bị bắt."
EN = "5 years ago today, Nguyen Van A was arrested."
PICTURE = Picture("d" * 64, "image/png", 1200, 675, {"vi": "Ảnh chia sẻ", "en": "Share card"})


def content(**changes: object) -> Content:
    made = Content(
        campaign="thu",
        texts={("vi", ""): VI, ("en", ""): EN},
        channels=("x-thu",),
        windows=(Window("x-thu", DUE, DUE + timedelta(minutes=20)),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def profile(like: str = "x", layout: Layout = Layout.THREAD, **changes: object) -> Profile:
    made = Profile(f"{like}-thu", "rehearsal", like, RULES[like], layout, ("vi", "en"), "Asia/Ho_Chi_Minh")
    return replace(made, **changes)  # type: ignore[arg-type]


def rendered(made: Content, where: Profile) -> Rendition:
    rendition = render(made, where)
    assert isinstance(rendition, Rendition), rendition
    return rendition


def test_in_a_thread_the_second_language_answers_the_first() -> None:
    parts = rendered(content(), profile()).parts
    assert [(part.text, part.languages, part.reply_to) for part in parts] == [(VI, ("vi",), None), (EN, ("en",), 0)]


def test_separate_languages_answer_nobody() -> None:
    parts = rendered(content(), profile(layout=Layout.SEPARATE)).parts
    assert [part.reply_to for part in parts] == [None, None]


def test_joined_languages_are_one_part_in_both() -> None:
    (part,) = rendered(content(), profile("facebook", Layout.JOINED)).parts
    assert part.text == f"{VI}\n\n{EN}"
    assert part.languages == ("vi", "en")


def test_joined_languages_that_do_not_fit_become_a_thread() -> None:
    long = content(texts={("vi", ""): "Một câu. " * 40, ("en", ""): "A sentence. " * 40})
    parts = rendered(long, profile("mastodon", Layout.JOINED)).parts
    assert len(parts) >= 2
    assert [part.reply_to for part in parts] == [None, *range(len(parts) - 1)]


def test_a_sentence_that_cannot_be_split_is_a_misfit_that_says_by_how_much() -> None:
    misfit = render(content(texts={("vi", ""): "a" * 300, ("en", ""): EN}), profile())
    assert isinstance(misfit, Misfit)
    assert (misfit.channel, misfit.language, misfit.overflow) == ("x-thu", "vi", 20)


def test_the_text_for_a_channel_wins_over_its_platform_and_that_over_the_common_one() -> None:
    texts = {("vi", ""): "chung", ("vi", "x"): "cho X", ("vi", "x-thu"): "riêng", ("en", ""): EN, ("en", "x"): "for X"}
    parts = rendered(content(texts=texts), profile()).parts
    assert [part.text for part in parts] == ["riêng", "for X"]


def test_each_language_carries_the_picture_with_its_own_description() -> None:
    parts = rendered(content(pictures=(PICTURE,)), profile()).parts
    assert [part.images[0].alt for part in parts] == ["Ảnh chia sẻ", "Share card"]


def test_a_joined_post_that_becomes_a_thread_keeps_its_pictures_on_the_first_part() -> None:
    texts = {("vi", ""): "Một.\n---\nHai.", ("en", ""): "One.\n---\nTwo."}
    parts = rendered(content(texts=texts, pictures=(PICTURE,)), profile("facebook", Layout.JOINED)).parts
    assert [len(part.images) for part in parts] == [1, 0, 0, 0]
    assert parts[0].images[0].alt == "Ảnh chia sẻ\n\nShare card"


def test_a_joined_part_describes_the_picture_in_both_languages() -> None:
    (part,) = rendered(content(pictures=(PICTURE,)), profile("facebook", Layout.JOINED)).parts
    assert part.images[0].alt == "Ảnh chia sẻ\n\nShare card"


def test_content_survives_being_written_down() -> None:
    made = content(
        pictures=(PICTURE,), cases=("nguyen-van-a",), cites=(Cite("nguyen-van-a", "status", 3),), kind="arrest"
    )
    assert content_from_plain(json.loads(canonical(content_to_plain(made)))) == made


def test_parts_survive_being_written_down() -> None:
    for part in rendered(content(pictures=(PICTURE,)), profile()).parts:
        assert part_from_plain(json.loads(canonical(part_to_plain(part)))) == part


def test_a_missing_language_is_named() -> None:
    assert missing_languages(content(texts={("vi", ""): VI, ("en", ""): "  "})) == ("en",)


def digest(made: Content, where: Profile) -> str:
    return sha256(manifest(57, canonical(content_to_plain(made)), [rendered(made, where)]))


@pytest.mark.parametrize(
    "changed",
    [
        {"texts": {("vi", ""): VI, ("en", ""): EN + " "}},
        {"pictures": (PICTURE,)},
        {"windows": (Window("x-thu", DUE + timedelta(microseconds=1), DUE + timedelta(minutes=20)),)},
        {"windows": (Window("x-thu", DUE, DUE + timedelta(minutes=21)),)},
        {"cites": (Cite("nguyen-van-a", "status", 1),)},
        {"campaign": "khac"},
    ],
)
def test_any_change_of_the_content_changes_the_digest(changed: dict[str, object]) -> None:
    assert digest(content(**changed), profile()) != digest(content(), profile())


def test_another_account_changes_the_digest() -> None:
    assert digest(content(), profile(account="other")) != digest(content(), profile())


@given(st.text(max_size=60), st.text(max_size=60))
def test_different_texts_never_share_a_digest(one: str, other: str) -> None:
    def of(text: str) -> str:
        return sha256(canonical(content_to_plain(content(texts={("vi", ""): text, ("en", ""): EN}))))

    assert (of(one) == of(other)) is (one == other)
