"""A role that is limited: what lies beyond its limits is shown disabled, with why, exactly where the server says no."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from bs4 import Tag

from bot.domain.delivery import DeliveryState
from bot.domain.people import Limit, Role
from bot.domain.post import Post
from bot.services import people, queue
from bot.services.context import Context
from bot.store import deliveries
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.writing import a_draft, in_review, on_file, scheduled

HERE, THERE = "stop-the-crackdown-vn", "now-campaign"
X, FACEBOOK = "rehearsal-x", "rehearsal-facebook"
# Everything below is of the one campaign and goes to X alone, so that only the last covers all of it.
LIMITS = ((THERE, FACEBOOK), (THERE, ""), (HERE, FACEBOOK), (HERE, X))
# What concerns everything is for nobody whose role is limited.
FOR_NOBODY = frozenset({"evidence", "resume everything", "resume a language"})
NO = "your role is only for"
FORBIDDEN = 403


@dataclass(frozen=True)
class Try:
    """An act as its page offers it: which button, in the form that goes where, and what is typed."""

    page: str
    button: str
    to: str
    typed: dict[str, str] = field(default_factory=dict)


Setting = Callable[[Context, Crew], Try]
WHY = {"reason": "chờ"}


def of_post(button: str, act: str, make: Callable[[Context, Crew], Post], **typed: str) -> Setting:
    def set_up(ctx: Context, crew: Crew) -> Try:
        post = make(ctx, crew)
        return Try(f"/posts/{post.id}", button, f"/posts/{post.id}/{act}", typed)

    return set_up


def of_review(button: str, act: str, **typed: str) -> Setting:
    def set_up(ctx: Context, crew: Crew) -> Try:
        post = waiting(ctx, crew)
        told = typed | ({"digest": post.digest} if act == "approve" else {})
        return Try(f"/review/{post.id}", button, f"/review/{post.id}/{act}", told)

    return set_up


def of_delivery(button: str, act: str, *, attempts: int = 1, url: str = "") -> Setting:
    def set_up(ctx: Context, crew: Crew) -> Try:
        post = approved(ctx, crew)
        with ctx.store.write() as tx:
            (one, *_) = deliveries.of_post(tx, post.id)
            deliveries.change(tx, one, DeliveryState.HELD, "cannot_look", attempts=attempts)
        return Try(f"/posts/{post.id}", button, f"/deliveries/{one.id}/{act}", {f"url-{one.id}": url})

    return set_up


def of_hold(scope: str, target: str, page: str, to: str, button: str = "Ask to resume") -> Setting:
    def set_up(ctx: Context, crew: Crew) -> Try:
        on_file(ctx, a_case(an_event()))
        post = waiting(ctx, crew)
        if scope == "all":
            queue.halt(ctx, crew.auditor, "chờ")
        else:
            queue.hold(ctx, crew.auditor, scope, target.replace("ID", str(post.id)), "chờ")
        is_listed = to == "/holds/ask"
        typed = {"scope": scope, "target": target.replace("ID", str(post.id))} if is_listed else {}
        return Try(page, button, to, typed)

    return set_up


def of_case(page: str, button: str, to: str, **typed: str) -> Setting:
    def set_up(ctx: Context, crew: Crew) -> Try:
        on_file(ctx, a_case(an_event()))
        return Try(f"/cases/nguyen-van-a{page}", button, f"/cases/nguyen-van-a/{to}", typed)

    return set_up


def drafted(ctx: Context, crew: Crew) -> Post:
    return a_draft(ctx, crew.coordinator)


def waiting(ctx: Context, crew: Crew) -> Post:
    return in_review(ctx, crew.coordinator)


def approved(ctx: Context, crew: Crew) -> Post:
    return scheduled(ctx, crew.coordinator, crew.reviewer)


def sent(ctx: Context, crew: Crew) -> Post:
    post = approved(ctx, crew)
    with ctx.store.write() as tx:
        for one in deliveries.of_post(tx, post.id):
            deliveries.change(tx, one, DeliveryState.PUBLISHED, "", attempts=1)
    return post


ACTS: dict[str, Setting] = {
    "submit": of_post("Send for review", "submit", drafted),
    "schedule": of_post("Change the time", "schedule", drafted, when="now"),
    "cancel": of_post("Cancel…", "cancel", drafted, **WHY),
    "cancel what is approved": of_post("Cancel…", "cancel", approved, **WHY),
    "withdraw": of_post("Take it down…", "withdraw", sent, **WHY),
    "approve": of_review("Approve exactly this text", "approve"),
    "request changes": of_review("Request changes", "return", do="changes", **WHY),
    "comment": of_review("Comment", "comment", comment="Xem lại."),
    "it is there": of_delivery("It is there", "live", url="https://example.org/1"),
    "send again what may be out": of_delivery("send it again…", "resend"),
    "send again what never left": of_delivery("Send it again…", "resend", attempts=0),
    "drop": of_delivery("Do not send it…", "drop"),
    "evidence": of_delivery("Download what an appeal needs", "export"),
    "resume everything": of_hold("all", "", "/pause", "/pause/ask"),
    "resume a campaign": of_hold("campaign", HERE, "/pause", "/holds/ask"),
    "resume it on its own page": of_hold("campaign", HERE, f"/campaigns/{HERE}", "/holds/ask"),
    "resume an account": of_hold("channel", X, "/pause", "/holds/ask"),
    "resume a language": of_hold("language", "vi", "/pause", "/holds/ask"),
    "resume a post": of_hold("post", "ID", "/pause", "/holds/ask"),
    "resume a case": of_hold("case", "nguyen-van-a", "/pause", "/holds/ask"),
    "resume it on the case's page": of_hold(
        "case", "nguyen-van-a", "/cases/nguyen-van-a", "/cases/nguyen-van-a/unhold/ask", "Ask to end the hold"
    ),
    "confirm a status": of_case(
        "", "Confirm", "confirm", **{"as_of-nguyen-van-a": "2026-11-20", "source-nguyen-van-a": "https://example.org/n"}
    ),
    "take a person's posts down": of_case("/withdraw", "Hold it and take everything down", "withdraw", **WHY),
}


def shown(page: Tag, tried: Try) -> Tag | None:
    """The button or, where the act asks first, what opens it."""
    words = page.find_all(["button", "summary"])
    found = [each for each in words if each.get_text(" ", strip=True).endswith(tried.button)]
    return found[0] if found else None


def limited(ctx: Context, crew: Crew, campaign: str, channel: str) -> None:
    roles = {Role.COORDINATOR, Role.REVIEWER}
    limit = [Limit(role, frozenset({campaign}), frozenset({channel} - {""})) for role in roles]
    people.set_roles(ctx, crew.admin, "dung", roles, limit)


@pytest.mark.parametrize("act", ACTS)
def test_a_button_is_disabled_exactly_where_the_server_refuses(
    ctx: Context, crew: Crew, browse: Callable[..., Browser], act: str
) -> None:
    """Until the limits cover it: then it is done, once."""
    tried, dung = ACTS[act](ctx, crew), browse("dung")
    found = []
    for campaign, channel in LIMITS:
        limited(ctx, crew, campaign, channel)
        found.append(is_barred(dung, tried))
        assert found[-1] == is_refused(dung, tried), (campaign, channel)
        if not found[-1]:
            break
    assert found[0]
    assert found[-1] == (act in FOR_NOBODY)


def is_barred(browser: Browser, tried: Try) -> bool:
    """Disabled, and then with the reason in text."""
    page = browser.get(tried.page)
    button = shown(page, tried)
    assert button is not None, browser.text
    if button.has_attr("disabled"):
        why = page.find(id=str(button["aria-describedby"]))
        assert why is not None
        assert NO in why.get_text()
    return button.has_attr("disabled")


def is_refused(browser: Browser, tried: Try) -> bool:
    """Sent past the page, as whoever writes the request by hand would."""
    token = str(browser.page.select("input[name=csrf_token]")[0]["value"])
    sent = {"csrf_token": token, **tried.typed}
    answer = browser.client.post(tried.to, data=sent, headers={"Sec-Fetch-Site": "same-origin"})
    told = answer.get_data(as_text=True).partition("<main")[2]
    errors = told.partition('id="errors"')[2].partition("</div>")[0] if answer.status_code != FORBIDDEN else told
    return NO in errors


def test_what_lies_beyond_the_limits_is_not_opened_for_writing(
    ctx: Context, crew: Crew, browse: Callable[..., Browser]
) -> None:
    on_file(ctx, a_case(an_event()))
    post = drafted(ctx, crew)
    limited(ctx, crew, THERE, FACEBOOK)
    dung = browse("dung")
    page = dung.get(f"/posts/{post.id}")
    assert [each.get_text() for each in page.select(".btn.off")][:1] == ["Edit"]
    assert NO in dung.text
    for path in (f"/posts/{post.id}/edit", f"/posts/{post.id}/card"):
        dung.get(path, status=FORBIDDEN)
    for path in ("edit", "events/new", "events/arrest-2020-10-07"):
        page = dung.get(f"/cases/nguyen-van-a/{path}")
        assert all(each.has_attr("disabled") for each in page.select("main form[method=post] button")), path


def test_a_new_post_begins_within_the_limits_and_offers_nothing_beyond(
    ctx: Context, crew: Crew, browse: Callable[..., Browser]
) -> None:
    limited(ctx, crew, THERE, FACEBOOK)
    dung = browse("dung")
    page = dung.get("/posts/new")
    assert [each["value"] for each in page.select("select[name=campaign] option")] == [THERE]
    accounts = {str(each["value"]): each for each in page.select("input[name=channels]")}
    assert {name for name, each in accounts.items() if each.has_attr("disabled")} == {X}
    assert {name for name, each in accounts.items() if each.has_attr("checked")} == {FACEBOOK}
    dung.press("Save draft", {"vi": "Xin chào.", "en": "Hello."})
    assert "Saved." in dung.text


def test_today_counts_only_what_the_limits_let_a_reviewer_approve(
    ctx: Context, crew: Crew, browse: Callable[..., Browser]
) -> None:
    waiting(ctx, crew)
    dung = browse("dung")
    dung.get("/")
    assert "You can approve 1 of them." in dung.text
    limited(ctx, crew, THERE, "")
    dung.get("/")
    assert "your role does not reach them" in dung.text
