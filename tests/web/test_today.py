"""Today: what needs somebody first; a new installation leads a newcomer by the hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.domain.audit import Act
from bot.domain.delivery import DeliveryState, Reason
from bot.domain.people import Role
from bot.services import audit, invitations, people, queue, settle, today
from bot.services.backup import BY_HAND
from bot.services.context import Context, Keeping
from bot.services.keeping import KEPT
from bot.services.posts import When
from bot.services.review import lapse_overdue, return_post
from bot.store import deliveries, heartbeats
from bot.web import create_app
from tests.house import Crew, FakeClock, find_person
from tests.sample_cases import a_case, an_event
from tests.web.conftest import PASSPHRASE, Browser
from tests.web.test_sign_in import sign_in
from tests.writing import changed, in_review, on_file, scheduled


def part(browser: Browser, name: str) -> str:
    return browser.page.select(f"section[aria-labelledby={name}]")[0].get_text(" ", strip=True)


def running(ctx: Context) -> None:
    with ctx.store.write() as tx:
        heartbeats.beat(tx, "worker", ctx.now())


def test_where_nothing_waits_it_says_so(binh: Browser, ctx: Context) -> None:
    running(ctx)
    binh.get("/")
    assert part(binh, "needs") == "Needs someone Nothing waits for you."
    assert "✓ Publishing is on · last check just now" in binh.page.select(".running")[0].get_text(" ", strip=True)


def test_a_silent_publisher_is_said_with_the_time_it_was_last_seen(
    binh: Browser, ctx: Context, clock: FakeClock
) -> None:
    running(ctx)
    clock.advance(minutes=6)
    binh.get("/")
    assert "The publisher does not answer" in part(binh, "needs")
    assert "6 minutes ago, at 21 November 2026, 22:30 (Hà Nội, UTC+7)" in part(binh, "needs")
    assert binh.page.select(".running.paused")


def test_a_reviewer_sees_what_they_may_approve_and_a_writer_that_another_must(
    binh: Browser, dung: Browser, chi: Browser, ctx: Context, crew: Crew
) -> None:
    in_review(ctx, crew.second_reviewer)
    in_review(ctx, crew.coordinator)
    for browser, said in (
        (chi, "You can approve 2 of them."),
        (dung, "You can approve 1 of them."),
        (binh, "A reviewer must read and approve them."),
    ):
        browser.get("/")
        assert "2 posts wait for review" in part(browser, "needs")
        assert said in part(browser, "needs")
        assert browser.page.select('nav a[href="/review"] .n')[0].get_text(strip=True) == "2waiting"


def test_what_is_due_within_a_day_and_not_approved_is_named(chi: Browser, ctx: Context, crew: Crew) -> None:
    in_review(ctx, crew.coordinator, vi="Sắp đến giờ.", en="Soon.", when=When(at=ctx.now() + timedelta(hours=20)))
    in_review(ctx, crew.coordinator, vi="Còn lâu.", en="Far off.", when=When(at=ctx.now() + timedelta(hours=86)))
    chi.get("/")
    assert "Soon." in part(chi, "needs")
    assert "Far off." not in part(chi, "needs")
    assert "Needs approval" in part(chi, "out")


def test_a_held_delivery_is_shown_with_its_reason_and_a_link(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    with ctx.store.write() as tx:
        for each in deliveries.of_post(tx, post.id):
            deliveries.change(tx, each, DeliveryState.HELD, Reason.CLOCK_SUSPECT)
    chi.get("/")
    assert "Waiting for a person" in part(chi, "needs")
    assert "the clock jumped" in part(chi, "needs")
    assert chi.page.select(f'section[aria-labelledby=needs] a[href="/posts/{post.id}"]')
    chi.get("/pause")
    assert "the clock jumped" in part(chi, "held")


def test_what_failed_is_shown_for_three_days(chi: Browser, ctx: Context, crew: Crew, clock: FakeClock) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    with ctx.store.write() as tx:
        for each in deliveries.of_post(tx, post.id):
            deliveries.change(tx, each, DeliveryState.FAILED, Reason.AUTH_BROKEN)
    chi.get("/")
    assert "Not sent" in part(chi, "needs")
    assert "does not accept the sign-in" in part(chi, "needs")
    clock.advance(days=4)
    with ctx.store.read() as tx:
        assert today.troubles(tx, ctx.now()) == ()


def test_what_came_back_or_came_too_late_is_shown(
    binh: Browser, browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    back = in_review(ctx, crew.coordinator, vi="Một", en="One")
    return_post(ctx, crew.reviewer, back.id, "The date is missing.")
    late = in_review(ctx, crew.coordinator, vi="Hai", en="Two")
    clock.advance(hours=15)
    lapse_overdue(ctx)
    binh.client.set_cookie("session", "")
    fresh = browse("binh")
    fresh.get("/")
    assert "Changes requested One The date is missing." in part(fresh, "needs")
    assert "Not approved in time Two" in part(fresh, "needs")
    assert late.id != back.id


def test_what_goes_out_is_listed_with_how_much_is_out(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer, channels=("rehearsal-x", "rehearsal-facebook"))
    chi.get("/")
    assert "Scheduled" in part(chi, "out")
    assert "12:30" in part(chi, "out")
    with ctx.store.write() as tx:
        first = deliveries.of_post(tx, post.id)[0]
        deliveries.change(tx, first, DeliveryState.SENDING)
        deliveries.change(tx, deliveries.get(tx, first.id), DeliveryState.PUBLISHED)
        parts = len(deliveries.of_post(tx, post.id))
    chi.get("/")
    assert f"1 of {parts} sent" in part(chi, "out")


def test_days_of_the_week_ahead_are_named_and_a_change_shows_at_once(chi: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-25")))
    chi.get("/")
    assert "Nguyễn Văn A Imprisoned Wednesday 25 November 2026 : arrest, 6 years." in part(chi, "days")
    changed(ctx, crew.coordinator, "nguyen-van-a", events=(an_event(on="2020-11-26", key="arrest-2020-11-25"),))
    chi.get("/")
    assert "Thursday 26 November 2026" in part(chi, "days")


def test_cases_without_a_day_or_a_confirmation_wait_for_somebody(chi: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(on="2020-11"), as_of="2024-05"))
    chi.get("/")
    assert "1 person held is not confirmed of late" in part(chi, "needs")
    assert "1 case has no exact date with a source" in part(chi, "needs")


def test_the_record_is_said_to_be_signed_up_to_an_entry(chi: Browser, ctx: Context) -> None:
    chi.get("/")
    assert "Nothing is signed yet" in part(chi, "record")
    made = audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    assert made
    chi.get("/")
    said = f"Verified ✓ up to entry {made.size - 1}"
    assert said in part(chi, "record")
    chi.get("/audit")
    assert said in chi.text


def test_a_record_that_was_altered_is_not_said_to_be_verified(chi: Browser, ctx: Context) -> None:
    audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    with ctx.store.write() as tx:
        queue.stop(ctx, tx, None, ("all", ""), Reason.LOG_ALTERED)
        ctx.record(tx, None, Act.LOG_ALTERED, "log:1", {"from": 3})
    chi.get("/")
    assert "✕ Does not match from entry 3. Publishing has been paused." in part(chi, "record")
    assert "Verified" not in part(chi, "record")


def test_a_post_of_which_nothing_went_out_says_so(chi: Browser, ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    with ctx.store.write() as tx:
        found = deliveries.of_post(tx, post.id)
        for one in found:
            deliveries.change(tx, one, DeliveryState.HELD, "cannot_look")
    for one in found:
        settle.settle_drop(ctx, crew.reviewer, one.id)
    chi.get("/")
    assert "Nothing of it could be sent" in part(chi, "needs")
    assert "not_sent" not in chi.text


def test_an_empty_house_leads_its_first_admin_by_the_hand(empty: Context) -> None:
    invitations.accept(empty, invitations.first(empty), PASSPHRASE, "lan")
    browser = Browser(create_app(empty).test_client())
    browser.get("/login")
    browser.press("Sign in", {"alias": "lan", "passphrase": PASSPHRASE})
    assert part(browser, "first").count("○") == 3
    assert part(browser, "first").count("Done:") == 1
    links = [str(each["href"]) for each in browser.page.select("section[aria-labelledby=first] a")]
    assert links == ["/people", "/accounts", "/review"]
    lan = find_person(empty, "lan")
    writer, _ = people.add_person(empty, lan, "minh", {Role.COORDINATOR})
    reader, _ = people.add_person(empty, lan, "hoa", {Role.REVIEWER})
    browser.get("/")
    assert part(browser, "first").count("Done:") == 2
    in_review(empty, writer)
    browser.get("/")
    assert part(browser, "first").count("Done:") == 3
    scheduled(empty, writer, reader, vi="Bài khác", en="Another")
    browser.get("/")
    assert not browser.page.select("section[aria-labelledby=first]")


def test_one_person_with_both_roles_is_not_two_people(empty: Context) -> None:
    invitations.accept(empty, invitations.first(empty), PASSPHRASE, "lan")
    lan = find_person(empty, "lan")
    people.set_roles(empty, lan, "lan", {Role.ADMIN, Role.COORDINATOR, Role.REVIEWER})
    steps = today.look(empty, find_person(empty, "lan")).first_steps
    assert [step.done for step in steps if step.name == "people"] == [False]


def test_the_paused_band_names_who_and_why_in_the_readers_language(
    browse: Callable[..., Browser], ctx: Context, crew: Crew
) -> None:
    queue.halt(ctx, crew.auditor, "Gia đình xin chờ.")
    vi = browse("chi", "vi")
    vi.get("/")
    band = vi.page.select(".running.paused")[0].get_text(" ", strip=True)
    assert "Đã tạm dừng đăng bài." in band
    assert "giang: “Gia đình xin chờ.”" in band


def test_a_backup_that_could_not_be_made_needs_someone(binh: Browser, ctx: Context) -> None:
    running(ctx)
    binh.get("/")
    assert "No backup was made yet." in part(binh, "record")
    with ctx.store.write() as tx:
        ctx.record(tx, None, Act.BACKUP_MADE, BY_HAND)
    binh.get("/")
    assert "The newest backup was made just now." in part(binh, "record")
    with ctx.store.write() as tx:
        ctx.record(tx, None, Act.BACKUP_FAILED, KEPT)
    keeping = Keeping(ctx.data_dir, ctx.data_dir / "config.toml", str)
    told = Browser(create_app(replace(ctx, keeping=keeping)).test_client())
    sign_in(told, "binh")
    told.get("/")
    assert "No backup is made any more" in part(told, "needs")
