"""X keeps the contract of all platforms, through the real tweepy, against a service as recorded and documented."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import nfc
from bot.platforms import xapi
from bot.platforms.http import Door
from bot.platforms.x import STRANGE, X, number_of
from bot.platforms.xapi import Api, Keys
from bot.platforms.xtext import reads
from bot.ports import Absent, Failure, Platform, Published, Receipt, Unsure
from tests.contracts import openapi_extract
from tests.contracts.network_contract import EARLIER, TOKEN, NetworkContract
from tests.contracts.platform_contract import DUE, a_picture, parcel
from tests.contracts.simulators.base import HTML, Fault, Reply
from tests.contracts.simulators.x import PROBLEMS, Server, as_shown, problem, weight

AT = int(DUE.timestamp())
EXTRACT = Path(__file__).parent / "x_openapi_extract.toml"
DUPLICATE = problem(403, "You are not allowed to create a Tweet with duplicate content.")


def asked_to_wait(**headers: str) -> Reply:
    return problem(429, "Too Many Requests", title="Too Many Requests", **headers)


class TestX(NetworkContract):
    keeps_keys = False
    has_languages = False
    takes_twins = False
    recorded = (
        (DUPLICATE, Failure.REJECTED),
        (
            problem(
                403,
                "You can only reply to or quote posts where you are mentioned or are the author.",
                PROBLEMS + "not-authorized-for-resource",
                "Authorization Error",
            ),
            Failure.REJECTED,
        ),
        (problem(403, "You are not permitted to perform this action."), Failure.REJECTED),
        (
            problem(403, "Your client app is not configured", "https://api.twitter.com/2/problems/oauth1-permissions"),
            Failure.AUTH_BROKEN,
        ),
        (
            problem(403, "The user used for authentication is suspended", PROBLEMS + "user-suspended"),
            Failure.AUTH_BROKEN,
        ),
        (
            Reply(
                403,
                {
                    "type": PROBLEMS + "client-forbidden",
                    "title": "Client Forbidden",
                    "detail": "This request is billed to the authenticated user.",
                    "reason": "user-not-enrolled",
                },
            ),
            Failure.AUTH_BROKEN,
        ),
        (problem(403, "Unsupported Authentication", PROBLEMS + "unsupported-authentication"), Failure.AUTH_BROKEN),
        (
            Reply(
                402,
                {
                    "account_id": 1243608864848629761,
                    "title": "CreditsDepleted",
                    "detail": "Your enrolled account [1243608864848629761] does not have any credits.",
                    "type": "https://api.twitter.com/2/problems/credits",
                },
            ),
            Failure.BILLING,
        ),
        (problem(429, "Usage cap exceeded", PROBLEMS + "usage-capped", "UsageCapExceeded"), Failure.BILLING),
        (problem(403, "Usage cap exceeded", PROBLEMS + "usage-capped", "UsageCapExceeded"), Failure.BILLING),
        (problem(401, "Unauthorized", title="Unauthorized"), Failure.AUTH_BROKEN),
        (Reply(401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]}), Failure.AUTH_BROKEN),
        (asked_to_wait(), Failure.RATE_LIMITED),
        (asked_to_wait(x_rate_limit_reset="soon"), Failure.RATE_LIMITED),
        (problem(400, "The 'text' is required.", PROBLEMS + "invalid-request", "Invalid Request"), Failure.REJECTED),
        (Reply(400, {"errors": [{"message": "Your media IDs are invalid."}], "title": "x"}), Failure.UNREACHABLE),
        (Reply(400, {"errors": None, "detail": "tweepy stumbles over this"}), Failure.REJECTED),
        (Reply(400, {"errors": 7, "title": "and over this"}), Failure.REJECTED),
        (problem(503, "Service Unavailable", title="Service Unavailable"), None),
        (Reply(502, HTML, {"Content-Type": "text/html"}), None),
        (Reply(500, None), None),
        (Reply(403, HTML, {"Content-Type": "text/html"}), None),
        (Reply(402, HTML, {"Content-Type": "text/html"}), None),
        (Reply(401, [{"detail": "Unauthorized"}]), None),
        (Reply(403, {"errors": None}), None),
        (Reply(201, {}), None),
        (Reply(201, []), None),
        (Reply(201, {"data": None}), None),
        (Reply(201, {"data": {"id": 1445880548472328192, "text": ""}}), None),
        (Reply(201, {"data": {"id": "", "text": ""}}), None),
        (Reply(204, None), None),
        (Reply(202, {"data": {"id": "1"}}), None),
    )
    limited = (
        (asked_to_wait(x_rate_limit_limit="100", x_rate_limit_remaining="0", x_rate_limit_reset=str(AT + 300)), 300),
        (asked_to_wait(x_rate_limit_reset=str(AT + 60)), 60),
        (
            asked_to_wait(
                x_rate_limit_remaining="99",
                x_rate_limit_reset=str(AT + 300),
                x_user_limit_24hour_remaining="0",
                x_user_limit_24hour_reset=str(AT + 40_000),
                x_app_limit_24hour_remaining="0",
                x_app_limit_24hour_reset=str(AT + 30_000),
            ),
            40_000,
        ),
    )

    def start(self, tls: ssl.SSLContext | None = None) -> Server:
        return Server(token=TOKEN, tls=tls)

    def connect(self, door: Door) -> Platform:
        return X(Api(door, Keys(*map(SecretStr, self.far.keys))), wait=lambda _: None)

    def seen(self) -> list[str]:
        return [post["written"] for post in self.far.posts.values()]

    def seen_alt(self) -> list[str]:
        return [self.far.media[each]["alt"] for post in self.far.posts.values() for each in post["media"]]

    def seen_parents(self) -> list[str]:
        return [post["parent"] for post in self.far.posts.values()]

    @pytest.fixture(autouse=True)
    def _speaks_as_published(self, _service: None) -> Iterator[None]:
        """Whatever a test makes it ask, and whatever the simulator answers, is what X has published."""
        yield
        contract = openapi_extract.load(EXTRACT)
        assert [fault for asked in self.far.asked for fault in contract.faults_asked(asked)] == []
        assert [fault for asked, reply in self.far.told for fault in contract.faults_told(asked, reply)] == []

    def test_the_receipt_is_the_number_and_an_address_that_holds_whatever_the_account_is_called(
        self, platform: Platform
    ) -> None:
        receipt = self.post(platform)
        assert receipt.url == f"https://x.com/i/web/status/{receipt.remote_id}"
        assert receipt.remote_id in self.far.posts

    @pytest.mark.parametrize("wrong", range(4))
    def test_each_of_the_four_keys_signs(self, wrong: int) -> None:
        keys = [*self.far.keys]
        keys[wrong] += "x"
        door = Door(self.far.base, clock=self.clock, timeout_s=20)
        outcome = X(Api(door, Keys(*map(SecretStr, keys)))).publish(parcel())
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN

    @pytest.mark.parametrize("odd", ["", " ", "khóa", "a\nb", "a%b&c=d", "a" * 9_000])
    def test_a_key_with_letters_that_no_key_has_ends_in_words(self, odd: str) -> None:
        for name in Keys.__dataclass_fields__:
            keys = replace(Keys(*map(SecretStr, self.far.keys)), **{name: SecretStr(odd)})
            outcome = X(Api(Door(self.far.base, clock=self.clock, timeout_s=20), keys)).publish(parcel())
            assert isinstance(outcome, Absent | Unsure), odd
            assert len(outcome.detail) < 400
        assert self.seen() == []

    def test_refused_by_its_clock_it_says_so(self, platform: Platform) -> None:
        self.clock.advance(minutes=10)
        self.far.replies.append(problem(401, "Unauthorized", title="Unauthorized"))
        outcome = platform.publish(parcel())
        assert isinstance(outcome, Absent)
        assert "600 s ahead" in outcome.detail

    @pytest.mark.parametrize(
        "text",
        [
            "Đọc thêm: https://example.org/vi/chien-dich?utm_source=x#a #NhânQuyền",
            "https://example.org https://example.org/en and example.org/vi.",
            "a < b && c > d &lt; &amp;amp; https://example.org/?a=1&b=2",
            "Dừng đàn áp!\n\n  https://example.org/\nTự do.",
            "e\u0323\u0302 nay.Do đó",
        ],
    )
    def test_a_post_is_found_whatever_x_made_of_its_links_and_letters(self, platform: Platform, text: str) -> None:
        for escapes in (True, False):
            self.far.escapes = escapes
            self.far.now += timedelta(days=1)
            self.clock.time = self.far.now
            receipt = self.post(platform, text=text, images=(a_picture(self.folder),))
            found = platform.find(parcel(text=text), self.far.now - timedelta(seconds=60))
            assert found == Published(receipt)
            assert platform.look(receipt, text) is Sighting.THERE
            assert platform.look(receipt, text + " Nữa.") is Sighting.CHANGED

    def test_words_that_stand_with_another_link_are_for_a_person(self, platform: Platform) -> None:
        self.post(platform, text="Đọc: https://example.org/vi")
        found = platform.find(parcel(text="Đọc: https://example.org/en"), EARLIER)
        assert isinstance(found, Unsure)
        assert found.ask is Reason.CANNOT_LOOK
        assert platform.find(parcel(text="Xem: https://example.org/en"), EARLIER) is None

    def test_the_same_words_under_another_post_are_for_a_person(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        self.post(platform, text="Hai.", root=first, parent=first)
        for sought in (parcel(text="Hai."), parcel(text="Hai.", parent=Receipt("77"))):
            found = platform.find(sought, EARLIER)
            assert isinstance(found, Unsure)
            assert found.ask is Reason.CANNOT_LOOK
        assert isinstance(platform.find(parcel(text="Hai.", parent=first), EARLIER), Published)

    def test_a_server_that_speaks_by_the_older_names_is_understood(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(xapi, "FIELDS", {"tweet.fields": "created_at,entities,referenced_tweets"})
        text = "Hai: https://example.org"
        first = self.post(platform, text="Một.")
        second = self.post(platform, text=text, root=first, parent=first)
        assert platform.find(parcel(text=text, parent=first), EARLIER) == Published(second)
        assert isinstance(platform.find(parcel(text=text), EARLIER), Unsure)
        self.far.asked.clear()  # these names are no longer published
        self.far.told.clear()

    def test_a_page_without_what_was_asked_for_proves_no_absence(self, platform: Platform) -> None:
        self.post(platform, text="Khác.")
        self.far.silent = True
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    @pytest.mark.parametrize(
        "page",
        [
            {},
            {"data": []},
            {"meta": {"result_count": 2}, "data": [{"id": "1", "text": "", "created_at": "2026-12-10T02:00:00Z"}]},
            {"meta": {"result_count": 0}, "errors": [{"title": "Not Found Error"}]},
            {"meta": {"result_count": 1}, "data": [{"id": "1", "text": "", "created_at": "soon"}]},
            {"meta": {"result_count": 1}, "data": [{"id": "1", "created_at": "2026-12-10T02:00:00Z"}]},
            {"meta": {"result_count": 1}, "data": [None]},
            {"meta": {"result_count": 1}, "data": {"id": "1"}},
            {"meta": 7, "data": 7},
            [],
        ],
    )
    def test_a_page_that_cannot_be_read_proves_no_absence(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, page: object
    ) -> None:
        monkeypatch.setattr(self.far, "_timeline", lambda _: Reply(200, page))
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)
        self.far.told.clear()  # these are no answers of X

    def test_a_post_that_its_page_does_not_show_yet_is_found_later(self, platform: Platform) -> None:
        self.far.lag = timedelta(seconds=60)
        receipt = self.post(platform)
        assert platform.find(parcel(), EARLIER) is None
        self.far.now += timedelta(seconds=61)
        self.clock.advance(seconds=61)
        assert platform.find(parcel(), EARLIER) == Published(receipt)

    def test_a_clock_behind_or_ahead_finds_the_post_all_the_same(self, platform: Platform) -> None:
        self.far.now = DUE - timedelta(minutes=10)
        receipt = self.post(platform)
        assert platform.find(parcel(), EARLIER) == Published(receipt)

    def test_the_same_words_of_last_year_are_not_taken_for_this_years(self, platform: Platform) -> None:
        self.far.now = DUE - timedelta(days=365)
        self.post(platform)
        self.far.now = DUE
        assert platform.find(parcel(), EARLIER) is None

    def test_a_post_is_found_behind_many_others_and_two_are_for_a_person(self, platform: Platform) -> None:
        self.far.page = 5
        receipt = self.post(platform)
        for number in range(12):
            self.post(platform, text=f"Bài {number}.")
        assert platform.find(parcel(), EARLIER) == Published(receipt)
        self.far.said.clear()
        self.post(platform)
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Unsure)
        assert found.ask is Reason.FOUND_TWICE

    def test_more_posts_than_can_be_looked_through_are_no_absence(self, platform: Platform) -> None:
        self.far.page = 1
        for number in range(9):
            self.post(platform, text=f"Bài {number}.")
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    @pytest.mark.parametrize("lost", [Fault.CLOSE_AFTER, Fault.ERROR_AFTER, Fault.CUT])
    def test_what_x_calls_a_duplicate_of_an_earlier_try_is_found(self, platform: Platform, lost: Fault) -> None:
        self.far.faults.append(lost)
        assert isinstance(platform.publish(parcel()), Unsure)
        outcome = platform.publish(parcel(attempt=2))
        assert isinstance(outcome, Published)
        assert outcome.receipt.remote_id in self.far.posts

    def test_a_duplicate_that_x_does_not_show_is_never_called_absent(self, platform: Platform) -> None:
        self.far.replies.append(DUPLICATE)
        outcome = platform.publish(parcel(attempt=2))
        assert isinstance(outcome, Unsure)
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Unsure)
        assert found.ask is Reason.CANNOT_LOOK

    def test_three_different_posts_refused_without_a_known_reason_stop_the_account(self, platform: Platform) -> None:
        why = problem(403, "You are not permitted to perform this action.")
        ends = []
        for key in ("a", "a", "b", "c"):
            self.far.replies.append(why)
            outcome = platform.publish(parcel(idem_key=key * 64))
            assert isinstance(outcome, Absent)
            ends.append(outcome.failure)
        assert ends == [Failure.REJECTED] * STRANGE + [Failure.AUTH_BROKEN]

    def test_pictures_go_up_in_order_and_are_waited_for(self, platform: Platform) -> None:
        self.far.processing = 3
        names = ["one", "two", "three", "four"]
        self.post(platform, images=tuple(a_picture(self.folder, name, alt=name) for name in names))
        assert self.seen_alt() == names
        held = [bytes.fromhex(media["bytes"]) for media in self.far.media.values()]
        assert held == [self.folder.joinpath(f"{name}.png").read_bytes() for name in names]

    @pytest.mark.parametrize(
        ("takes", "fails", "failure"), [(999, (), Failure.UNREACHABLE), (1, (1,), Failure.REJECTED)]
    )
    def test_a_picture_that_is_never_ready_leaves_the_post_absent(
        self, platform: Platform, takes: int, fails: tuple[int, ...], failure: Failure
    ) -> None:
        self.far.processing, self.far.failing = takes, bool(fails)
        outcome = platform.publish(parcel(images=(a_picture(self.folder),)))
        assert isinstance(outcome, Absent)
        assert outcome.failure is failure
        assert self.far.writes == []

    @pytest.mark.parametrize("step", ["_upload", "_describe"])
    @pytest.mark.parametrize(
        ("reply", "failure"),
        [
            (Reply(500, HTML), Failure.UNREACHABLE),
            (Reply(200, HTML), Failure.UNREACHABLE),
            (Reply(200, {"data": {}}), Failure.UNREACHABLE),
            (Reply(200, b'{"data": {"id": "' + b"9" * 5_000_000), Failure.UNREACHABLE),
            (Reply(302, b"", {"Location": "/elsewhere"}), Failure.UNREACHABLE),
            (asked_to_wait(x_rate_limit_reset=str(AT + 60)), Failure.RATE_LIMITED),
            (problem(402, "no credits", PROBLEMS + "credits", "CreditsDepleted"), Failure.BILLING),
            (problem(401, "Unauthorized", title="Unauthorized"), Failure.AUTH_BROKEN),
            (problem(400, "media type unrecognized", PROBLEMS + "invalid-request"), Failure.REJECTED),
        ],
    )
    def test_whatever_becomes_of_a_picture_the_post_is_surely_absent(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, step: str, reply: Reply, failure: Failure
    ) -> None:
        monkeypatch.setattr(self.far, step, lambda _: reply)
        outcome = platform.publish(parcel(images=(a_picture(self.folder),)))
        assert isinstance(outcome, Absent), outcome
        assert outcome.failure is failure
        assert self.far.writes == []
        self.far.told.clear()  # some of these are no answers of X
        monkeypatch.undo()
        self.post(platform, images=(a_picture(self.folder),), attempt=2)
        assert len(self.far.writes) == 1

    def test_what_went_up_is_used_again_until_x_drops_it(self, platform: Platform) -> None:
        images = (a_picture(self.folder, "one"), a_picture(self.folder, "two"))
        for _ in range(2):
            self.far.replies.append(asked_to_wait())
            platform.publish(parcel(images=images))
        assert len(self.far.media) == 2
        self.clock.advance(days=1)
        self.far.now += timedelta(days=1)
        self.post(platform, images=images, attempt=3)
        assert len(self.far.media) == 4
        assert self.far.posts.popitem()[1]["media"] == list(self.far.media)[2:]

    def test_a_picture_that_is_gone_at_x_goes_up_again(self, platform: Platform) -> None:
        image = a_picture(self.folder)
        self.far.replies.append(asked_to_wait())
        platform.publish(parcel(images=(image,)))
        self.far.media.clear()
        outcome = platform.publish(parcel(images=(image,)))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE
        self.post(platform, images=(image,))
        assert self.seen_alt() == [image.alt]

    def test_a_picture_that_is_gone_from_the_disk_leaves_the_post_absent(self, platform: Platform) -> None:
        image = a_picture(self.folder)
        image.path.unlink()
        assert isinstance(platform.publish(parcel(images=(image,))), Absent)
        assert self.far.asked == []

    def test_more_larger_or_longer_described_pictures_than_x_takes_are_refused(self, platform: Platform) -> None:
        large = a_picture(self.folder, "large")
        large.path.write_bytes(b"\0" * 5_000_001)
        for images in ((a_picture(self.folder),) * 5, (large,), (a_picture(self.folder, alt="á" * 1_001),)):
            outcome = platform.publish(parcel(images=images))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        assert self.far.asked == []

    def test_without_credit_nothing_goes_out_and_nobody_guesses(self, platform: Platform) -> None:
        self.far.credit = 0
        outcome = platform.publish(parcel())
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.BILLING
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Unsure)
        assert any("credits" in line for line in platform.check().missing)

    def test_a_link_costs_what_the_papers_say(self, platform: Platform) -> None:
        before = self.far.credit
        self.post(platform, text="Tự do.")
        self.post(platform, text="Tự do: https://example.org")
        assert before - self.far.credit == pytest.approx(0.215)

    def test_checking_names_the_account_and_what_is_missing(self, platform: Platform) -> None:
        account = platform.check()
        assert (account.name, account.url, account.missing) == ("@org", "https://x.com/org", ())
        self.far.protected, self.far.withheld = True, ["VN"]
        for level, words in (("read", "may only read"), ("read-write-directmessages", "direct messages")):
            self.far.level = level
            missing = " ".join(platform.check().missing)
            assert words in missing
            assert "protected" in missing
            assert "VN" in missing
        assert [asked.method for asked in self.far.asked] == ["GET"] * 3

    def test_a_key_that_may_only_read_stops_the_account(self, platform: Platform) -> None:
        self.far.level = "read"
        outcome = platform.publish(parcel())
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN

    def test_what_a_person_reported_by_its_address_can_be_taken_down(self, platform: Platform) -> None:
        receipt = self.post(platform)
        seen = Receipt("1", f"https://x.com/org/status/{receipt.remote_id}/photo/1?s=20")
        assert platform.withdraw(seen) == Published(seen)
        assert self.seen() == []
        assert isinstance(platform.withdraw(Receipt("../../x")), Absent)

    def test_every_request_is_made_once_and_by_no_other_name(self, platform: Platform) -> None:
        self.post(platform)
        (asked,) = self.far.asked
        assert asked.headers["User-Agent"] == "campaignbot"
        assert len(self.far.nonces) == 1


@pytest.mark.parametrize(
    ("remote_id", "url", "number"),
    [
        ("12", "", "12"),
        ("1", "https://twitter.com/org/status/345", "345"),
        ("status", "https://x.com/org", ""),
        ("1" * 20, "", ""),
        ("٣", "", ""),
        ("12", "https://example.org/org/status/345", "12"),
    ],
)
def test_a_post_is_known_by_its_number(remote_id: str, url: str, number: str) -> None:
    assert number_of(Receipt(remote_id, url)) == number


def test_words_are_known_where_nobody_says_where_a_link_leads() -> None:
    post = {"id": "1", "text": "Tự do https://t.co/0000000001", "entities": {"urls": None}}
    assert reads("Tự do https://example.org", post) is None
    assert reads("Tự do", post) is None
    assert reads("Khác", post) is False


WORDS = (
    "Nguyễn", "Văn", "A.", "https://example.org/vi?a=1&b=(2)#c", "example.org", "tự.Do", "&amp;", "<b>", "R&D",
    "👩‍👩‍👧", "#NhânQuyền", "שלום", "e\u0323\u0302", "https://example.org/.", "(https://example.net)", "http://EXAMPLE.com/A/",
)  # fmt: skip


@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), gap=st.sampled_from([" ", "\n", "\n\n"]))
def test_whatever_x_shows_of_a_text_is_known_for_it_and_for_no_other(words: list[str], gap: str) -> None:
    text = gap.join(words)
    for escapes in (True, False):
        for fields in ({"entities"}, set[str]()):
            links: dict[str, str] = {}
            shown = as_shown({"id": "1", "written": nfc(text), "media": []}, links, fields, escapes=escapes)
            assert reads(text, shown) is (True if fields or not links else None)
            other = text.replace("example.org", "exemple.org")
            assert other == text or reads(other, shown) is None
            assert reads(text + " nữa", shown) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dừng đàn áp tại Việt Nam! #StopTheCrackdownVN", 48),
        ("Hãy trả tự do cho tất cả tù nhân lương tâm.", 47),
        ("Release all prisoners of conscience in Vietnam now. https://example.org/en/campaign #StopTheCrackdownVN", 95),
        ("🇻🇳 ✊🏽 👨‍👩‍👧‍👦 #StopTheCrackdownVN", 28),
        ("ạ" * 140, 280),
        ("hôm nay.Do đó", 30),
    ],
)
def test_the_simulator_counts_as_x_was_recorded_to(text: str, expected: int) -> None:
    assert weight(text) == expected
