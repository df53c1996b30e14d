"""The running program: on time, once, in good order, whatever is done to it."""

import json
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.installation import Installation, wait_for

CAMPAIGN = "stop-the-crackdown-vn"
ON_TIME_S = 3.0  # a second where the machine has nothing else to do, as `make bench` measures
LEASE_S = 3
# Due as soon as two people have agreed: nobody waits for a moment that a busy machine might miss.
NOW = "now"
LIKES = ("x", "facebook")


def write(here: Installation, vi: str, en: str, at: datetime | str, *more: str) -> int:
    due = at if isinstance(at, str) else at.isoformat()
    here.run(*("post", "add", "--campaign", CAMPAIGN, "--vi", vi, "--en", en, "--at", due, *more), by="binh")
    return max(int(row["id"]) for row in here.read("post", "list"))


def approve(here: Installation, post_id: int, by: str = "chi") -> None:
    digest = here.read("post", "show", str(post_id))["digest"]
    here.run("post", "approve", str(post_id), "--digest", digest, by=by)


def scheduled(here: Installation, vi: str, en: str, at: datetime | str, *more: str) -> int:
    post_id = write(here, vi, en, at, *more)
    here.run("post", "submit", str(post_id), by="binh")
    approve(here, post_id)
    return post_id


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def get(here: Installation, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{here.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_post_leaves_within_a_second_of_its_time_and_never_before(here: Installation) -> None:
    due = in_seconds(12)
    post_id = scheduled(here, "Xin đọc câu chuyện này.", "Please read this story.", due)
    with here.running("daemon"):
        ready = in_seconds(0)
        wait_for("published", lambda: here.state_of(post_id) == "published")
    first = here.arrived_at("x")[0]
    assert due <= first <= max(due, ready) + timedelta(seconds=ON_TIME_S)
    assert [post["text"] for post in here.went_out("x")] == ["Xin đọc câu chuyện này.", "Please read this story."]
    assert [post["languages"] for post in here.went_out("facebook")] == [["vi", "en"]]


def test_a_post_added_while_the_daemon_runs_leaves_on_time(here: Installation) -> None:
    with here.running("daemon"):
        due = in_seconds(10)
        post_id = scheduled(here, "Một.", "One.", due)
        approved = in_seconds(0)
        wait_for("published", lambda: here.state_of(post_id) == "published")
    assert due <= here.arrived_at("x")[0] <= max(due, approved) + timedelta(seconds=ON_TIME_S)


def test_sigterm_ends_it_in_good_order_with_a_signed_checkpoint(here: Installation) -> None:
    with here.running("run") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    verdict = here.run("audit", "verify")
    assert verdict.returncode == 0
    with closing(sqlite3.connect(here.database)) as database:
        size = database.execute("SELECT max(seq) + 1 FROM audit_records").fetchone()[0]
        signed = database.execute("SELECT max(size) FROM checkpoints").fetchone()[0]
    assert signed == size


def test_it_says_how_it_is(here: Installation) -> None:
    with here.running("run"):
        assert get(here, "/healthz") == (200, "ok\n")
        status, figures = get(here, "/metrics")
        assert status == 200
        assert 'campaignbot_deliveries{state="scheduled"}' in figures
        assert "campaignbot_heartbeat_age_seconds" in figures
        assert get(here, "/nothing")[0] == 404


def test_a_second_daemon_stands_by_and_takes_over(here: Installation) -> None:
    standing_by = here.command("daemon")
    with (
        here.running("daemon") as first,
        subprocess.Popen(
            standing_by, env=here.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as second,
    ):
        time.sleep(2)
        assert second.poll() is None
        first.kill()
        here.await_ready(second)
        post_id = scheduled(here, "Hai.", "Two.", NOW)
        wait_for("published", lambda: here.state_of(post_id) == "published")
        second.kill()
    assert len(here.went_out("x")) == 2


def test_what_was_edited_by_raw_sql_after_approval_is_held(here: Installation) -> None:
    post_id = scheduled(here, "Ba.", "Three.", NOW)
    with closing(sqlite3.connect(here.database)) as database, database:
        database.execute("UPDATE deliveries SET content = replace(content, 'Ba.', 'Bốn.')")
    with here.running("daemon"):
        wait_for("held", lambda: "held" in here.delivery_states())
    rows = here.read("delivery", "list")
    assert {row["reason"] for row in rows if row["channel"] == "facebook"} == {"content_changed"}
    assert here.went_out("facebook") == []
    assert here.state_of(post_id) == "scheduled"


def test_an_old_database_put_back_stops_everything_and_says_what_to_do(here: Installation) -> None:
    scheduled(here, "Bốn.", "Four.", NOW)
    old = here.database.with_name("old.db")
    with closing(sqlite3.connect(here.database)) as database, closing(sqlite3.connect(old)) as copy:
        database.backup(copy)
    write(here, "Năm.", "Five.", NOW)
    here.run("audit", "checkpoint")
    for name in ("", "-wal", "-shm"):
        here.database.with_name(here.database.name + name).unlink(missing_ok=True)
    old.rename(here.database)
    with here.running("daemon") as process:
        wait_for("both accounts held", lambda: here.delivery_states().count("held") == len(LIKES))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert {row["reason"] for row in here.read("delivery", "list", "--state", "held")} == {"halt"}
    assert here.went_out("x") == here.went_out("facebook") == []
    log = [json.loads(line) for line in (here.folder / "stderr.txt").read_text().splitlines()]
    details = {line["detail"] for line in log if line["level"] == "error"}
    (said,) = details
    assert said.startswith("Entries that were signed here are gone")
    assert "put back the newest copy of the whole folder" in said
    doctor = here.run("doctor", code=1).stdout
    assert f"✕ {said}\n" in doctor
    assert "by campaignbot: the database was put back from a copy, or moved" in doctor


def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(here: Installation) -> None:
    first_due = in_seconds(40)
    texts = [f"Câu chuyện số {number}." for number in range(3)]
    for number, text in enumerate(texts):
        due = first_due + timedelta(seconds=number)
        scheduled(here, text, f"Story number {number}.", due, "--grace", "12h")
    with here.running("daemon"):
        wait_for("the first posts", lambda: len(here.went_out("x")) >= 1)
    for _ in range(6):
        with here.running("daemon"):
            time.sleep(0.3)
    with here.running("daemon"):
        wait_for("nothing left in flight", lambda: not _waiting(here))
    for channel, expected in (("x", 6), ("facebook", 3)):
        sent = [post["text"] for post in here.went_out(channel)]
        assert len(sent) == len(set(sent)) == expected
    assert here.run("audit", "verify").returncode == 0


def _waiting(here: Installation) -> list[str]:
    over = {"published", "failed", "missed", "cancelled", "held"}
    return [state for state in here.delivery_states() if state not in over]


@pytest.mark.parametrize("languages", [("en", "Error"), ("vi", "Lỗi")])
def test_a_database_that_is_not_there_is_one_clear_line(tmp_path: Path, languages: tuple[str, str]) -> None:
    bare = Installation(tmp_path)
    language, word = languages
    done = bare.run("--lang", language, "daemon", code=2)
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith(word)
