"""Settings of a client: environment, credentials, folders; one frozen value.

Client id, secret and partner id always come from one source together: arguments, a profile that was named, the
environment variables, or the default profile, in this order. A profile is a table of `profiles.toml` without secrets; its
secret is in the system's keyring.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cenports_nb.account import BASE_URLS, clean_address, is_loopback, normalize_account, split_account
from cenports_nb.credentials import read_secret
from cenports_nb.errors import ConfigurationError
from cenports_nb.profiles import read_profile, read_seconds, read_table
from cenports_nb.rendering.surface import choose_wording, name_argument
from cenports_nb.secret import Secret, hide

DEFAULT_REQUESTS_PER_MINUTE = 60  # as in the reference

ENVIRONMENT_HINTS = {
    "python": 'Say which account is meant: connect("sandbox"), connect("staging") or connect("production"); or set '
    "CENPORTS_ENVIRONMENT; or write a [default] profile with environment = … into profiles.toml in CENPORTS_HOME.",
    "terminal": "Say which account is meant: --env sandbox, --env staging or --env production; or set CENPORTS_ENVIRONMENT; "
    "or store a default account with `cenports-nb login`.",
}


@dataclasses.dataclass(frozen=True)
class Credentials:
    """The credentials of an account; the secret is never shown."""

    partner_id: str
    client_id: str
    client_secret: Secret = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "client_secret", hide(self.client_secret))


# The sandbox has one fixed, public account.
SANDBOX_CREDENTIALS = Credentials("SANDBOX", "sandbox-client", Secret("sandbox-secret"))


_Keys = tuple[str | None, str | None, Secret | None]
_SANDBOX_KEYS: _Keys = (
    SANDBOX_CREDENTIALS.partner_id,
    SANDBOX_CREDENTIALS.client_id,
    SANDBOX_CREDENTIALS.client_secret,
)
SECRET_VARIABLE = "CENPORTS_CLIENT_SECRET"  # noqa: S105 - its name


@dataclasses.dataclass(frozen=True)
class Settings:
    """The checked arguments of `connect`; `base_url` is empty for a sandbox that is not started yet."""

    environment: str
    base_url: str
    partner_id: str
    credentials: Credentials
    read_only: bool
    rate_limit: int
    time_zone: str
    cache: bool | Path
    home: Path
    profile: str | None
    offline: bool = False
    ages: Mapping[str, float] = dataclasses.field(default_factory=dict)
    dialect: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def account(self) -> str:
        """The identity of the account: the normalized address and the partner id.

        An address of this machine in front of production or staging is a recorder: the account is the environment's.
        """
        return normalize_account(f"{self.base_url}|{self.partner_id}", self.environment)

    @property
    def account_name(self) -> str:
        """The account's name in frames of several accounts: its profile, else environment and partner."""
        return self.profile or f"{self.environment}:{self.partner_id}"

    @property
    def account_address(self) -> str:
        """The address of the account."""
        return split_account(self.account)[0]


