"""Erasing a person: keys, name and words go; the record still stands, and still verifies."""

from dataclasses import dataclass

from bot.domain.audit import Act
from bot.domain.errors import Refused
from bot.domain.people import Duty, Person
from bot.domain.review import require_reason
from bot.services.context import Context
from bot.services.people import account_of, require_other_admin
from bot.store import audit, erasure


@dataclass(frozen=True, slots=True)
class Erased:
    """`swept` is False where somebody who was reading kept old pages alive a little longer."""

    pseudonym: str
    payloads: int
    swept: bool


def erase(ctx: Context, actor: Person, alias: str, reason: str) -> Erased:
    """There is no way back. Doing it again finishes what was cut off. Raises Refused, NotFound."""
    with ctx.acting(actor, Duty.MANAGE_PEOPLE) as tx:
        person = account_of(ctx, tx, alias).person
        if person.id == actor.id:
            raise Refused("Someone else must erase your account.")
        require_other_admin(tx, person)
        count = erasure.blank(tx, person.id, person.pseudonym, ctx.now())
        said = audit.Payload(actor.pseudonym, {"reason": require_reason(reason)})
        ctx.record(tx, actor, Act.PERSON_ERASED, f"person:{person.pseudonym}", {"payloads": count}, said)
    ctx.keystore.forget(person.pseudonym)
    return Erased(person.pseudonym, count, erasure.compact(ctx.store))
