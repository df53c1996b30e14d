"""The rehearsal platform keeps the contract of all platforms, and shows a page a person can read."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bot.domain.post import DEFAULT_LAYOUT, Profile
from bot.domain.slots import VIETNAM
from bot.domain.text import RULES
from bot.platforms.rehearsal import Rehearsal
from bot.ports import Absent, Failure, Platform, Published
from tests.contracts.platform_contract import PlatformContract, parcel


def a_folder(folder: Path, like: str) -> Rehearsal:
    return Rehearsal(
        folder, Profile("thu", "rehearsal", like, RULES[like], DEFAULT_LAYOUT[like], ("vi", "en"), VIETNAM)
    )


class RehearsalContract(PlatformContract):
    like = ""

    def open(self) -> Platform:
        return a_folder(self.folder / "out", self.like)

    def _posts(self) -> list[dict[str, Any]]:
        files = sorted((self.folder / "out" / "thu").glob("2*/post.json"), key=lambda file: file.stat().st_mtime_ns)
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def seen(self) -> list[str]:
        return [post["text"] for post in self._posts()]

    def seen_alt(self) -> list[str]:
        return [image["alt"] for post in self._posts() for image in post["images"]]

    def seen_languages(self) -> list[str]:
        return [post["languages"][0] for post in self._posts()]

    def seen_parents(self) -> list[str]:
        return [post["reply_to"] for post in self._posts()]


class TestLikeX(RehearsalContract):
    like = "x"


class TestLikeBluesky(RehearsalContract):
    like = "bluesky"


class TestLikeMastodon(RehearsalContract):
    like = "mastodon"


class TestLikeFacebook(RehearsalContract):
    like = "facebook"


class TestLikeTelegram(RehearsalContract):
    like = "telegram"


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_shows_a_hostile_text_as_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> & </p><img src=x>"
    a_folder(tmp_path, "facebook").publish(parcel(text=hostile))
    page = _Words()
    page.feed((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert hostile in page.words
    assert "script" not in page.tags
    assert "img" not in page.tags


def test_the_page_holds_every_post_once(tmp_path: Path) -> None:
    platform = a_folder(tmp_path, "facebook")
    for key in "abca":
        platform.publish(parcel(idem_key=key * 64, text=f"Bài {key}."))
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert [page.count(f"Bài {key}.") for key in "abc"] == [1, 1, 1]
    assert page.count("<!doctype html>") == 1


def test_a_folder_that_cannot_be_written_is_surely_absent(tmp_path: Path) -> None:
    (tmp_path / "thu").write_text("a file where the folder should be")
    outcome = a_folder(tmp_path, "x").publish(parcel())
    assert isinstance(outcome, Absent)
    assert outcome.failure is Failure.UNREACHABLE


def test_an_interrupted_post_is_not_taken_for_a_published_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    platform = a_folder(tmp_path, "x")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", fail)
        assert isinstance(platform.publish(parcel()), Absent)
    assert not list((tmp_path / "thu").iterdir())
    assert isinstance(platform.publish(parcel()), Published)
