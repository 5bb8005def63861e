"""The file that was counted or moved: how it is read, how it is named in the journal, what is held back of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cenports_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd

ProductKey = Literal["product_sku", "product_upc", "retailer_sku"]
Duplicates = Literal["raise", "sum"]


@dataclass(frozen=True)
class CountFile:
    """A file of counts, and how its headers and codes are meant.

    Attributes:
        warehouse: Of a file that has no such column.
        by: What it names products by.
        columns: Our names to its headers.
        warehouse_map: Its warehouse codes to those of Cenports.
        duplicates: What is done with bins.
    """

    path: Path
    warehouse: str | None = None
    by: ProductKey = "product_sku"
    columns: Mapping[str, str] | None = None
    warehouse_map: Mapping[str, str] | None = None
    duplicates: Duplicates = "raise"

    def read(self, stock: pd.DataFrame, *, signed: bool = False) -> pd.DataFrame:
        """Read what was counted, or with `signed` what came in and went out.

        Raises:
            InvalidRequestError: It can't be read, or has no row: a file that a machine left empty is no count.
        """
        import cenports_nb as cn  # noqa: PLC0415

        counts = cn.read_counts(
            self.path, stock=stock, signed=signed, columns=self.columns, warehouse_code=self.warehouse,
            warehouse_map=self.warehouse_map, duplicates=self.duplicates, by=self.by,
        )  # fmt: skip
        if counts.empty:
            name = self.path.name
            raise InvalidRequestError(f"{name} has headers and no rows: nothing was counted, and nothing was sent.")
        return counts

    @property
    def reference(self) -> str:
        """Its name and a short hash of what is in it and for which warehouse.

        The guard `repeated` objects to a reference that it saw within a day: a file that is sent twice would undo the
        sales since it was counted, or move the stock twice.

        Raises:
            InvalidRequestError: It can't be read.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InvalidRequestError(f"{self.path} can't be read: {error.strerror}.") from None
        digest = hashlib.blake2b(content + b"\0" + (self.warehouse or "").encode(), digest_size=5).hexdigest()
        return f"{self.path.name} {digest}"

    def save_held(self, held: pd.DataFrame, submission_id: str) -> Path | None:
        """Write what guards held back beside the file, over nothing that is there; None if that can't be.

        Args:
            held: From a submission.
            submission_id: Its id, which names the file if the plain name is taken.
        """
        import cenports_nb as cn  # noqa: PLC0415

        for name in (f"{self.path.stem}-held.csv", f"{self.path.stem}-held-{submission_id}.csv"):
            target = self.path.with_name(name)
            try:
                target.open("x").close()
            except FileExistsError:
                continue
            except OSError:
                return None
            try:
                return cn.export(held, target)
            except InvalidRequestError:
                target.unlink(missing_ok=True)  # an empty one would look as if nothing was held
                return None
        return None
