import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot import verify_audit
from tests.cli.conftest import Terminal

PHRASE = "năm từ chọn thật ngẫu nhiên"


@pytest.fixture(autouse=True)
def _phrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNBOT_BACKUP_PASSPHRASE", PHRASE)


def test_a_machine_is_lost_and_everything_is_back_on_another(desk: Terminal, outside: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "b.backup"
    assert "entries of the log" in desk.type("backup", str(file)).out
    told = desk.read("backup", "--check", str(file))
    assert told["sound"]
    said = outside.type("restore", str(file)).out
    assert "Publishing is stopped" in said
    outside.tokens = desk.tokens
    assert [row["alias"] for row in outside.read("user", "list")] == [row["alias"] for row in desk.read("user", "list")]
    assert outside.read("audit", "verify")["code"] == 0
    stop = [row for row in outside.read("doctor", code=0) if row["what"] == "halt"]
    assert "the database was put back from a copy, or moved" in stop[0]["text"]
    assert "exists already" in outside.type("restore", str(file), code=1).err
    for by in ("lan", "minh"):
        outside.type("unhalt", by=by)


def test_it_restores_to_where_it_is_asked_and_the_configuration_says_so(
    desk: Terminal, outside: Terminal, tmp_path: Path
) -> None:
    desk.type("backup", str(tmp_path / "b"))
    url = f"sqlite:///{tmp_path / 'other.db'}"
    done = outside.read("restore", str(tmp_path / "b"), "--into", url, "--data-dir", str(tmp_path / "data"))
    assert done["held"] == []
    assert (tmp_path / "other.db").exists()
    assert (tmp_path / "data" / "keystore").is_dir()
    assert outside.read("audit", "verify")["code"] == 0


def test_a_passphrase_may_stand_in_a_file_but_never_on_the_line(
    desk: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMPAIGNBOT_BACKUP_PASSPHRASE")
    assert "passphrase is needed" in desk.type("backup", str(tmp_path / "b"), code=2).err
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    given = ("--passphrase-file", str(tmp_path / "phrase"))
    desk.type("backup", str(tmp_path / "b"), *given)
    desk.type("backup", "--check", str(tmp_path / "b"), *given)
    (tmp_path / "phrase").write_text("một cụm từ khác hẳn\n")
    assert "not the passphrase" in desk.type("backup", "--check", str(tmp_path / "b"), *given, code=1).err
    assert "No such option" in desk.type("backup", str(tmp_path / "c"), "--passphrase", PHRASE, code=2).err


def test_check_and_doctor_look_after_backups_that_make_themselves(desk: Terminal) -> None:
    def lines(code: int = 0) -> list[str]:
        return [row["text"] for row in desk.read("doctor", code=code) if row["what"] == "backup"]

    (line,) = lines()
    assert line.startswith("No backup is made by itself, and the newest is of –")
    desk.type("backup", str(desk.folder / "by hand"))
    assert "newest is of 20" in lines()[0]
    desk.config.write_text(
        '[backup]\nfolder = "backups"\npassphrase = { file = "backup.pass" }\n' + desk.config.read_text()
    )
    assert "[backup] passphrase: There is no secret in" in desk.type("check", code=2).out
    phrase = desk.folder / "backup.pass"
    phrase.write_text("ngắn\n")
    assert "[backup] passphrase: A passphrase has 12 characters or more" in desk.type("check", code=2).out
    phrase.write_text(PHRASE)
    phrase.chmod(0o644)
    desk.type("check")
    assert lines() == ["The daemon makes the first backup when it runs."]
    desk.folder.chmod(0o755)
    said = [row["text"] for row in desk.read("doctor", "--security", code=1) if row["what"] == "files"]
    assert f"Others on this machine can open {phrase}. Run: chmod go= {phrase}" in said


def test_a_configuration_that_leads_elsewhere_is_not_overruled(
    desk: Terminal, outside: Terminal, tmp_path: Path
) -> None:
    desk.type("backup", str(tmp_path / "b"))
    outside.config.write_text('[bot]\ndata_dir = "mine"\n')
    assert "leads elsewhere" in outside.type("restore", str(tmp_path / "b"), "--data-dir", "/srv/x", code=1).err
    assert "is kept" in outside.type("restore", str(tmp_path / "b")).out
    assert (outside.folder / "mine" / "campaignbot.db").exists()


def test_an_anchor_goes_out_by_mail_comes_back_and_is_listed(desk: Terminal, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(desk.type("audit", "checkpoint", "--mail").out)
    assert "Anchored" in desk.type("audit", "anchor", "add", str(letter), "--kept-by", "hai người", by="minh").out
    (row,) = desk.read("audit", "anchor", "list", by="minh")
    assert row["kept_by"] == "hai người"
    assert desk.read("audit", "verify", "--anchor", str(letter))["code"] == 0
    desk.type("audit", "checkpoint", "--out", str(tmp_path / "note.txt"))
    assert (tmp_path / "note.txt").read_text().startswith("campaignbot/")
    assert "no signed checkpoint" in desk.type(
        "audit", "anchor", "add", "-", "--kept-by", "x", by="minh", code=2, stdin="Xin chào"
    ).err  # fmt: skip


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Tests say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "served"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("way", ["folder", "address"])
def test_a_witness_needs_no_installation(
    desk: Terminal, outside: Terminal, tmp_path: Path, served: str, way: str
) -> None:
    folder, state = tmp_path / "served", tmp_path / "seen.json"
    look = ("audit", "witness", served if way == "address" else str(folder), "--state", str(state))
    assert "no signed checkpoint" in outside.type(*look, code=2).err
    desk.type("audit", "checkpoint", "--publish", str(folder))
    assert "believed from now on" in outside.type(*look).out
    desk.type("halt", "--reason", "thử", by="lan")
    desk.type("audit", "checkpoint", "--publish", str(folder))
    assert "which continue" in outside.type(*look).out
    assert len(json.loads(state.read_text())["notes"]) == 2
    note = (folder / "checkpoint").read_text()
    size = note.split("\n")[1]
    (folder / "checkpoint").write_text(note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n", 1))
    assert "not signed by the key" in outside.type(*look, code=1).err
    assert len(json.loads(state.read_text())["notes"]) == 2


def test_a_witness_reads_no_plain_http_from_afar(outside: Terminal, tmp_path: Path) -> None:
    look = ("audit", "witness", "http://example.org/audit", "--state", str(tmp_path / "s"))
    assert "https://" in outside.type(*look, code=2).err


def test_the_record_of_one_post_goes_to_a_stranger(desk: Terminal, tmp_path: Path) -> None:
    desk.type(
        "post", "add", "--campaign", "stop-the-crackdown-vn", "--vi", "Xin chào.", "--en", "Hello.", "--at",
        "2027-01-01 09:00", by="lan",
    )  # fmt: skip
    newest = desk.read("post", "list")[0]["id"]
    desk.type("audit", "export", str(tmp_path / "one"), "--post", str(newest), by="minh")
    assert verify_audit.main([str(tmp_path / "one")]) == 0
    desk.type("audit", "export", str(tmp_path / "all"), "--payloads", "--mask", by="minh")
    assert verify_audit.main([str(tmp_path / "all")]) == 0
    assert "Tiếng Việt" in (tmp_path / "all" / "README.md").read_text()


def test_a_person_is_erased_at_the_terminal(desk: Terminal) -> None:
    said = desk.type("user", "erase", "hoa", "--reason", "họ đề nghị", "--yes", by="chi").out
    assert "all that is left of hoa" in said
    assert "Backups made before now" in said
    assert "hoa" not in desk.type("user", "list").out.split()
    assert desk.read("audit", "verify")["code"] == 0
    assert "Stopped" in desk.type("user", "erase", "lan", "--reason", "r", by="chi", stdin="n\n", code=1).err
