"""`case event`: a dated fact in a case, and the answer whether people were tried together."""

import click

from bot.cli.case import case, changed_case, put, say_change, setting, sourced, yes
from bot.cli.frame import Group, Session, acting, option
from bot.domain.case import EventKind
from bot.domain.errors import BadInput, NotFound, Rejected
from bot.domain.facts import case_from_plain, case_to_plain, event_from_plain
from bot.domain.people import Person


@case.group(cls=Group, help="Events: an arrest, a trial, a release; each with its day and its sources.")
def event() -> None:
    pass


@event.command(examples=(
    "case event add nguyen-van-a --kind arrest --date 2026-11-20 --source https://example.org/arrest --as lan",
))  # fmt: skip
@click.argument("slug")
@option("--kind", required=True, type=click.Choice([kind.value for kind in EventKind]), help="What happened.")
@option("--date", required=True, metavar="DATE", help="As precise as the source: 2026-11-20, 2026-11 or 2026.")
@sourced
@option("--province", help="As schedules/places.toml knows it.")
@option("--court", help="As schedules/places.toml knows it.")
@option("--charge", help="As schedules/places.toml knows it.")
@option("--destination", help="Of an exile.")
@option("--prison-months", help="Of a sentence.")
@option("--probation-months", help="Of a sentence.")
@setting
@acting()
def add(
    session: Session, actor: Person, slug: str, sources: tuple[str, ...], settings: tuple[str, ...], **given: str | None
) -> None:
    """Add what happened. A new arrest is drafted for its anniversary from then on."""
    from bot.services import cases

    typed = tuple(f"{key}={value}" for key, value in given.items() if value)
    plain = put({"sources": list(sources)}, (*typed, *settings))
    new, findings = event_from_plain(plain, file="", where=slug, taken=set())
    if findings:
        raise Rejected(findings)
    say_change(cases.add_event(session.ctx, actor, slug, new))


@event.command(
    examples=(
        "case event edit nguyen-van-a arrest-2026-11-20 --set date=2026-11-19 --source https://example.org/a --as lan",
    )
)
@click.argument("slug")
@click.argument("key")
@setting
@option("--source", default="", metavar="URL", help="The page that states it.")
@yes
@acting()
def edit(
    session: Session, actor: Person, slug: str, key: str, settings: tuple[str, ...], source: str, *, yes: bool
) -> None:
    """Change an event; `case show` tells its key. What was approved on it must be approved anew."""
    from bot.services import cases

    before = cases.get_case(session.ctx, slug)
    if before.event(key) is None:
        known = ", ".join(each.key for each in before.events) or "–"
        raise NotFound("There is no event “{key}”. There are: {known}.", key=key[:60], known=known)
    plain = case_to_plain(before)
    plain["event"] = [put(each, settings) if each["key"] == key else each for each in plain["event"]]
    changed_case(session, actor, before, case_from_plain(plain), source, sure=yes)


@event.command(examples=(
    "case event joint a:trial-2021-12-14 b:trial-2021-12-14 --defendants 5 --source https://example.org --as lan",
    "case event joint a:trial-2021-12-14 b:trial-2021-12-14 --apart --as lan",
))  # fmt: skip
@click.argument("events", metavar="SLUG:KEY...", nargs=-1, required=True)
@option("--defendants", type=click.IntRange(2, 1000), help="How many were tried there in all, on file or not.")
@option("--source", "sources", multiple=True, metavar="URL", help="A page that says they were tried together.")
@option("--apart", is_flag=True, help="They were not: each hearing was its own.")
@acting()
def joint(
    session: Session,
    actor: Person,
    events: tuple[str, ...],
    defendants: int | None,
    sources: tuple[str, ...],
    *,
    apart: bool,
) -> None:
    """Answer whether these hearings were one. Until then, what would name them together waits as a draft."""
    from bot.services import hearings

    pairs = [tuple(each.split(":", 1)) for each in events]
    if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - a slug and a key
        raise BadInput("Write each as SLUG:KEY; `case show` tells the keys.")
    named = [(pair[0], pair[-1]) for pair in pairs]
    done = hearings.answer_same_hearing(
        session.ctx, actor, named, same=not apart, defendants=defendants, sources=sources
    )
    say_change(done)
