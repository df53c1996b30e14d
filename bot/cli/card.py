"""`post card` and `case cards`: share cards put on a post, or written to files."""

from pathlib import Path

import click

from bot.cli.frame import NUMBER, Command, Session, acting, as_json, emit, option, say
from bot.cli.plan import row_of, say_days
from bot.domain.campaign import LANGUAGES, Shape
from bot.domain.errors import BadInput
from bot.domain.people import Person
from bot.i18n import _, word

shaped = option(
    "--shape",
    type=click.Choice([shape.value for shape in Shape]),
    default=Shape.WIDE.value,
    show_default=True,
    help="wide is 1200 × 675, tall 1080 × 1350, square 1080 × 1080.",
)


@click.command("card", cls=Command, examples=("post card 11 --as lan", "post card 11 --shape tall --as lan"))
@click.argument("post_id", metavar="ID", type=NUMBER)
@shaped
@option("--day", "key", default="", metavar="KEY", help="The day, as `case cards` names it; else the post's own.")
@acting()
def post_card(session: Session, actor: Person, post_id: int, shape: str, key: str) -> None:
    """Put the share card of a day on a post, described in both languages. The post must then be approved anew."""
    from bot.services import cards

    edited = cards.attach(session.ctx, actor, post_id, Shape(shape), key)
    say("Post {id} carries a share card now. Look at it: campaignbot post show {id}", id=post_id)
    for language in LANGUAGES:
        click.echo(f"  {language}  {edited.post.content.pictures[-1].alt[language]}")


@click.command("cards", cls=Command, examples=("case cards nguyen-van-a", "case cards nguyen-van-a --to cards/"))
@click.argument("slug")
@shaped
@option("--to", "folder", type=click.Path(path_type=Path), help="Draw them into this folder, each with its words.")
@as_json
@click.pass_obj
def case_cards(session: Session, *, slug: str, shape: str, folder: Path | None, as_json: bool) -> None:
    """The days of the coming year that a share card can be drawn for; with --to, the cards."""
    from bot.services import cards

    days = cards.card_days(session.ctx, slug)
    if folder:
        _draw(session, [day.key for day in days], Shape(shape), folder)
    elif as_json:
        emit([row_of(day) for day in days])
    elif days:
        say_days((day, word(day.bar, "bar") if day.bar else _("the program drafts it")) for day in days)
        say("To draw them: campaignbot case cards {slug} --to FOLDER", slug=slug)
    else:
        say("No day of the coming year has a card: a word on it is not on file with a source.")


def _draw(session: Session, keys: list[str], shape: Shape, folder: Path) -> None:
    from bot.services import cards

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for key in keys:
            drawn = cards.drawn_card(session.ctx, key, shape)
            file = folder / f"{key.replace(':', '-')}-{shape}.png"
            file.write_bytes(drawn.image.content)
            alt = "\n\n".join(drawn.card.alt[language] for language in LANGUAGES)
            file.with_suffix(".txt").write_text(alt + "\n", encoding="utf-8")
            say("Written to {file}.", file=file)
    except OSError as error:
        raise BadInput("{file} cannot be written: {why}.", file=str(folder), why=error.strerror) from None
