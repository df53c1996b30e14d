"""Gathers every sentence that a person may read, and keeps the Vietnamese catalogue in step.

Run `python -m tests.catalogue` after changing a sentence; what is then empty in the .po waits for its translation.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from bot.cli import root
from bot.domain import hygiene, parity
from bot.i18n import DOMAIN, LOCALE
from bot.i18n.words import WORDS
from bot.settings import findings
from bot.store import engine

HOUSE = Path(__file__).parents[1]
PO = LOCALE / "vi" / "LC_MESSAGES" / f"{DOMAIN}.po"
MO = PO.with_suffix(".mo")
HEADER = "# The Vietnamese of the program. English is the key; after a change: python -m tests.catalogue"
DATED = datetime(2026, 11, 21, tzinfo=UTC)
Key = str | tuple[str, str]
# Which arguments of a call are sentences, by the name of what is called; -1 is the keyword `empty`.
ERRORS = (
    "Refused",
    "NotFound",
    "Conflict",
    "BadInput",
    "Misconfigured",
    "StoreFailed",
    "Tampered",
    "TooMany",
    "Unchosen",
)
SPOKEN: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys((*ERRORS, "_", "say", "filled", "remark", "Said", "ValueError"), (0,)),
    **dict.fromkeys(("good", "bad", "note", "level"), (1,)),
    "table": (0,),
    "see_other": (1,),
    **dict.fromkeys(("Finding", "finding"), (2, 3)),
    "_find": (1, 2),  # as finding, of config.toml
    "_unknown": (2,),
    "_rejected": (2, 3),
    "_nowhere": (4,),
    **dict.fromkeys(("report", ".report"), (1, 2)),
    ".found": (0, 1),
    "Problem": (4,),
    **dict.fromkeys(("_look_alike", "_hashtag"), (3,)),
    "._typed": (2,),
    "_Bad": (1,),
    "Difference": (3,),
}
# What click itself says to people, in its own words.
CLICK: tuple[Key, ...] = (
    "Commands",
    "Error: invalid input",
    "Invalid value for {param_hint}: {message}",
    "Invalid value: {message}",
    "Missing argument",
    "Missing option",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Option {name!r} does not take a value.",
    "Options",
    "Show the version and exit.",
    "Show this message and exit.",
    "Usage:",
    "default: {default}",
    "required",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)


def extract() -> set[Key]:
    """Plural sentences are pairs."""
    keys: set[Key] = set()
    for path in sorted((HOUSE / "bot").rglob("*.py")):
        if "migrations" not in path.parts and path.name != "verify_audit.py":
            keys |= set(_in_module(ast.parse(path.read_text("utf-8")), raises="settings" in path.parts))
    for path in sorted((HOUSE / "bot").rglob("*.html")):
        keys |= set(_in_template(Environment(autoescape=True).parse(path.read_text("utf-8"))))
    keys |= {phrase for phrases in WORDS.values() for phrase in phrases.values()}
    keys |= {meaning for _, meaning in engine._MEANINGS}  # noqa: SLF001
    keys |= {*findings._PROBLEMS.values(), findings._UNFIT}  # noqa: SLF001 - sentences, kept beside their use
    keys |= {template for _, _, template in hygiene._HIDDEN.values()}  # noqa: SLF001
    keys |= {*parity._ONLY_IN.values(), *parity._ONE_SIDE.values()}  # noqa: SLF001
    keys |= set(_help(root, click.Context(root)))
    return {key for key in keys | set(CLICK) if key}


def _in_module(tree: ast.Module, *, raises: bool) -> Iterator[Key]:
    everywhere = dict(_assigned(ast.Module([node for node in tree.body if isinstance(node, ast.Assign)], [])))
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.Module):
            given = everywhere | dict(_assigned(scope))
            for node in _calls(scope):
                yield from _in_call(node, given, raises=raises)


def _in_template(tree: nodes.Template) -> Iterator[Key]:
    """Whatever is not written out where it is said is said by another name, and found there."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            if call.node.name in {"_", "say"}:
                yield from _written(call.args[0])
            elif call.node.name == "many":
                one, more = (_written(arg) for arg in call.args[:2])
                yield from zip(one, more, strict=True)


def _written(node: nodes.Expr) -> Iterator[str]:
    if isinstance(node, nodes.Const):
        yield str(node.value)
    elif isinstance(node, nodes.CondExpr):
        yield from _written(node.expr1)
        yield from _written(node.expr2) if node.expr2 else ()


def _calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Those of this scope itself."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, ast.FunctionDef):
            yield from _calls(child)


def _assigned(scope: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """What each name in the scope may hold, as far as it is written out."""
    held: dict[str, list[str]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names, values = [target], [node.value]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    names, values = target.elts, node.value.elts
                for name, value in zip(names, values, strict=False):
                    if isinstance(name, ast.Name):
                        held.setdefault(name.id, []).extend(_texts(value, {}))
    yield from held.items()


def _in_call(node: ast.Call, given: Mapping[str, list[str]], *, raises: bool) -> Iterator[Key]:
    called = node.func.id if isinstance(node.func, ast.Name) else "." + getattr(node.func, "attr", "")
    if called == "many":
        one, more = (_texts(arg, given) for arg in node.args[:2])
        yield from zip(one, more, strict=True)
    elif called in SPOKEN and (called != "ValueError" or raises):
        for place in SPOKEN[called]:
            if place < len(node.args):
                yield from _texts(node.args[place], given)
        for keyword in node.keywords:
            if keyword.arg == "empty":
                yield from _texts(keyword.value, given)


def _texts(node: ast.AST, given: Mapping[str, list[str]]) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_texts(body, given), *_texts(orelse, given)]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [text for part in parts for text in _texts(part, given)]
        case ast.Name(id=name):
            return list(given.get(name, []))
    return []


def _help(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """The help of a command, its options and its verbs, in English."""
    for thing in (command, *command.params):
        text = vars(thing).get("_help")
        if text:
            yield inspect.cleandoc(text)
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            if found is not None:
                yield from _help(found, click.Context(found, parent=ctx))


def updated(before: Catalog, keys: Iterable[Key]) -> Catalog:
    """The same keys and no others, in order, with the translations there are; the same bytes on every day."""
    known = {message.id: message.string for message in before if message.id}
    after = Catalog(
        locale="vi",
        project=DOMAIN,
        header_comment=HEADER,
        creation_date=DATED,
        revision_date=DATED,
        last_translator="campaignbot",
        language_team="vi",
        msgid_bugs_address="campaignbot",
        version="1",
        fuzzy=False,
    )
    for key in sorted(keys, key=str):
        after.add(key, known.get(key, ("",) if isinstance(key, tuple) else ""))
    return after


def read() -> Catalog:
    return read_po(BytesIO(PO.read_bytes()), locale="vi") if PO.exists() else Catalog(locale="vi")


def write(catalog: Catalog) -> None:
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as po, MO.open("wb") as mo:
        write_po(po, catalog, width=116)
        write_mo(mo, catalog)


def main() -> None:
    catalog = updated(read(), extract())
    write(catalog)
    empty = [message.id for message in catalog if message.id and not "".join(message.string or "")]
    print(f"{len(catalog)} sentences, {len(empty)} without a translation")  # noqa: T201 - a tool for the terminal


if __name__ == "__main__":
    main()
