"""The grid: rows to sort, filter, select and open on the page; the kernel knows the selection.

grid = Grid.from_frame(frame, [Column("order_no", "Order"), Column("status", "Status", choice=True)], label="Orders")
grid.observe(lambda change: …, "selection")    # grid.selected is a mask of the frame's rows
grid.on_open = lambda row: …                   # a page opened a row, also again: its position, -1 for none
    grid.show_details(row, [DetailSection("Lines", headers=("SKU", "Units"), rows=(("0003", "2"),))])  # never saved
    LiveOutput(widget_marker=BELOW_GRID_MARKER).show(grid, [table], text)  # with a static table where no kernel is

The page sorts and filters without the kernel. It is a plain ES module on anywidget: real elements with roles, labels
and keys; text from outside is never markup; nothing is loaded from another host. A canvas (ipydatagrid) can't be read
aloud and has no check boxes; DataTables (itables) cuts tables longer than some kB and takes text for HTML by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from cenports_nb.notebook.grid.columns import Column, encode_frame

PAGE_FOLDER = Path(__file__).parent / "page"
SCRIPTS = (
    "text.js", "table_text.js", "html_parts.js", "keys.js", "cells.js", "row_layout.js", "sorting.js", "filters.js", "selection.js", "row_details.js",
    "head.js", "grid.js", "redraw.js",
)  # fmt: skip


def read_scripts(*names: str) -> str:
    """Read scripts of the page, to put them before another one."""
    return "\n".join((PAGE_FOLDER / name).read_text(encoding="utf-8") for name in names)


GRID_SCRIPT = read_scripts(*SCRIPTS)
GRID_STYLE = (PAGE_FOLDER / "grid.css").read_text(encoding="utf-8")

RowMask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class DetailSection:
    """A section of the details of an open row: facts, a table, or both.

    Attributes:
        title: The heading.
        facts: Pairs of name and value.
        note: A sentence below the heading.
        headers: Headers of the table.
        rows: Rows of the table, as text.
        numeric_columns: Positions of its numeric columns, from 0.
        actions: Buttons below, key and label; a press is sent as `{"action": key, "row": position}`.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    headers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric_columns: tuple[int, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()


class Grid(anywidget.AnyWidget):  # type: ignore[misc]
    """A table of many rows on a page; create it with `Grid.from_frame`.

    Its traits may end in a saved notebook, so they must hold no personal data.

    Attributes:
        selection: The selected rows, as `encode_ranges` returns them.
        selection_version: The number of changes of the selection, so that a late answer undoes nothing.
        open_row: The position of the open row, -1 for none.
        time_zone: The zone of instants.
    """

    _esm = (
        GRID_SCRIPT + "\nexport default {render: redrawOnColumnChange((model, el) => createGrid(model, el).close)};\n"
    )
    _css = GRID_STYLE

    label = traitlets.Unicode().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    rows = traitlets.Int(0).tag(sync=True)
    selectable = traitlets.Bool(False).tag(sync=True)
    selection = traitlets.List(traitlets.Int()).tag(sync=True)
    selection_version = traitlets.Int(0).tag(sync=True)
    open_row = traitlets.Int(-1).tag(sync=True)
    time_zone = traitlets.Unicode("UTC").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.on_open: Callable[[int], None] = lambda _: None
        self.on_action: Callable[[str, int], None] = lambda *_: None
        super().__init__(**traits)
        self.on_msg(lambda _, content, __: self.handle_message(content))

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        *,
        label: str,
        selected: RowMask | None = None,
        time_zone: str = "UTC",
        **traits: Any,
    ) -> Any:
        """Create a grid of a frame's rows, in its order.

        Args:
            frame: Any frame; rows are known by their position.
            columns: The columns to show; the first two text columns name a row for screen readers.
            label: What the rows are, such as "Orders".
            selected: The rows selected at first; None for a grid without check boxes.
            expandable: Whether rows can be opened.
            time_zone: The zone of instants.
            **traits: Traits of a subclass.

        Raises:
            InvalidRequestError: The frame lacks a column.
        """
        return cls(
            label=label,
            columns=[asdict(column) for column in columns],
            data=encode_frame(frame, columns, time_zone),
            rows=len(frame),
            selectable=selected is not None,
            time_zone=time_zone,
            selection=[] if selected is None else encode_ranges(np.asarray(selected, dtype=bool)),
            **traits,
        )

    @property
    def selected(self) -> RowMask:
        """A mask of the selected rows."""
        found = decode_ranges(self.selection, self.rows)
        return np.zeros(self.rows, dtype=bool) if found is None else found

    def select(self, mask: RowMask) -> None:
        """Select these rows and no others."""
        with self.hold_sync():
            self.selection_version += 1
            self.selection = encode_ranges(np.asarray(mask, dtype=bool))

    def show_frame(self, frame: pd.DataFrame, columns: Sequence[Column]) -> None:
        """Show other values of the same rows.

        Args:
            frame: The same number of rows, in the same order.
            columns: The columns to show.
        """
        with self.hold_sync():
            self.columns = [asdict(column) for column in columns]
            self.data = encode_frame(frame, columns, self.time_zone)

    def show_details(self, row: int, sections: Sequence[DetailSection]) -> None:
        """Show sections below the rows while this row is open; they are sent to the page and never saved."""
        self.send({"details": row, "sections": [asdict(section) for section in sections]})

    def handle_message(self, content: Mapping[str, Any]) -> None:
        """Handle a message from the page; ignore an invalid one."""
        if "ping" in content:
            self.send({"pong": True})
        if "selection" in content:
            self._take_selection(content["selection"], content.get("selection_version"))
        row = content.get("open_row", content.get("row"))
        if not isinstance(row, int) or not -1 <= row < self.rows:
            return
        if "open_row" in content:
            self.open_row = row
            self.on_open(row)
        elif isinstance(content.get("action"), str):
            self.on_action(content["action"], row)

    def _take_selection(self, ranges: Any, version: Any) -> None:
        if not isinstance(ranges, list) or not isinstance(version, int) or decode_ranges(ranges, self.rows) is None:
            return
        with self.hold_sync():
            self.selection_version = max(self.selection_version, version)
            self.selection = ranges


def encode_ranges(mask: RowMask) -> list[int]:
    """Encode a mask as starts and ends: rows 0, 1 and 4 are `[0, 2, 4, 5]`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    found: list[int] = edges.tolist()
    return found


def decode_ranges(ranges: Sequence[int], rows: int) -> RowMask | None:
    """Decode starts and ends into a mask; None if they are invalid."""
    mask = np.zeros(rows, dtype=bool)
    whole = all(isinstance(edge, int) and not isinstance(edge, bool) and 0 <= edge <= rows for edge in ranges)
    if not whole or len(ranges) % 2 or any(a >= b for a, b in pairwise(ranges)):
        return None
    for begin, end in zip(ranges[::2], ranges[1::2], strict=True):
        mask[begin:end] = True
    return mask
