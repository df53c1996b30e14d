import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.sentences import sentences
from bot.domain.text import RULES, TextRules, count, figures, fits, links, nfc, overflow, split_parts, unbroken

X, BLUESKY, MASTODON, TELEGRAM, FACEBOOK = (
    RULES[name] for name in ("x", "bluesky", "mastodon", "telegram", "facebook")
)
ROWS: Sequence[Mapping[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors" / "counting.json").read_text("utf-8")
)["rows"]


def test_counts_agree_with_the_stored_answers_of_the_official_counters() -> None:
    for row in ROWS:
        text = row["text"]
        assert (text, count(text, X)) == (text, row["x"])
        assert (text, [link.text for link in links(text)]) == (text, row["links"])
        assert (text, count(text, BLUESKY)) == (text, row["graphemes"])
        assert (text, figures(text, BLUESKY).bytes) == (text, row["bytes"])
        assert (text, count(text, TELEGRAM), count(text, FACEBOOK)) == (text, row["utf16"], row["utf16"])


@pytest.mark.parametrize(
    ("text", "bare"),
    [("hôm nay.Do đó", ["nay.Do"]), ("https://example.org/vi xong", []), ("thư tới info@example.org", [])],
)
def test_a_missing_space_makes_a_bare_link(text: str, bare: list[str]) -> None:
    assert [link.text for link in links(text) if link.bare] == bare


@settings(max_examples=60)
@given(st.text(alphabet="aạĐ. /:-_@#x🕯🇻\u200d\ufe0f\u0301“”中"))
def test_links_stand_where_they_say(text: str) -> None:
    normal = nfc(text)
    for link in links(text):
        assert normal[link.start : link.start + len(link.text)].startswith(link.text[:1])
        assert 0 <= link.start < link.end <= len(normal)


def test_letters_that_x_counts_twice_are_told_apart_from_links() -> None:
    found = figures("Trả tự do: https://example.org/tự-do …", X)
    assert (found.double, found.limit, len(found.links)) == (2, 280, 1)
    assert figures("Trả tự do", BLUESKY).double == 0


def test_decomposed_text_counts_like_composed_text() -> None:
    assert count("a\u0323\r\n", X) == count("ạ\n", X) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.org/mot-bai-viet-rat-dai-ve-nhan-quyen", 23),
        ("example.org", 11),
        ("@ban@example.org", 4),
        ("thư: ban@example.org", 20),
        ("https://example.org/@ban@example.org", 23),
        ("👨‍👩‍👧‍👦 Tự do", 7),
    ],
)
def test_mastodon_shortens_links_and_remote_mentions_only(text: str, expected: int) -> None:
    assert count(text, MASTODON) == expected


def test_a_mastodon_server_may_count_links_otherwise() -> None:
    assert count("xem https://example.org", replace(MASTODON, link_weight=30)) == 34


def test_a_caption_has_less_room_than_a_text() -> None:
    text = "ạ" * 1_030
    assert fits(text, TELEGRAM)
    assert overflow(text, TELEGRAM, with_media=True) == 6
    assert figures(text, TELEGRAM, with_media=True).limit == 1_024


def test_bluesky_also_limits_bytes() -> None:
    families = "👨‍👩‍👧‍👦" * 130
    assert count(families, BLUESKY) == 130
    assert overflow(families, BLUESKY) == 130 * 25 - 3_000


def test_overflow_is_in_the_unit_of_the_platform() -> None:
    assert overflow("ạ" * 150, X) == 20
    assert overflow("x" * 280, X) == 0


@pytest.mark.parametrize(
    "hostile",
    [
        "a.",
        "co.",
        "a.co/(",
        "é",
        "https://",
        "🇻",
        "👨\u200d",
        "a\u0301",
        "@a",
        "a.中.",
        "\u0600",
        "“a. ",
        "a.-",
        "xn--.",
    ],
)
def test_hostile_text_costs_time_in_proportion_to_its_length(hostile: str) -> None:
    def seconds(repeats: int) -> float:
        begin = time.process_time()
        for rules in (X, BLUESKY):
            count(hostile * repeats, rules)
        return time.process_time() - begin

    short = min(seconds(150) for _ in range(2))
    assert min(seconds(1_200) for _ in range(2)) < 30 * short + 0.05  # eight times the text; a square would be 64


def test_the_longest_text_of_dots_is_counted_quickly() -> None:
    assert count("a." * 50_000, X) == 100_000


