"""What every channel would get of a text, and everything in it that a person should stop at."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.domain.campaign import LANGUAGES
from bot.domain.case import HELD, Case, Consent, Tier, fold, tier_of
from bot.domain.facts import EVENT_FACT
from bot.domain.hygiene import Problem, Severity, clean, nfc, problems
from bot.domain.occasions import OccasionKind
from bot.domain.parity import Difference, compare
from bot.domain.post import Cite, Content, Misfit, Rendition, manifest, missing_languages, render, sha256
from bot.domain.remarks import Blocked, Remark, mistyped_tags, names_in, remark, words_to_avoid
from bot.domain.review import is_past, stale_cites
from bot.domain.slots import day_is_full, has_room, local_date, quiet
from bot.domain.text import Figures, figures
from bot.services.budget import costs, remarks
from bot.services.context import Context
from bot.services.pictures import picture_blocks
from bot.services.twins import twins
from bot.store import cases, holds, pace, posts

ALWAYS_CITED = ("identity", "status", "consent")
_JOINT = frozenset({OccasionKind.JOINT_TRIAL, OccasionKind.JOINT_APPEAL})


@dataclass(frozen=True, slots=True)
class Checked:
    """`figures` are by channel and language, `costs` by channel in millionths of a US dollar, where it costs anything.

    Blocks bar the way to review; a reviewer ticks the warnings.
    """

    renditions: tuple[Rendition, ...]
    misfits: tuple[Misfit, ...]
    figures: Mapping[tuple[str, str], Figures]
    problems: tuple[Problem, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[Remark, ...]
    blocks: tuple[Remark, ...]
    costs: Mapping[str, int]


def tidied(content: Content) -> Content:
    """In NFC and without stray white space; empty texts are left out."""
    texts = {key: tidy for key, text in content.texts.items() if (tidy := clean(text).strip())}
    pictures = tuple(
        replace(picture, alt={language: clean(alt).strip() for language, alt in picture.alt.items()})
        for picture in content.pictures
    )
    return replace(content, texts=texts, pictures=pictures, note=clean(content.note).strip())


def check_content(ctx: Context, content: Content, *, post_id: int = 0) -> Checked:
    """`post_id` is the post being edited, which is not compared with itself."""
    with ctx.store.read() as tx:
        return check(ctx, tx, content, post_id=post_id)


def check(ctx: Context, tx: Connection, content: Content, *, post_id: int = 0) -> Checked:
    typed, content = content, tidied(content)
    named = cases.by_slug(tx, content.cases)
    renditions, misfits = rendered(ctx, content)
    found = tuple(problems_of(content))
    profiles = [ctx.channels[name].profile for name in content.channels if name in ctx.channels]
    return Checked(
        renditions=renditions,
        misfits=misfits,
        figures={
            (profile.name, language): figures(text, profile.rules, with_media=bool(content.pictures))
            for profile in profiles
            for language in profile.languages
            if (text := content.text(language, profile))
        },
        problems=found,
        differences=_differences(ctx, content, named),
        warnings=(*_warnings(ctx, tx, typed, content, named, post_id), *remarks(ctx, tx, renditions)),
        blocks=tuple(_blocks(ctx, tx, content, named, misfits)),
        costs=costs(ctx, renditions),
    )


def rendered(ctx: Context, content: Content) -> tuple[tuple[Rendition, ...], tuple[Misfit, ...]]:
    known = (ctx.channels[name].profile for name in content.channels if name in ctx.channels)
    found = [render(content, profile) for profile in known]
    renditions = tuple(each for each in found if isinstance(each, Rendition))
    return renditions, tuple(each for each in found if isinstance(each, Misfit))


def renditions_if_ready(ctx: Context, tx: Connection, content: Content) -> tuple[Rendition, ...]:
    """Raises Blocked with everything that must be mended before anyone can approve."""
    renditions, misfits = rendered(ctx, content)
    if blocks := tuple(_blocks(ctx, tx, content, cases.by_slug(tx, content.cases), misfits)):
        raise Blocked(blocks)
    return renditions


def freeze(post_id: int, document: str, renditions: Sequence[Rendition]) -> tuple[str, str]:
    """The manifest and its digest, which a reviewer approves."""
    text = manifest(post_id, document, renditions)
    return text, sha256(text)


def cites_of(named: Mapping[str, Case], listed: Collection[Cite]) -> tuple[Cite, ...]:
    """What a person's words rest on: who each case is, its status and consent, and whatever facts they listed."""
    facts = {(slug, fact) for slug in named for fact in ALWAYS_CITED}
    facts |= {(cite.case, cite.fact) for cite in listed if cite.case in named}
    return tuple(
        Cite(slug, fact, named[slug].revisions[fact]) for slug, fact in sorted(facts) if fact in named[slug].revisions
    )


