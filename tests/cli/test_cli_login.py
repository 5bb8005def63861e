"""Test `cenports-nb login` and `logout`: the secret goes to the keyring, the rest to the profile, nothing to the screen."""

from __future__ import annotations

import io
from collections.abc import Iterator

import keyring
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest
from support.cli_shop import Shop
from support.memory_keyring import MemoryKeyring

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID


class LockedKeyring(MemoryKeyring):
    """A locked keyring whose errors quote its input."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.KeyringLocked(f"{password} refused")

    def delete_password(self, service: str, username: str) -> None:
        raise keyring.errors.KeyringLocked("locked")


@pytest.fixture
def use() -> Iterator[object]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def ring(use: object) -> MemoryKeyring:
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    return ring


@pytest.fixture
def person(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Make credentials that only come from a pipe."""
    for name in ("CLIENT_ID", "CLIENT_SECRET", "PARTNER_ID", "ENVIRONMENT"):
        monkeypatch.delenv(f"CENPORTS_{name}")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CLIENT_SECRET}\n"))
    return shop


LOGIN = ["login", "--env", "staging", "--partner-id", PARTNER_ID, "--client-id", CLIENT_ID, "--secret-stdin"]


def test_a_log_in_is_kept_and_checked(person: Shop, ring: MemoryKeyring) -> None:
    """One token request checks the credentials; afterwards the profile is enough."""
    code, out, err = person.run(*LOGIN, "--profile", "acme")
    assert (code, err, len(person.sandbox.requests)) == (0, "", 1)
    assert out.endswith("Cenports accepted the credentials.\n")
    assert ring.secrets == {("cenports-nb", f"acme:{CLIENT_ID}"): CLIENT_SECRET}
    with cn.connect(profile="acme") as client:
        assert len(cn.load_channels(client)) == 3


def test_no_secret_is_in_the_profile_or_on_the_screen(person: Shop, ring: MemoryKeyring) -> None:
    """Only the keyring has it."""
    said = person.run(*LOGIN)
    files = [path.read_text(errors="replace") for path in person.folder.rglob("*") if path.is_file()]
    assert [text for text in (*said[1:], *files) if CLIENT_SECRET in text] == []
    assert 'client_id = "sandbox-client"' in (person.folder / "home" / "profiles.toml").read_text()


def test_refused_credentials_are_reported(person: Shop, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1; the message says that they are saved all the same."""
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong"))
    code, out, err = person.run(*LOGIN)
    assert (code, err.count("\n")) == (1, 1)
    assert "did not pass the check" in out
    assert "wrong" not in out + err


def test_without_a_check_nothing_is_sent(person: Shop, ring: MemoryKeyring) -> None:
    """--no-check needs no network."""
    assert (person.run(*LOGIN, "--no-check")[0], person.sandbox.requests) == (0, [])


def test_another_client_id_takes_the_old_secret_away(person: Shop, ring: MemoryKeyring) -> None:
    """The secret of the earlier client id is deleted."""
    ring.secrets["cenports-nb", "default:old"] = "old secret"
    home = person.folder / "home"
    home.mkdir(exist_ok=True)
    (home / "profiles.toml").write_text('# mine\n[default]\nclient_id = "old"\n')
    assert person.run(*LOGIN)[0] == 0
    assert list(ring.secrets) == [("cenports-nb", f"default:{CLIENT_ID}")]
    assert (home / "profiles.toml").read_text().startswith("# mine\n")


def test_a_log_out_removes_the_secret_and_says_what_stays(person: Shop, ring: MemoryKeyring) -> None:
    """A second logout finds no secret."""
    person.run(*LOGIN)
    code, out, _ = person.run("logout")
    assert (code, ring.secrets) == (0, {})
    assert out == (
        "The secret of profile 'default' is gone from the keyring; cache, journal and the profile itself stay.\n"
    )
    assert person.run("logout")[1].startswith("No secret of profile 'default' was in the keyring")


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (keyring.backends.fail.Keyring, "has no keyring"),
        (keyring.backends.null.Keyring, "keeps nothing"),
        (LockedKeyring, "did not take the secret (KeyringLocked)"),
    ],
)
def test_a_machine_without_a_keyring_names_the_other_way(
    person: Shop, use: object, backend: type[keyring.backend.KeyringBackend], words: str
) -> None:
    """One line names the variables; no profile is saved, and no secret is quoted."""
    keyring.set_keyring(backend())
    code, out, err = person.run(*LOGIN)
    assert (code, err.count("\n"), CLIENT_SECRET in out + err) == (2, 1, False)
    assert words in err
    assert "CENPORTS_CLIENT_SECRET" in err
    assert not (person.folder / "home" / "profiles.toml").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["login"], "The environment is missing, and there is no terminal to ask on: give --env."),
        (["login", "--env", "sandbox"], "takes no login"),
        (["login", "--env", "staging", "--partner-id", " "], "partner id is empty"),
        (["login", "--env", "staging", "--partner-id", "P", "--client-id", "c"], "give --secret-stdin"),
        (["logout", "--profile", "nobody"], "has no client id"),
    ],
)
def test_a_missing_value_is_one_line(person: Shop, ring: MemoryKeyring, command: list[str], words: str) -> None:
    """Exit code 2, and nothing is saved."""
    code, _, err = person.run(*command)
    assert (code, err.count("\n"), ring.secrets) == (2, 1, {})
    assert words in err


def test_an_empty_secret_is_refused(person: Shop, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe was empty."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    code, _, err = person.run(*LOGIN)
    assert (code, ring.secrets, "is empty" in err) == (2, {}, True)
