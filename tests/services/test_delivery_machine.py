"""Deliveries under any mixture of faults, crashes and people: never doubled, never lost, never unapproved.

A far side keeps its own ledger and is the judge; a crash forgets all that was not committed.
"""

import atexit
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.delivery import ENDED, MOVES, Delivery, DeliveryState, Reason, Sighting
from bot.domain.errors import CampaignError
from bot.domain.post import Content, PostState
from bot.domain.text import RULES, TextRules
from bot.ports import Absent, Account, Failure, Outcome, Parcel, Published, Receipt, Unsure
from bot.services import deliver, posts, queue, review, settle, withdraw
from bot.services.audit import verify
from bot.services.context import Context
from bot.services.errands import Done, answer
from bot.services.posts import When
from bot.store import deliveries, turns
from tests.databases import as_role, database
from tests.house import Crew, FakeClock, bring_in, build_house, open_house

CAMPAIGN = "stop-the-crackdown-vn"
PROOF, BLIND, KEYED = "rehearsal-x", "rehearsal-facebook", "rehearsal-bluesky"
LIKES = ("x", "facebook", "bluesky")
KEY_LIFE = timedelta(minutes=60)
FAULTS = (
    "none",
    "none",
    "none",
    "unreachable",
    "rate_limited",
    "rejected",
    "lost",
    "never_arrived",
    "crash_before",
    "crash_after",
    "looks_fail",
)


@dataclass
class Ledger:
    """A service that keeps every post it accepted. A blind one cannot be asked what it holds.

    With `repeats` the same key is the same post, for as long as it keeps keys and no longer.
    """

    clock: FakeClock
    sees: bool
    repeats: timedelta | None = None
    rules: TextRules = RULES["facebook"]
    accepted: list[tuple[Parcel, datetime]] = field(default_factory=list)
    altered: dict[str, Sighting] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    told: dict[str, Sighting] = field(default_factory=dict)
    fault: str = "none"

    def publish(self, parcel: Parcel) -> Outcome:
        if self.fault in {"unreachable", "rate_limited", "rejected"}:
            later = self.clock.now() + timedelta(minutes=3) if self.fault == "rate_limited" else None
            return Absent(Failure(self.fault), "as told", later)
        if self.fault == "never_arrived":
            return Unsure("cut before it arrived")
        now = self.clock.now()
        known = self.repeats and any(p.idem_key == parcel.idem_key and now - at < KEY_LIFE for p, at in self.accepted)
        if not known:
            self.accepted.append((parcel, now))
        return Unsure("the answer was cut") if self.fault == "lost" else Published(self._receipt(parcel))

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        if not self.sees:
            return Unsure("this service shows nothing", Reason.CANNOT_LOOK)
        if self.repeats or self.fault == "looks_fail":
            return Unsure("503")
        held = any(seen.idem_key == parcel.idem_key and at >= since for seen, at in self.accepted)
        return Published(self._receipt(parcel)) if held else None

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        assert any(parcel.idem_key.startswith(receipt.remote_id) and parcel.text == text for parcel, _ in self.accepted)
        if self.fault == "looks_fail":
            return Unsure("503")
        self.told[receipt.url] = self.altered.get(receipt.url, Sighting.THERE)
        return self.told[receipt.url]

    def withdraw(self, receipt: Receipt) -> Outcome:
        if self.fault in {"unreachable", "rate_limited", "rejected"}:
            return Absent(Failure(self.fault), "as told")
        if self.fault != "never_arrived":
            self.down.add(receipt.url)
        return Unsure("no answer") if self.fault in {"never_arrived", "lost"} else Published(receipt)

    def check(self) -> Account:
        return Account("1", "ledger")

    def holds(self, delivery: Delivery) -> bool:
        return any(parcel.idem_key == delivery.idem_key for parcel, _ in self.accepted)

    @staticmethod
    def _receipt(parcel: Parcel) -> Receipt:
        return Receipt(parcel.idem_key[:12], place_of(parcel.idem_key))


def place_of(idem_key: str) -> str:
    return "https://example.org/" + idem_key[:12]


@dataclass(frozen=True)
class Promise:
    """What was approved: the exact words, and the moments between which they may appear."""

    texts: frozenset[str]
    due: datetime
    not_after: datetime


