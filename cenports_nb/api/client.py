"""`connect` and the client: one account, its wire, and what it has spent."""

from __future__ import annotations

import contextlib
import html
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cenports_nb import settings as settings_module
from cenports_nb.api.dialect import Dialect
from cenports_nb.api.endpoints import Endpoints
from cenports_nb.api.pacing import Clock, SystemClock
from cenports_nb.api.usage import Usage
from cenports_nb.errors import ConfigurationError, ReadOnlyError
from cenports_nb.settings import Settings

if TYPE_CHECKING:
    from cenports_nb.api.cache import Cache
    from cenports_nb.api.wire import Answer, Wire
    from cenports_nb.sandbox import Sandbox


def connect(
    environment: str | None = None,
    *,
    profile: str | None = None,
    partner_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    base_url: str | None = None,
    cache: bool | str | Path = True,
    read_only: bool | None = None,
    rate_limit: int | None = None,
    time_zone: str | None = None,
    dialect: Dialect | None = None,
) -> Client:
    """Connect to an account of Cenports, or to the built-in sandbox; nothing is sent yet.

    Args:
        environment: `"production"`, `"staging"` or `"sandbox"`; else `CENPORTS_ENVIRONMENT` or a profile.
        profile: A table of `profiles.toml` in `CENPORTS_HOME`; its secret is in the keyring.
        partner_id: With `client_id` and `client_secret`, the credentials; else profile or environment.
        client_id: See `partner_id`.
        client_secret: See `partner_id`.
        base_url: Another address; plain http only on this machine.
        cache: True for the default place, False for none, or a folder.
        read_only: Refuse every write. By default yes in production, no elsewhere.
        rate_limit: Requests a minute, 60 by default.
        time_zone: The zone in which days are meant, UTC by default.
        dialect: Other readings of what the API's reference leaves open.

    Raises:
        ConfigurationError: Nothing or nonsense is configured; nothing was sent.
    """
    found = settings_module.resolve(
        environment,
        profile=profile,
        partner_id=partner_id,
        client_id=client_id,
        client_secret=client_secret,
        base_url=base_url,
        cache=cache,
        read_only=read_only,
        rate_limit=rate_limit,
        time_zone=time_zone,
    )
    return Client(found, dialect=dialect or Dialect())


class Client:
    """One account: pass it to the loaders; a context manager that closes what it opened.

    Attributes:
        settings: What `connect` was told.
        dialect: How the reference's open questions are read.
        usage: Requests sent, answers cached, seconds waited.
        api: One thin method for each documented call.
    """

    def __init__(self, settings: Settings, *, dialect: Dialect | None = None, clock: Clock | None = None) -> None:
        self.dialect = dialect or Dialect()
        self.clock = clock or SystemClock()
        self.usage = Usage()
        self.api = Endpoints(self)
        self._building = threading.Lock()
        self._wire: Wire | None = None
        self._cache: Cache | None = None
        # What was opened is closed with the client, by close() or, forgotten in a notebook, when it goes.
        self.resources = contextlib.ExitStack()
        self._finalizer = weakref.finalize(self, self.resources.close)
        self.home = settings.home
        self._sandbox: Sandbox | None = None
        if settings.environment == "sandbox":
            # Nothing of one sandbox may ever be served for another on the same port.
            self.home = Path(tempfile.mkdtemp(prefix="cenports-nb-"))
            self.resources.callback(shutil.rmtree, self.home, ignore_errors=True)
            if not settings.base_url:
                self._sandbox = _start_sandbox()
                self.resources.callback(self._sandbox.close)
                settings = replace(settings, base_url=self._sandbox.url)
        self.settings = settings

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox that this client started, if it did."""
        return self._sandbox

    @property
    def wire(self) -> Wire:
        """The wire, built at first use: importing and connecting stay cheap."""
        with self._building:  # two threads must not build two, with a token each
            return self._wire or self._build_wire()

    def _build_wire(self) -> Wire:
        if not self._finalizer.alive:
            raise ConfigurationError("This client is closed: connect again.")
        from cenports_nb.api.cache import Cache  # noqa: PLC0415 - requests-cache takes most of a second
        from cenports_nb.api.wire import Wire  # noqa: PLC0415

        folder = self.settings.cache if isinstance(self.settings.cache, Path) else self.home
        self._cache = (
            Cache(folder, self.settings.account, self.dialect.settle_minutes * 60) if self.settings.cache else None
        )
        if self._cache:
            self.resources.callback(self._cache.close)
        self._wire = Wire(
            self.settings.base_url,
            self.settings.credentials,
            cache=self._cache,
            rate_limit=self.settings.rate_limit,
            usage=self.usage,
            clock=self.clock,
        )
        self.resources.callback(self._wire.close)
        return self._wire

    def get(
        self,
        path: str,
        parameters: Mapping[str, Any],
        *,
        url: str | None = None,
        refresh: bool = False,
        keep: bool = True,
    ) -> Answer:
        """Read one answer; parameters travel as the dialect has it, the partner id always with them."""
        full = {"partnerId": self.settings.partner_id, **parameters}
        where = "query" if path == "/channels" else self.dialect.get_parameters
        return self.wire.get(
            path,
            body=full if where in ("body", "both") else None,
            query={name: _in_query(value) for name, value in full.items()} if where in ("query", "both") else None,
            url=url,
            refresh=refresh,
            keep=keep,
        )

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Write something, once.

        Raises:
            ReadOnlyError: The client is read-only; nothing was sent.
        """
        self.check_writable(f"{method} {path}")
        return self.wire.send(method, path, {"partnerId": self.settings.partner_id, **body})

    def check_writable(self, what: str) -> None:
        """Stop a write through a read-only client before anything is done for it."""
        if self.settings.read_only:
            raise ReadOnlyError(
                f"{what} would write to {self.settings.environment}, and this client is read-only: nothing was "
                f'sent. If it is meant, connect("{self.settings.environment}", read_only=False).'
            )

    def write_started(self, write_id: str) -> None:
        """Make the cache stale, and keep nothing until `write_ended`."""
        if self.wire and self._cache:
            self._cache.write_started(write_id)

    def write_ended(self, write_id: str) -> None:
        """Make stale what was read during the write."""
        if self.wire and self._cache:
            self._cache.write_ended(write_id)

    def close(self) -> None:
        """Close connections and files, and the sandbox if this client started one."""
        self._finalizer()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        mode = "read-only" if self.settings.read_only else "writable"
        cache = "on" if self.settings.cache else "off"
        return (
            f"<Client {self.settings.environment} {self.settings.base_url}, partner {self.settings.partner_id}, "
            f"{mode}, cache {cache}, {self.usage!r}>"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _start_sandbox() -> Sandbox:
    """Start the built-in stand-in; the one place where client and sandbox meet."""
    from cenports_nb.sandbox import Sandbox  # noqa: PLC0415 - only if asked for

    return Sandbox().start()


def _in_query(value: Any) -> Any:
    """Write a parameter as a query string has it."""
    return str(value).lower() if isinstance(value, bool) else value
