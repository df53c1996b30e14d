"""What the pages say must hold: every command they quote can be typed, every link leads somewhere."""

import re
import shlex
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from bot.cli import root

HOUSE = Path(__file__).parents[2]
PAGES = (*sorted(HOUSE.glob("*.md")), *sorted((HOUSE / "docs").rglob("*.md")))
FENCE = re.compile(r"^[ \t]*```(\w*)\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
# Not a user, a group, a folder or a unit of that name.
CALLED = re.compile(r"(?:^|(?<!-[ugo])(?<!now)(?<!start)(?<!stop)(?<!login)(?<!gid)(?<!-R)\s|bin/)campaignbot\s+(\S.*)")
SHELL_ENDS = frozenset({"|", ">", ">>", "<", "&&", ";", "…", "..."})


@dataclass(frozen=True, slots=True)
class Quoted:
    """A command as a page quotes it. One in a block of its own is meant to be typed as it stands."""

    page: Path
    words: tuple[str, ...]
    is_whole: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(HOUSE)}: campaignbot {' '.join(self.words)}"


def words_of(line: str) -> tuple[str, ...]:
    words = shlex.split(line, comments=True)
    ends = (place for place, word in enumerate(words) if word in SHELL_ENDS)
    return tuple(words[: next(ends, len(words))])


def quoted_in(page: Path) -> Iterator[Quoted]:
    text = page.read_text("utf-8")
    for _, block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if found := CALLED.search(line):
                yield Quoted(page, words_of(found[1]), is_whole=True)
    for span in SPAN.findall(FENCE.sub("", text)):
        if found := CALLED.match(" ".join(span.split())):
            yield Quoted(page, words_of(found[1]), is_whole=False)


COMMANDS = [quoted for page in PAGES for quoted in quoted_in(page)]
GLOBALS = {name: option for option in root.params for name in option.opts}


def without_globals(words: tuple[str, ...]) -> list[str]:
    rest, waiting = [], list(words)
    while waiting:
        word = waiting.pop(0)
        option = GLOBALS.get(word)
        if option is None:
            rest.append(word)
        elif isinstance(option, click.Option) and not option.is_flag:
            waiting.pop(0)
    return rest


def faults(quoted: Quoted) -> Iterator[str]:
    rest = without_globals(quoted.words)
    command: click.Command = root
    ctx = click.Context(root, info_name="campaignbot")
    while isinstance(command, click.Group) and rest and rest[0] != "--help":
        found = command.get_command(ctx, rest[0])
        if found is None:
            yield f"there is no “{rest[0]}” in {ctx.command_path}"
            return
        command, rest = found, rest[1:]
        ctx = click.Context(command, parent=ctx, info_name=command.name)
    if isinstance(command, click.Group):
        if quoted.is_whole and not rest:
            yield f"{ctx.command_path} needs a verb"
    elif "--help" not in rest:
        yield from _faults_of(command, ctx, rest, is_whole=quoted.is_whole)


def _faults_of(command: click.Command, ctx: click.Context, rest: list[str], *, is_whole: bool) -> Iterator[str]:
    try:
        given, more, _order = command.make_parser(ctx).parse_args(args=rest)
    except click.UsageError as error:
        yield error.format_message()
        return
    if more:
        yield f"{more} is too much"
    for param in command.params:
        value = given.get(str(param.name))
        values = [each for each in (value if isinstance(value, list | tuple) else [value]) if isinstance(each, str)]
        if is_whole and param.required and not values:
            yield f"{param.human_readable_name} is missing"
        known = param.type.choices if isinstance(param.type, click.Choice) else ()
        yield from (f"{each} is none of {known}" for each in values if known and each not in known)


@pytest.mark.parametrize("quoted", COMMANDS, ids=str)
def test_a_command_that_a_page_quotes_can_be_typed(quoted: Quoted) -> None:
    assert list(faults(quoted)) == []


def test_the_pages_quote_commands_at_all() -> None:
    assert {"README.md", "guide-coordinator.vi.md"} <= {quoted.page.name for quoted in COMMANDS}


@pytest.mark.parametrize(
    "line",
    [
        "posts list",
        "post list --sate draft",
        "post list --state late",
        "post list now",
        "post",
        "post show",
        "post show 11 --json=1",
        "user add lan",
    ],
)
def test_a_command_that_cannot_be_typed_is_found(line: str) -> None:
    assert list(faults(Quoted(HOUSE / "README.md", words_of(line), is_whole=True)))


def heading_slugs(page: Path) -> frozenset[str]:
    """As code hosts make them: small letters, no punctuation, hyphens for spaces."""
    text = FENCE.sub("", page.read_text("utf-8"))
    heads = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head).lower() for head in heads)
    return frozenset(re.sub(r"[^\w\- ]", "", head).replace(" ", "-") for head in plain)


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        text = SPAN.sub("", FENCE.sub("", page.read_text("utf-8")))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:", target):
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()), ids=lambda part: getattr(part, "name", part))
def test_a_link_of_a_page_leads_somewhere(page: Path, target: str) -> None:
    path, _, place = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    assert there.exists()
    assert not place or place in heading_slugs(there)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_nfc_and_names_only_targets_that_can_be_made(page: Path) -> None:
    text = page.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert unicodedata.is_normalized("NFC", text)
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets


PLACE = re.compile(r"`((?:[a-z0-9_]+/)*[a-z0-9_]+\.py)(?:: ([A-Za-z_.]+))?`(?:\s+\(([^)]*)\))?")


def places() -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """What a page says of the code: a file, and names in it."""
    for page in PAGES:
        for path, name, more in PLACE.findall(page.read_text("utf-8")):
            yield page, path, tuple(filter(None, (name, *re.findall(r"`([A-Za-z_.]+)`", more))))


@pytest.mark.parametrize(("page", "path", "names"), list(places()), ids=lambda part: getattr(part, "name", str(part)))
def test_a_place_in_the_code_that_a_page_names_is_there(page: Path, path: str, names: tuple[str, ...]) -> None:
    file = next((each for each in (HOUSE / "bot" / path, HOUSE / path, page.parent / path) if each.exists()), None)
    assert file is not None
    text = file.read_text("utf-8")
    assert [name for name in names if not re.search(rf"\b{name.rpartition('.')[2]}\b", text)] == []


TESTS = re.compile(r"`(tests/[a-z_/]+\.py): (test_\w+)`")


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    text = (HOUSE / "docs" / "security.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| (V\d+ |\d+\.\d+\.\d+ )", line)]
    assert [row for row in rows if not TESTS.search(row) and not row.endswith("| does not apply |")] == []
    assert {f"V{number}" for number in range(1, 18)} <= {row.split()[1] for row in rows}
    missing = [
        f"{file}: {name}"
        for file, name in TESTS.findall(text)
        if not re.search(rf"^(async )?def {name}\(", (HOUSE / file).read_text("utf-8"), re.MULTILINE)
    ]
    assert missing == []
