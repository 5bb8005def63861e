"""The schemas of all frames: columns in order, dtypes, keys, units, time zones.

Instants are UTC to the microsecond, days are naive midnights, money is in the order's own currency as sent,
quantities are whole units. Statuses are open sets: a new status is data, not an error.
"""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.schema import column_docs
from cenports_nb.frames.schema.column_docs import documented_by
from cenports_nb.frames.schema.keys import CHANNEL_STOCK_KEYS, LINE_ITEM_KEYS, ORDER_KEYS, STOCK_KEYS

__all__ = [
    "ActualStock",
    "AvailableStock",
    "Channels",
    "LineItems",
    "Orders",
    "Outcomes",
    "ShipmentItems",
    "Shipments",
    "StockDiff",
    "StockUpdates",
    "Warehouses",
    "describe",
]

Instant = Annotated[pd.DatetimeTZDtype, "us", "UTC"]
Day = "datetime64[us]"
Count = pd.Int64Dtype
Flag = pd.BooleanDtype


def get_loader_dtype(dtype: Any) -> Any:
    """Return the dtype that the loaders build; pandera takes every plain datetime for nanoseconds."""
    return "datetime64[us]" if str(dtype) == "datetime64[ns]" else dtype.type


class _DocumentedModel(pa.DataFrameModel):
    """A model with documented columns and example rows."""

    @classmethod
    def example(cls, *, rows: int = 3) -> pd.DataFrame:  # type: ignore[override]
        """Return made-up valid rows, the same ones each time.

        Args:
            rows: The number of rows.
        """
        schema = cls.to_schema()
        values = {
            name: pd.Series(
                [column.metadata["meaning"].example_value(row) for row in range(rows)],
                dtype=get_loader_dtype(column.dtype),
            )
            for name, column in schema.columns.items()
        }
        return schema.validate(pd.DataFrame(values))

    @classmethod
    def with_account(cls) -> pa.DataFrameSchema:
        """Return the schema of this frame with several accounts: `account` in front, and part of the key.

        Example:
            >>> list(cn.schemas.Warehouses.with_account().columns)[:2]
            ['account', 'warehouse_code']
        """
        schema = cls.to_schema()
        return pa.DataFrameSchema(
            {
                ACCOUNT: pa.Column(str, description="The account's name: its profile, else environment and partner."),
                **schema.columns,
            },
            checks=schema.checks,
            unique=[ACCOUNT, *schema.unique] if schema.unique else None,
            strict=schema.strict,
            ordered=schema.ordered,
            name=f"{cls.__name__} with account",
        )

    @classmethod
    def describe(cls) -> pd.DataFrame:
        """Return the meaning of each column; see `schemas.describe`."""
        return describe(cls)


class _StrictModel(_DocumentedModel):
    """Exactly these columns, in this order."""

    class Config:
        strict = True
        ordered = True


@documented_by(column_docs.ORDERS)
class Orders(_StrictModel):
    """One row per order; unique by (`channel_id`, `order_no`), ordered by `order_date` and key."""

    order_no: Series[str]
    customer_order_no: Series[str] = pa.Field(nullable=True)
    order_date: Series[Instant]
    channel: Series[str] = pa.Field(nullable=True)
    channel_id: Series[str]
    customer_name: Series[str] = pa.Field(nullable=True)
    contact_name: Series[str] = pa.Field(nullable=True)
    contact_email: Series[str] = pa.Field(nullable=True)
    contact_phone: Series[str] = pa.Field(nullable=True)
    status: Series[str] = pa.Field(nullable=True)
    bill_to_name: Series[str] = pa.Field(nullable=True)
    bill_to_address1: Series[str] = pa.Field(nullable=True)
    bill_to_address2: Series[str] = pa.Field(nullable=True)
    bill_to_city: Series[str] = pa.Field(nullable=True)
    bill_to_state: Series[str] = pa.Field(nullable=True)
    bill_to_country: Series[str] = pa.Field(nullable=True)
    bill_to_postal_code: Series[str] = pa.Field(nullable=True)
    ship_from_warehouse_code: Series[str] = pa.Field(nullable=True)
    ship_from_warehouse_name: Series[str] = pa.Field(nullable=True)
    ship_from_location: Series[str] = pa.Field(nullable=True)
    ship_from_contact_phone: Series[str] = pa.Field(nullable=True)
    ship_from_availability: Series[Flag] = pa.Field(nullable=True)
    ship_from_owner: Series[str] = pa.Field(nullable=True)
    ship_to_name: Series[str] = pa.Field(nullable=True)
    ship_to_address1: Series[str] = pa.Field(nullable=True)
    ship_to_address2: Series[str] = pa.Field(nullable=True)
    ship_to_city: Series[str] = pa.Field(nullable=True)
    ship_to_state: Series[str] = pa.Field(nullable=True)
    ship_to_country: Series[str] = pa.Field(nullable=True)
    ship_to_postal_code: Series[str] = pa.Field(nullable=True)
    carrier_code: Series[str] = pa.Field(nullable=True)
    service_level: Series[str] = pa.Field(nullable=True)
    sub_total: Series[float] = pa.Field(nullable=True)
    discount: Series[float] = pa.Field(nullable=True)
    ship_cost: Series[float] = pa.Field(nullable=True)
    grand_total: Series[float] = pa.Field(nullable=True)
    merchant_msg: Series[str] = pa.Field(nullable=True)
    retailer_msg: Series[str] = pa.Field(nullable=True)
    line_count: Series[int] = pa.Field(ge=0)
    acknowledged: Series[Flag] = pa.Field(nullable=True)

    class Config(_StrictModel.Config):
        unique = ORDER_KEYS


