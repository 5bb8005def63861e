"""Text columns, moved as Arrow moves them: no Python string is made on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

TEXT = arrow.large_string()


def chunks_of(column: pd.Series[Any]) -> arrow.ChunkedArray:
    """Give the Arrow text behind a `str` column, without a copy."""
    found = column.array.__arrow_array__()
    found = found if isinstance(found, arrow.ChunkedArray) else arrow.chunked_array([found])
    return found if found.type == TEXT else found.cast(TEXT)


def column_of(values: arrow.Array | arrow.ChunkedArray) -> pd.Series[Any]:
    """Make a `str` column of Arrow text, without a copy."""
    dtype: Any = pd.StringDtype(na_value=np.nan)
    return pd.Series(dtype.__from_arrow__(values), copy=False)


def pick(rows: np.ndarray[Any, np.dtype[np.int64]], *columns: pd.Series[Any]) -> pd.Series[Any]:
    """Take text by row number from `str` columns that follow each other; -1 gives null."""
    if len(columns[0]) == len(rows) and (rows == np.arange(len(rows))).all():
        return columns[0].reset_index(drop=True)
    chunks = [chunk for column in columns for chunk in chunks_of(column).chunks]
    wanted = arrow.array(rows) if rows.min(initial=0) >= 0 else arrow.array(rows, mask=rows < 0)
    return column_of(arrow.chunked_array(chunks, TEXT).combine_chunks().take(wanted))


def choose(codes: np.ndarray[Any, Any], words: Sequence[str | None]) -> pd.Series[Any]:
    """Make a `str` column of a few words, one code a row."""
    return column_of(arrow.array(words, TEXT).take(arrow.array(codes)))


def constant(word: str | None, length: int) -> pd.Series[Any]:
    """Make a `str` column of one word, or of nulls."""
    return column_of(arrow.nulls(length, TEXT) if word is None else arrow.repeat(arrow.scalar(word, TEXT), length))


def joined(*parts: str | pd.Series[Any] | np.ndarray[Any, Any]) -> pd.Series[Any]:
    """Write one sentence a row of words and columns; numbers as their digits, null as nothing.

    Args:
        *parts: Text, which is the same in every row, `str` columns and arrays of whole numbers; one at least
            is no text.
    """
    pieces = [
        arrow.scalar(part, TEXT)
        if isinstance(part, str)
        else arrow.array(part).cast(TEXT)
        if isinstance(part, np.ndarray)
        else chunks_of(part).combine_chunks()
        for part in parts
    ]
    nothing = arrow.scalar("", TEXT)
    return column_of(pc.binary_join_element_wise(*pieces, nothing, null_handling="replace", null_replacement=""))
