"""Telegram keeps the contract of all platforms, as far as its Bot API can; the rest goes to a person."""

import ssl

import pytest
from pydantic import SecretStr

from bot.platforms.http import Door
from bot.platforms.telegram import IMAGES, Telegram
from bot.ports import Absent, Failure, Platform, Receipt, Unsure
from tests.contracts.network_contract import EARLIER, TOKEN, NetworkContract
from tests.contracts.platform_contract import a_picture, parcel
from tests.contracts.simulators.base import HTML, Reply
from tests.contracts.simulators.telegram import CHANNEL, Server, bad, refusal


class TelegramContract(NetworkContract):
    finds = keeps_keys = has_alt = has_languages = False
    chat = "@kenh"
    recorded = (
        (bad("message is too long"), Failure.REJECTED),
        (bad("can't parse entities: Unsupported start tag \"x\" at byte offset 3"), Failure.REJECTED),
        (bad("message to be replied not found"), Failure.REJECTED),
        (bad("chat not found"), Failure.AUTH_BROKEN),
        (bad("not enough rights to send text messages to the chat"), Failure.AUTH_BROKEN),
        (refusal(400, "Bad Request: need administrator rights in the channel chat"), Failure.AUTH_BROKEN),
        (bad("CHAT_WRITE_FORBIDDEN"), Failure.AUTH_BROKEN),
        (refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009),
         Failure.AUTH_BROKEN),
        (refusal(401, "Unauthorized"), Failure.AUTH_BROKEN),
        (refusal(403, "Forbidden: bot is not a member of the channel chat"), Failure.AUTH_BROKEN),
        (refusal(403, "Forbidden: bot was kicked from the channel chat"), Failure.AUTH_BROKEN),
        (refusal(404, "Not Found"), Failure.AUTH_BROKEN),
        (refusal(429, "Too Many Requests: retry after 35", retry_after=35), Failure.RATE_LIMITED),
        (refusal(500, "Internal Server Error"), None),
        (Reply(502, HTML, {"Content-Type": "text/html"}), None),
        (Reply(403, HTML, {"Content-Type": "text/html"}), None),
        (Reply(404, HTML, {"Content-Type": "text/html"}), None),
        (Reply(413, HTML, {"Content-Type": "text/html"}), None),
        (Reply(200, {"ok": True}), None),
        (Reply(200, {"ok": True, "result": True}), None),
        (Reply(200, {"ok": True, "result": [{}]}), None),
        (Reply(200, [1]), None),
        (Reply(400, {"ok": True, "result": {}}), None),
    )  # fmt: skip
    limited = (
        (refusal(429, "Too Many Requests: retry after 35", retry_after=35), 35),
        (Reply(429, HTML, {"Retry-After": "40"}), 40),
    )

    def start(self, tls: ssl.SSLContext | None = None) -> Server:
        return Server(token=TOKEN, tls=tls)

    def connect(self, door: Door) -> Platform:
        return Telegram(door, SecretStr(TOKEN), self.chat)

    def seen(self) -> list[str]:
        return [message["text"] for message in self.far.messages.values()]

    def seen_parents(self) -> list[str]:
        return [str(message["reply_to"] or "") for message in self.far.messages.values()]


class TestTelegram(TelegramContract):
    def test_the_receipt_is_the_message_and_its_address(self, platform: Platform) -> None:
        receipt = self.post(platform)
        assert (receipt.remote_id, receipt.url) == ("7", "https://t.me/kenh/7")

    def test_who_looks_is_told_where(self, platform: Platform) -> None:
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Unsure)
        assert "https://t.me/kenh" in found.detail

    def test_one_picture_carries_the_text(self, platform: Platform) -> None:
        self.post(platform, images=(a_picture(self.folder),))
        assert self.seen() == [parcel().text]
        (message,) = self.far.messages.values()
        assert bytes.fromhex(message["picture"]) == (self.folder / "picture.png").read_bytes()

    def test_an_album_is_one_post_and_goes_as_one(self, platform: Platform) -> None:
        names = ["one", "two", "three"]
        receipt = self.post(platform, images=tuple(a_picture(self.folder, name) for name in names))
        held = [bytes.fromhex(message["picture"]) for message in self.far.messages.values()]
        assert held == [(self.folder / f"{name}.png").read_bytes() for name in names]
        assert self.seen() == [parcel().text, "", ""]
        assert len(self.far.writes) == 1
        platform.withdraw(receipt)
        assert self.far.messages == {}

    def test_an_album_may_answer_a_post(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        self.post(platform, images=(a_picture(self.folder),), root=first, parent=first)
        assert self.seen_parents() == ["", first.remote_id]

    def test_with_a_picture_there_is_room_for_less_text(self, platform: Platform) -> None:
        picture = (a_picture(self.folder),)
        self.post(platform, text="a" * 1_024, images=picture)
        outcome = platform.publish(parcel(text="a" * 1_025, images=picture))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.REJECTED
        assert len(self.far.writes) == 1

    def test_more_or_larger_pictures_than_it_takes_are_refused(self, platform: Platform) -> None:
        large = a_picture(self.folder, "large")
        large.path.write_bytes(b"\0" * 10_000_001)
        for images in ((a_picture(self.folder),) * (IMAGES + 1), (large,)):
            outcome = platform.publish(parcel(images=images))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        assert self.far.writes == []

    def test_a_picture_that_is_gone_from_the_disk_leaves_the_post_absent(self, platform: Platform) -> None:
        image = a_picture(self.folder)
        image.path.unlink()
        outcome = platform.publish(parcel(images=(image,)))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE

    def test_an_answer_to_what_has_no_number_is_refused(self, platform: Platform) -> None:
        elsewhere = Receipt("bai-viet", "https://example.org/bai-viet")
        outcome = platform.publish(parcel(root=elsewhere, parent=elsewhere))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.REJECTED
        assert self.far.writes == []

    def test_silence_and_previews_are_as_configured(self, platform: Platform) -> None:
        self.post(platform)
        door = Door(self.far.base, clock=self.clock, timeout_s=20)
        self.post(Telegram(door, SecretStr(TOKEN), "@kenh", silent=True, link_preview=False))
        assert [(m["silent"], m["preview"]) for m in self.far.messages.values()] == [(False, True), (True, False)]

    def test_a_channel_that_moved_says_where_to(self, platform: Platform) -> None:
        self.far.replies.append(refusal(400, "Bad Request: upgraded", migrate_to_chat_id=-1009))
        outcome = platform.publish(parcel())
        assert isinstance(outcome, Absent)
        assert "-1009" in outcome.detail

    def test_checking_names_the_channel_and_what_is_missing(self, platform: Platform) -> None:
        account = platform.check()
        assert (account.id, account.name, account.url) == (str(CHANNEL), "Kênh", "https://t.me/kenh")
        assert account.missing == ()
        assert any("person" in note for note in account.notes)
        self.far.may_post, self.far.kind = False, "group"
        missing = " ".join(platform.check().missing)
        assert "administrator" in missing
        assert "no channel" in missing

    @pytest.mark.parametrize("chat", ["@khac", "-1009999999999"])
    def test_a_channel_that_the_bot_cannot_see_is_missing(self, chat: str) -> None:
        door = Door(self.far.base, clock=self.clock, timeout_s=20)
        assert "chat not found" in " ".join(Telegram(door, SecretStr(TOKEN), chat).check().missing)


class TestPrivateChannel(TelegramContract):
    chat = str(CHANNEL)

    def test_who_looks_is_told_where(self, platform: Platform) -> None:
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Unsure)
        assert "https://t.me/c/1234567890" in found.detail
