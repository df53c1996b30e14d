"""An installation with its people in it, at whose terminal a test can sit; made once and copied for each test."""

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot import i18n
from bot.cli import invoke
from bot.store import tables
from bot.store.engine import Store

PEOPLE = {"chi": "admin", "lan": "coordinator", "minh": "reviewer,auditor", "hoa": "reviewer"}
CONFIG = """
[[channel]]
name = "x"
platform = "rehearsal"
like = "x"

[[channel]]
name = "facebook"
platform = "rehearsal"
like = "facebook"
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return self.out + self.err


@dataclass
class Terminal:
    """Commands in this process, in a folder of their own; `tokens` by alias."""

    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def type(self, *words: str, by: str = "", code: int = 0, stdin: str | bytes = "", token: str | None = None) -> Said:
        """Asserts the exit code. Only the person who acts has a token at hand."""
        out, err = io.StringIO(), io.StringIO()
        raw = stdin if isinstance(stdin, bytes) else stdin.encode()
        acting = ["--as", by] if by else []
        with pytest.MonkeyPatch.context() as machine, redirect_stdout(out), redirect_stderr(err):
            machine.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
            machine.setenv("CAMPAIGNBOT_TOKEN", self.tokens.get(by, "") if token is None else token)
            done = invoke(["--config", str(self.config), *words, *acting])
        i18n.use("en")
        said = Said(done, out.getvalue(), err.getvalue())
        assert done == code, f"{words}: {done}\n{said}"
        return said

    def read(self, *words: str, by: str = "", code: int = 0) -> Any:  # noqa: ANN401 - whatever JSON says
        return json.loads(self.type(*words, "--json", by=by, code=code).out)

    def add_user(self, alias: str, roles: str, by: str = "chi") -> None:
        self.tokens[alias] = self.type("user", "add", alias, "--role", roles, by=by).out.split()[-1]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    folder = tmp_path_factory.mktemp("installations") / "first"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG)
    terminal = Terminal(folder)
    terminal.type("init")
    for alias, roles in PEOPLE.items():
        terminal.add_user(alias, roles, by="chi" if terminal.tokens else "")
    return terminal


def as_if_just_made(folder: Path) -> None:
    """However long ago the first test ran."""
    store = Store(f"sqlite:///{folder / 'var' / 'campaignbot.db'}")
    with store.write() as tx:
        tx.execute(update(tables.people).values(token_at=datetime.now(UTC)))
    store.close()


@pytest.fixture
def desk(made_once: Terminal, tmp_path: Path) -> Terminal:
    folder = tmp_path / "bot"
    shutil.copytree(made_once.folder, folder)
    as_if_just_made(folder)
    return Terminal(folder, dict(made_once.tokens))


@pytest.fixture
def outside(tmp_path: Path) -> Terminal:
    """A folder with nothing in it."""
    (tmp_path / "empty").mkdir()
    return Terminal(tmp_path / "empty")
