"""The rights to send and to plan, as operating-system locks: they are released when a process dies, never by time-out."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cenports_nb.api.http.rate_limit import Clock
from cenports_nb.errors import JournalError

LOCK_FOLDER = "locks"
LOCK_TIMEOUT_SECONDS = 120.0
"""Planning reads the stock and may wait for the rate limit."""
LOCK_PAUSE_SECONDS = 0.05
LOCK_FILE_MAX_AGE_SECONDS = 14 * 86_400
"""Lock files of submissions that were not sent for this long are deleted."""


class SubmissionLocks:
    """The locks of the submissions in one folder.

    `try_lock` acquires a lock and returns how to release it, or None if it is held.
    """

    def __init__(self, home: Path, try_lock: Callable[[Path], Callable[[], None] | None], clock: Clock) -> None:
        self._folder = home / LOCK_FOLDER
        self._try_lock = try_lock
        self._clock = clock

    @contextlib.contextmanager
    def hold_sending(self, submission_id: str) -> Iterator[None]:
        """Hold the right to send a submission.

        Raises:
            JournalError: Another process or thread is sending it; nothing was sent here.
        """
        release = self._try(submission_id)
        if release is None:
            raise JournalError(
                f"Submission {submission_id} is being sent by another process or thread: wait until it is done. "
                "Nothing was sent here.",
                sent=False,
            )
        try:
            yield
        finally:
            release()

    @contextlib.contextmanager
    def hold_if_free(self, submission_id: str) -> Iterator[bool]:
        """Hold the right to send a submission if it is free; yields whether it is held."""
        try:
            release = self._try_lock(self._path(submission_id))
        except (OSError, NotImplementedError):
            release = None
        try:
            yield release is not None
        finally:
            if release is not None:
                release()

    @contextlib.contextmanager
    def hold_planning(self, account: str) -> Iterator[None]:
        """Hold an account's journal while a new submission is checked against it and recorded; others wait.

        Raises:
            JournalError: The lock can't be acquired.
        """
        with self._hold(f"account-{_hash_account(account)}", "plans a submission of this account"):
            self._delete_old_files()
            yield

    @contextlib.contextmanager
    def hold_handover(self, account: str) -> Iterator[None]:
        """Hold the right to hand over orders of an account; others wait.

        Raises:
            JournalError: The lock can't be acquired.
        """
        with self._hold(f"hand-over-{_hash_account(account)}", "hands over orders of this account"):
            yield

    def is_sending(self, submission_id: str) -> bool:
        """Return whether a living process is sending a submission."""
        if not self._path(submission_id).exists():
            return False
        with self.hold_if_free(submission_id) as is_free:
            return not is_free

    @contextlib.contextmanager
    def _hold(self, name: str, what: str) -> Iterator[None]:
        deadline = self._clock.monotonic() + LOCK_TIMEOUT_SECONDS
        while (release := self._try(name)) is None:
            if self._clock.monotonic() >= deadline:
                raise JournalError(
                    f"{self._path(name)} is locked: another process {what}. Nothing was sent; try again.", sent=False
                )
            self._clock.sleep(LOCK_PAUSE_SECONDS)
        try:
            yield
        finally:
            release()

    def _try(self, name: str) -> Callable[[], None] | None:
        try:
            return self._try_lock(self._path(name))
        except (OSError, NotImplementedError) as error:  # a file system may have no locks
            raise JournalError(f"{self._path(name)} can't be locked ({error}): nothing was sent.", sent=False) from None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"

    def _delete_old_files(self) -> None:
        oldest = time.time() - LOCK_FILE_MAX_AGE_SECONDS
        for path in self._folder.glob("*.lock"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _hash_account(account: str) -> str:
    return hashlib.blake2b(account.encode(), digest_size=8).hexdigest()
