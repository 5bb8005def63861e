"""Profiles: tables of `profiles.toml`, each the settings of one account without its secret."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cenports_nb.errors import ConfigurationError
from cenports_nb.private_files import write_private_file
from cenports_nb.secret import hide

FILE_NAME = "profiles.toml"


def read_profile(home: Path, name: str | None) -> dict[str, Any]:
    """Read one profile; a missing file is an empty default profile."""
    path, profiles = home / FILE_NAME, _read_profiles(home)
    if name is None:
        table = profiles.get("default", {})
    elif name in profiles:
        table = profiles[name]
    else:
        known = ", ".join(sorted(profiles)) or "none"
        raise ConfigurationError(f"There is no profile {name!r} in {path}; profiles there: {known}.")
    if not isinstance(table, dict):
        raise ConfigurationError(f"Profile {name or 'default'!r} in {path} is not a [table]: give it one.")
    if "client_secret" in table:
        raise ConfigurationError(
            f"Profile {name or 'default'!r} in {path} holds a client_secret: remove it there, "
            f"and keep the secret in the keyring (`cenports-nb login`) or in CENPORTS_CLIENT_SECRET."
        )
    return table


def read_client_id(home: Path, name: str) -> str | None:
    """Return the client id of a profile; None if there is no such profile.

    Raises:
        ConfigurationError: The file can't be read.
    """
    table = _read_profiles(home).get(name, {})
    found = table.get("client_id") if isinstance(table, dict) else None
    return str(found) if found else None


def save_profile(home: Path, name: str, changes: Mapping[str, Any]) -> Path:
    """Write values to a profile; a mapping goes to its table of that name. Comments stay, secrets are refused.

    Raises:
        ConfigurationError: The file can't be read or written.
    """
    import tomlkit  # noqa: PLC0415 - only the doctor and a log-in write profiles
    import tomlkit.exceptions  # noqa: PLC0415

    path = home / FILE_NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
        table: Any = document.setdefault(name, tomlkit.table())
        for key, value in changes.items():
            if isinstance(value, Mapping):
                table.setdefault(key, tomlkit.table()).update(value)
            elif key != "client_secret":
                table[key] = value
        write_private_file(path, tomlkit.dumps(document).encode())
    except (OSError, UnicodeDecodeError, tomlkit.exceptions.TOMLKitError) as error:
        raise ConfigurationError(f"{path} can't be written ({error}): fix or delete it.") from None
    return path


def _read_profiles(home: Path) -> dict[str, Any]:
    """Read all profiles; none if the file is missing."""
    path = home / FILE_NAME
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = str(error)
    else:
        for table in profiles.values():
            if isinstance(table, dict) and "client_secret" in table:
                table["client_secret"] = hide(str(table["client_secret"]))  # `read_profile` refuses it, and never shown
        return profiles
    # Raised after the handler, so that no reference leads to frames that hold the file's text.
    raise ConfigurationError(f"{path} can't be read ({reason}): fix or delete it.")


def read_table(profile: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a table of a profile."""
    found = profile.get(name, {})
    if not isinstance(found, dict):
        raise ConfigurationError(f"{name} = {found!r} in the profile isn't a table: write it as [profile.{name}].")
    return found


def read_seconds(profile: Mapping[str, Any], name: str) -> Mapping[str, float]:
    """Return a table of seconds of a profile."""
    found = read_table(profile, name)
    for key, value in found.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
            raise ConfigurationError(f"{name}.{key} = {value!r} in the profile isn't a number of seconds, such as 60.")
    return {key: float(value) for key, value in found.items()}
