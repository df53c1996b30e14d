"""`post withdraw` and `case withdraw`: taking back what is out, and waiting to see it go."""

import time
from collections.abc import Sequence

import click

from bot.cli.frame import NUMBER, Command, Session, acting, option, say, table
from bot.domain.delivery import Delivery
from bot.domain.people import Person
from bot.i18n import _, word

POLL_S = 0.3
reason_given = option("--reason", required=True, help="Everyone sees it, and it stays in the log.")
waiting = option(
    "--wait",
    default=20,
    show_default=True,
    type=click.IntRange(0, 600),
    help="How many seconds to wait for the daemon.",
)


@click.command("withdraw", cls=Command, examples=('post withdraw 11 --reason "the date was wrong" --as lan',))
@click.argument("post_id", metavar="ID", type=NUMBER)
@reason_given
@waiting
@acting(bare=True)
def post_withdraw(session: Session, actor: Person, post_id: int, reason: str, wait: int) -> None:
    """Take a published post down everywhere it can be, and send nothing more of it."""
    from bot.services import withdraw

    _watch(session, withdraw.withdraw_post(session.ctx, actor, post_id, reason), wait)


@click.command("withdraw", cls=Command, examples=('case withdraw nguyen-van-a --reason "the family asks" --as lan',))
@click.argument("slug")
@reason_given
@waiting
@acting(bare=True)
def case_withdraw(session: Session, actor: Person, slug: str, reason: str, wait: int) -> None:
    """A family asks: hold the case, and take down everything published that names the person."""
    from bot.services import withdraw

    unwanted = withdraw.withdraw_case(session.ctx, actor, slug, reason)
    say("The case is held: nothing more about it goes out.")
    _watch(session, unwanted, wait)


def _watch(session: Session, unwanted: Sequence[Delivery], wait: int) -> None:
    """The daemon alone speaks to the platforms; this looks on until it is done, or the time is up."""
    from bot.services.withdraw import progress

    until = time.monotonic() + wait
    now = progress(session.ctx, unwanted)
    while any(_is_under_way(each) for each in now) and time.monotonic() < until:
        time.sleep(POLL_S)
        now = progress(session.ctx, unwanted)
    table(
        ["ID", "Post", "Account", "State"],
        [(each.id, each.post_id, each.channel, fate_of(each)) for each in now],
        empty="Nothing of it stands anywhere.",
    )
    if any(_is_under_way(each) for each in now):
        say("The daemon takes the rest down. Is it running? Look again with: campaignbot delivery list")
    if any(_is_given_up(each) for each in now):
        say("What the platform does not take down, take down by hand in the account.")


def _is_under_way(each: Delivery) -> bool:
    return each.withdrawn_at is None and not _is_given_up(each)


def _is_given_up(each: Delivery) -> bool:
    return each.withdrawn_at is None and each.withdraw_at is None and bool(each.withdraw_note)


def fate_of(each: Delivery) -> str:
    """What came of taking it down; nothing where nobody asked for it."""
    if each.withdrawn_at:
        return _("taken down")
    if each.withdraw_at is None and not each.withdraw_note:
        return ""
    said = _("could not be taken down") if _is_given_up(each) else _("to be taken down")
    return ": ".join(filter(None, (said, word(each.withdraw_note, "reason"), each.url)))
