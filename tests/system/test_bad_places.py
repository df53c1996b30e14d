"""Where the program must live at times: a full disk, a folder it may not write, a file that is not a database."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.installation import Installation, wait_for
from tests.system.test_daemon import CAMPAIGN, scheduled

ROOM = "24m"
# Nobody, who may read all (the interpreter can lie in a home that only root may enter) but write nothing here.
AS_NOBODY = (
    "setpriv",
    *("--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"),
    *(f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
)


@pytest.fixture
def small_disk(here: Installation) -> Iterator[Installation]:
    """The same installation with its data on a disk of its own, small enough to fill."""
    data = here.folder / "var"
    kept = here.folder / "kept"
    data.rename(kept)
    data.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(data))
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root, with the right to mount")
    try:
        shutil.copytree(kept, data, dirs_exist_ok=True)
        data.chmod(0o700)
        yield here
    finally:
        subprocess.run(("umount", "--lazy", str(data)), check=True)


def fill(here: Installation) -> Path:
    filler = here.folder / "var" / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return filler


def entries(here: Installation) -> int:
    with closing(sqlite3.connect(here.database)) as database:
        return int(database.execute("SELECT count(*) FROM audit_records").fetchone()[0])


ADD = ("post", "add", "--campaign", CAMPAIGN, "--vi", "Một.", "--en", "One.", "--at", "2099-01-05 09:00")


def test_on_a_full_disk_a_command_says_so_and_nothing_is_lost(small_disk: Installation) -> None:
    before = entries(small_disk)
    filler = fill(small_disk)
    done = small_disk.run(*ADD, by="binh", code=1)
    assert "full" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    filler.unlink()
    assert entries(small_disk) == before
    small_disk.run(*ADD, by="binh")
    assert small_disk.run("audit", "verify").returncode == 0


def test_on_a_full_disk_the_daemon_sends_nothing_and_goes_on_when_there_is_room(small_disk: Installation) -> None:
    due = datetime.now(UTC) + timedelta(seconds=12)
    post_id = scheduled(small_disk, "Hai.", "Two.", due, "--grace", "12h")
    with small_disk.running("daemon"):
        filler = fill(small_disk)
        log = small_disk.folder / "stderr.txt"
        wait_for("the daemon to say so", lambda: "wave_failed" in log.read_text())
        assert small_disk.went_out("x") == []
        filler.unlink()
        wait_for("published", lambda: small_disk.state_of(post_id) == "published")
    assert [post["text"] for post in small_disk.went_out("x")] == ["Hai.", "Two."]
    assert small_disk.run("audit", "verify").returncode == 0


def test_a_folder_that_may_not_be_written_is_one_clear_line(here: Installation) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can run a child as somebody else")
    for path in (here.folder, *here.folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    done = subprocess.run(
        [*AS_NOBODY, *here.command(*ADD, "--as", "binh")],
        env=here.environment("binh", PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("Error: ")


@pytest.mark.parametrize("rubbish", [b"not a database at all", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_kept_and_said(here: Installation, rubbish: bytes) -> None:
    for side in ("-wal", "-shm", "-journal"):
        here.database.with_name(here.database.name + side).unlink(missing_ok=True)
    here.database.write_bytes(rubbish)
    done = here.run("post", "list", code=None)
    assert done.returncode in {1, 2}
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Something went wrong on our side" not in done.stderr
    assert here.database.read_bytes() == rubbish
