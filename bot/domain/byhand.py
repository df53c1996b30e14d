"""What a person may draft that the program does not draft by itself, and what must be done first where not."""

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.case import Case, EventKind
from bot.domain.errors import BadInput, Refused
from bot.domain.occasions import Bar, Occasion, OccasionKind, PlanningRules, bar_of, campaign_of

PASSABLE = frozenset({None, Bar.DEATH_BY_HAND, Bar.CONSENT_LIMITED, Bar.PAST_OFF, Bar.DAILY_CAP})
_JOINT = frozenset({OccasionKind.JOINT_TRIAL, OccasionKind.JOINT_APPEAL})


def naming(observance: Occasion, case: Case, rules: PlanningRules) -> Occasion:
    """The same day, for this person: in their campaign, and under whatever bars an old arrest of theirs."""
    if not observance.observance:
        raise BadInput("This day has its own people. Only an observance may name somebody you pick.")
    bar = observance.bar if observance.bar is Bar.CALENDAR_ONLY else bar_of(case, EventKind.ARREST, rules)
    return replace(observance, cases=(case.slug,), campaign=campaign_of(case, rules), bar=bar)


def require_draftable(occasion: Occasion, cases: Mapping[str, Case], *, held: bool) -> None:
    """Raises Refused with the next step."""
    who = ", ".join(cases[slug].name_vi for slug in occasion.cases)
    slug = next(iter(occasion.cases), "")
    pairs = tuple((slug, cases[slug].event(key)) for slug, key in occasion.events)
    if occasion.kind in _JOINT and not all(event and event.joint for _, event in pairs):
        raise Refused(
            "Nobody has said yet whether these people were tried together. Answer that first.",
            command=" ".join(["case event joint", *(f"{slug}:{key}" for slug, key in occasion.events), "--help"]),
        )
    if held or occasion.bar is Bar.HELD:
        raise Refused("It is held, so nothing is drafted. Two people end a hold.", command="case unhold --help")
    match occasion.bar:
        case Bar.CONSENT_REFUSED:
            raise Refused("{name}, or the family, refused: nothing is posted about this case.", name=who)
        case Bar.NOT_FRESH:
            raise Refused(
                "The status of {name} is not confirmed of late, so no days in prison are counted. Confirm it first.",
                name=who,
                command=f"case confirm {slug} --help",
            )
        case Bar.SOURCES_DIFFER:
            raise Refused(
                "Sources differ on when {name} was arrested: no days are counted. Edit the event and leave one date.",
                name=who,
            )
        case Bar.CALENDAR_ONLY:
            raise Refused(
                "This day is for the calendar only. Write a post in your own words.", command="post add --help"
            )
        case bar if bar not in PASSABLE:
            raise Refused("No words fit what is known of it. Write them yourself.", command="post add --help")
