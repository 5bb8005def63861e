"""The explorer of orders: search and filter them, open one with its lines, shipments and addresses. It only reads."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
from IPython.display import display

from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.explorer.order_detail import HIDE, SHOW, excuse_of, story_of
from cenports_nb.notebook.explorer.order_grid import Page
from cenports_nb.notebook.explorer.order_index import Order, OrderBook
from cenports_nb.notebook.explorer.order_table import moment_of, names_of_channels, table_of
from cenports_nb.notebook.explorer.search_index import Terms, terms_of
from cenports_nb.notebook.explorer.summary import page_of, text_of
from cenports_nb.notebook.grid.live_grid import Place
from cenports_nb.notebook.grid.row_selection import Mask
from cenports_nb.notebook.subshell import hear_at_once


class OrderExplorer:
    """A table of orders that a person searches, filters and opens; it reads frames and asks Cenports for nothing.

    Newest first; filters for channel, status, acknowledged and days; one search for order numbers, SKUs, products and
    tracking numbers. An order that is opened shows its lines, its shipments and, masked, its people; a button shows
    them as they are for this one order, on the page alone: neither the saved notebook nor a widget's state has them.
    Where nobody can press anything, and in a saved or exported notebook, the first orders stand as a plain table.

    Args:
        orders: From `load_orders`, best with `with_acknowledged=True`; filtered, joined or made by yourself. Needed
            are `order_no`, `channel_id` and `order_date`, of which days may be null.
        line_items: From `load_line_items`, with the same arguments; lines of other orders are left aside. Needed are
            `order_no`, `channel_id`, `product_sku` and `quantity`.
        shipments: From `load_shipments`; needed is `order_no`.
        channels: From `load_channels`, for their names.
        time_zone: IANA zone in which days and times are shown; by default the one that the frames were loaded in,
            else UTC. A plain day (exactly midnight UTC) stays that day.
        show_pii: Show names and addresses of every order, and search names. The saved notebook then has names, too.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or an order has two rows.
    """

    def __init__(
        self,
        orders: pd.DataFrame,
        line_items: pd.DataFrame,
        shipments: pd.DataFrame | None = None,
        *,
        channels: pd.DataFrame | None = None,
        time_zone: str | None = None,
        show_pii: bool = False,
    ) -> None:
        self._book = OrderBook(orders, line_items, shipments, time_zone=time_zone)
        if channels is not None:
            channels = validate_columns(channels, schemas.Channels, "channels", ["channel_id", "channel_name"])
        self._show_pii = show_pii
        names = names_of_channels(self._book, channels)
        self._table, self._columns = table_of(self._book, names, moment_of(orders), show_pii=show_pii)
        self._shown: Mask | None = None  # all
        self._page: Page | None = None
        self._places: list[Place] = []
        self._terms: Terms | None = None
        self._turn = threading.RLock()  # what a page asks is answered beside the cell that runs

    @property
    def shown(self) -> pd.DataFrame:
        """The orders that the filters show, newest first: rows of the frame that was given, with all its columns."""
        shown = self._shown
        return self._book.given(slice(None) if shown is None else np.flatnonzero(shown))

    @property
    def order(self) -> Order | None:
        """The order that is opened: `.order`, `.line_items` and `.shipments` as frames; None if none is."""
        page = self._page
        return self._book.order(page.opened) if page is not None and page.opened >= 0 else None

    def __repr__(self) -> str:
        return text_of(self._book, self._visible(), self._columns, self._count())

    def _ipython_display_(self) -> None:
        if get_kernel() is None:
            display({"text/plain": repr(self)}, raw=True)
            return
        place = Place()
        with self._turn:
            page = self._open() if is_attended() and len(self._book) else None
            place.show(page, *self._still())
            self._places.append(place)

    def _open(self) -> Page:
        """Make the page, once: every cell that shows this explorer shows the same one."""
        if self._page is None:
            page = Page.of(self._table, self._columns, label="Orders", note=self._book.doubts, times=self._book.zone)
            page.on_terms = self._find
            page.on_shown = self._filtered
            page.on_open(lambda row: self._tell(row, shown=self._show_pii))
            page.on_action(self._pressed)
            hear_at_once(page)  # a person looks things up while a cell runs
            self._page = page
        return self._page

    def _find(self) -> Terms:
        with self._turn:
            if self._terms is None:
                self._terms = terms_of(self._book, show_pii=self._show_pii)
            return self._terms

    def _pressed(self, action: str, row: int) -> None:
        if action in (SHOW, HIDE):
            self._tell(row, shown=action == SHOW)

    def _tell(self, row: int, *, shown: bool) -> None:
        """Tell the page of an order: by a message, which nothing keeps."""
        if row < 0 or self._page is None:
            return
        try:
            parts = story_of(self._book, row, shown=shown, button=not self._show_pii)
        except Exception as error:  # noqa: BLE001 - a traceback would stand in the notebook, and the page wait for ever
            parts = excuse_of(error)
        self._page.tell(row, parts)

    def _filtered(self, shown: Mask) -> None:
        with self._turn:
            self._shown = None if shown.all() else shown
            still = self._still()
            for place in self._places:
                place.draw(*still)

    def _visible(self) -> pd.DataFrame:
        return self._table if self._shown is None else self._table[self._shown]

    def _count(self) -> int | None:
        return None if self._shown is None else int(self._shown.sum())

    def _still(self) -> tuple[str, str]:
        return page_of(self._book, self._visible(), self._columns, self._count()), repr(self)
