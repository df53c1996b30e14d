"""The daemon as it is, on a clock that is ahead by so many seconds: `python -m tests.bench.worker CONFIG SECONDS`.

An account takes up to 1,000 posts a day here and as many an hour to catch up, since ten thousand at once are more than
people may ever want.
"""

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import build
from bot.daemon.daemon import Daemon
from bot.doors import SystemClock
from bot.services.context import Context
from bot.settings import load_settings

CAP = 1_000


class Ahead(SystemClock):
    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead


def furnished(config: Path, ahead_s: float) -> Context:
    ctx = build(load_settings(config))
    channels = {name: replace(each, rhythm=replace(each.rhythm, daily_cap=CAP)) for name, each in ctx.channels.items()}
    publishing = replace(ctx.publishing, catch_up_per_hour=CAP)
    return replace(ctx, clock=Ahead(ahead_s), channels=channels, publishing=publishing)


if __name__ == "__main__":
    daemon = Daemon(furnished(Path(sys.argv[1]), float(sys.argv[2])))
    daemon.stop_on_signals()
    daemon.run(ready=lambda: print("Ready", flush=True))
