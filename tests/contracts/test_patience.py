"""The one thread that ends what lasts too long, however many wait and in whatever order they came."""

import threading
import time
from functools import partial

from bot.platforms.patience import Patience


def test_each_is_ended_when_its_own_time_is_over_and_the_forgotten_never() -> None:
    patience, began = Patience(), time.monotonic()
    ended: dict[str, float] = {}
    last = threading.Event()

    def end(name: str) -> None:
        ended[name] = time.monotonic() - began
        if name == "later":
            last.set()

    for name, seconds in (("long", 30.0), ("forgotten", 0.05), ("later", 0.2), ("sooner", 0.1)):
        patience.watch(name, seconds, partial(end, name))
    patience.forget("forgotten")
    assert last.wait(10)
    assert list(ended) == ["sooner", "later"]
    assert ended["sooner"] >= 0.1
    assert ended["later"] >= 0.2


def test_what_is_watched_anew_is_given_its_time_anew() -> None:
    patience, ended = Patience(), threading.Event()
    patience.watch("way", 0.05, lambda: None)
    patience.watch("way", 0.15, ended.set)
    began = time.monotonic()
    assert ended.wait(10)
    assert time.monotonic() - began >= 0.1
