"""Facebook keeps the contract of all platforms, through the real SDK; what its lists do not show goes to a person."""

import json
import ssl
from datetime import date, timedelta

import pytest
from pydantic import SecretStr

from bot.domain.delivery import Reason, Sighting
from bot.platforms.facebook import IMAGES, PAGES, Facebook
from bot.platforms.facebook import PAGE as LISTED
from bot.platforms.http import Door
from bot.platforms.pagetoken import Version
from bot.ports import Absent, Failure, Platform, Published, Receipt, Unsure
from tests.contracts.network_contract import EARLIER, TOKEN, NetworkContract
from tests.contracts.platform_contract import DUE, a_picture, parcel
from tests.contracts.simulators.base import HTML, Fault, Reply
from tests.contracts.simulators.facebook import APP_SECRET, PAGE, SCOPES, VERSION, Server, refused

ENDS = date(2028, 7, 29)
NEEDS_RIGHT = "(#100) Object does not exist, cannot be loaded due to missing permission or reviewable feature"
BUSY = {"call_count": 100, "total_cputime": 25, "total_time": 25}
BUC = json.dumps({PAGE: [{"type": "pages", **BUSY, "estimated_time_to_regain_access": 19}]})
TEXT = "text/javascript; charset=UTF-8"


def with_headers(reply: Reply, **headers: str) -> Reply:
    return Reply(reply.status, reply.body, {name.replace("_", "-"): value for name, value in headers.items()})


