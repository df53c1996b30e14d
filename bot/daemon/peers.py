"""This daemon among others on one PostgreSQL: it hears what they queue, and leads when nobody else does."""

import threading
from collections.abc import Callable

from bot.domain.errors import CampaignError
from bot.logs import log
from bot.store.engine import Store
from bot.store.peers import Line

LISTEN_S = 1.0
AGAIN_S = 2.0


class Peers:
    """`leads` says who plans, tells and signs: one of them at a time, and another as soon as that one is gone.

    On SQLite there is nobody else.
    """

    def __init__(self, store: Store, *, on_news: Callable[[], None], on_lead: Callable[[], None]) -> None:
        self.leads = store.is_sqlite
        self._store, self._on_news, self._on_lead = store, on_news, on_lead
        self._line: Line | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="peers", daemon=True)

    def join(self) -> None:
        """Raises StoreFailed."""
        if not self._store.is_sqlite:
            self._line = Line(self._store)
            self.leads = self._line.take_lead()

    def follow(self) -> None:
        if self._line:
            self._thread.start()

    def leave(self) -> None:
        """Another may lead from now on."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._line:
            self._line.close()

    def _follow(self) -> None:
        while not self._over.is_set():
            try:
                self._listen()
            except CampaignError as error:
                self.leads = False
                log.error("peers_lost", error=type(error).__name__, detail=str(error))
                self._over.wait(AGAIN_S)

    def _listen(self) -> None:
        """News that came while the line was down is found at once, and by the poll."""
        if self._line is None:
            self._line = Line(self._store)
            self._on_news()
        try:
            while not self._over.is_set():
                if not self.leads and self._line.take_lead():
                    self.leads = True
                    log.info("leads")
                    self._on_lead()
                if self._line.wait(LISTEN_S):
                    self._on_news()
        except CampaignError:
            self._line.close()
            self._line = None
            raise
