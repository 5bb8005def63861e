"""The file that was counted or moved: how it is read, how it is named in the journal, what is held back of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cenports_nb.errors import InvalidRequestError
from cenports_nb.settings import read_profile_value

if TYPE_CHECKING:
    import pandas as pd

ProductKey = Literal["product_sku", "product_upc", "retailer_sku"]
Duplicates = Literal["raise", "sum"]
HiddenRows = Literal["include", "exclude"]

PAIR_ARGUMENT = re.compile(r"\bcolumns=\{'(\w+)': ('[^']*'|\"[^\"]*\")\}")
FLAGS = {
    "columns": "--column",
    "warehouse_code": "--warehouse",
    "warehouse_map": "--warehouse-map",
    "duplicates": "--duplicates",
    "hidden_rows": "--hidden-rows",
    "sheet": "--sheet",
    "encoding": "--encoding",
    "by": "--by",
    "unknown": "--unknown",
}
"""Arguments of `read_counts` and `build_true_up` -> options of the command."""
ARGUMENT = re.compile(rf"\b({'|'.join(FLAGS)})=(?:(?=[\'\"])|(?=[.,): ]|$))")


@dataclass(frozen=True)
class CountFile:
    """A file of counts, and how its headers and codes are meant.

    Attributes:
        warehouse: Of a file that has no such column.
        by: What it names products by.
        columns: Our names to its headers.
        warehouse_map: Its warehouse codes to those of Cenports.
        duplicates: What is done with bins.
        sheet: The sheet of a workbook.
        encoding: Of a text file.
        hidden_rows: What is done with rows that a workbook hides; None for what the profile says.
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
        """Read what was counted, or with `signed` what came in and went out.

        Raises:
            InvalidRequestError: It can't be read, or has no row: a file that a machine left empty is no count.
        """
        import cenports_nb as cn  # noqa: PLC0415

        hidden_rows = self.hidden_rows or (read_profile_value("hidden_rows", self.profile) if self.profile else None)
        try:
            counts = cn.read_counts(
                self.path, stock=stock, signed=signed, columns=self.columns, warehouse_code=self.warehouse,
                warehouse_map=self.warehouse_map, duplicates=self.duplicates, by=self.by, sheet=self.sheet,
                encoding=self.encoding, hidden_rows=hidden_rows,
            )  # fmt: skip
        except InvalidRequestError as error:
            raise InvalidRequestError(name_flags(str(error))) from None
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


def name_flags(message: str) -> str:
    """Write a message about arguments of `read_counts` with the options of the command."""
    message = PAIR_ARGUMENT.sub(lambda found: f'--column "{found.group(1)}={found.group(2)[1:-1]}"', message)
    message = message.replace(" and stock=)", ")")

    def replace(found: re.Match[str]) -> str:
        is_given = message[found.end() : found.end() + 1] in ("'", '"')
        return FLAGS[found.group(1)] + (" " if is_given else "")

    return ARGUMENT.sub(replace, message)
