"""A scan whose first reading kills the process that reads."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from cenports_nb.archive.reading.scans import Scan


@dataclass(frozen=True)
class DyingScan:
    """Reads as another scan, but the first process that reads a month dies of it.

    Attributes:
        scan: The other scan.
        marker: A file that does not exist yet.
        month: The month.
    """

    scan: Scan
    marker: Path
    month: str

    @property
    def months(self) -> Sequence[str]:
        return self.scan.months

    @property
    def time_zone(self) -> str:
        return self.scan.time_zone

    def select(self, columns: Sequence[str]) -> DyingScan:
        return replace(self, scan=self.scan.select(columns))

    def read(self, month: str) -> pd.DataFrame:
        if month == self.month and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.scan.read(month)
