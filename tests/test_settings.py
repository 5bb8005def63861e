"""Who is connected to what: where environment, credentials, address and folders come from."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_keyring import MemoryKeyring

import cenports_nb as cn
from cenports_nb.errors import ConfigurationError
from cenports_nb.settings import Settings, is_loopback, resolve_settings

KEYS = {"partner_id": "P-1", "client_id": "id-1", "client_secret": "very-secret"}
VARIABLES = {
    "CENPORTS_PARTNER_ID": "P-env",
    "CENPORTS_CLIENT_ID": "id-env",
    "CENPORTS_CLIENT_SECRET": "secret-env",
}


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def _profiles(home: Path, text: str) -> None:
    (home / "profiles.toml").write_text(text, encoding="utf-8")


def test_nothing_configured_shows_the_three_ways() -> None:
    """It never falls back to the sandbox by itself; the message is the way out."""
    with pytest.raises(ConfigurationError) as caught:
        cn.connect()
    message = str(caught.value)
    assert all(way in message for way in ('connect("sandbox")', "CENPORTS_ENVIRONMENT", "profiles.toml"))


@pytest.mark.parametrize("arguments", [{}, {"cache": "~nobody-here/cache"}])
def test_a_home_that_nobody_has_is_named(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str]) -> None:
    """One clear line."""
    if not arguments:
        monkeypatch.setenv("CENPORTS_HOME", "~nobody-here/home")
    with pytest.raises(ConfigurationError, match=r"~nobody-here.* is not known: write it out"):
        resolve_settings("staging", **KEYS, **arguments)


def test_a_wrong_environment_names_the_right_ones() -> None:
    """One clear line."""
    with pytest.raises(ConfigurationError, match=r"'prod'.*'production', 'staging', 'sandbox'"):
        cn.connect("prod")


@pytest.mark.parametrize(
    ("environment", "address"),
    [("production", "https://api.cenports.io/v2"), ("staging", "https://stg.api.cenports.io/v2")],
)
def test_the_addresses_of_the_reference(environment: str, address: str) -> None:
    """Production and staging are where the reference says."""
    assert resolve_settings(environment, **KEYS).base_url == address


def test_the_environment_variable_chooses_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are read at each connect."""
    monkeypatch.setenv("CENPORTS_ENVIRONMENT", "staging")
    assert resolve_settings(**KEYS).environment == "staging"


def test_missing_credentials_say_where_they_may_come_from() -> None:
    """Arguments, variables or a profile."""
    with pytest.raises(ConfigurationError, match="client_secret= to connect, or set CENPORTS_PARTNER_ID"):
        cn.connect("staging")


def test_half_of_the_credentials_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three come from one source together: an argument never mixes with variables."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=r"arguments give only a part.*client_id, client_secret"):
        cn.connect("staging", partner_id="P-1")


def test_arguments_come_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written in the call is meant."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert resolve_settings("staging", **KEYS).partner_id == "P-1"


