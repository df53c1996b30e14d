"""Where a process can be made to die or to stand still: between any two things that publishing does.

Runs inside the daemon's process, which a test has forked and which lays these over the program's functions;
the program itself knows nothing of them.
"""

import http.client
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from bot.daemon import dispatch
from bot.daemon.peers import Peers
from bot.platforms import http as door
from bot.services import audit, deliver
from bot.store.keystore import Keystore

Function = Callable[..., Any]
# What is wrapped, by where the step lies.
BEFORE: dict[str, tuple[Any, str]] = {
    "before the clock is looked at": (dispatch, "answer"),
    "before the first byte": (door._Trip, "leave"),  # noqa: SLF001 - there is no seam: nothing may come between
    "sent, and not answered": (http.client.HTTPConnection, "getresponse"),
    "while a wave is written": (deliver, "share"),
    "before the checkpoint is remembered": (Keystore, "remember"),
    "before anybody leads": (Peers, "join"),
}
AFTER: dict[str, tuple[Any, str]] = {
    "when `sending` is written, and not committed": (deliver, "_begin_sending"),
    "when a look is written, and not committed": (deliver, "_begin_look"),
    "when a wave is committed": (deliver, "wave"),
    "answered, and not written": (dispatch, "answer"),
    "when an answer is written, and not committed": (deliver, "conclude"),
    "when a look's answer is written, and not committed": (deliver, "conclude_look"),
    "when leases are looked after": (deliver, "reap"),
    "when a move is written, and not committed": (deliver, "move"),
    "when it has started": (deliver, "start"),
    "when the log was signed": (audit, "checkpoint"),
}
STEPS = (*BEFORE, *AFTER)


def arm(step: str, number: int, fate: str) -> None:
    """The `number`th time this process reaches the step, it gets the signal of that name."""
    left = [number]
    once = threading.Lock()

    def reached() -> None:
        with once:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.Signals[fate])

    owner, name = (BEFORE if step in BEFORE else AFTER)[step]
    inner: Function = getattr(owner, name)

    def outer(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
        if step in BEFORE:
            reached()
            return inner(*given, **named)
        result = inner(*given, **named)
        reached()
        return result

    setattr(owner, name, outer)
