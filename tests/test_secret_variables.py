"""No variable of a traceback shows the client secret or a token, wherever the error comes from."""

import base64
import copy
import html
import json
import os
import pickle
import re
import signal
import threading
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_clock import FakeClock
from support.scripted_server import TOKEN, Reply, ScriptedServer
from support.variables import find_in_traceback

import cenports_nb as cn
from cenports_nb import credentials
from cenports_nb.api.client import Client
from cenports_nb.errors import CenportsError, ConfigurationError
from cenports_nb.redaction import STRUCK, Redactor, SecretPattern
from cenports_nb.secret import Secret, SecretBody
from cenports_nb.settings import resolve_settings

SECRET = 's3cr3t/of"the\\shop&é'
KEYS = {"partner_id": "P-1", "client_id": "id-1"}


def _caught(call: Callable[[], object], kind: type[BaseException] = CenportsError) -> list[str]:
    with pytest.raises(kind) as caught:
        call()
    return find_in_traceback(caught.value, [SECRET, TOKEN])


@pytest.mark.parametrize(
    "arguments",
    [
        {"base_url": "nonsense"}, {"time_zone": "Mars"}, {"rate_limit": 0}, {"partner_id": None}, {"profile": "nobody"},
    ],
)  # fmt: skip
def test_an_error_of_connect_shows_no_secret(arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was given as an argument or is in the environment."""
    assert _caught(lambda: cn.connect("staging", **{**KEYS, "client_secret": SECRET, **arguments})) == []
    for name, value in {**KEYS, "client_secret": SECRET}.items():
        monkeypatch.setenv(f"CENPORTS_{name.upper()}", value)
    if "partner_id" in arguments:
        monkeypatch.delenv("CENPORTS_PARTNER_ID")
        arguments = {}
    assert _caught(lambda: cn.connect("staging", **arguments)) == []


def test_a_mapping_of_variables_is_shown_by_no_error() -> None:
    """Tests of users pass one."""
    given_variables = {"CENPORTS_CLIENT_SECRET": SECRET, "CENPORTS_CLIENT_ID": "id"}
    assert _caught(lambda: resolve_settings("staging", environ=given_variables)) == []


@pytest.mark.parametrize("text", ["client_secret = {}\n", "client_secret = {}\nbroken ="])
def test_a_secret_in_a_profile_is_refused_and_not_shown(home: Path, text: str) -> None:
    """Nor where the file can't be read."""
    (home / "profiles.toml").write_text("[default]\nenvironment = 'staging'\n" + text.format(json.dumps(SECRET)))
    assert _caught(lambda: cn.connect("staging")) == []


CASES: dict[str, Callable[[ScriptedServer], object]] = {
    "401": lambda server: server.on("POST /authorize", Reply({"message": SECRET}, status=401)),
    "500": lambda server: server.on("POST /authorize", *[Reply({"message": SECRET}, status=500)] * 9),
    "bad JSON": lambda server: server.on("POST /authorize", *[Reply(f'{{"a": "{TOKEN}'.encode())] * 9),
    "no token": lambda server: server.on("POST /authorize", Reply({"token": TOKEN})),
    "odd token": lambda server: server.on("POST /authorize", Reply({"access_token": f"{TOKEN}\n"})),
    "business": lambda server: server.on("POST /authorize", Reply({"code": 5, "message": SECRET})),
    "too deep": lambda server: server.on("POST /authorize", Reply(b"[" * 100_000 + TOKEN.encode())),
    "page 500": lambda server: server.on("GET /channels", *[Reply({"message": TOKEN}, status=500)] * 9),
    "page 401": lambda server: server.on("GET /channels", *[Reply({"message": TOKEN}, status=401)] * 9),
    "page 422": lambda server: server.on("GET /channels", Reply({"errors": {"a": [TOKEN, SECRET]}}, status=422)),
    "page HTML": lambda server: server.on("GET /channels", *[Reply(f"<p>{' ' * 50}{TOKEN}".encode())] * 9),
    "page of nothing": lambda server: server.on("GET /channels", Reply({"message": TOKEN})),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("cache", [True, False])
def test_an_error_of_a_request_shows_no_secret(
    server: ScriptedServer, staging: Callable[..., Client], case: str, cache: bool
) -> None:
    """Neither in its text nor in a variable."""
    CASES[case](server)
    client = staging(FakeClock(), client_secret=SECRET, cache=cache)
    assert _caught(lambda: cn.load_channels(client)) == []


def test_a_network_error_shows_no_secret(server: ScriptedServer, staging: Callable[..., Client]) -> None:
    """Before and after there is a token."""
    server.on("GET /channels", Reply({"data": [{"channelId": "A"}]}))
    client, early = staging(FakeClock(), client_secret=SECRET), staging(FakeClock(), client_secret=SECRET)
    cn.load_channels(client)
    server.close()
    assert _caught(lambda: cn.load_channels(client, refresh=True)) == []
    assert _caught(lambda: cn.load_channels(early, refresh=True)) == []
    assert _caught(lambda: client.api.create_channel(channel_name="B"), CenportsError) == []


def test_an_interrupt_shows_no_secret(
    server: ScriptedServer, staging: Callable[..., Client], interruptible: None
) -> None:
    """Of a request that waits, with libraries' frames on the stack."""
    main = threading.main_thread().ident
    assert main is not None

    interrupted = threading.Event()

    def interrupt(_: object) -> Reply:
        signal.pthread_kill(main, signal.SIGINT)
        interrupted.wait(20)
        return Reply(dropped=True)

    for path in ("POST /authorize", "GET /channels"):
        server.on(path, interrupt)
        client = staging(FakeClock(), client_secret=SECRET)
        assert _caught(lambda client=client: cn.load_channels(client), KeyboardInterrupt) == []
        interrupted.set()
        interrupted.clear()
        server.on("POST /authorize", Reply({"access_token": TOKEN, "expires_in": 9}))


@pytest.mark.parametrize("error", [keyring.errors.KeyringLocked, keyring.errors.NoKeyringError, RuntimeError, OSError])
def test_a_keyring_that_fails_shows_no_secret(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """It was given one, or was asked for one."""

    def fail(service: str, user: str, password: str = "") -> None:
        raise error(f"{service} {user} {password}")

    monkeypatch.setattr(keyring, "set_password", fail)
    assert _caught(lambda: credentials.store_secret("p", "c", SECRET), ConfigurationError) == []
    monkeypatch.setattr(keyring, "get_password", lambda *_: SECRET)
    monkeypatch.setattr(keyring, "set_password", lambda *_: None)
    assert _caught(lambda: credentials.store_secret("p", "c", "other"), ConfigurationError) == []


def test_a_secret_shows_itself_nowhere() -> None:
    """Nor does a copy, and a pickle is refused."""
    secret = Secret(SECRET)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret]), repr(SecretBody({"a": secret}))]
    assert [text for text in shown if "s3cr" in text] == []
    assert (secret.reveal(), secret == Secret(SECRET), secret == SECRET, secret == "x", bool(Secret(""))) == (
        SECRET, True, True, False, False,
    )  # fmt: skip
    assert copy.deepcopy(secret) is secret
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(secret)


SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps(text).replace("/", "\\/"),
    lambda text: json.dumps(json.dumps(text)),
    lambda text: "".join(f"\\u{unit:04X}" for unit in memoryview(text.encode("utf-16-le")).cast("H")),
    lambda text: urllib.parse.quote(text, safe=""),
    urllib.parse.quote_plus,
    lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    html.escape,
    lambda text: html.escape(json.dumps(text)),
    lambda text: html.escape(html.escape(text)),
    lambda text: "".join(f"&#{ord(one)};" for one in text),
    lambda text: "".join(f"&#x{ord(one):04X};" for one in text),
    repr,
    ascii,
    lambda text: base64.b64encode(f"id-1:{text}".encode()).decode(),
    lambda text: base64.urlsafe_b64encode(f"id-1:{text}".encode()).decode(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: urllib.parse.quote(base64.b64encode(f"id-1:{text}".encode()).decode(), safe=""),
)


@given(
    st.text(st.one_of(st.sampled_from("/\"\\&<>'+ %=é😀"), st.characters(codec="utf-8", categories=["L", "N", "P"])), min_size=4, max_size=40),
    st.sampled_from(SPELLINGS),
)  # fmt: skip
def test_every_spelling_of_a_secret_is_struck_out(secret: str, spell: Callable[[str], str]) -> None:
    """As JSON, an address, HTML, Python or HTTP's basic scheme write it, once or twice."""
    struck = Redactor("id-1", Secret(secret))(f"<<<{spell(secret)}>>>")
    assert re.fullmatch("<<<.{0,30}….{0,30}>>>", struck)  # quotes and padding stay


@given(secret=st.text(min_size=4, max_size=8), before=st.text(max_size=12), after=st.text(max_size=12))
def test_a_text_without_escapes_is_struck_as_any_other(secret: str, before: str, after: str) -> None:
    """No pattern is built for it."""
    pattern = SecretPattern(Secret(secret))
    text = f"{before}{secret}{after}"
    assert pattern.strike(text) == pattern._pattern.sub(STRUCK, text)


def test_a_text_without_the_secret_stays_as_it_is() -> None:
    """A secret of a letter or two hides nothing."""
    text = "Cenports refused & said: \\u0041 100% &amp; more"
    assert Redactor("id-1", Secret("secret/1"))(text) == text
    assert Redactor("id-1", Secret("e"))(text) == text


def test_what_is_quoted_is_cut_after_the_secret_was_struck(
    server: ScriptedServer, staging: Callable[..., Client]
) -> None:
    """Half a secret is one too."""
    for at in (30, 45, 55):
        server.on("GET /channels", *[Reply(f"<{'x' * at}{SECRET}".encode())] * 4)
        with pytest.raises(CenportsError) as caught:
            cn.load_channels(staging(FakeClock(), client_secret=SECRET), refresh=True)
        assert "s3c" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "host"),
    [
        *(
            (variable, "127.0.0.1")
            for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY")
        ),
        *(("http_proxy", host) for host in ("localhost", "LOCALHOST", "127.1", "localhost.")),
    ],
)
def test_no_proxy_is_asked_for_this_machine(
    server: ScriptedServer, staging: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    """It would look on its own machine, and see the secret."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    proxy = ScriptedServer()
    monkeypatch.setenv(variable, proxy.url.removesuffix("/v2"))
    server.on("GET /channels", Reply({"data": [{"channelId": "A"}]}))
    client = staging(FakeClock(), base_url=server.url.replace("127.0.0.1", host))
    assert len(cn.load_channels(client, refresh=True)) == 1
    assert proxy.requests == []
    proxy.close()


def test_a_sandbox_works_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        if name in os.environ:
            monkeypatch.delenv(name)
    with cn.connect("sandbox") as client:
        assert len(cn.load_channels(client))
