"""The kinds of submissions: how a batch of each becomes a request, and how far it may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.orders import lookup

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

Judge = Callable[["Client", Sequence[Row], Mapping[int, Batch]], list[Row]]
"""Reads what Cenports has now and decides rows that it does not confirm; what it can't decide stays, with why."""


@dataclass(frozen=True)
class Kind:
    """One kind of write.

    Attributes:
        method: Of its call.
        path: Its end point.
        place: What the rows of a batch have in common, as frames call it.
        key: What names a row, as frames call it.
        items: Where its rows are in the body; a 422 about it may be about their number.
        body: A batch as the call takes it; the partner id is added later.
        at_once: The answer is the end of it: there is no transaction to follow.
        doubt: What is said of a row whose answer was not seen.
        judge: How verify() decides; by the stock where there is none.
        repeatable: The same once and twice, so that what is in doubt may be sent again.
    """

    method: str
    path: str
    place: str
    key: tuple[str, ...]
    items: str
    body: Callable[[Head, Batch, Sequence[Row]], dict[str, Any]]
    at_once: bool
    doubt: str
    judge: Judge | None = None
    repeatable: bool = False

    @property
    def call(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def _inventories(_: Head, batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    items = [{"productSKU": row.product_sku, "quantity": row.quantity, "type": row.type} for row in rows]
    return {"warehouseCode": batch.place, "inventories": items}


def _orders(_: Head, batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    return {"channelId": batch.place, "orders": [msgspec.json.decode(row.payload or "null") for row in rows]}


def _numbers(_: Head, batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    return {"channelId": batch.place, "orders": ",".join(row.order_no or "" for row in rows)}


def _shipments(_: Head, __: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    return {"shipments": [{"orderNo": row.order_no} for row in rows]}


ACKNOWLEDGEMENT = Kind(
    method="PATCH",
    path="/orders/acknowledge",
    place="channel_id",
    key=("channel_id", "order_no"),
    items="orders",
    body=_numbers,
    at_once=True,
    doubt="It was sent, and no answer was seen: verify() looks, and to acknowledge it again does no harm.",
    judge=lookup.judge_acknowledged,
    repeatable=True,
)

KINDS: Mapping[str, Kind] = {
    "stock": Kind(
        method="PATCH",
        path="/inventories",
        place="warehouse_code",
        key=("warehouse_code", "product_sku"),
        items="inventories",
        body=_inventories,
        at_once=False,
        doubt="It was sent, and no answer was seen: verify() reads the stock.",
    ),
    "orders": Kind(
        method="POST",
        path="/orders",
        place="channel_id",
        key=("order_no",),
        items="orders",
        body=_orders,
        at_once=False,
        doubt="It was sent, and no answer was seen: verify() looks for the order.",
        judge=lookup.judge_created,
    ),
    "acknowledgement": ACKNOWLEDGEMENT,
    "hand_over": ACKNOWLEDGEMENT,
    "shipments": Kind(
        method="PATCH",
        path="/shipments/acknowledge",
        place="channel_id",
        key=("order_no",),
        items="shipments",
        body=_shipments,
        at_once=False,
        doubt="It was sent, and no answer was seen: verify() looks whether it is acknowledged.",
        judge=lookup.judge_shipments,
        repeatable=True,
    ),
}


def kind_of(head: Head) -> Kind:
    """Return the kind of a submission."""
    return KINDS[head.kind]
