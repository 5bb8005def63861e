"""The files beside a report: their folder, and how a page links to them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from cenports_nb.frames.export.files import export
from cenports_nb.frames.privacy.display import UNMASKED_KEY
from cenports_nb.frames.privacy.masking import mask_pii

RESULT_MIME_TYPE = "application/vnd.cenports-nb.result+json"
"""The MIME type of the output that holds what the exit code depends on."""
HEADLINE_MIME_TYPE = "application/vnd.cenports-nb.headline+json"
"""The MIME type of the headline numbers, as a notification shows them."""
NARROW_PNG_MIME_TYPE = "application/vnd.cenports-nb.narrow-png"
"""The MIME type of a chart's narrow picture, which the page shows on small screens."""
PARTIAL_PREFIX = ".part-"
"""Prefix of a folder whose run is not complete."""
RUN_FOLDER_VARIABLE = "CENPORTS_NB_RUN"
"""The environment variable in which `run_report` passes its kernel the run's folder, relative to `out`."""

PAGE_VARIABLE = "CENPORTS_NB_PAGE"
"""The environment variable that says to the kernel that there will be a page, which has narrow charts too."""


@dataclass(frozen=True)
class ReportFiles:
    """The folder of one run.

    Attributes:
        folder: Where files are written; None for nowhere.
        link: The folder relative to the page.
        time_zone: The zone of instants in CSV and Excel files.
    """

    folder: Path | None
    link: str = ""
    time_zone: str | None = None

    def write(self, name: str, frame_or_mapping: pd.DataFrame | Mapping[str, pd.DataFrame]) -> str:
        """Write a frame, or several into a workbook, with personal data masked; return the link, empty if nowhere.

        Args:
            name: A file name ending in .csv, .xlsx or .parquet.
            frame_or_mapping: As in `export`.

        Raises:
            InvalidRequestError: The file can't be written.
        """
        if self.folder is None:
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        given = frame_or_mapping
        masked = _mask(given) if isinstance(given, pd.DataFrame) else {key: _mask(each) for key, each in given.items()}
        export(masked, self.folder / name, time_zone=None if name.endswith(".parquet") else self.time_zone)
        return quote(f"{self.link}{name}")


def choose_files(out: str | Path, name: str, *, time_zone: str | None = None) -> ReportFiles:
    """Choose the folder of this run's files, `OUT/NAME/TIME`; none without `out`.

    Args:
        out: The folder for reports; empty for no files.
        name: The report's name.
        time_zone: The zone of instants in the files.
    """
    if not str(out):
        return ReportFiles(None, time_zone=time_zone)
    running = os.environ.get(RUN_FOLDER_VARIABLE, "")
    if running:  # the page will be in `out`, beside the folder, which loses its prefix when the run is complete
        report, _, run = running.rpartition("/")
        return ReportFiles(Path(out) / report / f"{PARTIAL_PREFIX}{run}", f"{running}/", time_zone)
    run = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    return ReportFiles(Path(out) / name / run, f"{Path(out).as_posix()}/{name}/{run}/", time_zone)


def _mask(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if UNMASKED_KEY in frame.attrs else mask_pii(frame)
