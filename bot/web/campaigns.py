"""Campaigns: what each says and where, as people wrote it in schedules/, and stopping one of them."""

from bot.domain.people import Duty, Scope
from bot.services import campaigns, queue
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other
from bot.web.words import days_of_the_week

pages = Pages("campaigns")


@pages.show("/campaigns", may=Door.SIGNED_IN)
def everything(visit: Visit) -> Answer:
    return page("campaigns/campaigns.html", rows=campaigns.rows(visit.ctx))


@pages.show("/campaigns/<campaign>", may=Door.SIGNED_IN)
def one(visit: Visit, campaign: str) -> Answer:
    row, planning = campaigns.get(visit.ctx, campaign), visit.ctx.planning
    visit.here = Scope(campaigns=frozenset({campaign}))
    return page("campaigns/campaign.html", row=row, planning=planning, week=days_of_the_week())


@pages.act("/campaigns/<campaign>/hold", may=Duty.HALT, again=one)
def hold(visit: Visit, campaign: str) -> Answer:
    campaigns.get(visit.ctx, campaign)
    with visit.about("reason"):
        queue.hold(visit.ctx, visit.person, "campaign", campaign, visit.typed("reason"))
    return see_other(f"/campaigns/{campaign}", "The campaign is held. Nothing of it goes out.")
