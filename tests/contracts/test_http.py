"""The HTTP door: whatever the far side or the way to it does, it is told what may have been applied, and no secret."""

import gzip
import logging
import re
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict

from bot.platforms.answers import LONGEST_WAIT, Answer, by_status, clock_note, retry_at
from bot.platforms.http import Door, Failed
from bot.ports import Absent, Failure, Unsure
from tests.contracts.simulators.certificates import Authority
from tests.house import START, FakeClock

QUICK_S, PATIENT_S = 0.5, 20.0
SOON_S = 10.0  # far more than a busy machine needs, far less than any script here would go on
CANARY = "canary:7Zq/secret+token"
PATH = f"/bot{CANARY}/send"
OUTSIDE = "it led to a host that config.toml does not name"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Script = Callable[[socket.socket], None]


def hear(line: socket.socket) -> bytes:
    """One whole request: a line that is closed while more of it arrives would be reset."""
    heard = b""
    while not _is_whole(heard) and (more := line.recv(65_536)):
        heard += more
    return heard


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return bool(end) and len(body) >= int(length[1] if length else 0)


class Listener:
    """A bare socket that plays one script with each caller; `heard` is what each caller said first."""

    def __init__(self, script: Script) -> None:
        self.heard: list[bytes] = []
        self._script = script
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                line = self._server.accept()[0]
                line.settimeout(10)
                threading.Thread(target=self._play, args=(line,), daemon=True).start()

    def _play(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            self._script(line)

    def close(self) -> None:
        # Closing alone would not wake the thread that waits in accept.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@contextmanager
def listening(script: Script) -> Iterator[int]:
    listener = Listener(script)
    try:
        yield listener.port
    finally:
        listener.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def door(
    base: str,
    *,
    timeout_s: float = PATIENT_S,
    clock: FakeClock | None = None,
    ca_file: Path | None = None,
    proxy: str | None = None,
) -> Door:
    secrets = (SecretStr(CANARY),)
    return Door(base, clock=clock or FakeClock(), timeout_s=timeout_s, secrets=secrets, ca_file=ca_file, proxy=proxy)


def saying(answer: bytes) -> Script:
    def script(line: socket.socket) -> None:
        hear(line)
        line.sendall(answer)

    return script


def _hang_up(line: socket.socket) -> None:
    line.close()


def _hear_and_hang_up(line: socket.socket) -> None:
    hear(line)


def _reset(line: socket.socket) -> None:
    hear(line)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def _say_nothing(line: socket.socket) -> None:
    hear(line)
    line.recv(1)


def _drip(whole: bytes) -> Script:
    def script(line: socket.socket) -> None:
        hear(line)
        for byte in whole:
            line.sendall(bytes([byte]))
            time.sleep(0.05)

    return script


def _continue_for_ever(line: socket.socket) -> None:
    hear(line)
    while True:
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


BOMB = gzip.compress(b"\0" * 50_000_000)
AFTER_THE_FIRST_BYTE: dict[str, Script] = {
    "hangs up at once": _hang_up,
    "hears and hangs up": _hear_and_hang_up,
    "resets": _reset,
    "never answers": _say_nothing,
    "cuts the status line": saying(b"HTTP/1.1 20"),
    "cuts the body": saying(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id":"1"}'),
    "cuts a chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"),
    "drips its headers": _drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400),
    "drips its body": _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"{" * 400),
    "says continue for ever": _continue_for_ever,
    "speaks another language": saying(b"220 mail.example ESMTP\r\n"),
    "redirects": saying(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
    "redirects nowhere": saying(b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n\r\n"),
    "sends a gzip bomb": saying(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(BOMB), BOMB)
    ),
    "sends broken gzip": saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"),
    "sends too much": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"9" * 5_000_000),
    "sends a huge header": saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
    "sends a thousand headers": saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000 + b"\r\n"),
}


@pytest.mark.parametrize("script", AFTER_THE_FIRST_BYTE.values(), ids=AFTER_THE_FIRST_BYTE.keys())
def test_whatever_goes_wrong_after_the_first_byte_leaves_doubt_and_soon(script: Script) -> None:
    began = time.monotonic()
    with listening(script) as port:
        outcome = door(f"http://127.0.0.1:{port}", timeout_s=QUICK_S).call("POST", PATH, json={"text": "Một."})
    assert isinstance(outcome, Unsure), outcome
    assert CANARY not in outcome.detail
    assert time.monotonic() - began < SOON_S


