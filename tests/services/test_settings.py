"""config.toml: what it may say, and how every mistake in it is reported in one run."""

import textwrap
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.errors import Misconfigured, Rejected
from bot.settings import Settings, load_settings
from bot.settings.findings import aging

ROOT = Path(__file__).parents[2]
A_CHANNEL = '[[channel]]\nname = "x"\nplatform = "rehearsal"\nlike = "x"\n'
ON_X = '[[channel]]\nname = "x"\nplatform = "x"\n[channel.credentials]\n' + "".join(
    f'{name} = {{ env = "{name.upper()}" }}\n' for name in ("api_key", "api_secret", "access_token", "access_secret")
)


def load(folder: Path, text: str | bytes) -> Settings:
    file = folder / "config.toml"
    file.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return load_settings(file)


def findings(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(Rejected) as caught:
        load(folder, text)
    return str(caught.value).splitlines()


def test_an_empty_file_is_a_whole_configuration(tmp_path: Path) -> None:
    settings = load(tmp_path, "")
    assert settings.bot.timezone == "Asia/Ho_Chi_Minh"
    assert settings.data_dir == tmp_path / "var"
    assert settings.database.get_secret_value() == f"sqlite:///{tmp_path}/var/campaignbot.db"
    assert settings.channels == ()


def test_the_example_has_one_rehearsal_account_like_each_service() -> None:
    settings = load_settings(ROOT / "config.example.toml")
    assert [channel.like for channel in settings.channels] == ["x", "facebook", "bluesky", "mastodon", "telegram"]
    assert {channel.platform for channel in settings.channels} == {"rehearsal"}
    assert {channel.post_time for channel in settings.channels} == {time(9)}


@pytest.mark.parametrize("written", ["Asia/Hanoi", "Asia/Ha_Noi", "Hà Nội", "Hanoi", "Vietnam", "ICT"])
def test_whoever_means_viet_nam_is_shown_its_time_zone(tmp_path: Path, written: str) -> None:
    (line,) = findings(tmp_path, f"[bot]\ntimezone = '{written}'\n")
    assert line == "config.toml: [bot] timezone: is no time zone. Did you mean “Asia/Ho_Chi_Minh”?"


ON_FACEBOOK = """
    [[channel]]
    name = "page"
    platform = "facebook"
    {more}
    [channel.credentials]
    page_id = "546"
    page_token = {{ env = "A" }}
    app_secret = {{ env = "B" }}
"""


@pytest.mark.parametrize("version", ["v20.0", "v3.1", "25.0", "v25", "v25.1"])
def test_a_version_of_the_graph_api_that_answers_no_more_is_refused(tmp_path: Path, version: str) -> None:
    (line,) = findings(tmp_path, ON_FACEBOOK.format(more=f'graph_version = "{version}"'))
    assert line.startswith("config.toml: [[channel]] “page”: graph_version: is no version of the Graph API")


def test_a_version_of_the_graph_api_is_said_to_end_ninety_days_before(tmp_path: Path) -> None:
    for more, name, ends in (("", "v25.0", date(2028, 7, 29)), ('graph_version = "v21.0"', "v21.0", date(2027, 1, 21))):
        channels = load(tmp_path, ON_FACEBOOK.format(more=more)).channels
        assert list(aging(channels, ends - timedelta(days=90))) == []
        (found,) = aging(channels, ends - timedelta(days=89))
        assert f"{name} of the Graph API ends on {ends}" in str(found)
    newest = load(tmp_path, ON_FACEBOOK.format(more='graph_version = "v27.0"')).channels
    assert list(aging(newest, date(2126, 1, 1))) == [], "nobody knows its end yet"
    assert list(aging(load(tmp_path, A_CHANNEL).channels, date(2126, 1, 1))) == []


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="init"):
        load_settings(tmp_path / "config.toml")


