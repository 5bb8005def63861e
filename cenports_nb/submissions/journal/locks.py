"""The right to send, as a lock of the operating system: it dies with the process that holds it, never by a time-out."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from cenports_nb.errors import JournalError

LOCK_FOLDER = "locks"
LOCK_TIMEOUT_SECONDS = 120.0
"""Checks read the stock and may wait for the rate limit."""
LOCK_FILE_MAX_AGE_SECONDS = 14 * 86_400
"""Files of submissions that nobody has sent for so long are in the way."""


@contextlib.contextmanager
def hold_sending_lock(home: Path, submission_id: str) -> Iterator[None]:
    """Hold the right to send a submission.

    Raises:
        JournalError: Another process or thread is sending it; nothing was sent here.
    """
    lock = _build_lock(home, submission_id)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise JournalError(
            f"Submission {submission_id} is being sent by another process or thread: wait until it is done. "
            "Nothing was sent here.",
            sent=False,
        ) from None
    except OSError as error:
        raise JournalError(f"{lock.lock_file} can't be locked ({error}): nothing was sent.", sent=False) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def hold_planning_lock(home: Path, account: str) -> Iterator[None]:
    """Hold an account's journal while a submission is checked against it and written into it; others wait.

    Raises:
        JournalError: The lock can't be had.
    """
    with _hold_lock(home, f"account-{_hash_account(account)}", "plans a submission of this account"):
        _delete_old_lock_files(home)
        yield


@contextlib.contextmanager
def hold_handover_lock(home: Path, account: str) -> Iterator[None]:
    """Hold the right to hand over orders of an account; others wait.

    Raises:
        JournalError: The lock can't be had.
    """
    with _hold_lock(home, f"hand-over-{_hash_account(account)}", "hands over orders of this account"):
        yield


@contextlib.contextmanager
def _hold_lock(home: Path, name: str, what: str) -> Iterator[None]:
    lock = _build_lock(home, name)
    try:
        lock.acquire(timeout=LOCK_TIMEOUT_SECONDS)
    except (Timeout, OSError) as error:
        raise JournalError(
            f"{lock.lock_file} can't be locked ({error}): another process {what}. Nothing was sent; try again.",
            sent=False,
        ) from None
    try:
        yield
    finally:
        lock.release()


def _hash_account(account: str) -> str:
    return hashlib.blake2b(account.encode(), digest_size=8).hexdigest()


def is_sending(home: Path, submission_id: str) -> bool:
    """Tell whether a process that lives is sending a submission."""
    if not _lock_path(home, submission_id).exists():
        return False
    try:
        with _build_lock(home, submission_id).acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True


def _delete_old_lock_files(home: Path) -> None:
    oldest = time.time() - LOCK_FILE_MAX_AGE_SECONDS
    for path in (home / LOCK_FOLDER).glob("*.lock"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _lock_path(home: Path, name: str) -> Path:
    return home / LOCK_FOLDER / f"{name}.lock"


def _build_lock(home: Path, name: str) -> FileLock:
    path = _lock_path(home, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise JournalError(f"{path.parent} can't be made ({error}): nothing was sent.", sent=False) from None
    # A lock of its own each time, so that two threads of a process exclude each other too.
    return FileLock(path, mode=0o600, thread_local=False, is_singleton=False)