def _noting(heard: list[bytes], answer: bytes) -> Script:
    def script(line: socket.socket) -> None:
        heard.append(hear(line))
        line.sendall(answer)

    return script


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_leads_nowhere(status: int, method: str) -> None:
    """Not to another host, and not to another path of the same one, though requests itself would follow."""
    here: list[bytes] = []
    there: list[bytes] = []
    with listening(_noting(there, OK)) as other:
        for target in (f"http://127.0.0.1:{other}/", "http://169.254.169.254/latest/", "//localhost/", "/again"):
            head = f"HTTP/1.1 {status} See\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
            with listening(_noting(here, head.encode())) as port:
                opened = door(f"http://127.0.0.1:{port}", timeout_s=PATIENT_S)
                assert isinstance(opened.call(method, PATH), Unsure)
                with pytest.raises(Failed):
                    opened.session.request(method, f"http://127.0.0.1:{port}/", allow_redirects=True)
    assert there == []
    assert len(here) >= 4  # a line that is being hung up may take the second request along
    assert not [asked for asked in here if b"/again" in asked.partition(b"\r\n")[0]]


HOSTILE = ("http://127.0.0.1:{port}", "http://localhost:{port}", "https://example.org", "http://169.254.169.254")


@pytest.mark.parametrize("address", HOSTILE)
def test_it_leads_to_no_host_but_its_own_whatever_an_answer_names(address: str) -> None:
    """As `base` and in the hands of an SDK, which would take an address for pictures from an answer."""
    there: list[bytes] = []
    with listening(_noting(there, OK)) as other, listening(saying(OK)) as port:
        opened = door(f"http://127.0.0.1:{port}")
        named = address.format(port=other)
        refused = opened.call("POST", "/upload", base=named, json={"token": CANARY})
        assert isinstance(refused, Absent)
        assert (refused.failure, str(refused.detail)) == (Failure.UNREACHABLE, OUTSIDE)
        with pytest.raises(Failed) as failed:
            opened.session.post(f"{named}/upload", data=b"pixels")
        assert str(failed.value) == OUTSIDE
        assert isinstance(opened.call("GET", "/"), Answer)
    assert there == []


@pytest.mark.parametrize("path", ["@127.0.0.1:{port}/", ".example.org/", "1/", "0:{port}/", "//@127.0.0.1:{port}/x"])
def test_no_path_becomes_a_host(path: str) -> None:
    there: list[bytes] = []
    with listening(_noting(there, OK)) as other, listening(saying(OK)) as port:
        given = door(f"http://127.0.0.1:{port}").call("GET", path.format(port=other))
        assert isinstance(given, Absent) or path.startswith("//")
    assert there == []


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:{port}", "HTTP://LOCALHOST:{port}/", "http://bot:a%20b+c@localhost:{port}"]
)
def test_its_own_host_may_be_written_in_any_way(name: str) -> None:
    with listening(saying(OK)) as port:
        assert isinstance(door(name.format(port=port)).call("GET", "/"), Answer)


def test_a_host_that_was_judged_is_let_in_until_another_takes_its_place() -> None:
    with listening(saying(OK)) as first, listening(saying(OK)) as second, listening(saying(OK)) as home:
        opened = door(f"http://127.0.0.1:{home}")
        one, other = (f"http://127.0.0.1:{port}" for port in (first, second))
        opened.admit(one)
        assert isinstance(opened.call("GET", "/", base=one), Answer)
        opened.admit(other)
        assert isinstance(opened.call("GET", "/", base=other), Answer)
        assert isinstance(opened.call("GET", "/", base=one), Absent)
        assert isinstance(opened.call("GET", "/"), Answer)


def _refuse_tunnel(line: socket.socket) -> None:
    hear(line)
    line.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")


def _drip_tunnel(line: socket.socket) -> None:
    hear(line)
    for byte in b"HTTP/1.1 200 " + b"y" * 600:
        line.sendall(bytes([byte]))
        time.sleep(0.02)


def _socks(method: bytes, reply: bytes) -> Script:
    def script(line: socket.socket) -> None:
        line.recv(64)
        line.sendall(method)
        line.recv(256)
        line.sendall(reply)

    return script


