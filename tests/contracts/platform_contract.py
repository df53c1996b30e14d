"""What every platform promises. A platform joins by a class with three methods; its clauses run for it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.text import count
from bot.ports import Absent, Failure, Image, Parcel, Platform, Published, Receipt

DUE = datetime(2026, 12, 10, 2, 0, tzinfo=UTC)
FAR = 1e12
STACKED = "Nguyễn Văn A: Ế ệ ặ ở, một câu đủ dấu. 👩‍👩‍👧 שלום #NhânQuyền"


def parcel(**changes: object) -> Parcel:
    made = Parcel(
        delivery_id=7,
        idem_key="a" * 64,
        due_at=DUE,
        text="Trả tự do cho Nguyễn Văn A. #StopTheCrackdownVN",
        languages=("vi",),
        images=(),
        deadline=FAR,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class PlatformContract:
    """Subclass it as `Test…`, and say how to open the platform and what the far side then holds."""

    def open(self, folder: Path) -> Platform:
        raise NotImplementedError

    def seen(self, folder: Path) -> list[str]:
        """The texts that stand at the far side, in order of arrival."""
        raise NotImplementedError

    def seen_alt(self, folder: Path) -> list[str]:
        raise NotImplementedError

    @pytest.fixture
    def platform(self, tmp_path: Path) -> Platform:
        return self.open(tmp_path)

    @staticmethod
    def post(platform: Platform, **changes: object) -> Receipt:
        outcome = platform.publish(parcel(**changes))
        assert isinstance(outcome, Published), outcome
        return outcome.receipt

    def test_text_arrives_unchanged(self, platform: Platform, tmp_path: Path) -> None:
        self.post(platform, text=STACKED)
        assert self.seen(tmp_path) == [STACKED]

    def test_a_text_at_the_limit_is_accepted(self, platform: Platform, tmp_path: Path) -> None:
        text = "a" * platform.rules.limit
        self.post(platform, text=text)
        assert self.seen(tmp_path) == [text]

    def test_one_over_the_limit_is_refused_and_nothing_is_sent(self, platform: Platform, tmp_path: Path) -> None:
        text = "a" * (platform.rules.limit + 1)
        assert count(text, platform.rules) == platform.rules.limit + 1
        outcome = platform.publish(parcel(text=text))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.REJECTED
        assert self.seen(tmp_path) == []

    def test_the_same_key_twice_is_one_post(self, platform: Platform, tmp_path: Path) -> None:
        first = self.post(platform)
        assert self.post(platform) == first
        assert len(self.seen(tmp_path)) == 1

    def test_another_key_is_another_post(self, platform: Platform, tmp_path: Path) -> None:
        self.post(platform)
        self.post(platform, idem_key="b" * 64, delivery_id=8)
        assert len(self.seen(tmp_path)) == 2

    def test_what_was_published_is_found_again(self, platform: Platform) -> None:
        receipt = self.post(platform)
        found = platform.find(parcel(), DUE)
        assert isinstance(found, Published)
        assert found.receipt.remote_id == receipt.remote_id

    def test_what_was_never_published_is_not_found(self, platform: Platform) -> None:
        assert platform.find(parcel(), DUE) is None

    def test_a_thread_keeps_its_order(self, platform: Platform, tmp_path: Path) -> None:
        first = self.post(platform, text="Một.")
        self.post(platform, text="Two.", languages=("en",), delivery_id=8, idem_key="b" * 64, root=first, parent=first)
        assert self.seen(tmp_path) == ["Một.", "Two."]

    def test_alt_text_travels(self, platform: Platform, tmp_path: Path) -> None:
        picture = tmp_path / "picture.png"
        picture.write_bytes(b"\x89PNG")
        alt = "Ảnh chia sẻ: <Nguyễn Văn A> & “bạn bè”."
        self.post(platform, images=(Image("d" * 64, "image/png", picture, 1, 1, alt),))
        assert self.seen_alt(tmp_path) == [alt]

    def test_withdrawing_twice_is_harmless(self, platform: Platform, tmp_path: Path) -> None:
        receipt = self.post(platform)
        assert isinstance(platform.withdraw(receipt), Published)
        assert isinstance(platform.withdraw(receipt), Published)
        assert self.seen(tmp_path) == []

    def test_checking_writes_nothing(self, platform: Platform, tmp_path: Path) -> None:
        assert platform.check().name
        assert self.seen(tmp_path) == []
