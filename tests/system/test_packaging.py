"""What leaves the house as a package or an image is complete, pinned, and needs no rights."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())
DOCKERFILE = (HOUSE / "Dockerfile").read_text()
REQUIREMENT_FILES = sorted((HOUSE / "requirements").glob("*.txt"))
SHIPPED = ("messages", "schedules", "config.example.toml")
# Nobody, who may write nothing but read all: the interpreter can lie in a home that only root may enter.
AS_NOBODY = (
    "setpriv",
    *("--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"),
    *(f"--{kind}=-all,+dac_read_search" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
)


def run(*command: str | Path, cwd: Path = HOUSE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def tracked(*paths: str) -> set[str]:
    """The files that git holds under the paths, less those deleted just now."""
    return {line for line in run("git", "ls-files", *paths).stdout.splitlines() if (HOUSE / line).exists()}


def pinned(file: Path) -> dict[str, str]:
    """Each entry of a requirement file by its name: all its text, up to where the next one begins."""
    entries = re.split(r"^(?=[a-z0-9])", file.read_text(), flags=re.MULTILINE | re.IGNORECASE)
    return {canonicalize_name(re.split(r"[=\[; ]", entry)[0]): entry for entry in entries if entry.strip()}


def test_everything_the_dockerfile_copies_is_there() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    sources = [source for line in copies for source in line.split()[:-1]]
    assert sources
    assert [source for source in sources if not (HOUSE / source).exists()] == []


def test_everything_the_dockerfile_copies_passes_the_dockerignore() -> None:
    let_in = re.findall(r"^!(\S+)$", (HOUSE / ".dockerignore").read_text(), re.MULTILINE)
    copies = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    sources = {Path(source).parts[0] for line in copies for source in line.split()[:-1]}
    assert sources == set(let_in)


def test_hadolint_finds_nothing() -> None:
    answer = run(Path(sys.executable).with_name("hadolint"), "Dockerfile")
    assert (answer.stdout, answer.returncode) == ("", 0)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    answer = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    assert answer.returncode == 0, answer.stderr
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_carries_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = tracked("bot")
    assert files
    assert files - set(wheel.namelist()) == set()


def test_the_wheel_carries_what_people_edit(wheel: zipfile.ZipFile) -> None:
    originals = tracked(*SHIPPED)
    assert {Path(file).parts[0] for file in originals} == set(SHIPPED)
    assert {f"bot/_shipped/{file}" for file in originals} - set(wheel.namelist()) == set()
    for file in originals:
        assert wheel.read(f"bot/_shipped/{file}") == (HOUSE / file).read_bytes()


def test_the_wheel_brings_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "campaignbot = bot.cli:main" in wheel.read(entry_points).decode()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


@pytest.mark.parametrize("file", REQUIREMENT_FILES, ids=lambda file: file.name)
def test_every_requirement_is_pinned_by_hash_and_names_no_index(file: Path) -> None:
    entries = pinned(file)
    assert entries
    loose = [name for name, entry in entries.items() if "==" not in entry or "--hash=sha256:" not in entry]
    assert loose == []
    assert re.findall(r"https?:|--\S*index|--find-links|@ ", file.read_text()) == []


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("run.txt", PYPROJECT["project"]["dependencies"]),
        (
            "postgres.txt",
            PYPROJECT["project"]["dependencies"] + PYPROJECT["project"]["optional-dependencies"]["postgres"],
        ),
        ("build.txt", PYPROJECT["dependency-groups"]["build"]),
        ("lock.txt", PYPROJECT["dependency-groups"]["lock"]),
        ("dev.txt", [need for need in PYPROJECT["dependency-groups"]["dev"] if isinstance(need, str)]),
    ],
)
def test_every_need_of_the_project_is_pinned(file: str, wanted: list[str]) -> None:
    assert names(wanted) - set(pinned(HOUSE / "requirements" / file)) == set()


@pytest.mark.parametrize("smaller", ["run.txt", "postgres.txt", "build.txt"])
def test_what_is_tested_is_what_runs(smaller: str) -> None:
    tested = pinned(HOUSE / "requirements" / "dev.txt")
    for name, entry in pinned(HOUSE / "requirements" / smaller).items():
        assert entry.split("\n    # via")[0] == tested[name].split("\n    # via")[0]


def test_the_domain_may_import_no_dependency_but_regex() -> None:
    project = PYPROJECT["project"]
    needed = names(project["dependencies"] + project["optional-dependencies"]["postgres"]) - {"regex"}
    (pure,) = (rule for rule in PYPROJECT["tool"]["importlinter"]["contracts"] if rule["id"] == "pure")
    importable = {
        module
        for module, distributions in packages_distributions().items()
        if needed & {canonicalize_name(name) for name in distributions} and re.match("[A-Za-z]", module)
    }
    assert importable - set(pure["forbidden_modules"]) == set()


@pytest.fixture
def read_only_house(tmp_path: Path) -> Path:
    house = tmp_path / "house"
    for name in ("bot", *SHIPPED):
        source = HOUSE / name
        if source.is_dir():
            shutil.copytree(source, house / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, house / name)
    for path in (house, *house.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    return house


def without_rights(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    lowered = AS_NOBODY if os.getuid() == 0 else ()
    return run(*lowered, sys.executable, *arguments, cwd=house)


def test_the_house_is_truly_read_only_to_who_runs_it(read_only_house: Path) -> None:
    probe = "import os; print(os.getuid()); open('bot/new', 'w')"
    answer = without_rights(read_only_house, "-c", probe)
    assert answer.stdout.strip() not in {"", "0"}
    assert "PermissionError" in answer.stderr


@pytest.mark.parametrize(("argument", "expected"), [("--version", r"\d+\.\d+\.\d+"), ("--help", r"Usage: ")])
def test_the_command_runs_without_rights_on_a_read_only_tree(
    read_only_house: Path, argument: str, expected: str
) -> None:
    answer = without_rights(read_only_house, "-m", "bot", argument)
    assert (answer.stderr, answer.returncode) == ("", 0)
    assert re.search(expected, answer.stdout)
