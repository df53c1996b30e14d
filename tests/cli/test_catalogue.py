"""The Vietnamese catalogue: whole, in step with the program, and written as people write."""

import ast
import gettext
import re
import string
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from bot import i18n
from bot.domain.delivery import DeliveryState, Reason
from bot.domain.errors import BadInput, Refused, Rejected
from bot.domain.hygiene import problems
from bot.domain.occasions import Bar, OccasionKind
from bot.domain.people import Duty, Role
from bot.domain.post import Layout, PostState
from bot.domain.reader import Reader
from bot.domain.review import Void
from bot.i18n import LOCALE, _, filled, many, sentence, use, word
from bot.i18n.words import WORDS
from tests import catalogue

AVOIDED = re.compile(r"\b(kỷ niệm|phản động|thế lực thù địch|tội phạm|đối tượng|toà|hoà|xoá)\b", re.IGNORECASE)
COMMAND = re.compile(r"campaignbot [a-z]+\b(?: [a-z]+\b)?(?: --[a-z-]+)*")


@cache
def messages() -> dict[catalogue.Key, Message]:
    return {message.id: message for message in catalogue.read() if message.id}  # type: ignore[misc]


def english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def vietnamese(message: Message) -> str:
    return "".join(message.string or "")


def fields(text: str) -> set[str]:
    return {name for _text, name, _form, _kind in string.Formatter().parse(text) if name is not None}


def test_every_sentence_of_the_program_has_its_vietnamese_and_nothing_is_left_over() -> None:
    extracted = catalogue.extract()
    assert len(extracted) > 500
    assert messages().keys() == extracted
    assert [english(message) for message in messages().values() if not vietnamese(message).strip()] == []
    assert not any(message.fuzzy for message in messages().values())


def test_what_is_compiled_is_what_is_written() -> None:
    found = gettext.translation("campaignbot", LOCALE, ["vi"])
    for message in messages().values():
        if isinstance(message.id, str):
            assert found.gettext(message.id) == message.string
        else:
            assert found.ngettext(message.id[0], message.id[1], 3) == vietnamese(message)


def test_both_languages_are_filled_in_with_the_same() -> None:
    for message in messages().values():
        both = {name for name in fields(vietnamese(message)) if name.strip()}
        wanted = fields(message.id if isinstance(message.id, str) else message.id[1])
        alone = {"possibility", "nargs", "possibilities"}  # in click's singular and plural
        assert both - alone == {name for name in wanted if name.strip()} - alone, message.id


def test_commands_and_marks_are_the_same_in_both() -> None:
    for message in messages().values():
        assert COMMAND.findall(english(message)) == COMMAND.findall(vietnamese(message)), message.id
        assert (english(message)[-1] in ".:?") == (vietnamese(message)[-1] in ".:?"), message.id


def test_the_vietnamese_is_composed_and_avoids_what_we_avoid() -> None:
    for message in messages().values():
        said = vietnamese(message)
        assert unicodedata.is_normalized("NFC", said)
        assert not AVOIDED.search(said), said
        assert '"' not in said or '"' in english(message), said


def test_every_state_and_reason_has_a_word_in_both_languages() -> None:
    pairs = {"post": PostState, "delivery": DeliveryState, "reason": Reason, "bar": Bar, "void": Void, "role": Role,
             "duty": Duty, "layout": Layout}  # fmt: skip
    for scope, kind in pairs.items():
        assert set(WORDS[scope]) == {member.value for member in kind}, scope
    assert {member.value for member in OccasionKind} <= WORDS["kind"].keys()


@pytest.fixture
def _in_vietnamese() -> None:
    use("vi")


@pytest.mark.usefixtures("_in_vietnamese")
def test_an_error_is_said_in_vietnamese_with_our_words_translated_and_theirs_left() -> None:
    assert sentence(Refused("Post {id} is {state}: you cannot {verb} it.", id=7, state="draft", verb="cancel")) == (
        "Bài 7: bản nháp; bạn không hủy được."
    )
    assert "draft" in sentence(BadInput("“{given}” is no role. There are: {known}.", given="draft", known="admin"))
    assert word("in_review", "post") == "chờ duyệt"
    assert word("gia đình xin chờ", "void", "reason") == "gia đình xin chờ"
    assert many("{number} account", "{number} accounts", 1) == "1 tài khoản"
    assert _("") == ""
    use("en")


@pytest.mark.usefixtures("_in_vietnamese")
@pytest.mark.parametrize(
    "text", ["a\u202eb", "a\u200bb", "a\x07b", "a\ufffdb", "a\u00a0b", "#2026", "#a-b", "a#b", "Ðài"]
)
def test_what_is_wrong_in_a_text_is_said_in_vietnamese(text: str) -> None:
    (problem,) = problems(text)
    assert filled(problem.template, problem.params) != problem.sentence
    use("en")


@pytest.mark.usefixtures("_in_vietnamese")
def test_a_value_of_the_wrong_type_is_said_so_in_vietnamese() -> None:
    reader = Reader({"number": "x"}, ("number",), file="a.toml")
    assert reader.number("number", most=9) is None
    assert sentence(Rejected(reader.findings)) == "a.toml: number: phải là số nguyên."
    use("en")


def test_braces_that_people_typed_are_left_alone() -> None:
    assert (
        filled("“{text}” is not in the calendar.", {"text": "{0.__class__}"})
        == "“{0.__class__}” is not in the calendar."
    )
    assert sentence(Rejected([])) == ""


def test_no_rule_names_a_command_in_a_sentence_that_a_page_may_show() -> None:
    """The command line is told its next step beside the sentence, in the field `command`."""
    house = Path(i18n.__file__).parents[1]
    stored = (house / "store" / f"{noun}.py" for noun in ("posts", "cases", "deliveries", "approvals", "people"))
    for file in (*(each for layer in ("domain", "services", "web") for each in (house / layer).glob("*.py")), *stored):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not COMMAND.search(node.value), (file.name, node.value)
