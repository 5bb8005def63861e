"""`connect` and the client: one account with its HTTP session and usage."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from cenports_nb.api.dialect import Dialect
from cenports_nb.api.endpoints import Endpoints
from cenports_nb.api.http.cache_policy import CacheAges
from cenports_nb.api.http.rate_limit import Clock, RateLimiter
from cenports_nb.api.request_schema import check_body
from cenports_nb.api.runtime import Runtime
from cenports_nb.api.usage import Usage
from cenports_nb.errors import ConfigurationError, ReadOnlyError
from cenports_nb.rendering.note import render_note
from cenports_nb.rendering.surface import choose_wording
from cenports_nb.rendering.text import format_duration
from cenports_nb.secret import Secret, hide
from cenports_nb.settings import Settings, resolve_settings

if TYPE_CHECKING:
    from cenports_nb.api.http.cache import Cache
    from cenports_nb.api.http.session import ApiResponse, ApiSession
    from cenports_nb.api.http.write_generation import WriteGeneration
    from cenports_nb.sandbox import Sandbox

T = TypeVar("T")


def connect(
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
    dialect: Dialect | None = None,
) -> Client:
    """Connect to a Cenports account, or to the built-in sandbox; no request is sent yet.

    Args:
        environment: `"production"`, `"staging"` or `"sandbox"`; by default `CENPORTS_ENVIRONMENT` or the profile's.
        profile: A table of `profiles.toml` in `CENPORTS_HOME`; its secret is in the keyring.
        partner_id: The credentials, with `client_id` and `client_secret`; by default those of profile or environment.
        client_id: See `partner_id`.
        client_secret: See `partner_id`.
        base_url: Another address; plain http only on this machine.
        cache: True for the default folder, False for no cache, or a folder.
        offline: Answer only from the cache, at any age; needs no credentials.
        read_only: Refuse every write; by default True in production, else False.
        rate_limit: Requests per minute, 60 by default.
        time_zone: IANA zone of days, UTC by default.
        dialect: How to read what the API's reference leaves open; by default the profile's, see `cenports-nb doctor`.

    Raises:
        ConfigurationError: A setting is missing or invalid; nothing was sent.

    Example:
        >>> client = cn.connect("sandbox")
        >>> len(cn.load_orders(client, last="30D"))
        71
        >>> client.close()
    """
    client_secret = hide(client_secret)  # from here on no traceback can show it
    found = resolve_settings(
        environment,
        profile=profile,
        partner_id=partner_id,
        client_id=client_id,
        client_secret=client_secret,
        base_url=base_url,
        cache=cache,
        offline=offline,
        read_only=read_only,
        rate_limit=rate_limit,
        time_zone=time_zone,
    )
    return Client(_with_cached_partner(found) if found.offline else found, dialect=dialect)


class Client:
    """One account, which the loaders take; a context manager that closes what it has opened.

    Attributes:
        settings: The checked arguments of `connect`.
        dialect: How the open questions of the API's reference are read.
        ages: Maximum ages of cached answers; assign another `CacheAges` to change them.
        usage: Requests sent, answers from the cache, seconds waited.
        api: One thin method for each documented call.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        dialect: Dialect | None = None,
        clock: Clock | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        if not isinstance(dialect, Dialect | None):
            raise ConfigurationError(f"dialect={dialect!r} isn't a Dialect: pass cn.Dialect(...).")
        self.dialect = dialect or Dialect.from_profile(settings.dialect)
        self.ages = CacheAges.from_profile(settings.ages)
        self.runtime = runtime or Runtime()
        self.clock = clock or self.runtime.clock
        self.usage = Usage()
        self.api = Endpoints(self.call, self._authorize)
        self._process = os.getpid()
        self._building = threading.Lock()
        self._session: ApiSession | None = None
        self._cache: Cache | None = None
        # Opened resources are closed by close() or, if a notebook forgets that, when the client is collected.
        self.resources = contextlib.ExitStack()
        self._finalizer = weakref.finalize(self, self.resources.close)
        self.reported_fields: set[str] = set()  # end points with their fields without a column, reported once each
        self._components: dict[type, Any] = {}  # objects of other layers that belong to the client; see component()
        self._components_lock = threading.RLock()
        self.home = settings.home
        self._shared_folder = settings.home
        self._sandbox: Sandbox | None = None
        if settings.environment == "sandbox":
            # A cache must never serve answers of one sandbox for another on the same port.
            self.home = _make_temporary_home()
            self.resources.callback(shutil.rmtree, self.home, ignore_errors=True)
            if not settings.base_url and settings.offline:
                self.close()
                raise ConfigurationError(
                    "A sandbox of its own has no cache to be offline with: pass base_url= and cache=."
                )
            if not settings.base_url:
                self._shared_folder = self.home
                self._sandbox = _start_sandbox()
                self.resources.callback(self._sandbox.close)
                settings = replace(settings, base_url=self._sandbox.url)
        self.settings = settings

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox that this client started; None if it started none."""
        return self._sandbox

    @property
    def session(self) -> ApiSession:
        """The HTTP session, built at first use so that connecting is fast."""
        self.ensure_own_process()
        if self._session is not None:
            return self._session
        with self._building:  # two threads must not build two sessions with a token each
            return self._session or self._build_session()

    def ensure_own_process(self) -> None:
        """Check that this process, not its parent, opened the client's resources; else open its own."""
        if self._process != os.getpid():
            self._reset_after_fork()

    def _reset_after_fork(self) -> None:
        """Leave connections, files and locks to the parent of a fork: they can't be shared."""
        _PARENT_RESOURCES.append((self._session, self._cache, self.resources))
        self._finalizer.detach()
        self._process = os.getpid()
        self._building = threading.Lock()
        self._session = self._cache = None
        self._components, self._components_lock = {}, threading.RLock()
        self.resources = contextlib.ExitStack()
        self._finalizer = weakref.finalize(self, self.resources.close)

    def component(self, kind: type[T], build: Callable[[], T]) -> T:
        """Return this client's instance of a class, built at first use; a forked child builds its own."""
        self.ensure_own_process()
        with self._components_lock:
            if kind not in self._components:
                self._components[kind] = build()
            return cast("T", self._components[kind])

    def _build_session(self) -> ApiSession:
        if not self._finalizer.alive:
            raise ConfigurationError("This client is closed: connect again.")
        from cenports_nb.api.http.cache import Cache  # noqa: PLC0415 - requests-cache takes most of a second
        from cenports_nb.api.http.session import ApiSession  # noqa: PLC0415

        settings = self.settings
        if settings.cache:
            self._cache = Cache(
                self.cache_folder, settings.account, self.writes, now=self.clock.now, base_url=settings.base_url
            )
            self.resources.callback(self._cache.close)
        rate_limiter = RateLimiter(
            settings.rate_limit,
            self.clock,
            account=f"{settings.account_address}|{settings.credentials.client_id}",
            folder=self._shared_folder,
            on_wait=self.usage.add_wait,
        )
        self._session = ApiSession(
            settings.base_url,
            settings.credentials,
            dialect=lambda: self.dialect,  # the doctor asks in others
            cache=self._cache,
            rate_limiter=rate_limiter,
            usage=self.usage,
            clock=self.clock,
            offline=settings.offline,
            exchange=self.runtime.exchange,
            random=self.runtime.random,
        )
        self.resources.callback(self._session.close)
        return self._session

    @property
    def cache_folder(self) -> Path:
        """The folder of the cache."""
        return self.settings.cache if isinstance(self.settings.cache, Path) else self.home

    @property
    def generation(self) -> str | None:
        """The account's write generation; None if answers must not be cached now."""
        if not self.session or self._cache is None or not self._cache.store.is_usable:
            return None
        state = self._cache.read_state()
        return None if state.is_open else state.generation

    @property
    def writes(self) -> WriteGeneration:
        """The record of the account's writes, shared by all its clients on this machine."""
        from cenports_nb.api.http.write_generation import WriteGeneration  # noqa: PLC0415 - connecting stays cheap

        settings, settle_seconds = self.settings, self.dialect.settle_minutes * 60
        return self.component(
            WriteGeneration,
            lambda: WriteGeneration(self._shared_folder, settings.account, settle_seconds, now=self.clock.now),
        )

    def get(self, path: str, parameters: Mapping[str, Any]) -> ApiResponse:
        """Fetch one answer past the cache."""
        return self.session.fetch(path, parameters)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> ApiResponse:
        """Send a write, once.

        Raises:
            ReadOnlyError: The client is read-only; nothing was sent.
        """
        self.check_writable(f"{method} {path}")
        return self.session.send(method, path, {"partnerId": self.settings.partner_id, **body})

    def write(
        self, method: str, path: str, body: Mapping[str, Any], slot: float, may_depart: Callable[[], bool]
    ) -> ApiResponse:
        """Send a write of a submission, once and without retries; see `ApiSession.write`.

        Raises:
            ReadOnlyError: The client is read-only; nothing was sent.
        """
        self.check_writable(f"{method} {path}")
        return self.session.write(method, path, {"partnerId": self.settings.partner_id, **body}, slot, may_depart)

    def call(self, method: str, path: str, parameters: Mapping[str, Any]) -> Any:
        """Make one documented call past the cache and the journal; return the parsed JSON.

        Raises:
            InvalidRequestError: A type or size doesn't fit the reference; nothing was sent.
            ReadOnlyError: A write through a read-only client; nothing was sent.
        """
        is_read = method == "GET"
        if not is_read:
            self.check_writable(f"{method} {path}")
        check_body(f"{method} {path}", {"partnerId": self.settings.partner_id, **parameters}, self.dialect.sizes)
        if is_read:
            return msgspec.json.decode(self.get(path, parameters).body)
        # Nobody tracks this write, so the cache counts it as open until it must have taken effect.
        self.write_started(f"api-{self.runtime.new_id()}")
        return msgspec.json.decode(self.send(method, path, parameters).body)

    def _authorize(self) -> None:
        self.session.tokens.header()

    def check_writable(self, what: str) -> None:
        """Refuse a write through a read-only client before anything else is done."""
        if self.settings.read_only:
            python = f'connect("{self.settings.environment}", read_only=False)'
            raise ReadOnlyError(
                f"{what} would write to {self.settings.environment}, and this client is read-only: nothing was sent. "
                f"If it is meant, {choose_wording(python=python, terminal='add --yes')}."
            )

    def write_started(self, write_id: str) -> None:
        """Make the cache of every client of the account stale, and cache nothing until `write_ended`."""
        self.writes.start(write_id)

    def write_ended(self, write_id: str) -> None:
        """Make stale what was read during the write."""
        self.writes.end(write_id)

    def close(self) -> None:
        """Close connections and files, and the sandbox if this client started one."""
        self._finalizer()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        facts = self._describe()
        return (
            f"<Client {facts['environment']} {facts['address']}, partner {facts['partner']}, {facts['writes']}, "
            f"cache {facts['cache']}, {facts['requests']}>"
        )

    def _repr_html_(self) -> str:
        return render_note("Cenports client", self._describe())

    def _describe(self) -> dict[str, str]:
        """Return facts about the client for people, without secrets."""
        settings = self.settings
        oldest = self._cache.oldest() if self._cache is not None else None
        cache = "on" if settings.cache else "off"
        if settings.offline:
            cache = "alone (offline)"
        elif oldest is not None:
            cache = f"up to {format_duration((self.clock.now() - oldest).total_seconds(), round_up=True)} old"
        return {
            "environment": settings.environment,
            "address": settings.base_url,
            "partner": settings.partner_id,
            "writes": "read-only" if settings.read_only else "writable",
            "cache": cache,
            "requests": repr(self.usage),
        }


