"""The pages. A view parses, calls one service, answers."""

import secrets

from flask import Flask
from jinja2 import StrictUndefined

from bot.services.context import Context
from bot.services.today import running
from bot.web import (
    accounts,
    answers,
    audit,
    calendar,
    campaigns,
    cards,
    casefiles,
    cases,
    compose,
    confirm,
    factors,
    facts,
    feed,
    forecast,
    gate,
    guide,
    health,
    hearings,
    panic,
    pause,
    people,
    pictures,
    posts,
    queue,
    review,
    settings,
    sign_in,
    standing,
    today,
    words,
)
from bot.web.frame import Site

MAX_BODY = 32 * 1024 * 1024
NOUNS = (
    sign_in.pages,
    today.pages,
    queue.pages,
    calendar.pages,
    feed.pages,
    compose.pages,
    posts.pages,
    pictures.pages,
    forecast.pages,
    campaigns.pages,
    accounts.pages,
    cases.pages,
    facts.pages,
    confirm.pages,
    casefiles.pages,
    cards.pages,
    review.pages,
    standing.pages,
    hearings.pages,
    pause.pages,
    panic.pages,
    settings.pages,
    factors.pages,
    people.pages,
    audit.pages,
    guide.pages,
)


def create_app(ctx: Context, site: Site = Site()) -> Flask:  # noqa: B008 - frozen
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    static = answers.Static()
    words.teach(app, static=static.address, once=lambda: secrets.token_urlsafe(16), running=lambda: running(ctx))
    gate.guard(app, ctx, site)
    answers.answer_well(app)
    app.register_blueprint(health.pages(ctx))
    app.register_blueprint(answers.pages(static))
    for pages in NOUNS:
        app.register_blueprint(pages)
    return app