def test_variables_come_before_the_default_profile(
    home: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that nobody named is the last resort."""
    _profiles(home, '[default]\nenvironment = "staging"\npartner_id = "P-file"\nclient_id = "id-file"\n')
    ring.set_password("cenports-nb", "default:id-file", "secret-file")
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert resolve_settings("staging").partner_id == "P-env"


def test_a_named_profile_comes_before_variables(
    home: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its secret is in the keyring, nowhere in the file."""
    _profiles(home, '[acme]\nenvironment = "staging"\npartner_id = "P-acme"\nclient_id = "id-acme"\n')
    ring.set_password("cenports-nb", "acme:id-acme", "secret-acme")
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    found = resolve_settings(profile="acme").credentials
    assert (found.partner_id, found.client_secret) == ("P-acme", "secret-acme")


def test_the_sandbox_needs_no_credentials_and_takes_none_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Real credentials are none of its business."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert resolve_settings("sandbox").partner_id == "SANDBOX"


def test_an_unknown_profile_lists_those_that_exist(home: Path) -> None:
    """A typing mistake can be fixed without opening the file."""
    _profiles(home, "[acme]\n[other]\n")
    with pytest.raises(ConfigurationError, match=r"no profile 'acmee'.*acme, other"):
        resolve_settings("staging", profile="acmee")


def test_a_secret_in_a_profile_is_refused_and_not_shown(home: Path) -> None:
    """Profiles are files without secrets."""
    _profiles(home, '[default]\nclient_secret = "very-secret"\n')
    with pytest.raises(ConfigurationError, match="holds a client_secret") as caught:
        resolve_settings("staging", **KEYS)
    assert "very-secret" not in str(caught.value)


def test_a_broken_profiles_file_is_named(home: Path) -> None:
    """Whoever edited it knows where to look."""
    _profiles(home, "[default\n")
    with pytest.raises(ConfigurationError, match=r"profiles\.toml can't be read"):
        resolve_settings("staging", **KEYS)


def test_the_address_of_a_profile_never_gets_the_credentials_of_another_environment(home: Path) -> None:
    """Production's secret does not go where staging's profile points."""
    _profiles(home, '[default]\nenvironment = "staging"\nbase_url = "https://proxy.example/v2"\n')
    assert resolve_settings("production", **KEYS).base_url == "https://api.cenports.io/v2"


def test_the_address_of_a_profile_is_used_for_its_own_environment(home: Path) -> None:
    """A recording proxy is set up once."""
    _profiles(home, '[default]\nenvironment = "staging"\nbase_url = "https://proxy.example/v2/"\n')
    assert resolve_settings("staging", **KEYS).base_url == "https://proxy.example/v2"


def test_a_left_over_address_variable_is_ignored_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Production's credentials go to production."""
    monkeypatch.setenv("CENPORTS_BASE_URL", "https://elsewhere.example/v2")
    assert resolve_settings("production", **KEYS).base_url == "https://api.cenports.io/v2"


def test_a_loopback_address_variable_counts_for_production_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test server on this machine may stand in."""
    monkeypatch.setenv("CENPORTS_BASE_URL", "http://127.0.0.1:9/v2")
    assert resolve_settings("production", **KEYS).base_url == "http://127.0.0.1:9/v2"


@pytest.mark.parametrize("address", ["http://proxy.example/v2", "http://127.example.co.uk/v2", "http://10.0.0.7"])
def test_plain_http_to_another_machine_is_refused(address: str) -> None:
    """The secret would travel in clear."""
    with pytest.raises(ConfigurationError, match="in clear: use https"):
        cn.connect("staging", base_url=address, **KEYS)


@pytest.mark.parametrize("address", ["ftp://host", "host/v2", "https://", "http://[::1", "https://h:99999999/v2"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """Nonsense is named, with an example of sense."""
    with pytest.raises(ConfigurationError, match="https://host/v2"):
        cn.connect("staging", base_url=address, **KEYS)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    """It would end up in logs and cache keys."""
    with pytest.raises(ConfigurationError) as caught:
        cn.connect("staging", base_url="https://me:pass-word@host/v2", **KEYS)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("http://localhost:8000/v2", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.1/v2", True),
        ("http://[::1]:80", True),
        ("http://127.0.0.1.example.com", False),
        ("http://127.example.co.uk", False),
        ("https://api.cenports.io", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(address: str, stays: bool) -> None:
    """Names that begin with 127 belong to others."""
    assert is_loopback(address) is stays


@given(st.text())
def test_no_text_makes_the_loopback_check_fail(address: str) -> None:
    """Any nonsense is simply not loopback, or is."""
    assert is_loopback(f"http://{address}") in (True, False)


@pytest.mark.parametrize(
    ("environment", "given_mode", "mode"),
    [
        ("production", None, True),
        ("production", False, False),
        ("staging", None, False),
        ("staging", True, True),
        ("sandbox", None, False),
    ],
)
def test_only_production_is_read_only_by_itself(environment: str, given_mode: bool | None, mode: bool) -> None:
    """Writing to production takes an explicit word."""
    assert resolve_settings(environment, read_only=given_mode, **KEYS).read_only is mode


@pytest.mark.parametrize("value", ["0", "-5", "many", "0.5"])
def test_a_senseless_rate_limit_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """It is named as it was written."""
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", value)
    with pytest.raises(ConfigurationError, match=f"'{value}'"):
        cn.connect("staging", **KEYS)


def test_the_rate_limit_is_sixty_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference's limit, then the variable, then the argument."""
    by_default = resolve_settings("staging", **KEYS).rate_limit
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", "120")
    by_variable = resolve_settings("staging", **KEYS).rate_limit
    assert (by_default, by_variable, resolve_settings("staging", rate_limit=300, **KEYS).rate_limit) == (60, 120, 300)


def test_an_unknown_time_zone_is_refused() -> None:
    """With an example of a name that exists."""
    with pytest.raises(ConfigurationError, match=r"'Europe/Atlantis'.*'Europe/Berlin'"):
        cn.connect("staging", time_zone="Europe/Atlantis", **KEYS)


def test_settings_show_no_secret() -> None:
    """Not in any repr."""
    assert "very-secret" not in repr(resolve_settings("staging", **KEYS))


def test_connecting_opens_no_file_and_sends_nothing(home: Path) -> None:
    """Not even to an address where nobody listens."""
    with cn.connect("staging", base_url="http://127.0.0.1:9/v2", **KEYS) as client:
        assert (list(home.iterdir()), client.usage.sent) == ([], 0)


def test_accounts_differ_by_address_and_partner() -> None:
    """Answers of one are never served for the other."""
    accounts = {
        resolve_settings(environment, **{**KEYS, "partner_id": partner}).account
        for environment in ("staging", "production")
        for partner in ("P-1", "P-2")
    }
    assert len(accounts) == 4


def test_settings_cannot_be_changed_afterwards() -> None:
    """A client stays with the account that it was connected to."""
    found: Settings = resolve_settings("staging", **KEYS)
    with pytest.raises(AttributeError):
        found.base_url = "https://elsewhere.example"  # type: ignore[misc]
