"""People: who is here under which alias, with which roles; one-time links let them in."""

from collections.abc import Collection

from flask import request
from werkzeug.wrappers import Response

from bot.domain.errors import BadInput
from bot.domain.people import LIMITABLE, Duty, Limit, Role
from bot.services import invitations, people
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("people")


@pages.show("/people", may=Door.SIGNED_IN)
def everyone(visit: Visit) -> Answer:
    return page("people/people.html", rows=people.list_people(visit.ctx))


@pages.show("/people/<int:person_id>", may=Duty.MANAGE_PEOPLE)
def person(visit: Visit, person_id: int) -> Answer:
    row = people.get_row(visit.ctx, person_id)
    campaigns = [
        (each.slug, each.name_vi if visit.language == "vi" else each.name_en) for each in visit.ctx.schedules.campaigns
    ]
    channels = [(name, name) for name in visit.ctx.channels]
    limits = {each.role: each for each in row.person.limits}
    return page("people/person.html", row=row, campaigns=campaigns, channels=channels, limits=limits)


@pages.act("/people", may=Duty.MANAGE_PEOPLE, again=everyone, fresh=True)
def invite(visit: Visit) -> Answer:
    roles = _roles(visit)
    with visit.about("alias"):
        token = invitations.invite(visit.ctx, visit.person, visit.typed("alias"), roles)
    return _show_link(visit, "/people", visit.typed("alias"), token)


@pages.act("/people/<int:person_id>/roles", may=Duty.MANAGE_PEOPLE, again=person, fresh=True)
def change_roles(visit: Visit, person_id: int) -> Answer:
    alias = people.get_row(visit.ctx, person_id).alias
    with visit.about("roles"):
        roles = _roles(visit)
        people.set_roles(visit.ctx, visit.person, alias, roles, _limits(visit, roles))
    return see_other(f"/people/{person_id}", "Saved.")


@pages.act("/people/<int:person_id>/alias", may=Duty.MANAGE_PEOPLE, again=person, fresh=True)
def rename(visit: Visit, person_id: int) -> Answer:
    with visit.about("alias"):
        people.rename(visit.ctx, visit.person, people.get_row(visit.ctx, person_id).alias, visit.typed("alias"))
    return see_other(f"/people/{person_id}", "Saved.")


@pages.act("/people/<int:person_id>/disable", may=Duty.MANAGE_PEOPLE, again=person, fresh=True)
def disable(visit: Visit, person_id: int) -> Answer:
    alias = people.get_row(visit.ctx, person_id).alias
    people.disable(visit.ctx, visit.person, alias)
    return see_other(f"/people/{person_id}", "{alias} can no longer sign in.", alias=alias)


@pages.act("/people/<int:person_id>/link", may=Duty.MANAGE_PEOPLE, again=person, fresh=True)
def reset(visit: Visit, person_id: int) -> Answer:
    alias = people.get_row(visit.ctx, person_id).alias
    return _show_link(visit, f"/people/{person_id}", alias, invitations.reset(visit.ctx, visit.person, alias))


def _show_link(visit: Visit, path: str, alias: str, token: str) -> Response:
    said = "Give {alias} this link, and nobody else. It works once, within 72 hours, and is shown only now."
    link = f"{visit.site.address or request.host_url.rstrip('/')}/invitation/{token}"
    return see_other(path, said, alias=alias, link=link)


def _limits(visit: Visit, roles: Collection[Role]) -> list[Limit]:
    return [
        Limit(role, *(frozenset(visit.ticked(f"{role}_{what}")) for what in ("campaigns", "channels")))
        for role in LIMITABLE & set(roles)
    ]


def _roles(visit: Visit) -> frozenset[Role]:
    with visit.about("roles"):
        found = frozenset(role for role in Role if role in visit.ticked("roles"))
        if not found:
            raise BadInput("Choose at least one role.")
        return found
