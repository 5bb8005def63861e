"""Where answers are kept, under which key, for how long, and what makes them stale.

One SQLite file a home: the pages as they came (requests-cache), and beside them the account's write
generation. The generation is a part of every key, so that raising it makes all answers stale at once;
while a write is under way nothing is kept at all, because the change may land at any moment.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import requests
from requests_cache import CachedSession
from requests_cache.backends.sqlite import SQLiteCache
from requests_cache.models.request import CachedRequest
from requests_cache.models.response import CachedResponse
from requests_cache.serializers import SerializerPipeline, Stage

from cenports_nb.errors import ConfigurationError

MAX_AGE_S = {
    "/orders": 900,
    "/shipments": 900,
    "/inventories": 60,
    "/channels": 86_400,
}
"""How long an answer is served from the cache; what is not listed is never kept."""

FILE_NAME = "cache.sqlite"
STATE = """
CREATE TABLE IF NOT EXISTS generation (account TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS open_write (
    account TEXT, id TEXT, since REAL NOT NULL, PRIMARY KEY (account, id));
"""


class _Header(msgspec.Struct):
    """What is kept of an answer beside its body: no header of the request or the response."""

    url: str
    created_at: datetime
    expires: datetime | None


def _dumps(response: CachedResponse) -> bytes:
    header = _Header(
        url=response.url,
        created_at=response.created_at.replace(tzinfo=UTC) if not response.created_at.tzinfo else response.created_at,
        expires=response.expires,
    )
    return msgspec.json.encode(header) + b"\n" + (response.content or b"")


def _loads(value: bytes) -> CachedResponse:
    line, _, body = value.partition(b"\n")
    header = msgspec.json.decode(line, type=_Header)
    return CachedResponse(
        content=body,
        created_at=header.created_at,
        expires=header.expires,
        status_code=200,
        url=header.url,
        request=CachedRequest(method="GET", url=header.url),
        encoding="utf-8",
    )


RAW_BODY = SerializerPipeline([Stage(dumps=_dumps, loads=_loads)], name="raw", is_binary=True)


class Cache:
    """The cache file of one account, opened 0600."""

    def __init__(self, folder: Path, account: str, settle_s: float) -> None:
        self._account = account
        self._settle_s = settle_s
        self._lock = threading.Lock()
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._state = _open(self.path)
            except sqlite3.OperationalError:  # locked or not writable: the file itself is good
                raise
            except sqlite3.DatabaseError:
                for damaged in cache_files(folder):
                    damaged.replace(damaged.with_name(f"{damaged.name}.damaged"))
                self._state = _open(self.path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"The cache {self.path} can't be used ({error}): make its folder writable, or connect with "
                "cache=False or another folder."
            ) from None

    def session(self) -> CachedSession:
        """Return a session that keeps whole answers here, cut by account and generation."""
        return CachedSession(
            backend=SQLiteCache(str(self.path), serializer=RAW_BODY, wal=True, busy_timeout=10_000),
            key_fn=self._key,
            allowable_methods=("GET",),
            allowable_codes=(200,),
            expire_after=0,
            filter_fn=_explained,
        )

    def max_age(self, path: str) -> int:
        """Seconds an answer of this end point may be kept now; 0 while a write is under way."""
        with self._lock:
            row = self._state.execute(
                "SELECT 1 FROM open_write WHERE account = ? AND since > ?",
                (self._account, time.time() - self._settle_s),
            ).fetchone()
        return 0 if row else MAX_AGE_S.get(path, 0)

    def write_started(self, write_id: str) -> None:
        """Make all that is kept stale, and keep nothing until the write has ended."""
        with self._lock:
            self._raise_generation()
            self._state.execute(
                "INSERT OR REPLACE INTO open_write VALUES (?, ?, ?)", (self._account, write_id, time.time())
            )

    def write_ended(self, write_id: str) -> None:
        """Make stale what was read while the write was under way."""
        with self._lock:
            self._raise_generation()
            self._state.execute("DELETE FROM open_write WHERE account = ? AND id = ?", (self._account, write_id))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._state.close()

    def _raise_generation(self) -> None:
        self._state.execute(
            "INSERT INTO generation VALUES (?, 1) ON CONFLICT (account) DO UPDATE SET number = number + 1",
            (self._account,),
        )

    def _generation(self) -> int:
        with self._lock:
            row = self._state.execute("SELECT number FROM generation WHERE account = ?", (self._account,)).fetchone()
        return int(row[0]) if row else 0

    def _key(self, request: requests.PreparedRequest, **_: Any) -> str:
        """Account, generation, method, address and parameters; no header, so no token."""
        parts = (self._account, str(self._generation()), request.method or "", request.url or "")
        body = request.body or b""
        digest = hashlib.blake2b(digest_size=20)
        for part in (*(text.encode() for text in parts), body.encode() if isinstance(body, str) else body):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


def _open(path: Path) -> sqlite3.Connection:
    """Open the cache file and the tables beside the pages."""
    private_file(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(STATE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _explained(response: requests.Response) -> bool:
    """Keep only what may hold records: a message with 200 must not stay for a quarter of an hour."""
    body = (response.content or b"").lstrip()
    return body[:1] == b"[" or b'"data"' in body or b'"orderNo"' in body


def private_file(path: Path) -> None:
    """Create a file that only its owner can read, if it is not there yet."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def clear(folder: Path) -> None:
    """Delete the cache of a home, all accounts; the journal is elsewhere and stays."""
    for path in cache_files(folder):
        path.unlink(missing_ok=True)


def cache_files(folder: Path) -> Iterator[Path]:
    """List the files that make up the cache."""
    for suffix in ("", "-wal", "-shm"):
        path = folder / (FILE_NAME + suffix)
        if path.exists():
            yield path
