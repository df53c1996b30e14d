"""Serves the pages with waitress, in the foreground or beside the daemon."""

import threading
from contextlib import suppress
from typing import Any

from waitress.server import create_server

from bot.domain.errors import CampaignError, Misconfigured
from bot.i18n import LANGUAGES
from bot.services import forecast, register
from bot.services.context import Context
from bot.settings import Settings
from bot.web import create_app
from bot.web.frame import Site

THREADS = 8
# The daemon beside it comes first: something may be due.
WARM_AFTER_S = 2.0


class WebServer:
    """Raises Misconfigured when the address cannot be had."""

    def __init__(self, ctx: Context, settings: Settings) -> None:
        web, bot, self._ctx = settings.web, settings.bot, ctx
        host, port, self._public = web.host, web.port, web.address
        site = Site(bot.name, bot.timezone, web.address)
        try:
            self._server = create_server(create_app(ctx, site), host=host, port=port, threads=THREADS, ident=None)
        except OSError as error:
            raise Misconfigured(
                "Port {port} on {host} cannot be had ({why}). Set another one under [web] in config.toml.",
                port=port,
                host=host,
                why=error.strerror or "no reason given",
            ) from error

    @property
    def address(self) -> str:
        """Where people find it: the address of the settings, else where it listens, on the port that was free."""
        if self._public:
            return f"{self._public}/"
        server: Any = self._server
        listens = getattr(server, "effective_listen", None)
        host, port = listens[0] if listens else (server.effective_host, server.effective_port)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def run(self) -> None:
        """Blocks until `close`."""
        warming = threading.Timer(WARM_AFTER_S, self._warm)
        warming.daemon = True
        warming.start()
        self._server.run()
        warming.cancel()

    def _warm(self) -> None:
        """What rests on all cases is worked out before the first visitor waits for it; what is wrong, pages say."""
        with suppress(CampaignError):
            forecast.look(self._ctx)
            register.look(self._ctx, register.Wanted(), language=LANGUAGES[0], start=0, most=1)

    def run_beside(self) -> threading.Thread:
        thread = threading.Thread(target=self.run, name="web", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        self._server.close()
