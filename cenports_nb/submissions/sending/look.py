"""The last look at a batch: reads what the decision needs, just before the batch leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from cenports_nb.submissions.evidence.stock_cache import StockCache
from cenports_nb.submissions.journal.queries import find_conflicting_updates, find_live_orders
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.decide import Evidence
from cenports_nb.submissions.rules.models import Head, Row
from cenports_nb.submissions.rules.moments import Moment, at_most_elapsed

MAX_LOOKUP_AGE = timedelta(minutes=3)
"""After this orders are looked up again."""

Look = Callable[[Sequence[Row]], Evidence]
"""Reads what is known of some rows now."""


class StockLook:
    """Looks at stock, and at other changes of the same SKUs by submissions of this account.

    Args:
        gateway: Where stock is read.
        journal: Where other changes are.
        head: The submission.
        stock: As it was last read.
        is_first: Whether the submission was checked against the journal just now, under the planning lock: nothing can
            have come in its way since, and what a person accepted there is not asked again.
    """

    def __init__(self, gateway: Gateway, journal: Journal, head: Head, stock: StockCache, *, is_first: bool) -> None:
        self._gateway = gateway
        self._journal = journal
        self._head = head
        self._stock = stock
        self._is_first = is_first

    def __call__(self, rows: Sequence[Row]) -> Evidence:
        """Read the stock of some rows, and what is in their way."""
        reading = self._stock.read()
        stock = {row.item: reading.levels.get(row.stock_key) for row in rows}
        found = reading.open_quantities
        open_quantities = (
            {}
            if found is None
            else {row.item: found.get(row.stock_key, 0) for row in rows if row.open_quantity is not None}
        )
        obstacles: dict[int, str] = {}
        if not self._is_first:
            now, settle = self._gateway.now(), self._gateway.settle
            obstacles = find_conflicting_updates(self._journal, self._head, rows, now, settle)
        return Evidence(reading.began, stock, open_quantities, obstacles, reading.position)


class OrderLook:
    """Looks whether orders are there already, in their channel or in another submission.

    Args:
        gateway: Where orders are looked up.
        journal: Where other submissions are.
        head: The submission.
        checked: When all of them were looked up, if they were; they are looked up again when that is too old.
    """

    def __init__(self, gateway: Gateway, journal: Journal, head: Head, checked: Moment | None = None) -> None:
        self._gateway = gateway
        self._journal = journal
        self._head = head
        self._checked = checked

    def __call__(self, rows: Sequence[Row]) -> Evidence:
        """Look up the orders of some rows."""
        channel = rows[0].channel_id or ""
        numbers = [row.order_no or "" for row in rows]
        found = find_live_orders(self._journal, self._head.account, channel, numbers, but=self._head.submission_id)
        began = self._checked
        if began is None or at_most_elapsed(began, self._gateway.now()) >= MAX_LOOKUP_AGE:
            began = self._gateway.now()
            found = self._gateway.explain_existing_orders(channel, numbers) | found
        obstacles = {row.item: found[row.order_no or ""] for row in rows if (row.order_no or "") in found}
        return Evidence(began, obstacles=obstacles)


class NoLook:
    """Looks at nothing: what is sent may be sent twice."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __call__(self, rows: Sequence[Row]) -> Evidence:
        """Tell the time."""
        return Evidence(self._gateway.now())
