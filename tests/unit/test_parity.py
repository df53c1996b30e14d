import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.parity import compare

NAMES = [
    ("Nguyễn Văn A", "Nguyen Van A"),
    ("Trần Thị Hòa", "Tran Thi Hoa"),
    ("Trần Thị Hòa Bình", "Tran Thi Hoa Binh"),
    ("Mẹ Mướp", "Mother Gourd"),
]
ANNIVERSARY_VI = (
    "Hôm nay tròn 5 năm ngày Nguyễn Văn A bị bắt. Đến nay vẫn đang bị giam, với bản án 8 năm tù giam và 3 năm "
    "quản chế. Hãy trả tự do cho Nguyễn Văn A. #StopTheCrackdownVN https://example.org/vi"
)
ANNIVERSARY_EN = (
    "5 years ago today, Nguyen Van A was arrested. Nguyen Van A is still held, sentenced to 8 years in prison "
    "and 3 years of probation. Release Nguyen Van A. #StopTheCrackdownVN https://example.org/en"
)


def differences(vi: str, en: str, own_tags: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    return [(d.kind, d.only_in, d.shown) for d in compare(vi, en, names=NAMES, own_tags=own_tags)]


@pytest.mark.parametrize(
    ("vi", "en"),
    [
        (ANNIVERSARY_VI, ANNIVERSARY_EN),
        ("2.000 ngày kể từ ngày 7/10/2020.", "2,000 days since 7 October 2020."),
        ("Ngày 16 tháng 10 năm 2017, 10 tổ chức", "On October 16, 2017, 10 groups"),
        ("Lần cuối được xác nhận: tháng 5/2025.", "Last confirmed: May 2025."),
        ("Lần cuối được xác nhận: năm 2023.", "Last confirmed: 2023."),
        ("Tháng Năm 2018, tháng 12 năm 2019", "In May of 2018, in December 2019"),
        ("bắt đầu từ tháng 8 và ngày 10/12", "began in August and on 10 December"),
        ("4 năm 6 tháng tù giam", "4 years and 6 months in prison"),
        ("54 tháng tù", "4 years 6 months in prison"),
        ("Bà Trần Thị Hoà, 33 tuổi", "Tran Thi Hoa, aged 33"),
        ("Bà Trần Thị Hòa, 33 tuổi", "33-year-old Trần Thị Hòa"),
        ("Điều 79 và Điều 88, 50% và 1,5 triệu", "Articles 79 and 88, 50% and 1.5 million"),
        ("4 người: Nguyễn Văn A, Mẹ Mướp", "4 people: Nguyen Van A, Mother Gourd"),
        ("https://vi.example.org/a?lang=vi", "https://en.example.org/a?lang=en"),
        ("2 tuần, 14 ngày", "14 days, 2 weeks"),
        ("tròn 5 năm", "the 5th anniversary"),
        ("3–5/3/2026 và 2026-12-10", "3–5 March 2026 and 10 December 2026"),
        ("5 năm bị giam 10 ngày 6 tháng", "5 years held, 10 days, 6 months"),
        ("", " "),
    ],
)
def test_two_texts_that_say_the_same_have_no_difference(vi: str, en: str) -> None:
    assert differences(vi, en) == []


@pytest.mark.parametrize(
    ("vi", "en", "expected"),
    [
        ("Nguyễn Văn A và Mẹ Mướp", "Nguyen Van A", [("person", "vi", "Mẹ Mướp")]),
        ("Ông Nguyễn Văn An", "Mr Nguyen Van A", [("person", "en", "Nguyen Van A")]),
        (
            "Trần Thị Hòa Bình",
            "Tran Thi Hoa",
            [("person", "vi", "Trần Thị Hòa Bình"), ("person", "en", "Tran Thi Hoa")],
        ),
        ("Trần Thị Hóa", "no one", []),
        ("8 năm tù", "9 years in prison", [("duration", "vi", "8 năm"), ("duration", "en", "9 years")]),
        ("8 năm tù và 3 năm quản chế", "8 years in prison", [("duration", "vi", "3 năm")]),
        ("2,000 ngày", "2,000 days", [("duration", "vi", "2,000 ngày"), ("duration", "en", "2,000 days")]),
        ("ngày 7/10/2020", "10 July 2020", [("date", "vi", "7/10/2020"), ("date", "en", "10 July 2020")]),
        ("ngày 7/10/2020", "October 2020", [("date", "vi", "7/10/2020"), ("date", "en", "October 2020")]),
        ("Điều 117", "Article 109", [("number", "vi", "117"), ("number", "en", "109")]),
        ("10 tổ chức", "ten groups", [("number", "vi", "10")]),
        ("https://example.org/a", "https://example.org/b", [
            ("link", "vi", "https://example.org/a"),
            ("link", "en", "https://example.org/b"),
        ]),
        ("hôm nay.Do đó", "today", [("link", "vi", "nay.Do")]),
        ("#TựDo #StopTheCrackdownVN", "#stopthecrackdownvn", [("hashtag", "vi", "#TựDo")]),
    ],
)  # fmt: skip
def test_what_only_one_text_says_is_shown(vi: str, en: str, expected: list[tuple[str, str, str]]) -> None:
    assert differences(vi, en) == expected


def test_a_hashtag_of_one_language_may_stand_alone() -> None:
    assert differences("#NgừngNgayĐànÁp", "Stop", own_tags=("NgừngNgayĐànÁp",)) == []
    assert differences("Ngừng", "#Stop", own_tags=("#stop",)) == []


def test_differences_are_sentences() -> None:
    [difference] = compare("8 năm", "xong")
    assert difference.sentence == "Only the Vietnamese has “8 năm”."
    [difference] = compare("xong", "8 years")
    assert difference.sentence == "Only the English has “8 years”."


@pytest.mark.parametrize(
    ("vi", "en", "side", "sentence"),
    [("Có", " \n", "vi", "There is no English text."), ("", "Yes 5", "en", "There is no Vietnamese text.")],
)
def test_an_empty_side_is_one_difference(vi: str, en: str, side: str, sentence: str) -> None:
    [difference] = compare(vi, en)
    assert (difference.kind, difference.only_in, difference.sentence) == ("text", side, sentence)


def test_names_are_found_however_they_were_typed() -> None:
    assert differences("Tra\u0302\u0300n Thi\u0323 Ho\u0300a", "TRAN THI HOA") == []


@given(st.text(alphabet="tháng ngày năm 12/.,-#A5 ", max_size=40))
def test_a_vietnamese_text_differs_from_itself_in_number_style_only(text: str) -> None:
    first, second = compare(text, text), compare(text, text)
    assert first == second


@given(st.integers(1, 31), st.integers(1, 12), st.integers(1900, 2099))
def test_every_date_is_the_same_in_both_languages(day: int, month: int, year: int) -> None:
    english = (
        "January February March April May June July August September October November December".split()  # noqa: SIM905
    )[month - 1]
    assert compare(f"ngày {day} tháng {month} năm {year}", f"{day} {english} {year}") == ()
    assert compare(f"ngày {day}/{month}/{year}", f"{english} {day}, {year}") == ()
    assert compare(f"tháng {month}/{year}", f"{english} {year}") == ()


@given(st.integers(0, 10_000_000))
def test_thousands_are_grouped_by_each_languages_sign(number: int) -> None:
    english = f"{number:,}"
    assert compare(english.replace(",", "."), english) == ()
    assert compare(f"{english.replace(',', '.')} ngày.", f"{english} days.") == ()


@pytest.mark.parametrize("hostile", ["1", "1.", "tháng ", "5 năm ", "#1", "1 tháng 2 ", "a1", "May 1 "])
def test_hostile_text_is_compared_in_time(hostile: str) -> None:
    assert compare(hostile * 1_000, hostile * 1_000) is not None