@cache
def house_with_crew() -> tuple[Path, Crew]:
    folder = Path(mkdtemp(prefix="campaignbot-machine-"))
    atexit.register(shutil.rmtree, folder)
    build_house(folder)
    ctx = open_house(folder)
    crew = bring_in(ctx)
    ctx.store.close()
    return folder, crew


class Deliveries(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="campaignbot-machine-"))
        self.cleared = ExitStack()
        ctx, self.crew = self.opened()
        assert isinstance(ctx.clock, FakeClock)
        self.clock = ctx.clock
        self.ledgers = {
            PROOF: Ledger(self.clock, sees=True),
            BLIND: Ledger(self.clock, sees=False),
            KEYED: Ledger(self.clock, sees=True, repeats=timedelta(minutes=45)),
        }
        rhythm = replace(ctx.channels[PROOF].rhythm, quiet_until=ctx.channels[PROOF].rhythm.quiet_from, daily_cap=100)
        self.ctx: Context = replace(
            ctx,
            channels={
                name: replace(ctx.channels[name], platform=ledger, rhythm=rhythm)
                for name, ledger in self.ledgers.items()
            },
        )
        self.promises: dict[int, Promise] = {}
        self.states: dict[int, DeliveryState] = {}
        self.withdrawn: dict[int, datetime] = {}
        self.halted_at: datetime | None = None
        self.done: list[Done] = []
        self.count = 0

    def opened(self) -> tuple[Context, Crew]:
        original, crew = house_with_crew()
        shutil.copytree(original, self.folder, dirs_exist_ok=True)
        return open_house(self.folder, likes=LIKES), crew

    @initialize()
    def start(self) -> None:
        self.worker = deliver.start(self.ctx, "machine")

    def teardown(self) -> None:
        try:
            self.run_to_the_end()
        finally:
            self.ctx.store.close()
            self.cleared.close()
            shutil.rmtree(self.folder)

    def all(self) -> Mapping[int, Delivery]:
        with self.ctx.store.read() as tx:
            return {each.id: each for each in deliveries.listed(tx, limit=1_000)}

    @rule(minutes=st.integers(1, 30), grace=st.sampled_from((20, 90, 600)))
    def a_post_is_written_and_approved(self, minutes: int, grace: int) -> None:
        self.count += 1
        texts = {("vi", ""): f"Câu chuyện số {self.count}.", ("en", ""): f"Story number {self.count}."}
        due = self.clock.now() + timedelta(minutes=minutes)
        when = When(at=due, grace=timedelta(minutes=grace))
        post = posts.add_post(self.ctx, self.crew.coordinator, Content(CAMPAIGN, texts, tuple(self.ledgers)), when)
        post = review.submit(self.ctx, self.crew.coordinator, post.id)
        review.approve(self.ctx, self.crew.reviewer, post.id, post.digest)
        self.promise(post.id)

    def promise(self, post_id: int) -> None:
        content = posts.get_post(self.ctx, post_id).content
        vi, en = content.texts["vi", ""], content.texts["en", ""]
        window = content.windows[0]
        self.promises[post_id] = Promise(frozenset({vi, en, f"{vi}\n\n{en}"}), window.due, window.not_after)

    @rule(seconds=st.sampled_from((1, 20, 61, 200, 301, 3_600, 30_000)))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(fault=st.sampled_from(FAULTS), keep=st.booleans())
    def a_wave_runs(self, fault: str, *, keep: bool) -> None:
        """With `keep`, what came back is written only by the next wave, as when the writer is busy."""
        errands = deliver.wave(self.ctx, self.worker, self.done, tuple(self.ctx.channels))
        self.done = []
        if fault == "crash_before":
            self.the_program_dies()
            return
        for ledger in self.ledgers.values():
            ledger.fault = "none" if fault == "crash_after" else fault
        answers = [self.believed(answer(self.ctx, errand)) for errand in errands]
        if fault == "crash_after":
            self.the_program_dies()
        elif keep:
            self.done = answers
        else:
            deliver.wave(self.ctx, self.worker, answers, ())

    @rule(fault=st.sampled_from(FAULTS), keep=st.booleans())
    def the_next_one_comes_due(self, fault: str, *, keep: bool) -> None:
        """As the daemon does: it sleeps until the next moment, and runs a wave."""
        with self.ctx.store.read() as tx:
            moment = turns.next_moment(tx, self.ctx.channels)
        if moment is not None:
            self.clock.advance(seconds=max(0.0, (moment - self.clock.now()).total_seconds()))
        self.a_wave_runs(fault, keep=keep)

    @rule()
    def a_wave_runs_by_a_clock_in_doubt(self) -> None:
        before = {each.id: each.state for each in self.all().values()}
        assert deliver.wave(self.ctx, self.worker, (), tuple(self.ctx.channels), clock_suspect=True) == ()
        assert {each.id: each.state for each in self.all().values()} == before

    def believed(self, done: Done) -> Done:
        return done

    def the_program_dies(self) -> None:
        self.done = []
        self.worker = deliver.start(self.ctx, "machine")

    @rule()
    def leases_are_looked_after(self) -> None:
        deliver.reap(self.ctx)

    @precondition(lambda self: self.halted_at is None)
    @rule()
    def somebody_halts(self) -> None:
        queue.halt(self.ctx, self.crew.auditor, "chờ")
        self.halted_at = self.clock.now()

    @precondition(lambda self: self.halted_at is not None)
    @rule()
    def two_people_end_the_halt(self) -> None:
        queue.ask_unhalt(self.ctx, self.crew.coordinator)
        queue.confirm_unhalt(self.ctx, self.crew.reviewer)
        self.halted_at = None

    @precondition(lambda self: bool(self.promises))
    @rule(data=st.data())
    def somebody_edits(self, data: st.DataObject) -> None:
        """Refused once anything of it may be out; else nothing of the old words may go out any more."""
        post = posts.get_post(self.ctx, data.draw(st.sampled_from(sorted(self.promises))))
        texts = dict(post.content.texts) | {("en", ""): post.content.texts["en", ""] + " Please."}
        changed = replace(post.content, texts=texts)
        try:
            edited = posts.edit_post(self.ctx, self.crew.coordinator, post.id, changed, When(), revision=post.revision)
        except CampaignError:
            return
        del self.promises[post.id]
        if edited.post.state is PostState.IN_REVIEW:
            review.approve(self.ctx, self.crew.second_reviewer, post.id, edited.post.digest)
            self.promise(post.id)

    @precondition(lambda self: bool(self.promises))
    @rule(data=st.data())
    def somebody_withdraws(self, data: st.DataObject) -> None:
        post_id = data.draw(st.sampled_from(sorted(self.promises)))
        try:
            withdraw.withdraw_post(self.ctx, self.crew.coordinator, post_id, "nhầm")
        except CampaignError:
            return
        self.withdrawn.setdefault(post_id, self.clock.now())

    @precondition(lambda self: bool(self.promises))
    @rule(data=st.data(), minutes=st.integers(1, 30))
    def somebody_corrects(self, data: st.DataObject, minutes: int) -> None:
        """Of what may be out; what puts it right is approved like any other."""
        wrong = data.draw(st.sampled_from(sorted(self.promises)))
        self.count += 1
        texts = {("vi", ""): f"Đính chính số {self.count}.", ("en", ""): f"Correction {self.count}."}
        when = When(at=self.clock.now() + timedelta(minutes=minutes), grace=timedelta(minutes=90))
        content = Content(CAMPAIGN, texts, tuple(self.ledgers))
        try:
            post = withdraw.correct_post(self.ctx, self.crew.coordinator, wrong, content, when)
        except CampaignError:
            return
        post = review.submit(self.ctx, self.crew.coordinator, post.id)
        review.approve(self.ctx, self.crew.reviewer, post.id, post.digest)
        self.promise(post.id)

    @precondition(lambda self: bool(self.published()))
    @rule(data=st.data(), become=st.sampled_from((Sighting.GONE, Sighting.CHANGED)))
    def others_take_it_down_or_change_it(self, data: st.DataObject, become: Sighting) -> None:
        delivery = data.draw(st.sampled_from(self.published()))
        self.ledgers[delivery.channel].altered[delivery.url] = become

    @rule(fault=st.sampled_from(("none", "none", "looks_fail")))
    def a_day_passes_and_what_is_out_is_looked_at(self, fault: str) -> None:
        self.clock.advance(hours=27)
        for _ in range(3):
            self.a_wave_runs(fault, keep=False)

    def published(self) -> list[Delivery]:
        return [each for _, each in sorted(self.all().items()) if each.state is DeliveryState.PUBLISHED]

    @precondition(lambda self: any(each.state is DeliveryState.HELD for each in self.all().values()))
    @rule(data=st.data())
    def people_settle_what_is_held(self, data: st.DataObject) -> None:
        """They look at the account first, and say what is true."""
        held = [each for each in self.all().values() if each.state is DeliveryState.HELD]
        delivery = data.draw(st.sampled_from(sorted(held, key=lambda each: each.id)))
        there = self.ledgers[delivery.channel].holds(delivery)
        try:
            if there:
                settle.settle_live(self.ctx, self.crew.coordinator, delivery.id, place_of(delivery.idem_key))
            elif data.draw(st.booleans()):
                settle.settle_drop(self.ctx, self.crew.coordinator, delivery.id)
            elif settle.settle_resend(self.ctx, self.crew.reviewer, delivery.id).state is DeliveryState.HELD:
                settle.settle_resend(self.ctx, self.crew.second_reviewer, delivery.id)
        except CampaignError:
            return

    @invariant()
    def nothing_is_there_twice(self) -> None:
        for ledger in self.ledgers.values():
            keys = [parcel.idem_key for parcel, _ in ledger.accepted]
            assert len(keys) == len(set(keys))

    @invariant()
    def only_approved_words_are_there_in_their_time(self) -> None:
        by_key = {each.idem_key: each for each in self.all().values()}
        for ledger in self.ledgers.values():
            for parcel, at in ledger.accepted:
                promise = self.promises.get(by_key[parcel.idem_key].post_id)
                assert promise is not None
                assert parcel.text in promise.texts
                assert promise.due <= at <= promise.not_after

    @invariant()
    def nothing_went_out_after_the_halt(self) -> None:
        if self.halted_at is not None and not self.done:
            for ledger in self.ledgers.values():
                assert all(at <= self.halted_at for _, at in ledger.accepted)

    @invariant()
    def nothing_of_a_post_went_out_after_it_was_withdrawn(self) -> None:
        by_key = {each.idem_key: each.post_id for each in self.all().values()}
        for ledger in self.ledgers.values():
            for parcel, at in ledger.accepted:
                assert at <= self.withdrawn.get(by_key[parcel.idem_key], at)

    @invariant()
    def only_what_was_withdrawn_is_taken_down(self) -> None:
        posts_of = {place_of(each.idem_key): each.post_id for each in self.all().values()}
        assert all(posts_of[url] in self.withdrawn for ledger in self.ledgers.values() for url in ledger.down)

    @invariant()
    def what_a_look_found_is_on_record_and_changes_nothing_else(self) -> None:
        known = {each.id for each in settle.lost(self.ctx)}
        for each in self.all().values():
            if each.sighting:
                assert each.state is DeliveryState.PUBLISHED
                assert each.sighting == self.ledgers[each.channel].told[each.url]
                stands = each.sighting == Sighting.THERE or each.withdraw_at or each.withdrawn_at
                assert stands or each.id in known

    @invariant()
    def states_move_only_as_they_may(self) -> None:
        now = {each.id: each.state for each in self.all().values()}
        for delivery_id, before in self.states.items():
            after = now[delivery_id]
            assert after is before or self.leads_to(before, after), (before, after)
        self.states = now

    @staticmethod
    def leads_to(before: DeliveryState, after: DeliveryState) -> bool:
        """One rule of this machine can be several moves; a cancelled one may come back with the same content."""
        reached, frontier = set(), {before}
        while frontier:
            step = frontier.pop()
            reached.add(step)
            frontier |= set(MOVES[step]) - reached
        revived = before is DeliveryState.CANCELLED
        return after in reached or revived

    def run_to_the_end(self) -> None:
        """Days later, without faults: everything has ended or waits for a person, and the ledgers agree."""
        if self.halted_at is not None:
            self.two_people_end_the_halt()
        for _ in range(60):
            self.clock.advance(minutes=30)
            deliver.reap(self.ctx)
            for ledger in self.ledgers.values():
                ledger.fault = "none"
            errands = deliver.wave(self.ctx, self.worker, self.done, tuple(self.ctx.channels))
            self.done = [answer(self.ctx, errand) for errand in errands]
        deliver.wave(self.ctx, self.worker, self.done, ())
        self.only_approved_words_are_there_in_their_time()
        self.nothing_is_there_twice()
        for delivery in self.all().values():
            there = self.ledgers[delivery.channel].holds(delivery)
            assert delivery.state in ENDED or delivery.state is DeliveryState.HELD, delivery
            if delivery.state is DeliveryState.PUBLISHED:
                assert there
                self.is_down_where_it_was_withdrawn(delivery)
            elif there:
                assert delivery.state is DeliveryState.HELD
                assert delivery.channel in {BLIND, KEYED}
        self.only_what_was_withdrawn_is_taken_down()
        self.what_a_look_found_is_on_record_and_changes_nothing_else()
        with self.ctx.store.read() as tx:
            assert verify(tx, keystore=self.ctx.keystore).first_bad is None

    def is_down_where_it_was_withdrawn(self, delivery: Delivery) -> None:
        """Or a person is told that the service refused to."""
        if delivery.post_id in self.withdrawn:
            down = delivery.url in self.ledgers[delivery.channel].down
            assert (down and delivery.withdrawn_at) or delivery.withdraw_note == Failure.REJECTED.value
        else:
            assert delivery.withdrawn_at is None


