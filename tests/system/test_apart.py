"""The daemon and the pages as two users: the pages work, and cannot read what the accounts sign in with."""

import configparser
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click import Group
from pydantic import SecretStr

from bot.app import build, establish, open_vault, secrets_of
from bot.cli import root
from bot.domain.errors import Misconfigured
from bot.settings import load_settings
from bot.store.private import SHARED, mode_in, require_own, require_private, write_whole
from bot.web import create_app

HOUSE = Path(__file__).parents[2]
DEPLOY = HOUSE / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
DAEMON, PAGES, GROUP = 61_001, 61_002, 61_003
CONFIG = """
[[channel]]
name = "mastodon"
platform = "mastodon"
api_base = "https://mastodon.example"

[channel.credentials]
access_token = { credential = "mastodon.access_token" }
"""


def as_user(user: int, does: Callable[[], str]) -> str:
    """In a process of that user and of the one group, which has no way back."""
    back, out = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(GROUP, GROUP, GROUP)
            os.setresuid(user, user, user)
            os.umask(0o007)
            said = does()
        except BaseException as error:  # noqa: BLE001 - told to the parent, whatever it is
            said = f"{type(error).__name__}: {error}"
        os.write(out, said.encode())
        os._exit(0)
    os.close(out)
    with os.fdopen(back) as heard:
        said = heard.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """As docs/deploy/README.md says, but that the key of the secrets lies in the folder itself."""
    for each in (tmp_path, *list(tmp_path.parents)[:3]):
        each.chmod(each.stat().st_mode | 0o011)
    data = tmp_path / "data"
    for folder in (data, data / "media"):
        folder.mkdir()
        os.chown(folder, DAEMON, GROUP)
        folder.chmod(0o2770)
    (tmp_path / "config.toml").write_text(f'[bot]\ndata_dir = "{data}"\n{CONFIG}')
    for name in ("messages", "schedules"):
        shutil.copytree(HOUSE / name, tmp_path / name)
    return tmp_path


def _set_up(config: Path) -> str:
    settings = load_settings(config)
    establish(settings)
    open_vault(settings).seal("mastodon", {"access_token": SecretStr("canary-of-the-account")})
    settings.database.get_secret_value()
    (settings.data_dir / "campaignbot.db").chmod(0o660)
    return secrets_of(settings, settings.channels[0])["access_token"].get_secret_value()


def _serve(config: Path) -> str:
    """What the pages answer, what they keep, and what they get of the secrets."""
    settings = load_settings(config)
    ctx = build(settings)
    client = create_app(ctx).test_client()
    seen = [client.get(path).status_code for path in ("/login", "/", "/vkeys")]
    ctx.keystore.add_person("người mới")
    try:
        secret = secrets_of(settings, settings.channels[0])["access_token"].get_secret_value()
    except Misconfigured as error:
        secret = f"refused: {error}"
    try:
        secret += open_vault(settings).key.read_text()  # type: ignore[union-attr]
    except PermissionError:
        secret += " denied"
    return f"{seen} {secret}"


def _look(config: Path) -> str:
    """The daemon, after the pages wrote: it reads their keys and rows, and its own secret."""
    settings = load_settings(config)
    ctx = build(settings)
    secret = secrets_of(settings, settings.channels[0])["access_token"].get_secret_value()
    return f"{sorted(ctx.keystore.people().values())} {secret}"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become two users")
def test_the_pages_as_another_user_work_and_cannot_read_the_secrets(place: Path) -> None:
    config = place / "config.toml"
    warm = place / "warm"
    warm.mkdir()
    shutil.copytree(place / "messages", warm / "messages")
    shutil.copytree(place / "schedules", warm / "schedules")
    (warm / "config.toml").write_text(CONFIG)
    _set_up(warm / "config.toml")  # what is imported late is imported now: the interpreter may lie in root's home
    _serve(warm / "config.toml")
    assert as_user(DAEMON, lambda: _set_up(config)) == "canary-of-the-account"
    (place / "data" / "keystore").chmod(0o2770)
    for each in (place / "data" / "keystore").iterdir():
        each.chmod(0o660)
    said = as_user(PAGES, lambda: _serve(config))
    assert said.startswith("[200, 303, 200] refused: ")
    assert said.endswith(" denied")
    assert "canary" not in said
    assert as_user(DAEMON, lambda: _look(config)) == "['người mới'] canary-of-the-account"


