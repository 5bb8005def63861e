"""The files beside a report: where they go, and how a page links to them; no display."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from cenports_nb.frames.export import export
from cenports_nb.frames.masking import UNMASKED_KEY, mask_pii

RESULT_MIME_TYPE = "application/vnd.cenports-nb.result+json"
"""The output in which a report leaves what its exit code depends on."""
PARTIAL_PREFIX = ".part-"
"""Before the name of a folder whose run is not whole."""
RUN_FOLDER_VARIABLE = "CENPORTS_NB_RUN"
"""The variable by which `run_report` tells its kernel the folder of the run, below `out`."""


@dataclass(frozen=True)
class ReportFiles:
    """The folder of one run.

    Attributes:
        folder: Where files are written; None for nowhere.
        link: How a page beside the folder calls it.
        time_zone: The zone of instants in CSV and Excel files.
    """

    folder: Path | None
    link: str = ""
    time_zone: str | None = None

    def write(self, name: str, frame_or_mapping: pd.DataFrame | Mapping[str, pd.DataFrame]) -> str:
        """Write a frame, or several into a workbook, personal data masked; return the link, empty if nowhere.

        Args:
            name: With its ending: .csv, .xlsx or .parquet.
            frame_or_mapping: As `export` takes it.

        Raises:
            InvalidRequestError: It can't be written.
        """
        if self.folder is None:
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        given = frame_or_mapping
        masked = _mask(given) if isinstance(given, pd.DataFrame) else {key: _mask(each) for key, each in given.items()}
        export(masked, self.folder / name, time_zone=None if name.endswith(".parquet") else self.time_zone)
        return quote(f"{self.link}{name}")


def choose_files(out: str | Path, name: str, *, time_zone: str | None = None) -> ReportFiles:
    """Choose the folder of this run's files: `OUT/NAME/TIME`; nowhere without `out`.

    Args:
        out: The folder for reports; empty for no files.
        name: The report's.
        time_zone: The zone of instants in the files.
    """
    if not str(out):
        return ReportFiles(None, time_zone=time_zone)
    running = os.environ.get(RUN_FOLDER_VARIABLE, "")
    if running:  # the page will stand in `out`, beside the folder, which loses its mark when the run is whole
        report, _, run = running.rpartition("/")
        return ReportFiles(Path(out) / report / f"{PARTIAL_PREFIX}{run}", f"{running}/", time_zone)
    run = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    return ReportFiles(Path(out) / name / run, f"{Path(out).as_posix()}/{name}/{run}/", time_zone)


def _mask(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if UNMASKED_KEY in frame.attrs else mask_pii(frame)
