"""The kinds of writes: how a batch becomes a request, and whether it may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cenports_nb.submissions.rules.models import Batch, Head, Row


@dataclass(frozen=True)
class WriteKind:
    """One kind of write.

    Attributes:
        method: The HTTP method of its call.
        path: The path of its call.
        batch_column: The column that all rows of a batch share, as in frames.
        key_columns: The columns that identify a row, as in frames.
        items_field: The field of the body that holds the rows; a 422 about it may be about their number.
        build_body: Builds the body for a batch; the partner id is added later.
        is_synchronous: Whether the answer is final, without a transaction.
        doubt_message: The message of a row without an answer.
        is_repeatable: Whether sending twice has the effect of sending once, so that rows in doubt may be sent again.
    """

    method: str
    path: str
    batch_column: str
    key_columns: tuple[str, ...]
    items_field: str
    build_body: Callable[[Batch, Sequence[Row]], dict[str, Any]]
    is_synchronous: bool
    doubt_message: str
    is_repeatable: bool = False

    @property
    def call(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def _build_stock_body(batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    items = [{"productSKU": row.product_sku, "quantity": row.quantity, "type": row.type} for row in rows]
    return {"warehouseCode": batch.place, "inventories": items}


def _build_orders_body(batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    return {"channelId": batch.place, "orders": [msgspec.json.decode(row.payload or "null") for row in rows]}


def _build_acknowledgement_body(batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    return {"channelId": batch.place, "orders": ",".join(row.order_no or "" for row in rows)}


def _build_shipments_body(_: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    return {"shipments": [{"orderNo": row.order_no} for row in rows]}


ORDER_ACKNOWLEDGEMENT = WriteKind(
    method="PATCH",
    path="/orders/acknowledge",
    batch_column="channel_id",
    key_columns=("channel_id", "order_no"),
    items_field="orders",
    build_body=_build_acknowledgement_body,
    is_synchronous=True,
    doubt_message="It was sent, and no answer was seen: verify it, or acknowledge it again, which does no harm.",
    is_repeatable=True,
)

WRITE_KINDS: Mapping[str, WriteKind] = {
    "stock": WriteKind(
        method="PATCH",
        path="/inventories",
        batch_column="warehouse_code",
        key_columns=("warehouse_code", "product_sku"),
        items_field="inventories",
        build_body=_build_stock_body,
        is_synchronous=False,
        doubt_message="It was sent, and no answer was seen: verify it against the stock.",
    ),
    "orders": WriteKind(
        method="POST",
        path="/orders",
        batch_column="channel_id",
        key_columns=("order_no",),
        items_field="orders",
        build_body=_build_orders_body,
        is_synchronous=False,
        doubt_message="It was sent, and no answer was seen: verify it to look for the order.",
    ),
    "acknowledgement": ORDER_ACKNOWLEDGEMENT,
    "hand_over": ORDER_ACKNOWLEDGEMENT,
    "shipments": WriteKind(
        method="PATCH",
        path="/shipments/acknowledge",
        batch_column="channel_id",
        key_columns=("order_no",),
        items_field="shipments",
        build_body=_build_shipments_body,
        is_synchronous=False,
        doubt_message="It was sent, and no answer was seen: verify it to see whether it is acknowledged.",
        is_repeatable=True,
    ),
}


def get_write_kind(head: Head) -> WriteKind:
    """Return the kind of a submission."""
    return WRITE_KINDS[head.kind]
