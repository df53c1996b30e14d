"""The page that locks everything."""

from bot.services import queue
from bot.services.context import Context
from bot.services.panic import WORD
from tests.web.conftest import PASSPHRASE, Browser


def test_the_page_says_what_is_lost_and_does_nothing_without_the_word(an: Browser, ctx: Context) -> None:
    an.get("/panic")
    assert "nobody can sign in any more" in an.text
    an.press("Lock everything now", {"word": "yes"}, status=422)
    assert "Nothing was done." in an.text
    assert queue.halt_state(ctx) is None


def test_with_word_and_passphrase_everybody_is_out(an: Browser, chi: Browser, ctx: Context, stranger: Browser) -> None:
    an.get("/panic")
    an.press("Lock everything now", {"word": WORD})
    assert an.heading == "Sign in"
    assert "the keys are forgotten" in an.text
    chi.get("/")
    assert chi.heading == "Sign in"
    an.press("Sign in", {"alias": "an", "passphrase": PASSPHRASE}, status=422)
    assert queue.halt_state(ctx)


def test_others_are_not_offered_it(binh: Browser) -> None:
    binh.get("/pause")
    assert "Lock everything" not in binh.text
    binh.get("/panic", 403)
