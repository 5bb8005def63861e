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
    """Units by warehouse and SKU."""

    def get(self, key: tuple[str, str], /) -> int | None:
        """Return the units; None if the warehouse does not have the SKU.

        Raises:
            IncompleteError: Unknown, because the stock was not read completely.
        """


class Gateway(Protocol):
    """What writes need of Cenports. Every method but the first two may raise a CenportsError."""

    @property
    def settle(self) -> timedelta:
        """The time after which nothing of a request can take effect any more."""

    def now(self) -> Moment:
        """Return the time on every clock."""

    def learn_time(self) -> None:
        """Get Cenports' own time, if it is unknown and its answers have it."""

    def reserve(self) -> float:
        """Wait until a write may be sent, and return its slot in the rate limit."""

    def send(
        self, head: Head, batch: Batch, rows: Sequence[Row], slot: float, may_depart: Callable[[], bool]
    ) -> Transaction | None:
        """Send a batch once; return None if the call has no transaction.

        Raises:
            NotDepartedError: It was not sent.
        """

    def pause(self, seconds: float) -> None:
        """Pause all requests of the account for a while."""

    def read_transaction(self, handle: str) -> Transaction:
        """Read a transaction."""

    def read_stock(self, warehouse_codes: Iterable[str]) -> StockLevels:
        """Read actual stock, past every cache."""

    def read_open_quantities(self, query: OpenLinesQuery) -> Mapping[tuple[str, str], int]:
        """Sum the units of open lines by warehouse and SKU, past every cache."""

    def explain_existing_orders(self, channel_id: str, numbers: Sequence[str]) -> dict[str, str]:
        """Return for each existing order why it must not be created."""

    def find_orders(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Find existing orders."""

    def find_acknowledgements(self, keys: Iterable[OrderKey]) -> dict[OrderKey, bool]:
        """Return whether existing orders are acknowledged."""

    def find_acknowledged_shipments(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Find the orders without unacknowledged shipments."""

    def write_started(self, batch: Batch) -> None:
        """Cache nothing that a batch may change, until `write_ended`."""

    def write_ended(self, batch: Batch) -> None:
        """Make stale what was read while a batch was open."""