def resolve_settings(
    environment: str | None = None,
    *,
    profile: str | None = None,
    partner_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | Secret | None = None,
    base_url: str | None = None,
    cache: bool | str | Path = True,
    offline: bool = False,
    read_only: bool | None = None,
    rate_limit: int | None = None,
    time_zone: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Combine arguments, profile and environment variables into one checked value.

    Raises:
        ConfigurationError: A setting is missing or invalid; the message says where.
    """
    _check_texts(environment=environment, profile=profile, base_url=base_url, time_zone=time_zone)
    client_secret = hide(client_secret)
    env = _read_variables(environ)
    environ = None  # it may hold the secret in clear text, and tracebacks show variables
    home = home_folder(env)
    profile_name = profile or env.get("CENPORTS_PROFILE") or None
    table = read_profile(home, profile_name)
    chosen = environment or env.get("CENPORTS_ENVIRONMENT") or table.get("environment")
    if not chosen:
        raise ConfigurationError(choose_wording(**ENVIRONMENT_HINTS))
    check_environment(chosen)
    address = _choose_base_url(chosen, base_url, table, env)
    # A default profile for one environment doesn't apply to another.
    owner = table.get("environment") or (None if chosen == "sandbox" else chosen)
    own = table if profile_name or owner == chosen else {}
    given: _Keys = (partner_id, client_id, client_secret)
    try:
        credentials = _choose_credentials(chosen, given, profile_name, table, env)
    except ConfigurationError:
        if not offline:
            raise
        # Nothing is sent, so a partner id is enough; without one the cache may have it.
        partner = partner_id or table.get("partner_id") or env.get("CENPORTS_PARTNER_ID") or ""
        credentials = Credentials(str(partner), "", Secret(""))
    return Settings(
        environment=chosen,
        base_url=address,
        partner_id=credentials.partner_id,
        credentials=credentials,
        read_only=chosen == "production" if read_only is None else bool(read_only),
        rate_limit=_choose_rate_limit(rate_limit, table, env),
        time_zone=_check_time_zone(time_zone or env.get("CENPORTS_TIME_ZONE") or table.get("time_zone") or "UTC"),
        cache=cache if isinstance(cache, bool) else _expand_path(cache, "cache"),
        home=home,
        profile=profile_name or ("default" if table else None),
        offline=bool(offline),
        ages=read_seconds(own, "ages"),
        dialect=read_table(own, "dialect"),
    )


def check_environment(name: str) -> None:
    """Refuse an environment that does not exist.

    Raises:
        ConfigurationError: Its name is none of those known.
    """
    if name not in BASE_URLS:
        raise ConfigurationError(f"There is no environment {name!r}: use one of {', '.join(map(repr, BASE_URLS))}.")


def _check_texts(**arguments: object) -> None:
    """Refuse arguments that are neither text nor None."""
    for name, value in arguments.items():
        if not isinstance(value, str | None):
            raise ConfigurationError(f"{name_argument(name, value)} isn't text: pass it in quotes.")


def _expand_path(path: str | Path, source: str) -> Path:
    """Expand `~` in a path."""
    if not isinstance(path, str | Path):
        raise ConfigurationError(f"{source}={path!r} isn't a folder: pass True, False, or a path.")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"{source} {str(path)!r} names a home folder that is not known: write it out."
        ) from None


def _read_variables(environ: Mapping[str, str] | None) -> dict[str, Any]:
    """Read our environment variables, with the secret hidden from tracebacks."""
    names = [name for name in (os.environ if environ is None else environ) if name.startswith("CENPORTS_")]
    found: dict[str, Any] = {name: (os.environ if environ is None else environ)[name] for name in names}
    return found | {SECRET_VARIABLE: hide(found.get(SECRET_VARIABLE))}


def _read_key_variables(env: Mapping[str, Any]) -> _Keys:
    return env.get("CENPORTS_PARTNER_ID"), env.get("CENPORTS_CLIENT_ID"), hide(env.get(SECRET_VARIABLE))


def home_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of profiles, cache and journal: `CENPORTS_HOME`, else the platform's own."""
    variable = (os.environ if environ is None else environ).get("CENPORTS_HOME")
    if variable:
        return _expand_path(variable, "CENPORTS_HOME")
    import platformdirs  # noqa: PLC0415 - only needed without CENPORTS_HOME

    return Path(platformdirs.user_data_dir("cenports-nb", appauthor=False))


def read_profile_value(key: str, profile: str | None = None) -> Any:
    """Return one value of a profile: the named one, else that of CENPORTS_PROFILE, else the default profile.

    Returns:
        The value; None if the profile lacks it.

    Raises:
        ConfigurationError: The file can't be read, or has no such profile.
    """
    return read_profile(home_folder(), profile or os.environ.get("CENPORTS_PROFILE") or None).get(key)


def _choose_base_url(chosen: str, base_url: str | None, table: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Choose the base URL; plain http is allowed for loopback only."""
    address, source = base_url, "base_url"
    variable = env.get("CENPORTS_BASE_URL")
    # A variable left over from a test must not send production's credentials elsewhere.
    if not address and variable and (chosen != "production" or is_loopback(variable)):
        address, source = variable, "CENPORTS_BASE_URL"
    # Nor must the address of one environment's profile get the credentials of another.
    owner = table.get("environment") or (None if chosen == "sandbox" else chosen)
    if not address and table.get("base_url") and owner == chosen:
        address, source = str(table["base_url"]), "base_url of the profile"
    if not address:
        return BASE_URLS[chosen]
    address = address.strip()
    try:
        parts = urlsplit(address)
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
        bad = bad or bool(parts.query or parts.fragment) or any(character.isspace() for character in address)
    except ValueError:
        bad = True
    if bad or "@" in address:
        shown = address.rpartition("@")[2]  # text before an @ may be a password
        raise ConfigurationError(f"{source} isn't an address: {shown!r}; write it as https://host/v2.")
    if parts.scheme == "http" and not is_loopback(address):
        raise ConfigurationError(f"{source} {address!r} would send the secret in clear: use https.")
    return clean_address(address)


def _choose_credentials(
    chosen: str,
    given: _Keys,
    profile_name: str | None,
    table: Mapping[str, Any],
    env: Mapping[str, str],
) -> Credentials:
    """Take partner id, client id and secret from the first source that has any of them, never mixed."""
    names = ("partner_id", "client_id", "client_secret")
    variables = ("CENPORTS_PARTNER_ID", "CENPORTS_CLIENT_ID", "CENPORTS_CLIENT_SECRET")
    sources: list[tuple[str, Callable[[], _Keys], tuple[str, ...]]] = [
        ("arguments", lambda: given, names),
        ("environment variables", lambda: _read_key_variables(env), variables),
    ]
    if chosen == "sandbox":
        # The sandbox has one fixed account, whatever credentials the environment has.
        sources.insert(1, ("sandbox", lambda: _SANDBOX_KEYS, names))
    title = f"profile {profile_name!r}" if profile_name else "default profile"
    # Read only if needed: a locked keyring asks for a password.
    from_profile = (title, lambda: _read_profile_credentials(profile_name or "default", table), names)
    sources.insert(1 if profile_name else len(sources), from_profile)
    for source, look_up, labels in sources:
        values = look_up()
        if not any(values):
            continue
        lacking = [label for label, value in zip(labels, values, strict=True) if not value]
        if not lacking:
            partner, client, secret = values
            return Credentials(str(partner), str(client), secret if isinstance(secret, Secret) else Secret(str(secret)))
        raise ConfigurationError(
            f"The {source} give only a part of the credentials for {chosen!r}: {', '.join(lacking)} "
            "is missing (the three always come from one source together)."
        )
    login = f"`cenports-nb login --env {chosen}`"
    ways = choose_wording(
        python=f"store them with {login}, or pass partner_id=, client_id= and client_secret= to connect, or",
        terminal=f"store them with {login}, or",
    )
    profile = choose_wording(python="profile", terminal="--profile")
    raise ConfigurationError(f"No credentials for {chosen!r}: {ways} set {', '.join(variables)}, or name a {profile}.")


def _read_profile_credentials(name: str, table: Mapping[str, Any]) -> _Keys:
    """Take partner id and client id from a profile, and its secret from the keyring."""
    client_id = table.get("client_id")
    return table.get("partner_id"), client_id, read_secret(name, client_id) if client_id else None


def _choose_rate_limit(rate_limit: int | None, table: Mapping[str, Any], env: Mapping[str, str]) -> int:
    """Choose the requests per minute, a positive whole number."""
    value = rate_limit if rate_limit is not None else env.get("CENPORTS_RATE_LIMIT") or table.get("rate_limit")
    if value is None:
        return DEFAULT_REQUESTS_PER_MINUTE
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ConfigurationError(f"The rate limit {value!r} isn't a number of requests per minute, such as 60.")
    return number


def _check_time_zone(name: str) -> str:
    """Check that a time zone exists."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"There is no time zone {name!r}: use a name such as 'Europe/Berlin'.") from None
    return name
