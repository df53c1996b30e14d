"""An installation as people have it: a folder, the real program in processes of its own, and tokens."""

import hashlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]
PATIENCE_S = 120
"""Only a test that fails waits as long."""
CREW = {"an": "admin", "binh": "coordinator", "chi": "reviewer", "dung": "reviewer"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """`tokens` by alias. Commands run from outside the folder, as a person's would."""

    folder: Path
    port: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def database(self) -> Path:
        return self.folder / "var" / "campaignbot.db"

    @property
    def rehearsed(self) -> Path:
        return self.folder / "var" / "rehearsal"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "bot", "--config", str(self.config), *words]

    def environment(self, alias: str = "", **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
        token = {"CAMPAIGNBOT_TOKEN": self.tokens[alias]} if alias else {}
        return kept | {"PYTHONPATH": str(HOUSE), "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore"} | token | more

    def run(self, *words: str, by: str = "", code: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """`code` is the exit code expected, None for any."""
        acting = ("--as", by) if by else ()
        done = subprocess.run(
            self.command(*words, *acting),
            env=self.environment(by, **more),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert code is None or done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def read(self, *words: str, by: str = "") -> Any:  # noqa: ANN401 - whatever JSON says
        return json.loads(self.run(*words, "--json", by=by).stdout)

    def rows(self, query: str, *values: object) -> list[Any]:
        """Straight from the file: whoever asks again and again must not start a program each time."""
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(query, values).fetchall()

    def state_of(self, post_id: int) -> str:
        ((state,),) = self.rows("SELECT state FROM posts WHERE id = ?", post_id)
        return str(state)

    def delivery_states(self, post_id: int | None = None) -> list[str]:
        """One for each delivery: of this post, or of all."""
        asked = "SELECT state FROM deliveries WHERE post_id = ifnull(?, post_id)"
        return [state for (state,) in self.rows(asked, post_id)]

    def approved(self, post_id: int) -> dict[str, list[dict[str, Any]]]:
        """The parts for each channel, from the text whose digest the reviewers approved."""
        ((manifest, digest),) = self.rows("SELECT manifest, digest FROM posts WHERE id = ?", post_id)
        assert hashlib.sha256(manifest.encode()).hexdigest() == digest
        return {one["channel"]: one["parts"] for one in json.loads(manifest)["renditions"]}

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A foreground process of the program, ready for work; killed at the end if it still runs."""
        with (
            (self.folder / "stderr.txt").open("a") as errors,
            subprocess.Popen(
                self.command(*words), env=self.environment(), stdout=subprocess.PIPE, stderr=errors, text=True
            ) as process,
        ):
            try:
                self.await_ready(process)
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def await_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("Ready"), (line, (self.folder / "stderr.txt").read_text())

    def bring_in(self) -> None:
        for alias, role in CREW.items():
            if alias in self.tokens:
                continue
            said = self.run("user", "add", alias, "--role", role, by="an").stdout
            self.tokens[alias] = token_in(said)

    def went_out(self, channel: str) -> list[Mapping[str, Any]]:
        """What stands in a rehearsal folder, in order of arrival."""
        files = (self.rehearsed / channel).glob("2*/post.json")
        return [json.loads(file.read_text()) for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def arrived_at(self, channel: str) -> list[datetime]:
        files = (self.rehearsed / channel).glob("2*/post.json")
        return sorted(datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in files)


def token_in(said: str) -> str:
    found = re.findall(r"[A-Za-z0-9_-]{40,}", said)
    assert len(found) == 1, said
    return str(found[0])


def configure(folder: Path, *, likes: tuple[str, ...], port: int, **publishing: float) -> None:
    """A configuration without quiet hours or a cap that a test's own time of day could meet."""
    lines = ["[web]", f"port = {port}", "[publishing]", *(f"{key} = {value}" for key, value in publishing.items())]
    for like in likes:
        lines += ["[[channel]]", f'name = "{like}"', 'platform = "rehearsal"', f'like = "{like}"']
        lines += ['quiet_from = "00:00"', 'quiet_until = "00:00"', "spacing_minutes = 0", "daily_cap = 100"]
    (folder / "config.toml").write_text("\n".join(lines) + "\n")


def install(folder: Path, *, likes: tuple[str, ...] = ("x", "facebook")) -> Installation:
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configure(folder, likes=likes, port=port, poll_s=0.2, request_timeout_s=1, lease_s=3, settle_s=3)
    made = Installation(folder, port)
    made.tokens["an"] = token_in(made.run("init", "--admin", "an").stdout)
    made.bring_in()
    return made


def copy(original: Installation, folder: Path) -> Installation:
    shutil.copytree(original.folder, folder)
    made = Installation(folder, free_port(), dict(original.tokens))
    made.config.write_text(original.config.read_text().replace(f"port = {original.port}", f"port = {made.port}"))
    return made


def wait_for(what: str, is_so: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    until = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < until, f"not within {within_s} s: {what}"
        time.sleep(0.05)
