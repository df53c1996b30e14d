"""A post as its accounts would get it: made by the code that publishes, with how each of them counts it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bot.domain.budget import dollars
from bot.domain.campaign import LANGUAGES
from bot.domain.post import Content, Misfit, Part, Profile, Window
from bot.domain.text import Figures, count, fitting, nfc
from bot.services.content import Checked
from bot.services.context import Context

Key: TypeAlias = tuple[str, str]
"""A language and whose text: an account, a platform, or "" for everybody's."""
# What stands between both languages of a joined post.
BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Preview:
    """What one account gets, and who speaks in each part. Of a `misfit`, `fits` is what would go and `cut` what would
    not; it has no parts.
    """

    profile: Profile
    window: Window | None
    parts: tuple[Part, ...]
    voices: tuple[list[tuple[str, str]], ...]
    counts: tuple[int, ...]
    limit: int
    cost: str = ""
    misfit: Misfit | None = None
    fits: str = ""
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """How one account counts one text, and in how many `parts` it goes out; none if it does not fit."""

    profile: Profile
    figures: Figures
    parts: int

    @property
    def over(self) -> int:
        return self.figures.count - self.figures.limit


def previews(ctx: Context, content: Content, checked: Checked) -> tuple[Preview, ...]:
    """In the order of the accounts; those no longer configured are left out."""
    known = [ctx.channels[name].profile for name in content.channels if name in ctx.channels]
    return tuple(_preview(each, content, checked) for each in known)


def _preview(profile: Profile, content: Content, checked: Checked) -> Preview:
    with_media = bool(content.pictures)
    limit = profile.rules.caption_limit if with_media and profile.rules.caption_limit else profile.rules.limit
    cost = checked.costs.get(profile.name, 0)
    parts = next((each.parts for each in checked.renditions if each.channel == profile.name), ())
    misfit = next((each for each in checked.misfits if each.channel == profile.name), None)
    text = nfc(content.text(misfit.language, profile)) if misfit else ""
    end = fitting(text, profile.rules, with_media=with_media)
    return Preview(
        profile=profile,
        window=content.window(profile.name),
        parts=parts,
        voices=tuple(voices(content, profile, part) for part in parts),
        counts=tuple(count(part.text, profile.rules) for part in parts),
        limit=limit,
        cost=dollars(cost) if cost else "",
        misfit=misfit,
        fits=text[:end],
        cut=text[end:],
    )


def voices(content: Content, profile: Profile | None, part: Part) -> list[tuple[str, str]]:
    """The part's text by language, so that each is read out as what it is."""
    texts = [(each, nfc(content.text(each, profile))) for each in part.languages] if profile else []
    is_whole = len(texts) > 1 and BETWEEN.join(text for _, text in texts) == part.text
    return texts if is_whole else [(part.languages[0] if len(part.languages) == 1 else "", part.text)]


def counters(ctx: Context, content: Content, checked: Checked) -> Mapping[Key, tuple[Counter, ...]]:
    """By text: every account that would get it."""
    found: dict[Key, list[Counter]] = {}
    for (name, language), figures in checked.figures.items():
        profile = ctx.channels[name].profile
        target = next((each for each in (name, profile.like) if (language, each) in content.texts), "")
        parts = next((each.parts for each in checked.renditions if each.channel == name), ())
        own = sum(language in part.languages for part in parts)
        found.setdefault((language, target), []).append(Counter(profile, figures, own))
    return {key: tuple(each) for key, each in found.items()}


def targets_of(content: Content) -> tuple[str, ...]:
    """The accounts and platforms that have a text of their own."""
    return tuple(sorted({target for language, target in content.texts if target and language in LANGUAGES}))