def texts_of(content: Content) -> Iterator[str]:
    """Everything that people will read, descriptions of pictures too."""
    yield from content.texts.values()
    yield from _descriptions(content)


def _descriptions(content: Content) -> Iterator[str]:
    for picture in content.pictures:
        yield from picture.alt.values()


def problems_of(content: Content) -> Iterator[Problem]:
    """Of all that people will read."""
    for text in content.texts.values():
        yield from problems(text)
    for text in _descriptions(content):
        yield from problems(text, posted=False)


def _tags(ctx: Context, content: Content) -> tuple[str, ...]:
    campaign = ctx.schedules.campaign(content.campaign)
    return tuple(tag for tags in campaign.hashtags.values() for tag in tags) if campaign else ()


def _differences(ctx: Context, content: Content, named: Mapping[str, Case]) -> tuple[Difference, ...]:
    names = tuple((case.name_vi, case.name_en) for case in named.values())
    found: dict[Difference, None] = {}
    for target in sorted({target for _, target in content.texts}):
        vi, en = (content.texts.get((of, target)) or content.texts.get((of, ""), "") for of in LANGUAGES)
        found |= dict.fromkeys(compare(vi, en, names=names, own_tags=_tags(ctx, content)))
    return tuple(found)


def _blocks(
    ctx: Context, tx: Connection, content: Content, named: Mapping[str, Case], misfits: Sequence[Misfit]
) -> Iterator[Remark]:
    for problem in problems_of(content):
        if problem.severity is Severity.REFUSE:
            yield Remark(problem.template, problem.params)
    for language in missing_languages(content):
        yield remark("The text in {language} is empty. Both languages are one post.", language=language)
    if ctx.schedules.campaign(content.campaign) is None:
        yield remark("There is no campaign “{campaign}”.", campaign=content.campaign)
    if not content.channels:
        yield remark("Choose at least one account.")
    for name in content.channels:
        if name not in ctx.channels:
            yield remark("No account “{name}” in config.toml.", name=name)
    for misfit in misfits:
        yield remark(
            "{channel} counts the text in {language} as {count}. The limit is {limit}: {over} over. Shorten it.",
            channel=misfit.channel, language=misfit.language, count=misfit.count, limit=misfit.limit,
            over=misfit.overflow,
        )  # fmt: skip
    yield from _time_blocks(ctx, content)
    yield from picture_blocks(ctx, tx, content)
    yield from _case_blocks(tx, content, named)


def _time_blocks(ctx: Context, content: Content) -> Iterator[Remark]:
    windows = [content.window(name) for name in content.channels]
    if not all(windows):
        yield remark("It has no time. Give it one, or the next free slot.")
    if any(window and is_past(window, ctx.now()) for window in windows):
        yield remark("Its time has passed. Give it a later one.")


def _case_blocks(tx: Connection, content: Content, named: Mapping[str, Case]) -> Iterator[Remark]:
    held = holds.open_holds(tx)
    if ("campaign", content.campaign) in held:
        yield remark("The campaign “{campaign}” is held.", campaign=content.campaign)
    for slug in content.cases:
        case = named.get(slug)
        if case is None:
            yield remark("There is no case “{case}” any more.", case=slug)
            continue
        if ("case", slug) in held:
            yield remark("The case of {name} is held.", name=case.name_vi)
        if case.consent is Consent.REFUSED:
            yield remark("{name}, or the family, refused: nothing is posted about this case.", name=case.name_vi)
        if not case.confirmation.sources and not any(event.sources for event in case.events):
            yield remark("What is said about {name} has no source. Add one to the case.", name=case.name_vi)
        if stale_cites(content.cites, case):
            yield remark("A fact about {name} changed since this was written. Read and save it.", name=case.name_vi)
    if is_unanswered(content, named):
        yield remark("Nobody has said yet whether these people were tried together. Answer that first.")


