"""Our counting beside the official npm `twitter-text` and JavaScript's segmenter, over thousands of texts."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.domain.text import RULES, count, figures, links
from tests.contracts.generated_texts import texts

ORACLE = Path(__file__).parent / "twitter_text"
TEXTS, SEED = 4_000, 20171016
INSTALL_S, COUNT_S = 120, 60

# Unicode 15.1 joined Indic conjuncts into one grapheme; Node and `regex` need not have the same version.
INDIC = re.compile("[\u0900-\u0dff]")

# One worker installs the package, and asks it once.
pytestmark = pytest.mark.xdist_group("npm")

Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Sequence[Row]:
    """What the official counter says, from one Node process; the package is kept in pytest's cache."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("Node.js and npm are not here: counting was compared with the stored vectors only")
    home = _installed(Path(request.config.cache.mkdir("twitter_text")), npm)
    asked = json.dumps(texts(TEXTS, SEED))
    answer = subprocess.run(
        [node, "count.js"], cwd=home, input=asked, capture_output=True, text=True, timeout=COUNT_S, check=False
    )
    assert answer.returncode == 0, answer.stderr
    found: Sequence[Row] = json.loads(answer.stdout)
    return found


def _installed(home: Path, npm: str) -> Path:
    fresh = not (home / "node_modules" / "twitter-text").is_dir()
    lock = (ORACLE / "package-lock.json").read_bytes()
    if fresh or (home / "package-lock.json").read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ORACLE / name, home / name)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        result = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        if result.returncode:
            shutil.rmtree(home / "node_modules", ignore_errors=True)
            pytest.skip(f"npm could not install twitter-text: {result.stderr.strip()[:200]}")
    shutil.copy(ORACLE / "count.js", home / "count.js")
    return home


def test_x_weights_are_those_of_the_official_counter(rows: Sequence[Row]) -> None:
    pairs = [(row["text"], row["x"], count(row["text"], RULES["x"])) for row in rows]
    assert [pair for pair in pairs if pair[1] != pair[2]] == []


def test_links_are_those_of_the_official_counter(rows: Sequence[Row]) -> None:
    pairs = [(row["text"], row["links"], [link.text for link in links(row["text"])]) for row in rows]
    assert [pair for pair in pairs if pair[1] != pair[2]] == []


def test_graphemes_and_bytes_are_those_of_javascript(rows: Sequence[Row]) -> None:
    ours = [figures(row["text"], RULES["bluesky"]) for row in rows]
    wrong = [
        (row["text"], row["graphemes"], mine.count)
        for row, mine in zip(rows, ours, strict=True)
        if not INDIC.search(row["text"]) and (row["graphemes"], row["bytes"]) != (mine.count, mine.bytes)
    ]
    assert wrong == []


def test_telegram_and_facebook_count_utf_16_units(rows: Sequence[Row]) -> None:
    for rules in (RULES["telegram"], RULES["facebook"]):
        assert [row["text"] for row in rows if count(row["text"], rules) != row["utf16"]] == []
