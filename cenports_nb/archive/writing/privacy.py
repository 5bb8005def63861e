"""Personal data in an archive: pseudonyms, nulls, or unchanged."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.privacy.masking import mask_pii
from cenports_nb.frames.privacy.personal_columns import personal_kind
from cenports_nb.frames.provenance import rejected


def protect(frame: pd.DataFrame, personal: str) -> pd.DataFrame:
    """Return a loader's frame as it may be stored: with pseudonyms (mask), with nulls (drop), or unchanged (keep)."""
    if personal == "keep":
        return frame
    masked = mask_pii(frame)
    return masked if personal == "mask" else _drop(frame, masked)


def protect_rejects(frame: pd.DataFrame, personal: str) -> pd.DataFrame:
    """Return the rejects of a loader's frame as they may be stored; the record is null if data is dropped."""
    found = rejected(frame)
    if found is None or found.empty:
        return pd.DataFrame()
    if personal == "keep":
        return found
    masked = mask_pii(found)
    if personal == "drop":
        masked["record"] = repeat_text(None, len(masked))
    return masked


def _drop(frame: pd.DataFrame, masked: pd.DataFrame) -> pd.DataFrame:
    """Set to null what masking would change, and every column whose name is personal."""
    dropped = masked.copy(deep=False)
    for name in frame.columns:
        if "outcome" in frame.columns and name == "message":
            continue  # Cenports' message about a row
        if personal_kind(str(name)):
            dropped[name] = repeat_text(None, len(frame)).set_axis(frame.index)
        elif frame[name].dtype == "str":
            column: pd.Series[Any] = frame[name]
            same = (column == masked[name]) | column.isna()
            dropped[name] = column.where(same)
    return dropped
