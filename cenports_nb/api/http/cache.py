"""The response cache: under which key a page is kept, and what makes it stale.

The account's write generation is a part of every key, so that raising it makes all answers stale at
once, those too that are on their way; while a write is under way nothing is kept at all, because the
change may land at any moment. How old an answer may be is asked when it is read, not when it is kept:
it depends on what else its month holds.
"""

from __future__ import annotations

import hashlib
import math
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

MAX_CLOCK_SKEW_SECONDS = 60.0
"""A page from further in the future was kept under a wrong clock."""


STATE_SQL = """
SELECT coalesce((SELECT number FROM generation WHERE account = ?), 0),
       EXISTS (SELECT 1 FROM open_write WHERE account = ? AND since > ?)
"""


@dataclass(frozen=True)
class CacheableRequest:
    """What tells one request from another."""

    method: str | None
    url: str | None
    body: bytes | str | None


class Cache:
    """The cached pages of one account."""

    def __init__(
        self, folder: Path, account: str, settle_seconds: float, now: Callable[[], datetime], *, base_url: str = ""
    ) -> None:
        self._account = account
        self._base_url = base_url
        self._address = normalize_address(base_url)
        self._settle_seconds = settle_seconds
        self._now = now
        self.store = CacheStore(folder, account, now)

    def session(self) -> CachedSession:
        """Build the session that stores pages, unless a request says `no-store`."""
        backend = BaseCache()
        backend.responses = self.store
        return CachedSession(
            backend=backend,
            key_fn=lambda request, **_: self.key(request, self.generation),
            allowable_methods=("GET",),
            allowable_codes=(200,),
            expire_after=NEVER_EXPIRE,
        )

    def find(self, request: CacheableRequest, max_age: float) -> tuple[bytes, datetime] | None:
        """Look an answer up that is no older than this; at any age, the newest of any generation."""
        generation, keeps = self._read_state()
        offline = max_age == math.inf
        if not (offline or keeps):
            return None
        oldest = 0 if offline else generation
        for number in range(generation, oldest - 1, -1):
            found = self.store.read_body(self.key(request, number))
            if found is not None:
                age = (self._now() - found[1]).total_seconds()
                return found if offline or -MAX_CLOCK_SKEW_SECONDS <= age <= max_age else None
        return None

    def key(self, request: Any, generation: int) -> str:
        """Account, generation, method, address and parameters; no header, so no token.

        The address is normalized, but it is the one that was asked: a server on this machine that stands in for
        staging never answers for it.
        """
        body = request.body or b""
        url = request.url or ""
        if self._base_url and url.startswith(self._base_url):
            url = self._address + url[len(self._base_url) :]
        parts = (self._account, str(generation), request.method or "", url)
        digest = hashlib.blake2b(digest_size=20)
        for part in (*(text.encode() for text in parts), body.encode() if isinstance(body, str) else body):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    @property
    def keeps(self) -> bool:
        """Whether a page may be kept now: no write is under way that could change it."""
        return self._read_state()[1]

    @property
    def generation(self) -> int:
        """How often the account was written to, as far as this machine knows."""
        return self._read_state()[0]

    def _read_state(self) -> tuple[int, bool]:
        """Read the write generation, and whether a page may be kept now, in one query: each page asks."""
        since = self._now().timestamp() - self._settle_seconds
        values = (self._account, self._account, since)
        generation, write_is_open = self.store.run(lambda file: file.execute(STATE_SQL, values).fetchone(), (0, False))
        return generation, not write_is_open

    def write_started(self, write_id: str) -> None:
        """Make all that is kept stale, and keep nothing until the write has ended."""
        row = (self._account, write_id, self._now().timestamp())

        def note(file: sqlite3.Connection) -> None:
            file.execute("INSERT OR REPLACE INTO open_write VALUES (?, ?, ?)", row)
            self._raise_generation(file)

        self.store.run(note, None)

    def write_ended(self, write_id: str) -> None:
        """Make stale what was read while the write was under way."""

        def note(file: sqlite3.Connection) -> None:
            self._raise_generation(file)
            file.execute("DELETE FROM open_write WHERE account = ? AND id = ?", (self._account, write_id))

        self.store.run(note, None)

    def oldest(self) -> datetime | None:
        """Tell when the oldest answer of this account was kept, UTC."""
        row = self.store.run(
            lambda file: file.execute("SELECT min(at) FROM answer WHERE account = ?", (self._account,)).fetchone(), None
        )
        return datetime.fromtimestamp(row[0], UTC) if row and row[0] else None

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def _raise_generation(self, file: sqlite3.Connection) -> None:
        file.execute(
            "INSERT INTO generation VALUES (?, 1) ON CONFLICT (account) DO UPDATE SET number = number + 1",
            (self._account,),
        )


@dataclass(frozen=True)
class CachedAccount:
    """What the cache holds of one account; `oldest` and `newest` are UTC."""

    account: str
    answers: int
    size: int
    oldest: datetime
    newest: datetime


def list_accounts(folder: Path) -> list[CachedAccount]:
    """Tell what a cache holds, account by account; nothing for a cache that is not there or can't be read."""
    rows = _query_read_only(
        folder, "SELECT account, count(*), sum(size), min(at), max(at) FROM answer GROUP BY account ORDER BY account"
    )
    return [
        CachedAccount(account, answers, size, datetime.fromtimestamp(oldest, UTC), datetime.fromtimestamp(newest, UTC))
        for account, answers, size, oldest, newest in rows
    ]


def list_partners(folder: Path, address: str) -> list[str]:
    """List the partners of an account's address that the cache has answers of."""
    start = f"{address}|"
    accounts = (row[0] for row in _query_read_only(folder, "SELECT DISTINCT account FROM answer"))
    return sorted(account.removeprefix(start) for account in accounts if account.startswith(start))


def clear_cache(folder: Path) -> int:
    """Delete the cache of a home, all accounts, and return its bytes; the journal is elsewhere and stays."""
    freed = 0
    for path in sorted(folder.glob(f"{FILE_NAME}*")):
        freed += path.stat().st_size
        path.unlink(missing_ok=True)
    return freed


def _query_read_only(folder: Path, query: str) -> list[Any]:
    """Read from a cache without making one."""
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
