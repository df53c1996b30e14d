"""Reads messages/: models under headings, in both languages, and says everything that is wrong with them at once."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from bot.domain.campaign import LANGUAGES
from bot.domain.case import Tier
from bot.domain.errors import Finding
from bot.domain.fields import CAPITALISED, KIND_FIELDS, Need
from bot.domain.text import RULES
from bot.domain.wording import ANY, Model

BREAK = "---"
TIERS = (*(tier.value for tier in Tier), ANY)
CARD_FIELDS = frozenset(
    {"name", "occupation", "years", "days", "date", "court", "sentence", "n", "total", "names_sentences", "names",
     "status_line", "outcome_line", "as_of", "source"}
)  # fmt: skip
SHELVES: Mapping[str, frozenset[str]] = {
    **KIND_FIELDS,
    "shared": frozenset().union(*KIND_FIELDS.values()),
    "days": frozenset({"date"}),
    "alt": CARD_FIELDS,
    "card": CARD_FIELDS,
}
"""Each file's name, and the fields its texts may print."""

_PLATFORMS = frozenset({"", *RULES})
_OWN = re.compile(r"(?:cases|campaigns)/[a-z0-9-]+")
_FOLDERS = (*RULES, "campaigns/SLUG", "cases/SLUG")
_MAX_BYTES = 100_000
_HEADING = re.compile(r"##[ \t]+(\S+)[ \t]*(.*)")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
SHARED = re.compile(r"\[([A-Za-z][A-Za-z -]*)\]")
_TRAITS = frozenset({"round", "dated", "line"})
_WORDS = (*TIERS, *sorted(_TRAITS), *(need.value for need in Need))
_JINJA = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@cache
def compiled(source: str) -> Template:
    return _JINJA.from_string(source)


@cache
def fields_of(source: str) -> frozenset[str]:
    return frozenset(map(_base, meta.find_undeclared_variables(_JINJA.parse(source))))


@dataclass(frozen=True, slots=True)
class Section:
    """One text of one file: its heading's words, and its source with the shared sentences put in."""

    file: str
    line: int
    id: str
    words: tuple[str, ...]
    raw: str
    source: str
    fields: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def found(self, problem: str, remedy: str = "", line: int = 0) -> Finding:
        return Finding(self.file, f"line {line or self.line}, {self.id}", problem, remedy)


Shelf = dict[str, Section]
"""The sections of one file, by id."""


@dataclass(slots=True)
class Reading:
    """What was read so far: files by layer (where they lie below the language), kind and language."""

    shelves: dict[tuple[str, str], dict[str, Shelf]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def report(self, file: str, problem: str, remedy: str = "", *, where: str = "") -> None:
        self.findings.append(Finding(file, where, problem, remedy))

    def pairs(self) -> Iterator[tuple[str, Section, Section]]:
        """The kind, the Vietnamese and the English of each text that is there in both."""
        for (_, kind), shelf in sorted(self.shelves.items()):
            vi, en = (shelf.get(language, {}) for language in LANGUAGES)
            yield from ((kind, vi[name], en[name]) for name in vi if name in en)


def read(folder: Path) -> Reading:
    reading = Reading()
    shared: dict[str, Mapping[str, str]] = {}
    for language in LANGUAGES:
        sentences = _file(reading, folder / language / "shared.j2", f"{language}/shared.j2", {})
        reading.shelves.setdefault(("", "shared"), {})[language] = sentences
        shared[language] = {name: section.source for name, section in sentences.items()}
    for language in LANGUAGES:
        for path in sorted((folder / language).rglob("*.j2")):
            layer = "/".join(path.parent.relative_to(folder / language).parts)
            name = path.relative_to(folder).as_posix()
            known = KIND_FIELDS if layer else SHELVES
            if path.stem not in known:
                reading.report(name, "is not a kind of message here.", _did_you_mean(path.stem, known))
            elif layer not in _PLATFORMS and not _OWN.fullmatch(layer):
                reading.report(name, "stands in a folder that is never looked into.", _did_you_mean(layer, _FOLDERS))
            elif path.stem != "shared":
                shelf = _file(reading, path, name, shared[language])
                reading.shelves.setdefault((layer, path.stem), {})[language] = shelf
    _check_languages(reading, folder)
    return reading


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"Did you mean “{close[0]}”?" if close else f"Known are {', '.join(sorted(known))}."


def _file(reading: Reading, path: Path, name: str, shared: Mapping[str, str]) -> Shelf:
    try:
        raw = path.read_bytes()
        text = unicodedata.normalize("NFC", raw.decode("utf-8-sig"))
    except FileNotFoundError:
        reading.report(name, "is missing.", "Copy the original back.")
        return {}
    except UnicodeDecodeError as error:
        reading.report(name, "is not UTF-8.", "Save it as UTF-8.", where=f"byte {error.start}")
        return {}
    except OSError as error:
        reading.report(name, f"cannot be opened: {error.strerror}.", "Look at its permissions.")
        return {}
    if len(raw) > _MAX_BYTES:
        reading.report(name, f"is longer than {_MAX_BYTES} bytes.", "Leave out what is not a model.")
        return {}
    shelf: Shelf = {}
    for line, heading, body in _headed(reading, name, text):
        section = _section(reading, name, line, heading, body, shared)
        if section.id in shelf:
            reading.findings.append(section.found("stands twice in this file.", "Give one of them another number."))
        shelf[section.id] = section
    return shelf


def _headed(reading: Reading, name: str, text: str) -> Iterator[tuple[int, re.Match[str], list[str]]]:
    """Each heading with its line number and the lines below it."""
    lines = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text).splitlines()
    heading: re.Match[str] | None = None
    start, body = 0, list[str]()
    for number, line in enumerate(lines, 1):
        if match := _HEADING.fullmatch(line.rstrip()):
            if heading:
                yield start, heading, body
            heading, start, body = match, number, []
        elif heading:
            body.append(line)
        elif line.strip():
            remedy = "Begin each text with a line such as “## A-f1 fresh”."
            reading.report(name, "stands above the first heading.", remedy, where=f"line {number}")
    if heading:
        yield start, heading, body