def test_broken_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    (line,) = findings(tmp_path, '[bot]\nname = "A"\n[web\n')
    assert line.startswith("config.toml: line 3")


def test_a_file_in_another_encoding_is_reported_with_its_line(tmp_path: Path) -> None:
    (line,) = findings(tmp_path, "[bot]\nname = 'Chiến dịch'\n".encode("utf-16-le"))
    assert "UTF-8" in line


def test_a_byte_order_mark_and_decomposed_letters_are_taken_as_usual(tmp_path: Path) -> None:
    decomposed = "[bot]\nname = 'Chie\u0302\u0301n di\u0323ch'\n"
    assert load(tmp_path, b"\xef\xbb\xbf" + decomposed.encode()).bot.name == "Chiến dịch"


def test_every_problem_of_the_file_is_found_in_one_run(tmp_path: Path) -> None:
    lines = findings(
        tmp_path,
        """
        [bot]
        nmae = "A"
        timezone = "Asia/Ho_Chi_Min"
        [publishing]
        request_timeout_s = 30
        lease_s = 60
        [[channel]]
        name = "x"
        platform = "rehearsal"
        like = "x"
        layout = "joined"
        [[channel]]
        name = "m"
        platform = "mastodn"
        """,
    )
    assert lines == [
        "config.toml: [bot] timezone: is no time zone. Did you mean “Asia/Ho_Chi_Minh”?",
        "config.toml: [bot] nmae: unknown key. Did you mean “name”?",
        (
            "config.toml: [[channel]] “m”: platform: is not one of x, facebook, bluesky, mastodon, telegram, rehearsal."
            " Did you mean “mastodon”?"
        ),
        "config.toml: [publishing] lease_s: must be 90 or more where request_timeout_s is 30.",
        "config.toml: [[channel]] “x”: layout: two languages do not fit one post on X. Write “thread” or “separate”.",
    ]


ON_MASTODON = """
[[channel]]
name = "m"
platform = "mastodon"
api_base = "https://example.org"
[channel.credentials]
access_token = { env = "T" }
"""


def test_a_key_of_one_service_is_unknown_to_the_others(tmp_path: Path) -> None:
    quiet = ON_MASTODON.replace("[channel.c", 'visibility = "unlisted"\n[channel.c')
    assert load(tmp_path, quiet).channels[0].visibility == "unlisted"
    on_x = ON_X.replace("[channel.c", 'visibility = "public"\n[channel.c')
    assert "visibility: unknown key" in findings(tmp_path, on_x)[0]
    on_mastodon = ON_MASTODON.replace("[channel.c", "silent = false\n[channel.c")
    assert "silent: unknown key" in findings(tmp_path, on_mastodon)[0]


def test_mastodon_needs_the_address_of_its_server(tmp_path: Path) -> None:
    lines = findings(tmp_path, ON_MASTODON.replace('api_base = "https://example.org"\n', ""))
    assert lines == ["config.toml: [[channel]] “m”: api_base: is missing."]


@pytest.mark.parametrize(("wrong", "meant"), [("[planing]", "planning"), ("[chanel]", "channel"), ("[wbe]", "web")])
def test_an_unknown_section_is_answered_with_the_one_that_was_meant(tmp_path: Path, wrong: str, meant: str) -> None:
    (line,) = findings(tmp_path, wrong)
    assert f"Did you mean “{meant}”?" in line


@pytest.mark.parametrize("value", ["0", "61", "-1", "nan", '"soon"'])
def test_a_request_may_take_from_one_second_to_sixty(tmp_path: Path, value: str) -> None:
    assert "request_timeout_s" in findings(tmp_path, f"[publishing]\nrequest_timeout_s = {value}")[0]