@documented_by(column_docs.LINE_ITEMS)
class LineItems(_StrictModel):
    """One row per line; unique by (`channel_id`, `order_no`, `line_item`); `price` is for one unit."""

    order_no: Series[str]
    channel_id: Series[str]
    order_date: Series[Instant]
    line_item: Series[int] = pa.Field(ge=0)
    product_sku: Series[str]
    retailer_sku: Series[str] = pa.Field(nullable=True)
    product_name: Series[str] = pa.Field(nullable=True)
    ship_from_warehouse_code: Series[str] = pa.Field(nullable=True)
    quantity: Series[int]
    price: Series[float] = pa.Field(nullable=True)
    status: Series[str] = pa.Field(nullable=True)

    class Config(_StrictModel.Config):
        unique = LINE_ITEM_KEYS


@documented_by(column_docs.SHIPMENTS)
class Shipments(_DocumentedModel):
    """One row per shipment; further fields of the answer follow as text in snake case."""

    order_no: Series[str]
    channel_id: Series[str] = pa.Field(nullable=True)
    ship_date: Series[Instant] = pa.Field(nullable=True)
    carrier_code: Series[str] = pa.Field(nullable=True)
    service_level: Series[str] = pa.Field(nullable=True)
    tracking_number: Series[str] = pa.Field(nullable=True)
    warehouse_code: Series[str] = pa.Field(nullable=True)
    acknowledged: Series[Flag] = pa.Field(nullable=True)


@documented_by(column_docs.SHIPMENT_ITEMS)
class ShipmentItems(_DocumentedModel):
    """One row per line of a shipment; further fields of the line follow as text in snake case."""

    order_no: Series[str]
    channel_id: Series[str] = pa.Field(nullable=True)
    ship_date: Series[Instant] = pa.Field(nullable=True)
    tracking_number: Series[str] = pa.Field(nullable=True)
    line_item: Series[int] = pa.Field(ge=0)
    product_sku: Series[str] = pa.Field(nullable=True)
    quantity: Series[Count] = pa.Field(nullable=True)


@documented_by(column_docs.ACTUAL_STOCK)
class ActualStock(_StrictModel):
    """Units in the warehouse, one row per warehouse and SKU; `is_discontinued` is false if nothing is sent."""

    warehouse_code: Series[str]
    product_sku: Series[str]
    retailer_sku: Series[str] = pa.Field(nullable=True)
    product_upc: Series[str] = pa.Field(nullable=True)
    product_name: Series[str] = pa.Field(nullable=True)
    quantity: Series[int]
    is_discontinued: Series[bool]
    next_availability_date: Series[Day] = pa.Field(nullable=True)  # type: ignore[valid-type]
    next_available_quantity: Series[Count] = pa.Field(nullable=True)
    product_extras: Series[str] = pa.Field(nullable=True)
    warehouse_name: Series[str] = pa.Field(nullable=True)

    class Config(_StrictModel.Config):
        unique = STOCK_KEYS


@documented_by(column_docs.AVAILABLE_STOCK)
class AvailableStock(_StrictModel):
    """Units that a channel can still sell: actual stock less open orders; may be below 0."""

    channel_id: Series[str]
    warehouse_code: Series[str]
    product_sku: Series[str]
    retailer_sku: Series[str] = pa.Field(nullable=True)
    product_upc: Series[str] = pa.Field(nullable=True)
    product_name: Series[str] = pa.Field(nullable=True)
    quantity: Series[int]
    is_discontinued: Series[bool]
    next_availability_date: Series[Day] = pa.Field(nullable=True)  # type: ignore[valid-type]
    next_available_quantity: Series[Count] = pa.Field(nullable=True)
    product_extras: Series[str] = pa.Field(nullable=True)
    warehouse_name: Series[str] = pa.Field(nullable=True)

    class Config(_StrictModel.Config):
        unique = CHANNEL_STOCK_KEYS


