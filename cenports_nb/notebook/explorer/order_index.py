"""Orders with their lines and shipments, found by key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import is_plain_day, local_days, local_times, parse_time_zone
from cenports_nb.frames.privacy.personal_columns import personal_kind
from cenports_nb.frames.provenance import provenance, read_time_zone
from cenports_nb.frames.row_keys import IntArray, encode_keys, find_duplicates, index_rows
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import refuse_duplicates, validate_columns
from cenports_nb.rendering.text import format_count

ORDER_COLUMNS = [*ORDER_KEYS, "order_date", "channel", "status", "acknowledged", "grand_total", "customer_order_no"]
REQUIRED_LINE_COLUMNS = [*ORDER_KEYS, "product_sku", "quantity"]
OPTIONAL_LINE_COLUMNS = ["line_item", "retailer_sku", "product_name", "ship_from_warehouse_code", "price", "status"]


class OrdersWithOptionalDate(schemas.Orders):
    """Orders whose date may be missing, as in a frame made by a person."""

    order_date: Series[schemas.Instant] = pa.Field(nullable=True)


@dataclass(frozen=True)
class RowsByOrder:
    """The rows of a frame that belong to each order.

    Attributes:
        sorted: Row numbers, grouped by order.
        starts: Where the rows of each order begin, and the end of the last one.
    """

    sorted: IntArray
    starts: IntArray

    def rows(self, order: int) -> IntArray:
        """Return the rows of an order, in the order of their frame."""
        return self.sorted[self.starts[order] : self.starts[order + 1]]

    @property
    def counts(self) -> IntArray:
        """The number of rows of each order."""
        counted: IntArray = np.diff(self.starts)
        return counted


@dataclass(frozen=True)
class Order:
    """One order, as the frames have it.

    Attributes:
        order: Its row of the orders.
        line_items: Its lines.
        shipments: Its shipments; None if no shipments were given.
    """

    order: pd.DataFrame
    line_items: pd.DataFrame
    shipments: pd.DataFrame | None


class OrderIndex:
    """Orders, newest first, with their lines and shipments; an order is known by its position.

    Args:
        orders: From `load_orders`, or made by a person.
        line_items: From `load_line_items`; lines of other orders are ignored.
        shipments: From `load_shipments`, or None.
        time_zone: IANA zone of the days; by default the zone in which a frame was loaded, else UTC.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or an order has two rows.
    """

    def __init__(
        self,
        orders: pd.DataFrame,
        line_items: pd.DataFrame,
        shipments: pd.DataFrame | None = None,
        *,
        time_zone: str | None = None,
    ) -> None:
        refuse_swapped(orders=orders, line_items=line_items, shipments=shipments)
        self.time_zone = read_time_zone(time_zone, orders, line_items, shipments)
        zone = parse_time_zone(self.time_zone)
        # Columns that only the details show are not validated: they may hold any value.
        read = validate_columns(orders, OrdersWithOptionalDate, "orders", ORDER_COLUMNS, optional=ORDER_COLUMNS[3:])
        lines = validate_columns(
            line_items,
            schemas.LineItems,
            "line_items",
            [*REQUIRED_LINE_COLUMNS, *OPTIONAL_LINE_COLUMNS],
            optional=OPTIONAL_LINE_COLUMNS,
        )
        keys = encode_keys([read[name] for name in ORDER_KEYS], [lines[name] for name in ORDER_KEYS])
        refuse_duplicates(
            orders, find_duplicates(keys.rows[0], index_rows(keys.rows[0], keys.size)), ORDER_KEYS, "orders"
        )
        order_times = local_times(read["order_date"], zone).reset_index(drop=True)
        self.positions: IntArray = order_times.sort_values(
            ascending=False, kind="stable", na_position="last"
        ).index.to_numpy()
        self.local_times = order_times.take(self.positions).reset_index(drop=True)
        self.orders = read.take(self.positions).reset_index(drop=True)
        self.days = local_days(self.orders["order_date"], self.time_zone)
        self.is_plain_day = is_plain_day(self.orders["order_date"])
        self.lines = lines.reset_index(drop=True)
        self.lines_by_order = _group_rows(index_rows(keys.rows[0][self.positions], keys.size)[keys.rows[1]], len(read))
        given = {"orders": orders, "line_items": line_items, "shipments": shipments}
        self._given = {name: frame.copy(deep=False) for name, frame in given.items() if frame is not None}
        self.shipments = None if shipments is None else _read_shipments(shipments)

    def __len__(self) -> int:
        return len(self.orders)

    @cached_property
    def shipments_by_order(self) -> RowsByOrder:
        """The shipments of each order; one that names no channel belongs to every order with its number."""
        if self.shipments is None:
            return _group_rows(np.zeros(0, dtype=np.int64), len(self))
        keys = encode_keys([self.orders[name] for name in ORDER_KEYS], [self.shipments[name] for name in ORDER_KEYS])
        of_order = np.append(index_rows(keys.rows[0], keys.size), -1)  # the last entry belongs to -1
        owner = of_order[keys.rows[1]]
        at = np.arange(len(owner))
        nameless = np.flatnonzero(self.shipments["channel_id"].isna().to_numpy())
        if len(nameless):
            pairs = pd.DataFrame({"order_no": self.shipments["order_no"].take(nameless), "at": nameless}).merge(
                self.orders[["order_no"]].assign(order=np.arange(len(self))), on="order_no"
            )
            owner = np.concatenate([owner, pairs["order"].to_numpy()])
            at = np.concatenate([at, pairs["at"].to_numpy()])
        return _group_rows(owner, len(self), at)

    @cached_property
    def ambiguous_order_nos(self) -> frozenset[str]:
        """Order numbers that more than one channel uses."""
        return frozenset(self.orders.loc[self.orders["order_no"].duplicated(), "order_no"])

    @cached_property
    def warning(self) -> str:
        """What the frames are known to lack; empty if nothing."""
        warnings = []
        for name, frame in self._given.items():
            origin = provenance(frame)
            if origin and not origin.complete:
                warnings.append(f"⚠ Not all {name} were loaded: cn.provenance({name}).")
            if origin and origin.rejected:
                warnings.append(
                    f"⚠ {format_count(origin.rejected, 'record')} of {name} could not be read: cn.rejected({name})."
                )
        return " ".join(warnings)

    def select_given(self, at: Any, columns: Collection[str] | None = None) -> pd.DataFrame:
        """Return rows of the given orders, with all their columns or the existing ones of `columns`."""
        orders = self._given["orders"]
        if columns is not None:
            orders = orders.loc[:, orders.columns.isin([*columns]) & ~orders.columns.duplicated()]
        found: pd.DataFrame = orders.iloc[self.positions[at]]
        return found

    def get_order(self, at: int) -> Order:
        """Return one order as it was given, with its lines and shipments."""
        shipments = self._given.get("shipments")
        return Order(
            self.select_given([at]),
            self._given["line_items"].iloc[self.lines_by_order.rows(at)],
            None if shipments is None else shipments.iloc[self.shipments_by_order.rows(at)],
        )


def _read_shipments(shipments: pd.DataFrame) -> pd.DataFrame:
    """Validate the columns of the schema and keep the others, whose contents are not documented."""
    known = list(schemas.Shipments.to_schema().columns)
    read = validate_columns(
        shipments, schemas.Shipments, "shipments", known, optional=[n for n in known if n != "order_no"]
    )
    others = [
        name
        for name in shipments.columns
        if isinstance(name, str) and name not in read.columns and not personal_kind(name)
    ]
    if len(set(others)) < len(others):
        raise InvalidRequestError("shipments has a column more than once: keep one of each.")
    found = pd.concat([read, shipments[others]], axis=1).reset_index(drop=True)
    if "channel_id" not in found:
        found["channel_id"] = pd.Series([None] * len(found), dtype="str")
    return found


def _group_rows(owner: IntArray, orders: int, at: IntArray | None = None) -> RowsByOrder:
    """Group rows by order; rows of no order are left out."""
    rows = np.flatnonzero(owner >= 0)
    rows = rows[np.argsort(owner[rows], kind="stable")]
    starts = np.searchsorted(owner[rows], np.arange(orders + 1))
    return RowsByOrder(rows if at is None else at[rows], starts)
