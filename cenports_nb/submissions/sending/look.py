"""The last look at a batch: read what the decision needs, just before the batch is sent."""

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
"""After this time orders are looked up again."""

Look = Callable[[Sequence[Row]], Evidence]
"""Reads what is known of some rows now."""


class StockLook:
    """Reads the stock, and other changes of the same SKUs by submissions of this account.

    Args:
        gateway: Where stock is read.
        journal: Where other changes are.
        head: The submission.
        stock: The stock as it was last read.
        is_first: Whether the submission was just checked against the journal under the planning lock: no other change can
            have been added since, and objections that a person accepted there are not raised again.
    """

    def __init__(self, gateway: Gateway, journal: Journal, head: Head, stock: StockCache, *, is_first: bool) -> None:
        self._gateway = gateway
        self._journal = journal
        self._head = head
        self._stock = stock
        self._is_first = is_first

    def __call__(self, rows: Sequence[Row]) -> Evidence:
        """Read the stock of some rows, and the changes that block them."""
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
    """Looks up whether orders exist already, in their channel or in another submission.

    Args:
        gateway: Where orders are looked up.
        journal: Where other submissions are.
        head: The submission.
        checked: When all of them were last looked up; they are looked up again if that is too old.
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
    """Reads nothing, for writes that may be repeated."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __call__(self, rows: Sequence[Row]) -> Evidence:
        """Return the current moment only."""
        return Evidence(self._gateway.now())
