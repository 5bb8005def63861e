"""Parquet files -> a table of text: numbers without `.0`, instants with their zone."""

from __future__ import annotations

import numpy as np
import pyarrow as arrow
import pyarrow.compute as pc
import pyarrow.parquet as arrow_parquet

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import ARROW_TEXT
from cenports_nb.tables.number_formats import MAX_EXACT_DIGITS
from cenports_nb.tables.table import Table


def read_parquet(content: bytes, name: str) -> Table:
    """Read a Parquet file; its texts are exact, so blanks around them stay.

    Raises:
        InvalidRequestError: It is damaged.
    """
    try:
        table = arrow_parquet.ParquetFile(arrow.BufferReader(content)).read()  # names of columns may repeat
        columns = tuple(_format_column(column) for column in table.columns)
    except (arrow.ArrowException, OSError, ValueError):
        raise InvalidRequestError(
            f"{name} can't be read: it is a Parquet file that is damaged or cut short. Write or copy it again."
        ) from None
    rows = np.arange(1, table.num_rows + 1)
    texts = [position for position, column in enumerate(table.columns) if _is_text(column.type)]
    exact = {position: np.ones(len(rows), dtype=bool) for position in texts}
    numeric = frozenset(range(table.num_columns)) - frozenset(texts)
    return Table(name, tuple(table.column_names), columns, rows, line="row", exact=exact, numeric_columns=numeric)


def _is_text(kind: arrow.DataType) -> bool:
    kind = kind.value_type if arrow.types.is_dictionary(kind) else kind
    return bool(arrow.types.is_string(kind) or arrow.types.is_large_string(kind))


def _format_column(column: arrow.ChunkedArray) -> arrow.ChunkedArray:
    if arrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if arrow.types.is_null(column.type):
        return arrow.chunked_array([arrow.nulls(len(column), ARROW_TEXT)])
    if arrow.types.is_floating(column.type):
        return _format_floats(pc.if_else(pc.is_nan(column), None, column))
    try:
        texts = column.cast(ARROW_TEXT)
    except arrow.ArrowNotImplementedError:  # lists and the like, which no table needs
        return arrow.chunked_array([arrow.nulls(len(column), ARROW_TEXT)])
    texts.validate(full=True)  # bytes that aren't text would fail later, in the middle of a plan
    return texts


def _format_floats(column: arrow.ChunkedArray) -> arrow.ChunkedArray:
    """Format whole numbers with all their digits, such as UPCs in a column with nulls, which Arrow writes as 7.1e+11."""
    floats = column.cast("float64")
    is_whole = pc.and_(pc.equal(pc.floor(floats), floats), pc.less(pc.abs(floats), 10**MAX_EXACT_DIGITS))
    whole = pc.if_else(is_whole, floats, None).cast("int64").cast(ARROW_TEXT)
    return pc.coalesce(whole, column.cast(ARROW_TEXT))
