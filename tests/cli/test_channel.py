"""`channel`: what an account says of itself, how one is connected, and where its keys then are."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.contracts.simulators import mastodon

ROOT = Path(__file__).parents[2]
CANARY, NEXT = "canary-4f-token", "canary-5g-token"
MASTODON = """
[[channel]]
name = "mastodon"
platform = "mastodon"
api_base = "{base}"
[channel.credentials]
access_token = {{ file = "token.txt" }}
"""


@pytest.mark.parametrize(
    ("language", "wrong", "limits"),
    [
        ("en", "✕ The access token lacks the right “write:media”.", "· 500 characters a post, a link counts 23"),
        ("vi", "✕ Mã truy cập thiếu quyền “write:media”.", "· Mỗi bài 500 ký tự, một liên kết tính là 23"),
    ],
)
def test_what_an_account_lacks_is_said_in_the_language_of_whoever_asks(
    desk: Terminal, language: str, wrong: str, limits: str
) -> None:
    (desk.folder / "token.txt").write_text("a-token")
    with mastodon.Server(token="a-token") as far, desk.config.open("a") as config:
        far.scopes = ["read", "write:statuses"]
        config.write(MASTODON.format(base=far.base))
        config.flush()
        said = desk.type("--lang", language, "channel", "check", "mastodon", code=1).out
    assert wrong in said
    assert limits in said


@pytest.fixture
def far() -> Iterator[mastodon.Server]:
    with mastodon.Server(token=CANARY) as server:
        server.now = datetime.now(UTC)
        yield server


def connect(desk: Terminal, far: mastodon.Server, token: str = CANARY, *more: str, code: int = 0) -> str:
    words = ("channel", "add", "--platform", "mastodon", "--api-base", far.base, "--from-file", "-", *more)
    return str(desk.type(*words, by="chi", stdin=f'access_token = "{token}"\n', code=code))


def holding(desk: Terminal, canary: str) -> list[Path]:
    return [file for file in desk.folder.rglob("*") if file.is_file() and canary.encode() in file.read_bytes()]


def test_an_account_is_connected_in_one_step_and_its_key_is_sealed(desk: Terminal, far: mastodon.Server) -> None:
    before = desk.config.read_text()
    desk.config.chmod(0o640)
    said = connect(desk, far)
    assert "mastodon: @org" in said
    assert "mastodon works." in said
    after = desk.config.read_text()
    assert after.startswith(before.rstrip())
    assert 'access_token = {credential = "mastodon.access_token"}' in after
    assert desk.config.stat().st_mode & 0o777 == 0o640
    assert desk.read("channel", "check", "mastodon")["mastodon"]["name"] == "@org"
    assert far.writes == []
    assert CANARY not in said
    assert holding(desk, CANARY) == []
    (entry,) = [each for each in desk.read("audit", "list", by="chi") if each["act"] == "channel.added"]
    assert (entry["obj"], entry["data"]["platform"]) == ("channel:mastodon", "mastodon")
    desk.type("check")


def test_what_cannot_sign_in_is_not_kept_and_can_be_tried_again(desk: Terminal, far: mastodon.Server) -> None:
    before = desk.config.read_bytes()
    said = connect(desk, far, "canary-wrong", code=1)
    assert "Nothing was kept. Cannot sign in: 401" in said
    assert desk.config.read_bytes() == before
    assert not (desk.folder / "var" / "secrets.json").exists()
    assert connect(desk, far, CANARY)
    assert "canary-wrong" not in said


def test_without_the_network_an_account_may_be_kept_unchecked(desk: Terminal, far: mastodon.Server) -> None:
    said = connect(desk, far, "canary-wrong", "--unchecked")
    assert "✕ Cannot sign in" in said
    assert "mastodon is kept. Mend what is marked ✕" in said
    assert holding(desk, "canary-wrong") == []


def test_an_account_is_connected_once_and_by_an_admin(desk: Terminal, far: mastodon.Server) -> None:
    connect(desk, far)
    assert "campaignbot channel secret mastodon" in connect(desk, far, code=1)
    words = ("channel", "add", "--platform", "rehearsal", "--name", "another")
    assert "role admin" in desk.type(*words, by="lan", code=1).err
    assert desk.type(*words, "--like", "x", by="chi").out.startswith("another: rehearsal, like x")
    assert 'like = "x"' in desk.config.read_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("canary-4f-token", "is no TOML"),
        ('token = "canary-4f-token"', "“token” is none of: access_token."),
        ("access_token = 4", "“access_token” is none of"),
        ("", "The key access_token is missing."),
    ],
)
def test_a_file_of_keys_that_cannot_be_used_is_not_quoted(
    desk: Terminal, far: mastodon.Server, given: str, said: str
) -> None:
    words = ("channel", "add", "--platform", "mastodon", "--api-base", far.base, "--from-file", "-")
    err = desk.type(*words, by="chi", stdin=given, code=2).err
    assert said in err
    assert "canary" not in err


def test_what_the_configuration_refuses_is_not_written(desk: Terminal, far: mastodon.Server) -> None:
    before = desk.config.read_bytes()
    assert "may hold only a–z" in connect(desk, far, CANARY, "--name", "Của tôi", code=2)
    assert "languages" in connect(desk, far, CANARY, "--languages", "vi,fr", code=2)
    assert desk.config.read_bytes() == before


def test_a_new_key_takes_the_place_of_a_file_and_is_noticed_at_once(desk: Terminal, far: mastodon.Server) -> None:
    (desk.folder / "token.txt").write_text(CANARY)
    with desk.config.open("a") as config:
        config.write(MASTODON.format(base=far.base))
    far.token = NEXT
    key = f'access_token = "{NEXT}"'
    assert "mastodon works." in desk.type("channel", "secret", "mastodon", "--from-file", "-", by="chi", stdin=key).out
    (desk.folder / "token.txt").unlink()
    assert desk.read("channel", "check", "mastodon")["mastodon"]["missing"] == []
    refused = desk.type(
        "channel", "secret", "mastodon", "--from-file", "-", by="chi", stdin=key.replace("5", "6"), code=1
    )
    assert "Nothing was kept" in refused.err
    assert desk.read("channel", "check", "mastodon")["mastodon"]["missing"] == []
    assert holding(desk, NEXT) == []
    (entry,) = [each for each in desk.read("audit", "list", by="chi") if each["act"] == "channel.secret_changed"]
    assert entry["data"]["fields"] == ["access_token"]


def test_everything_is_sealed_under_a_new_key(desk: Terminal, far: mastodon.Server) -> None:
    connect(desk, far)
    before = (desk.folder / "var" / "secrets.key").read_bytes()
    assert "new key" in desk.type("channel", "rekey", by="chi").out
    assert (desk.folder / "var" / "secrets.key").read_bytes() != before
    assert desk.read("channel", "check", "mastodon")["mastodon"]["missing"] == []


def test_without_the_key_an_account_says_what_is_missing_and_the_rest_of_the_house_opens(
    desk: Terminal, far: mastodon.Server
) -> None:
    connect(desk, far)
    (desk.folder / "var" / "secrets.key").unlink()
    assert "Bring it back" in desk.type("channel", "check", "mastodon", code=1).out
    assert desk.read("channel", "list")[-1]["name"] == "mastodon"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "steps", "works"),
    [
        ("en", "Preferences, Development, New application", "works."),
        ("vi", "Trên máy chủ của bạn: Preferences", "hoạt động tốt."),
    ],
)
def test_at_a_terminal_each_step_is_asked_for_and_no_key_is_shown(
    desk: Terminal, far: mastodon.Server, language: str, steps: str, works: str
) -> None:
    def answers() -> Iterator[str]:
        yield from ("mastodon", "ours", "", "", far.base)
        far.now = datetime.now(UTC)  # it is asked at once, and a slow start must not look like a wrong clock
        yield CANARY

    words = [sys.executable, "-m", "bot", "--config", str(desk.config), "--lang", language, "channel", "add"]
    own, theirs = pty.openpty()
    env = os.environ | {"CAMPAIGNBOT_TOKEN": desk.tokens["chi"], "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    with subprocess.Popen([*words, "--as", "chi"], stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = talk(own, answers(), until=time.monotonic() + 60)
        assert process.wait(10) == 0, shown
    assert steps in shown
    assert works in shown
    assert CANARY not in shown
    assert json.loads(desk.type("channel", "check", "ours", "--json").out)["ours"]["name"] == "@org"


def talk(terminal: int, answers: Iterator[str], until: float) -> str:
    """Answers each prompt; what was shown, to the end."""
    shown = b""
    asked = 0
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.3)[0]:
            line = shown.rsplit(b"\n", 1)[-1]
            if line.rstrip().endswith(b":") and len(shown) > asked:
                asked = len(shown)
                os.write(terminal, next(answers).encode() + b"\n")
            continue
        try:
            shown += os.read(terminal, 4_096)
        except OSError:
            break
    return shown.decode()