class TestFacebook(NetworkContract):
    proves_absence = keeps_keys = takes_twins = nests = has_languages = False
    recorded = (
        (with_headers(refused(506, "(#506) Duplicate status message"), Content_Type=TEXT), Failure.REJECTED),
        (refused(368, "You've already posted this. Posting the same content repeatedly"), Failure.BLOCKED),
        (refused(368, "Your message couldn't be sent", error_subcode=1346003), Failure.BLOCKED),
        *((refused(190, error_subcode=sub), Failure.AUTH_BROKEN) for sub in (458, 459, 460, 463, 464, 467, 492)),
        (refused(102), Failure.AUTH_BROKEN),
        (refused(10, "(#10) This endpoint requires the permission", status=403), Failure.AUTH_BROKEN),
        (refused(200, "(#200) The user hasn't authorized the application", status=403), Failure.AUTH_BROKEN),
        (refused(299), Failure.AUTH_BROKEN),
        (refused(100, NEEDS_RIGHT), Failure.AUTH_BROKEN),
        (refused(100, "Invalid appsecret_proof provided in the API argument"), Failure.AUTH_BROKEN),
        (refused(9_999, status=401), Failure.AUTH_BROKEN),
        (refused(100, "(#100) Param message is too long"), Failure.REJECTED),
        (refused(1_609_005, "The link could not be scraped"), Failure.REJECTED),
        (refused(1_366_046, "Your photos couldn't be uploaded"), Failure.REJECTED),
        *((refused(code), Failure.RATE_LIMITED) for code in (4, 17, 32, 341, 613, 80_001, 80_999)),
        (refused(4, status=403), Failure.RATE_LIMITED),
        (Reply(429, HTML, {"Content-Type": "text/html"}), Failure.RATE_LIMITED),
        (refused(2, "An unexpected error has occurred.", status=500, is_transient=True), None),
        (refused(1, "An unknown error has occurred.", status=500), None),
        (refused(2, "An unexpected error has occurred.", is_transient=True), None),
        (refused(190, status=500), None),
        (Reply(502, HTML, {"Content-Type": "text/html"}), None),
        (Reply(400, HTML, {"Content-Type": "text/html"}), None),
        (Reply(403, {"error": {"code": "190"}}), None),
        (Reply(400, {"error": None}), None),
        (Reply(400, []), None),
        (Reply(200, {}), None),
        (Reply(200, []), None),
        (Reply(200, {"id": None}), None),
        (Reply(200, {"id": "../me"}), None),
        (Reply(200, {"error": {"code": 190, "message": "no"}}), None),
        (Reply(200, b""), None),
    )
    limited = (
        (with_headers(refused(80_001), x_business_use_case_usage=BUC), 19 * 60),
        (with_headers(refused(32, status=403), x_app_usage=json.dumps(BUSY)), 3_600),
        (with_headers(refused(613), Retry_After="40"), 40),
        (with_headers(refused(17), x_business_use_case_usage="[[{"), 3_600),
        (Reply(429, HTML, {"Retry-After": "40"}), 40),
    )

    def start(self, tls: ssl.SSLContext | None = None) -> Server:
        return Server(token=TOKEN, tls=tls)

    def connect(self, door: Door) -> Platform:
        return Facebook(door, PAGE, SecretStr(TOKEN), SecretStr(APP_SECRET), Version(VERSION, ENDS))

    def seen(self) -> list[str]:
        return [post["message"] for post in self.far.posts.values()]

    def seen_alt(self) -> list[str]:
        return [photo["alt"] for post in self.far.posts.values() for photo in post["photos"]]

    def seen_parents(self) -> list[str]:
        return [post["above"] for post in self.far.posts.values()]

    def test_the_receipt_is_the_post_and_its_address(self, platform: Platform) -> None:
        receipt = self.post(platform)
        assert receipt == Receipt(f"{PAGE}_1116692711689522", f"https://www.facebook.com/{PAGE}/posts/1116692711689522")

    def test_a_thread_is_a_post_and_comments_under_it(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        picture = (a_picture(self.folder),)
        second = self.post(platform, text="Two.", part=1, root=first, parent=first, images=picture, idem_key="b" * 64)
        assert second.url == f"{first.url}?comment_id=1116692711689523"
        assert [len(post["photos"]) for post in self.far.posts.values()] == [0, 1]
        found = platform.find(parcel(text="Two.", root=first, parent=first), EARLIER)
        assert isinstance(found, Published)
        assert found.receipt == second
        assert isinstance(platform.withdraw(second), Published)
        assert self.seen() == ["Một."]

    def test_a_comment_takes_one_picture_and_a_post_ten(self, platform: Platform) -> None:
        first = self.post(platform)
        picture = a_picture(self.folder)
        for changes in (
            {"images": (picture,) * (IMAGES + 1)},
            {"images": (picture,) * 2, "root": first, "parent": first},
        ):
            outcome = platform.publish(parcel(**changes))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        assert not self.far.photos

    def test_a_first_post_that_a_person_found_can_be_commented_on(self, platform: Platform) -> None:
        first = self.post(platform)
        found = Receipt(first.remote_id.partition("_")[2], first.url)
        self.post(platform, text="Two.", root=found, parent=found)
        assert self.seen_parents() == ["", first.remote_id]

    def test_what_is_known_by_its_address_only_is_left_to_a_person(self, platform: Platform) -> None:
        lost = Receipt("pfbid02abc?x=1", "https://www.facebook.com/trang/posts/pfbid02abc")
        for outcome in (platform.publish(parcel(root=lost, parent=lost)), platform.withdraw(lost)):
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        looked = platform.look(lost, "x")
        assert isinstance(looked, Unsure)
        assert looked.ask is Reason.CANNOT_LOOK
        assert self.far.asked == []

    def test_a_comment_on_what_is_gone_is_refused_and_the_page_goes_on(self, platform: Platform) -> None:
        first = self.post(platform)
        platform.withdraw(first)
        outcome = platform.publish(parcel(text="Two.", root=first, parent=first))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.REJECTED

    def test_pictures_go_up_unseen_and_then_one_call_makes_the_post(self, platform: Platform) -> None:
        names = ["one", "two", "three"]
        self.post(platform, images=tuple(a_picture(self.folder, name, alt=name) for name in names))
        assert self.seen_alt() == names
        (post,) = self.far.posts.values()
        assert [photo["bytes"] for photo in post["photos"]] == [
            self.folder.joinpath(f"{name}.png").read_bytes() for name in names
        ]
        assert all(photo["hidden"] for photo in self.far.photos.values())
        assert len(self.far.writes) == 1

    def test_what_went_up_is_not_sent_up_again(self, platform: Platform) -> None:
        images = (a_picture(self.folder, "one"), a_picture(self.folder, "two"))
        self.far.replies.append(refused(32))
        assert isinstance(platform.publish(parcel(images=images)), Absent)
        assert isinstance(platform.publish(parcel(images=images, attempt=2)), Published)
        assert len(self.far.photos) == 2

    def test_what_may_have_been_used_goes_up_anew(self, platform: Platform) -> None:
        images = (a_picture(self.folder),)
        self.far.faults.append(Fault.CLOSE_BEFORE)
        assert isinstance(platform.publish(parcel(images=images)), Unsure)
        assert isinstance(platform.publish(parcel(images=images, attempt=2)), Published)
        assert len(self.far.photos) == 2

    def test_a_picture_that_cannot_go_up_leaves_the_post_absent(self, platform: Platform) -> None:
        gone, large = a_picture(self.folder, "gone"), a_picture(self.folder, "large")
        gone.path.unlink()
        large.path.write_bytes(b"\0" * 10_000_001)
        failures = []
        for image in (gone, large):
            outcome = platform.publish(parcel(images=(image,)))
            assert isinstance(outcome, Absent)
            failures.append(outcome.failure)
        assert failures == [Failure.UNREACHABLE, Failure.REJECTED]
        assert self.far.writes == []

    def test_a_picture_in_doubt_is_no_post_in_doubt(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(self.far, "_upload", lambda _: refused(2, status=500))
        outcome = platform.publish(parcel(images=(a_picture(self.folder),)))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE
        assert self.far.writes == []

    def test_every_request_carries_the_proof_and_none_the_token_in_its_address(self, platform: Platform) -> None:
        receipt = self.post(platform, images=(a_picture(self.folder),))
        platform.find(parcel(), EARLIER)
        platform.look(receipt, "x")
        platform.withdraw(receipt)
        for asked in self.far.asked:
            assert TOKEN not in str(asked.query)
            assert asked.path.startswith(f"/{VERSION}/")
        platform.check()
        leaked = [asked.path for asked in self.far.asked if TOKEN in str(asked.query)]
        assert leaked == [f"/{VERSION}/debug_token"], "the one question that cannot be put in another way"

    def test_without_the_right_app_secret_nothing_goes(self) -> None:
        door = Door(self.far.base, clock=self.clock, timeout_s=20)
        outcome = Facebook(door, PAGE, SecretStr(TOKEN), SecretStr("other"), Version(VERSION)).publish(parcel())
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN

    def test_what_is_not_shown_yet_is_looked_for_again_and_then_by_a_person(self, platform: Platform) -> None:
        self.far.lag = timedelta(minutes=8)
        self.far.faults.append(Fault.CLOSE_AFTER)
        assert isinstance(platform.publish(parcel()), Unsure)
        for minutes, expected in ((5, None), (10, "found"), (20, Reason.CANNOT_LOOK)):
            self.far.now = DUE + timedelta(minutes=minutes)
            self.clock.time = self.far.now
            if minutes == 20:
                self.far.shows = lambda _: False
            found = platform.find(parcel(), EARLIER)
            if expected == "found":
                assert isinstance(found, Published)
            else:
                assert isinstance(found, Unsure)
                assert found.ask is expected

    def test_two_posts_with_the_text_are_for_a_person(self, platform: Platform) -> None:
        for text in (parcel().text, "Khác.", parcel().text):
            self.post(platform, text=text)
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Unsure)
        assert found.ask is Reason.FOUND_TWICE
        assert isinstance(platform.publish(parcel(attempt=2)), Unsure)
        assert len(self.far.writes) == 3

    def test_the_same_text_of_last_year_is_not_taken_for_this_years(self, platform: Platform) -> None:
        self.far.now = DUE - timedelta(days=365)
        self.post(platform)
        self.far.now = DUE
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    def test_a_page_whose_clock_is_behind_is_looked_at_further_back(self, platform: Platform) -> None:
        self.far.now = DUE - timedelta(minutes=10)
        self.post(platform)
        assert isinstance(platform.find(parcel(), EARLIER), Published)

    def test_a_post_is_found_behind_many_others(self, platform: Platform) -> None:
        receipt = self.post(platform)
        for number in range(LISTED + 5):
            self.post(platform, text=f"Bài {number}.")
        found = platform.find(parcel(), EARLIER)
        assert isinstance(found, Published)
        assert found.receipt == receipt
        for number in range(LISTED * PAGES):
            self.post(platform, text=f"Bài sau {number}.")
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)

    def test_a_duplicate_is_this_post_only_after_an_earlier_try(self, platform: Platform) -> None:
        receipt = self.post(platform)
        first = platform.publish(parcel(idem_key="b" * 64))
        assert isinstance(first, Absent)
        assert first.failure is Failure.REJECTED
        self.far.shows = lambda _: False
        hidden = platform.publish(parcel(attempt=2))
        assert isinstance(hidden, Unsure)
        self.far.shows = lambda _: True
        assert platform.publish(parcel(attempt=2)) == Published(receipt)
        assert len(self.seen()) == 1

    def test_a_second_try_that_cannot_look_waits(self, platform: Platform) -> None:
        self.far.scopes = ("pages_manage_posts",)
        outcome = platform.publish(parcel(attempt=2))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN
        assert self.far.writes == []

    def test_what_seems_gone_is_so_only_while_the_token_has_its_rights(self, platform: Platform) -> None:
        receipt = self.post(platform)
        platform.withdraw(receipt)
        self.far.scopes = ("pages_read_engagement",)
        outcome = platform.withdraw(receipt)
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN
        assert isinstance(platform.look(receipt, "x"), Unsure)
        self.far.scopes = SCOPES
        assert platform.look(receipt, "x") is Sighting.GONE

    @pytest.mark.parametrize(
        ("header", "told", "minutes"),
        [
            ("X-App-Usage", {"call_count": 76, "total_time": 1, "total_cputime": 1}, 5),
            ("X-Page-Usage", {"call_count": 1, "total_time": 99, "total_cputime": 1}, 5),
            ("X-Business-Use-Case-Usage", json.loads(BUC), 19),
            ("X-App-Usage", {"call_count": 74}, 0),
            ("X-App-Usage", {"call_count": "99", "total_time": None}, 0),
            ("X-App-Usage", [1, "x", {"call_count": -1}], 0),
            (
                "X-Business-Use-Case-Usage",
                {PAGE: [{"call_count": 80, "estimated_time_to_regain_access": 1e300}]},
                1_440,
            ),
        ],
    )
    def test_near_its_limit_the_page_rests(self, platform: Platform, header: str, told: object, minutes: int) -> None:
        self.far.usage = {header: json.dumps(told)}
        self.post(platform)
        if minutes:
            outcome = platform.publish(parcel(text="Hai."))
            assert isinstance(outcome, Absent)
            assert (outcome.failure, outcome.retry_at) == (
                Failure.RATE_LIMITED,
                self.clock.now() + timedelta(minutes=minutes),
            )
            self.clock.advance(minutes=minutes)
        self.post(platform, text="Hai.")
        assert self.seen() == [parcel().text, "Hai."]

    def test_checking_names_the_page_and_what_is_used(self, platform: Platform) -> None:
        self.far.usage = {"X-App-Usage": json.dumps({"call_count": 28, "total_time": 25})}
        account = platform.check()
        assert (account.id, account.name, account.url) == (PAGE, "Trang", f"https://www.facebook.com/{PAGE}")
        assert account.missing == ()
        notes = " ".join(account.notes)
        assert "28 %" in notes
        assert f"{VERSION} of the Graph API, until 2028-07-29" in notes
        assert "Live" in notes

    @pytest.mark.parametrize(
        ("amiss", "said"),
        [
            ({"expires_at": int((DUE + timedelta(days=9)).timestamp())}, "The token ends on 2026-12-19"),
            ({"expires_at": 10**30}, ""),
            ({"reads_until": int((DUE + timedelta(days=9)).timestamp())}, "reads nothing after 2026-12-19"),
            ({"reads_until": int((DUE + timedelta(days=60)).timestamp())}, ""),
            ({"scopes": SCOPES[1:]}, "pages_manage_posts"),
            ({"scopes": SCOPES[:1]}, "pages_read_user_content"),
            ({"pages": ("1",)}, "pages_manage_posts"),
            ({"kind": "USER"}, "not the token of the Page"),
            ({"published": False}, "not published"),
            ({"version": "v26.0"}, "answers as v26.0"),
        ],
    )
    def test_checking_says_what_is_missing(self, platform: Platform, amiss: dict[str, object], said: str) -> None:
        for name, value in amiss.items():
            setattr(self.far, name, value)
        missing = platform.check().missing
        assert said in " ".join(missing)
        assert bool(missing) == bool(said)

    def test_a_page_that_was_named_by_its_address_is_told_its_number(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(self.far, "_page", lambda: Reply(200, {"id": "77", "name": "Trang"}))
        assert "page_id = “77”" in " ".join(platform.check().missing)

    def test_a_version_that_ends_soon_is_said(self) -> None:
        door = Door(self.far.base, clock=self.clock, timeout_s=20)
        soon = Version(VERSION, (DUE + timedelta(days=89)).date())
        platform = Facebook(door, PAGE, SecretStr(TOKEN), SecretStr(APP_SECRET), soon)
        assert [line for line in platform.check().missing if "graph_version" in line]

    @pytest.mark.parametrize(
        "odd", [None, [], {}, {"is_valid": True}, {"is_valid": True, "scopes": 7, "granular_scopes": [1]}]
    )
    def test_what_is_told_of_a_token_may_be_odd(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, odd: object
    ) -> None:
        monkeypatch.setattr(self.far, "_debugged", lambda: odd)
        assert platform.check().missing
