"""The order explorer: search and filter orders, open one with its lines, shipments and addresses. It is read-only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import traitlets
from IPython.display import display

from cenports_nb.frames.privacy.display import is_unmasked
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.explorer.order_detail import (
    HIDE_ACTION,
    SHOW_ACTION,
    build_error_details,
    build_order_details,
)
from cenports_nb.notebook.explorer.order_index import Order, OrderIndex
from cenports_nb.notebook.explorer.order_table import build_order_table, find_reference_time, name_channels
from cenports_nb.notebook.explorer.search_index import SearchIndex, build_search_index
from cenports_nb.notebook.explorer.summary import format_orders, render_orders
from cenports_nb.notebook.grid.static_table import BELOW_GRID_MARKER
from cenports_nb.notebook.grid.widget import GRID_SCRIPT, GRID_STYLE, Grid, RowMask, decode_ranges
from cenports_nb.notebook.live_output.live_output import LiveOutput
from cenports_nb.notebook.live_output.subshell import handle_in_subshell

FOLDER = Path(__file__).parent


class OrderGrid(Grid):
    """A grid of orders; the contents and the customer of an order reach the page only by message.

    Attributes:
        note: A sentence above the grid.
        names_searched: Whether the search finds orders by the names of people.
    """

    _esm = (
        GRID_SCRIPT
        + (FOLDER / "explorer.js").read_text(encoding="utf-8")
        + "\nexport default {render: redrawOnColumnChange(createOrderGrid)};\n"
    )
    _css = GRID_STYLE + (FOLDER / "explorer.css").read_text(encoding="utf-8")

    note = traitlets.Unicode().tag(sync=True)
    names_searched = traitlets.Bool(False).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.get_search_index: Callable[[], SearchIndex] | None = None
        self.on_shown: Callable[[RowMask], None] = lambda _: None
        super().__init__(**traits)

    def handle_message(self, content: Mapping[str, Any]) -> None:
        """Handle a message from the page; ignore an invalid one."""
        super().handle_message(content)
        if content.get("get_search_index") is True and self.get_search_index is not None:
            self.send({"search_index": True}, buffers=self.get_search_index().to_buffers())
        if isinstance(content.get("shown"), list):
            shown = decode_ranges(content["shown"], self.rows)
            if shown is not None:
                self.on_shown(shown)


class OrderExplorer:
    """A table of orders to search, filter and open; it shows the frames that it is given and sends no request.

    The newest orders come first. Filters select channel, customer, country, state, status, acknowledgment and days; one
    search field finds order numbers, SKUs, products and tracking numbers. The orders that are shown can be copied and
    downloaded. Names are masked and not searched. An open order shows its lines, its shipments and its masked personal
    data; a button reveals the personal data of this order on the page only, never in the saved notebook or the
    widget's state. Without a kernel, the first orders are shown as a plain table.

    Args:
        orders: From `load_orders`, ideally with `with_acknowledged=True`, or any frame with `order_no`, `channel_id`
            and `order_date`, which may be null.
        line_items: From `load_line_items` with the same arguments, or any frame with `order_no`, `channel_id`,
            `product_sku` and `quantity`; lines of other orders are ignored.
        shipments: From `load_shipments`, or any frame with `order_no`.
        channels: From `load_channels`, for the names of channels.
        time_zone: IANA zone of days and times; by default the zone in which the frames were loaded, else UTC. A plain
            day (exactly midnight UTC) stays that day.
        show_pii: Show and search the names and addresses of all orders, as with orders from `cn.show_pii`. The saved
            notebook then contains names.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or an order has two rows.

    Example:
        >>> orders = cn.load_orders(client, last="30D", with_acknowledged=True)
        >>> explorer = cn.OrderExplorer(orders, cn.load_line_items(client, last="30D"))
        >>> len(explorer.shown)
        71
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
        self._index = OrderIndex(orders, line_items, shipments, time_zone=time_zone)
        if channels is not None:
            channels = validate_columns(channels, schemas.Channels, "channels", ["channel_id", "channel_name"])
        show_pii = show_pii or is_unmasked(orders)
        self._show_pii = show_pii
        names = name_channels(self._index, channels)
        self._table, self._columns = build_order_table(
            self._index, names, find_reference_time(orders), show_pii=show_pii
        )
        self._shown: RowMask | None = None  # all
        self._grid: OrderGrid | None = None
        self._outputs: list[LiveOutput] = []
        self._search_index: SearchIndex | None = None
        self._lock = threading.RLock()  # messages from the page are handled while a cell runs

    @property
    def shown(self) -> pd.DataFrame:
        """The orders that the filters show, newest first: rows of the given frame, with all its columns."""
        shown = self._shown
        return self._index.select_given(slice(None) if shown is None else np.flatnonzero(shown))

    @property
    def order(self) -> Order | None:
        """The open order: `.order`, `.line_items` and `.shipments` as frames; None if no order is open."""
        grid = self._grid
        return self._index.get_order(grid.open_row) if grid is not None and grid.open_row >= 0 else None

    def __repr__(self) -> str:
        return format_orders(self._index, self._shown_rows(), self._columns)

    def _ipython_display_(self) -> None:
        if get_kernel() is None:
            display({"text/plain": repr(self)}, raw=True)
            return
        output = LiveOutput(widget_marker=BELOW_GRID_MARKER)
        with self._lock:
            grid = self._get_grid() if is_attended() and len(self._index) else None
            output.show(grid, [self._render_static()], repr(self))
            self._outputs.append(output)

    def _display_(self) -> OrderGrid:
        """Return what marimo shows."""
        with self._lock:
            return self._get_grid()

    def _get_grid(self) -> OrderGrid:
        """Return the one grid that every cell with this explorer shows."""
        if self._grid is None:
            grid = OrderGrid.from_frame(
                self._table,
                self._columns,
                label="Orders",
                note=self._index.warning,
                time_zone=self._index.time_zone,
                names_searched=self._show_pii,
            )
            grid.get_search_index = self._get_search_index
            grid.on_shown = self._on_shown
            grid.on_open = lambda row: self._show_details(row, show_pii=self._show_pii)
            grid.on_action = self._on_action
            handle_in_subshell(grid)  # people look orders up while a cell runs
            self._grid = grid
        return self._grid

    def _get_search_index(self) -> SearchIndex:
        with self._lock:
            if self._search_index is None:
                self._search_index = build_search_index(self._index, show_pii=self._show_pii)
            return self._search_index

    def _on_action(self, action: str, row: int) -> None:
        if action in (SHOW_ACTION, HIDE_ACTION):
            self._show_details(row, show_pii=action == SHOW_ACTION)

    def _show_details(self, row: int, *, show_pii: bool) -> None:
        """Send an order's details to the page, by a message that is never saved."""
        if row < 0 or self._grid is None:
            return
        try:
            sections = build_order_details(
                self._index,
                row,
                show_pii=show_pii,
                can_toggle=not self._show_pii,
                shown_channel=self._table["channel"].iloc[row],
            )
        except Exception as error:  # noqa: BLE001 - a traceback would stand in the notebook, and the page wait for ever
            sections = build_error_details(error)
        self._grid.show_details(row, sections)

    def _on_shown(self, shown: RowMask) -> None:
        with self._lock:
            self._shown = None if shown.all() else shown
            page, text = self._render_static(), repr(self)
            for output in self._outputs:
                output.update([page], text)

    def _shown_rows(self) -> pd.DataFrame:
        return self._table if self._shown is None else self._table[self._shown]

    def _render_static(self) -> str:
        return render_orders(self._index, self._shown_rows(), self._columns)
