"""Writes an account into config.toml, and leaves every other letter of the file as people wrote it."""

from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from bot.domain.errors import Misconfigured


def with_channel(raw: bytes, keys: Mapping[str, Any], written_out: Mapping[str, str], sealed: Iterable[str]) -> bytes:
    """The file with one more [[channel]] at its end; of each field in `sealed` it names where its secret lies."""
    table, credentials = tomlkit.table(), tomlkit.table()
    for key, value in keys.items():
        table.add(key, value)
    for field, value in written_out.items():
        credentials.add(field, value)
    for field in sealed:
        credentials.add(field, _place(keys["name"], field))
    if credentials:
        table.add("credentials", credentials)
    channels = tomlkit.aot()
    channels.append(table)
    added = tomlkit.document()
    added.add("channel", channels)
    line = b"\r\n" if b"\r\n" in raw else b"\n"
    return b"".join(
        [raw.rstrip(), line * 2 if raw.strip() else b"", tomlkit.dumps(added).encode().replace(b"\n", line)]
    )


def with_sealed(raw: bytes, name: str, fields: Iterable[str]) -> bytes:
    """The file with these secrets of the account named as sealed. Raises Misconfigured."""
    try:
        file = tomlkit.parse(raw.decode("utf-8-sig"))
        (channel,) = (each for each in file["channel"] if each["name"] == name)
        credentials = channel.setdefault("credentials", tomlkit.table())
        for field in fields:
            credentials[field] = _place(name, field)
    except (TOMLKitError, ValueError, LookupError, TypeError) as error:
        broken = "The account “{name}” cannot be changed in config.toml. Write there yourself: {line}"
        lines = "; ".join(f"{field} = {_place(name, field).as_string()}" for field in fields)
        raise Misconfigured(broken, name=name, line=lines) from error
    return tomlkit.dumps(file).encode()


def _place(name: str, field: str) -> InlineTable:
    place = tomlkit.inline_table()
    place["credential"] = f"{name}.{field}"
    return place
