"""Mastodon keeps the contract of all platforms, on a real server and on a look-alike, as each was recorded."""

import ssl
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.platforms.http import Door
from bot.platforms.mastodon import PAGE, PAGES, Mastodon
from bot.ports import Absent, Failure, Platform, Published, Unsure
from tests.contracts.network_contract import EARLIER, TOKEN, NetworkContract
from tests.contracts.platform_contract import DUE, a_picture, parcel
from tests.contracts.simulators.base import HTML, Reply
from tests.contracts.simulators.mastodon import Server


def said(status: int, error: object, **headers: str) -> Reply:
    return Reply(status, {"error": error}, headers)


def limited(**headers: str) -> Reply:
    return said(429, "Too many requests", **{name.replace("_", "-"): value for name, value in headers.items()})


class MastodonContract(NetworkContract):
    waited: float
    recorded = (
        (said(401, "The access token is invalid"), Failure.AUTH_BROKEN),
        (said(403, "Your login is currently disabled"), Failure.AUTH_BROKEN),
        (said(403, "This action is not allowed"), Failure.AUTH_BROKEN),
        (said(403, "insufficient_scope"), Failure.AUTH_BROKEN),
        (said(404, "Record not found"), Failure.REJECTED),
        (said(422, "Validation failed: Text character limit of 500 exceeded"), Failure.REJECTED),
        (said(422, "Validation failed: Text can't be blank"), Failure.REJECTED),
        (said(400, "Bad Request: text with spoiler exceed max chars (500)"), Failure.REJECTED),
        (Reply(400, {"success": False, "error": {"issues": [{"code": "too_small"}]}}), Failure.REJECTED),
        (
            said(422, "Cannot attach files that have not finished processing. Try again in a moment!"),
            Failure.UNREACHABLE,
        ),
        (limited(), Failure.RATE_LIMITED),
        (said(500, "This page isn't correct. Something went wrong on our end."), None),
        (said(503, "There was a temporary problem serving your request, please try again"), None),
        (Reply(500, None), None),
        (Reply(403, HTML, {"Content-Type": "text/html"}), None),
        (Reply(404, HTML, {"Content-Type": "text/html"}), None),
        (Reply(200, {}), None),
        (Reply(200, []), None),
        (Reply(200, {"id": None}), None),
        (Reply(200, {"error": "none"}), None),
        (Reply(202, {"id": "1"}), None),
    )
    limited = (
        (limited(X_RateLimit_Reset=(DUE + timedelta(minutes=90)).isoformat().replace("+00:00", "Z")), 5_400),
        (limited(X_RateLimit_Reset="2026-12-10T03:30:00.000000Z", X_RateLimit_Remaining="0"), 5_400),
        (limited(Retry_After="30"), 30),
        (limited(Retry_After="Thu, 10 Dec 2026 02:00:45 GMT"), 45),
        (limited(X_RateLimit_Reset=str(int(DUE.timestamp()) + 60)), 60),
    )

    def start(self, tls: ssl.SSLContext | None = None) -> Server:
        return Server(token=TOKEN, tls=tls)

    def connect(self, door: Door) -> Platform:
        return Mastodon(door, SecretStr(TOKEN), wait=lambda _: None)

    def seen(self) -> list[str]:
        return [status["text"] for status in self.far.statuses.values()]

    def seen_alt(self) -> list[str]:
        return [media["description"] for each in self.far.statuses.values() for media in each["media_attachments"]]

    def seen_languages(self) -> list[str]:
        return [status["language"] for status in self.far.statuses.values()]

    def seen_parents(self) -> list[str]:
        return [status["in_reply_to_id"] or "" for status in self.far.statuses.values()]


