"""Compose: a post in both languages, kept on every check, counted as each account counts and shown as it will look."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from unicodedata import is_normalized

from flask import g, request
from werkzeug.wrappers import Response

from bot.domain.campaign import LANGUAGES, Campaign
from bot.domain.differences import words
from bot.domain.errors import CampaignError
from bot.domain.people import Duty, Scope, require
from bot.domain.post import EDITABLE, OPEN, Cite, Content, Picture, Post
from bot.domain.remarks import Blocked
from bot.domain.review import require_state
from bot.domain.slots import zone
from bot.i18n import _, filled, sentence, word
from bot.library.images import MAX_BYTES
from bot.services import compose, posts, review
from bot.services.compose import Looked, look_over
from bot.services.postfiles import read_grace, read_when
from bot.services.posts import When
from bot.services.slots import NEXT_SLOT
from bot.services.withdraw import correct_post
from bot.web.frame import Amiss, Answer, Pages, Problem, Visit, page, see_other
from bot.web.previews import counters, previews, targets_of
from bot.web.words import zone_name

pages = Pages("compose")
_TEXT = re.compile(r"(vi|en)(?::([a-z0-9][\w-]{0,59}))?", re.ASCII)
_MOST_TEXTS = 60
_MOST_NAMED = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as content. `problems` are what could not be read; what could be is all there."""

    content: Content
    when: When
    problems: tuple[Problem, ...] = ()

    def require(self) -> "Typed":
        if self.problems:
            raise Amiss(self.problems)
        return self


@pages.show("/posts/new", may=Duty.WRITE_POST)
def new(visit: Visit) -> Answer:
    if request.method == "POST":
        typed = read(visit)
        return _page(visit, typed.content, look_over(visit.ctx, typed.content, typed.when))
    return _page(visit, _begun(visit), None)


@pages.act("/posts/new", may=Duty.WRITE_POST, again=new)
def write(visit: Visit) -> Answer:
    typed = read(visit).require()
    wrong = visit.typed("corrects")
    if wrong.isdecimal():
        made = correct_post(visit.ctx, visit.person, int(wrong[:15]), typed.content, typed.when)
    else:
        made = posts.add_post(visit.ctx, visit.person, typed.content, typed.when)
    return _kept(visit, made)


@pages.show("/posts/<int:post_id>/edit", may=Duty.WRITE_POST)
def edit(visit: Visit, post_id: int) -> Answer:
    post = editable(visit, post_id)
    typed = read(visit) if request.method == "POST" else Typed(post.content, When())
    return _page(visit, typed.content, look_over(visit.ctx, typed.content, typed.when, post_id=post_id), post)


def editable(visit: Visit, post_id: int) -> Post:
    post = posts.get_post(visit.ctx, post_id)
    require(visit.person, Duty.WRITE_POST, post.content.scope)
    require_state(post, EDITABLE, "edit")
    return post


@pages.act("/posts/<int:post_id>/edit", may=Duty.WRITE_POST, again=edit)
def rewrite(visit: Visit, post_id: int) -> Answer:
    typed = read(visit).require()
    revision = _number(visit.typed("revision"))
    edited = posts.edit_post(visit.ctx, visit.person, post_id, typed.content, typed.when, revision=revision)
    return _kept(visit, edited.post, voided=bool(edited.voided))


@pages.act("/posts/check", may=Duty.WRITE_POST)
def look(visit: Visit) -> Answer:
    """Only what depends on what was typed, while somebody types; it keeps nothing."""
    typed = read(visit)
    looked = look_over(visit.ctx, typed.content, typed.when, post_id=_number(visit.typed("of")))
    return page("compose/_fragment.html", **_findings(visit, looked))


def _kept(visit: Visit, post: Post, *, voided: bool = False) -> Response:
    """Where to go after it was kept: before the reviewers, to the post, or on with writing."""
    here, done = f"/posts/{post.id}", visit.typed("do")
    if done == "submit":
        return _sent(visit, post, here)
    if voided:
        return see_other(here, "Saved. It was approved before; that no longer counts.", kind="warn")
    if done in {"save", "card"}:
        return see_other(here if done == "save" else f"{here}/card", "Saved.")
    own = visit.typed("own")
    on = f"{here}/edit?own={own}#own" if re.fullmatch(r"[\w-]{1,60}", own, re.ASCII) else f"{here}/edit#found"
    if not all(is_normalized("NFC", text) for name, text in request.form.items() if _TEXT.fullmatch(name)):
        said = "Saved. The text came in decomposed letters, as some programs copy it; it is kept in the usual form."
        return see_other(on, said, kind="warn")
    return see_other(on, "Saved.")


