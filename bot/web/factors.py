"""Second factors of one person: one-time codes, passkeys, recovery codes; and a token for the command line."""

import io

import segno
from flask import make_response, request

from bot.domain.errors import BadInput
from bot.services import factors, passkeys, sessions
from bot.web.frame import Answer, Door, Pages, Visit, not_there, page, see_other
from bot.web.gate import ASKED, PASSKEY

pages = Pages("factors")
HERE = "/settings/factors"


@pages.show(HERE, may=Door.SIGNED_IN)
def overview(visit: Visit) -> Answer:
    """What adds or takes away stands there only for five minutes after the passphrase was shown."""
    is_open = sessions.is_proved(visit.ctx, visit.signed_in)
    asked = None
    if visit.place and is_open:
        asked = passkeys.ask_new(visit.ctx, visit.place, visit.person, visit.signed_in.alias, visit.site.name)
    owned = factors.owned(visit.ctx, visit.person)
    return page("factors/factors.html", owned=owned, is_open=is_open, asked=asked)


@pages.act(HERE, may=Door.SIGNED_IN, fresh=True)
def unlock(visit: Visit) -> Answer:
    del visit
    return see_other(HERE)


@pages.act("/settings/codes", may=Door.SIGNED_IN, fresh=True)
def offer_codes(visit: Visit) -> Answer:
    factors.offer_codes(visit.ctx, visit.person)
    return see_other("/settings/codes")


@pages.show("/settings/codes", may=Door.SIGNED_IN)
def codes(visit: Visit) -> Answer:
    secret = _offered(visit)
    return page("factors/codes.html", secret=secret) if secret else see_other(HERE)


@pages.show("/settings/codes/picture", may=Door.SIGNED_IN)
def picture(visit: Visit) -> Answer:
    if not (secret := _offered(visit)):
        not_there()
    drawn = io.BytesIO()
    words = factors.address(visit.signed_in.alias, secret, visit.site.name)
    segno.make(words, error="m", micro=False).save(drawn, kind="png", scale=5, border=4)
    response = make_response(drawn.getvalue())
    response.mimetype = "image/png"
    return response


def _offered(visit: Visit) -> str:
    """Only for five minutes after the passphrase was shown."""
    return factors.offered(visit.ctx, visit.person) if sessions.is_proved(visit.ctx, visit.signed_in) else ""


@pages.act("/settings/codes/accept", may=Door.SIGNED_IN, again=codes, fresh=True)
def accept_codes(visit: Visit) -> Answer:
    with visit.about("code"):
        factors.accept_codes(visit.ctx, visit.person, visit.typed("code"))
    return _recovery_if_none(visit) or see_other(HERE, "One-time codes are on.")


@pages.act("/settings/passkeys", may=Door.SIGNED_IN, fresh=True, again=overview)
def add_passkey(visit: Visit) -> Answer:
    if visit.place is None:
        raise BadInput("Passkeys work only where the address begins with https.")
    given = request.form.get(ASKED, ""), request.form.get(PASSKEY, "")
    passkeys.add(visit.ctx, visit.place, visit.person, *given, visit.typed("name"))
    return _recovery_if_none(visit) or see_other(HERE, "The passkey is added.")


def _recovery_if_none(visit: Visit) -> Answer | None:
    """The first factor brings recovery codes with it."""
    return None if factors.owned(visit.ctx, visit.person).recovery_left else recovery(visit)


@pages.act("/settings/recovery", may=Door.SIGNED_IN, fresh=True)
def recovery(visit: Visit) -> Answer:
    return page("factors/recovery.html", codes=factors.new_recovery_codes(visit.ctx, visit.person))


@pages.act("/settings/factors/<int:factor_id>/drop", may=Door.SIGNED_IN, fresh=True)
def drop(visit: Visit, factor_id: int) -> Answer:
    factors.drop(visit.ctx, visit.person, factor_id)
    return see_other(HERE, "It is taken away.")


@pages.act("/settings/token", may=Door.SIGNED_IN, fresh=True)
def mint(visit: Visit) -> Answer:
    said = "For 15 minutes this token may do on the command line what you may do here. It is shown only now."
    return see_other(HERE, said, link=sessions.mint_for(visit.ctx, visit.person))
