"""`case`: the people, what is known of them and since when, with a source for every fact."""

from pathlib import Path
from typing import Any

import click

from bot.cli.card import case_cards
from bot.cli.frame import Group, Session, acting, as_json, emit, option, say, show, table
from bot.cli.postfiles import write_out
from bot.cli.withdraw import case_withdraw
from bot.domain.case import HELD, Case, PartialDate, Status, is_confirmed
from bot.domain.errors import BadInput
from bot.domain.facts import SENTENCE_KEYS, case_from_plain, case_to_plain
from bot.domain.people import Person
from bot.i18n import _, word

EMPTY = "No case matches. Search without tone marks works too."
LISTS = {"also_known_as", "status_sources", "campaigns", "sources", "partial_sources", "alt_dates", "joint_sources"}
FLAGS = {"custody_unbroken", "all_defendants_listed", "additional", "in_absentia", "in_custody", "heard_alone", "life"}
NUMBERS = {"joint_defendants", "prison_months", "probation_months"}
STATUSES = click.Choice([status.value for status in Status])

sourced = option("--source", "sources", multiple=True, required=True, metavar="URL", help="A page that states it.")
setting = option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help="Any key of the case files; empty takes it out, a list is given item by item.",
)  # fmt: skip
yes = option("--yes", is_flag=True, help="Do not ask whether to take back approvals.")


@click.group(cls=Group, help="Cases: people, their events and sources, and how recently the status was confirmed.")
def case() -> None:
    pass


def put(plain: dict[str, Any], settings: tuple[str, ...]) -> dict[str, Any]:
    """The plain values, changed as typed. Raises BadInput."""
    lists: dict[str, list[str]] = {}
    changed = dict(plain)
    for setting_ in settings:
        key, equals, value = (part.strip() for part in setting_.partition("="))
        if not equals:
            raise BadInput("“{text}” sets nothing. Write KEY=VALUE.", text=setting_[:40])
        if key in LISTS:
            lists.setdefault(key, []).extend([value] if value else [])
            changed[key] = lists[key]
        elif key in SENTENCE_KEYS:
            changed["sentence"] = {**changed.get("sentence", {}), key: _typed(key, value)}
        else:
            changed[key] = _typed(key, value)
    return {key: value for key, value in changed.items() if value not in (None, "", [])}


def _typed(key: str, value: str) -> object:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if key in FLAGS and value.casefold() in words:
        return words[value.casefold()]
    return int(value) if key in NUMBERS and value.isdecimal() and len(value) < 9 else value or None  # noqa: PLR2004


def changed_case(session: Session, actor: Person, before: Case, after: Case, source: str, *, sure: bool) -> None:
    """Shows which approvals it takes back, asks, and does it."""
    from bot.services import cases

    preview = cases.preview_change(session.ctx, before.slug, after)
    if not preview.facts:
        say("Nothing to change.")
        return
    if preview.affected:
        say("This takes back what was approved of the posts {posts}.", posts=", ".join(map(str, preview.affected)))
        if not sure:
            click.confirm(_("Change {facts}?").format(facts=", ".join(preview.facts)), abort=True)
    say_change(cases.change_case(session.ctx, actor, before.slug, after, source))


def say_change(change: Any) -> None:  # noqa: ANN401 - a Change, whose room is not opened for its name
    say("Changed: {facts}.", facts=", ".join(change.facts) or "–")
    if change.affected:
        say("Posts that must be looked at again: {posts}.", posts=", ".join(map(str, change.affected)))


@case.command(
    examples=(
        (
            'case add nguyen-van-a --name-vi "Nguyễn Văn A" --name-en "Nguyen Van A" --status awaiting_trial \\\n'
            "    --as-of 2026-11-20 --source https://example.org/arrest --as lan"
        ),
    )
)
@click.argument("slug")
@option("--name-vi", required=True, help="With tone marks.")
@option("--name-en", required=True, help="As it is written in English.")
@option("--status", required=True, type=STATUSES, help="What the newest source says.")
@option("--as-of", required=True, metavar="DATE", help="When the source saw it: 2026-11-20, 2026-11 or 2026.")
@sourced
@setting
@acting()
def add(
    session: Session, actor: Person, slug: str, sources: tuple[str, ...], settings: tuple[str, ...], **given: str
) -> None:
    """A new case. Its events follow with `case event add`."""
    from bot.services import cases

    plain = {"slug": slug, "name_vi": given["name_vi"], "name_en": given["name_en"], "status": given["status"],
             "status_as_of": given["as_of"], "status_sources": list(sources), "event": []}  # fmt: skip
    new = case_from_plain(put(plain, settings) | {"event": []})
    cases.add_case(session.ctx, actor, new, source="\n".join(sources))
    say("Added {slug}. Next: campaignbot case event add {slug} --help", slug=slug)


