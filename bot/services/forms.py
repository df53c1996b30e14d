"""A form sent twice is done once: its token remembers where the first answer led."""

import time
from datetime import timedelta

from bot.domain.errors import Conflict
from bot.domain.people import Person
from bot.services.context import Context
from bot.store import sessions

_LONGEST = 64
_TRIES, _PAUSE_S = 50, 0.1
# Longer than any answer takes: whoever began it is gone.
_GIVEN_UP = timedelta(minutes=2)


def begin(ctx: Context, person: Person, token: str) -> str:
    """Where the form led when it was sent before; "" where it is new and now ours to do. Raises Conflict."""
    token = token[:_LONGEST]
    for _ in range(_TRIES):
        with ctx.store.write() as tx:
            found = sessions.form(tx, token)
            if found and found.person_id == person.id and found.result:
                return found.result
            if found and found.made_at + _GIVEN_UP < ctx.now():
                sessions.end_form(tx, token, "")
                found = None
            if found is None:
                sessions.begin_form(tx, token, person.id, ctx.now())
                return ""
        time.sleep(_PAUSE_S)
    raise Conflict("This was sent already and is being worked on. Look again in a moment.")


def end(ctx: Context, token: str, result: str) -> None:
    """`result` is the path of the page that followed, or "" where nothing was done and it may be sent again."""
    with ctx.store.write() as tx:
        sessions.end_form(tx, token[:_LONGEST], result)
