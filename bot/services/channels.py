"""What is done to an account's configuration, on record; the files themselves are the caller's."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.audit import Act
from bot.domain.people import Duty, Person
from bot.services.context import Context


def change(
    ctx: Context, actor: Person, act: Act, obj: str, facts: Mapping[str, Any], write: Callable[[], object]
) -> None:
    """What cannot be written is not recorded either. `facts` names fields, never what is in them."""
    with ctx.acting(actor, Duty.MANAGE_CHANNELS) as tx:
        ctx.record(tx, actor, act, obj, facts)
        write()