@case.command("list", examples=("case list", "case list nguyen van dai", "case list --stale --json"))
@click.argument("words", nargs=-1)
@option("--status", type=STATUSES, help="Only these.")
@option("--stale", is_flag=True, help="Only those said to be in prison and not confirmed of late.")
@as_json
@click.pass_obj
def list_(session: Session, *, words: tuple[str, ...], status: str | None, stale: bool, as_json: bool) -> None:
    """Cases by given name; words may be typed without tone marks."""
    from bot.services import cases

    ctx, found = session.ctx, cases.find_cases(session.ctx, " ".join(words), status=Status(status) if status else None)
    fresh = {each.slug: is_confirmed(each, ctx.today(), ctx.planning.status_max_age_days) for each in found}
    found = tuple(each for each in found if not stale or (each.status in HELD and not fresh[each.slug]))
    if as_json:
        emit([
            {"slug": each.slug, "name_vi": each.name_vi, "name_en": each.name_en, "status": each.status,
             "status_as_of": str(each.confirmation.as_of), "confirmed": fresh[each.slug], "consent": each.consent,
             "campaigns": each.campaigns, "events": len(each.events)}
            for each in found
        ])  # fmt: skip
        return
    rows = [
        (
            each.name_vi,
            word(each.status, "status"),
            str(each.confirmation.as_of) + ("" if fresh[each.slug] else " ?"),
            each.slug,
        )
        for each in found
    ]
    table(["Name", "Status", "As of", "Case"], rows, empty=EMPTY)
    if not all(fresh.values()):
        say("? Not confirmed of late: campaignbot case confirm --help")


@case.command("show")
@click.argument("slug")
@option("--history", is_flag=True, help="Every revision of every fact, with its author and source.")
@as_json
@click.pass_obj
def show_(session: Session, *, slug: str, history: bool, as_json: bool) -> None:
    """One case with every fact and source, and whether it is held."""
    from bot.services import cases, queue

    found = cases.get_case(session.ctx, slug)
    held = next(
        (each for each in queue.holds(session.ctx) if (each.hold.scope, each.hold.target) == ("case", slug)), None
    )
    revisions = cases.history(session.ctx, slug) if history else ()
    if as_json:
        more = {"history": revisions} if history else {}
        emit(
            case_to_plain(found) | {"revisions": dict(found.revisions), "held": held.hold.reason if held else ""} | more
        )
        return
    if held:
        say("It is held, so nothing about it goes out: “{reason}” ({by}).", reason=held.hold.reason, by=held.by)
    plain = case_to_plain(found)
    for key, value in plain.items():
        if key != "event":
            _say_fact(key, value)
    for event in plain["event"]:
        click.echo()
        for key, value in event.items():
            _say_fact(key, value)
    for each in revisions:
        place = f"{show(each.at, session.zone)}  {each.fact} {each.revision}  {each.author or 'campaignbot'}"
        click.echo(f"{place}  {' '.join(each.source.split())}")


def _say_fact(key: str, value: object) -> None:
    if isinstance(value, dict):
        value = ", ".join(f"{name} {each}" for name, each in value.items())
    for line in value if isinstance(value, list) else [value]:
        click.echo(f"{key:22}{line}")


