"""Columns of a frame, joined from the Arrow columns of several pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cenports_nb.api.retrieval.decoded_page import trim_heap
from cenports_nb.frames.arrow_columns import POOL, TEXT_DTYPE

INSTANT_DTYPE = pd.DatetimeTZDtype("us", "UTC")
FLAG_DTYPE: Any = pd.BooleanDtype()
COLUMNS_PER_TRIM = 4
ROWS_PER_RUN = 100
"""In runs of more consecutive rows than this, copying each run is faster than taking each row."""


def build_columns(
    parts: Sequence[dict[str, pa.Array]], types: dict[str, pa.DataType], rows: np.ndarray
) -> dict[str, Any]:
    """Build columns from their parts, in the order of these rows, releasing the parts of each.

    Columns are built one by one, and memory is returned in between: two at a time are hardly faster and need a third
    more memory (measured).
    """
    runs = _find_runs(rows)
    in_runs = len(runs) * ROWS_PER_RUN < len(rows)
    at = pa.array(rows)
    found: dict[str, Any] = {}
    for number, (name, kind) in enumerate(types.items(), 1):
        array = concat_parts(parts, name, kind, runs if in_runs else None)
        for part in parts:
            part.pop(name)
        found[name] = to_pandas(array if in_runs else pc.take(array, at, memory_pool=POOL))
        if number % COLUMNS_PER_TRIM == 0 or number == len(types):
            trim_memory()
    return found


def trim_memory() -> None:
    """Return freed memory to the operating system: the heap, and what pandas used of Arrow's default pool."""
    pa.default_memory_pool().release_unused()
    trim_heap()


def concat_parts(
    parts: Sequence[dict[str, pa.Array]], name: str, kind: pa.DataType, runs: Sequence[tuple[int, int]] | None = None
) -> pa.Array:
    """Join the parts of a column, or only some runs of rows, each given by its start and length."""
    column = pa.chunked_array([part[name] for part in parts], type=kind)
    chunks = column.chunks if runs is None else [chunk for run in runs for chunk in column.slice(*run).chunks]
    # Unlike `combine_chunks`, whose memory pyarrow 26 takes from another pool.
    return pa.concat_arrays(chunks or [pa.array([], kind)], memory_pool=POOL)


def _find_runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """Return the start and the length of each run of consecutive rows."""
    starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    lengths = np.diff(starts, append=len(rows))
    return list(zip(rows[starts].tolist(), lengths.tolist(), strict=True))


def to_pandas(array: pa.Array) -> Any:
    """Convert to a pandas array with the dtype of the frames."""
    kind = array.type
    if pa.types.is_large_string(kind):
        return TEXT_DTYPE.__from_arrow__(array)
    if pa.types.is_boolean(kind):
        return FLAG_DTYPE.__from_arrow__(array)
    if pa.types.is_timestamp(kind):
        return pd.array(_copy_if_readonly(array.cast(pa.int64())).view("datetime64[us]"), dtype=INSTANT_DTYPE)
    return _copy_if_readonly(array)


def _copy_if_readonly(array: pa.Array) -> np.ndarray:
    """Copy numbers, because pandas can't write to memory that it shares with Arrow."""
    values: np.ndarray = array.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()
