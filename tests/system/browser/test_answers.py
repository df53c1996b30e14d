"""What only a form leads to: what was wrong, what is asked before it is kept, and what came between."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from bot.services import posts
from tests.system.browser.chromium import EVERYBODY, Screen
from tests.system.browser.eyes import Eyes
from tests.system.browser.served import Served
from tests.system.browser.showcase import VI

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser-work")]
B = "tran-thi-b"
CASE = """[[case]]
slug = "mau-ho-so"
name_vi = "Nguyễn Văn Hồ Sơ"
name_en = "Nguyen Van Ho So"
status = "imprisoned"
status_as_of = "2026-11"
status_sources = ["https://example.org/page"]
"""
WRONG: dict[str, tuple[str, dict[str, str]]] = {
    f"/cases/{B}/edit": (f"/cases/{B}/edit", {"name_en": "Tran Thi Be"}),
    f"/cases/{B}/events/new": (f"/cases/{B}/events/new", {"date": "hôm qua"}),
    f"/cases/{B}/withdraw": (f"/cases/{B}/withdraw", {}),
    "/cases/new": ("/cases/new", {"name_vi": "Trần Thị B"}),
    "/pause": ("/pause", {}),
    "/people": ("/people", {}),
    "/posts/import": ("/posts/import", {}),
    "/settings": ("/settings/passphrase", {"passphrase_new": "x"}),
}
"""Where a form stands, its address, and what nobody would accept."""


@pytest.mark.parametrize("language", ["en", "vi"])
def test_axe_finds_no_fault_in_what_the_program_answers(
    language: str, served: Served, browser: Browser, axe: str
) -> None:
    with served.at(browser, Screen(scripts=True, width=1280), EVERYBODY, language) as page:
        eyes = Eyes(page, axe)
        for path, (action, typed) in WRONG.items():
            page.goto(path)
            eyes.send(action, typed)
            assert page.locator("#errors").count() == 1, path
        sure_of_a_status(eyes)
        somebody_was_faster(eyes, served)
        a_file_is_shown_first(eyes)
    assert eyes.faults == []


def sure_of_a_status(eyes: Eyes) -> None:
    eyes.page.goto(f"/cases/{B}")
    told = {f"as_of-{B}": "2026-11-20", f"source-{B}": "https://example.org/new", f"status-{B}": "released"}
    eyes.send(f"/cases/{B}/confirm", told)
    assert eyes.page.locator("[name=sure]").count() == 1


def somebody_was_faster(eyes: Eyes, served: Served) -> None:
    """At writing and at reading."""
    draft, waiting = map(int, served.made.places["post_id"])
    for path, action, typed in (
        (f"/posts/{draft}/edit", f"/posts/{draft}/edit", {"vi": f"{VI} Tôi thêm. {VI}"}),
        (f"/review/{waiting}", f"/review/{waiting}/approve", {}),
    ):
        eyes.page.goto(path)
        post = posts.get_post(served.ctx, int(action.split("/")[2]))
        texts = {key: f"{text} Thêm." for key, text in post.content.texts.items()}
        reworded = replace(post.content, texts=texts)
        posts.edit_post(served.ctx, served.person("binh"), post.id, reworded, revision=post.revision)
        eyes.send(action, typed)
        assert eyes.page.locator("del, ins").count() > 0, path


def a_file_is_shown_first(eyes: Eyes) -> None:
    eyes.page.goto("/cases/files")
    file = {"name": "cases.toml", "mimeType": "text/plain", "buffer": CASE.encode()}
    eyes.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    eyes.send("/cases/import")
    assert eyes.page.locator("[name=text]").count() == 1
