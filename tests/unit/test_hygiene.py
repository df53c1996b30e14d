import unicodedata
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.hygiene import Severity, clean, problems
from bot.domain.text import MAX_TEXT

REFUSE, WARN = Severity.REFUSE, Severity.WARN

VOWELS = [*"aăâeêioôơuưy", *"AĂÂEÊIOÔƠUƯY"]
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
SYLLABLES = ["".join(pair) for pair in product(VOWELS, TONES)]
CONSONANTS = [*"bcdđghklmnpqrstvxBCDĐGHKLMNPQRSTVX", "ngh", "tr", "ch"]


def kinds(text: str) -> list[tuple[str, Severity]]:
    return [(problem.kind, problem.severity) for problem in problems(text)]


@given(st.lists(st.sampled_from([*SYLLABLES, *CONSONANTS, " ", ", ", ". ", "\n", "“", "”", "2.000", "…", "–"])))
def test_vietnamese_is_never_refused_however_it_was_typed(parts: list[str]) -> None:
    text = "".join(parts)
    for form in (text, unicodedata.normalize("NFC", text)):
        assert [problem for problem in problems(form) if problem.severity is REFUSE] == []


def test_ordinary_posts_are_clean() -> None:
    text = (
        "Hôm nay tròn 5 năm ngày Nguyễn Văn A, nhà báo, bị bắt tại TP. Hồ Chí Minh, với cáo buộc “tuyên truyền chống "
        "Nhà nước”. Y Krêč Byă và năm người Êđê cũng bị xét xử; đăng, băng, lặng, chăm, nắp, sắc, hoặc, khoăn.\n\n"
        "Đến nay vẫn đang bị giam… 👨‍👩‍👧 ❤️‍🔥 1️⃣ 🏴󠁧󠁢󠁷󠁬󠁳󠁿 #StopTheCrackdownVN #NgừngNgayĐànÁp "
        "https://example.org/vi#a-b"
    )
    assert problems(text) == ()


@pytest.mark.parametrize(
    ("text", "kind", "where"),
    [
        ("tự \u202edo", "bidi", 3),
        ("\u2066tự do", "bidi", 0),
        ("tự\u200bdo", "invisible", 2),
        ("tự\u200ddo", "invisible", 2),
        ("tự\ufe0f do", "invisible", 2),
        ("\ufefftự do", "invisible", 0),
        ("tự\u00addo", "invisible", 2),
        ("tự do\U000e0041", "invisible", 5),
        ("q\u0301", "mark", 1),
        ("a\u0301\u0301", "mark", 1),
        ("a\x00", "control", 1),
        ("a\tb", "control", 1),
        ("a\rb", "control", 1),
        ("a\ufffd", "damaged", 1),
        ("ab\ud800", "damaged", 2),
        ("a\ue000", "damaged", 1),
        ("a\uffff", "damaged", 1),
    ],
)
def test_hidden_and_broken_characters_are_refused(text: str, kind: str, where: int) -> None:
    [problem] = problems(text)
    assert (problem.kind, problem.severity, problem.where) == (kind, REFUSE, where)
    assert problem.shown.startswith("U+")
    assert problem.sentence.isprintable()


def test_a_joiner_belongs_between_two_emoji_only() -> None:
    assert kinds("👨\u200d👩") == []
    assert kinds("👨\u200d") == [("invisible", REFUSE)]
    assert kinds("\u200d👨") == [("invisible", REFUSE)]


def test_marks_of_other_scripts_are_left_alone() -> None:
    assert kinds("ที่ हिन्दी") == []


@pytest.mark.parametrize(
    "word",
    [
        "Ðoan",
        "ðàn",
        "đă",
        "Đă",
        "xă",
        "lănh",
        "băi",
        "ṭa",
        "ḷng",
        "Vi\u0435t",
        "H\u03bfa",
        "ｄo",
        "𝐝o",
        "ǎn",
        "Nguyễn\u0430",
    ],
)
def test_letters_that_only_look_vietnamese_are_pointed_out(word: str) -> None:
    [problem] = problems(f"Hãy, {word} hãy")
    assert (problem.kind, problem.severity, problem.where, problem.shown) == ("look_alike", WARN, 5, word)
    assert "U+" in problem.sentence


@pytest.mark.parametrize("word", ["Đặng", "Москва", "Αθήνα", "Müller", "chăn", "Byă", "khăn"])
def test_words_of_one_alphabet_are_no_look_alikes(word: str) -> None:
    assert kinds(f"Hãy {word} hãy") == []


def test_a_missing_space_is_told_from_an_address_without_protocol() -> None:
    missing, address = problems("Trả tự do hôm nay.Do đó, xem example.org/vi nhé")
    assert (missing.kind, missing.severity, missing.shown) == ("bare_link", WARN, "nay.Do")
    assert missing.sentence == "X makes a link of “nay.Do”. Is a space missing after the full stop?"
    assert address.sentence == "X makes a link of “example.org/vi”. Write it with https://, or take it out."


def test_a_description_makes_no_links_and_no_hashtags_and_hides_nothing_either() -> None:
    described = "Nguồn: example.org. #Tự.Do"
    assert [each.kind for each in problems(described)] == ["bare_link", "hashtag"]
    assert problems(described, posted=False) == ()
    assert problems(f"{described}\u202e", posted=False) == problems(f"{described}\u202e")[2:]


@pytest.mark.parametrize(
    ("text", "shown"), [("#Ngừng-Ngay", "#Ngừng"), ("#Tự.Do", "#Tự"), ("#2017", "#2017"), ("chữ#Tag", "#Tag")]
)
def test_hashtags_that_break_are_pointed_out(text: str, shown: str) -> None:
    [problem] = problems(text)
    assert (problem.kind, problem.severity, problem.shown) == ("hashtag", WARN, shown)


def test_a_hashtag_before_punctuation_is_whole() -> None:
    assert kinds("#StopTheCrackdownVN, #NhânQuyền. (#TựDo) #NOW! #A – b") == []


def test_a_space_that_is_none_is_pointed_out() -> None:
    assert kinds("tự\u00a0do") == [("space", WARN)]


def test_a_text_too_long_is_refused_before_anything_else() -> None:
    assert kinds("a" * MAX_TEXT) == []
    [problem] = problems("a\u202e" * MAX_TEXT)
    assert problem.sentence == "The text has 10000 characters. No post may have more than 5000."


def test_every_problem_is_told_in_the_order_of_the_text() -> None:
    assert [kind for kind, _ in kinds("#a-b nay.Do Ðó\u200b\u202e")] == [
        "hashtag",
        "bare_link",
        "look_alike",
        "invisible",
        "bidi",
    ]


def test_cleaning_changes_spelling_line_ends_and_trailing_space_only() -> None:
    assert clean("  Tu\u031b\u0323 do \t\r\n\r\nhai\u00a0 \rba\n\n") == "  Tự do\n\nhai\u00a0\nba"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(max_size=60))
def test_any_text_gets_an_answer_that_can_be_shown(text: str) -> None:
    for problem in problems(text):
        assert problem.sentence
        assert 0 <= problem.where <= max(len(unicodedata.normalize("NFC", text)), 0)
