"""Panic, on a page: says first what is lost, asks for a word and for the passphrase."""

from flask import session

from bot.domain.people import Duty
from bot.services import panic as panics
from bot.web.frame import Answer, Pages, Visit, page, see_other
from bot.web.gate import Browser

pages = Pages("panic")


@pages.show("/panic", may=Duty.PANIC)
def panic_page(visit: Visit) -> Answer:
    del visit
    return page("panic/panic.html", word_asked=panics.WORD)


@pages.act("/panic", may=Duty.PANIC, again=panic_page, fresh=True)
def panic(visit: Visit) -> Answer:
    with visit.about("word"):
        done = panics.panic(visit.ctx, visit.person, visit.typed("word"))
    if isinstance(session, Browser):
        session.become()
    if done.kept:
        return see_other("/login", "Everything is stopped and everybody is out. Not forgotten: {kept}.", kept=done.kept)
    return see_other("/login", "Everything is stopped, everybody is out, and the keys are forgotten.")
