"""Puts what people edit (messages, schedules, the example configuration) inside the wheel."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("messages", "schedules", "config.example.toml")


class ShippedFiles(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's own configuration class
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # A checkout is read where it lies: a copy beside it would only grow old.
        if version != "editable":
            build_data["force_include"] |= {name: f"bot/_shipped/{name}" for name in SHIPPED}
