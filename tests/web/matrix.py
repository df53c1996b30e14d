"""Every route beside every role and factor, for the documentation: `python -m tests.web.matrix` writes it anew."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from flask import Flask

from bot.domain.people import DUTIES, GUARDED, Duty, Role
from bot.web import create_app
from bot.web.frame import Door, View
from bot.web.gate import OPEN
from tests.house import build_house, open_house

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"
HEADING = "## The table\n\n"


def declared(app: Flask) -> dict[str, View]:
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN:
            continue
        view = app.view_functions[rule.endpoint]
        assert isinstance(view, View), f"{rule}: declare who may use it, with Pages.show or Pages.act"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found[f"{method} {rule}"] = view
    return found


def rows(views: Mapping[str, View]) -> Iterator[list[str]]:
    columns = [
        "Route",
        "For",
        "Not signed in",
        *(role.value.capitalize() for role in Role),
        "Second factor",
        "Asks again",
    ]
    yield from (columns, ["---"] * len(columns))
    for route, view in views.items():
        duty = view.may
        if isinstance(duty, Duty):
            those = ["yes" if role in DUTIES[duty] else "–" for role in Role]
            yield [f"`{route}`", duty.value, "–", *those, "yes" if duty in GUARDED else "", "yes" if view.fresh else ""]
        else:
            whom = "anyone" if duty is Door.ANYONE else "whoever is signed in"
            anyone = "yes" if duty is Door.ANYONE else "–"
            yield [f"`{route}`", whom, anyone, *("yes" for _ in Role), "", "yes" if view.fresh else ""]


def table(views: Mapping[str, View]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows(dict(sorted(views.items(), key=_by_address))))


def _by_address(item: tuple[str, View]) -> tuple[str, str]:
    method, _, rule = item[0].partition(" ")
    return rule, method


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        build_house(Path(folder))
        ctx = open_house(Path(folder))
        written = DOCUMENT.read_text().partition(HEADING)[0] + HEADING + table(declared(create_app(ctx)))
        ctx.store.close()
    DOCUMENT.write_text(written)


if __name__ == "__main__":
    main()