NO_METHOD, HEARD = b"\x05\xff", b"\x05\x00"
HOST_UNREACHABLE = b"\x05\x04\x00\x01" + b"\0" * 6
PROXIES: dict[str, tuple[str, Script]] = {
    "refuses the tunnel": ("http", _refuse_tunnel),
    "dies in the tunnel": ("http", _hear_and_hang_up),
    "never opens the tunnel": ("http", _say_nothing),
    "drips the tunnel": ("http", _drip_tunnel),
    "hangs up": ("http", _hang_up),
    "speaks no SOCKS": ("socks5h", saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "takes no sign-in": ("socks5h", _socks(NO_METHOD, b"")),
    "cannot reach it": ("socks5h", _socks(HEARD, HOST_UNREACHABLE)),
    "dies in SOCKS": ("socks5h", _socks(HEARD, b"\x05")),
    "never answers SOCKS": ("socks5h", _say_nothing),
}


@pytest.mark.parametrize(("scheme", "script"), PROXIES.values(), ids=PROXIES.keys())
def test_a_proxy_that_fails_lets_nothing_through(scheme: str, script: Script) -> None:
    began = time.monotonic()
    with listening(script) as port:
        way = f"{scheme}://campaign:{CANARY.replace('/', '%2F')}@127.0.0.1:{port}"
        outcome = door("https://service.example", timeout_s=QUICK_S, proxy=way).call("POST", PATH, json={})
    assert isinstance(outcome, Absent), outcome
    assert outcome.failure is Failure.UNREACHABLE
    assert "canary" not in outcome.detail
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_is_not_there_lets_nothing_through(scheme: str) -> None:
    outcome = door("https://service.example", proxy=f"{scheme}://127.0.0.1:{free_port()}").call("GET", "/")
    assert outcome == Absent(Failure.UNREACHABLE, "the proxy refused or failed")


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


def _socks_proxy(asked: list[bytes], to: int, *, dies: bool = False) -> Script:
    """One that works, whatever name it is asked for; or dies once the request itself has come through."""

    def script(line: socket.socket) -> None:
        line.recv(64)
        line.sendall(HEARD)
        asked.append(line.recv(256))
        line.sendall(b"\x05\x00\x00\x01" + b"\0" * 6)
        with socket.create_connection(("127.0.0.1", to)) as onward:
            threading.Thread(target=_pump, args=(onward, line), daemon=True).start()
            if dies:
                onward.sendall(line.recv(65_536))
                line.shutdown(socket.SHUT_RDWR)
            else:
                _pump(line, onward)

    return script


def test_behind_tor_the_name_is_looked_up_at_the_far_end() -> None:
    asked: list[bytes] = []
    with listening(saying(OK)) as port, listening(_socks_proxy(asked, port)) as proxy:
        answer = door("http://service.onion", proxy=f"socks5h://127.0.0.1:{proxy}").call("GET", "/")
    assert isinstance(answer, Answer), answer
    assert b"service.onion" in asked[0]


def test_a_proxy_that_dies_after_the_first_byte_leaves_doubt() -> None:
    with listening(_say_nothing) as port, listening(_socks_proxy([], port, dies=True)) as proxy:
        outcome = door("http://service.onion", proxy=f"socks5h://127.0.0.1:{proxy}").call("POST", "/", json={})
    assert isinstance(outcome, Unsure), outcome


def test_a_refused_connection_is_surely_absent() -> None:
    outcome = door(f"http://127.0.0.1:{free_port()}").call("POST", PATH, json={})
    assert outcome == Absent(Failure.UNREACHABLE, "the connection was refused")


def test_a_name_that_is_not_found_is_surely_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = door("https://service.example").call("POST", PATH, json={})
    assert outcome == Absent(Failure.UNREACHABLE, "the server's name cannot be found")


def test_a_connection_that_nobody_takes_up_is_surely_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("urllib3.util.connection.create_connection", slow)
    outcome = door("https://127.0.0.1").call("POST", PATH, json={})
    assert outcome == Absent(Failure.UNREACHABLE, "no answer in time")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def over_tls(context: ssl.SSLContext, script: Script) -> Script:
    def with_tls(line: socket.socket) -> None:
        with context.wrap_socket(line, server_side=True) as secured:
            script(secured)

    return with_tls


def test_a_server_that_its_own_authority_vouches_for_is_believed(authority: Authority) -> None:
    with listening(over_tls(authority.server(), saying(OK))) as port:
        answer = door(f"https://127.0.0.1:{port}", ca_file=authority.file).call("POST", PATH, json={})
    assert isinstance(answer, Answer), answer


def test_a_certificate_that_proves_nothing_lets_nothing_through(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    for context, ca_file in (
        (authority.server("service.example"), authority.file),  # another name
        (authority.server(), None),  # an authority nobody knows
        (other.server(), authority.file),
        (other.itself_as_server(), authority.file),  # self-signed
        (other.itself_as_server(), None),
    ):
        heard: list[bytes] = []
        script = over_tls(context, lambda line, heard=heard: heard.append(hear(line)))  # type: ignore[misc]
        with listening(script) as port:
            outcome = door(f"https://127.0.0.1:{port}", ca_file=ca_file).call("POST", PATH, json={})
        assert isinstance(outcome, Absent)
        assert outcome.failure is Failure.UNREACHABLE
        assert "certificate" in outcome.detail
        assert heard == []


@pytest.mark.parametrize("script", [saying(OK), _say_nothing, _hang_up], ids=["plain", "silent", "gone"])
def test_a_server_without_tls_where_tls_is_meant_gets_nothing(script: Script) -> None:
    with listening(script) as port:
        outcome = door(f"https://127.0.0.1:{port}", timeout_s=QUICK_S).call("POST", PATH, json={})
    assert isinstance(outcome, Absent), outcome
    assert outcome.failure is Failure.UNREACHABLE


def test_doubt_over_tls_ends_in_time_too(authority: Authority) -> None:
    for script in (_say_nothing, _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"{" * 400), _hang_up):
        began = time.monotonic()
        with listening(over_tls(authority.server(), script)) as port:
            way = door(f"https://127.0.0.1:{port}", timeout_s=QUICK_S * 2, ca_file=authority.file)
            outcome = way.call("POST", PATH, json={})
        assert isinstance(outcome, Unsure), outcome
        assert time.monotonic() - began < SOON_S


def test_an_authority_file_that_is_not_there_lets_nothing_through(tmp_path: Path) -> None:
    outcome = door("https://127.0.0.1:1", ca_file=tmp_path / "none.pem").call("GET", "/")
    assert isinstance(outcome, Absent), outcome


def test_an_answer_cut_among_its_headers_says_nothing() -> None:
    with listening(saying(b"HTTP/1.1 200 OK\r\nContent-Le")) as port:
        answer = door(f"http://127.0.0.1:{port}").call("POST", PATH, json={})
    assert isinstance(answer, Unsure) or answer.fields() == {}  # type: ignore[union-attr]


class Waking(FakeClock):
    """A machine that sleeps between two looks at the clock."""

    def boot(self) -> float:
        self.booted += 100
        return self.booted


def test_past_its_deadline_not_a_byte_leaves() -> None:
    heard: list[bytes] = []
    with listening(lambda line: heard.append(line.recv(65_536))) as port:
        outcome = door(f"http://127.0.0.1:{port}", clock=Waking()).call("POST", PATH, json={}, deadline=1_150.0)
        assert isinstance(outcome, Absent), outcome
        assert outcome.failure is Failure.LATE
        until = time.monotonic() + 2
        while not heard and time.monotonic() < until:
            time.sleep(0.01)
    assert heard == [b""]


def test_before_its_deadline_it_leaves() -> None:
    with listening(saying(OK)) as port:
        outcome = door(f"http://127.0.0.1:{port}").call("POST", PATH, json={}, deadline=1_000.0)
    assert isinstance(outcome, Answer), outcome


def _again_and_again(calls: list[int]) -> Script:
    def script(line: socket.socket) -> None:
        calls.append(0)
        while hear(line):
            calls[-1] += 1
            line.sendall(OK)

    return script


def test_calls_in_a_row_share_a_connection_and_an_old_one_is_not_trusted() -> None:
    calls: list[int] = []
    clock = FakeClock()
    with listening(_again_and_again(calls)) as port:
        way = door(f"http://127.0.0.1:{port}", clock=clock)
        assert [type(way.call("GET", "/")) for _ in range(2)] == [Answer, Answer]
        assert calls == [2]
        clock.advance(minutes=5)
        assert isinstance(way.call("GET", "/"), Answer)
    assert calls == [2, 1]


def test_nothing_of_the_environment_or_of_earlier_answers_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[bytes] = []

    def script(line: socket.socket) -> None:
        heard.append(hear(line))
        line.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with listening(script) as port:
        way = door(f"http://127.0.0.1:{port}")
        assert [type(way.call("GET", "/")) for _ in range(2)] == [Answer, Answer]
    for request in heard:
        assert b"cookie" not in request.lower()
        assert b"authorization" not in request.lower()
        assert b"python" not in request.lower()


def test_no_error_and_no_log_holds_a_secret(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    with listening(_hang_up) as gone, listening(saying(OK)) as fine:
        for base in (f"http://127.0.0.1:{gone}", f"http://127.0.0.1:{free_port()}", f"https://127.0.0.1:{fine}"):
            way = door(base, timeout_s=QUICK_S)
            with pytest.raises(Failed) as failed:
                way.session.post(base + PATH, headers={"Authorization": f"Bearer {CANARY}"}, json={})
            assert failed.value.__context__ is None
            said += [*traceback.format_exception(failed.value), repr(way), repr(failed.value), repr(way.session)]
    said += [record.getMessage() for record in caplog.records]
    assert all("canary" not in line for line in said)
    assert "canary" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("token", ["two\nlines", "bốn chữ"])
def test_a_credential_that_cannot_be_sent_is_not_quoted(token: str) -> None:
    with listening(saying(OK)) as port:
        way = door(f"http://127.0.0.1:{port}")
        outcome = way.call("POST", "/", headers={"Authorization": f"Bearer {token}"}, json={})
    assert isinstance(outcome, Absent), outcome
    assert token not in repr(outcome)


def test_what_the_far_side_says_is_kept_short_on_one_line_and_without_secrets() -> None:
    way = door("https://service.example")
    said = way.clean(f"no such path {PATH} or /canary%3A7Zq%2Fsecret%2Btoken\nnext\x1b[31m" + "y" * 1_000)
    assert "canary" not in said
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) == 300


NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
IN_A_MINUTE = NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "60"},
        {"Retry-After": "Sat, 21 Nov 2026 15:31:00 GMT"},
        {"X-RateLimit-Reset": "2026-11-21T15:31:00.000000Z"},
        {"X-RateLimit-Reset": "2026-11-21T22:31:00+07:00"},
        {"x-rate-limit-reset": str(int(IN_A_MINUTE.timestamp()))},
        {"RateLimit-Reset": "60.0"},
        {"Retry-After": "soon", "X-RateLimit-Reset": "2026-11-21T15:31:00Z"},
        # The far side's clock is an hour ahead, and so is what it says.
        {"Date": "Sat, 21 Nov 2026 16:30:00 GMT", "X-RateLimit-Reset": "2026-11-21T16:31:00Z"},
    ],
)
def test_when_to_come_back_is_read_in_every_form(headers: dict[str, str]) -> None:
    assert retry_at(_any_case(headers), NOW) == IN_A_MINUTE
    answer = Answer(429, _any_case(headers), b"")
    assert by_status(answer, NOW) == Absent(Failure.RATE_LIMITED, "asked to wait", IN_A_MINUTE)


