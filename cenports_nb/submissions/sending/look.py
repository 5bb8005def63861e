"""The last look at a batch: read what the decision needs, just before the batch is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.journal.queries import find_conflicting_updates, find_live_orders
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway, StockLevels
from cenports_nb.submissions.rules.decide import Evidence
from cenports_nb.submissions.rules.models import Head, Row
from cenports_nb.submissions.rules.moments import Moment, at_most_elapsed

MAX_STOCK_AGE = MAX_LOOKUP_AGE = timedelta(minutes=3)
"""After this time stock is read, or orders are looked up, again, so that it is fresh enough when a batch is sent."""

OPEN_LINES_DETAIL = "open_lines"
"""The detail of a submission whose plan added open demand back: the query of the open lines to compare."""

Look = Callable[[Sequence[Row]], Evidence]
"""Reads what is known of some rows now."""


@dataclass(frozen=True)
class StockReading:
    """Stock that was read.

    Attributes:
        began: The time before reading.
        position: The journal's position before reading: later entries may have happened after it.
        open_quantities: Open units by warehouse and SKU, if any, read just before; None if they were not read.
    """

    levels: StockLevels
    began: Moment
    position: int
    open_quantities: Mapping[tuple[str, str], int] | None = None


def read_open_quantities(gateway: Gateway, query: OpenLinesQuery | None) -> Mapping[tuple[str, str], int] | None:
    """Read open demand; stock must be read after it.

    Half a year of open lines may take minutes, and stock must be fresh when a request is sent. An order that ships
    between the two readings changes only one of them, so its row counts as changed in any case.
    """
    return None if query is None else gateway.read_open_quantities(query)


def read_open_lines_query(head: Head) -> OpenLinesQuery | None:
    """Return which open lines are compared before rows of a submission are sent; None if none are."""
    found = head.get_detail(OPEN_LINES_DETAIL)
    return None if found is None else msgspec.convert(found, OpenLinesQuery)


class StockLook:
    """Reads the stock of some warehouses, again when it is too old, and other changes of the same SKUs by this account.

    If a reading is passed, the submission was just checked with it against the journal under the planning lock: no
    other change can have been added since, and objections that a person accepted there are not raised again.
    """

    def __init__(
        self,
        gateway: Gateway,
        journal: Journal,
        head: Head,
        warehouse_codes: Iterable[str],
        open_lines: OpenLinesQuery | None,
        checked: StockReading | None = None,
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._head = head
        self._warehouse_codes = sorted(set(warehouse_codes))
        self._open_lines = open_lines
        self._last = checked
        self._is_checked = checked is not None

    def __call__(self, rows: Sequence[Row]) -> Evidence:
        """Read the stock of some rows, and the changes that block them."""
        reading = self._read()
        stock = {row.item: reading.levels.get(row.stock_key) for row in rows}
        found = reading.open_quantities
        open_quantities = (
            {}
            if found is None
            else {row.item: found.get(row.stock_key, 0) for row in rows if row.open_quantity is not None}
        )
        obstacles: dict[int, str] = {}
        if not self._is_checked:
            now, settle = self._gateway.now(), self._gateway.settle
            obstacles = find_conflicting_updates(self._journal, self._head, rows, now, settle)
        return Evidence(reading.began, stock, open_quantities, obstacles, reading.position)

    def _read(self) -> StockReading:
        """Return the stock, read again if it is too old."""
        if self._last is None or at_most_elapsed(self._last.began, self._gateway.now()) >= MAX_STOCK_AGE:
            open_quantities = read_open_quantities(self._gateway, self._open_lines)
            began, position = self._gateway.now(), self._journal.position()
            levels = self._gateway.read_stock(self._warehouse_codes)
            self._last = StockReading(levels, began, position, open_quantities)
        return self._last


class OrderLook:
    """Looks up whether orders exist already, in their channel or in another submission.

    They are looked up again if `checked`, when all of them were last looked up, is too long ago.
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


def look_at_nothing(gateway: Gateway) -> Look:
    """Return a look that reads nothing, for writes that may be repeated."""
    return lambda _: Evidence(gateway.now())
