"""A batch: the rows of one write, applied one by one when its transaction ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cenports_nb.sandbox.http.replies import Json

RowErrors = list[tuple[int, str]]
Undo = Callable[[], None]


class RowRefusal(Exception):  # noqa: N818 - a refused row is an ordinary outcome, not a fault of the sandbox
    """Says why a row can't be applied, in one text or more."""

    def __init__(self, *texts: str) -> None:
        super().__init__(*texts)
        self.texts = texts


@dataclass(frozen=True)
class Batch:
    """Rows, and what applies one of them: it says how to take that back, or raises `RowRefusal`."""

    rows: list[Json]
    apply: Callable[[Json], Undo]
    refused: Mapping[int, str] = field(default_factory=dict)  # rows that a fault refuses, with its words

    def run(self, *, whole: bool) -> RowErrors:
        """Apply every good row, or with `whole` none if one is bad, and list what is wrong, by position."""
        errors: RowErrors = []
        undos: list[Undo] = []
        for index, row in enumerate(self.rows):
            try:
                if index in self.refused:
                    raise RowRefusal(self.refused[index])
                undos.append(self.apply(row))
            except RowRefusal as refusal:
                errors += ((index, text) for text in refusal.texts)
        if errors and whole:
            for undo in reversed(undos):
                undo()
        return errors