EFFORT = settings(stateful_step_count=20, max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
TestDeliveries = pytest.mark.slow(Deliveries.TestCase)
TestDeliveries.settings = EFFORT


class DeliveriesOnPostgreSQL(Deliveries):
    """The same, with a house of its own each time, in the role of daily use."""

    server: ClassVar[str]
    empty: ClassVar[str]

    def opened(self) -> tuple[Context, Crew]:
        url = as_role(self.server, self.cleared.enter_context(database(self.server, self.empty)))
        build_house(self.folder, url)
        ctx = open_house(self.folder, likes=LIKES, url=url)
        return ctx, bring_in(ctx)


@pytest.fixture(scope="module")
def machine_on_postgresql(postgresql_server: str, postgresql_original: str) -> None:
    DeliveriesOnPostgreSQL.server, DeliveriesOnPostgreSQL.empty = postgresql_server, postgresql_original


TestDeliveriesOnPostgreSQL = pytest.mark.usefixtures("machine_on_postgresql")(
    pytest.mark.postgres(pytest.mark.slow(DeliveriesOnPostgreSQL.TestCase))
)
TestDeliveriesOnPostgreSQL.settings = EFFORT


def test_what_may_be_out_stays_with_a_person_when_its_post_is_withdrawn() -> None:
    """A service that shows nothing has the post; cancelled with the rest, it would stand there unknown to all."""
    machine = Deliveries()
    machine.start()
    machine.a_post_is_written_and_approved(minutes=1, grace=600)
    machine.the_next_one_comes_due("lost", keep=False)
    for _ in range(2):
        machine.time_passes(seconds=301)
        machine.a_wave_runs("none", keep=False)
    (post_id,) = machine.promises
    withdraw.withdraw_post(machine.ctx, machine.crew.coordinator, post_id, "nhầm")
    machine.withdrawn[post_id] = machine.clock.now()
    (held,) = (each for each in machine.all().values() if each.channel == BLIND)
    assert (held.state, held.reason) == (DeliveryState.HELD, Reason.CANNOT_LOOK)
    settle.settle_live(machine.ctx, machine.crew.coordinator, held.id, place_of(held.idem_key))
    machine.teardown()


class NaiveDeliveries(Deliveries):
    """Takes silence for absence, as most schedulers do."""

    def believed(self, done: Done) -> Done:
        return replace(done, outcome=Absent(Failure.UNREACHABLE, "")) if isinstance(done.outcome, Unsure) else done


def test_a_publisher_that_takes_silence_for_absence_is_convicted() -> None:
    """The judge itself is judged: one lost answer must be enough."""
    naive = NaiveDeliveries()
    naive.start()
    naive.a_post_is_written_and_approved(minutes=1, grace=600)
    naive.the_next_one_comes_due("lost", keep=False)
    naive.time_passes(seconds=61)
    naive.a_wave_runs("none", keep=False)
    with pytest.raises(AssertionError):
        naive.nothing_is_there_twice()
    with pytest.raises(AssertionError):
        naive.teardown()