class TestMastodon(MastodonContract):
    def test_the_receipt_is_the_status_and_its_address(self, platform: Platform) -> None:
        receipt = self.post(platform)
        assert receipt.url == f"{self.far.base}/@org/{receipt.remote_id}"

    def test_pictures_go_up_in_order_and_are_waited_for(self, platform: Platform) -> None:
        self.far.processing = 3
        names = ["one", "two", "three"]
        self.post(platform, images=tuple(a_picture(self.folder, name, alt=name) for name in names))
        assert self.seen_alt() == names
        (status,) = self.far.statuses.values()
        held = [bytes.fromhex(media["bytes"]) for media in status["media_attachments"]]
        assert held == [self.folder.joinpath(f"{name}.png").read_bytes() for name in names]

    def test_a_picture_that_is_never_ready_leaves_the_post_absent(self, platform: Platform) -> None:
        self.far.processing = 1_000
        outcome = platform.publish(parcel(images=(a_picture(self.folder),)))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE
        assert self.far.writes == []

    def test_what_went_up_is_not_sent_up_again(self, platform: Platform) -> None:
        images = (a_picture(self.folder, "one"), a_picture(self.folder, "two"))
        self.far.replies.append(limited(Retry_After="30"))
        assert isinstance(platform.publish(parcel(images=images)), Absent)
        assert isinstance(platform.publish(parcel(images=images, attempt=2)), Published)
        assert len(self.far.media) == 2

    def test_a_picture_that_is_gone_from_the_disk_leaves_the_post_absent(self, platform: Platform) -> None:
        image = a_picture(self.folder)
        image.path.unlink()
        assert isinstance(platform.publish(parcel(images=(image,))), Absent)
        assert self.far.writes == []

    def test_more_pictures_or_words_about_them_than_the_server_takes_are_refused(self, platform: Platform) -> None:
        for images in ((a_picture(self.folder),) * 5, (a_picture(self.folder, alt="a" * 1_501),)):
            outcome = platform.publish(parcel(images=images))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        assert not self.far.media
        assert self.far.writes == []

    def test_a_server_with_less_room_refuses_by_its_own_number(self, platform: Platform) -> None:
        self.far.characters = 300
        outcome = platform.publish(parcel(text="a" * 301))
        assert isinstance(outcome, Absent)
        assert "301 of 300" in outcome.detail
        assert self.far.writes == []
        assert platform.rules.limit == 300

    def test_a_server_with_more_room_takes_more(self, platform: Platform) -> None:
        self.far.characters = 5_000
        platform.check()
        self.post(platform, text="a" * 2_000)
        assert len(self.seen()[0]) == 2_000

    def test_its_limits_are_read_once_a_day(self, platform: Platform) -> None:
        for key in "ab":
            self.post(platform, idem_key=key * 64)
        assert [asked.path for asked in self.far.asked].count("/api/v2/instance") == 1
        self.clock.advance(days=1)
        self.post(platform, idem_key="c" * 64)
        assert [asked.path for asked in self.far.asked].count("/api/v2/instance") == 2

    def test_the_same_text_of_last_year_is_not_taken_for_this_years(self, platform: Platform) -> None:
        self.far.now = DUE - timedelta(days=365)
        self.post(platform, idem_key="b" * 64)
        self.far.now = DUE
        assert platform.find(parcel(), EARLIER) is None

    def test_two_posts_with_the_text_are_for_a_person(self, platform: Platform) -> None:
        for key in "ab":
            self.post(platform, idem_key=key * 64)
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    def test_a_post_is_found_behind_many_others(self, platform: Platform) -> None:
        receipt = self.post(platform)
        for number in range(PAGE + 5):
            self.post(platform, text=f"Bài {number}.", idem_key=f"{number:064}")
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Published)
        assert found.receipt == receipt

    def test_more_posts_than_can_be_looked_through_are_no_absence(self, platform: Platform) -> None:
        made = self.post(platform, text="Khác.")
        one = self.far.statuses[made.remote_id]
        many = {str(n): one | {"id": str(n)} for n in range(1, PAGE * PAGES + 1)}
        self.far.statuses.update(many)
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    def test_a_server_whose_clock_is_behind_is_looked_at_further_back(self, platform: Platform) -> None:
        self.far.now = DUE - timedelta(minutes=10)
        self.post(platform)
        assert isinstance(platform.find(parcel(), EARLIER), Published)

    def test_a_post_whose_text_cannot_be_read_is_no_absence(self, platform: Platform) -> None:
        made = self.post(platform, text="Khác.")
        self.far.statuses[made.remote_id]["text"] = None
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    @pytest.mark.parametrize("moment", [None, "soon", 7])
    def test_a_post_whose_time_cannot_be_read_is_compared_all_the_same(
        self, platform: Platform, moment: object
    ) -> None:
        made = self.post(platform)
        self.far.statuses[made.remote_id]["created_at"] = moment
        assert isinstance(platform.find(parcel(), EARLIER), Published | Unsure)

    def test_checking_names_the_account_and_what_is_missing(self, platform: Platform) -> None:
        account = platform.check()
        assert (account.name, account.missing) == ("@org", ())
        assert any("500" in note for note in account.notes)
        self.far.is_bot, self.far.scopes = False, ["read", "write:media"]
        missing = " ".join(platform.check().missing)
        assert "automated" in missing
        assert "write:statuses" in missing
        assert "write:media" not in missing

    def test_the_visibility_is_what_was_configured(self) -> None:
        door = Door(self.far.base, clock=self.clock, timeout_s=20)
        quiet = Mastodon(door, SecretStr(TOKEN), visibility="unlisted")
        self.post(quiet)
        assert [status["visibility"] for status in self.far.statuses.values()] == ["unlisted"]

    @pytest.mark.parametrize(
        "odd", [None, [], {"configuration": None}, {"configuration": {"statuses": {"max_characters": "9"}}}]
    )
    def test_a_server_that_names_no_limits_has_the_usual_ones(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, odd: object
    ) -> None:
        monkeypatch.setattr(self.far, "_instance", lambda: odd)
        platform.check()
        assert platform.rules.limit == 500


class TestLookAlike(MastodonContract):
    """A server that speaks the same words but forgets keys, as GoToSocial was recorded to do."""

    def start(self, tls: ssl.SSLContext | None = None) -> Server:
        return Server(token=TOKEN, tls=tls, look_alike=True)

    keeps_keys = False

    def test_a_second_try_looks_before_it_sends(self, platform: Platform) -> None:
        first = self.post(platform)
        assert self.post(platform, attempt=2) == first
        assert len(self.far.writes) == 1

    def test_a_second_try_that_cannot_look_stays_in_doubt(self, platform: Platform) -> None:
        for key in "ab":
            self.post(platform, idem_key=key * 64)
        assert isinstance(platform.publish(parcel(attempt=2)), Unsure)
        assert len(self.far.writes) == 2

    def test_checking_promises_no_keys(self, platform: Platform) -> None:
        assert not any("key" in note for note in platform.check().notes)
