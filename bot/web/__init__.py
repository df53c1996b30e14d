"""The pages. A view parses, calls one service, answers."""

from flask import Flask

from bot.services.context import Context
from bot.web import health

MAX_BODY = 32 * 1024 * 1024


def create_app(ctx: Context) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.register_blueprint(health.pages(ctx))
    return app
