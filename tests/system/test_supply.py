"""What we ship of others is pinned, free, and listed."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.supply import FREE, PINNED, TABLE, packages, table


def test_every_package_is_pinned_by_the_digests_of_its_files() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", PINNED.read_text("utf-8").strip())
    assert len(entries) > 40
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_every_licence_may_be_shipped_with_the_agpl() -> None:
    assert [(each.name, each.licence) for each in packages() if not FREE.search(each.licence)] == []


def test_the_table_of_dependencies_is_true() -> None:
    assert TABLE.read_text("utf-8") == table(), "Write it anew: make supply"


def test_the_bill_of_materials_names_every_package_with_its_digests(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.json"
    command = ["cyclonedx_py", "requirements", str(PINNED), "--of", "JSON", "-o", str(bill)]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    listed = json.loads(bill.read_text("utf-8"))["components"]
    found = {(each["name"].lower(), each["version"]) for each in listed}
    assert {(each.name.lower(), each.version) for each in packages()} <= found
    assert all(each["externalReferences"][0]["hashes"] for each in listed)
