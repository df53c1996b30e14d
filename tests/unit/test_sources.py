"""A source is a page that others can open, or a document that others can ask for; not any text."""

import pytest

from bot.domain.errors import BadInput, Rejected
from bot.domain.facts import case_from_plain
from bot.domain.sources import is_source, require_checkable
from tests.sample_cases import SOURCE


@pytest.mark.parametrize(
    "text",
    [
        SOURCE,
        "http://the88project.org/profile/1/?a=b#c",
        "https://vi.rfi.fr/việt-nam/bài-viết",
        "https://abcdefghij234567.onion/page",
        f"Statement of the coalition, {SOURCE}",
        "Letter of the family, 3 November 2026",
        "Thư của gia đình gửi liên minh, ngày 3 tháng 11 năm 2026",
        "Judgment 45/2021/HSST of the court in Hanoi",
    ],
)
def test_a_page_or_a_named_document_with_a_date_is_a_source(text: str) -> None:
    assert is_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "facebook",
        "a friend said so",
        "letter 2026",
        "said on 3 November",
        "call 0912 345 678 or 12026 or 20261",
        "https://localhost/page",
        "https://",
        "https:// the family said so in 2026",
        "ftp://example.org/file of the year 2026",
        "javascript://example.org/%0aalert(1) in 2026",
        "https://user:secret@example.org/page",
        "https://[::1/page",
        "www.example.org",
    ],
)
def test_what_nobody_can_look_up_is_not(text: str) -> None:
    assert not is_source(text)


def test_each_line_is_looked_at_and_blank_ones_are_let_be() -> None:
    require_checkable(f"{SOURCE}\n\n  {SOURCE}  \n")
    with pytest.raises(BadInput, match=r"“a friend” is no source.*https://…"):
        require_checkable(f"{SOURCE}\na friend")


def test_a_file_says_which_of_its_sources_will_not_do() -> None:
    event = {"kind": "trial", "date": "2021-05-05", "sources": [SOURCE, "heard"], "partial_sources": ["a friend"],
             "joint_sources": ["also"]}  # fmt: skip
    plain = {"slug": "nguyen-van-a", "name_vi": "Nguyễn Văn A", "name_en": "Nguyen Van A", "status": "imprisoned",
             "status_as_of": "2026-11", "status_sources": ["said"], "term_end": "2030", "term_end_basis": "source",
             "term_end_source": "someone", "event": [event]}  # fmt: skip
    with pytest.raises(Rejected) as raised:
        case_from_plain(plain)
    places = [finding.where.rpartition(": ")[2] for finding in raised.value.findings]
    assert sorted(places) == ["joint_sources", "partial_sources", "sources", "status_sources", "term_end_source"]
