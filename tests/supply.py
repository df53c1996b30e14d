"""What we ship of others: a table for people, a bill of materials for tools, and a look at known faults.

`python -m tests.supply` writes docs/dependencies.md and build/sbom.cdx.json, and asks the databases of known faults.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINNED = ROOT / "requirements" / "run.txt"
TABLE = ROOT / "docs" / "dependencies.md"
BILL = ROOT / "build" / "sbom.cdx.json"

# What the AGPL may be shipped with, as the packages spell it.
FREE = re.compile(
    r"MIT|BSD|Apache|Mozilla Public License 2|MPL-2|Python Software Foundation|PSF|Zope|ZPL|CNRI|ISC|zlib",
    re.IGNORECASE,
)
# Packages whose metadata name no licence; what their licence files say.
UNSAID = {"pysqlite3": "zlib"}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_REASON = re.compile(r'^  "([A-Za-z0-9._-]+)[^"]*",\s+# (.+)$', re.MULTILINE)

_HEAD = """# What is in the box that others wrote

Each package is pinned by version and by the digests of its files in `requirements/run.txt`. This table is written by
`make supply`, which also writes a CycloneDX bill of materials to `build/sbom.cdx.json` and asks the databases of known
faults about every version; a test keeps the table true. Beside these: htmx (`bot/web/static/`, 0BSD) and three weights
of Be Vietnam Pro (`bot/library/fonts/`, SIL Open Font License), each with its licence beside it.

| Package | Version | Licence | Why |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    reason: str


def packages() -> Iterator[Package]:
    """Those of requirements/run.txt that this platform installs, by name; the version is the pinned one."""
    reasons = {name.lower(): why for name, why in _REASON.findall((ROOT / "pyproject.toml").read_text("utf-8"))}
    for name, version in _PIN.findall(PINNED.read_text("utf-8")):
        try:
            said = metadata(name)
        except PackageNotFoundError:
            continue
        classes = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier", []) if each.startswith("License")]
        written = [value for key in ("License-Expression", "License") for value in said.get_all(key, [])]
        licence = next(iter(written[:1] if "License-Expression" in said else []), "") or "; ".join(classes)
        licence = licence or next(iter(written), "") or UNSAID.get(name, "")
        yield Package(name, version, licence.splitlines()[0] if licence else "", reasons.get(name.lower(), ""))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def table() -> str:
    rows = (f"| {each.name} | {each.version} | {each.licence} | {each.reason} |" for each in packages())
    return _HEAD + "\n".join(rows) + "\n"


def main() -> int:
    TABLE.write_text(table(), encoding="utf-8")
    BILL.parent.mkdir(exist_ok=True)
    bill = ["cyclonedx_py", "requirements", str(PINNED), "--of", "JSON", "--output-reproducible", "-o", str(BILL)]
    made = subprocess.run([sys.executable, "-m", *bill], check=False)
    say(f"{TABLE.relative_to(ROOT)} and {BILL.relative_to(ROOT)} are written.")
    asked = ["pip_audit", "-r", str(PINNED), "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run([sys.executable, "-m", *asked], check=False, capture_output=True, text=True)
    say(done.stdout or done.stderr)
    if "could not be audited" in done.stdout + done.stderr:
        say("The database of known faults was not reached for some of these: they were NOT checked.")
    return made.returncode or done.returncode


if __name__ == "__main__":
    sys.exit(main())