def _disputes(content: Content, case: Case) -> Iterator[Remark]:
    facts = {cite.fact for cite in content.cites if cite.case == case.slug}
    for event in case.events:
        if event.is_disputed and EVENT_FACT + event.key in facts:
            yield remark(
                "Sources differ on a day of {name}: {date}, or {others}. Name the date, or decide between them.",
                name=case.name_vi, date=str(event.date), others=", ".join(map(str, event.alt_dates)),
            )  # fmt: skip


def is_unanswered(content: Content, named: Mapping[str, Case]) -> bool:
    """Nobody has said yet whether the people it speaks of were tried together."""
    cited = (
        named[cite.case].event(cite.fact.removeprefix(EVENT_FACT))
        for cite in content.cites
        if cite.fact.startswith(EVENT_FACT) and cite.case in named
    )
    return content.kind in _JOINT and not all(event is not None and event.joint for event in cited)


def _warnings(
    ctx: Context, tx: Connection, typed: Content, content: Content, named: Mapping[str, Case], post_id: int
) -> Iterator[Remark]:
    if any(text != nfc(text) for text in texts_of(typed)):
        yield remark("The text came in decomposed letters, as some programs copy it. It is saved in the usual form.")
    for (language, _), text in content.texts.items():
        for word in words_to_avoid(text, language):
            yield remark("“{word}” is a word we avoid outside quotations.", word=word)
        for written, meant in mistyped_tags(text, _tags(ctx, content)):
            yield remark("“{written}” is written “{meant}”.", written=written, meant=meant)
    for slug in set(recognised(tx, content)) - set(content.cases):
        name = cases.get(tx, slug).name_vi
        yield remark("It names {name}, whose case is not listed with it.", name=name)
    on = local_date(content.due or ctx.now())
    for case in named.values():
        yield from _disputes(content, case)
        if case.status in HELD and tier_of(case, on, ctx.planning.status_max_age_days) is not Tier.FRESH:
            days = (on - case.confirmation.as_of.first_day).days
            yield remark(
                "The status of {name} was last confirmed {days} days before it goes out. Confirm it first.",
                name=case.name_vi, days=days,
            )  # fmt: skip
    if post_id:
        yield from _edited_alone([*(each.content for each in posts.revisions(tx, post_id)), content])
    yield from _time_warnings(ctx, tx, content, post_id)
    if content.due:
        yield from twins(ctx, tx, content, content.due, post_id)


def _edited_alone(contents: Sequence[Content]) -> Iterator[Remark]:
    """Where one text was changed after the other, since there were both."""
    whole = [each for each in contents if not missing_languages(each)]
    for before, after in zip(reversed(whole[:-1]), reversed(whole), strict=False):
        changed = [each for each in LANGUAGES if before.texts[each, ""] != after.texts[each, ""]]
        if changed == ["vi"]:
            yield remark("The Vietnamese changed after the English. Check both.")
        elif changed == ["en"]:
            yield remark("The English changed after the Vietnamese. Check both.")
        if changed:
            return


def recognised(tx: Connection, content: Content) -> tuple[str, ...]:
    """The cases whose full name stands in the texts, so that what holds for the person holds for the post."""
    both = "\n".join(content.texts.values())
    return names_in(both, cases.by_slug(tx, posts.slugs_in(tx, fold(both))).values())


def _time_warnings(ctx: Context, tx: Connection, content: Content, post_id: int) -> Iterator[Remark]:
    moments = [window.due for window in content.windows]
    day = timedelta(days=1)
    taken = taken_times(ctx, tx, min(moments) - day, max(moments) + day, but=post_id) if moments else {}
    for window in content.windows:
        channel = ctx.channels.get(window.channel)
        if channel is None:
            continue
        if quiet(window.due, channel.rhythm):
            yield remark("{channel} is quiet at that hour. Give it another time.", channel=window.channel)
        elif day_is_full(window.due, taken[window.channel], channel.rhythm):
            yield remark("The day is full on {channel}: it may not go out. Choose another day.", channel=window.channel)
        elif not has_room(window.due, taken[window.channel], channel.rhythm):
            yield remark("{channel} has other posts near that time: it may wait for its turn.", channel=window.channel)


def taken_times(
    ctx: Context, tx: Connection, start: datetime, end: datetime, *, but: int = 0
) -> dict[str, tuple[datetime, ...]]:
    """When each account posts, or would if what is written were approved; post `but` aside."""
    planned = posts.taken(tx, start, end, but=but)
    return {name: (*planned.get(name, ()), *pace.taken(tx, name, start, end)) for name in ctx.channels}
