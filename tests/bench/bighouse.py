"""A house with much of everything: people, posts of eight years with all that became of them, and the log of it."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyotp

from bot.domain.audit import Act
from bot.domain.campaign import Shape
from bot.domain.delivery import DeliveryState, Reason
from bot.domain.people import Person, Role
from bot.domain.post import Post, PostState
from bot.domain.revisions import at_first_revision
from bot.library.casefiles import read_cases_toml
from bot.services import cards, factors, people, plan, posts, readings, review, standing
from bot.services.context import PROGRAM, Context
from bot.services.verify import verify
from bot.store import audit, cases, deliveries, heartbeats, schema
from bot.store import posts as shelf
from bot.store.audit import NewEntry
from bot.store.engine import Store
from bot.store.keystore import Keystore
from tests.bench.figures import say
from tests.bench.history import BEGAN, Crew, Size, Writer
from tests.bench.volume import a_case
from tests.house import START, FakeClock, open_house

LIKES = ("x", "facebook", "bluesky", "mastodon", "telegram")
# Makes two people of the same days and courts, the next one within a week of START: were they tried together?
TOGETHER = 805


def build(folder: Path, size: Size) -> Mapping[str, str]:
    """Everything as the program's own store writes it, but for what ended long ago, which is put there as it ended.

    Returns what an address may name: the post with most to tell, one in review, a case, and so on.
    """
    folder.mkdir(parents=True)
    store = Store(f"sqlite:///{folder / 'campaign.sqlite'}", scratch=True)
    schema.upgrade(store)
    keystore = Keystore.create(folder / "keystore")
    with store.write() as tx:
        audit.open_log(tx, keystore=keystore, ts=BEGAN, actor=PROGRAM)
    store.close()
    with scratch(folder, FakeClock(BEGAN)) as ctx:
        crew = bring_in(ctx)
        say(f"the big house: {size.cases:,} cases")
        add_cases(ctx, crew.binh, size.cases)
        Writer(ctx, crew, size).write()
    with scratch(folder, FakeClock()) as ctx:
        named = furnish(ctx, crew)
        say("the big house: verifying its log")
        with ctx.store.read() as tx:
            verdict = verify(tx, vkeys=ctx.keystore.vkeys, keystore=ctx.keystore)
        if verdict.code or verdict.size < size.entries:
            raise RuntimeError(verdict)
    return named


@contextmanager
def scratch(folder: Path, clock: FakeClock) -> Iterator[Context]:
    ctx = open_house(folder, likes=LIKES)
    ctx.store.close()
    ctx = replace(ctx, store=Store(str(ctx.store.url), scratch=True), clock=clock)
    yield ctx
    ctx.store.close()


def bring_in(ctx: Context) -> Crew:
    an, _ = people.add_person(ctx, None, "an", set(Role))
    roles = {"binh": {Role.COORDINATOR}, "chi": {Role.REVIEWER}, "dung": {Role.REVIEWER}}
    return Crew(an, *(people.add_person(ctx, an, alias, role)[0] for alias, role in roles.items()))


def add_cases(ctx: Context, author: Person, number: int) -> None:
    chance = random.Random(1)  # noqa: S311 - the same people each time
    for first in range(0, number, 1_000):
        together = [a_case(each, random.Random(TOGETHER)) for each in range(first, 2)]  # noqa: S311
        rest = [a_case(each, chance) for each in range(first + len(together), min(first + 1_000, number))]
        text = "".join((*together, *rest))
        new = [at_first_revision(each) for each in read_cases_toml(text.encode(), "people.toml")]
        with ctx.store.write() as tx:
            added = cases.add(tx, new, "https://example.org/list", author.id, BEGAN)
            objs = [f"case:{case.id}" for case in added]
            entries = [NewEntry(BEGAN, author.pseudonym, Act.CASE_IMPORTED, obj, {"facts": 15}) for obj in objs]
            audit.append_many(tx, entries, keystore=ctx.keystore)


def furnish(ctx: Context, crew: Crew) -> Mapping[str, str]:
    """What the services make of it today: two weeks planned and partly approved, questions, a proposal for a year,
    troubles, and a post that much was done to.
    """
    with_codes(ctx, crew.an)
    say("the big house: planning two weeks")
    drafted = [post for post in plan.plan(ctx).drafted if post.state is PostState.IN_REVIEW]
    for post in drafted[::3]:
        agree(ctx, crew, post)
    with ctx.store.write() as tx:
        heartbeats.beat(tx, "daemon", START)
        waiting = deliveries.unsent(tx)[:40]
        deliveries.change_all(tx, DeliveryState.HELD, Reason.HALT, [(each, {}) for each in waiting])
        questions = shelf.proposals(tx)
    much = much_done(ctx, crew, drafted[1])
    slug = drafted[2].content.cases[0]
    proposed = standing.propose_standing(ctx, crew.binh, [slug])
    with ctx.store.read() as tx:
        case = cases.get(tx, slug)
    return {
        "post_id": str(much.id),
        "waiting": str(drafted[4].id),
        "question": str(questions[0].id if questions else much.id),
        "slug": slug,
        "event": case.events[0].key,
        "key": cards.card_days(ctx, slug)[0].key,
        "digest": much.content.pictures[0].digest,
        "standing_id": str(proposed.standing.id),
        "person_id": str(crew.binh.id),
        "due": drafted[4].due.date().isoformat() if drafted[4].due else "",
    }


def with_codes(ctx: Context, person: Person) -> None:
    """Guarded duties take a second factor."""
    factors.offer_codes(ctx, person)
    factors.accept_codes(ctx, person, pyotp.TOTP(factors.offered(ctx, person)).at(ctx.now()))


def agree(ctx: Context, crew: Crew, post: Post) -> None:
    """As far as it takes."""
    for person in (crew.chi, crew.dung):
        if posts.get_post(ctx, post.id).state is PostState.IN_REVIEW:
            review.approve(ctx, person, post.id, post.digest or "")


def much_done(ctx: Context, crew: Crew, post: Post) -> Post:
    """Thirty versions, sixty comments and a card."""
    cards.attach(ctx, crew.binh, post.id, Shape.SQUARE)
    for number in range(30):
        now = posts.get_post(ctx, post.id)
        texts = {key: f"{text} ({number})" for key, text in post.content.texts.items()}
        posts.edit_post(ctx, crew.binh, post.id, replace(now.content, texts=texts), revision=now.revision)
    for number in range(60):
        readings.comment(ctx, crew.chi, post.id, f"Xin xem lại câu thứ {number}.")
    return posts.get_post(ctx, post.id)
