"""Frames -> files: CSV, Excel, Parquet; text stays text, and no cell can start a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError

KINDS = (".csv", ".xlsx", ".parquet")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula; such a text gets an apostrophe in front."""


def check_path(path: str | Path) -> Path:
    """Check that a frame can be written to a path, before anything is loaded for it.

    Raises:
        InvalidRequestError: Another ending than .csv, .xlsx or .parquet, or no such folder.
    """
    target = Path(path)
    if target.suffix.lower() not in KINDS:
        raise InvalidRequestError(f"{target.name!r} has no known ending: use one of {', '.join(KINDS)}.")
    if not target.parent.is_dir():
        raise InvalidRequestError(f"There is no folder {str(target.parent)!r} for {target.name}: make it first.")
    return target


def write(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a frame by the path's ending, all of it or nothing.

    Instants are written in UTC, in ISO 8601; identifiers as text, so leading zeros survive.
    """
    target = check_path(path)
    partial = target.with_name(f".{target.name}.part{target.suffix}")
    try:
        if target.suffix.lower() == ".parquet":
            frame.to_parquet(partial, index=False)
        elif target.suffix.lower() == ".csv":
            _as_text(frame).to_csv(partial, index=False, encoding="utf-8-sig")  # the mark tells Excel it is UTF-8
        else:
            _as_text(frame).to_excel(partial, index=False, engine="openpyxl", freeze_panes=(1, 0))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring instants to ISO text and make texts harmless."""
    columns: dict[str, Any] = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            columns[str(name)] = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        elif isinstance(column.dtype, pd.StringDtype):
            columns[str(name)] = column.where(~column.fillna("").str.startswith(FORMULA), "'" + column)
        else:
            columns[str(name)] = column
    return pd.DataFrame(columns)
