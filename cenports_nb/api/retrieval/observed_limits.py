"""What the answers to an account have shown about limits: the longest answer of each end point, and range ends."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cenports_nb.private_files import write_private_file

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FOLDER = "longest_answers"
MAX_AGE = timedelta(days=90)
"""After this time an answer proves nothing: a cap may have been introduced."""
RENEWAL_AGE = timedelta(days=7)
LEAST_ROWS = 10
"""Shorter answers never look cut."""


class _Answer(msgspec.Struct, frozen=True):
    rows: int
    day: date


class _Answers(msgspec.Struct):
    """The file: its account, the longest answer of each end point, and whether ranges were seen to include their end."""

    account: str
    endpoints: dict[str, _Answer]
    end_included: bool = False


class ObservedLimits:
    """What the answers to one account have shown, in a small file.

    Attributes:
        end_included: Whether ranges of days include their last day: the dialect says so, or this client saw it.
    """

    def __init__(self, path: Path, account: str, today: date, *, end_included: bool, is_saved: bool) -> None:
        self.end_included = end_included
        self._path = path
        self._today = today
        self._is_saved = is_saved
        self._answers = _Answers(account, {})
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            self._answers = msgspec.json.decode(path.read_bytes(), type=_Answers)

    def longest(self, endpoint: str) -> int:
        """Return the number of rows of an end point's longest answer; 0 if none was seen lately."""
        known = self._answers.endpoints.get(endpoint)
        return known.rows if known is not None and self._today - known.day <= MAX_AGE else 0

    def note_answer(self, endpoint: str, rows: int) -> None:
        """Record an answer if none was longer. If that can't be written, only later evidence is lost."""
        known = self._answers.endpoints.get(endpoint)
        if (
            rows < LEAST_ROWS
            or rows < self.longest(endpoint)
            or (known is not None and rows == known.rows and self._today - known.day < RENEWAL_AGE)
        ):
            return
        self._answers.endpoints[endpoint] = _Answer(rows, self._today)
        self._write()

    @property
    def saw_end_included(self) -> bool:
        """Whether any client of the account ever saw a range that includes its last day."""
        return self._answers.end_included

    def note_end_included(self) -> None:
        """Record that ranges of days include their last day."""
        self.end_included = True
        if not self._answers.end_included:
            self._answers.end_included = True
            self._write()

    def _write(self) -> None:
        if self._is_saved:
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private_file(self._path, msgspec.json.encode(self._answers))


def get_observed_limits(client: Client) -> ObservedLimits:
    """Return what answers to a client's account have shown."""

    def build() -> ObservedLimits:
        account = client.settings.account
        name = f"{blake2b(account.encode(), digest_size=8).hexdigest()}.json"
        return ObservedLimits(
            client.home / FOLDER / name,
            account,
            client.clock.now().date(),
            end_included=client.dialect.end_included is True,
            is_saved=not client.settings.offline,
        )

    return client.component(ObservedLimits, build)
