"""One thread ends whatever has lasted too long, for all doors: a thread a request would cost more than the request."""

import threading
import time
from collections.abc import Callable
from math import inf


class Patience:
    """`end` is called once the seconds are over, unless the watch was ended before; it must not wait for anything."""

    def __init__(self) -> None:
        self._watched: dict[object, tuple[float, Callable[[], None]]] = {}
        self._news = threading.Condition()
        self._wakes = inf
        self._thread: threading.Thread | None = None

    def watch(self, key: object, seconds: float, end: Callable[[], None]) -> None:
        """Instead of what was said of this key before."""
        until = time.monotonic() + seconds
        with self._news:
            self._watched[key] = until, end
            if until < self._wakes:
                self._news.notify()
            if self._thread is None or not self._thread.is_alive():  # as after a fork
                self._thread = threading.Thread(target=self._run, name="patience", daemon=True)
                self._thread.start()

    def forget(self, key: object) -> None:
        """Once this returns it is not ended any more."""
        with self._news:
            self._watched.pop(key, None)

    def _run(self) -> None:
        with self._news:
            while True:
                now = time.monotonic()
                for key, (until, end) in tuple(self._watched.items()):
                    if until <= now:
                        del self._watched[key]
                        end()
                self._wakes = min((until for until, _ in self._watched.values()), default=inf)
                self._news.wait(None if self._wakes == inf else max(self._wakes - now, 0.0))
