"""Taking back what is out, on the command line: what was asked, and what came of it."""

import re
import sqlite3
from pathlib import Path

from bot.app import build
from bot.services import deliver
from bot.services.errands import Done, answer
from bot.settings import load_settings
from tests.cli.conftest import Terminal

CAMPAIGN = "stop-the-crackdown-vn"
TEXTS = ("--vi", "Tự do cho Nguyễn Văn Đài.", "--en", "Freedom for Nguyen Van Dai.")


def daemon(desk: Terminal) -> None:
    """What a daemon would do now, until nothing is left to do."""
    ctx = build(load_settings(desk.config))
    worker = deliver.start(ctx, "test")
    done: list[Done] = []
    while errands := deliver.wave(ctx, worker, done, tuple(ctx.channels)):
        done = [answer(ctx, errand) for errand in errands]
    ctx.store.close()


def published(desk: Terminal, *more: str) -> str:
    desk.config.write_text(
        desk.config.read_text().replace('like = "', 'quiet_from = "00:00"\nquiet_until = "00:00"\nlike = "')
    )
    said = desk.type("post", "add", "--campaign", CAMPAIGN, *TEXTS, "--at", "now", *more, by="lan").out
    found = re.match(r"Post (\d+)", said)
    assert found, said
    desk.type("post", "submit", found[1], by="lan")
    digest = desk.read("post", "show", found[1])["digest"]
    desk.type("post", "approve", found[1], "--digest", digest, by="minh")
    daemon(desk)
    assert desk.read("post", "show", found[1])["state"] == "published"
    return found[1]


def test_what_became_of_an_attempt_is_said_in_words(desk: Terminal) -> None:
    post = published(desk)
    number = str(desk.read("delivery", "list", "--post", post)[0]["id"])
    assert re.search(r"^  1\. \S+ \S+  sent  ", desk.type("delivery", "show", number).out, re.MULTILINE)
    assert "  đã gửi  " in desk.type("--lang", "vi", "delivery", "show", number).out


def test_a_published_post_is_taken_down_by_the_daemon_and_the_list_says_so(desk: Terminal) -> None:
    post = published(desk)
    said = desk.type("post", "withdraw", post, "--reason", "sai ngày", "--wait", "0", by="minh").out
    assert said.count("to be taken down") == 3
    assert "The daemon takes the rest down" in said
    daemon(desk)
    assert {bool(each["withdrawn_at"]) for each in desk.read("delivery", "list", "--post", post)} == {True}
    assert desk.type("delivery", "list", "--post", post).out.count("taken down") == 3
    assert desk.read("post", "show", post)["state"] == "withdrawn"
    folders = list((desk.folder / "var" / "rehearsal").glob("*/withdrawn/*"))
    assert len(folders) == 3


def test_what_is_not_out_is_not_withdrawn(desk: Terminal) -> None:
    desk.type("post", "add", "--campaign", CAMPAIGN, *TEXTS, "--at", "2126-12-10 09:00", by="lan")
    post = str(max(each["id"] for each in desk.read("post", "list")))
    assert "post cancel" in desk.type("post", "withdraw", post, "--reason", "sai", by="lan", code=1).err


def test_when_a_family_asks_everything_goes_and_nothing_new_comes(desk: Terminal) -> None:
    post = published(desk, "--case", "nguyen-van-dai")
    said = desk.type("case", "withdraw", "nguyen-van-dai", "--reason", "gia đình yêu cầu", "--wait", "0", by="lan").out
    assert said.startswith("The case is held")
    daemon(desk)
    assert desk.read("post", "show", post)["state"] == "withdrawn"
    assert "held" in desk.type("case", "show", "nguyen-van-dai").out


def test_what_others_took_down_is_told_until_somebody_acknowledges_it(desk: Terminal) -> None:
    post = published(desk)
    with sqlite3.connect(desk.folder / "var" / "campaignbot.db") as database:
        database.execute("UPDATE deliveries SET sighting = 'gone', looked_at = published_at WHERE channel = 'x'")
    assert "✕ Published, and since then gone or changed by others:" in desk.type("doctor", code=1).out
    lost = [row["id"] for row in desk.read("delivery", "list", "--lost")]
    assert lost
    assert "no longer there" in desk.type("delivery", "list", "--lost").out
    assert "no longer there" in desk.type("post", "show", post).out
    assert "Looked at 20" in desk.type("delivery", "show", str(lost[0])).out
    for each in lost:
        desk.type("delivery", "acknowledge", str(each), by="lan")
    assert desk.read("delivery", "list", "--lost") == []
    assert "gone or changed" not in desk.type("doctor").out


def test_what_stops_works_whatever_is_wrong_in_the_files_people_edit(desk: Terminal) -> None:
    out = published(desk)
    waiting = re.match(r"Post (\d+)", desk.type(
        "post", "add", "--campaign", CAMPAIGN, *TEXTS, "--slot", "next", by="lan").out)  # fmt: skip
    assert waiting
    with sqlite3.connect(desk.folder / "var" / "campaignbot.db") as database:
        database.execute("UPDATE deliveries SET state = 'held' WHERE channel = 'x'")
        (held,) = database.execute("SELECT min(id) FROM deliveries WHERE channel = 'x'").fetchone()
    (desk.folder / "schedules" / "slots.toml").write_text("[[slot\n")
    (desk.folder / "messages" / "vi" / "arrest.j2").write_text("{{ nonsense }}")
    assert "slots.toml" in desk.type("post", "list", code=2).err
    desk.type("channel", "pause", "x", "--reason", "lạ", by="hoa")
    assert "There are: x, facebook" in desk.type("channel", "pause", "y", "--reason", "lạ", by="hoa", code=1).err
    desk.type("post", "cancel", waiting[1], "--reason", "sai ngày", by="lan")
    desk.type("delivery", "settle", str(held), "--drop", by="lan")
    desk.type("post", "withdraw", out, "--reason", "gia đình xin", "--wait", "0", by="lan")


def test_a_correction_shows_on_both_posts(desk: Terminal) -> None:
    wrong = published(desk)
    desk.type("post", "withdraw", wrong, "--reason", "sai ngày", "--wait", "0", by="lan")
    said = desk.type("post", "correct", wrong, *TEXTS, "--at", "now", by="lan").out
    found = re.match(r"Post (\d+)", said)
    assert found, said
    right = found[1]
    assert f"It corrects post {wrong}." in desk.type("post", "show", right).out
    assert f"It is corrected by: {right}." in desk.type("post", "show", wrong).out
    sheets = desk.read("post", "show", right), desk.read("post", "show", wrong)
    assert (str(sheets[0]["corrects"]), [str(each) for each in sheets[1]["corrected_by"]]) == (wrong, [right])
    assert sheets[0]["channels"] == sheets[1]["channels"]


def test_what_an_appeal_needs_is_written_into_a_folder(desk: Terminal, tmp_path: Path) -> None:
    post = published(desk)
    delivery = str(desk.read("delivery", "list", "--post", post)[0]["id"])
    folder = tmp_path / "appeal"
    assert "records prove it" in desk.type("delivery", "export", delivery, str(folder), by="lan").out
    assert {"delivery.json", "delivery.txt", "manifest.json", "proof"} <= {path.name for path in folder.iterdir()}
    assert "is not empty" in desk.type("delivery", "export", delivery, str(folder), by="lan", code=1).err
