"""`standing`: a year of some people's days, worded now and approved on one page by two reviewers."""

import click

from bot.cli import showing
from bot.cli.frame import NUMBER, Group, Session, acting, as_json, day, emit, names, option, say, show, table
from bot.cli.plan import row_of, who
from bot.domain.errors import BadInput
from bot.domain.people import Person
from bot.domain.post import Post, PostState
from bot.i18n import _, many, word


@click.group(cls=Group, help="Standing approvals: a year of one case's days, approved in advance by two people.")
def standing() -> None:
    pass


@standing.command(examples=("standing propose pham-doan-trang --channels x,facebook --as lan",))
@click.argument("slugs", metavar="SLUG...", nargs=-1, required=True)
@option("--channels", metavar="A,B", help="Only these accounts; else those of the campaign.")
@option("--until", metavar="DAY", help="The last day; a year ahead at most, which is the default.")
@acting()
def propose(session: Session, actor: Person, slugs: tuple[str, ...], channels: str | None, until: str | None) -> None:
    """Draft every day of these cases for a year, exactly as it will be posted."""
    from bot.services.standing import propose_standing

    last = day(until, session.ctx.today()) if until else None
    proposed = propose_standing(session.ctx, actor, slugs, names(channels), last)
    _say(session, proposed.posts)
    rows = [(each.on, word(each.kind, "kind"), word(each.bar or "", "bar"), who(each)) for each in proposed.barred]
    if rows:
        table(["Day", "Kind", "Why not", "Who"], rows, empty="")
    say("Two reviewers may now approve: campaignbot standing approve {id} --as ALIAS", id=proposed.standing.id)


@standing.command("show")
@click.argument("standing_id", metavar="ID", type=NUMBER)
@as_json
@click.pass_obj
def show_(session: Session, *, standing_id: int, as_json: bool) -> None:
    """Its posts, each with its time, state and digest."""
    from bot.services.standing import get_standing

    found = get_standing(session.ctx, standing_id)
    if as_json:
        rows = [showing.row_of(post) for post in found.posts]
        emit(
            {
                "id": found.standing.id,
                "until": found.standing.until,
                "posts": rows,
                "barred": list(map(row_of, found.barred)),
            }
        )
    else:
        _say(session, found.posts)


@standing.command(examples=("standing approve 3 --as minh", "standing approve 3 --digest 57:DIGEST --as minh"))
@click.argument("standing_id", metavar="ID", type=NUMBER)
@option(
    "--digest", "digests", multiple=True, metavar="POST:DIGEST", help="Exactly these posts; else all are shown first."
)
@acting()
def approve(session: Session, actor: Person, standing_id: int, digests: tuple[str, ...]) -> None:
    """Say yes to each of its posts by its digest, after reading all of them."""
    from bot.services.review import require_approver
    from bot.services.standing import approve_standing, get_standing

    if digests:
        wanted = dict(_pair(each) for each in digests)
    else:
        waiting = [post for post in get_standing(session.ctx, standing_id).posts if post.state is PostState.IN_REVIEW]
        wanted = {post.id: post.digest for post in waiting}
        for post in waiting:
            require_approver(session.ctx, actor, post.id)
        for post in waiting:
            showing.say_sheet(session, showing.read_sheet(session, post.id))
        if waiting:
            click.confirm(_("Approve exactly these {number} posts?").format(number=len(waiting)), abort=True)
    done = approve_standing(session.ctx, actor, standing_id, wanted)
    click.echo(many("Approved {number} post.", "Approved {number} posts.", len(done)))
    if missing := max((each.missing for each in done), default=0):
        say("It still needs {missing} more.", missing=missing)


def _pair(text: str) -> tuple[int, str]:
    number, colon, digest = text.partition(":")
    if not colon or not number.isdecimal():
        raise BadInput("“{text}” is no digest. Write POST:DIGEST.", text=text[:40])
    return int(number), digest


def _say(session: Session, posts: tuple[Post, ...]) -> None:
    rows = [(each.id, show(each.due, session.zone), word(each.state, "post"), showing.preview(each)) for each in posts]
    table(["ID", "Due", "State", "Text"], rows, empty="It holds no post.")
