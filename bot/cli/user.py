"""`user`: who may come in, under which alias, with which roles."""

import sys

import click

from bot.cli.frame import Group, Session, acting, as_json, emit, names, option, plain, say, show, table, zone_name
from bot.domain.errors import BadInput
from bot.domain.people import LIMITABLE, Limit, Person, Role
from bot.i18n import _, word

EMPTY = "There is nobody yet. Make the first admin: campaignbot user add ALIAS --role admin"


def roles_of(given: str) -> frozenset[Role]:
    try:
        return frozenset(Role(name) for name in names(given))
    except ValueError:
        known = ", ".join(Role)
        raise BadInput("“{given}” is no role. There are: {known}.", given=given[:60], known=known) from None


def show_token(alias: str, token: str) -> None:
    say("{alias} signs in with this token. It is shown only now; keep it like a key:", alias=alias)
    click.echo(f"  {token}")


@click.group(cls=Group, help="People: aliases, roles and tokens. Use aliases that lead to nobody.")
def user() -> None:
    pass


@user.command(
    examples=("user add lan --role coordinator --as admin", "user add minh --role reviewer,auditor --as admin")
)
@click.argument("alias_of", metavar="ALIAS")
@option("--role", "roles", required=True, metavar="R[,R]", help="coordinator, reviewer, admin, auditor.")
@acting(required=False)
def add(session: Session, actor: Person | None, alias_of: str, roles: str) -> None:
    """Add a person, and show their token once. The very first person needs no --as."""
    from bot.services import people

    _person, token = people.add_person(session.ctx, actor, alias_of, roles_of(roles))
    show_token(alias_of, token)


@user.command(examples=("user invite lan --role coordinator --as admin",))
@click.argument("alias_of", metavar="ALIAS")
@option("--role", "roles", required=True, metavar="R[,R]", help="coordinator, reviewer, admin, auditor.")
@acting()
def invite(session: Session, actor: Person, alias_of: str, roles: str) -> None:
    """Add a person who will use the web pages: a one-time link lets them choose a passphrase."""
    from bot.services import invitations

    _show_link(session, alias_of, invitations.invite(session.ctx, actor, alias_of, roles_of(roles)))


def _show_link(session: Session, alias: str, token: str) -> None:
    web = session.settings.web
    say("{alias} comes in by this link. It works once, within 72 hours, and is shown only now:", alias=alias)
    click.echo(f"  {web.address or f'http://{web.host}:{web.port}'}/invitation/{token}")


@user.command("list")
@as_json
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """Everyone, with their roles."""
    from bot.services import people

    rows = people.list_people(session.ctx)
    if as_json:
        emit([
            {"alias": row.alias, "id": row.person.id, "pseudonym": row.person.pseudonym, "roles": row.person.roles,
             "limits": sorted((plain(each) for each in row.person.limits), key=lambda each: str(each["role"])),
             "active": row.person.active, "made_by": row.made_by, "made_at": row.made_at,
             "second_factor": row.needs_second is None}
            for row in rows
        ])  # fmt: skip
        return
    added = _("Added ({zone})").format(zone=zone_name(session.zone, session.ctx.now()))
    table(
        ["Alias", "", added, "Roles"],
        [
            (row.alias, "" if row.person.active else _("disabled"), show(row.made_at, session.zone), _roles(row.person))
            for row in rows
        ],
        empty=EMPTY,
    )


def _roles(person: Person) -> str:
    only = {each.role: f" ({', '.join(sorted(each.campaigns | each.channels))})" for each in person.limits}
    return ", ".join(word(role, "role") + only.get(role, "") for role in Role if role in person.roles)


