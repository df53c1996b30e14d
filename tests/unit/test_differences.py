"""Word differences: exact both ways, whole words, and quick whatever is compared."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.differences import words

_SYLLABLES = ["ông", "ong", "bị", "bi", "bắt", "năm", "nam", "#NgừngNgayĐànÁp", "1,000", ".", "\n", "\n\n", "“", "–"]
texts = st.lists(st.sampled_from(_SYLLABLES), max_size=12).map(" ".join)


def side(pieces: Sequence[tuple[str, str]], but: str) -> str:
    return "".join(text for kind, text in pieces if kind != but)


@given(texts, texts)
def test_both_texts_can_be_read_off_whole(old: str, new: str) -> None:
    found = words(old, new)
    assert (side(found, "ins"), side(found, "del")) == (old, new)
    assert all(text for _, text in found)
    assert all(one[0] != other[0] for one, other in pairwise(found))


def test_a_changed_tone_mark_is_a_changed_word() -> None:
    assert words("Ông bị bắt.", "Ông bị bặt.") == [("same", "Ông bị "), ("del", "bắt"), ("ins", "bặt"), ("same", ".")]


def test_words_changed_side_by_side_read_as_one_change() -> None:
    found = words("trả tự do cho ông ấy ngay", "trả tự do cho bà này ngay")
    assert found == [("same", "trả tự do cho "), ("del", "ông ấy"), ("ins", "bà này"), ("same", " ngay")]


def test_the_same_text_in_decomposed_letters_is_the_same() -> None:
    text = "Nguyễn Văn Đài"
    assert words(unicodedata.normalize("NFD", text), text) == [("same", text)]


def test_a_hashtag_a_number_and_a_date_are_one_word_each() -> None:
    found = words("#NgừngNgay 1,000 16/10/2017", "#NgừngNgày 1,500 16/11/2017")
    assert [text for kind, text in found if kind == "del"] == ["#NgừngNgay 1,000 16/10/2017"]


def test_the_longest_texts_of_few_words_are_compared_whole() -> None:
    one, other = (" ".join("ab"[(n * n // step) % 2] for n in range(2500)) for step in (7, 11))
    found = words(one, other)
    assert (side(found, "ins"), side(found, "del")) == (one, other)
