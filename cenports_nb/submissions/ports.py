"""Cenports as the sender, the poller and `verify()` see it: plain values in, plain values out.

A client is one implementation; a simulation is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from cenports_nb.api.models import Transaction
from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment

OrderKey = tuple[str, str]
"""Channel id and order number."""


class StockLevels(Protocol):
    """How many units there are, by warehouse and SKU."""

    def get(self, key: tuple[str, str], /) -> int | None:
        """Return the units; None where the warehouse does not have the SKU.

        Raises:
            IncompleteError: Nobody knows, as the stock was not read whole.
        """
        ...


class Gateway(Protocol):
    """What writes need of Cenports. Every method but the first two may raise a CenportsError."""

    @property
    def settle(self) -> timedelta:
        """After this time nothing of a request can take effect any more."""
        ...

    def now(self) -> Moment:
        """Tell the time on every clock."""
        ...

    def learn_time(self) -> None:
        """Make sure that Cenports' own time is known, as far as its answers tell."""
        ...

    def reserve(self) -> float:
        """Wait until a write may leave, and return its place in the rate limit."""
        ...

    def send(
        self, head: Head, batch: Batch, rows: Sequence[Row], place: float, may_depart: Callable[[], bool]
    ) -> Transaction | None:
        """Send a batch once; None where the call has no transaction.

        Raises:
            NotDepartedError: It did not leave.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Send nothing of the account for a while."""
        ...

    def read_transaction(self, handle: str) -> Transaction:
        """Ask for a transaction."""
        ...

    def read_stock(self, warehouse_codes: Iterable[str]) -> StockLevels:
        """Read actual stock, past every cache."""
        ...

    def read_open_quantities(self, query: OpenLinesQuery) -> Mapping[tuple[str, str], int]:
        """Sum the units of open lines by warehouse and SKU, past every cache."""
        ...

    def explain_existing_orders(self, channel_id: str, numbers: Sequence[str]) -> dict[str, str]:
        """Say of each order that is there why it is not to be created."""
        ...

    def find_orders(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Find the orders that are there."""
        ...

    def find_acknowledgements(self, keys: Iterable[OrderKey]) -> dict[OrderKey, bool]:
        """Tell whether orders are acknowledged, without those that are not there."""
        ...

    def find_acknowledged_shipments(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Find the orders of which no shipment is left to acknowledge."""
        ...

    def write_started(self, batch: Batch) -> None:
        """Keep nothing in the cache that a batch may change, until `write_ended`."""
        ...

    def write_ended(self, batch: Batch) -> None:
        """Make stale what was read while a batch was under way."""
        ...