def test_a_folder_is_shared_only_where_its_group_is_handed_on_and_let_in(tmp_path: Path) -> None:
    for mode, is_shared in ((0o700, False), (0o770, False), (0o2700, False), (0o2770, True)):
        folder = tmp_path / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        write_whole(folder / "file", b"x")
        assert (mode_in(folder) == SHARED) is is_shared
        assert (folder / "file").stat().st_mode & 0o777 == (0o660 if is_shared else 0o600)


def test_even_a_shared_folder_is_closed_to_everybody_else_and_its_own_key_to_the_group(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    file = tmp_path / "file"
    write_whole(file, b"x")
    require_private(file)
    with pytest.raises(Misconfigured):
        require_own(file)
    file.chmod(0o664)
    with pytest.raises(Misconfigured):
        require_private(file)


def unit(file: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read_string(file.read_text())
    return found


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_systemd_finds_no_fault_in_a_unit(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / file.name
    copy.write_text(file.read_text().replace("/opt/campaignbot/bin/campaignbot", "/bin/true"))
    answer = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert file.name not in answer.stderr.replace(str(copy.parent), "") or answer.returncode == 0, answer.stderr
    assert "Unknown" not in answer.stderr


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_runs_a_command_that_there_is_without_rights(file: Path) -> None:
    service = unit(file)["Service"]
    command = service["ExecStart"].split()[-1]
    assert isinstance(root, Group)
    assert command in root.commands or command in root.list_commands(None)  # type: ignore[arg-type]
    assert command == file.stem.removeprefix("campaignbot-")
    assert service["NoNewPrivileges"] == service["ProtectHome"] == service["PrivateDevices"] == "yes"
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"], service["UMask"]) == ("strict", "", "0007")


def test_only_the_daemon_is_handed_the_key_and_the_two_are_different_users() -> None:
    daemon, web = (unit(DEPLOY / f"campaignbot-{half}.service")["Service"] for half in ("daemon", "web"))
    assert daemon["LoadCredentialEncrypted"].startswith("secrets-key:")
    assert [key for key in web if "Credential" in key] == []
    assert (daemon["User"], web["User"]) == ("campaignbot", "campaignbot-web")
    assert daemon["Group"] == web["Group"]
    assert "/run/credentials/campaignbot-daemon.service" in web["InaccessiblePaths"]


def test_of_the_containers_only_the_daemons_is_given_the_key() -> None:
    """By the text of each service: no reader of YAML is among what the tests need."""
    text = (DEPLOY / "compose.yaml").read_text()
    shared, _, rest = text.partition("\nservices:\n")
    parts = re.split(r"^  (\w+):\n", re.split(r"^networks:", rest, flags=re.MULTILINE)[0], flags=re.MULTILINE)
    services = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert set(services) == {"daemon", "web", "database"}
    assert "secrets_key" not in shared + services["web"] + services["database"]
    assert "- secrets_key\n" in services["daemon"]
    assert 'command: ["daemon"]' in services["daemon"]
    assert 'command: ["web"]' in services["web"]
    assert '- "127.0.0.1:8000:8000"\n' in services["web"]
    assert "- outside" not in services["web"]
    for half in ("daemon", "web"):
        assert "<<: *bot" in services[half]
    for hardened in (shared, services["database"]):
        assert "read_only: true" in hardened
        assert re.search(r"cap_drop:\s+- ALL", hardened)
        assert "no-new-privileges:true" in hardened


def test_run_is_said_to_be_for_trying_out() -> None:
    text = " ".join((DEPLOY / "README.md").read_text().split())
    assert re.search(r"`campaignbot run` is both in one process: it is for trying the program out", text)
    lines = re.findall(r'```\n\s+(data_dir = "/var.*?)```', (DEPLOY / "README.md").read_text(), re.DOTALL)
    assert tomllib.loads(lines[0])["secrets_key"] == {"credential": "secrets-key"}
