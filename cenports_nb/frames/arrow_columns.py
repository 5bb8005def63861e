"""Columns as Arrow data: text without Python strings, and conversion to pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

ARROW_TEXT = arrow.large_string()
TEXT_DTYPE: Any = pd.StringDtype(na_value=np.nan)
POOL = arrow.system_memory_pool()
"""The pool in which pages are decoded and columns built: what it frees, `trim_heap` returns. The default pool grows in
steps of many megabytes."""


def to_arrow(column: pd.Series[Any]) -> arrow.ChunkedArray:
    """Return the Arrow text of a `str` column, without a copy."""
    found = column.array.__arrow_array__()
    found = found if isinstance(found, arrow.ChunkedArray) else arrow.chunked_array([found])
    return found if found.type == ARROW_TEXT else found.cast(ARROW_TEXT)


def from_arrow(values: arrow.Array | arrow.ChunkedArray) -> pd.Series[Any]:
    """Build a `str` column from Arrow text, without a copy."""
    return pd.Series(TEXT_DTYPE.__from_arrow__(values), copy=False)


def build_text(values: Sequence[str | None]) -> pd.Series[Any]:
    """Make a `str` column of Python strings."""
    return from_arrow(arrow.array(values, ARROW_TEXT))


def take_text(rows: np.ndarray[Any, np.dtype[np.int64]], *columns: pd.Series[Any]) -> pd.Series[Any]:
    """Take text by row number from several `str` columns, numbered one after the other; -1 gives null."""
    if len(columns[0]) == len(rows) and (rows == np.arange(len(rows))).all():
        return columns[0].reset_index(drop=True)
    chunks = [chunk for column in columns for chunk in to_arrow(column).chunks]
    wanted = arrow.array(rows) if rows.min(initial=0) >= 0 else arrow.array(rows, mask=rows < 0)
    return from_arrow(arrow.chunked_array(chunks, ARROW_TEXT).combine_chunks().take(wanted))


def decode_categories(codes: np.ndarray[Any, Any], words: Sequence[str | None]) -> pd.Series[Any]:
    """Build a `str` column from a few words and one code per row."""
    return from_arrow(arrow.array(words, ARROW_TEXT).take(arrow.array(codes)))


def repeat_text(word: str | None, length: int) -> pd.Series[Any]:
    """Build a `str` column of one repeated word, or of nulls."""
    return from_arrow(
        arrow.nulls(length, ARROW_TEXT) if word is None else arrow.repeat(arrow.scalar(word, ARROW_TEXT), length)
    )


def join_text(*parts: str | pd.Series[Any] | np.ndarray[Any, Any]) -> pd.Series[Any]:
    """Join words and columns to one text per row; numbers become digits, nulls become empty.

    Args:
        *parts: Text, which is the same in every row, `str` columns and integer arrays; at least one part must not be
            text.
    """
    pieces = [
        arrow.scalar(part, ARROW_TEXT)
        if isinstance(part, str)
        else arrow.array(part).cast(ARROW_TEXT)
        if isinstance(part, np.ndarray)
        else to_arrow(part).combine_chunks()
        for part in parts
    ]
    nothing = arrow.scalar("", ARROW_TEXT)
    return from_arrow(pc.binary_join_element_wise(*pieces, nothing, null_handling="replace", null_replacement=""))


def fill_blanks(texts: pd.Series[Any], others: pd.Series[Any]) -> pd.Series[Any]:
    """Fill missing or blank texts from other texts, row by row; if both are blank, the result is missing."""
    blank = is_blank(texts)
    return texts.where(~blank, others.where(~is_blank(others))) if blank.any() else texts


def is_blank(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return which texts are missing, empty or only blanks."""
    return texts.isna() | (texts.str.strip() == "").fillna(value=False).astype(bool)