def _sent(visit: Visit, post: Post, here: str) -> Response:
    try:
        if post.state not in OPEN:
            review.submit(visit.ctx, visit.person, post.id)
    except Blocked:
        return see_other(f"{here}/edit", "Saved as a draft. Put this right before it can be reviewed.", kind="warn")
    return see_other(here, "Sent for review. Somebody else must approve it before its time.")


def read(visit: Visit) -> Typed:
    """The form, once a request: a picture that came with it is kept, whatever else is wrong."""
    if "typed" not in g:
        g.typed = _read(visit)
    return g.typed  # type: ignore[no-any-return]


def _read(visit: Visit) -> Typed:
    problems: list[Problem] = []

    def reading(name: str, does: Callable[..., T], otherwise: T, *given: object) -> T:
        try:
            return does(visit, *given)
        except CampaignError as error:
            problems.append(Problem(name, sentence(error)))
            return otherwise

    named = [each.strip() for each in visit.typed("about").splitlines()[:_MOST_NAMED] if each.strip()]
    cases = (*visit.ticked("cases"), *(reading("about", _case, "", each) for each in named))
    digests = [each for each in visit.ticked("pictures") if each not in visit.ticked("drop")]
    pictures = [*(reading("picture", _kept_picture, None, each) for each in digests),
                reading("picture", _sent_picture, None)]  # fmt: skip
    if not visit.ticked("channels"):
        problems.append(Problem("channels", _("Choose at least one account.")))
    content = Content(
        campaign=visit.typed("campaign"),
        texts=_texts(),
        channels=visit.ticked("channels"),
        pictures=tuple({each.digest: each for each in pictures if each}.values()),
        cases=tuple(dict.fromkeys(filter(None, cases))),
        cites=tuple(Cite(case, fact, 0) for case, _, fact in (each.partition("|") for each in visit.ticked("cites"))),
        note=visit.typed("note"),
    )
    return Typed(content, reading("day", read_time, When()), tuple(problems))


def _case(visit: Visit, said: str) -> str:
    return compose.case_called(visit.ctx, said)


def _texts() -> Mapping[tuple[str, str], str]:
    """As typed, decomposed letters too, so that they are reported; a text that is only the common one again is none."""
    found: dict[tuple[str, str], str] = {}
    for name, text in list(request.form.items())[:_MOST_TEXTS]:
        if match := _TEXT.fullmatch(name):
            found[match[1], match[2] or ""] = text.replace("\r\n", "\n").strip()
    common = {language: found.get((language, "")) for language in LANGUAGES}
    return {key: text for key, text in found.items() if text and not (key[1] and text == common[key[0]])}


def _kept_picture(visit: Visit, digest: str) -> Picture:
    alt = {language: visit.typed(f"alt_{language}:{digest}") for language in LANGUAGES}
    return compose.kept_picture(visit.ctx, digest, alt)


def _sent_picture(visit: Visit) -> Picture | None:
    sent = visit.file("picture")
    if sent is None:
        return None
    raw = sent.stream.read(MAX_BYTES + 1)
    alt = {f"alt_{language}": visit.typed(f"alt_{language}") for language in LANGUAGES}
    return posts.add_picture(visit.ctx, visit.person, raw, **alt)


def read_time(visit: Visit) -> When:
    grace = read_grace(visit.typed("grace")) if visit.typed("grace") else None
    match visit.typed("when"):
        case "now":
            return When("now", grace=grace)
        case "slot":
            return When(slot=visit.typed("slot"), grace=grace)
        case "at":
            zone(visit.typed("zone"))
            return When(read_when(f"{visit.typed('day')} {visit.typed('hour')}", visit.typed("zone")), grace=grace)
    return When()


