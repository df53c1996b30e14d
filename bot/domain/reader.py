"""Takes typed values out of what people wrote, and collects everything wrong in one go."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, overload

from bot.domain.case import SLUG, fold
from bot.domain.errors import BadInput, Finding

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
MAX_TEXT = 2_000
MAX_ITEMS = 200
# Controls (a database refuses NUL, a terminal obeys the rest), bidi marks, zero-width letters: none belongs
# in a name or an address, and each lets two texts differ that look the same.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def normal(text: str) -> str:
    """NFC, lines ending in a line feed, no space around."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def finding(
    file: str,
    where: str,
    problem: str,
    remedy: str = "",
    /,
    *,
    near: tuple[str, Collection[str]] = ("", ()),
    **fields: object,
) -> Finding:
    """`near` is a wrong word and the right ones, for “did you mean”; `fields` fill problem and remedy."""
    if close := get_close_matches(near[0], near[1], 1):
        fields["near"], remedy = close[0], "Did you mean “{near}”?"
    return Finding(file, where, problem, remedy, fields)


def _plain(value: object) -> object:
    """TOML knows dates, people write them bare or in quotation marks, and we read both as text."""
    return value.isoformat() if type(value) is date else value


class Reader:
    """One table of a file. Tables inside it report to the same `findings`."""

    def __init__(
        self,
        plain: Mapping[str, Any],
        known: Collection[str],
        *,
        file: str = "",
        where: str = "",
        findings: list[Finding] | None = None,
    ) -> None:
        self.plain, self.file, self.where = plain, file, where
        self.findings: list[Finding] = [] if findings is None else findings
        for key in plain:
            if key not in known:
                self.report(str(key)[:40], "unknown key.", "Remove it.", near=(str(key), known))

    def report(
        self,
        key: str,
        problem: str,
        remedy: str = "",
        /,
        *,
        near: tuple[str, Collection[str]] = ("", ()),
        **fields: object,
    ) -> None:
        place = ": ".join(part for part in (self.where, key) if part)
        self.findings.append(finding(self.file, place, problem, remedy, near=near, **fields))

    def simple(self, kind: type, *, but: Collection[str] = ()) -> dict[str, Any]:
        """The texts, lists of texts and flags of a dataclass, by its fields; a text without a default is required."""
        return {
            name: read(self, name, required=required)
            for name, read, required in _simple_fields(kind)
            if name not in but
        }

    def _typed(self, key: str, kind: type[T], otherwise: str) -> T | None:
        value = _plain(self.plain.get(key))
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.report(key, otherwise, key=key)
            return None
        return value

    def _checked(self, key: str, text: str) -> str:
        text = normal(text)
        if len(text) > MAX_TEXT:
            self.report(key, "is longer than {most} characters.", "Shorten it.", most=MAX_TEXT)
            return ""
        if unseen := UNSEEN.search(text):
            code = f"U+{ord(unseen[0]):04X}"
            self.report(key, "holds an invisible character ({code}).", "Delete it.", code=code)
            return ""
        return text

    def text(self, key: str, *, required: bool = False) -> str:
        before = len(self.findings)
        value = self._checked(key, self._typed(key, str, "must be text.") or "")
        if required and not value and len(self.findings) == before:
            self.report(key, "is missing.", "Fill it in.")
        return value

    def name(self, key: str, shape: re.Pattern[str] = SLUG, *, required: bool = False) -> str:
        """What posts and links go by: small plain letters."""
        text = self.text(key, required=required)
        if text and not shape.match(text):
            problem, remedy = "“{name}” may hold only a–z, 0–9 and single hyphens.", "Try “{slug}”."
            slug = re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:60] or "nguyen-van-a"
            self.report(key, problem, remedy, name=text[:40], slug=slug)
        return text

    def texts(self, key: str, *, required: str = "") -> tuple[str, ...]:
        """Single lines, the empty ones dropped. `required` is the remedy where there must be one."""
        before = len(self.findings)
        values: list[Any] = [_plain(value) for value in self._typed(key, list, "must be a list of texts.") or []]
        if len(values) > MAX_ITEMS or not all(isinstance(value, str) for value in values):
            self.report(key, "must be a list of at most {most} texts.", most=MAX_ITEMS)
            return ()
        lines = (" ".join(self._checked(key, value).split()) for value in values)
        kept = tuple(line for line in lines if line)
        if required and not kept and len(self.findings) == before:
            self.report(key, "is empty.", required)
        return kept

    def flag(self, key: str) -> bool | None:
        return self._typed(key, bool, "must be true or false.")

    def number(self, key: str, *, most: int, least: int = 0) -> int | None:
        value = self._typed(key, int, "must be a whole number.")
        if value is not None and not least <= value <= most:
            self.report(key, "must be a whole number from {least} to {most}.", least=least, most=most)
            return None
        return value

    @overload
    def choice(self, key: str, kinds: type[E], default: E, *, required: bool = False) -> E: ...
    @overload
    def choice(self, key: str, kinds: type[E], default: None = None, *, required: bool = False) -> E | None: ...
    def choice(self, key: str, kinds: type[E], default: E | None = None, *, required: bool = False) -> E | None:
        text = self.text(key, required=required)
        if not text:
            return default
        try:
            return kinds(text)
        except ValueError:
            values = [kind.value for kind in kinds if kind.value]
            offered = ", ".join(f"“{value}”" for value in values)
            self.report(key, "“{text}” is not one of {offered}.", near=(text, values), text=text[:40], offered=offered)
            return default

    def parsed(self, key: str, read: Callable[[str], T], *, required: bool = False) -> T | None:
        """`read` raises BadInput for what it cannot use."""
        text = self.text(key, required=required)
        return self._read(key, read, text) if text else None

    def parsed_list(self, key: str, read: Callable[[str], T], *, required: str = "") -> tuple[T, ...]:
        values = (self._read(key, read, text) for text in self.texts(key, required=required))
        return tuple(value for value in values if value is not None)

    def _read(self, key: str, read: Callable[[str], T], text: str) -> T | None:
        try:
            return read(text)
        except BadInput as error:
            self.report(key, error.template, **error.fields)
            return None

    def table(self, key: str, known: Collection[str]) -> "Reader | None":
        value = self._typed(key, dict, "must be a table.")
        return None if value is None else self._inner(value, known, key)

    def tables(self, key: str, known: Collection[str], named: str = "id") -> "Iterator[Reader]":
        """The tables of a list, each called by its `named` value or its number."""
        values: list[Any] = self._typed(key, list, "must be a list of tables, each under [[{key}]].") or []
        for number, value in enumerate(values, 1):
            name = value.get(named) if isinstance(value, dict) else None
            label = f"{key} “{name[:60]}”" if isinstance(name, str) and name else f"{key} {number}"
            if isinstance(value, dict):
                yield self._inner(value, known, label)
            else:
                self.report(label, "is not a table.", "Write it under [[{key}]].", key=key)

    def _inner(self, plain: Mapping[str, Any], known: Collection[str], label: str) -> "Reader":
        where = ": ".join(part for part in (self.where, label) if part)
        return Reader(plain, known, file=self.file, where=where, findings=self.findings)


_SIMPLE: Mapping[object, Callable[..., Any]] = {
    str: Reader.text,
    tuple[str, ...]: lambda reader, key, **_: reader.texts(key),
    bool: lambda reader, key, **_: bool(reader.flag(key)),
    bool | None: lambda reader, key, **_: reader.flag(key),
}


@cache
def _simple_fields(kind: type) -> tuple[tuple[str, Callable[..., Any], bool], ...]:
    simple = (field for field in fields(kind) if field.type in _SIMPLE)
    return tuple((field.name, _SIMPLE[field.type], field.default is MISSING) for field in simple)
