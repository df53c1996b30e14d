"""What every command has in common: exit codes, one line for an error, help that teaches, both languages, tables."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bot import i18n
from bot.cli import frame, invoke, root
from bot.cli.frame import Session, cut, table, width
from bot.cli.run import _ready
from bot.domain.errors import BadInput
from tests.cli.conftest import Terminal

ROOT = Path(__file__).parents[2]
HELP_WITHIN_S = 3.0


def commands(group: click.Group, ctx: click.Context, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        assert found is not None, name
        yield (*place, name)
        if isinstance(found, click.Group):
            yield from commands(found, ctx, (*place, name))


EVERY = list(commands(root, click.Context(root)))


def test_the_nouns_are_those_of_the_design() -> None:
    alone = {"init", "check", "doctor", "run", "daemon", "web", "rehearse", "plan", "halt", "unhalt",
             "backup", "restore", "panic"}  # fmt: skip
    with_verbs = {"post", "standing", "delivery", "case", "channel", "user", "audit", "clock", "alert"}
    assert {place[0] for place in EVERY} == alone | with_verbs


@pytest.mark.parametrize("place", EVERY, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_command_has_help_in_both_languages(
    place: tuple[str, ...], language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["--lang", language, *place, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"campaignbot {' '.join(place)}" in said
    assert max(width(line) for line in said.splitlines() if "campaignbot" not in line) <= 80


def test_help_teaches_with_examples_that_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["post", "add", "--help"]) == 0
    assert "Examples:\n  campaignbot post add --campaign" in capsys.readouterr().out


def test_help_answers_at_once_and_opens_no_room() -> None:
    began = time.monotonic()
    code = "import sys; import bot.cli; bot.cli.invoke(['--help'])\n"
    heavy = "print([name for name in ('sqlalchemy', 'pydantic', 'flask', 'jinja2', 'babel') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    assert time.monotonic() - began < HELP_WITHIN_S


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("post", "lst"), "No such command 'lst'."),
        (("post", "show"), "Missing argument 'ID'."),
        (("post", "show", "seven"), "'seven' is not a valid integer."),
        (("post", "list", "--sate", "draft"), "No such option '--sate'. Did you mean '--state'?"),
        (("post", "list", "--state", "drafted"), "'drafted' is not one of"),
        (("--lang", "fr", "post", "list"), "The languages are vi and en."),
        (("rehearse", "--from", "soon"), "“soon” is not in the calendar."),
        (("rehearse", "--days", "0"), "not in the range"),
        (("rehearse", "--from", "9999-12-31"), "is not in the calendar"),
        (("plan", "--until", "0001-01-01"), "is not in the calendar"),
        (("post", "show", "9" * 30), "not in the range"),
        (("delivery", "show", "--", "-1"), "not in the range"),
    ],
)
def test_a_mistyped_command_is_one_line_and_exit_code_2(desk: Terminal, words: tuple[str, ...], answer: str) -> None:
    said = desk.type(*words, code=2)
    assert said.err.startswith("Error: ")
    assert answer in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_noun_without_a_verb_shows_its_verbs(desk: Terminal) -> None:
    said = desk.type("post", code=2)
    assert "approve" in said.err


def test_the_common_options_stand_anywhere(desk: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["post", "list", "--json", "--config", str(desk.config)]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 10
    assert invoke([f"--config={desk.config}", "post", "list", "--lang=vi"]) == 0
    assert "bản nháp" in capsys.readouterr().out
    assert invoke(["--config"]) == 2


def test_the_language_is_that_of_the_machine_where_it_is_vietnamese(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    said = desk.type("post", "show", "99", code=1).err
    assert said.startswith("Lỗi: ")
    assert said.endswith("Tiếp theo: campaignbot post list\n")
    monkeypatch.setenv("CAMPAIGNBOT_LANG", "en")
    assert desk.type("post", "show", "99", code=1).err.startswith("Error: ")


def test_a_refusal_is_said_in_vietnamese_too(desk: Terminal) -> None:
    said = desk.type("--lang", "vi", "user", "add", "an", "--role", "reviewer", by="lan", code=1).err
    assert said == "Lỗi: Bạn không được quản lý thành viên. Việc này cần vai trò quản trị viên.\n"


def test_every_command_that_reads_has_json() -> None:
    reading = {"list", "show", "check", "doctor", "rehearse", "plan", "verify"}
    for place in EVERY:
        command: click.Command | None = root
        for name in place:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name)
        assert command is not None
        if place[-1] in reading:
            assert "as_json" in {param.name for param in command.params}, place


def test_whatever_acts_in_a_persons_name_asks_who() -> None:
    acting = {
        place for place in EVERY if place[-1] in {"halt", "unhalt", "submit", "approve", "edit", "pause", "settle"}
    }
    for place in acting:
        command: click.Command | None = root
        for name in place:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name)
        assert command is not None
        assert any(param.name == "alias" and param.required for param in command.params), place


def test_an_unexpected_error_gives_a_reference_and_no_traceback(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError("Nguyễn Văn A")

    monkeypatch.setattr("bot.services.posts.list_posts", fail)
    said = desk.type("post", "list", code=1)
    log = desk.folder / "campaignbot-errors.log"
    assert "Traceback" not in said.err
    assert str(log) in said.err
    written = json.loads(log.read_text())
    assert written["ref"] in said.err
    assert (written["error"], "frame.py" in written["where"] or "post.py" in written["where"]) == (
        "ZeroDivisionError",
        True,
    )
    assert "Nguyễn" not in log.read_text()
    assert "Traceback" in desk.type("post", "list", "--debug", code=1).err


def test_a_closed_pipe_ends_quietly(desk: Terminal) -> None:
    command = f'"{sys.executable}" -m bot --config "{desk.config}" case list --json | head -1'
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[\n", "")


def test_a_table_fits_eighty_columns_with_vietnamese_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(1, "Nguyễn Văn A", "Điều 117 Bộ luật Hình sự " * 9), (22, "Trần", "x")]
    table(["ID", "Name", "Text"], rows, empty="")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(width, lines)) == 80
    assert lines[1].endswith("…")
    assert [line.index(text) for line, text in zip(lines, ("Name", "Nguyễn", "Trần"), strict=True)] == [4, 4, 4]


def test_an_empty_table_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    table(["ID"], [], empty="The queue is empty.")
    assert capsys.readouterr().out == "The queue is empty.\n"


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("Nguyễn", 6), ("e\u0302\u0301", 1), ("日本", 4), ("a\nb", 2)]
)
def test_width_is_what_a_terminal_shows(text: str, columns: int) -> None:
    assert width(text.replace("\n", "")) == columns


def test_a_cut_never_ends_inside_a_letter() -> None:
    assert cut("Nguyễn Văn A", 8) == "Nguyễn…"
    assert cut("日本語", 4) == "日…"


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "Europe/Berlin", "Asia/Kathmandu"])
def test_a_time_shown_can_be_typed_again(zone: str) -> None:
    typed = frame.moment("2026-07-10 09:30", zone)
    assert not isinstance(typed, str)
    assert frame.show(typed, zone) == "2026-07-10 09:30"
    names = {"Asia/Ho_Chi_Minh": "Hà Nội, UTC+7", "Europe/Berlin": "Europe/Berlin, UTC+2"}
    assert frame.zone_name(zone, typed) == names.get(zone, "Asia/Kathmandu, UTC+5:45")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-10",
        "2026-02-29 09:00",
        "10/12/2026 09:00",
        "0000-01-01 00:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        frame.moment(text, "Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("language", "empty", "with_one"),
    [
        ("en", "2 accounts, 0 posts scheduled, 0 wait", "2 accounts, 1 post scheduled, 1 waits for approval."),
        ("vi", "2 tài khoản, 0 bài đã lên lịch, 0 bài chờ", "2 tài khoản, 1 bài đã lên lịch, 1 bài chờ duyệt."),
    ],
)
def test_the_running_program_says_what_there_is_to_do_in_good_plurals(
    desk: Terminal, capsys: pytest.CaptureFixture[str], language: str, empty: str, with_one: str
) -> None:
    def said() -> str:
        session = Session(desk.config)
        i18n.use(language)
        _ready(session, "http://127.0.0.1:8000")
        i18n.use("en")
        session.close()
        return capsys.readouterr().out

    assert empty in said()
    texts = ("--campaign", "stop-the-crackdown-vn", "--vi", "Một.", "--en", "One.", "--at", "2126-12-10 09:00")
    waiting, approved = (re.findall(r"Post (\d+)", desk.type("post", "add", *texts, by="lan").out)[0] for _ in "12")
    for post in (waiting, approved):
        desk.type("post", "submit", post, by="lan")
    desk.type("post", "approve", approved, by="minh", stdin="y\n")
    assert with_one in said()