def _begun(visit: Visit) -> Content:
    """An empty post, about whom or what the address says."""
    schedules, wrong = visit.ctx.schedules, visit.asked("corrects")
    if wrong.isdecimal():
        before = posts.get_post(visit.ctx, _number(wrong)).content
        return Content(before.campaign, {}, before.channels, cases=before.cases)
    if visit.asked("again").isdecimal():
        before = posts.get_post(visit.ctx, _number(visit.asked("again"))).content
        return replace(before, channels=(visit.asked("account"),), windows=(), cites=())
    campaign = schedules.campaign(visit.asked("campaign")) or _own_campaign(visit)
    cases = (_case(visit, visit.asked("case")),) if visit.asked("case") else ()
    channels = (name for name in campaign.channels or visit.ctx.channels if not _barred(visit, "", name))
    return Content(campaign.slug, {}, tuple(channels), cases=cases)


def _own_campaign(visit: Visit) -> Campaign:
    """The default one, else the first that this person may write for."""
    usual = visit.ctx.schedules.default_campaign
    mine = (each for each in (usual, *visit.ctx.schedules.campaigns) if not _barred(visit, each.slug))
    return next(mine, usual)


def _page(visit: Visit, content: Content, looked: Looked | None, post: Post | None = None) -> str:
    content = looked.content if looked else content
    schedules, channels = visit.ctx.schedules, visit.ctx.channels
    targets = dict.fromkeys((*targets_of(content), *filter(None, [visit.asked("own")])))
    platforms = dict.fromkeys(channel.profile.like for channel in channels.values())
    zones = dict.fromkeys((visit.zone, visit.site.timezone, *(each.profile.timezone for each in channels.values())))
    slots = sorted({slot.name for slot in schedules.slots if slot.campaign == content.campaign})
    local = content.due.astimezone(zone(visit.zone)) if content.due else None
    return page(
        "compose/compose.html",
        post=post,
        campaigns=[(each.slug, _name(visit, each)) for each in schedules.campaigns if not _barred(visit, each.slug)],
        accounts=[channels[name].profile for name in channels],
        barred={name: _barred(visit, "", name) for name in channels},
        targets=[each for each in targets if each in {*channels, *platforms}],
        others=[each for each in (*platforms, *channels) if each not in targets],
        slots=[(NEXT_SLOT, _("the next free one")), *((each, each) for each in slots)],
        languages=lambda profile: ", ".join(word(each, "language") for each in profile.languages),
        zone_options=[(each, zone_name(each, visit.ctx.now())) for each in zones],
        local=local,
        asked_day=visit.asked("day"),
        corrects=visit.typed("corrects") or visit.asked("corrects"),
        meanwhile=_meanwhile(visit, post),
        **(_findings(visit, looked) if looked else {"looked": None, "content": content, "counters": {}}),
    )


def _barred(visit: Visit, campaign: str, channel: str = "") -> str:
    """Why this person may not write for it, or ""."""
    return visit.refusal(Duty.WRITE_POST, Scope(frozenset({campaign} - {""}), frozenset({channel} - {""})))


def _name(visit: Visit, campaign: Campaign) -> str:
    return campaign.name_vi if visit.language == "vi" else campaign.name_en


def _findings(visit: Visit, looked: Looked) -> dict[str, Any]:
    return {
        "content": looked.content,
        "looked": looked,
        "previews": previews(visit.ctx, looked.content, looked.checked),
        "counters": counters(visit.ctx, looked.content, looked.checked),
        "amiss": sentence(looked.amiss) if looked.amiss and not visit.problems else "",
        "filled": filled,
    }


def _meanwhile(visit: Visit, post: Post | None) -> Mapping[str, list[tuple[str, str]]]:
    """What somebody else made of the texts since this form was opened."""
    read_at = _number(visit.typed("revision"))
    if post is None or not read_at or read_at >= post.revision:
        return {}
    before = next((each for each in posts.post_history(visit.ctx, post.id) if each.revision == read_at), None)
    old, new = (before.content.texts if before else {}), post.content.texts
    return {each: [*words(old.get((each, ""), ""), new.get((each, ""), ""))] for each in LANGUAGES}


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) else 0
