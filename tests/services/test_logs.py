"""A log line holds what is listed and nothing else, on one line, in UTC."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from bot import logs
from bot.logs import configure, hide, log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure(as_json=True, to=stream)
    yield stream
    configure(as_json=True, to=io.StringIO())


def last(stream: io.StringIO) -> dict[str, object]:
    line: dict[str, object] = json.loads(stream.getvalue().splitlines()[-1])
    return line


def test_only_listed_fields_are_written(lines: io.StringIO) -> None:
    log.info("planned", drafted=3, name="Nguyễn Văn A", text="…", token="t", alias="lan")
    assert last(lines).keys() == {"event", "level", "timestamp", "drafted"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(last(lines)["timestamp"]))


def test_a_value_cannot_begin_another_line_or_speak_to_the_terminal(lines: io.StringIO) -> None:
    log.warning("job_failed", detail="a\nb\r\x1b[31m\u202e")
    assert len(lines.getvalue().splitlines()) == 1
    assert last(lines)["detail"] == r"a\nb\r\x1b[31m\u202e"


def test_an_error_is_its_kind_and_its_place_never_its_words(lines: io.StringIO) -> None:
    secret_local = "Nguyễn Văn A"
    try:
        int(secret_local)
    except ValueError:
        log.exception("job_failed", job="plan")
    assert last(lines)["error"] == "ValueError"
    assert "test_logs.py:" in str(last(lines)["where"])
    assert "Nguyễn" not in lines.getvalue()
    assert "secret_local" not in lines.getvalue()


def test_a_secret_that_is_known_is_never_written(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_secrets", set())
    hide("123:abc-def")
    log.info("sent", detail="https://example.org/bot123:abc-def/send")
    assert last(lines)["detail"] == "https://example.org/bot•••/send"


def test_libraries_log_through_the_same_door(lines: io.StringIO) -> None:
    logging.getLogger("apscheduler").warning("late by %s\nx", 3)
    assert last(lines)["event"] == "late by 3\\nx"
    before = lines.getvalue()
    logging.getLogger("urllib3").warning("/bot123:abc/")
    logging.getLogger("waitress").info("started")
    assert lines.getvalue() == before


def test_a_terminal_gets_lines_to_read() -> None:
    stream = io.StringIO()
    configure(as_json=False, to=stream)
    log.info("planned", drafted=3)
    configure(as_json=True, to=io.StringIO())
    assert "planned" in stream.getvalue()
    assert "drafted=3" in stream.getvalue()
