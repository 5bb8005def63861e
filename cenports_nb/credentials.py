"""The client secret of a profile: in the system's keyring, never in a file."""

from __future__ import annotations

from cenports_nb.errors import ConfigurationError
from cenports_nb.secret import Secret, hide

KEYRING_SERVICE = "cenports-nb"
NOTIFY_ENTRY = "notification URL"
"""The entry of a profile's notification URL, in the place of a client id."""
NOTIFY_HINT = "set CENPORTS_NOTIFY_URL instead"
ENVIRONMENT_HINT = "set CENPORTS_PARTNER_ID, CENPORTS_CLIENT_ID and CENPORTS_CLIENT_SECRET instead"


def read_secret(profile: str, client_id: str, *, hint: str = ENVIRONMENT_HINT) -> Secret | None:
    """Look up a secret; None if there is none, or no working keyring.

    Raises:
        ConfigurationError: The keyring failed unexpectedly.
    """
    import keyring  # noqa: PLC0415 - slow to import, and only profiles need it
    import keyring.errors  # noqa: PLC0415

    try:
        return hide(keyring.get_password(KEYRING_SERVICE, _keyring_user(profile, client_id)))
    except keyring.errors.KeyringError:
        return None
    except Exception as error:  # noqa: BLE001 - backends raise what their libraries raise
        why = type(error).__name__
    raise ConfigurationError(f"The keyring of this machine failed ({why}): {hint}.")


def store_secret(profile: str, client_id: str, secret: str | Secret, *, hint: str = ENVIRONMENT_HINT) -> None:
    """Store a secret in the keyring, and read it back, because some backends store nothing.

    Raises:
        ConfigurationError: There is no keyring, or it is locked.
    """
    secret = secret if isinstance(secret, Secret) else Secret(secret)
    import keyring  # noqa: PLC0415
    import keyring.errors  # noqa: PLC0415

    # Raised after the handler, so that no reference leads to the keyring's frames, which hold the secret.
    problem = ""
    try:
        keyring.set_password(KEYRING_SERVICE, _keyring_user(profile, client_id), secret.reveal())
    except keyring.errors.NoKeyringError:
        problem = f"This machine has no keyring that could keep a secret: {hint}."
    except Exception as error:  # noqa: BLE001 - backends raise what their libraries raise
        why = type(error).__name__  # its text is another library's, and may quote the secret
        problem = f"The keyring did not take the secret ({why}): unlock it and try again, or {hint}."
    if problem:
        raise ConfigurationError(problem)
    if read_secret(profile, client_id, hint=hint) != secret:
        raise ConfigurationError(f"The keyring of this machine keeps nothing: {hint}.")


def read_notify_url(profile: str) -> Secret | None:
    """Look up the notification URL of a profile; None if there is none, or no working keyring.

    Raises:
        ConfigurationError: The keyring failed unexpectedly.
    """
    return read_secret(profile, NOTIFY_ENTRY, hint=NOTIFY_HINT)


def store_notify_url(profile: str, url: Secret) -> None:
    """Store the notification URL of a profile.

    Raises:
        ConfigurationError: There is no keyring, or it is locked.
    """
    store_secret(profile, NOTIFY_ENTRY, url, hint=NOTIFY_HINT)


def delete_secret(profile: str, client_id: str) -> bool:
    """Delete a secret from the keyring; return whether there was one.

    Raises:
        ConfigurationError: There is no keyring, or it is locked.
    """
    import keyring  # noqa: PLC0415
    import keyring.errors  # noqa: PLC0415

    try:
        keyring.delete_password(KEYRING_SERVICE, _keyring_user(profile, client_id))
    except keyring.errors.PasswordDeleteError:
        return False
    except keyring.errors.NoKeyringError:
        raise ConfigurationError("This machine has no keyring, so no secret is in one.") from None
    except keyring.errors.KeyringError as error:
        why = type(error).__name__
        raise ConfigurationError(f"The keyring can't be changed ({why}): unlock it and try again.") from None
    return True


def _keyring_user(profile: str, client_id: str) -> str:
    return f"{profile}:{client_id}"
