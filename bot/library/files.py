"""The door for files that people write: size, encoding and TOML, with an error that says how to mend it."""

import re
import tomllib
from pathlib import Path
from typing import Any

from bot.domain.errors import Finding, Rejected

MAX_BYTES = 10_000_000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8 = (
    "Save it again as UTF-8: in Excel “CSV UTF-8”, in LibreOffice the character set “Unicode (UTF-8)”, "
    "in Google Sheets “Download as CSV”."
)


def read_source(source: bytes | Path, name: str = "") -> tuple[str, str]:
    """The text and the name to report it by. Raises Rejected for what is missing, too large or not UTF-8."""
    if isinstance(source, bytes):
        return decode(source, name), name
    name = name or source.name
    try:
        with source.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _rejected(name, "", "is missing.", "Copy the original back, or name another file.") from error
    except OSError as error:
        raise _rejected(name, "", "cannot be read: {why}.", "Check its permissions.", why=error.strerror) from error
    return decode(raw, name), name


def decode(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise _rejected(name, "", "is larger than {most} MB.", "Split it.", most=MAX_BYTES // 1_000_000)
    if raw.startswith(_UTF16) or b"\0" in raw:
        raise _rejected(name, "", "is not UTF-8 but looks like UTF-16.", _SAVE_AS_UTF8)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _rejected(name, f"line {line}", "is not UTF-8.", _SAVE_AS_UTF8) from error


def read_toml(source: bytes | Path, name: str = "") -> tuple[dict[str, Any], str]:
    text, name = read_source(source, name)
    try:
        return tomllib.loads(text), name
    except RecursionError as error:
        raise _rejected(name, "", "is nested too deeply.", "Remove the brackets.") from error
    except ValueError as error:
        found = re.search(r"\s*\(at ([^()]*)\)\Z", str(error))
        why = (str(error)[: found.start()] if found else str(error))[:200]
        where = found[1] if found else ""
        raise _rejected(name, where, "is not valid TOML: {why}.", "Mend it there.", why=why) from error


def _rejected(name: str, where: str, problem: str, remedy: str, **fields: object) -> Rejected:
    return Rejected([Finding(name, where, problem, remedy, fields)])
