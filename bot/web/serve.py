"""Serves the pages with waitress, in the foreground or beside the daemon."""

import threading
from typing import Any

from waitress.server import create_server

from bot.domain.errors import Misconfigured
from bot.services.context import Context
from bot.web import create_app

THREADS = 8


class WebServer:
    """Raises Misconfigured when the address cannot be had."""

    def __init__(self, ctx: Context, host: str, port: int) -> None:
        try:
            self._server = create_server(create_app(ctx), host=host, port=port, threads=THREADS, ident=None)
        except OSError as error:
            raise Misconfigured(
                "Port {port} on {host} cannot be had ({why}). Set another one under [web] in config.toml.",
                port=port,
                host=host,
                why=error.strerror or "no reason given",
            ) from error

    @property
    def address(self) -> str:
        """Where it listens; tells the port that was free where port 0 was asked for."""
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
