"""Serves the pages with waitress, in the foreground or beside the daemon."""

import threading
from typing import Any

from waitress.server import create_server

from bot.domain.errors import Misconfigured
from bot.services.context import Context
from bot.settings import Settings
from bot.web import create_app
from bot.web.frame import Site

THREADS = 8


class WebServer:
    """Raises Misconfigured when the address cannot be had."""

    def __init__(self, ctx: Context, settings: Settings) -> None:
        web, bot = settings.web, settings.bot
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
        self._server.run()

    def run_beside(self) -> threading.Thread:
        thread = threading.Thread(target=self.run, name="web", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        self._server.close()
