"""A person's answer to “same hearing?”: the same court on the same day only proposes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from bot.domain.audit import Act
from bot.domain.case import Case, Event, vietnamese_key
from bot.domain.errors import BadInput, NotFound, Refused
from bot.domain.facts import EVENT_FACT
from bot.domain.hearings import HEARINGS
from bot.domain.people import Duty, Person
from bot.domain.post import Post, PostState
from bot.services.cases import Change, revise
from bot.services.content import is_unanswered
from bot.services.context import Context
from bot.store import cases, posts

NO_PAGE = "a person’s answer"


@dataclass(frozen=True, slots=True)
class Question:
    """Were these people tried together? The draft waits for the answer, and is worded anew after it."""

    post: Post
    people: tuple[tuple[Case, Event], ...]


def open_questions(tx: Connection) -> tuple[Post, ...]:
    """The drafts that wait for an answer, by their time."""
    found = posts.proposals(tx)
    named = cases.by_slug(tx, {slug for post in found for slug in post.content.cases})
    return tuple(post for post in found if is_unanswered(post.content, named))


def question(ctx: Context, post_id: int) -> Question | None:
    """None where nobody is asked. Raises NotFound where there is no such post."""
    with ctx.store.read() as tx:
        post = posts.get(tx, post_id)
        named = _named(tx, post)
    if post.state is not PostState.DRAFT or not is_unanswered(post.content, named):
        return None
    cited = [(cite.case, cite.fact.removeprefix(EVENT_FACT)) for cite in post.content.cites]
    found = [(named[slug], event) for slug, key in cited if slug in named and (event := named[slug].event(key))]
    return Question(post, tuple(sorted(found, key=lambda pair: vietnamese_key(pair[0].name_vi))))


def _named(tx: Connection, post: Post) -> Mapping[str, Case]:
    return cases.by_slug(tx, post.content.cases)


def answer_same_hearing(
    ctx: Context,
    actor: Person,
    events: Collection[tuple[str, str]],
    *,
    same: bool,
    defendants: int | None = None,
    sources: Sequence[str] = (),
) -> Change:
    """Whether these events, each a case's slug and its event's key, were one hearing.

    `defendants` is how many were tried there in all, on file or not; None where no page gives the number.
    """
    facts: set[str] = set()
    affected: set[int] = set()
    with ctx.acting(actor, Duty.EDIT_CASE) as tx:
        named = cases.by_slug(tx, [slug for slug, _ in events])
        found = {slug: _event(named, slug, key) for slug, key in events}
        if len(found) < len(events):
            raise BadInput("Nobody is tried together with themselves: name one event of each case.")
        answer, source = _joint(found, defendants, sources) if same else _ALONE, "\n".join(sources) or NO_PAGE
        for slug, event in found.items():
            answered = _answered(named[slug], event, answer)
            change = revise(ctx, tx, actor, named[slug], answered, source, Act.CASE_HEARING_ANSWERED)
            facts |= set(change.facts)
            affected |= set(change.affected)
    return Change(tuple(sorted(facts)), tuple(sorted(affected)))


_ALONE: Mapping[str, Any] = {"joint": "", "joint_defendants": None, "joint_sources": (), "heard_alone": True}


def _event(named: Mapping[str, Case], slug: str, key: str) -> Event:
    event = named[slug].event(key) if slug in named else None
    if event is None or event.kind not in HEARINGS:
        raise NotFound("There is no hearing “{key}” in the case “{slug}”.", key=key[:60], slug=slug[:60])
    return event


def _answered(case: Case, event: Event, answer: Mapping[str, Any]) -> Case:
    answered = replace(event, **answer)
    return replace(case, events=tuple(answered if each.key == event.key else each for each in case.events))


def _joint(found: Mapping[str, Event], defendants: int | None, sources: Sequence[str]) -> Mapping[str, Any]:
    """One name for all: the one that some of them have already, else the day and whoever comes first."""
    if len(found) < 2:  # noqa: PLR2004 - two make a joint trial
        raise BadInput("Name at least two people who were tried together.")
    if not any(source.strip() for source in sources):
        raise Refused("No source, no fact: give the address of a page that says they were tried together.")
    if defendants is not None and defendants < len(found):
        raise BadInput("{count} people are named, so there were no fewer defendants.", count=len(found))
    days = {(event.kind, event.date) for event in found.values()}
    names = {event.joint for event in found.values()} - {""}
    if len(days) > 1 or len(names) > 1 or not all(event.date.exact for event in found.values()):
        raise Refused("These were not one hearing: their days or kinds differ, or they belong to two already.")
    first = min(found)
    name = next(iter(names), f"{first}-{found[first].date}")
    return {"joint": name, "joint_defendants": defendants, "joint_sources": tuple(sources), "heard_alone": False}
