"""Where a tracker is shown: outputs of a cell that are replaced in place, each only when it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from IPython.display import display

from cenports_nb.notebook.tracker.buttons import BELOW, Controls
from cenports_nb.notebook.tracker.row_details import PLACES

NOTHING = "<span></span>"


class Page(Protocol):
    """What a tracker draws on."""

    controls: Controls | None

    def draw(self, table: str, text: str, folds: Sequence[str]) -> None:
        """Replace what changed."""


class Outputs:
    """Buttons, the table, and the rows of each batch."""

    def __init__(self, controls: Controls | None = None) -> None:
        self.controls = controls
        self._board = controls.board if controls else None
        self._room: Any = None  # for buttons that come later
        self._drawn: list[tuple[Any, str]] = []

    def show(self, table: str, text: str, folds: Sequence[str]) -> None:
        """Put it below the cell that runs."""
        if self.controls:
            self.controls.show()
        folds = [self._marked(fold) for fold in folds]
        table = self._above + self._marked(table)
        self._drawn = [(_shown(_bundle(table, text)), table)]
        # Batches may be halved or sent again: what is to hold them has to be there before.
        places = PLACES if len(folds) > 1 else 2
        for fold in (list(folds) + [""] * places)[:places]:
            self._drawn.append((_shown(_bundle(fold)), fold))

    def keep(self) -> None:
        """Keep room below the cell that runs for all of it: what is shown later can be put nowhere else."""
        self._room = _shown(_bundle(NOTHING))
        self._drawn = [(_shown(_bundle(NOTHING)), NOTHING) for _ in range(PLACES + 1)]

    def fill(self, controls: Controls | None) -> None:
        """Put buttons into the room that was kept; `draw` does the rest."""
        self.controls = controls
        if controls:
            controls.show(self._room)

    @property
    def _above(self) -> str:
        return BELOW if self.controls else ""

    def _marked(self, page: str) -> str:
        return self._board.marked(page) if self._board and page else page

    def draw(self, table: str, text: str, folds: Sequence[str]) -> None:
        """Replace what changed."""
        if self._board:
            self._board.draw([table, *folds])
        places = len(self._drawn) - 1
        parts = [*folds[: places - 1], "".join(folds[places - 1 :])]
        pages = [self._above + self._marked(table), *map(self._marked, (parts + [""] * places)[:places])]
        for i, ((handle, old), new) in enumerate(zip(self._drawn, pages, strict=True)):
            if new != old:
                handle.update(_bundle(new, text if i == 0 else ""), raw=True)
                self._drawn[i] = (handle, new)


def _bundle(page: str, text: str = "") -> Mapping[str, str]:
    return {"text/html": page, "text/plain": text}


def _shown(bundle: Mapping[str, str]) -> Any:
    return display(dict(bundle), raw=True, display_id=True)
