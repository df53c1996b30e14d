"""Cases as files: what a file would do is read before it is done, and a round trip changes nothing."""

from collections.abc import Callable
from io import BytesIO

import pytest

from bot.domain.audit import Act
from bot.domain.case import Case, EventKind
from bot.library.casefiles import read_cases_csv, read_cases_toml, write_cases_csv, write_cases_toml
from bot.services import cases, plan
from bot.services.context import Context
from tests.house import told
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.web.test_cases import HOSTILE, A, b, bring, shipped


def upload(browser: Browser, name: str, content: bytes, status: int = 200) -> None:
    browser.get("/cases/files")
    token = str(browser.page.select("form[action='/cases/import'] input[name=csrf_token]")[0]["value"])
    sent = {"csrf_token": token, "file": (BytesIO(content), name), "source": ""}
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = browser.client.post("/cases/import", data=sent, headers=headers, content_type="multipart/form-data")
    browser._show(answer, "/cases/import", status)  # noqa: SLF001 - a browser, with a file


def as_file(kind: str, *given: Case) -> bytes:
    return (write_cases_csv(given) if kind == "csv" else write_cases_toml(given)).encode()


@pytest.mark.parametrize("kind", ["toml", "csv"])
def test_a_file_is_read_first_and_brought_in_as_it_was_shown(binh: Browser, ctx: Context, kind: str) -> None:
    bring(ctx, a_case(an_event()))
    upload(binh, f"team.{kind}", as_file(kind, a_case(an_event(), occupation_en=HOSTILE), b(note="one\ntwo")))
    assert binh.heading == "What the file would do"
    assert "Added (1) Trần Thị B" in binh.text
    assert "Changed (1) Nguyễn Văn A" in binh.text
    assert [case.slug for case in cases.all_cases(ctx)] == [A]
    binh.press("Bring it in")
    assert "Added: 1. Changed: 1. As before: 0." in binh.text
    assert cases.get_case(ctx, A).occupation_en == HOSTILE
    assert cases.get_case(ctx, "tran-thi-b").note == "one\ntwo"
    assert cases.history(ctx, "tran-thi-b")[0].source == f"team.{kind}"


def test_a_file_that_would_touch_posts_says_which(binh: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event(on="2020-11-25")))
    (post,) = plan.plan(ctx).drafted
    upload(binh, "team.toml", as_file("toml", a_case(an_event(on="2020-11-25"), name_en="Nguyen Van Aa")))
    assert "1 post must be looked at again" in binh.text
    assert binh.page.select(f'a[href="/posts/{post.id}"]')
    binh.press("Bring it in")
    assert "Posts that must be looked at again: 1." in binh.text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", b"", "the column “slug” is missing"),
        ("x.toml", b"[[case]\n", "is not valid TOML"),
        ("x.csv", "slug\nnguyễn".encode("utf-16"), "looks like UTF-16"),
        ("x.csv", b"slug,name\nx,y", "unknown column “name”"),
        ("x.toml", as_file("toml", a_case(an_event(sources=("a friend",)))), "“a friend” is no source"),
        ("x.toml", as_file("toml", a_case(an_event(EventKind.TRIAL, "2027-01-01"))), "has not come yet"),
        ("<b>.exe", b"\x00\x01", "looks like UTF-16"),
    ],
)
def test_a_bad_file_says_where_and_what_to_do(
    binh: Browser, ctx: Context, name: str, content: bytes, said: str
) -> None:
    upload(binh, name, content, status=422)
    assert said in binh.page.select("#errors")[0].get_text()
    assert cases.all_cases(ctx) == ()


def test_without_a_file_it_asks_for_one(browse: Callable[..., Browser], ctx: Context) -> None:
    binh = browse("binh", "vi")
    binh.get("/cases/files")
    binh.post(to="/cases/import", status=422)
    assert "Hãy chọn tệp trước" in binh.page.select("#f-file-error")[0].get_text()


@pytest.mark.parametrize("kind", ["toml", "csv"])
def test_all_cases_are_taken_away_and_the_log_says_by_whom(giang: Browser, ctx: Context, kind: str) -> None:
    shipped(ctx)
    giang.get("/cases/files")
    token = str(giang.page.select("input[name=csrf_token]")[0]["value"])
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = giang.client.post("/cases/export", data={"csrf_token": token, "format": kind}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="cases-2026-11-21.{kind}"'
    read = read_cases_csv if kind == "csv" else read_cases_toml
    assert len(read(answer.get_data(), f"x.{kind}")) == len(cases.all_cases(ctx)) == 92
    (entry,) = told(ctx, Act.CASE_EXPORTED)
    assert entry.data == {"cases": 92}


def test_reviewers_take_nothing_away_and_bring_nothing_in(chi: Browser, ctx: Context) -> None:
    chi.get("/cases/files")
    assert "You may not export." in chi.text
    assert "You may not edit cases." in chi.text
    upload(chi, "x.toml", as_file("toml", a_case()), status=403)
