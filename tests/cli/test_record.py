"""The record on the command line: who may read it, its proof, and people as the program knows them."""

import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from bot import verify_audit
from tests.cli.conftest import Terminal


def test_the_record_says_who_did_what_and_when(desk: Terminal) -> None:
    desk.type("halt", "--reason", "thử", by="lan")
    newest = desk.read("audit", "list", "--limit", "1", by="minh")[0]
    assert (newest["act"], newest["alias"], newest["payload"]) == ("halt.started", "lan", {"reason": "thử"})
    assert newest["actor"].startswith("p-")
    assert newest["at"].endswith("Z")
    assert [row["act"] for row in desk.read("audit", "list", "--act", "person.", by="chi")] == ["person.added"] * 4
    assert "halt.started" in desk.type("audit", "list", by="minh").out


def test_the_record_is_for_auditors_and_admins(desk: Terminal) -> None:
    assert "It takes the role" in desk.type("audit", "list", by="lan", code=1).err
    assert "may not export" in desk.type("audit", "export", str(desk.folder / "out"), by="hoa", code=1).err


def test_the_record_verifies_from_the_first_day(desk: Terminal) -> None:
    said = desk.type("audit", "verify").out
    assert said.startswith("Verified ✓ up to entry ")
    assert desk.read("audit", "verify")["code"] == 0


def test_the_verdict_is_said_in_vietnamese(desk: Terminal) -> None:
    assert re.search(r"\d+ mục, trong đó \d+ mục đã được ký\.\n", desk.type("--lang", "vi", "audit", "verify").out)
    reason = desk.read("--lang", "vi", "audit", "verify")["reason"]
    assert re.fullmatch(r"\d+ entries, \d+ of them signed for\.", reason)


def test_an_export_is_checked_by_others_with_python_alone(desk: Terminal, tmp_path: Path) -> None:
    desk.type("audit", "checkpoint")
    desk.type("audit", "export", str(tmp_path / "out"), by="minh")
    verifier = [sys.executable, "-I", str(tmp_path / "out" / "verify_audit.py"), str(tmp_path / "out")]
    assert subprocess.run(verifier, capture_output=True, check=False).returncode == 0
    assert not (tmp_path / "out" / "payloads.jsonl").exists()
    records = tmp_path / "out" / "records.jsonl"
    records.write_bytes(records.read_bytes().replace(b"case.imported", b"case.importee", 1))
    assert subprocess.run(verifier, capture_output=True, check=False).returncode == 1
    assert "not empty" in desk.type("audit", "export", str(tmp_path / "out"), by="minh", code=1).err


def test_a_checkpoint_kept_elsewhere_finds_a_record_put_back(desk: Terminal, tmp_path: Path) -> None:
    before = (desk.folder / "var" / "campaignbot.db").read_bytes()
    desk.type("halt", "--reason", "r", by="lan")
    (tmp_path / "note").write_text(desk.type("audit", "checkpoint").out)
    (desk.folder / "var" / "campaignbot.db").write_bytes(before)
    for side in ("-wal", "-shm"):
        (desk.folder / "var" / f"campaignbot.db{side}").unlink(missing_ok=True)
    assert "is missing" in desk.type("audit", "verify", "--anchor", str(tmp_path / "note"), code=1).err
    assert "Stop, and ask why" in desk.type("doctor", code=1).out


def test_people_have_an_alias_roles_and_a_token_shown_once(desk: Terminal) -> None:
    desk.add_user("Thảo", "coordinator")
    rows = {row["alias"]: row for row in desk.read("user", "list")}
    assert (rows["Thảo"]["roles"], rows["Thảo"]["made_by"]) == (["coordinator"], "chi")
    assert desk.tokens["Thảo"] not in desk.type("user", "list").out
    assert desk.tokens["Thảo"].encode() not in (desk.folder / "var" / "campaignbot.db").read_bytes()
    desk.type("halt", "--reason", "r", by="Thảo")


@pytest.mark.parametrize(
    ("words", "by", "code", "answer"),
    [
        (("user", "add", "an", "--role", "chief"), "chi", 2, "“chief” is no role. There are: coordinator, reviewer"),
        (("user", "add", "LAN", "--role", "reviewer"), "chi", 1, "taken"),
        (("user", "add", "an", "--role", "reviewer"), "lan", 1, "It takes the role admin."),
        (("user", "add", "an", "--role", "admin"), "", 1, "There are people already."),
        (("user", "add", "a\nb", "--role", "reviewer"), "chi", 2, "one line"),
        (("user", "role", "chi", "--role", "reviewer"), "chi", 1, "last active admin"),
        (("user", "disable", "nobody"), "chi", 1, "There is no “nobody”."),
    ],
)
def test_people_are_not_added_or_changed_against_the_rules(
    desk: Terminal, words: tuple[str, ...], by: str, code: int, answer: str
) -> None:
    assert answer in desk.type(*words, by=by, code=code).err


def test_a_new_token_makes_the_old_one_void_and_a_disabled_person_has_none(desk: Terminal) -> None:
    old = desk.tokens["lan"]
    desk.tokens["lan"] = desk.type("user", "reset", "lan", by="chi").out.split()[-1]
    assert desk.type("plan", by="").code == 0
    assert "Wrong alias or token." in desk.type("halt", "--reason", "r", by="lan", token=old, code=1).err
    desk.type("halt", "--reason", "r", by="lan")
    desk.type("user", "disable", "lan", by="chi")
    assert "disabled" in desk.type("unhalt", by="lan", code=1).err
    assert "disabled" in desk.type("user", "list").out


def test_a_wrong_alias_and_a_wrong_token_are_answered_alike(desk: Terminal) -> None:
    unknown = desk.type("halt", "--reason", "r", by="nobody", token="x" * 43, code=1)
    wrong = desk.type("halt", "--reason", "r", by="lan", token="x" * 43, code=1)
    assert unknown.err == wrong.err == "Error: Wrong alias or token.\n"


def test_without_a_terminal_the_token_must_be_in_the_environment(desk: Terminal) -> None:
    said = desk.type("halt", "--reason", "r", by="lan", token="", code=2).err
    assert said == "Error: The token of lan is needed: set CAMPAIGNBOT_TOKEN.\n"


def signer(note: str) -> bytes:
    """The first four bytes of a signature say whose key it is."""
    return b64decode(note.rsplit(maxsplit=1)[-1])[:4]


def test_an_admin_changes_the_key_that_signs_and_the_log_verifies_throughout(desk: Terminal, tmp_path: Path) -> None:
    assert "may not change the signing key" in desk.type("audit", "rotate-key", by="minh", code=1).err
    old = signer(desk.type("audit", "checkpoint").out)
    new = desk.type("audit", "rotate-key", by="chi").out.split("signs: ")[1].strip()
    handed_over = desk.type("audit", "checkpoint").out
    assert signer(handed_over) == old
    row = desk.read("audit", "list", "--act", "key.added", by="minh")[0]
    assert (row["alias"], row["seq"]) == ("chi", int(handed_over.splitlines()[1]) - 1)
    desk.type("halt", "--reason", "r", by="lan")
    assert signer(desk.type("audit", "checkpoint").out) != old
    assert desk.read("audit", "verify", "--all-signatures")["code"] == 0
    desk.type("audit", "export", str(tmp_path / "out"), by="minh")
    assert verify_audit.main([str(tmp_path / "out"), "--all-signatures"]) == 0
    assert new in (tmp_path / "out" / "vkeys").read_text().split()
