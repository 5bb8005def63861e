"""Commands that store a profile with its secret in the keyring, and remove that secret."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import cenports_nb as cn
from cenports_nb.cli.options import EnvironmentOption
from cenports_nb.cli.terminal import is_interactive, print_text
from cenports_nb.credentials import NOTIFY_ENTRY, delete_secret, store_notify_url, store_secret
from cenports_nb.errors import CenportsError, ConfigurationError, InvalidRequestError
from cenports_nb.profiles import read_client_id, save_profile
from cenports_nb.secret import Secret
from cenports_nb.settings import home_folder

ProfileNameOption = Annotated[str, typer.Option("--profile", metavar="NAME", help="The profile's name.")]
WHAT_STAYS = "cache, journal and the profile itself stay"


def login(
    profile: ProfileNameOption = "default",
    env: EnvironmentOption = None,
    partner_id: Annotated[str | None, typer.Option(metavar="ID", help="Asked for if not given.")] = None,
    client_id: Annotated[str | None, typer.Option(metavar="ID", help="Asked for if not given.")] = None,
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")] = False,
    notify: Annotated[
        bool, typer.Option("--notify", help="Store the URL that reports notify, and nothing else.")
    ] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Don't check the credentials with a token request.")
    ] = False,
) -> None:
    """Store an account as a profile: its secret in the system's keyring, all else in profiles.toml."""
    if notify:
        _store_notify_url(profile, from_stdin=secret_stdin)
        return
    environment = _require_value("environment", "--env", env)
    if environment not in ("production", "staging"):
        raise InvalidRequestError(f"--env {environment} takes no login: use --env production or --env staging.")
    partner = _require_value("partner id", "--partner-id", partner_id)
    client = _require_value("client id", "--client-id", client_id)
    secret = _read_secret("client secret", from_stdin=secret_stdin)
    home = home_folder()
    before = read_client_id(home, profile)
    store_secret(profile, client, secret)
    path = save_profile(home, profile, {"environment": environment, "partner_id": partner, "client_id": client})
    if before not in (None, client):
        delete_secret(profile, str(before))  # no profile refers to it any more
    print_text(f"Profile {profile!r} of {path} is partner {partner} in {environment}; its secret is in the keyring.")
    if no_check:
        return
    try:
        with cn.connect(profile=profile, read_only=True) as account:
            account.api.authorize()
    except CenportsError:
        print_text(
            "The profile is stored, but its credentials did not pass the check. Log in again if anything was mistyped."
        )
        raise
    print_text("Cenports accepted the credentials.")


def _store_notify_url(profile: str, *, from_stdin: bool) -> None:
    """Store the notification URL of a profile in the keyring."""
    from cenports_nb.reports.notification import check_url  # noqa: PLC0415

    url = _read_secret("notification URL", from_stdin=from_stdin)
    check_url(url)
    store_notify_url(profile, url)
    print_text(f"The notification URL of profile {profile!r} is in the keyring.")


def _read_secret(what: str, *, from_stdin: bool) -> Secret:
    """Read a secret from standard input, or ask for it.

    Raises:
        InvalidRequestError: It is empty, or nobody can be asked.
    """
    secret = Secret(
        sys.stdin.read().strip() if from_stdin else _require_value(what, "--secret-stdin", None, hide_input=True)
    )
    if not secret:
        raise InvalidRequestError(f"The {what} is empty: nothing was changed.")
    return secret


def logout(
    profile: ProfileNameOption = "default",
    notify: Annotated[bool, typer.Option("--notify", help="Delete the notification URL, and nothing else.")] = False,
) -> None:
    """Delete a profile's secret from the keyring."""
    if notify:
        there = delete_secret(profile, NOTIFY_ENTRY)
        print_text(
            f"{'The' if there else 'No'} notification URL of profile {profile!r} {'is gone from' if there else 'was in'} the keyring."
        )
        return
    client = read_client_id(home_folder(), profile)
    if client is None:
        raise ConfigurationError(f"Profile {profile!r} has no client id, so it has no secret to remove.")
    there = delete_secret(profile, client)
    print_text(
        f"The secret of profile {profile!r} is gone from the keyring; {WHAT_STAYS}."
        if there
        else f"No secret of profile {profile!r} was in the keyring; {WHAT_STAYS}."
    )


def _require_value(what: str, option: str, value: str | None, *, hide_input: bool = False) -> str:
    """Return a value, or ask for it.

    Raises:
        InvalidRequestError: Nobody can be asked, or the answer is empty.
    """
    if value is None:
        if not is_interactive():
            raise InvalidRequestError(f"The {what} is missing, and there is no terminal to ask on: give {option}.")
        value = typer.prompt(what.capitalize(), hide_input=hide_input, err=True)
    value = str(value).strip()
    if not value:
        raise InvalidRequestError(f"The {what} is empty: nothing was changed.")
    return value
