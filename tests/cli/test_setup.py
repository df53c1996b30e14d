"""Making an installation, finding what is wrong with it, and what every kind of bad input is answered with."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.app import PLATFORMS
from bot.settings import sections
from tests.cli.conftest import Terminal
from tests.cli.test_journey import submitted
from tests.cli.test_withdraw import published

ROOT = Path(__file__).parents[2]
NOBODY = 65_534


def test_init_makes_everything_and_says_what_comes_next(outside: Terminal) -> None:
    said = outside.type("init").out
    assert said.startswith("Made config.toml, messages/, schedules/.\n")
    assert "Imported 92 cases.\nImported 10 general posts as drafts.\n" in said
    assert f"--config {outside.config} user add ADMIN --role admin" in said
    assert len(outside.read("case", "list")) == 92
    assert {post["state"] for post in outside.read("post", "list")} == {"draft"}
    assert [channel["like"] for channel in outside.read("channel", "list")] == [
        *("x", "facebook", "bluesky", "mastodon", "telegram")
    ]
    outside.type("audit", "verify")


def test_the_data_is_for_its_owner_alone(outside: Terminal) -> None:
    outside.type("init")
    assert (outside.folder / "var").stat().st_mode & 0o077 == 0
    assert (outside.folder / "var" / "keystore").stat().st_mode & 0o077 == 0
    assert (outside.folder / "var" / "campaignbot.db").stat().st_mode & 0o777 == 0o600


def test_init_twice_keeps_what_people_edited(desk: Terminal) -> None:
    (desk.folder / "schedules" / "slots.toml").write_text("")
    said = desk.type("init").out
    assert "up to date" in said
    assert "Imported" not in said
    assert (desk.folder / "schedules" / "slots.toml").read_text() == ""
    assert len(desk.read("user", "list")) == 4


def test_init_makes_the_first_admin_once(outside: Terminal) -> None:
    token = outside.type("init", "--admin", "chi").out.split("keep it like a key:\n  ")[1].split()[0]
    outside.tokens["chi"] = token
    outside.add_user("lan", "coordinator")
    assert "token" not in outside.type("init", "--admin", "mallory").out
    assert {row["alias"] for row in outside.read("user", "list")} == {"chi", "lan"}


def test_a_log_whose_keys_are_lost_is_given_no_others(desk: Terminal) -> None:
    shutil.rmtree(desk.folder / "var" / "keystore")
    assert "Bring back its backup" in desk.type("init", code=2).err
    assert not (desk.folder / "var" / "keystore").exists()


def test_without_an_installation_every_command_says_how_to_make_one(outside: Terminal) -> None:
    assert "init" in outside.type("post", "list", code=2).err
    shutil.copy(ROOT / "config.example.toml", outside.config)
    for name in ("messages", "schedules"):
        (outside.folder / name).symlink_to(ROOT / name)
    said = outside.type("post", "list", code=2)
    assert "Run: campaignbot init" in said.err
    assert said.err.count("\n") == 1
    assert not (outside.folder / "var").exists()


def test_check_finds_nothing_in_what_is_shipped(desk: Terminal) -> None:
    said = desk.type("check").out
    assert said.endswith("Everything is in order.\n")
    assert {row["kind"] for row in desk.read("check")} <= {"note"}


def test_check_shows_every_problem_of_every_file_in_one_run(desk: Terminal) -> None:
    desk.config.write_text(desk.config.read_text() + "[wbe]\nport = 1\n[publishing]\nlease_s = 1\n")
    slots = desk.folder / "schedules" / "slots.toml"
    slots.write_text(slots.read_text().replace("\nweekdays", "\nweekday", 1))
    arrest = desk.folder / "messages" / "vi" / "arrest.j2"
    arrest.write_text(arrest.read_text().replace("{{ date }}", "{{ daet }}", 1))
    said = desk.type("check", code=2).out
    assert "config.toml: wbe: unknown key. Did you mean “web”?" in said
    assert "config.toml: [publishing] lease_s: must be 90 or more" in said
    assert "slots.toml" in said
    assert "Did you mean “weekdays”?" in said
    assert "vi/arrest.j2" in said
    assert "daet" in said
    rows = desk.read("check", code=2)
    assert {"config.toml", "slots.toml", "vi/arrest.j2"} <= {row["file"] for row in rows if row["kind"] == "error"}


def test_a_platform_of_a_later_version_is_said_to_be_missing(desk: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_OURS", "s3cret")
    monkeypatch.delitem(PLATFORMS, "mastodon")
    desk.config.write_text(
        desk.config.read_text() + '[[channel]]\nname = "m"\nplatform = "mastodon"\napi_base = "https://example.org"\n'
        '[channel.credentials]\naccess_token = { env = "TOKEN_OF_OURS" }\n'
    )
    for command in (("check",), ("post", "list")):
        said = str(desk.type(*command, code=2))
        assert "“mastodon” is not available in this version. There is: " in said


def test_a_version_of_facebook_that_ends_is_said_by_check_and_doctor(
    desk: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_OF_OURS", "s3cret")
    monkeypatch.setitem(sections.GRAPH_ENDS, "v25.0", date(2026, 1, 1))
    desk.config.write_text(
        desk.config.read_text() + '[[channel]]\nname = "page"\nplatform = "facebook"\n[channel.credentials]\n'
        'page_id = "546"\npage_token = { env = "TOKEN_OF_OURS" }\napp_secret = { env = "TOKEN_OF_OURS" }\n'
    )
    for command in ("check", "doctor"):
        assert "graph_version: v25.0 of the Graph API ends on 2026-01-01. Write a newer one." in desk.type(command).out


def test_a_secret_that_is_not_there_is_found_by_check(desk: Terminal) -> None:
    desk.config.write_text(
        desk.config.read_text() + '[[channel]]\nname = "m"\nplatform = "mastodon"\napi_base = "https://example.org"\n'
        '[channel.credentials]\naccess_token = { env = "NOBODY_SET_THIS" }\n'
    )
    assert "There is no secret in $NOBODY_SET_THIS." in desk.type("check", code=2).out


def test_a_campaign_or_an_account_that_does_not_exist_is_found(desk: Terminal) -> None:
    desk.config.write_text(desk.config.read_text() + '[[campaign]]\nslug = "now-campain"\napprovals = 2\n')
    said = desk.type("post", "list", code=2).err
    assert "there is no campaign “now-campain”. Did you mean “now-campaign”?" in said
    slots = desk.folder / "schedules" / "slots.toml"
    slots.write_text(slots.read_text() + '\n[[slot]]\nname = "n"\ncampaign = "now-campaign"\nat = "20:00"\n'
                     'weekdays = ["tue"]\nchannels = ["facebok"]\n')  # fmt: skip
    assert "there is no account “facebok”. Did you mean “facebook”?" in desk.type("check", code=2).out


def test_broken_toml_is_one_line_with_its_place(desk: Terminal) -> None:
    desk.config.write_text("[bot\n")
    said = desk.type("post", "list", code=2).err
    assert said.startswith("Error: config.toml: line 1, column 5: ")
    assert said.count("\n") == 1


def test_a_spreadsheet_in_another_encoding_is_refused_with_its_line(desk: Terminal, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_bytes("campaign,vi,en\nnow-campaign,Hà Giang,Ha Giang\n".encode("cp1258"))
    said = desk.type("post", "import", str(tmp_path / "posts.csv"), by="lan", code=2).err
    assert "UTF-8" in said
    (tmp_path / "posts.csv").write_bytes("campaign,vi,en\nnow-campaign,Tự do,Freedom\n".encode("utf-16"))
    assert "UTF-16" in desk.type("post", "import", str(tmp_path / "posts.csv"), by="lan", code=2).err
    assert len(desk.read("post", "list")) == 10


def test_decomposed_names_are_saved_as_usual(desk: Terminal) -> None:
    decomposed = "Nguye\u0302\u0303n Va\u0306n A"
    words = ("case", "add", "nguyen-van-a", "--name-vi", decomposed, "--name-en", "Nguyen Van A")
    desk.type(*words, "--status", "awaiting_trial", "--as-of", "2026-11", "--source", "https://example.org/a", by="lan")
    assert desk.read("case", "show", "nguyen-van-a")["name_vi"] == "Nguyễn Văn A"


def test_a_file_that_is_not_there_is_said_so(desk: Terminal) -> None:
    said = desk.type("post", "add", "--campaign", "now-campaign", "--vi", "@none.txt", "--en", "x", by="lan", code=2)
    assert said.err == "Error: none.txt cannot be read: No such file or directory.\n"


AS_NOBODY = """
import os, sys
from bot.cli import invoke
import bot.app, bot.services.people, bot.services.queue
"".encode("utf-8-sig"), "".encode("idna")
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})
sys.exit(invoke(sys.argv[1:]))
"""


@pytest.fixture
def in_the_open(desk: Terminal) -> Iterator[Terminal]:
    """Where another user may look too, which the folders of pytest do not allow."""
    with tempfile.TemporaryDirectory(prefix="campaignbot-test-") as place:
        Path(place).chmod(0o755)
        shutil.copytree(desk.folder, Path(place) / "bot")
        yield Terminal(Path(place) / "bot", desk.tokens)


def test_a_read_only_data_folder_is_one_line_and_nothing_is_lost(in_the_open: Terminal) -> None:
    """As a person without the right to write; what the program needs is loaded before root becomes that person."""
    desk, var = in_the_open, in_the_open.folder / "var"
    before = (var / "campaignbot.db").read_bytes()
    for path in (*var.rglob("*"), var):
        path.chmod(0o500 if path.is_dir() else 0o400)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    words = ("--config", str(desk.config), "halt", "--reason", "r", "--as", "lan")
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY.format(nobody=NOBODY), *words],
        env={**os.environ, "CAMPAIGNBOT_TOKEN": desk.tokens["lan"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done
    assert (
        done.stderr
        == f"Error: {var / 'campaignbot.db'} cannot be written. Check who owns the folder and its permissions.\n"
    )
    assert (var / "campaignbot.db").read_bytes() == before
    for path in (var, *var.rglob("*")):
        path.chmod(0o700)


def test_doctor_says_what_is_wrong_and_what_to_do(desk: Terminal) -> None:
    said = desk.type("doctor").out
    assert "✓ SQLite 3." in said
    assert "· Said to be in prison: 39; not confirmed of late: 39." in said
    assert "· No daemon ran yet." in said
    assert said.endswith("Nothing needs to be mended.\n")
    assert {row["ok"] for row in desk.read("doctor")} == {True, None}


def test_doctor_says_who_must_do_something_about_a_delivery(desk: Terminal) -> None:
    post = published(desk)
    with sqlite3.connect(desk.folder / "var" / "campaignbot.db") as database:
        database.execute("UPDATE deliveries SET state = 'held', reason = 'quiet' WHERE channel = 'x'")
        database.execute("UPDATE deliveries SET state = 'unknown', reason = 'no_answer' WHERE channel = 'facebook'")
    said = desk.type("doctor").out
    assert re.search(r"· Deliveries that wait for a person: \d\. See: \S+ delivery list --state held\n", said)
    assert re.search(r"· Deliveries of which it is not known whether they were sent: \d\. The program looks", said)
    states = {each["state"] for each in desk.read("delivery", "list", "--post", post)}
    assert states == {"held", "unknown"}


def test_doctor_finds_what_is_scheduled_for_an_account_that_is_gone(desk: Terminal) -> None:
    post, digest = submitted(desk)
    desk.type("post", "approve", post, "--digest", digest, by="minh")
    desk.config.write_text(desk.config.read_text().split('[[channel]]\nname = "facebook"')[0])
    said = desk.type("doctor", code=1).out
    assert "✕ The account facebook is no longer in config.toml" in said
    assert "Nothing needs to be mended" not in said


def test_doctor_says_how_to_end_a_halt(desk: Terminal) -> None:
    desk.type("halt", "--reason", "kiểm tra lại", by="hoa")
    assert desk.type("doctor").out.endswith("one person asks and another confirms: campaignbot unhalt\n")


def test_doctor_finds_keys_that_others_can_read(desk: Terminal) -> None:
    (desk.folder / "var" / "keystore" / "signing.key").chmod(0o644)
    assert "chmod" in desk.type("doctor", code=1).out


def test_a_record_without_its_guards_stops_everything_but_its_verification(desk: Terminal) -> None:
    with sqlite3.connect(desk.folder / "var" / "campaignbot.db") as database:
        database.execute("DROP TRIGGER audit_records_update")
        database.execute(
            "UPDATE audit_records SET record = replace(record, 'case.imported', 'case.importee') WHERE seq = 5"
        )
    assert "not as written" in desk.type("post", "list", code=1).err
    assert "not as written" in desk.type("doctor", code=1).out
    said = desk.type("audit", "verify", code=1).err
    assert "Does not match from entry 5." in said
    verdict = desk.read("audit", "verify", code=1)
    assert (verdict["first_bad"], bool(verdict["unguarded"])) == (5, True)
