"""The kinds of submissions: how a batch of each becomes a request, and how far it may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cenports_nb.transactions.entries import Batch, Head, Row


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
    """

    method: str
    path: str
    place: str
    key: tuple[str, ...]
    items: str
    body: Callable[[Head, Batch, Sequence[Row]], dict[str, Any]]
    at_once: bool
    doubt: str

    @property
    def call(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def _inventories(_: Head, batch: Batch, rows: Sequence[Row]) -> dict[str, Any]:
    items = [{"productSKU": row.product_sku, "quantity": row.quantity, "type": row.type} for row in rows]
    return {"warehouseCode": batch.place, "inventories": items}


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
}


def kind_of(head: Head) -> Kind:
    """Return the kind of a submission."""
    return KINDS[head.kind]
