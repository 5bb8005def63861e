"""The page of an explorer: the grid of orders, a range of days, a search in what orders contain, one opened order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import traitlets

from cenports_nb.notebook.explorer.search_index import Terms
from cenports_nb.notebook.grid.row_selection import Mask, mask_of
from cenports_nb.notebook.grid.widget import LOOK, SOURCE, Grid

HERE = Path(__file__).parent


class Page(Grid):
    """A grid of orders; what an order contains and who ordered it goes to the page by messages alone.

    Attributes:
        note: A sentence above.
        times: The zone in which days and times are.
    """

    _esm = (
        SOURCE + (HERE / "explorer.js").read_text(encoding="utf-8") + "\nexport default {render: renewed(ordersOf)};\n"
    )
    _css = LOOK + (HERE / "explorer.css").read_text(encoding="utf-8")

    note = traitlets.Unicode().tag(sync=True)
    times = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.on_terms: Callable[[], Terms] | None = None
        self.on_shown: Callable[[Mask], None] = lambda _: None
        super().__init__(**traits)

    def heard(self, content: Mapping[str, Any]) -> None:
        """Take a message of a page; one that makes no sense changes nothing."""
        super().heard(content)
        if content.get("terms") is True and self.on_terms is not None:
            self.send({"terms": True}, buffers=self.on_terms().buffers())
        if isinstance(content.get("shown"), list):
            shown = mask_of(content["shown"], self.rows)
            if shown is not None:
                self.on_shown(shown)
