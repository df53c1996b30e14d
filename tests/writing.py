"""Posts of no campaign: builders with everything a post needs, so that a test shows only what matters."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from PIL import Image

from bot.domain.case import Case
from bot.domain.people import Person
from bot.domain.post import Content, Post
from bot.services import cases, posts, review
from bot.services.context import Context
from bot.services.posts import When

CAMPAIGN = "stop-the-crackdown-vn"
SOON = timedelta(hours=14)
"""From the sample evening to noon of the next day in Viet Nam: outside the quiet hours."""


def a_content(vi: str = "Xin đọc câu chuyện này.", en: str = "Please read this story.", **facts: Any) -> Content:  # noqa: ANN401
    known: dict[str, Any] = {"campaign": CAMPAIGN, "channels": ("rehearsal-x",)} | facts
    return Content(texts={("vi", ""): vi, ("en", ""): en}, **known)


def soon(ctx: Context) -> When:
    return When(at=ctx.now() + SOON)


def a_draft(ctx: Context, author: Person, **facts: Any) -> Post:  # noqa: ANN401
    when = facts.pop("when", soon(ctx))
    return posts.add_post(ctx, author, a_content(**facts), when)


def in_review(ctx: Context, author: Person, **facts: Any) -> Post:  # noqa: ANN401
    return review.submit(ctx, author, a_draft(ctx, author, **facts).id)


def scheduled(ctx: Context, author: Person, reviewer: Person, **facts: Any) -> Post:  # noqa: ANN401
    post = in_review(ctx, author, **facts)
    approved = review.approve(ctx, reviewer, post.id, post.digest)
    assert not approved.missing
    return approved.post


def on_file(ctx: Context, *known: Case, by: Person | None = None) -> None:
    cases.import_cases(ctx, by, known, source="https://example.org/page")


def changed(ctx: Context, by: Person, slug: str, **facts: Any) -> tuple[int, ...]:  # noqa: ANN401
    """The posts that the change of the case took back."""
    case = replace(cases.get_case(ctx, slug), **facts)
    return cases.change_case(ctx, by, slug, case, "https://example.org/newer").affected


def a_png(width: int = 8, height: int = 6, colour: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()