@case.command("import", examples=("case import cases.csv --as lan",))
@click.argument("file", type=click.Path(path_type=Path))
@option("--source", help="Where the facts of this file come from; else its name.")
@acting()
def import_(session: Session, actor: Person, file: Path, source: str | None) -> None:
    """Add and change cases from TOML or CSV; what the file leaves empty stays as it is."""
    from bot.library.casefiles import read_cases_csv, read_cases_toml
    from bot.services import cases

    read = read_cases_toml if file.suffix.lower() == ".toml" else read_cases_csv
    done = cases.import_cases(session.ctx, actor, read(file), source=source or file.name)
    say("Added: {added}. Changed: {changed}. As before: {unchanged}.", added=len(done.added), changed=len(done.changed),
        unchanged=len(done.unchanged))  # fmt: skip
    if done.kept:
        say("Kept, because it was confirmed later here: the status of {slugs}.", slugs=", ".join(done.kept))
    if done.affected:
        say("Posts that must be looked at again: {posts}.", posts=", ".join(map(str, done.affected)))


@case.command(examples=("case export --format csv -o cases.csv --as lan",))
@option(
    "--format",
    "kind",
    default="toml",
    show_default=True,
    type=click.Choice(["toml", "csv"]),
    help="Neither loses anything.",
)
@option("-o", "--output", type=click.Path(path_type=Path), help="The file; else the standard output.")
@acting()
def export(session: Session, actor: Person, kind: str, output: Path | None) -> None:
    """All cases as TOML, or as CSV that a spreadsheet opens safely."""
    from bot.library.casefiles import write_cases_csv, write_cases_toml
    from bot.services import cases

    found = cases.export_cases(session.ctx, actor)
    write_out(write_cases_csv(found) if kind == "csv" else write_cases_toml(found), output)


@case.command(
    examples=("case edit nguyen-van-a --set address=ông --set consent=given --source https://example.org --as lan",)
)
@click.argument("slug")
@setting
@option("--source", default="", metavar="URL", help="The page that states it; consent and the like need none.")
@yes
@acting()
def edit(session: Session, actor: Person, slug: str, settings: tuple[str, ...], source: str, *, yes: bool) -> None:
    """Change facts. What was approved on them must be approved anew, and which posts that is is shown first."""
    from bot.services import cases

    before = cases.get_case(session.ctx, slug)
    after = case_from_plain(put(case_to_plain(before), settings) | {"event": case_to_plain(before)["event"]})
    changed_case(session, actor, before, after, source, sure=yes)


@case.command(examples=("case confirm pham-doan-trang --as-of 2026-11 --source https://example.org/page --as lan",))
@click.argument("slug")
@option("--as-of", required=True, metavar="DATE", help="When the source saw it: 2026-11-20, 2026-11 or 2026.")
@option("--status", type=STATUSES, help="What it is now, if it changed.")
@sourced
@acting()
def confirm(
    session: Session, actor: Person, slug: str, as_of: str, status: str | None, sources: tuple[str, ...]
) -> None:
    """Say that a source confirms the status. Only then may a post say that somebody is in prison."""
    from bot.services import cases

    new = Status(status) if status else None
    done = cases.confirm_status(session.ctx, actor, slug, PartialDate.parse(as_of), sources, status=new)
    say_change(done)


@case.command(examples=('case hold nguyen-van-a --reason "the family asks for silence" --as lan',))
@click.argument("slug")
@option("--reason", required=True, help="Everyone sees it, and it stays in the log.")
@acting(bare=True)
def hold(session: Session, actor: Person, slug: str, reason: str) -> None:
    """Send nothing that names this person. Anyone may; two people end it."""
    from bot.services import queue

    queue.hold(session.ctx, actor, "case", slug, reason)
    say(
        "Nothing that names {slug} goes out. To end it, one asks and another confirms: campaignbot case unhold {slug}",
        slug=slug,
    )


@case.command(examples=("case unhold nguyen-van-a --as lan", "case unhold nguyen-van-a --as minh"))
@click.argument("slug")
@acting()
def unhold(session: Session, actor: Person, slug: str) -> None:
    """End a hold: the first person asks, a second one confirms with the same command."""
    from bot.services import queue

    found = next(
        (each for each in queue.holds(session.ctx) if (each.hold.scope, each.hold.target) == ("case", slug)), None
    )
    if found and not found.asked_by:
        queue.ask_unhold(session.ctx, actor, "case", slug)
        say("Asked. Somebody else must confirm it with the same command.")
        return
    queue.confirm_unhold(session.ctx, actor, "case", slug)
    say("{slug} is not held any more.", slug=slug)


case.add_command(case_withdraw)
case.add_command(case_cards)