def test_the_time_to_settle_is_a_minute_longer_than_a_request_where_the_account_is_remote(tmp_path: Path) -> None:
    short = "[publishing]\nrequest_timeout_s = 10\nlease_s = 30\nsettle_s = 12\n"
    assert "must be 70 or more" in findings(tmp_path, short + ON_X)[0]
    assert load(tmp_path, short + ON_X.replace('"x"\n[', '"x"\napi_base = "http://127.0.0.1:9"\n[')).channels
    assert load(tmp_path, short + A_CHANNEL).publishing.settle_s == 12
    assert "must be 12 or more" in findings(tmp_path, short.replace("12", "11") + A_CHANNEL)[0]


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("https://example.org", True),
        ("https://example.org:8443/api", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("https://user:secret@example.org", False),
        ("https://example.org/?q=1", False),
        ("ftp://example.org", False),
        ("example.org", False),
    ],
)
def test_plain_http_is_for_this_machine_alone(tmp_path: Path, address: str, *, is_good: bool) -> None:
    text = ON_X.replace('platform = "x"\n', f'platform = "x"\napi_base = "{address}"\n')
    if is_good:
        assert load(tmp_path, text).channels[0].api_base == address
    else:
        assert "api_base" in findings(tmp_path, text)[0]


def test_a_proxy_that_would_look_names_up_here_is_refused(tmp_path: Path) -> None:
    text = ON_X.replace('platform = "x"\n', 'platform = "x"\nproxy = "socks5://127.0.0.1:9050"\n')
    assert "socks5h" in findings(tmp_path, text)[0]


def test_credentials_are_named_as_the_service_names_them(tmp_path: Path) -> None:
    text = ON_X.replace("api_key", "api_kye")
    assert findings(tmp_path, text) == [
        "config.toml: [[channel]] “x”: credentials.api_kye: unknown key. Did you mean “api_key”?",
        (
            "config.toml: [[channel]] “x”: credentials.api_key: is missing."
            ' Write { env = "NAME" }, or file, or credential.'
        ),
    ]


def test_a_secret_written_out_is_refused_and_never_repeated(tmp_path: Path) -> None:
    text = ON_X.replace('api_key = { env = "API_KEY" }', 'api_key = "s3cret-value"')
    lines = findings(tmp_path, text)
    assert "a secret does not belong in this file" in lines[0]
    assert "s3cret" not in "\n".join(lines)


def test_what_is_no_secret_may_be_written_out(tmp_path: Path) -> None:
    text = (
        '[[channel]]\nname = "t"\nplatform = "telegram"\n[channel.credentials]\n'
        'bot_token = { file = "t" }\nchat_id = "@a"\n'
    )
    assert load(tmp_path, text).channels[0].credentials["chat_id"].text == SecretStr("@a")


def test_a_secret_is_read_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        '[[channel]]\nname = "b"\nplatform = "bluesky"\n[channel.credentials]\n'
        'identifier = { env = "WHO" }\napp_password = { credential = "bluesky" }\n'
    )
    settings = load(tmp_path, text)
    monkeypatch.setenv("WHO", "someone")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    with pytest.raises(Misconfigured, match="There is no secret “bluesky”"):
        settings.secrets(settings.channels[0])
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "bluesky").write_text("p4ss\n")
    read = settings.secrets(settings.channels[0])
    assert {name: secret.get_secret_value() for name, secret in read.items()} == {
        "identifier": "someone",
        "app_password": "p4ss",
    }
    assert "p4ss" not in repr(read)


def test_a_credential_of_systemd_comes_before_what_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = '[channel.credentials]\nidentifier = "a"\napp_password = { credential = "b.app_password" }\n'
    settings = load(tmp_path, f'[[channel]]\nname = "b"\nplatform = "bluesky"\n{credentials}')
    asked = []

    def unseal(channel: str, field: str) -> SecretStr:
        asked.append((channel, field))
        return SecretStr("sealed")

    assert settings.secrets(settings.channels[0], unseal)["app_password"] == SecretStr("sealed")
    assert asked == [("b", "app_password")]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "b.app_password").write_text("handed\n")
    assert settings.secrets(settings.channels[0], unseal)["app_password"] == SecretStr("handed")


