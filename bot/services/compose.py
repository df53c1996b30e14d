"""What a person is writing, looked at before anything is kept: as it would be saved, and what to stop at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.domain.case import Case, fold
from bot.domain.errors import BadInput, CampaignError
from bot.domain.post import Content, Picture
from bot.services.cases import find_cases
from bot.services.content import Checked, check, tidied
from bot.services.context import Context
from bot.services.posts import When, prepared, still_resting, windows
from bot.store import cases, images, posts

MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Looked:
    """`amiss` is why it could not be kept as it stands; then `content` is only tidied."""

    content: Content
    checked: Checked
    cases: Mapping[str, Case]
    amiss: CampaignError | None = None


def look_over(ctx: Context, content: Content, when: When, *, post_id: int = 0) -> Looked:
    """Changes nothing. `post_id` is the post being edited."""
    amiss: CampaignError | None = None
    with ctx.store.read() as tx:
        if post_id:
            content = still_resting(content, posts.get(tx, post_id).content)
        typed = content
        try:
            content = prepared(ctx, tx, content)
            content = replace(content, windows=windows(ctx, tx, content, when, post_id=post_id))
        except CampaignError as error:
            amiss, content = error, tidied(content)
        # Checked as typed, so that letters which came decomposed are reported; all else is the same.
        seen = replace(content, texts=typed.texts)
        return Looked(content, check(ctx, tx, seen, post_id=post_id), cases.by_slug(tx, content.cases), amiss)


def kept_picture(ctx: Context, digest: str, alt: Mapping[str, str]) -> Picture:
    """One that was cleaned before, described anew. Raises NotFound."""
    with ctx.store.read() as tx:
        return replace(images.get(tx, digest), alt=dict(alt))


def case_called(ctx: Context, words: str) -> str:
    """The short name of the one case that is meant by it, or by a name. Raises BadInput."""
    found = find_cases(ctx, words)
    wanted = fold(words)
    exact = [each for each in found if wanted in {each.slug, fold(each.name_vi), fold(each.name_en)}]
    meant = exact or found
    if not meant:
        raise BadInput("No case matches “{words}”. Search without tone marks works too.", words=words[:60])
    if len(meant) > 1:
        names = ", ".join(case.slug for case in meant[:MOST_NAMED])
        raise BadInput("“{words}” may be several: {names}. Write one of these.", words=words[:60], names=names)
    return meant[0].slug
