"""Daemons by the thousand: a process that has read the program once, and forks each of them from itself.

`python -m tests.torture.nursery CONFIG LOG` reads orders from stdin, one JSON object a line, and answers with a
process id. The children are the real program: `campaignbot --config CONFIG daemon`.
"""

import faulthandler
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.system.installation import HOUSE

GONE_WITHIN_S = 30


def main(config: str, log: str) -> None:
    import bot.cli  # noqa: PLC0415
    import bot.daemon.daemon  # noqa: PLC0415 - only the nursery needs the whole program in memory
    import bot.platforms.bluesky  # noqa: PLC0415
    import bot.platforms.facebook  # noqa: PLC0415
    import bot.platforms.mastodon  # noqa: PLC0415
    import bot.platforms.telegram  # noqa: PLC0415
    import bot.platforms.x  # noqa: PLC0415
    from tests.torture import naive, steps  # noqa: PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child:
            print(child, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with Path(log).open("a") as errors, Path(os.devnull).open("r+") as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)
            os.dup2(errors.fileno(), 2)
        faulthandler.register(signal.SIGUSR1, chain=False)
        if "naive" in order:
            naive.publish(config)
        if "step" in order:
            steps.arm(order["step"], order["number"], order["fate"])
        sys.argv = ["campaignbot", "--config", config, "daemon"]
        bot.cli.main()
        os._exit(0)


class Nursery:
    """The orders, from outside; `more` is of the children's environment."""

    def __init__(self, config: Path, log: Path, **more: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.nursery", str(config), str(log)],
            env=kept | {"PYTHONPATH": str(HOUSE), "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore"} | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._process.stdout.readline()  # it has read the program
        self._children: list[Child] = []

    def spawn(self, order: Mapping[str, Any]) -> "Child":
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        child = Child(int(self._process.stdout.readline()), order)
        self._children = [*(each for each in self._children if each.is_alive), child]
        return child

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        """Whoever still lives is killed, also where a test failed: the next one must not meet them."""
        for child in self._children:
            child.send(signal.SIGKILL)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Child:
    """One daemon, held by a handle and not by its number, which the system soon gives to somebody else."""

    def __init__(self, pid: int, order: Mapping[str, Any]) -> None:
        self.pid, self.order = pid, order
        self.wakes: float | None = None
        self._handle: int | None = None
        with suppress(ProcessLookupError):
            self._handle = os.pidfd_open(pid)

    def send(self, what: signal.Signals) -> None:
        if self.is_alive and self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, what)

    @property
    def is_alive(self) -> bool:
        if self._handle is not None and select.select([self._handle], [], [], 0)[0]:
            os.close(self._handle)
            self._handle = None
        return self._handle is not None

    @property
    def is_stopped(self) -> bool:
        if not self.is_alive:
            return False
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        return False

    def end(self) -> None:
        """In good order."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        until = time.monotonic() + GONE_WITHIN_S
        while self.is_alive:
            if time.monotonic() > until:
                self.send(signal.SIGUSR1)  # its threads then stand in the log
                raise AssertionError(f"{self.pid} did not end")
            time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