@user.command(
    examples=(
        "user role lan --role coordinator,reviewer --as admin",
        "user role lan --role reviewer --campaign now-campaign --channels facebook,mastodon --as admin",
        "user role lan --role reviewer --everywhere --as admin",
    )
)
@click.argument("alias_of", metavar="ALIAS")
@option("--role", "roles", required=True, metavar="R[,R]", help="All the roles they have from now on.")
@option("--campaign", "campaigns", metavar="C[,C]", help="Coordinators and reviewers: only for these campaigns.")
@option("--channels", metavar="A[,B]", help="Coordinators and reviewers: only for these accounts.")
@option("--everywhere", is_flag=True, help="For every campaign and account again.")
@acting()
def role(
    session: Session,
    actor: Person,
    alias_of: str,
    roles: str,
    campaigns: str | None,
    channels: str | None,
    *,
    everywhere: bool,
) -> None:
    """Change a person's roles, and for which campaigns and accounts they count. Without either, that stays."""
    from bot.services import people

    wanted, only = roles_of(roles), (frozenset(names(campaigns)), frozenset(names(channels)))
    limits = [Limit(each, *only) for each in LIMITABLE & wanted] if any(only) else [] if everywhere else None
    person = people.set_roles(session.ctx, actor, alias_of, wanted, limits)
    say("{alias} is now: {roles}.", alias=alias_of, roles=_roles(person))


@user.command()
@click.argument("alias_of", metavar="ALIAS")
@acting()
def disable(session: Session, actor: Person, alias_of: str) -> None:
    """Let a person sign in no more; what they did stays."""
    from bot.services import people

    people.disable(session.ctx, actor, alias_of)
    say("{alias} can no longer sign in.", alias=alias_of)


@user.command(examples=("user token --as lan",))
@option("--as", "alias", metavar="ALIAS", required=True, help="Whose token it is; asks for the passphrase.")
@click.pass_obj
def token(session: Session, alias: str) -> None:
    """Make a token for 15 minutes: to approve, unhalt, export or give rights, an older one does not do.

    Asks for the passphrase, and for a one-time or recovery code where there is a second factor. A program gives
    them on the standard input, a line each.
    """
    from bot.services import sessions

    passphrase, code = _typed(alias)
    made = sessions.mint(session.ctx, alias, passphrase, code)
    say("For 15 minutes: export CAMPAIGNBOT_TOKEN=…, or type it when asked. It is shown only now:")
    click.echo(f"  {made}")


def _typed(alias: str) -> tuple[str, str]:
    if not sys.stdin.isatty():
        lines = [*sys.stdin.read(1_000).splitlines(), "", ""]
        return lines[0], lines[1]
    passphrase = click.prompt(_("Passphrase of {alias}").format(alias=alias), hide_input=True)
    code = click.prompt(_("One-time code, or Enter without a second factor"), default="", show_default=False)
    return passphrase, code


@user.command(examples=("user reset lan --as admin", "user reset lan --link --as admin", "user reset admin --link"))
@click.argument("alias_of", metavar="ALIAS")
@option("--link", is_flag=True, help="A one-time link to choose a new passphrase; second factors are dropped too.")
@acting(required=False)
def reset(session: Session, actor: Person | None, alias_of: str, *, link: bool) -> None:
    """Give a person a new token; the old one, and wherever they are signed in, is void at once.

    The only admin, whom nobody else can help, is reset on the server itself, without --as.
    """
    from bot.services import invitations, people

    if link:
        _show_link(session, alias_of, invitations.reset(session.ctx, actor, alias_of))
        return
    show_token(alias_of, people.reset_token(session.ctx, actor, alias_of))


@user.command(examples=('user erase lan --reason "asked to be forgotten" --as admin',))
@click.argument("alias_of", metavar="ALIAS")
@option("--reason", required=True, help="Kept in the log under your name, not under theirs.")
@option("--yes", is_flag=True, help="Do not ask.")
@acting()
def erase(session: Session, actor: Person, alias_of: str, reason: str, *, yes: bool) -> None:
    """Forget a person: their alias, keys and typed words. What they approved stays, under a pseudonym.

    There is no way back.
    """
    from bot.services.erase import erase as forget

    if not yes:
        click.confirm(_("Erase {alias} for ever?").format(alias=alias_of), abort=True)
    done = forget(session.ctx, actor, alias_of, reason)
    say("{pseudonym} is all that is left of {alias} in the record.", pseudonym=done.pseudonym, alias=alias_of)
    if not done.swept:
        say("Old pages could not be emptied now. Restart the daemon; on PostgreSQL the owner runs VACUUM FULL.")
    say("Backups made before now still hold them: delete those that you need no longer.")
