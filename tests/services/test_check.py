"""The lint of everything people edit: one run, every file, each finding with its remedy."""

import shutil
from pathlib import Path

import pytest

from bot.library.check import check
from bot.settings import load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    for name in ("messages", "schedules"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "config.example.toml", tmp_path / "config.toml")
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def said(folder: Path) -> list[str]:
    return [str(finding) for finding in check(folder, load_settings(folder / "config.toml")).findings]


def test_what_is_shipped_has_no_finding(edited: Path) -> None:
    assert said(edited) == []


def test_notes_say_which_places_and_charges_narrow_what_can_be_said(edited: Path) -> None:
    notes = check(edited, None).notes
    assert notes
    assert {note.file for note in notes} == {"places.toml"}


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("schedules/campaigns.toml", 'slug = "now-campaign"', 'slgu = "now-campaign"', "Did you mean “slug”?"),
        ("schedules/cases.toml", 'kind = "arrest"', 'kind = "arest"', "Did you mean “arrest”?"),
        ("schedules/observances.toml", 'kind = "advocacy"', 'kind = "advocay"', "Did you mean “advocacy”?"),
        ("schedules/posts.toml", 'campaign = "now-campaign"', 'campaign = "now"', "does not exist"),
        ("messages/en/trial.j2", "{{ ", "{{ nmae }} {{ ", "Did you mean “name”?"),
    ],
)
def test_a_slip_is_found_with_what_was_meant(edited: Path, file: str, old: str, new: str, finding: str) -> None:
    change(edited / file, old, new)
    found = said(edited)
    assert any(finding in line and Path(file).name in line for line in found), found


@pytest.mark.parametrize("file", ["messages/vi/arrest.j2", "schedules/slots.toml", "schedules/cases.toml"])
def test_a_missing_file_is_said_so(edited: Path, file: str) -> None:
    (edited / file).unlink()
    assert any("is missing" in line and Path(file).name in line for line in said(edited))


def test_the_files_and_the_configuration_must_know_each_other(edited: Path) -> None:
    change(edited / "config.toml", '\n[[channel]]\nname = "facebook"', '\n[[channel]]\nname = "fb"')
    slots = edited / "schedules" / "slots.toml"
    slots.write_text(slots.read_text() + '\n[[slot]]\nname = "n"\ncampaign = "now-campaign"\nat = "20:00"\n'
                     'weekdays = ["tue"]\nchannels = ["facebook"]\n')  # fmt: skip
    assert said(edited) == [
        "slots.toml: slot “n”: channels: there is no account “facebook”. Add it, or leave it out here."
    ]
