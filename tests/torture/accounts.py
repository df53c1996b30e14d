"""Services that fail at random, each with a ledger of its own: what stands there is the only judge."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import Any, Self

from tests.contracts.simulators import bluesky, facebook, mastodon, telegram, x
from tests.contracts.simulators.base import Asked, Fault, Reply, Simulator

TOKEN = "torture-token"
# Later than the caller's patience of a second, sooner than anybody may look.
LATE_S = (0.2, 1.8)
CHANCE = random.Random()
CONFIG = """
[[channel]]
name = "{name}"
platform = "{platform}"
api_base = "{base}"
layout = "{layout}"
quiet_from = "00:00"
quiet_until = "00:00"
spacing_minutes = 0
daily_cap = 100
[channel.credentials]
"""


@dataclass(frozen=True)
class Arrival:
    """One request to publish, as its first line came in."""

    at: datetime
    asked: Asked


class Failing(Simulator):
    """On the machine's clock. `fault_rate` is the part of all writes whose answer is lost, late, cut or nonsense;
    `slow_s` is how long each takes.
    """

    fault_rate = 0.0
    slow_s = 0.0

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @now.setter
    def now(self, _: datetime) -> None:
        """Time is what it is."""

    @property
    def arrivals(self) -> list[Arrival]:
        return list(self.__dict__.setdefault("_arrivals", []))

    def __enter__(self) -> Self:
        vars(self._server)["handle_error"] = lambda *_: None  # whoever asks may be killed at any moment
        return super().__enter__()

    def take(self, asked: Asked) -> tuple[Reply, Fault | None]:
        if not self.is_write(asked):
            return super().take(asked)
        self.__dict__.setdefault("_arrivals", []).append(Arrival(self.now, asked))
        time.sleep(self.slow_s)
        if CHANCE.random() >= self.fault_rate:
            return super().take(asked)
        fault = CHANCE.choice([*Fault, None])
        if fault is None:  # applied after the caller was cut off
            Timer(CHANCE.uniform(*LATE_S), super().take, (asked,)).start()
            return Reply(), Fault.CLOSE_BEFORE
        self.faults.append(fault)
        return super().take(asked)


class OnMastodon(Failing, mastodon.Server):
    pass


class OnTelegram(Failing, telegram.Server):
    pass


class OnBluesky(Failing, bluesky.Server):
    pass


class OnX(Failing, x.Server):
    pass


class OnFacebook(Failing, facebook.Server):
    pass


@dataclass(frozen=True)
class Kind:
    """A service: whether it can prove what it holds, what an account signs in with, and how to read its ledger.

    `most` is how many posts an account is given in a quarter of an hour: X lets only a hundred writes through.
    """

    opening: Callable[[], Any]
    proves: bool
    credentials: Mapping[str, str]
    seen: Callable[[Any], Iterable[str]]
    layout: str = "joined"
    most: int = 95


KINDS: Mapping[str, Kind] = {
    "mastodon": Kind(
        lambda: OnMastodon(token=TOKEN),
        proves=True,
        credentials={"access_token": TOKEN},
        seen=lambda server: [status["text"] for status in server.statuses.values()],
    ),
    "bluesky": Kind(
        lambda: OnBluesky(token=TOKEN),
        proves=True,
        credentials={"identifier": bluesky.HANDLE, "app_password": TOKEN},
        seen=lambda server: [post["text"] for post in server.posts],
        layout="thread",
    ),
    "telegram": Kind(
        lambda: OnTelegram(token=TOKEN),
        proves=False,
        credentials={"bot_token": TOKEN, "chat_id": "@kenh"},
        seen=lambda server: [message["text"] for message in server.messages.values()],
    ),
    "x": Kind(
        lambda: OnX(token=TOKEN),
        proves=True,
        credentials=x.Keys.of(TOKEN)._asdict(),
        seen=lambda server: [post["written"] for post in server.posts.values()],
        layout="thread",
        most=25,
    ),
    "facebook": Kind(
        lambda: OnFacebook(token=TOKEN),
        proves=False,
        credentials={"page_id": facebook.PAGE, "page_token": TOKEN, "app_secret": facebook.APP_SECRET},
        seen=lambda server: [post["message"] for post in server.posts.values()],
    ),
}
OPEN = {"identifier", "chat_id", "page_id"}


@dataclass(frozen=True)
class Account:
    name: str
    kind: Kind
    server: Any

    def configure(self, folder: Path) -> str:
        """What config.toml says of it; its secrets lie in files."""
        platform = self.name.partition("-")[0]
        lines = [CONFIG.format(name=self.name, platform=platform, base=self.server.base, layout=self.kind.layout)]
        for name, value in self.kind.credentials.items():
            if name in OPEN:
                lines.append(f'{name} = "{value}"\n')
            else:
                (folder / f"{self.name}-{name}").write_text(value)
                lines.append(f'{name} = {{ file = "{self.name}-{name}" }}\n')
        return "".join(lines)


def accounts(each: int, kinds: Iterable[str] = KINDS) -> list[Account]:
    """So many of each kind."""
    return [Account(f"{name}-{number}", KINDS[name], KINDS[name].opening()) for number in range(each) for name in kinds]
