"""The people of an installation under torture: they write, approve, stop everything and start it again."""

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import parse_qsl

from bot.domain.delivery import Delivery, DeliveryState, Reason
from bot.domain.errors import CampaignError
from bot.domain.people import Person
from bot.domain.post import Content
from bot.services import posts, queue, review, settle
from bot.services.context import Context
from bot.services.posts import When
from bot.store import deliveries
from tests.torture.accounts import Account

CAMPAIGN = "stop-the-crackdown-vn"
AHEAD_S = (1.0, 3.0)
GRACE = timedelta(hours=12)
STOPPED_S = (0.1, 0.5)


def text_of(delivery: Delivery) -> str:
    return str(json.loads(delivery.content)["text"])


@dataclass
class People:
    """`left` is how many posts each account still gets; `breaches` are requests that began after a halt."""

    ctx: Context
    writer: Person
    reviewer: Person
    other: Person
    accounts: list[Account]
    left: dict[str, int]
    chance: Random
    done: Counter[str]
    approved: set[int] = field(default_factory=set)
    breaches: list[str] = field(default_factory=list)
    number: int = 0

    def write(self, ahead_s: float = 0) -> None:
        """A post for some of the accounts, due in a moment; for all of them where the moment is given."""
        chosen = [name for name, left in self.left.items() if left > 0 and (ahead_s or self.chance.random() < 0.6)]
        if not chosen:
            return
        self.number += 1
        due = datetime.now(UTC) + timedelta(seconds=ahead_s or self.chance.uniform(*AHEAD_S))
        texts = {("vi", ""): f"Câu chuyện số {self.number}.", ("en", ""): f"Story number {self.number}."}
        try:
            post = posts.add_post(
                self.ctx, self.writer, Content(CAMPAIGN, texts, tuple(chosen)), When(due, grace=GRACE)
            )
            post = review.submit(self.ctx, self.writer, post.id)
            for person in (self.reviewer, self.other):
                if not review.approve(self.ctx, person, post.id, post.digest).missing:
                    break
        except CampaignError as error:
            self.done["posts refused"] += 1
            self.done[f"  {error}"[:90]] += 1
            return
        self.approved.add(post.id)
        for name in chosen:
            self.left[name] -= 1

    def live(self, over: threading.Event, posts_a_second: float) -> None:
        while not over.wait(self.chance.expovariate(posts_a_second)):
            self.write()
            with suppress(CampaignError):
                self.free()

    def free(self) -> None:
        """What came due while all was stopped, by one reviewer; what may have left by then, by two."""
        with self.ctx.store.read() as tx:
            held = deliveries.listed(tx, states=[DeliveryState.HELD], limit=50)
        for delivery in held:
            if delivery.reason == Reason.HALT:
                for person in (self.reviewer, self.other)[: 2 if delivery.attempts else 1]:
                    with suppress(CampaignError):
                        settle.settle_resend(self.ctx, person, delivery.id)
                        self.done["freed"] += 1

    def stop_at_times(self, over: threading.Event, halts_a_second: float) -> None:
        while not over.wait(self.chance.expovariate(halts_a_second)):
            self.halt()

    def halt(self) -> None:
        """What begins after the command has returned must stand in its list."""
        try:
            listed = queue.halt(self.ctx, self.writer, "thử")
        except CampaignError:
            return
        since = datetime.now(UTC)
        time.sleep(self.chance.uniform(*STOPPED_S))
        until = datetime.now(UTC)
        texts = {text_of(delivery) for delivery in listed}
        for account in self.accounts:
            for arrival in account.server.arrivals:
                if since < arrival.at < until and texts.isdisjoint(words(arrival.asked.body)):
                    self.breaches.append(f"{account.name}: {arrival.asked.body.decode(errors='replace')[:300]}")
        self.done["halts"] += 1
        self.unhalt()

    def unhalt(self) -> None:
        """However long the database is away."""
        for _ in range(100):
            try:
                if queue.halt_state(self.ctx) is None:
                    return
                with suppress(CampaignError):
                    queue.ask_unhalt(self.ctx, self.writer)
                queue.confirm_unhalt(self.ctx, self.reviewer)
            except CampaignError:
                time.sleep(0.3)


def words(body: bytes) -> set[str]:
    """The texts in a request, however its service writes them."""
    try:
        given = json.loads(body)
    except ValueError:
        return {value for _, value in parse_qsl(body.decode(errors="replace"))}
    return {each for each in (*given.values(), *given.get("record", {}).values()) if isinstance(each, str)}
