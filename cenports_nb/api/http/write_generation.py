"""The write generation of an account: how each client of this machine learns of the writes of all others.

A small file in the home, one per account, holds a random text that changes with every write, and the open writes. It is
separate from the cache, because a client without a cache, or with another one, makes this cache stale too. A file that
isn't JSON means a write of which only the time is known.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import msgspec
from filelock import FileLock, Timeout

from cenports_nb.errors import CenportsWarning
from cenports_nb.private_files import OWNER_ONLY, create_private_file, write_private_file

LOCK_FOLDER = "locks"
LOCK_TIMEOUT_SECONDS = 2.0
UNKNOWN_WRITE = "unknown"
MAX_AGE_SECONDS = 90 * 86_400
"""No answer is served after this time."""


class _Content(msgspec.Struct):
    """The content of the file; `open` is the start of each open write, by its id."""

    generation: str
    open: dict[str, float]


@dataclass(frozen=True)
class WriteState:
    """The state of an account's writes.

    Attributes:
        generation: Changes with each write; empty before the first.
        is_open: Whether a change may take effect at any moment, so that no answer may be cached or served.
    """

    generation: str
    is_open: bool


class WriteGeneration:
    """Records the writes of one account, for all its clients on this machine; it never raises."""

    def __init__(self, folder: Path, account: str, settle_seconds: float, now: Callable[[], datetime]) -> None:
        digest = hashlib.blake2b(account.encode(), digest_size=8).hexdigest()
        self.path = folder / f"writes-{digest}.json"
        self._lock_path = folder / LOCK_FOLDER / f"writes-{digest}"
        self._settle_seconds = settle_seconds
        self._now = now
        self._is_lost = False  # a write could not be recorded at all
        self._is_folder_clean = False

    def read(self) -> WriteState:
        """Read the generation, and whether a write is open."""
        if self._is_lost:
            return WriteState("", is_open=True)
        try:
            found = self._read_file()
        except FileNotFoundError:
            return WriteState("", is_open=False)
        except OSError as error:
            # If this process can't write, perhaps no other can, and a write would leave no trace.
            self._lose(error)
            return WriteState("", is_open=True)
        if found.generation:
            return WriteState(found.generation, self._has_open(found.open))
        if not self._has_open(found.open):  # damaged long ago
            self.renew()
        return WriteState("", is_open=True)

    def start(self, write_id: str) -> None:
        """Make every earlier answer stale, and cache nothing until the write has ended."""
        self._update(lambda writes: {**writes, write_id: self._now().timestamp()})

    def end(self, write_id: str) -> None:
        """Make stale what was read during the write."""
        self._update(lambda writes: {name: since for name, since in writes.items() if name != write_id})

    def renew(self) -> None:
        """Make every earlier answer stale."""
        self._update(lambda writes: writes)

    def _update(self, change: Callable[[Mapping[str, float]], Mapping[str, float]]) -> None:
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self._lock_path, LOCK_TIMEOUT_SECONDS, mode=OWNER_ONLY, is_singleton=False):
                before = self._read_file().open if self.path.exists() else {}
                writes = {name: since for name, since in change(before).items() if self._is_recent(since)}
                write_private_file(self.path, msgspec.json.encode(_Content(uuid4().hex, writes)))
            if not self._is_folder_clean:  # once per client: each scan of the folder costs as much as a write
                self._is_folder_clean = True
                self._delete_old_files()
        except (OSError, Timeout, NotImplementedError) as error:  # the last one if a file system has no locks
            self._spoil(error)

    def _delete_old_files(self) -> None:
        """Delete the files of accounts without recent writes, such as those of sandboxes."""
        oldest = time.time() - MAX_AGE_SECONDS
        for path in (*self.path.parent.glob("writes-*.json"), *self._lock_path.parent.glob("writes-*")):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _spoil(self, reason: Exception) -> None:
        """Empty the file, which needs no space: every client then caches and serves nothing for a while."""
        try:
            create_private_file(self.path)
            os.truncate(self.path, 0)
            at = self._now().timestamp()
            os.utime(self.path, (at, at))
        except OSError:
            self._lose(reason)

    def _lose(self, reason: Exception) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        with contextlib.suppress(CenportsWarning):  # raised as an error, it would stop a submission halfway
            warnings.warn(
                f"Writes can't be recorded in {self.path} ({reason}): this client serves nothing from its cache, but others "
                "may show old stock for a minute. Make the folder writable.",
                CenportsWarning,
                stacklevel=4,
            )

    def _read_file(self) -> _Content:
        # Opened for writing, to find out at once if it can't be written.
        handle = os.open(self.path, os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(handle, "rb") as file:
            content, changed_at = file.read(), os.fstat(handle).st_mtime
        try:
            found = msgspec.json.decode(content, type=_Content)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            found = _Content("", {})
        return found if found.generation else _Content("", {UNKNOWN_WRITE: changed_at})

    def _has_open(self, writes: Mapping[str, float]) -> bool:
        return any(map(self._is_recent, writes.values()))

    def _is_recent(self, since: float) -> bool:
        """Return whether a write of that time may still take effect, even if the clock was set back."""
        return abs(self._now().timestamp() - since) < self._settle_seconds
