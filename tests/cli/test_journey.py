"""The campaign's daily work on the command line, told as sessions of two people."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Terminal

TEXTS = ("--vi", "Tự do cho Nguyễn Văn A. #StopTheCrackdownVN", "--en", "Freedom for Nguyen Van A. #StopTheCrackdownVN")
AT = ("--at", "2126-12-10 09:00")
CAMPAIGN = ("--campaign", "stop-the-crackdown-vn")


def add_post(desk: Terminal, *more: str, when: tuple[str, ...] = AT) -> int:
    said = desk.type("post", "add", *CAMPAIGN, *TEXTS, *when, *more, by="lan").out
    found = re.match(r"Post (\d+): draft", said)
    assert found, said
    return int(found[1])


def submitted(desk: Terminal, *more: str) -> tuple[str, str]:
    """Its number, as typed, and the digest of what was submitted."""
    post = str(add_post(desk, *more))
    desk.type("post", "submit", post, by="lan")
    return post, desk.read("post", "show", post)["digest"]


def test_one_writes_another_approves(desk: Terminal) -> None:
    post, digest = submitted(desk)
    assert desk.read("post", "show", post)["state"] == "in_review"
    said = desk.type("post", "approve", post, "--digest", digest, by="minh").out
    assert said == "Approved. It goes out 2126-12-10 09:00 (Hà Nội, UTC+7).\n"
    shown = desk.read("post", "show", post)
    assert (shown["state"], shown["approved_by"]) == ("scheduled", ["minh"])
    assert {(each["channel"], each["state"], each["due_at"]) for each in desk.read("delivery", "list")} == {
        ("x", "scheduled", "2126-12-10T02:00:00Z"),
        ("facebook", "scheduled", "2126-12-10T02:00:00Z"),
    }


def test_nobody_approves_what_they_wrote(desk: Terminal) -> None:
    post, digest = submitted(desk)
    desk.type("user", "role", "lan", "--role", "coordinator,reviewer", by="chi")
    assert (
        "someone else must approve it" in desk.type("post", "approve", post, "--digest", digest, by="lan", code=1).err
    )
    desk.type("user", "role", "lan", "--role", "coordinator,admin", by="chi")
    desk.add_user("second-lan", "reviewer", by="lan")
    said = desk.type("post", "approve", post, "--digest", digest, by="second-lan", code=1).err
    assert "made your account" in said


def test_approving_without_a_digest_shows_everything_and_asks(desk: Terminal) -> None:
    post, _ = submitted(desk, "--case", "nguyen-van-dai")
    desk.type("post", "approve", post, by="minh", stdin="n\n", code=1)
    said = desk.type("post", "approve", post, by="minh", stdin="y\n").out
    assert "Tự do cho Nguyễn Văn A." in said
    assert "Freedom for Nguyen Van A." in said
    assert "https://" in said
    assert said.endswith("Approved. It goes out 2126-12-10 09:00 (Hà Nội, UTC+7).\n")


def test_whoever_may_not_approve_is_told_before_the_text_and_the_question(desk: Terminal) -> None:
    post, digest = submitted(desk)
    desk.type("user", "role", "lan", "--role", "coordinator,reviewer", by="chi")
    for alias, why in {"lan": "You wrote this", "chi": "takes the role reviewer"}.items():
        said = desk.type("post", "approve", post, by=alias, stdin="y\n", code=1)
        assert (why in said.err, said.out) == (True, "")
    desk.type("post", "approve", post, "--digest", digest, by="minh")
    again = desk.type("post", "approve", post, by="hoa", stdin="y\n", code=1)
    assert ("is not waiting for approval" in again.err, again.out) == (True, "")


def test_a_campaign_may_ask_for_two_yeses(desk: Terminal) -> None:
    desk.config.write_text(desk.config.read_text() + '[[campaign]]\nslug = "stop-the-crackdown-vn"\napprovals = 2\n')
    post, digest = submitted(desk)
    assert desk.type("post", "approve", post, "--digest", digest, by="minh").out == "Approved. It still needs 1 more.\n"
    assert "already" in desk.type("post", "approve", post, "--digest", digest, by="minh", code=1).err
    assert "It goes out" in desk.type("post", "approve", post, "--digest", digest, by="hoa").out


def test_an_old_digest_is_not_approved(desk: Terminal) -> None:
    post, digest = submitted(desk)
    said = desk.type("post", "edit", post, "--en", "Free Nguyen Van A. #StopTheCrackdownVN", by="lan").out
    assert "needs approval" in said
    assert "Read post" in desk.type("post", "approve", post, "--digest", digest, by="minh", code=1).err


def test_an_edit_takes_back_the_approval_and_what_was_queued(desk: Terminal) -> None:
    post, digest = submitted(desk)
    desk.type("post", "approve", post, "--digest", digest, by="minh")
    said = desk.type("post", "edit", post, "--vi", "Trả tự do cho Nguyễn Văn A. #StopTheCrackdownVN", by="lan").out
    assert said.startswith("It was approved before; that no longer counts.\n")
    assert {each["state"] for each in desk.read("delivery", "list", "--post", post)} == {"cancelled"}
    assert desk.read("post", "show", post)["approved_by"] == []


def test_a_reviewer_returns_a_post_and_the_author_mends_it(desk: Terminal) -> None:
    post, _ = submitted(desk)
    desk.type("post", "return", post, "--reason", "ngày sai", by="minh")
    assert "changes requested: ngày sai" in desk.type("post", "show", post).out
    assert "Next: campaignbot post submit" in desk.type("post", "edit", post, "--note", "mended", by="lan").out
    desk.type("post", "submit", post, by="lan")
    desk.type("post", "cancel", post, "--reason", "gia đình", by="minh")
    assert desk.read("post", "list", "--state", "cancelled")[0]["reason"] == "gia đình"


def test_a_new_time_needs_a_new_yes(desk: Terminal) -> None:
    post, digest = submitted(desk)
    desk.type("post", "approve", post, "--digest", digest, by="minh")
    said = desk.type("post", "schedule", post, "--at", "2126-12-11T08:30:00+01:00", by="lan").out
    assert "no longer counts" in said
    assert "2126-12-11 14:30 (Hà Nội, UTC+7)" in said


def test_a_post_may_go_out_now_or_at_the_next_free_slot(desk: Terminal) -> None:
    before = datetime.now(UTC)
    now = desk.read("post", "show", str(add_post(desk, when=("--at", "now"))))
    assert before <= datetime.fromisoformat(now["due_at"]) <= datetime.now(UTC)
    slot = desk.read("post", "show", str(add_post(desk, when=("--slot", "next"))))
    assert before < datetime.fromisoformat(slot["due_at"]) < before + timedelta(days=8)


def test_texts_come_from_a_file_and_from_the_standard_input(desk: Terminal) -> None:
    file = desk.folder / "vi.txt"
    file.write_bytes("Trả tự do cho Nguye\u0302\u0303n Va\u0306n A.\r\n".encode())
    said = desk.type("post", "add", *CAMPAIGN, "--vi", f"@{file}", "--en", "-", by="lan", stdin="Free Nguyen Van A.\n")
    number = said.out.split()[1].rstrip(":")
    texts = desk.read("post", "show", number)["texts"]
    assert texts == {"vi": "Trả tự do cho Nguyễn Văn A.", "en": "Free Nguyen Van A."}


def test_a_platform_may_have_a_text_of_its_own(desk: Terminal) -> None:
    post = add_post(desk, "--variant", "vi:x=Ngắn: Nguyễn Văn A. #StopTheCrackdownVN")
    by_channel = {each["channel"]: each["parts"] for each in desk.read("post", "show", str(post))["renditions"]}
    assert by_channel["x"][0]["text"].startswith("Ngắn")
    assert by_channel["facebook"][0]["text"].startswith("Tự do")
    assert "no variant" in desk.type("post", "edit", str(post), "--variant", "short", by="lan", code=2).err


def test_what_does_not_fit_is_said_with_its_account(desk: Terminal) -> None:
    post = str(add_post(desk, "--variant", "vi:x=" + "ạ" * 300))
    said = desk.type("post", "show", post).out
    assert "x counts the text in Vietnamese as 600. The limit is 280: 320 over." in said
    assert "320 over" in desk.type("post", "submit", post, by="lan", code=1).err


def test_a_spreadsheet_with_a_bad_row_gives_drafts_and_one_line(desk: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(
        "campaign,vi,en,at\n"
        "stop-the-crackdown-vn,Một.,One.,2126-12-10 09:00\n"
        "stop-the-crackdown-vn,Hai.,Two.,31 December\n"
        "now-campaign,Ba.,Three.,\n"
    )
    said = desk.type("post", "import", str(file), by="lan", code=1)
    assert said.out == "Imported 2 posts as drafts.\n"
    assert said.err == "posts.csv: line 3: “31 December” is not a time. Write it like 2026-12-10 09:00.\n"
    assert "2 were here already" in desk.type("post", "import", str(file), by="lan", code=1).out
    texts = [each["texts"]["en"] for each in desk.read("post", "list", "--state", "draft")]
    assert {"One.", "Three."} <= set(texts)


def test_an_exported_spreadsheet_holds_every_post(desk: Terminal, tmp_path: Path) -> None:
    post = add_post(desk)
    desk.type("post", "export", "-o", str(tmp_path / "out.csv"), by="lan")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8-sig"))))
    assert {str(post), "1", "10"} <= {row["id"] for row in rows}
    assert "may not export" in desk.type("post", "export", by="hoa", code=1).err


def test_a_picture_is_described_in_both_languages(desk: Terminal, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "card.png")
    picture = ("--media", str(tmp_path / "card.png"))
    assert "both languages" in desk.type("post", "add", *CAMPAIGN, *TEXTS, *picture, by="lan", code=2).err
    post = add_post(desk, *picture, "--alt-vi", "Một tấm thẻ", "--alt-en", "A card")
    parts = desk.read("post", "show", str(post))["renditions"][0]["parts"]
    assert [image["alt"] for part in parts for image in part["images"]]


def test_anyone_stops_everything_and_two_people_start_it_again(desk: Terminal) -> None:
    assert "Publishing is stopped" in desk.type("halt", "--reason", "kiểm tra lại", by="hoa").out
    assert "kiểm tra lại" in desk.type("doctor").out
    assert desk.type("unhalt", by="lan").out.startswith("Asked.")
    assert "someone else" in desk.type("unhalt", by="lan", code=1).err
    assert desk.type("unhalt", by="minh").out.startswith("Publishing is on.")
    assert desk.type("unhalt", by="minh").out == "Publishing is on already.\n"


def test_an_account_is_paused_and_resumed(desk: Terminal) -> None:
    desk.type("channel", "pause", "x", "--reason", "mật khẩu mới", by="lan")
    row = next(each for each in desk.read("channel", "list") if each["name"] == "x")
    assert (row["paused"], row["reason"]) == (True, "mật khẩu mới")
    assert "role admin" in desk.type("channel", "resume", "x", by="lan", code=1).err
    desk.type("channel", "resume", "x", by="chi")
    assert "There are: x, facebook." in desk.type("channel", "pause", "y", "--reason", "r", by="lan", code=1).err
    assert "rehearsal, like x" in desk.type("channel", "check", "x").out


def test_the_days_ahead_are_drafted_once(desk: Terminal) -> None:
    first = desk.read("plan", "--until", (datetime.now(UTC) + timedelta(days=60)).date().isoformat())
    assert first["drafted"]
    assert all(each["texts"]["vi"] and each["texts"]["en"] for each in first["drafted"])
    assert all(each["state"] == "in_review" for each in first["drafted"])
    assert desk.read("plan", "--until", (datetime.now(UTC) + timedelta(days=60)).date().isoformat())["drafted"] == []


def test_a_year_of_one_case_is_approved_by_two_on_one_page(desk: Terminal) -> None:
    said = desk.type("standing", "propose", "pham-doan-trang", "--channels", "x", by="lan").out
    number = re.findall(r"standing approve (\d+)", said)[-1]
    posts = desk.read("standing", "show", number)["posts"]
    assert posts
    chosen = [word for post in posts for word in ("--digest", f"{post['id']}:{post['digest']}")]
    assert "still needs 1 more" in desk.type("standing", "approve", number, *chosen, by="minh").out
    again = desk.type("standing", "approve", number, by="minh", stdin="y\n", code=1)
    assert ("You approved this already" in again.err, again.out) == (True, "")
    desk.type("standing", "approve", number, by="hoa", stdin="y\n")
    assert {post["state"] for post in desk.read("standing", "show", number)["posts"]} == {"scheduled"}


def test_a_rehearsal_shows_what_would_go_out_and_why_not(desk: Terminal) -> None:
    rows = desk.read("rehearse", "--from", "2027-12-01", "--days", "16")
    assert {row["kind"] for row in rows} >= {"observance", "trial"}
    day = next(row for row in rows if row["observance"] == "human-rights-day")
    assert (day["date"], day["time"], day["goes_out"], day["needs_approval"]) == ("2027-12-10", "09:00", True, True)
    assert all(part["count"] <= part["limit"] for each in day["channels"] for part in each["parts"])
    assert any(not row["goes_out"] and row["reason"] for row in rows)
    assert rows == desk.read("rehearse", "--from", "2027-12-01", "--days", "16")
    assert desk.read("delivery", "list") == []


@pytest.mark.parametrize("verb", ["list", "show 1", "list --state held"])
def test_an_empty_queue_says_what_to_do(desk: Terminal, verb: str) -> None:
    said = desk.type("delivery", *verb.split(), code=1 if "show" in verb else 0)
    assert "campaignbot" in str(said)


def test_stopping_needs_nothing_that_people_edit(desk: Terminal) -> None:
    (desk.folder / "schedules" / "slots.toml").write_text("zz = 1")
    (desk.folder / "messages" / "en" / "arrest.j2").unlink()
    assert "zz" in desk.type("post", "list", code=2).err
    assert "stopped" in desk.type("halt", "--reason", "chờ", by="lan").out
    desk.type("case", "hold", "nguyen-van-dai", "--reason", "chờ", by="lan")


def test_a_name_in_the_text_brings_its_case_with_it(desk: Terminal) -> None:
    desk.type("case", "edit", "nguyen-chi-tuyen", "--set", "consent=refused", "--yes", by="lan")
    texts = ("--vi", "Hãy nhớ đến Nguyễn Chí Tuyến.", "--en", "Remember Nguyen Chi Tuyen.")
    desk.type("post", "add", *CAMPAIGN, *texts, *AT, by="lan")
    post = str(max(each["id"] for each in desk.read("post", "list")))
    assert "refused" in desk.type("post", "submit", post, by="lan", code=1).err


def test_a_text_for_nobody_is_refused(desk: Terminal) -> None:
    said = desk.type("post", "add", *CAMPAIGN, *TEXTS, *AT, "--variant", "vi:twiter=Ngắn.", by="lan", code=2).err
    assert "twiter" in said
    assert "x" in said


def test_a_time_in_quiet_hours_is_said_to_move(desk: Terminal) -> None:
    said = desk.type("post", "add", *CAMPAIGN, *TEXTS, "--at", "2126-12-10 23:00", by="lan").out
    assert "x is quiet then: there it goes out 2126-12-11 06:00" in said


def test_an_approval_during_a_halt_says_that_it_waits(desk: Terminal) -> None:
    post, digest = submitted(desk)
    desk.type("halt", "--reason", "chờ", by="lan")
    assert "publishing is stopped" in desk.type("post", "approve", post, "--digest", digest, by="minh").out
