"""A scan: frames that come month by month, because they are more than memory holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, TypeGuard, TypeVar

import pandas as pd

from cenports_nb.errors import InvalidRequestError

Result = TypeVar("Result")
NO_MONTH = "0001-01"
"""Read of a scan without months: a frame without rows, with its columns."""


class Scan(Protocol):
    """What `archive.scan_*` returns: an order is in one month alone, with all its lines."""

    @property
    def months(self) -> Sequence[str]:
        """Its months, oldest first."""

    @property
    def time_zone(self) -> str:
        """The zone in which days are meant."""

    def read(self, month: str) -> pd.DataFrame:
        """Read one month; a frame without rows for a month that it does not have."""

    def select(self, columns: Sequence[str]) -> Scan:
        """Return a scan that reads only these of its columns, in any order of rows, and no rejects."""


def is_scan(value: Any) -> TypeGuard[Scan]:
    """Return whether a value is a scan; a frame is not."""
    return not isinstance(value, pd.DataFrame) and hasattr(value, "months") and callable(getattr(value, "read", None))


def list_scan_months(*scans: Any) -> list[str]:
    """List the months of scans, oldest first; at least one, so that an empty scan has its columns."""
    return sorted({month for scan in scans for month in scan.months}) or [NO_MONTH]


def read_whole(name: str, frame_or_scan: Any) -> pd.DataFrame:
    """Read a scan as one frame; a frame stays as it is.

    Raises:
        InvalidRequestError: It is neither; the message names the argument.
    """
    if isinstance(frame_or_scan, pd.DataFrame):
        return frame_or_scan
    if not is_scan(frame_or_scan):
        raise InvalidRequestError(f"{name} must be a DataFrame or a scan, not {type(frame_or_scan).__name__}.")
    parts = [frame_or_scan.read(month) for month in list_scan_months(frame_or_scan)]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def run_by_month(work: Callable[[str], Result], months: Sequence[str], executor: Executor | None) -> list[Result]:
    """Do the same work for each month, here or in an executor; results are in the order of the months."""
    return [*map(work, months)] if executor is None else [*executor.map(work, months)]