def _make_temporary_home() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="cenports-nb-"))
    except OSError as error:
        raise ConfigurationError(
            f"No temporary folder for the sandbox's cache and journal can be made ({error}): make room, or set TMPDIR."
        ) from None


def _start_sandbox() -> Sandbox:
    """Start the built-in sandbox; the only place where the client imports it."""
    from cenports_nb.sandbox import Sandbox  # noqa: PLC0415 - only if asked for

    return Sandbox().start()


def _with_cached_partner(settings: Settings) -> Settings:
    """Take the partner id from the cache if it has exactly one and no other is given."""
    if settings.partner_id:
        return settings
    from cenports_nb.api.http.cache import list_partners  # noqa: PLC0415

    folder = settings.cache if isinstance(settings.cache, Path) else settings.home
    found = list_partners(folder, settings.account_address)
    if len(found) != 1:
        known = ", ".join(found) or "none"
        which = choose_wording(python="Pass partner_id=", terminal="Set CENPORTS_PARTNER_ID or name a --profile")
        raise ConfigurationError(
            f"Whose data is meant, offline? {which}; the cache in {folder} has answers of: {known}."
        )
    credentials = replace(settings.credentials, partner_id=found[0])
    return replace(settings, partner_id=found[0], credentials=credentials)


# A child process never closes what it inherited from its parent.
_PARENT_RESOURCES: list[object] = []