def test_the_key_of_the_secrets_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(tmp_path, "").key == tmp_path / "var" / "secrets.key"
    assert load(tmp_path, '[bot]\nsecrets_key = { file = "/etc/key" }').key == Path("/etc/key")
    by_systemd = '[bot]\nsecrets_key = { credential = "key" }'
    assert load(tmp_path, by_systemd).key is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/given")
    assert load(tmp_path, by_systemd).key == Path("/run/given/key")
    for place in ('{ env = "KEY" }', '{ text = "canary" }'):
        (said,) = findings(tmp_path, f"[bot]\nsecrets_key = {place}")
        assert "must name a file or a credential" in said
        assert "canary" not in said


@pytest.mark.parametrize("place", ['{ env = "A", file = "b" }', "{}", "3", '{ env = "A B" }', '{ envv = "A" }'])
def test_a_credential_names_exactly_one_place(tmp_path: Path, place: str) -> None:
    assert "credentials.api_key" in findings(tmp_path, ON_X.replace('{ env = "API_KEY" }', place))[0]


def test_a_rehearsal_uses_no_network_and_only_it_is_like_another(tmp_path: Path) -> None:
    assert "rehearsal" in findings(tmp_path, A_CHANNEL + 'proxy = "http://127.0.0.1:1"\n')[0]
    assert "like" in findings(tmp_path, ON_X.replace('platform = "x"\n', 'platform = "x"\nlike = "x"\n'))[0]


def test_names_stand_once_and_campaigns_name_accounts_that_exist(tmp_path: Path) -> None:
    text = A_CHANNEL * 2 + '[[campaign]]\nslug = "c"\nchannels = ["xx", "x"]\n'
    assert findings(tmp_path, text) == [
        "config.toml: [[channel]] “x”: stands here twice. Give each its own name.",
        "config.toml: [[campaign]] “c”: channels: there is no account “xx”. Did you mean “x”?",
    ]


@pytest.mark.parametrize("name", ["X", "a b", "-a", "đài", "a" * 61, "../x", ""])
def test_a_name_is_small_letters_digits_and_hyphens(tmp_path: Path, name: str) -> None:
    assert "only a–z" in findings(tmp_path, A_CHANNEL.replace('name = "x"', f'name = "{name}"'))[0]


@pytest.mark.parametrize("value", ['"9:00"', '"24:00"', '"09:60"', "9", '"09:00+07:00"', "2026-01-01"])
def test_a_time_of_day_has_two_digits_each(tmp_path: Path, value: str) -> None:
    assert "time of day" in findings(tmp_path, A_CHANNEL + f"post_time = {value}\n")[0]


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNBOT_WEB__PORT", "9001")
    monkeypatch.setenv("CAMPAIGNBOT_BOT__DATABASE", "postgresql+psycopg://bot@db/campaign")
    settings = load(tmp_path, "[web]\nport = 8001\nhost = '::1'\n")
    assert (settings.web.host, settings.web.port) == ("::1", 9001)
    assert settings.database.get_secret_value().startswith("postgresql+psycopg://")
    monkeypatch.setenv("CAMPAIGNBOT_WEB__PORT", "many")
    assert "[web] port" in findings(tmp_path, "")[0]


def test_the_address_of_the_database_is_never_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, '[bot]\ndatabase = "postgresql+psycopg://bot:s3cret@db/campaign"\n')
    assert "s3cret" not in repr(settings)
    lines = findings(tmp_path, '[bot]\ndatabase = "mysql://bot:s3cret@db/campaign"\n')
    assert "sqlite:///" in lines[0]
    assert "s3cret" not in lines[0]


@pytest.mark.parametrize("text", ["a" * 1_000_001, "[" * 5_000, "a = " + "[" * 5_000])
def test_a_hostile_file_gets_a_plain_answer(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text)