def _any_case(headers: dict[str, str]) -> dict[str, str]:
    return CaseInsensitiveDict(headers)  # type: ignore[return-value]


@pytest.mark.parametrize("value", ["0", "-5", "", "soon", "2020-01-01T00:00:00Z", "1500000000", "٣"])
def test_a_time_that_is_over_or_unreadable_names_none(value: str) -> None:
    assert retry_at({"Retry-After": value}, NOW) is None


@given(value=st.text() | st.integers().map(str) | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"))
def test_no_far_side_can_put_a_post_off_for_more_than_a_day(value: str) -> None:
    moment = retry_at({"Retry-After": value}, NOW)
    assert moment is None or NOW < moment <= NOW + LONGEST_WAIT


@pytest.mark.parametrize(("status", "kind"), [(200, None), (404, None), (408, Unsure), (500, Unsure), (599, Unsure)])
def test_a_status_alone_decides_only_what_it_can(status: int, kind: type | None) -> None:
    decided = by_status(Answer(status, {}, b""), NOW)
    assert decided is None if kind is None else isinstance(decided, kind)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_json_object_has_no_fields(body: bytes) -> None:
    assert Answer(200, {}, body).fields() == {}


def test_a_clock_that_differs_is_said_in_seconds() -> None:
    answer = Answer(200, {"Date": "Sat, 21 Nov 2026 15:30:00 GMT"}, b"")
    assert clock_note(answer, NOW + timedelta(seconds=4)) == ""
    assert "130 s ahead" in clock_note(answer, NOW + timedelta(seconds=130))
    assert "130 s behind" in clock_note(answer, NOW - timedelta(seconds=130))
    assert clock_note(Answer(200, {}, b""), START) == ""
