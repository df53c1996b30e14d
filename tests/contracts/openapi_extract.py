"""Checks requests and answers against a few operations of a published OpenAPI, extracted into a small file."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.contracts.simulators.base import Asked, Reply


@dataclass(frozen=True)
class Extract:
    """`operations` as the file has them; of a path, `{…}` stands for an id."""

    operations: tuple[Mapping[str, Any], ...]

    def faults_asked(self, asked: Asked) -> Iterator[str]:
        operation = self._of(asked)
        if not operation:
            yield f"{asked.method} {asked.path}: not published"
            return
        yield from _faults(operation.get("query", {}), asked.query, asked.path)
        if asked.body:
            yield from _faults(operation.get("body", {}), dict(_leaves(asked.json())), asked.path)

    def faults_told(self, asked: Asked, reply: Reply) -> Iterator[str]:
        """Only what X calls a success has a published shape of its own."""
        operation = self._of(asked)
        if operation and reply.status == operation["status"] and "errors" not in reply.body:
            yield from _faults(operation["answer"], dict(_leaves(reply.body)), asked.path)
        elif operation and reply.status < 300 and "errors" not in reply.body:
            yield f"{asked.path}: answered with {reply.status}"

    def _of(self, asked: Asked) -> Mapping[str, Any]:
        for operation in self.operations:
            path = re.sub(r"\\\{\w+\\\}", "[0-9]{1,19}", re.escape(operation["path"]))
            if operation["method"] == asked.method and re.fullmatch(path, asked.path):
                return operation
        return {}


def load(file: Path) -> Extract:
    return Extract(tuple(tomllib.loads(file.read_text("utf-8"))["operation"]))


def _faults(fields: Mapping[str, str], given: Mapping[str, object], where: str) -> Iterator[str]:
    """A type that ends in "!" must be there wherever what it is a part of is."""
    for name, value in given.items():
        kind = fields.get(name, "").rstrip("!")
        if not kind:
            yield f"{where}: {name} is not published"
        elif not _is(kind, value):
            yield f"{where}: {name} is no {kind}: {str(value)[:80]}"
    for name, kind in fields.items():
        whole = name.rpartition(".")[0]
        is_there = not whole or any(each == whole or each.startswith(f"{whole}.") for each in given)
        if kind.endswith("!") and is_there and name not in given:
            yield f"{where}: {name} is missing"


def _is(kind: str, value: object) -> bool:
    """Kinds: those of _KINDS; `a|b` for one of these, `list a|b` for some of these with commas between."""
    name, _, limits = kind.partition(" ")
    check = _KINDS.get(name)
    return check(value, limits) if check else value in kind.split("|")


def _whole(value: object, limits: str) -> bool:
    low, _, high = limits.partition("-")
    number = int(str(value)) if str(value).isdecimal() and not isinstance(value, bool) else None
    return number is not None and (not limits or int(low) <= number <= int(high))


_KINDS: Mapping[str, Callable[[object, str], bool]] = {
    "id": lambda value, _: isinstance(value, str) and bool(re.fullmatch("[0-9]{1,19}", value)),
    "text": lambda value, most: isinstance(value, str) and (not most or len(value) <= int(most)),
    "whole": _whole,
    "yes": lambda value, _: isinstance(value, bool),
    "moment": lambda value, _: datetime.fromisoformat(str(value)).tzinfo is not None,
    "list": lambda value, names: isinstance(value, str) and set(value.split(",")) <= set(names.split("|")),
    "any": lambda _, __: True,
}


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """What lies in objects and lists, by names such as `data.urls[].url`; a part that is only a place has its own."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, name + "[]")
    else:
        yield name, value