ENDS = [
    "Hôm nay tròn 5 năm ngày Nguyễn Văn A bị bắt tại TP. Hồ Chí Minh.",
    "Hãy trả tự do ngay.",
    "“Một ngày trong tù cũng đã là bất công.”",
    "2.000 ngày kể từ ngày bị bắt…",
    "Ngày 7.10.2020, GS. TS. Trần Thị B. bị bắt ở Q. 1, lúc 9 giờ!",
    "Mr. J. F. Doe was held in the U.S. for 1.5 years, i.e. 18 months (see No. 5, Dr. Roe).",
    "Who knows?",
    "Năm 2017 là Điều 79 và Điều 88.",
    "5 years ago today, John Doe Jr. was arrested.",
]


def test_sentences_end_where_readers_think() -> None:
    assert [sentence for _, sentence in sentences(" ".join(ENDS))] == ENDS


@pytest.mark.parametrize(
    "whole",
    [
        "Trả tự do cho Nguyễn V. A. Nguyễn và những người khác",
        "1. Tự do cho người bị giam",
        "Ông nói: “Tôi vô tội. Hãy tin tôi.”",
        "Hãy xem (bài 1. Bài 2) và v.v. cùng các bài khác",
        "Điều 117… và nhiều điều khác",
        "Dòng này chưa hết\ndòng sau mới hết",
    ],
)
def test_what_only_looks_like_an_end_is_none(whole: str) -> None:
    assert [sentence for _, sentence in sentences(whole)] == [whole]


def test_an_initial_may_end_a_sentence_before_a_word_that_is_no_name() -> None:
    assert len(list(sentences("Hãy nhớ Nguyễn Văn A. Hãy lên tiếng."))) == 2
    assert len(list(sentences("Bị bắt cùng Nguyễn Văn A. 5 năm đã qua."))) == 2
    assert len(list(sentences("Ở P. 5, Q. 3 có hai người."))) == 1


def test_a_text_that_fits_is_one_part() -> None:
    assert split_parts("Hãy lên tiếng. Hôm nay.", X) == ("Hãy lên tiếng. Hôm nay.",)


def test_the_writers_break_lines_come_first() -> None:
    text = "Phần một.\r\n---\r\nPhần hai.\n--- \n\nPhần ba -- có --- gạch."
    assert split_parts(text, X) == ("Phần một.", "Phần hai.", "Phần ba -- có --- gạch.")
    assert unbroken(text) == "Phần một.\n\nPhần hai.\n\nPhần ba -- có --- gạch."


def test_paragraphs_part_before_sentences_do() -> None:
    paragraph = "Một câu vừa phải cho đủ dài. " * 5 + "Và một câu nữa."
    parts = split_parts(f"{paragraph}\n\n{paragraph}", X)
    assert parts == (paragraph, paragraph)


def test_hashtags_and_link_stay_with_the_last_sentence() -> None:
    tail = "#NgừngNgayĐànÁp #StopTheCrackdownVN https://example.org/vi"
    sentence = (
        "Hôm nay tròn 5 năm ngày Nguyễn Văn A bị bắt tại TP. Hồ Chí Minh; đến nay vẫn đang bị giam ở tỉnh Nghệ An."
    )
    parts = split_parts(f"{sentence} {sentence} {tail}", X)
    assert parts == (sentence, f"{sentence} {tail}")
    assert split_parts(f"{sentence} {sentence}\n\n{tail}", X) == (sentence, f"{sentence}\n\n{tail}")


def test_a_tail_that_fits_nowhere_else_is_a_part() -> None:
    sentence = "ạ" * 135 + "."
    assert split_parts(f"{sentence} https://example.org", X) == (sentence, "https://example.org")


def test_a_sentence_too_long_for_a_part_is_refused() -> None:
    assert split_parts("Tên " * 100, X) is None
    assert split_parts("Ngắn. " + "ạ" * 150 + ". Ngắn.", X) is None


def test_only_the_first_part_is_a_caption() -> None:
    rules = TextRules(X.counting, limit=40, link_weight=23, caption_limit=20)
    text = "Một câu ngắn. Một câu ngắn. Một câu dài hơn thế nhiều."
    assert split_parts(text, rules, with_media=True) == ("Một câu ngắn.", "Một câu ngắn.", "Một câu dài hơn thế nhiều.")


WORDS = st.sampled_from(
    ["tự", "do", "Hãy", "TP.", "A.", "nay.", "2.000", "…", "“Vì", "sao?”", "#Tag", "https://a.vn", "\n\n"]
)


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=60))
def test_parts_fit_and_lose_no_word(words: list[str]) -> None:
    text = " ".join(words)
    parts = split_parts(text, replace(X, limit=60))
    if parts is not None:
        assert all(fits(part, replace(X, limit=60)) for part in parts)
        assert " ".join(parts).split() == text.split()


def test_x_gets_at_least_one_for_each_letter() -> None:
    for before, after in pairwise(ROWS[0]["text"][:n] for n in range(len(ROWS[0]["text"]))):
        assert count(before, X) < count(after, X)
