"""The grid: rows on a page that a person sorts, filters, ticks and opens; the kernel knows what is ticked.

    grid = Grid.of(frame, [Column("order_no", "Order"), Column("status", "Status", choice=True)], label="Orders")
    grid.observe(lambda change: …, "ranges")       # something was ticked: grid.ticked is a mask of the frame's rows
    grid.on_open(lambda row: …)                    # a row was opened: its position, -1 for none
    grid.tell(row, [Part("Lines", head=("SKU", "Units"), rows=(("0003", "2"),))])  # shown below, never saved
    place = Place(); place.show(grid, page, text)  # place.py: with a static table for when no kernel is there

Sorting and filtering happen on the page and cost the kernel nothing. It is a plain ES module on anywidget: real
elements with roles, labels and keys, text that reaches the page as text only, nothing from another host. A canvas
(ipydatagrid) can't be read aloud and has no tick boxes; DataTables (itables) cuts what is longer than some kB and
takes text for HTML unless it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from cenports_nb.notebook.grid.columns import Column, encode, specs_of
from cenports_nb.notebook.grid.row_selection import Mask, mask_of, ranges_of

HERE = Path(__file__).parent
PARTS = ("words.js", "cells.js", "order.js", "sieve.js", "ticks.js", "told.js", "grid.js")
SOURCE = "\n".join((HERE / part).read_text(encoding="utf-8") for part in PARTS)
LOOK = (HERE / "grid.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Part:
    """A part of what is told of an opened row: facts, a table, or both.

    Attributes:
        title: Above it.
        facts: Name and value.
        note: A sentence below the title.
        head: Headers of the table.
        rows: Its rows, of text.
        right: Which of its columns are numbers, from 0.
        actions: Buttons below it, key and label; a press comes back as `{"action": key, "row": position}`.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    right: tuple[int, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()


class Grid(anywidget.AnyWidget):  # type: ignore[misc]
    """A table of many rows on a page; make it with `Grid.of`.

    Everything in its traits may end in a saved notebook: nothing personal belongs there.

    Attributes:
        ranges: What is ticked, as `ticks.ranges_of` writes it.
        version: How often that changed, so that a late answer undoes nothing.
        opened: The position of the row that is opened, -1 for none.
    """

    _esm = SOURCE + "\nexport default {render: renewed((model, el) => gridOf(model, el).close)};\n"
    _css = LOOK

    label = traitlets.Unicode().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    rows = traitlets.Int(0).tag(sync=True)
    ticks = traitlets.Bool(False).tag(sync=True)
    details = traitlets.Bool(False).tag(sync=True)
    ranges = traitlets.List(traitlets.Int()).tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._pressed: list[Callable[[str, int], None]] = []
        self._openings: list[Callable[[int], None]] = []
        super().__init__(**traits)
        self.on_msg(lambda _, content, __: self.heard(content))

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        *,
        label: str,
        ticked: Mask | None = None,
        details: bool = True,
        zone: str = "UTC",
        **traits: Any,
    ) -> Any:
        """Make a grid of a frame's rows, in its order.

        Args:
            frame: Any; rows are known by their position.
            columns: What is shown of it; the first two that are text name a row to who can't see it.
            label: What the rows are, such as "Orders".
            ticked: Which rows are ticked at first; None for a grid without tick boxes.
            details: Whether rows can be opened.
            zone: The zone in which instants are written.
            **traits: Of a subclass.

        Raises:
            InvalidRequestError: A column that the frame does not have.
        """
        return cls(
            label=label,
            columns=specs_of(columns),
            data=encode(frame, columns, zone),
            rows=len(frame),
            ticks=ticked is not None,
            details=details,
            ranges=[] if ticked is None else ranges_of(np.asarray(ticked, dtype=bool)),
            **traits,
        )

    @property
    def ticked(self) -> Mask:
        """Which rows are ticked."""
        found = mask_of(self.ranges, self.rows)
        return np.zeros(self.rows, dtype=bool) if found is None else found

    def tick(self, mask: Mask) -> None:
        """Tick these rows and no others."""
        with self.hold_sync():
            self.version += 1
            self.ranges = ranges_of(np.asarray(mask, dtype=bool))

    def show_frame(self, frame: pd.DataFrame, columns: Sequence[Column], zone: str = "UTC") -> None:
        """Show other values of the same rows.

        Args:
            frame: As many rows, in the same order.
            columns: What is shown of it.
            zone: The zone in which instants are written.
        """
        with self.hold_sync():
            self.columns = specs_of(columns)
            self.data = encode(frame, columns, zone)

    def tell(self, row: int, parts: Sequence[Part]) -> None:
        """Show something below the rows while this one is opened; it is sent to the page and kept nowhere."""
        self.send({"tell": row, "parts": [asdict(part) for part in parts]})

    def on_open(self, opened: Callable[[int], None]) -> None:
        """Call a function with the row each time that a page opens one, also the same again; -1 when it is closed."""
        self._openings.append(opened)

    def on_action(self, pressed: Callable[[str, int], None]) -> None:
        """Call a function with key and row when an action of a part is pressed."""
        self._pressed.append(pressed)

    def heard(self, content: Mapping[str, Any]) -> None:
        """Take a message of a page; one that makes no sense changes nothing."""
        if "ask" in content:
            self.send({"here": True})
        if "ticked" in content:
            self._take(content["ticked"], content.get("version"))
        row = content.get("opened", content.get("row"))
        if not isinstance(row, int) or not -1 <= row < self.rows:
            return
        if "opened" in content:
            self.opened = row
            for opened in self._openings:
                opened(row)
        elif isinstance(content.get("action"), str):
            for pressed in self._pressed:
                pressed(content["action"], row)

    def _take(self, ranges: Any, version: Any) -> None:
        if not isinstance(ranges, list) or not isinstance(version, int) or mask_of(ranges, self.rows) is None:
            return
        with self.hold_sync():
            self.version = max(self.version, version)
            self.ranges = ranges
