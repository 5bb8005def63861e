"""The count file of a command: how it is read, its reference in the journal, and its held rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.settings import read_profile_value

if TYPE_CHECKING:
    import pandas as pd

ProductKey = Literal["product_sku", "product_upc", "retailer_sku"]
Duplicates = Literal["raise", "sum"]
HiddenRows = Literal["include", "exclude"]


@dataclass(frozen=True)
class CountFile:
    """A count file, and how its headers and codes are read.

    Attributes:
        warehouse: The warehouse of a file without such a column.
        by: The column that identifies products.
        columns: Our column names to its headers.
        warehouse_map: Its warehouse codes to Cenports'.
        duplicates: What to do with several rows of a SKU.
        sheet: The sheet of a workbook.
        encoding: The encoding of a text file.
        hidden_rows: What to do with rows that a workbook hides; None for the profile's setting.
        profile: The profile of the command.
    """

    path: Path
    warehouse: str | None = None
    by: ProductKey = "product_sku"
    columns: Mapping[str, str] | None = None
    warehouse_map: Mapping[str, str] | None = None
    duplicates: Duplicates = "raise"
    sheet: str | None = None
    encoding: str | None = None
    hidden_rows: HiddenRows | None = None
    profile: str | None = None

    def read(self, stock: pd.DataFrame, *, signed: bool = False) -> pd.DataFrame:
        """Read counts or, with `signed`, changes.

        Raises:
            InvalidRequestError: The file can't be read, or has no row: an empty file is not a count.
        """
        hidden_rows = self.hidden_rows or (read_profile_value("hidden_rows", self.profile) if self.profile else None)
        counts = cn.read_counts(
            self.path, stock=stock, signed=signed, columns=self.columns, warehouse_code=self.warehouse,
            warehouse_map=self.warehouse_map, duplicates=self.duplicates, by=self.by, sheet=self.sheet,
            encoding=self.encoding, hidden_rows=hidden_rows,
        )  # fmt: skip
        if counts.empty:
            name = self.path.name
            raise InvalidRequestError(f"{name} has headers and no rows: nothing was counted, and nothing was sent.")
        return counts

    @property
    def reference(self) -> str:
        """The file's name and a short hash of its content and warehouse.

        The guard `repeated` objects to a reference of the last 24 hours: a file that is sent twice would undo the sales
        since the count, or move the stock twice.

        Raises:
            InvalidRequestError: The file can't be read.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InvalidRequestError(f"{self.path} can't be read: {error.strerror}.") from None
        digest = hashlib.blake2b(content + b"\0" + (self.warehouse or "").encode(), digest_size=5).hexdigest()
        return f"{self.path.name} {digest}"

    def save_held(self, held: pd.DataFrame, submission_id: str) -> Path | None:
        """Write held rows beside the file, without replacing another file; None if that fails.

        Args:
            held: The held rows of a submission.
            submission_id: The submission's id, which is added to the name if it is taken.
        """
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
                target.unlink(missing_ok=True)  # an empty file would suggest that nothing was held
                return None
        return None
