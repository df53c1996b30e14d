"""What every platform promises besides, whose service is somewhere else: each fault ends where the papers say."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.platforms.http import Door
from bot.ports import Absent, Failure, Outcome, Platform, Published, Unsure
from tests.contracts.platform_contract import DUE, PlatformContract, a_picture, parcel
from tests.contracts.simulators.base import Fault, Reply
from tests.contracts.simulators.certificates import Authority
from tests.house import FakeClock

QUICK_S, PATIENT_S = 1.5, 20.0
SLOW = frozenset({Fault.HANG_BEFORE, Fault.HANG_AFTER, Fault.DRIP})
TOKEN = "canary:7Zq-secret_token"  # what every simulator lets in
EARLIER = DUE - timedelta(seconds=60)


def _end(outcome: Outcome | None) -> str:
    """As the tables print it; None is what a look did not find."""
    match outcome:
        case None:
            return "surely absent"
        case Published():
            return "published"
        case Absent(failure):
            return f"absent: {failure}"
    return "unknown"


class NetworkContract(PlatformContract):
    """Besides what PlatformContract asks: how to start the service, and what it was recorded to answer."""

    far: Any
    clock: FakeClock
    # What the service answers to a write, and how that ends; None is doubt.
    recorded: tuple[tuple[Reply, Failure | None], ...] = ()
    # How it asks to wait, and the seconds it means.
    limited: tuple[tuple[Reply, int], ...] = ()
    # Whether posts can be read without signing in.
    open_to_all = False

    def start(self, tls: Any = None) -> Any:  # noqa: ANN401 - a simulator with switches of its own
        raise NotImplementedError

    def connect(self, door: Door) -> Platform:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _service(self) -> Iterator[None]:
        self.clock = FakeClock(time=DUE)
        with self.start() as self.far:
            self.far.now = DUE
            yield

    def open(self, *, timeout_s: float = PATIENT_S, ca_file: Path | None = None) -> Platform:
        secrets = (SecretStr(TOKEN),)
        door = Door(self.far.base, clock=self.clock, timeout_s=timeout_s, secrets=secrets, ca_file=ca_file)
        return self.connect(door)

    @pytest.mark.parametrize("fault", Fault, ids=lambda fault: str(fault.value))
    def test_a_fault_after_the_first_byte_leaves_doubt_and_one_call(
        self, fault: Fault, record_property: Callable[[str, object], None]
    ) -> None:
        platform = self.open(timeout_s=QUICK_S if fault in SLOW else PATIENT_S)
        self.far.faults.append(fault)
        outcome = platform.publish(parcel())
        assert isinstance(outcome, Unsure)
        assert len(self.far.writes) == 1
        assert len(self.seen()) == (1 if fault.applies else 0)
        assert all(asked.path != "/elsewhere" for asked in self.far.asked)
        found = self.open().find(parcel(), EARLIER)
        record_property(fault.value, f"{_end(outcome)}, {_end(found)}")
        if self.finds:
            absent = found is None if self.proves_absence else isinstance(found, Unsure)
            assert isinstance(found, Published) if fault.applies else absent
        else:
            assert isinstance(found, Unsure)

    @pytest.mark.parametrize("fault", [Fault.CLOSE_AFTER, Fault.ERROR_AFTER, Fault.CUT, Fault.CLOSE_BEFORE])
    def test_after_a_fault_the_same_key_makes_no_second_post(self, fault: Fault) -> None:
        platform = self.open()
        self.far.faults.append(fault)
        platform.publish(parcel())
        if not (self.keeps_keys or self.finds):
            assert isinstance(platform.find(parcel(), EARLIER), Unsure), "then a person must decide"
            return
        self.post(platform, attempt=2)
        assert len(self.seen()) == 1

    def test_each_recorded_answer_ends_where_it_should(self, platform: Platform) -> None:
        assert self.recorded
        for reply, expected in self.recorded:
            self.far.replies.append(reply)
            outcome = platform.publish(parcel())
            if expected is None:
                assert isinstance(outcome, Unsure), (reply, outcome)
            else:
                assert isinstance(outcome, Absent), (reply, outcome)
                assert outcome.failure is expected, (reply, outcome)
        assert self.seen() == []

    def test_every_way_to_ask_for_a_wait_is_understood(
        self, platform: Platform, record_property: Callable[[str, object], None]
    ) -> None:
        assert self.limited
        for reply, seconds in self.limited:
            self.far.replies.append(reply)
            outcome = platform.publish(parcel())
            record_property(f"{reply.status}, asked to wait", _end(outcome))
            assert outcome == Absent(Failure.RATE_LIMITED, "asked to wait", DUE + timedelta(seconds=seconds)), reply
        assert self.seen() == []
        self.post(platform)

    def test_a_token_revoked_within_a_thread_stops_it_until_a_person_comes(
        self, platform: Platform, record_property: Callable[[str, object], None]
    ) -> None:
        first = self.post(platform, text="Một.")
        self.far.revoked = True
        second = parcel(text="Hai.", idem_key="b" * 64, root=first, parent=first)
        outcome = platform.publish(second)
        record_property("token revoked within a thread", _end(outcome))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.AUTH_BROKEN
        self.far.revoked = False
        assert isinstance(platform.publish(second), Published)
        assert self.seen() == ["Một.", "Hai."]

    def test_over_tls_only_the_right_server_is_spoken_to(self, record_property: Callable[[str, object], None]) -> None:
        ours, other = Authority(self.folder), Authority(self.folder, "other")
        with self.start(tls=ours.server()) as self.far:
            for ca_file in (None, other.file):
                outcome = self.open(ca_file=ca_file).publish(parcel())
                record_property("TLS not to be trusted", _end(outcome))
                assert isinstance(outcome, Absent)
                assert outcome.failure is Failure.UNREACHABLE
            assert self.far.asked == []
            self.post(self.open(ca_file=ours.file))
            assert len(self.far.writes) == 1

    def test_past_its_deadline_nothing_is_written(self, platform: Platform) -> None:
        outcome = platform.publish(parcel(deadline=self.clock.boot() - 1))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.LATE
        assert self.far.writes == []

    def test_where_nobody_is_everything_ends_in_words(self, platform: Platform) -> None:
        receipt = self.post(platform)
        self.far.__exit__()
        gone = self.open()
        outcome = gone.publish(parcel(idem_key="b" * 64))
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE
        assert isinstance(gone.find(parcel(), EARLIER), Unsure)
        assert isinstance(gone.withdraw(receipt), Absent)
        assert gone.check().missing

    def test_signed_out_everything_ends_in_words(self, platform: Platform) -> None:
        receipt = self.post(platform)
        self.far.revoked = True
        assert isinstance(platform.find(parcel(), EARLIER), Published if self.open_to_all else Unsure)
        withdrawn = platform.withdraw(receipt)
        assert isinstance(withdrawn, Absent)
        assert withdrawn.failure is Failure.AUTH_BROKEN
        assert platform.check().missing

    def test_a_clock_that_is_wrong_is_said(self, platform: Platform) -> None:
        assert not any("clock" in line for line in platform.check().missing)
        self.clock.advance(minutes=3)
        assert any("180 s ahead" in line for line in platform.check().missing)

    def test_no_log_no_error_and_no_repr_holds_a_secret(
        self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        platform = self.open()
        echo = Reply(400, {"ok": False, "error": f"no {TOKEN}", "error_code": 400, "description": f"no {TOKEN}"})
        self.far.replies += [echo, Reply(401, echo.body), Reply(500, echo.body), Reply(200, {"result": TOKEN})]
        said: list[object] = [platform.publish(parcel()) for _ in range(4)]
        self.far.faults += [Fault.CLOSE_BEFORE, Fault.REDIRECT]
        said += [platform.publish(parcel()) for _ in range(2)]
        receipt = self.post(platform, images=(a_picture(self.folder),))
        said += [platform, receipt, platform.find(parcel(), EARLIER), platform.check(), platform.withdraw(receipt)]
        self.far.__exit__()
        gone = self.open()
        said += [gone.publish(parcel()), gone.find(parcel(), EARLIER), gone.check(), gone.withdraw(receipt)]
        told = [*map(repr, said), *(record.getMessage() for record in caplog.records), *capfd.readouterr()]
        assert all("canary" not in line for line in told), told
        for file in self.folder.rglob("*"):
            assert file.is_dir() or b"canary" not in file.read_bytes()
