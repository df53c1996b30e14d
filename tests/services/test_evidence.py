"""What an appeal to a platform needs: complete, provable by a stranger, and with no name but the text's own."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.domain.audit import Act
from bot.domain.errors import Conflict, NotFound, Refused
from bot.domain.post import sha256
from bot.services import evidence, posts
from bot.services.context import Context
from tests.farside import NINE, TEXTS, deliveries_of, drain, go_to, scheduled, worker_of
from tests.house import Crew, FakeClock, told


def published(house: Context, crew: Crew, clock: FakeClock) -> int:
    raw = BytesIO()
    Image.new("RGB", (32, 16), "white").save(raw, "PNG")
    picture = posts.add_picture(house, crew.coordinator, raw.getvalue(), alt_vi="Một tấm bảng.", alt_en="A sign.")
    post = scheduled(house, crew, pictures=(picture,))
    go_to(clock, NINE)
    drain(house, worker_of(house))
    return deliveries_of(house, post)[0].id


def verified(folder: Path) -> int:
    words = [sys.executable, str(folder / "proof" / "verify_audit.py"), str(folder / "proof")]
    return subprocess.run(words, capture_output=True, check=False, timeout=60).returncode


def test_it_holds_the_receipt_the_words_the_pictures_and_who_agreed(
    house: Context, crew: Crew, clock: FakeClock, tmp_path: Path
) -> None:
    delivery_id, folder = published(house, crew, clock), tmp_path / "appeal"
    evidence.export_delivery(house, crew.coordinator, delivery_id, folder)
    said = json.loads((folder / "delivery.json").read_text("utf-8"))
    assert (said["address"], said["platform_id"], said["state"]) == ("https://example.org/1", "r1", "published")
    assert said["text"] == TEXTS["vi", ""]
    assert {each["by"] for each in said["approvals"]} <= {crew.reviewer.pseudonym, crew.second_reviewer.pseudonym}
    assert said["approvals"]
    assert sha256((folder / "manifest.json").read_text("utf-8")) == said["approved_digest"]
    (picture,) = said["pictures"]
    assert picture["alt_text"] == "Một tấm bảng."
    assert (folder / picture["file"]).stat().st_size
    readable = (folder / "delivery.txt").read_text("utf-8")
    assert TEXTS["vi", ""] in readable
    assert "https://example.org/1" in readable


def test_a_stranger_can_check_its_records_and_sees_what_was_altered(
    house: Context, crew: Crew, clock: FakeClock, tmp_path: Path
) -> None:
    delivery_id, folder = published(house, crew, clock), tmp_path / "appeal"
    assert evidence.export_delivery(house, crew.coordinator, delivery_id, folder) > 4
    assert verified(folder) == 0
    entries = (folder / "proof" / "entries.jsonl").read_text("utf-8")
    said = json.loads((folder / "delivery.json").read_text("utf-8"))
    for approval in said["approvals"]:
        assert f'"seq":{approval["record"]}}}' in entries
    (folder / "proof" / "entries.jsonl").write_text(entries.replace("post.approved", "post.returned", 1), "utf-8")
    assert verified(folder) == 1


def test_no_alias_and_no_reason_is_in_it(house: Context, crew: Crew, clock: FakeClock, tmp_path: Path) -> None:
    delivery_id, folder = published(house, crew, clock), tmp_path / "appeal"
    evidence.export_delivery(house, crew.coordinator, delivery_id, folder)
    written = [path for path in folder.rglob("*") if path.suffix in {".json", ".jsonl", ".txt"}]
    words = "".join(path.read_text("utf-8") for path in written).lower()
    for alias in ("binh", "giang", "dung"):
        assert f'"{alias}"' not in words
        assert f" {alias} " not in words
    assert not (folder / "proof" / "payloads.jsonl").exists()


def test_it_is_on_record_and_only_for_who_may(house: Context, crew: Crew, clock: FakeClock, tmp_path: Path) -> None:
    delivery_id = published(house, crew, clock)
    with pytest.raises(Refused):
        evidence.export_delivery(house, crew.reviewer, delivery_id, tmp_path / "a")
    with pytest.raises(NotFound):
        evidence.export_delivery(house, crew.coordinator, 999, tmp_path / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.txt").write_text("x")
    with pytest.raises(Conflict):
        evidence.export_delivery(house, crew.coordinator, delivery_id, tmp_path / "c")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["mine.txt"]
    evidence.export_delivery(house, crew.coordinator, delivery_id, tmp_path / "d")
    (entry,) = told(house, Act.DELIVERY_EXPORTED)
    assert (entry.actor, entry.obj) == (crew.coordinator.pseudonym, f"delivery:{delivery_id}")
