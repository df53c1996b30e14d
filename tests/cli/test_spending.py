"""What posts cost and what is used up, as the terminal says it."""

from tests.cli.conftest import Terminal

BUDGET = """
[[channel]]
name = "x"
platform = "rehearsal"
like = "x"
[channel.budget]
per_month_usd = 0.02
per_hour = 1
"""
TEXTS = ("--vi", "Xin đọc https://example.org/vi", "--en", "Please read https://example.org/en")


def draft(desk: Terminal) -> str:
    return desk.type("post", "add", "--campaign", "stop-the-crackdown-vn", *TEXTS, "--slot", "next", "--channels", "x",
                     by="lan").out  # fmt: skip


def test_a_draft_says_what_it_costs(desk: Terminal) -> None:
    assert "On x it costs $0.40." in draft(desk)
    newest = max(each["id"] for each in desk.read("post", "list", "--limit", "500"))
    shown = desk.read("post", "show", str(newest))
    assert shown["costs_usd"] == {"x": "0.40"}


def test_what_is_over_the_budget_is_said_before_anybody_approves(desk: Terminal) -> None:
    desk.config.write_text(BUDGET)
    said = draft(desk)
    assert "! On x it costs $0.40, and of this month's $0.02 only $0.02 are left: it may not go out." in said
    assert "! x may post 1 an hour: this thread of 2 would come in pieces." in said


def test_a_text_is_priced_by_platform_without_any_installation(outside: Terminal) -> None:
    text = outside.folder / "text.txt"
    text.write_text("Hôm nay.Do đó phải nói.")
    platforms = outside.read("post", "check", str(text))["platforms"]
    assert platforms["x"]["cost_usd"] == "0.20"
    assert "cost_usd" not in platforms["mastodon"]
    assert "$0.20" in outside.type("post", "check", str(text)).out


def test_the_check_of_an_account_says_what_it_has_used(desk: Terminal) -> None:
    desk.config.write_text(BUDGET)
    assert "Used this month: 0 posts, $0.00/$0.02." in desk.type("channel", "check", "x").out
    found = desk.read("channel", "check", "x")["x"]
    assert found["budget"] == {"per_hour": 1, "per_day": None, "per_month": None, "per_month_usd": "0.02"}
    assert found["used_this_month"] == {"posts": 0, "usd": "0.00"}


def test_a_budget_in_money_needs_a_price(desk: Terminal) -> None:
    desk.config.write_text(BUDGET.replace('like = "x"', 'like = "mastodon"'))
    said = desk.type("check", code=2).out
    assert "config.toml: [[channel]] “x”: budget: prices.toml has no price of “mastodon”." in said


def test_a_wrong_key_of_a_budget_is_met_with_the_right_one(desk: Terminal) -> None:
    desk.config.write_text(BUDGET.replace("per_hour", "per_hours"))
    assert "unknown key. Did you mean “per_hour”?" in desk.type("check", code=2).out


def test_a_price_that_is_none_is_reported_with_its_place(desk: Terminal) -> None:
    prices = desk.folder / "schedules" / "prices.toml"
    prices.write_text(prices.read_text().replace("0.015", '"cheap"').replace("2026-02-06", '"long ago"'))
    said = desk.type("check", code=2).out
    assert "prices.toml: price “x-2026-02”: per_post: must be US dollars such as 0.015." in said
    assert "“long ago” is not in the calendar." in said


def test_a_rehearsal_says_what_a_month_would_cost(desk: Terminal) -> None:
    said = desk.type("rehearse", "--from", "2026-12-01", "--days", "30").out
    assert "On x they would cost $" in said


def test_the_doctor_asks_for_a_price_that_nobody_looked_up_for_half_a_year(desk: Terminal) -> None:
    prices = desk.folder / "schedules" / "prices.toml"
    prices.write_text(prices.read_text().replace("seen_on = 2026-11-21", "seen_on = 2020-01-01"))
    assert "The price of x-2026-02 was last looked up on 2020-01-01." in desk.type("doctor").out
