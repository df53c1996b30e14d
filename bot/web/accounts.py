"""Accounts: how each fares, whether it still works, and pausing it."""

from bot.domain.budget import dollars
from bot.domain.people import Duty
from bot.i18n import many
from bot.services import accounts, queue
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("accounts")


@pages.show("/accounts", may=Door.SIGNED_IN)
def everything(visit: Visit) -> Answer:
    return page("accounts/accounts.html", rows=accounts.rows(visit.ctx), dollars=dollars)


@pages.show("/accounts/<name>", may=Door.SIGNED_IN)
def account(visit: Visit, name: str) -> Answer:
    return page("accounts/account.html", row=accounts.get(visit.ctx, name), dollars=dollars)


@pages.act("/accounts/<name>/check", may=Door.SIGNED_IN, again=account)
def check(visit: Visit, name: str) -> Answer:
    """Asks the service, with no transaction open: it may take as long as the service does."""
    found, here = accounts.look(visit.ctx, name), f"/accounts/{name}"
    if not found.opened:
        return see_other(
            here,
            "These pages run without the keys of the accounts, so they cannot look. The publisher does once a day, and "
            "whoever looks after the server can at any time.",
            kind="info",
        )
    if found.missing:
        one, more = "Looked: {number} thing is missing.", "Looked: {number} things are missing."
        return see_other(here, many(one, more, len(found.missing)), kind="danger")
    return see_other(here, "Looked: it works. Nothing was posted.")


@pages.act("/accounts/<name>/pause", may=Duty.HALT, again=account)
def pause(visit: Visit, name: str) -> Answer:
    accounts.get(visit.ctx, name)
    with visit.about("reason"):
        queue.pause_channel(visit.ctx, visit.person, name, visit.typed("reason"))
    return see_other(f"/accounts/{name}", "The account is paused. Its posts wait.")


@pages.act("/accounts/<name>/resume", may=Duty.MANAGE_CHANNELS, again=account, fresh=True)
def resume(visit: Visit, name: str) -> Answer:
    accounts.get(visit.ctx, name)
    queue.resume_channel(visit.ctx, visit.person, name)
    return see_other(f"/accounts/{name}", "The account posts again.")
