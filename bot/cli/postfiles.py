"""`post import`, `post export` and `post check`: posts and texts in files."""

from pathlib import Path

import click

from bot.cli import spending
from bot.cli.frame import Command, Session, acting, as_json, by_state, emit, option, read_bytes, say, table, text_of
from bot.domain.errors import BadInput
from bot.domain.people import Person
from bot.domain.post import PostState
from bot.i18n import _, filled, many


@click.command("import", cls=Command, examples=("post import posts.csv --as lan",))
@click.argument("file", type=click.Path(path_type=Path))
@acting()
def import_(session: Session, actor: Person, file: Path) -> None:
    """Write many posts at once, from CSV or TOML; each becomes a draft.

    Columns: campaign, vi, en; and, as you like, at or slot, grace, channels, case, media, alt_vi, alt_en, note,
    and vi:x or en:x for the text of one account or platform. A bad row is reported with its line; the good
    ones are kept.
    """
    from bot.services import postfiles

    done = postfiles.import_posts(session.ctx, actor, read_bytes(file), file.name, folder=file.absolute().parent)
    click.echo(many("Imported {number} post as a draft.", "Imported {number} posts as drafts.", len(done.added)))
    if done.known:
        click.echo(many("{number} was here already.", "{number} were here already.", done.known))
    for finding in done.findings:
        click.echo(finding.say(_), err=True)
    if done.findings:
        raise click.exceptions.Exit(1)


@click.command(cls=Command, examples=("post export -o posts.csv --as lan",))
@by_state(PostState)
@option("-o", "--output", type=click.Path(path_type=Path), help="The file; else the standard output.")
@acting()
def export(session: Session, actor: Person, states: tuple[str, ...], output: Path | None) -> None:
    """All posts with their texts, as CSV that a spreadsheet opens safely."""
    from bot.services import postfiles

    write_out(postfiles.export_posts(session.ctx, actor, states=tuple(PostState(each) for each in states)), output)


def write_out(content: str, output: Path | None) -> None:
    if output is None:
        click.echo(content, nl=False)
        return
    try:
        output.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput("{file} cannot be written: {why}.", file=str(output), why=error.strerror) from None
    say("Written to {file}.", file=output)


@click.command(cls=Command, examples=("post check post.vi.txt", "post check post.vi.txt post.en.txt", "post check -"))
@click.argument("file")
@click.argument("other", required=False)
@as_json
@click.pass_obj
def check(session: Session, file: str, other: str | None, *, as_json: bool) -> None:
    """How each platform counts a text, what it costs, and what to stop at.

    With the other language, whether both say the same.
    """
    from bot.domain.hygiene import problems
    from bot.domain.parity import compare
    from bot.domain.text import RULES, figures

    text, *more = (text_of(each if each == "-" else f"@{each}") for each in filter(None, (file, other)))
    counted = {name: figures(text, rules) for name, rules in RULES.items()}
    costs = spending.of_text(session, text)
    remarks = [filled(each.template, each.params) for each in problems(text)]
    remarks += [_(each.template).format(x=each.shown) for each in (compare(text, more[0]) if more else ())]
    if as_json:
        emit(
            {
                "platforms": {
                    name: {
                        "count": each.count,
                        "limit": each.limit,
                        "bytes": each.bytes,
                        "links": [link.text for link in each.links],
                        "double": each.double,
                        "fits": each.count <= each.limit,
                        **({"cost_usd": costs[name].removeprefix("$")} if name in costs else {}),
                    }
                    for name, each in counted.items()
                },
                "remarks": remarks,
            }
        )
        return
    rows = [
        (name, each.count, each.limit, costs.get(name, ""),
         _("Fits") if each.count <= each.limit else _("Over the limit"))
        for name, each in counted.items()
    ]  # fmt: skip
    table(["Platform", "Counts", "Limit", "Cost", ""], rows, empty="")
    if double := counted["x"].double:
        say("On X, {n} of these letters count as two.", n=double)
    for remark in remarks:
        click.echo(f"! {remark}")
