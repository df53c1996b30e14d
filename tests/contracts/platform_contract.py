"""What every platform promises. A platform joins by a class with a few methods; its clauses run for it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import count
from bot.ports import Absent, Failure, Image, Parcel, Platform, Published, Receipt, Unsure

DUE = datetime(2026, 12, 10, 2, 0, tzinfo=UTC)
FAR = 1e12
ALT = "Ảnh chia sẻ: <Nguyễn Văn A> & “bạn bè”."
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


def a_picture(folder: Path, name: str = "picture", alt: str = ALT) -> Image:
    path = folder / f"{name}.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + name.encode())
    return Image("d" * 64, "image/png", path, 1, 1, alt)


class PlatformContract:
    """Subclass it as `Test…`, and say how to open the platform and what the far side then holds.

    A service that lacks something says so, and the clause then asks for what is honest instead.
    """

    folder: Path
    finds = True
    proves_absence = True  # what it does not find is not there
    keeps_keys = True
    nests = True  # the third part of a thread answers the second, else the first
    has_alt = True
    has_languages = True
    takes_twins = True  # the same words twice, as two posts

    def open(self) -> Platform:
        raise NotImplementedError

    def seen(self) -> list[str]:
        """The texts that stand at the far side, in order of arrival."""
        raise NotImplementedError

    def seen_alt(self) -> list[str]:
        return []

    def seen_languages(self) -> list[str]:
        """The first language each post is marked with."""
        return []

    def seen_parents(self) -> list[str]:
        """The id of what each post replies to, or ""."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @pytest.fixture
    def platform(self) -> Platform:
        return self.open()

    @staticmethod
    def post(platform: Platform, **changes: object) -> Receipt:
        outcome = platform.publish(parcel(**changes))
        assert isinstance(outcome, Published), outcome
        return outcome.receipt

    def test_text_arrives_unchanged(self, platform: Platform) -> None:
        self.post(platform, text=STACKED)
        assert self.seen() == [STACKED]

    def test_a_text_at_the_limit_is_accepted(self, platform: Platform) -> None:
        text = "a" * platform.rules.limit
        self.post(platform, text=text)
        assert self.seen() == [text]

    def test_one_over_the_limit_is_refused_and_nothing_is_sent(self, platform: Platform) -> None:
        text = "a" * (platform.rules.limit + 1)
        assert count(text, platform.rules) == platform.rules.limit + 1
        outcome = platform.publish(parcel(text=text))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.REJECTED
        assert self.seen() == []

    def test_letters_that_markup_would_eat_arrive_unchanged(self, platform: Platform) -> None:
        text = "<b>&amp; *không* _phải_ `mã` [tên](https://example.org) & \\n </b> {{ text }} %s"
        self.post(platform, text=text)
        assert self.seen() == [text]

    def test_the_same_key_twice_is_one_post(self, platform: Platform) -> None:
        first = self.post(platform)
        if not (self.keeps_keys or self.finds):
            found = platform.find(parcel(), DUE)
            assert isinstance(found, Unsure)
            assert found.ask is Reason.CANNOT_LOOK, "then a person must decide at once"
            return
        # Without keys, whoever tries again looks first.
        assert self.post(platform, attempt=1 if self.keeps_keys else 2) == first
        assert len(self.seen()) == 1

    def test_a_repeat_is_trusted_only_where_the_key_makes_it_the_same_post(self, platform: Platform) -> None:
        self.post(platform)
        assert (platform.repeats is not None) == self.keeps_keys

    def test_a_later_look_tells_whether_it_still_stands(self, platform: Platform) -> None:
        text = "Một.\n\nHai:  ba."
        receipt = self.post(platform, text=text)
        if not self.finds:
            found = platform.look(receipt, text)
            assert isinstance(found, Unsure)
            assert found.ask is Reason.CANNOT_LOOK
            return
        assert platform.look(receipt, text) is Sighting.THERE
        assert platform.look(receipt, "Lời khác.") is Sighting.CHANGED
        platform.withdraw(receipt)
        assert platform.look(receipt, text) is Sighting.GONE

    def test_another_key_is_another_post(self, platform: Platform) -> None:
        self.post(platform)
        if not self.takes_twins:
            outcome = platform.publish(parcel(idem_key="b" * 64, delivery_id=8))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED, "another's words are no proof of one's own post"
            return
        self.post(platform, idem_key="b" * 64, delivery_id=8)
        assert len(self.seen()) == 2

    def test_what_was_published_is_found_again(self, platform: Platform) -> None:
        receipt = self.post(platform)
        found = platform.find(parcel(), DUE)
        if not self.finds:
            assert isinstance(found, Unsure)
            return
        assert isinstance(found, Published)
        assert found.receipt.remote_id == receipt.remote_id

    def test_what_was_never_published_is_not_found(self, platform: Platform) -> None:
        self.post(platform, text="Một bài khác.", idem_key="b" * 64)
        found = platform.find(parcel(), DUE)
        assert found is None if self.finds and self.proves_absence else isinstance(found, Unsure)

    def test_a_thread_keeps_its_order(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        self.post(platform, text="Two.", languages=("en",), delivery_id=8, idem_key="b" * 64, root=first, parent=first)
        assert self.seen() == ["Một.", "Two."]
        assert self.seen_parents() == ["", first.remote_id]

    def test_a_broken_thread_is_taken_up_by_another_process(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        second = self.post(platform, text="Hai.", idem_key="b" * 64, root=first, parent=first)
        again = self.open()
        self.post(again, text="Ba.", idem_key="c" * 64, root=first, parent=second)
        assert self.seen() == ["Một.", "Hai.", "Ba."]
        assert self.seen_parents() == ["", first.remote_id, (second if self.nests else first).remote_id]

    def test_the_language_travels(self, platform: Platform) -> None:
        self.post(platform)
        self.post(platform, text="Free them all.", languages=("en", "vi"), idem_key="b" * 64)
        assert self.seen_languages() == (["vi", "en"] if self.has_languages else [])

    def test_alt_text_travels(self, platform: Platform) -> None:
        self.post(platform, images=(a_picture(self.folder),))
        assert self.seen_alt() == ([ALT] if self.has_alt else [])

    def test_withdrawing_twice_is_harmless(self, platform: Platform) -> None:
        receipt = self.post(platform)
        assert isinstance(platform.withdraw(receipt), Published)
        assert isinstance(platform.withdraw(receipt), Published)
        assert self.seen() == []

    def test_checking_writes_nothing(self, platform: Platform) -> None:
        assert platform.check().name
        assert self.seen() == []
