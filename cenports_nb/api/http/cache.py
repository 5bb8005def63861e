"""The response cache: the key of a page, and what makes it stale.

The account's write generation is part of every key, so that raising it makes all answers stale at once, including
those on their way. While a write is open nothing is cached, because the change may take effect at any moment. The
maximum age is checked when an answer is read, not when it is stored, because it depends on what else its month holds.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from requests_cache import NEVER_EXPIRE, CachedSession
from requests_cache.backends.base import BaseCache

from cenports_nb.account import normalize_address
from cenports_nb.api.http.cache_store import FILE_NAME, CacheStore
from cenports_nb.api.http.write_generation import WriteGeneration, WriteState

MAX_CLOCK_SKEW_SECONDS = 60.0
"""A page from further in the future was stored under a wrong clock."""


@dataclass(frozen=True)
class CacheableRequest:
    """What distinguishes a request from others."""

    method: str | None
    url: str | None
    body: bytes | str | None


class Cache:
    """The cached pages of one account."""

    def __init__(
        self, folder: Path, account: str, writes: WriteGeneration, now: Callable[[], datetime], *, base_url: str = ""
    ) -> None:
        self._account = account
        self._base_url = base_url
        self._address = normalize_address(base_url)
        self._writes = writes
        self._now = now
        self.store = CacheStore(folder, account, now)
        self._seen_generation = self._read_seen_generation()

    def session(self) -> CachedSession:
        """Build the session that stores pages, unless a request says `no-store`."""
        backend = BaseCache()
        backend.responses = self.store
        return CachedSession(
            backend=backend,
            key_fn=lambda request, **_: self.key(request, self.read_state().generation),
            allowable_methods=("GET",),
            allowable_codes=(200,),
            expire_after=NEVER_EXPIRE,
        )

    def find(
        self, request: CacheableRequest, max_age: float, *, any_generation: bool = False
    ) -> tuple[bytes, datetime] | None:
        """Return an answer of at most this age; with any generation, the newest one."""
        if any_generation:
            return self.store.read_newest_body(self._request_key(request))
        if not self.store.is_usable:
            return None
        state = self.read_state()
        found = None if state.is_open else self.store.read_body(self.key(request, state.generation))
        if found is None:
            return None
        age = (self._now() - found[1]).total_seconds()
        return found if -MAX_CLOCK_SKEW_SECONDS <= age <= max_age else None

    def key(self, request: Any, generation: str) -> str:
        """Return the key of a request's answer in one generation."""
        return f"{self._request_key(request)}{generation}"

    def _request_key(self, request: Any) -> str:
        """Return account, method, address and parameters; no header, so no token.

        The address is normalized but not replaced: a local server that stands in for staging never answers for it.
        """
        body = request.body if isinstance(request.body, bytes | str) else b""  # a read has no other kind of body
        url = request.url or ""
        if self._base_url and url.startswith(self._base_url):
            url = self._address + url[len(self._base_url) :]
        parts = (self._account, request.method or "", url)
        digest = hashlib.blake2b(digest_size=20)
        for part in (*(text.encode() for text in parts), body.encode() if isinstance(body, str) else body):
            digest.update(len(part).to_bytes(8, "big") + part)
        return f"{digest.hexdigest()}-"

    @property
    def keeps(self) -> bool:
        """Whether a page may be cached now: no open write may change it."""
        return self.store.is_usable and not self.read_state().is_open

    def read_state(self) -> WriteState:
        """Read the write generation, and whether a write is open; called for each page."""
        state = self._writes.read()
        if not state.generation and self._seen_generation and not state.is_open:
            self._writes.renew()  # the file was deleted: answers from before the first write must not become fresh again
            state = self._writes.read()
        if state.generation and state.generation != self._seen_generation:
            self._seen_generation = state.generation
            row = (self._account, state.generation)
            self.store.run(lambda file: file.execute("INSERT OR REPLACE INTO seen_generation VALUES (?, ?)", row), None)
        return state

    def _read_seen_generation(self) -> str:
        query = "SELECT generation FROM seen_generation WHERE account = ?"
        row = self.store.run(lambda file: file.execute(query, (self._account,)).fetchone(), None)
        return str(row[0]) if row else ""

    def oldest(self) -> datetime | None:
        """Return when the oldest answer of this account was stored, UTC."""
        row = self.store.run(
            lambda file: file.execute("SELECT min(at) FROM answer WHERE account = ?", (self._account,)).fetchone(), None
        )
        return datetime.fromtimestamp(row[0], UTC) if row and row[0] else None

    def close(self) -> None:
        """Close the file."""
        self.store.close()


@dataclass(frozen=True)
class CachedAccount:
    """What the cache has of one account; `oldest` and `newest` are UTC."""

    account: str
    answers: int
    size: int
    oldest: datetime
    newest: datetime


def list_accounts(folder: Path) -> list[CachedAccount]:
    """Describe a cache by account; empty if it is missing or can't be read."""
    rows = _query_read_only(
        folder, "SELECT account, count(*), sum(size), min(at), max(at) FROM answer GROUP BY account ORDER BY account"
    )
    return [
        CachedAccount(account, answers, size, datetime.fromtimestamp(oldest, UTC), datetime.fromtimestamp(newest, UTC))
        for account, answers, size, oldest, newest in rows
    ]


def list_partners(folder: Path, address: str) -> list[str]:
    """List the partner ids of an address that the cache has answers of."""
    start = f"{address}|"
    accounts = (row[0] for row in _query_read_only(folder, "SELECT DISTINCT account FROM answer"))
    return sorted(account.removeprefix(start) for account in accounts if account.startswith(start))


def clear_cache(folder: Path) -> int:
    """Delete the cache of a home, all accounts, and return its size in bytes; the journal is elsewhere."""
    freed = 0
    for path in sorted(folder.glob(f"{FILE_NAME}*")):
        freed += path.stat().st_size
        path.unlink(missing_ok=True)
    return freed


def _query_read_only(folder: Path, query: str) -> list[Any]:
    """Query a cache without creating one."""
    path = folder / FILE_NAME
    if not path.exists():
        return []
    try:
        file = sqlite3.connect(path, timeout=2)
        try:
            return file.execute(query).fetchall()
        finally:
            file.close()
    except sqlite3.Error:
        return []
