"""The tables of an archive: their columns on disk, and the frames that they are read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow as arrow
from pandera.typing import Series

from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.arrow_columns import ARROW_TEXT, from_arrow, to_arrow
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import CHANNEL_STOCK_KEYS, LINE_ITEM_KEYS, ORDER_KEYS, STOCK_KEYS
from cenports_nb.frames.schema.schemas import get_loader_dtype

MONTH, READ_AT = "month", "read_at"
INSTANT = arrow.timestamp("us", "UTC")
SHIPMENT_KEYS = [*ORDER_KEYS, "tracking_number"]


@dataclass(frozen=True)
class ArchiveTable:
    """One Delta table, with a partition for each account and UTC month.

    Attributes:
        key: The columns that identify a row or, for shipments, the rows that are compared together.
        instant: The only column whose minimum and maximum may be in the log; never a personal one.
        is_open: Whether frames may have further text columns.
        readings: Every reading is added, with its instant; None if a month is replaced by its latest reading.
    """

    name: str
    model: type[pa.DataFrameModel]
    key: list[str]
    order: list[str]
    instant: str
    is_open: bool = False
    readings: bool = False

    @property
    def dtypes(self) -> dict[str, Any]:
        """The dtypes of a frame, in the order of its columns; `read_at` first if it has one."""
        own = _read_dtypes(self.model)
        return {READ_AT: pd.DatetimeTZDtype("us", "UTC"), **own} if self.readings else own

    @property
    def arrow_schema(self) -> arrow.Schema:
        """The columns on disk; the first two are the partition."""
        columns = [(name, _ARROW_TYPES[str(dtype)]) for name, dtype in self.dtypes.items()]
        return arrow.schema([(ACCOUNT, ARROW_TEXT), (MONTH, ARROW_TEXT), *columns])


_SHIPMENT_ORDER = ["ship_date", "channel_id", "order_no", "tracking_number"]
ORDERS = ArchiveTable("orders", schemas.Orders, ORDER_KEYS, ["order_date", *ORDER_KEYS], "order_date")
LINE_ITEMS = ArchiveTable(
    "line_items", schemas.LineItems, LINE_ITEM_KEYS, ["order_date", *LINE_ITEM_KEYS], "order_date"
)
SHIPMENTS = ArchiveTable("shipments", schemas.Shipments, SHIPMENT_KEYS, _SHIPMENT_ORDER, "ship_date", is_open=True)
SHIPMENT_ITEMS = ArchiveTable(
    "shipment_items", schemas.ShipmentItems, SHIPMENT_KEYS, _SHIPMENT_ORDER, "ship_date", is_open=True
)
ACTUAL_STOCK = ArchiveTable(
    "actual_stock", schemas.ActualStock, STOCK_KEYS, [READ_AT, *STOCK_KEYS], READ_AT, readings=True
)
AVAILABLE_STOCK = ArchiveTable(
    "available_stock", schemas.AvailableStock, CHANNEL_STOCK_KEYS, [READ_AT, *CHANNEL_STOCK_KEYS], READ_AT,
    readings=True,
)  # fmt: skip
OUTCOMES = ArchiveTable(
    "outcomes", schemas.Outcomes, ["submission_id", "batch", "row"], ["submission_id", "batch", "row"], "submitted_at"
)


class _Rejects(pa.DataFrameModel):
    """Records that could not become rows of a table."""

    table: Series[str]
    record_index: Series[int]
    key: Series[str] = pa.Field(nullable=True)
    column: Series[str] = pa.Field(nullable=True)
    reason: Series[str] = pa.Field(nullable=True)
    record: Series[str] = pa.Field(nullable=True)


REJECTS = ArchiveTable("rejects", _Rejects, ["table", "record_index"], ["table", "record_index"], "record_index")

TABLES = {
    table.name: table
    for table in (ORDERS, LINE_ITEMS, SHIPMENTS, SHIPMENT_ITEMS, ACTUAL_STOCK, AVAILABLE_STOCK, OUTCOMES, REJECTS)
}

_ARROW_TYPES = {
    "str": ARROW_TEXT,
    "int64": arrow.int64(),
    "Int64": arrow.int64(),
    "float64": arrow.float64(),
    "bool": arrow.bool_(),
    "boolean": arrow.bool_(),
    "datetime64[us, UTC]": INSTANT,
    "datetime64[us]": arrow.date32(),  # a plain day: every reader of Delta knows it, unlike instants without a zone
}


@cache
def _read_dtypes(model: type[pa.DataFrameModel]) -> dict[str, Any]:
    schema = model.to_schema()
    return {
        name: pd.Series(dtype=get_loader_dtype(column.dtype)).dtype if column.dtype is not None else object
        for name, column in schema.columns.items()
    }


def to_table(frame: pd.DataFrame, table: ArchiveTable, account: str, month: str) -> arrow.Table:
    """Convert a frame to Arrow, with the partition columns first and without its `attrs`."""
    types = {field.name: field.type for field in table.arrow_schema}
    rows = len(frame)
    columns: dict[str, Any] = {ACCOUNT: arrow.repeat(account, rows), MONTH: arrow.repeat(month, rows)}
    for name in [*table.dtypes, *(name for name in frame.columns if name not in types)]:
        column = frame[name]
        columns[name] = to_arrow(column) if column.dtype == "str" else arrow.array(column, from_pandas=True)
        columns[name] = columns[name].cast(types.get(name, ARROW_TEXT))
    return arrow.table(columns)


def to_frame(data: arrow.Table, table: ArchiveTable, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Convert Arrow to the loaders' dtypes; columns newer than the file are null."""
    dtypes = table.dtypes
    extra = [name for name in data.column_names if name not in (ACCOUNT, MONTH, *dtypes)]
    names = [*dtypes, *extra] if columns is None else columns
    found = {}
    for name in names:
        dtype = dtypes.get(name, "str")
        values = data.column(name) if name in data.column_names else arrow.nulls(data.num_rows, ARROW_TEXT)
        found[name] = _to_column(values, dtype)
    return pd.DataFrame(found, copy=False)


def empty_frame(table: ArchiveTable) -> pd.DataFrame:
    """Build a frame without rows."""
    return to_frame(table.arrow_schema.empty_table(), table)


def _to_column(values: arrow.ChunkedArray, dtype: Any) -> pd.Series[Any]:
    if dtype == "str":
        return from_arrow(values.cast(ARROW_TEXT))
    if str(dtype) in ("Int64", "boolean"):
        return pd.Series(dtype.__from_arrow__(values.cast(_ARROW_TYPES[str(dtype)])), copy=False)
    if str(dtype) == "datetime64[us]":
        values = values.cast(arrow.timestamp("us"))
    column: pd.Series[Any] = values.to_pandas()
    return column if column.dtype == dtype else column.astype(dtype)
