"""The server of the pages works out what takes long before anybody asks."""

import time
from pathlib import Path

import pytest

from bot.services import known
from bot.services.context import Context
from bot.settings import load_settings
from bot.web import serve
from bot.web.serve import WebServer
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.writing import on_file


def test_everybody_is_at_hand_before_the_first_visitor(
    ctx: Context, crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_file(ctx, a_case(an_event()), by=crew.binh)
    config = tmp_path / "config.toml"
    config.write_text("[web]\nport = 0\n")
    monkeypatch.setattr(serve, "WARM_AFTER_S", 0.0)
    server = WebServer(ctx, load_settings(config))
    thread = server.run_beside()
    until = time.monotonic() + 60
    while ctx.store not in known.at_hand and time.monotonic() < until:
        time.sleep(0.01)
    server.close()
    thread.join(10)
    assert list(known.at_hand[ctx.store].cases) == ["nguyen-van-a"]
