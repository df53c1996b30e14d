"""A canary in every credential of every service: wherever the program writes, none is found."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contracts.simulators import bluesky, facebook, mastodon, telegram, x
from tests.contracts.simulators.base import Fault, Reply, Simulator
from tests.system.installation import Installation, wait_for
from tests.system.test_daemon import NOW, scheduled

pytestmark = pytest.mark.slow

CANARY = "canary"
TIMES = """
quiet_from = "00:00"
quiet_until = "00:00"
spacing_minutes = 0
daily_cap = 100
"""
# A daemon whose every way out breaks, with the secret in the error's own words.
CRASHING = """
import sys
from bot.platforms import http
def broken(self, *given, **named):
    raise RuntimeError(" ".join(secret.get_secret_value() for secret in self._secrets))
http.Door.call = broken
from bot.cli import invoke
sys.exit(invoke(sys.argv[1:]))
"""


@pytest.fixture
def far() -> Iterator[dict[str, Simulator]]:
    servers: dict[str, Simulator] = {
        "mastodon": mastodon.Server(token=f"{CANARY}-mastodon"),
        "telegram": telegram.Server(token=f"{CANARY}-telegram"),
        "bluesky": bluesky.Server(token=f"{CANARY}-bluesky"),
        "x": x.Server(token=f"{CANARY}-x"),
        "facebook": facebook.Server(token=f"{CANARY}-facebook"),
    }
    with ExitStack() as stack:
        for server in servers.values():
            stack.enter_context(server).now = datetime.now(UTC)
        yield servers


def credentials() -> dict[str, dict[str, str]]:
    return {
        "mastodon": {"access_token": f"{CANARY}-mastodon"},
        "telegram": {"bot_token": f"{CANARY}-telegram", "chat_id": "@kenh"},
        "bluesky": {"identifier": bluesky.HANDLE, "app_password": f"{CANARY}-bluesky"},
        "x": x.Keys.of(f"{CANARY}-x")._asdict(),
        "facebook": {"page_id": facebook.PAGE, "page_token": f"{CANARY}-facebook", "app_secret": facebook.APP_SECRET},
    }


def connect(here: Installation, far: dict[str, Simulator]) -> list[str]:
    said = []
    for service, keys in credentials().items():
        file = here.folder / "keys.toml"
        file.write_text("".join(f'{field} = "{value}"\n' for field, value in keys.items()))
        assert CANARY in file.read_text()
        words = ("channel", "add", "--platform", service, "--name", f"on-{service}", "--api-base", far[service].base)
        done = here.run(*words, "--from-file", str(file), by="an")
        said += [done.stdout, done.stderr]
        file.unlink()
    config = here.config.read_text()
    for service in credentials():
        config = config.replace(f'\nname = "on-{service}"\n', f'\nname = "on-{service}"{TIMES}')
    here.config.write_text(config)
    return said


def arguments_of(process: subprocess.Popen[str]) -> bytes:
    here = Path("/proc") / str(process.pid)
    return b"".join((here / name).read_bytes() for name in ("cmdline", "environ")) if here.exists() else b""


def test_no_secret_is_found_in_anything_the_program_writes(here: Installation, far: dict[str, Simulator]) -> None:
    said = connect(here, far)
    channels = ",".join(f"on-{service}" for service in far)
    for service, server in far.items():
        echo = " ".join(value for value in credentials()[service].values() if CANARY in value)
        fields = {"ok": False, "error_code": 400, "description": echo, "detail": echo, "message": echo, "error": echo}
        server.replies.append(Reply(400, fields | ({"error": {"message": echo}} if service == "facebook" else {})))
        server.faults.append(Fault.CLOSE_AFTER)
    post_id = scheduled(here, "Xin đọc.", "Please read.", NOW, "--channels", channels)
    scheduled(here, "Xin nhớ.", "Remember.", NOW, "--channels", channels)
    with here.running("daemon") as process:
        waiting = {"scheduled", "claimed", "sending"}
        wait_for("tried", lambda: waiting.isdisjoint(here.delivery_states()))
        seen_outside = arguments_of(process)
    (here.folder / "crashing.py").write_text(CRASHING)
    later = scheduled(here, "Xin đọc tiếp.", "Please read on.", NOW, "--channels", "on-mastodon")
    command = [sys.executable, str(here.folder / "crashing.py"), "--config", str(here.config)]
    check = subprocess.run(
        [*command, "channel", "check"], env=here.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert check.returncode == 1
    said += [check.stdout, check.stderr]
    crashed = subprocess.Popen(
        [*command, "daemon"], env=here.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_for("crashed", lambda: set(here.delivery_states(later)) != {"scheduled"})
    crashed.terminate()
    said.append(crashed.communicate(timeout=30)[0])
    asked = (
        ("channel", "check"), ("channel", "list", "--json"), ("doctor",), ("check",), ("delivery", "list", "--json"),
        ("post", "show", str(post_id)), ("audit", "verify"), ("channel", "check", "on-x", "--debug"),
    )  # fmt: skip
    said += [text for words in asked for done in [here.run(*words, code=None)] for text in (done.stdout, done.stderr)]
    exported = here.run("audit", "export", str(here.folder / "log"), by="an", code=None)
    said += [exported.stdout, exported.stderr, here.run("audit", "list", "--json", by="an").stdout]
    assert here.state_of(post_id)
    assert CANARY.encode() not in seen_outside
    assert [text for text in said if CANARY in text] == []
    files = [file for file in here.folder.rglob("*") if file.is_file()]
    assert {here.database, here.folder / "var" / "secrets.json", here.folder / "stderr.txt"} <= set(files)
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


def test_the_pages_are_served_without_the_key_of_the_secrets(here: Installation, far: dict[str, Simulator]) -> None:
    connect(here, far)
    (here.folder / "var" / "secrets.key").rename(here.folder / "elsewhere.key")
    with here.running("web"):
        assert here.read("channel", "list")
    assert "Bring it back" in here.run("channel", "check", "on-x", code=1).stdout