def _section(
    reading: Reading, name: str, line: int, heading: re.Match[str], body: list[str], shared: Mapping[str, str]
) -> Section:
    raw = "\n".join(body)
    full = SHARED.sub(lambda match: shared.get(match[1], ""), raw)
    words = tuple(heading[2].replace(",", " ").split())
    section = Section(name, line, heading[1], words, raw, _one_line(full))
    reading.findings += [
        section.found(f"there is no shared sentence [{word}].", _did_you_mean(word, shared))
        for word in SHARED.findall(raw)
        if word not in shared
    ]
    reading.findings += [
        section.found(f"“{word}” means nothing in a heading.", _did_you_mean(word, _WORDS))
        for word in words
        if word not in _WORDS
    ]
    printed, optional = _fields(reading, section, full)
    return replace(section, fields=printed, optional=optional)


def _one_line(text: str) -> str:
    """A body may be wrapped as one likes; only a line --- is kept, for it parts two posts."""
    parts = re.split(rf"^{BREAK}[ \t]*$", text, flags=re.MULTILINE)
    return f"\n{BREAK}\n".join(" ".join(part.split()) for part in parts)


def _fields(reading: Reading, section: Section, source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The fields printed, and those of them that stand only inside an {% if %} of their own."""
    try:
        tree = _JINJA.parse(source)
    except TemplateSyntaxError as error:
        where = section.line + error.lineno
        reading.findings.append(section.found(f"cannot be read: {error.message}", "Look for an open bracket.", where))
        return frozenset(), frozenset()
    except RecursionError:
        reading.findings.append(section.found("holds too many {% if %} in each other.", "One is enough."))
        return frozenset(), frozenset()
    bare, guarded = set[str](), set[str]()
    for node, inside in _walk(tree, frozenset()):
        where = section.line + node.lineno
        if not isinstance(node, nodes.Name):
            remedy = "Only {{ field }} and {% if field %}…{% endif %} are read here."
            reading.findings.append(section.found("holds more than fields.", remedy, where))
        elif problem := _field_problem(node.name, section.file):
            reading.findings.append(section.found(*problem, where))
        elif inside is not None:
            (guarded if _base(node.name) in inside else bare).add(_base(node.name))
    return frozenset(bare | guarded), frozenset(guarded - bare)


def _walk(node: nodes.Node, inside: frozenset[str]) -> Iterator[tuple[nodes.Node, frozenset[str] | None]]:
    """Every field printed, with the fields that a surrounding {% if %} asks for, and None for these themselves;
    and every node that does not belong here.
    """
    for child in node.iter_child_nodes():
        match child:
            case nodes.Name():
                yield child, inside
            case nodes.Output():
                yield from _walk(child, inside)
            case nodes.If(test=nodes.Name() as test):
                yield test, None
                for branch in (*child.body, *child.elif_, *child.else_):
                    yield from _walk(nodes.Output([branch]), inside | {_base(test.name)})
            case nodes.TemplateData():
                pass
            case _:
                yield child, inside


def _base(name: str) -> str:
    return name[:1].lower() + name[1:]


def _field_problem(name: str, file: str) -> tuple[str, str] | None:
    known = SHELVES[Path(file).stem]
    capital = name != _base(name)
    if _base(name) in known and (not capital or _base(name) in CAPITALISED | {"ref"}):
        return None
    if any(name in fields for fields in SHELVES.values()):
        return f"{{{{ {name} }}}} is not known of this kind.", f"Known are {', '.join(sorted(known)) or 'none'}."
    written = [*known, *(base[:1].upper() + base[1:] for base in known & CAPITALISED)]
    return f"there is no field {{{{ {name} }}}}.", _did_you_mean(name, written)


def _check_languages(reading: Reading, folder: Path) -> None:
    for (layer, kind), by_language in sorted(reading.shelves.items()):
        vi, en = (by_language.get(language, {}) for language in LANGUAGES)
        for here, there, other in ((vi, en, "en"), (en, vi, "vi")):
            file = "/".join(part for part in (other, layer, f"{kind}.j2") if part)
            for name in here:
                if name not in there:
                    reading.report(file, "is missing.", "Both languages are one unit: add it.", where=name)
    for kind in SHELVES:
        if ("", kind) not in reading.shelves:
            reading.report(f"{folder.name}/{kind}.j2", "is missing.", "Copy the original back.")


def model_of(section: Section, other: Section) -> Model:
    """Of the two languages' sections; `ref` is in Vietnamese alone and always known."""
    words = section.words
    return Model(
        id=section.id,
        tier=next(word for word in words if word in TIERS),
        fields=section.fields | other.fields,
        optional=section.optional & other.optional,
        needs=frozenset(Need(word) for word in words if word in set(Need)),
        round="round" in words,
        dated="dated" in words,
        threaded=BREAK in section.source,
    )
