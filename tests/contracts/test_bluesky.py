"""Bluesky keeps the contract of all platforms against a PDS as it was recorded; a key is a post, and never two."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.platforms.atproto import pds_of
from bot.platforms.bluesky import API, Bluesky, record_key
from bot.platforms.http import Door
from bot.ports import Absent, Failure, Platform, Published, Receipt, Unsure
from tests.contracts.network_contract import EARLIER, TOKEN, NetworkContract
from tests.contracts.platform_contract import DUE, a_picture, parcel
from tests.contracts.simulators.base import HTML, Fault, Reply
from tests.contracts.simulators.bluesky import DID, HANDLE, POSTS, TID, Server, invalid, refused

RESET = str(int(DUE.timestamp()) + 290)


def limited(**headers: str) -> Reply:
    return Reply(429, {"error": "RateLimitExceeded"}, {name.replace("_", "-"): each for name, each in headers.items()})


class TestBluesky(NetworkContract):
    open_to_all = True
    recorded = (
        (invalid(f"Invalid {POSTS} record: grapheme too big (maximum 300, got 301)"), Failure.REJECTED),
        (invalid(f"Invalid {POSTS} record: string too big (maximum 3000, got 3025)"), Failure.REJECTED),
        (invalid(f'Invalid {POSTS} record: Invalid language (got "not a language")'), Failure.REJECTED),
        (invalid(f"Invalid record key for {POSTS}: Invalid TID string"), Failure.REJECTED),
        (refused(413, "PayloadTooLarge", "request entity too large"), Failure.REJECTED),
        (refused(400, "BlobNotFound", "Could not find blob: bafkrei"), Failure.UNREACHABLE),
        (refused(401, "AccountTakedown", "Account has been taken down"), Failure.AUTH_BROKEN),
        (refused(400, "AccountDeactivated"), Failure.AUTH_BROKEN),
        (refused(401, "AuthFactorTokenRequired", "A sign in code has been sent"), Failure.AUTH_BROKEN),
        (refused(403, "ScopeMissingError"), Failure.AUTH_BROKEN),
        (limited(), Failure.RATE_LIMITED),
        (refused(400, "InvalidSwap", "Record was at bafyrei"), None),
        (refused(400, "UpstreamFailure"), None),
        (refused(502, "UpstreamFailure"), None),
        (refused(504, "UpstreamTimeout"), None),
        (refused(500, "InternalServerError", "Internal Server Error"), None),
        (refused(500, "ExpiredToken"), None),
        (refused(501, "MethodNotImplemented"), None),
        (Reply(502, HTML, {"Content-Type": "text/html"}), None),
        (Reply(400, HTML, {"Content-Type": "text/html"}), None),
        (Reply(403, {"error": 7}), None),
        (Reply(200, {}), None),
        (Reply(200, []), None),
        (Reply(200, {"uri": f"at://{DID}/{POSTS}/3kabcdefghi24", "cid": "bafyrei"}), None),
        (Reply(200, {"uri": None, "cid": None}), None),
        (Reply(202, {"uri": "at://x", "cid": "bafy"}), None),
    )  # fmt: skip
    limited = (
        (limited(ratelimit_reset=RESET, retry_after="290", ratelimit_remaining="0"), 290),
        (limited(ratelimit_reset=RESET), 290),
        (limited(Retry_After="30"), 30),
    )

    def start(self, tls: ssl.SSLContext | None = None) -> Server:
        return Server(token=TOKEN, tls=tls)

    def connect(self, door: Door) -> Platform:
        return Bluesky(door, HANDLE, SecretStr(TOKEN))

    def seen(self) -> list[str]:
        return [post["text"] for post in self.far.posts]

    def seen_alt(self) -> list[str]:
        return [image["alt"] for post in self.far.posts for image in post["embed"]["images"]]

    def seen_languages(self) -> list[str]:
        return [post["langs"][0] for post in self.far.posts]

    def seen_parents(self) -> list[str]:
        return [post["reply"]["parent"]["uri"] if "reply" in post else "" for post in self.far.posts]

    @pytest.fixture(autouse=True)
    def _never_overwrites(self, _service: None) -> Iterator[None]:
        yield
        assert all(asked.json()["swapRecord"] is None for asked in self.far.writes)

    def test_the_record_is_made_of_nothing_but_the_parcel(self, platform: Platform) -> None:
        receipt = self.post(platform, text="Tự do.", languages=("vi", "en"))
        key = record_key(parcel())
        assert self.far.posts == [
            {"$type": POSTS, "text": "Tự do.", "createdAt": "2026-12-10T02:00:00.000Z", "langs": ["vi", "en"]}
        ]
        assert receipt.remote_id == f"at://{DID}/{POSTS}/{key}"
        assert receipt.url == f"https://bsky.app/profile/{DID}/post/{key}"
        assert receipt.reference == {"uri": receipt.remote_id, "cid": self.far.records[POSTS, key]["cid"]}

    def test_a_thread_names_its_first_post_and_the_one_before(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        second = self.post(platform, text="Hai.", part=1, root=first, parent=first)
        self.post(platform, text="Ba.", part=2, root=first, parent=second)
        ends = [post["reply"] for post in self.far.posts[1:]]
        assert ends == [
            {"root": first.reference, "parent": first.reference},
            {"root": first.reference, "parent": second.reference},
        ]

    def test_a_first_post_that_a_person_found_is_looked_up_for_its_answers(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        for who in (DID, HANDLE):
            url = f"https://bsky.app/profile/{who}/post/{record_key(parcel())}"
            found = Receipt(record_key(parcel()), url)
            self.post(platform, text="Hai.", part=1, root=found, parent=found)
        assert self.far.posts[1]["reply"]["root"] == first.reference

    @pytest.mark.parametrize(
        "url",
        [
            "https://bsky.app/profile/did:plc:ban/post/3kabcdefghi24",
            f"https://bsky.app/profile/{DID}/post/3kabcdefghi24",
            "",
        ],
    )
    def test_an_answer_to_what_is_not_there_is_refused(self, platform: Platform, url: str) -> None:
        lost = Receipt("3kabcdefghi24", url)
        outcome = platform.publish(parcel(root=lost, parent=lost))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.REJECTED
        assert self.far.writes == []

    def test_links_hashtags_and_handles_that_exist_are_live_and_others_stay_text(self, platform: Platform) -> None:
        self.post(platform, text="Gửi @ban.example và @khong.example: https://example.org/ký #TựDo")
        text = self.far.posts[0]["text"].encode()
        (facets,) = (post["facets"] for post in self.far.posts)
        named = {
            text[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
            for facet in facets
        }
        kind = "app.bsky.richtext.facet#"
        assert named == {
            "@ban.example": {"$type": f"{kind}mention", "did": "did:plc:ban"},
            "https://example.org/ký": {"$type": f"{kind}link", "uri": "https://example.org/ký"},
            "#TựDo": {"$type": f"{kind}tag", "tag": "TựDo"},
        }

    def test_pictures_go_up_in_order_with_their_shape(self, platform: Platform) -> None:
        images = tuple(replace(a_picture(self.folder, name), width=4, height=3) for name in ("one", "two"))
        self.post(platform, images=images)
        held = self.far.posts[0]["embed"]["images"]
        assert [each["aspectRatio"] for each in held] == [{"width": 4, "height": 3}] * 2
        assert [self.far.pixels[each["image"]["ref"]["$link"]] for each in held] == [
            i.path.read_bytes() for i in images
        ]

    def test_a_picture_of_two_million_bytes_is_taken_and_a_larger_one_or_a_fifth_refused_unasked(
        self, platform: Platform
    ) -> None:
        image = a_picture(self.folder, "large")
        image.path.write_bytes(b"\0" * 2_000_001)
        for images in ((image,), (a_picture(self.folder),) * 5):
            outcome = platform.publish(parcel(images=images))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        assert self.far.asked == []
        image.path.write_bytes(b"\0" * 2_000_000)
        self.post(platform, images=(image,))

    def test_a_text_of_too_many_bytes_is_refused_unasked(self, platform: Platform) -> None:
        outcome = platform.publish(parcel(text="👨‍👩‍👧‍👦" * 121))
        assert isinstance(outcome, Absent)
        assert "3025 of 3,000 bytes" in outcome.detail
        assert self.far.asked == []

    def test_what_went_up_is_not_sent_up_again_unless_it_is_gone(self, platform: Platform) -> None:
        images = (a_picture(self.folder, "one"), a_picture(self.folder, "two"))
        self.far.replies.append(limited(Retry_After="30"))
        assert isinstance(platform.publish(parcel(images=images)), Absent)
        self.far.blobs.clear()
        gone = platform.publish(parcel(images=images, attempt=2))
        assert isinstance(gone, Absent)
        assert gone.failure is Failure.UNREACHABLE
        assert self.far.called("uploadBlob") == 2
        self.post(platform, images=images, attempt=3)
        assert self.far.called("uploadBlob") == 4

    def test_a_picture_that_cannot_be_read_or_taken_up_leaves_the_post_absent(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image = a_picture(self.folder)
        for reply, failure in ((Reply(500, HTML), Failure.UNREACHABLE), (Reply(200, {}), Failure.UNREACHABLE),
                               (refused(413, "PayloadTooLarge"), Failure.REJECTED)):  # fmt: skip
            monkeypatch.setattr(self.far, "_upload", lambda _, reply=reply: reply)
            outcome = platform.publish(parcel(images=(image,)))
            assert isinstance(outcome, Absent)
            assert outcome.failure is failure
        image.path.unlink()
        assert isinstance(platform.publish(parcel(images=(image,))), Absent)
        assert self.far.writes == []

    @pytest.mark.parametrize("fault", [fault for fault in Fault if fault.applies and fault is not Fault.DRIP])
    def test_a_repeat_writes_nothing_new(self, fault: Fault) -> None:
        platform = self.open(timeout_s=1.5 if fault is Fault.HANG_AFTER else 20)
        self.far.faults.append(fault)
        assert isinstance(platform.publish(parcel()), Unsure)
        before = dict(self.far.records)
        self.post(self.open(), attempt=2)
        assert self.far.records == before

    def test_a_repeat_whose_handles_changed_meanwhile_is_still_the_same_post(self, platform: Platform) -> None:
        text = "Gửi @moi.example"
        first = self.post(platform, text=text)
        self.far.handles["moi.example"] = "did:plc:moi"
        assert self.post(platform, text=text) == first
        assert "facets" not in self.far.posts[0]

    def test_another_post_under_the_key_is_never_overwritten(self, platform: Platform) -> None:
        first = self.post(platform, text="Một.")
        for change in ({"text": "Khác."}, {"text": "Một.", "root": first, "parent": first}):
            outcome = platform.publish(parcel(**change))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
            assert "another post" in outcome.detail
            assert isinstance(platform.find(parcel(**change), EARLIER), Unsure)
        assert self.seen() == ["Một."]

    def test_a_taken_key_that_cannot_be_read_stays_in_doubt(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.post(platform, text="Một.")
        monkeypatch.setattr(self.far, "_get", lambda _: Reply(502, HTML))
        assert isinstance(platform.publish(parcel(text="Khác.")), Unsure)
        assert isinstance(platform.find(parcel(text="Khác."), EARLIER), Unsure)

    def test_a_post_of_another_account_is_not_taken_down(self, platform: Platform) -> None:
        receipt = self.post(platform)
        for remote_id in (receipt.remote_id.replace(DID, "did:plc:ban"), "7", ""):
            outcome = platform.withdraw(Receipt(remote_id))
            assert isinstance(outcome, Absent)
            assert outcome.failure is Failure.REJECTED
        assert len(self.seen()) == 1
        assert isinstance(platform.withdraw(Receipt(receipt.remote_id.rsplit("/", 1)[1], receipt.url)), Published)
        assert self.seen() == []

    def test_it_signs_in_once_and_refreshes_before_the_session_ends(self, platform: Platform) -> None:
        for hours in range(0, 24, 3):
            self.post(platform, part=hours)
            self.far.advance(hours=3)
            self.clock.advance(hours=3)
        assert (self.far.called("createSession"), self.far.called("refreshSession")) == (1, 7)
        assert len(self.far.writes) == 8

    @pytest.mark.parametrize("error", ["ExpiredToken", "InvalidToken", "AuthenticationRequired", "AuthMissing"])
    def test_a_session_that_is_refused_is_renewed_once(self, platform: Platform, error: str) -> None:
        self.far.replies.append(refused(400, error))
        self.post(platform)
        assert (self.far.called("createSession"), self.far.called("refreshSession")) == (1, 1)
        self.far.replies += [refused(400, error)] * 2
        outcome = platform.publish(parcel(part=1))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN
        assert not self.far.replies

    def test_where_the_refresh_is_refused_the_password_opens_a_new_session(self, platform: Platform) -> None:
        self.post(platform)
        self.far.tokens.clear()
        self.post(platform, part=1)
        assert self.far.called("createSession") == 2

    def test_a_service_in_trouble_costs_no_login(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        self.post(platform)
        self.clock.advance(hours=3)
        monkeypatch.setattr(self.far, "_refresh_session", lambda _: Reply(503, HTML))
        outcome = platform.publish(parcel(part=1))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE
        assert self.far.called("createSession") == 1
        assert len(self.far.writes) == 1

    def test_too_many_logins_are_waited_for(self) -> None:
        for _ in range(30):
            self.open().check()
        outcome = self.open().publish(parcel())
        assert outcome == Absent(Failure.RATE_LIMITED, "asked to wait", DUE + timedelta(seconds=300))

    @pytest.mark.parametrize("odd", [{}, [], {"did": "x", "accessJwt": "a", "refreshJwt": "b"}, {"did": DID}])
    def test_a_session_that_makes_no_sense_leaves_the_post_absent(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, odd: object
    ) -> None:
        monkeypatch.setattr(self.far, "_create_session", lambda _: Reply(200, odd))
        assert isinstance(platform.publish(parcel()), Absent)
        assert isinstance(platform.find(parcel(), EARLIER), Unsure)
        assert platform.check().missing

    @pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.e30.c", "a.bnVsbA.c", "é.é.é"])
    def test_a_token_that_tells_nothing_of_itself_is_used_all_the_same(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, token: str
    ) -> None:
        told = {"did": DID, "handle": HANDLE, "accessJwt": token, "refreshJwt": token}
        monkeypatch.setattr(self.far, "_create_session", lambda _: Reply(200, told))
        assert platform.check().id == DID

    def test_no_token_of_a_session_is_told(self, platform: Platform) -> None:
        self.post(platform)
        for token in self.far.tokens:
            self.far.replies.append(invalid(f"no {token}"))
            outcome = platform.publish(parcel(part=1))
            assert "•••" in repr(outcome)
            assert "canary" not in repr(outcome)

    def test_it_goes_on_where_the_did_document_says(self, platform: Platform) -> None:
        with self.start() as kept:
            kept.now, kept.tokens, self.far.endpoint = DUE, self.far.tokens, kept.base
            self.post(platform)
            assert len(kept.writes) == 1
            assert isinstance(platform.find(parcel(), EARLIER), Published)
            assert [asked.path for asked in self.far.asked] == ["/xrpc/com.atproto.server.createSession"]

    @pytest.mark.parametrize(
        "endpoint",
        ["http://example.org", "https://a@example.org", "https://example.org/x?y", "ftp://127.0.0.1", "", 7, ["x"],
         "http://127.0.0.1.example.org", "https://example.org:99999999", "http://10.0.0.1", "file:///etc/passwd"],
    )  # fmt: skip
    def test_no_token_goes_to_an_address_that_is_not_to_be_trusted(self, platform: Platform, endpoint: object) -> None:
        self.far.endpoint = endpoint
        self.post(platform)
        assert len(self.far.writes) == 1

    def test_checking_names_the_account_its_server_and_what_is_missing(self, platform: Platform) -> None:
        account = platform.check()
        assert (account.id, account.name, account.missing) == (DID, f"@{HANDLE}", ())
        assert account.url == f"https://bsky.app/profile/{DID}"
        assert any(self.far.base in note for note in account.notes)
        self.far.labels, self.far.active, self.far.scope = None, False, "com.atproto.access"
        missing = " ".join(platform.check().missing)
        assert all(word in missing for word in ("Automation label", "suspended", "app password"))
        self.far.scope = "com.atproto.appPassPrivileged"
        assert "direct messages" in " ".join(platform.check().missing)

    def test_checking_asks_for_the_password_again(self, platform: Platform) -> None:
        platform.check()
        self.far.token = "another"
        assert "Invalid identifier or password" in " ".join(platform.check().missing)

    @pytest.mark.parametrize(
        "labels", [None, [], "bot", {"values": "bot"}, {"values": [{"val": "!no"}]}, {"values": [7]}]
    )
    def test_a_profile_without_the_label_says_where_to_find_it(self, platform: Platform, labels: object) -> None:
        self.far.labels = labels
        assert "Automation label" in " ".join(platform.check().missing)

    def test_a_profile_that_cannot_be_read_is_said(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(self.far, "_get", lambda _: Reply(500, HTML))
        assert "profile cannot be read" in " ".join(platform.check().missing)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.integers(0, 20), st.integers(1, 10**9))
def test_a_key_is_a_tid_that_tells_when_the_post_was_due(due: datetime, part: int, delivery_id: int) -> None:
    key = record_key(parcel(due_at=due, part=part, delivery_id=delivery_id))
    assert TID.fullmatch(key)
    number = 0
    for digit in key:
        number = number * 32 + "234567abcdefghijklmnopqrstuvwxyz".index(digit)
    assert number >> 10 == (due - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) + part


def test_keys_follow_the_parts_and_depend_on_delivery_and_content() -> None:
    keys = [record_key(parcel(part=part)) for part in range(20)]
    assert keys == sorted(set(keys))
    assert record_key(parcel()) == record_key(parcel(attempt=3, text="Khác."))
    assert len({record_key(parcel(delivery_id=number)) for number in range(8)}) > 6
    assert record_key(parcel()) != record_key(parcel(idem_key="b" * 64))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:2583", "https://127.0.0.1", "https://10.0.0.1", "https://169.254.169.254", "https://2130706433",
        "https://0x7f.1",
        "https://127.0.0.0x1", "https://[::1]", "https://localhost", "https://localhost.", "https://bot.LOCALHOST:443",
        "https://router.local", "https://metadata.google.internal", "https://1.0.0.10.in-addr.arpa",
        "https://169.254.169.254/latest", "https://user@pds.example.org", "https://",
    ],
)  # fmt: skip
def test_a_document_leads_neither_into_this_machine_nor_into_the_net_around_it(endpoint: str) -> None:
    document = {"id": DID, "service": [{"id": "#atproto_pds", "serviceEndpoint": endpoint}]}
    assert pds_of(document, DID, API) == API


@pytest.mark.parametrize("endpoint", ["https://morel.us-east.host.bsky.network", "https://pds.example.org:8443/"])
def test_a_document_leads_to_any_server_that_has_a_name(endpoint: str) -> None:
    document = {"id": DID, "service": [{"id": f"{DID}#atproto_pds", "serviceEndpoint": endpoint}]}
    assert pds_of(document, DID, API) == endpoint.rstrip("/")