@documented_by(column_docs.WAREHOUSES)
class Warehouses(_StrictModel):
    """One row per warehouse, from the answer for actual stock."""

    warehouse_code: Series[str] = pa.Field(unique=True)
    warehouse_name: Series[str] = pa.Field(nullable=True)
    street_address: Series[str] = pa.Field(nullable=True)
    street_address2: Series[str] = pa.Field(nullable=True)
    city: Series[str] = pa.Field(nullable=True)
    province: Series[str] = pa.Field(nullable=True)
    province_code: Series[str] = pa.Field(nullable=True)
    country_code: Series[str] = pa.Field(nullable=True)
    country: Series[str] = pa.Field(nullable=True)
    postal_code: Series[str] = pa.Field(nullable=True)
    is_residential: Series[Flag] = pa.Field(nullable=True)


@documented_by(column_docs.CHANNELS)
class Channels(_StrictModel):
    """One row per sales channel."""

    channel_id: Series[str] = pa.Field(unique=True)
    channel_name: Series[str] = pa.Field(nullable=True)
    channel_email: Series[str] = pa.Field(nullable=True)
    channel_phone: Series[str] = pa.Field(nullable=True)
    location: Series[str] = pa.Field(nullable=True)
    features: Series[str] = pa.Field(nullable=True)


@documented_by(column_docs.STOCK_DIFF)
class StockDiff(_DocumentedModel):
    """Actual and available stock compared, one row per warehouse and SKU, and per channel if known."""

    warehouse_code: Series[str]
    product_sku: Series[str]
    product_name: Series[str] = pa.Field(nullable=True)
    actual: Series[Count] = pa.Field(nullable=True)
    available: Series[Count] = pa.Field(nullable=True)
    reserved: Series[Count] = pa.Field(nullable=True)
    side: Series[str] = pa.Field(isin=["both", "actual_only", "available_only"])
    oversold: Series[bool]
    inconsistent: Series[bool]


@documented_by(column_docs.STOCK_UPDATES)
class StockUpdates(_DocumentedModel):
    """Stock updates to be sent, one row per warehouse and SKU; the last two columns may be absent."""

    warehouse_code: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 255})
    product_sku: Series[str] = pa.Field(str_length={"min_value": 1, "max_value": 255})
    type: Series[str] = pa.Field(isin=["TRUE_UP", "DIFFERENTIAL"])
    quantity: Series[int]
    current_quantity: Series[Count] = pa.Field(nullable=True)
    change: Series[Count] = pa.Field(nullable=True)
    known_sku: Series[bool]
    reason: Series[str] = pa.Field(nullable=True)
    reference: Series[str] = pa.Field(nullable=True)
    suggestion: Series[str] | None = pa.Field(nullable=True)
    counted_at: Series[Instant] | None = pa.Field(nullable=True)

    class Config:
        unique = STOCK_KEYS


@documented_by(column_docs.OUTCOMES)
class Outcomes(_DocumentedModel):
    """The outcome of each row of a submission."""

    submission_id: Series[str]
    batch: Series[int] = pa.Field(ge=0)
    row: Series[int] = pa.Field(ge=0)
    warehouse_code: Series[str]
    product_sku: Series[str]
    type: Series[str]
    quantity: Series[int]
    handle: Series[str] = pa.Field(nullable=True)
    status: Series[str] = pa.Field(nullable=True)
    outcome: Series[str]
    message: Series[str] = pa.Field(nullable=True)
    submitted_at: Series[Instant] = pa.Field(nullable=True)
    completed_at: Series[Instant] = pa.Field(nullable=True)
    read_back: Series[Count] = pa.Field(nullable=True)
    read_back_at: Series[Instant] = pa.Field(nullable=True)

    class Config:
        unique = ["submission_id", "batch", "row"]


def describe(model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Document a model, one row per column, in order.

    Args:
        model: A model of this module, such as `schemas.Orders`.

    Returns:
        `column dtype null key unit personal meaning source example`: whether it may be null and belongs to the key;
        its unit; the kind of pseudonym if it identifies a person; its meaning in one line; its source; a made-up
        value as text. Missing information is an empty text.
    """
    schema = model.to_schema()
    keys = {*(schema.unique or []), *(name for name, column in schema.columns.items() if column.unique)}
    rows = [
        {
            "column": name,
            "dtype": str(pd.Series(dtype=get_loader_dtype(column.dtype)).dtype),
            "null": bool(column.nullable),
            "key": name in keys,
            "unit": column.metadata["unit"],
            "personal": column.metadata["personal"],
            "meaning": column.description,
            "source": column.metadata["source"],
            "example": str(column.metadata["meaning"].example),
        }
        for name, column in schema.columns.items()
    ]
    return pd.DataFrame(rows).astype({name: "str" for name in rows[0] if name not in ("null", "key")})
