"""A service that answers as told, and the steps from an approved post to what it accepted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.delivery import Delivery, Sighting
from bot.domain.post import Content, Post
from bot.domain.text import RULES, TextRules
from bot.ports import Account, Outcome, Parcel, Published, Receipt, Unsure
from bot.services import deliver, posts, review
from bot.services.context import Context
from bot.services.errands import Done, Errand, answer
from bot.services.gate import Worker
from bot.services.posts import When
from bot.store import deliveries
from tests.house import Crew, FakeClock

# Nine in the morning in Viet Nam, the day after the house was built.
NINE = datetime.fromisoformat("2026-11-22T09:00:00+07:00")
CAMPAIGN = "stop-the-crackdown-vn"
X = "rehearsal-x"
TEXTS = {("vi", ""): "Xin nhắc lại tên Nguyễn Văn A hôm nay.", ("en", ""): "Say the name Nguyen Van A today."}


@dataclass
class FarSide:
    """A service that answers as told, in order, and keeps what it accepted."""

    rules: TextRules = RULES["x"]
    answers: list[Callable[[Parcel], Outcome]] = field(default_factory=list)
    finds: list[Published | Unsure | None] = field(default_factory=list)
    accepted: list[Parcel] = field(default_factory=list)
    repeats: timedelta | None = None
    stands: list[Sighting | Unsure] = field(default_factory=list)

    def publish(self, parcel: Parcel) -> Outcome:
        if self.answers:
            return self.answers.pop(0)(parcel)
        self.accepted.append(parcel)
        return Published(Receipt(f"r{len(self.accepted)}", f"https://example.org/{len(self.accepted)}"))

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        del since
        if self.finds:
            return self.finds.pop(0)
        number = next((n for n, seen in enumerate(self.accepted, 1) if seen.idem_key == parcel.idem_key), 0)
        return Published(Receipt(f"r{number}")) if number else None

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        del receipt, text
        return self.stands.pop(0) if self.stands else Sighting.THERE

    def withdraw(self, receipt: Receipt) -> Outcome:
        return Published(receipt)

    def check(self) -> Account:
        return Account("1", "far side")


def scheduled(
    house: Context, crew: Crew, *, at: datetime = NINE, grace: timedelta | None = None, **facts: object
) -> Post:
    """Written, submitted and approved by two people."""
    content = Content(CAMPAIGN, TEXTS, (X,), **facts)  # type: ignore[arg-type]
    post = posts.add_post(house, crew.coordinator, content, When(at=at, grace=grace))
    post = review.submit(house, crew.coordinator, post.id)
    for reviewer in (crew.reviewer, crew.second_reviewer):
        if not review.approve(house, reviewer, post.id, post.digest).missing:
            break
    return posts.get_post(house, post.id)


def worker_of(house: Context) -> Worker:
    return deliver.start(house, "tester")


def drain(house: Context, worker: Worker, *, most: int = 20, clock_suspect: bool = False) -> list[Errand]:
    """Waves until nothing is due; returns what was attempted."""
    ran: list[Errand] = []
    done: list[Done] = []
    for _ in range(most):
        errands = deliver.wave(house, worker, done, tuple(house.channels), clock_suspect=clock_suspect)
        if not errands and not done:
            return ran
        done = [answer(house, errand) for errand in errands]
        ran += errands
    raise AssertionError


def deliveries_of(house: Context, post: Post) -> tuple[Delivery, ...]:
    with house.store.read() as tx:
        return deliveries.of_post(tx, post.id)


def states(house: Context, post: Post) -> list[tuple[str, str]]:
    return [(delivery.state.value, delivery.reason) for delivery in deliveries_of(house, post)]


def go_to(clock: FakeClock, moment: datetime) -> None:
    clock.advance(seconds=(moment - clock.now()).total_seconds())
