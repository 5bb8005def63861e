"""A file of orders, one row a line item, as CSV or Excel: cells as they are, so that no zero gets lost on the way."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.export import FORMULA_STARTS

SEPARATORS = ",;\t|"


def read_order_file(path: str | Path) -> pd.DataFrame:
    """Read a table of orders, one row a line item, the order's columns on each row or on its first alone.

    Text stays text; a workbook's numbers and dates stay numbers and dates, so that an identifier that Excel holds as
    a number is refused later and not sent without its zeros. Rows with nothing in them are left out.

    Returns:
        The table, its rows labelled by their line in the file (the header is line 1).

    Raises:
        InvalidRequestError: No such file, no table, or no UTF-8.
    """
    file = Path(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise InvalidRequestError(f"There is no file {str(path)!r}: check the path.") from None
    except OSError as error:
        raise InvalidRequestError(f"{file.name} can't be read: {error.strerror}.") from None
    try:
        table = _read_workbook(content) if content[:2] == b"PK" else _read_csv(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidRequestError(f"{file.name} is not UTF-8 text: save it as CSV UTF-8.") from None
    except (ValueError, KeyError, OSError, BadZipFile, pd.errors.ParserWarning) as error:
        # Such errors may quote the row, which has people in it.
        kind = type(error).__name__
        raise InvalidRequestError(
            f"{file.name} can't be read as a table ({kind}): it needs one header and as many cells in every row; "
            "save it as CSV or XLSX."
        ) from None
    if table.empty:
        raise InvalidRequestError(f"{file.name} has nothing in its first sheet: put the orders there.")
    # pandas would rename a header that repeats; as a row it stays, and is refused for what it is.
    headers = table.iloc[0].tolist()
    table = table.iloc[1:]
    table.columns = pd.Index([str(name).strip().lower().replace(" ", "_") for name in headers], dtype=object)
    table.index = pd.RangeIndex(2, len(table) + 2)
    filled = table.map(lambda cell: bool(cell.strip()) if isinstance(cell, str) else not pd.isna(cell))
    return table[filled.any(axis=1)]


def _read_csv(text: str) -> pd.DataFrame:
    header = text.partition("\n")[0]
    with warnings.catch_warnings():
        # A row with more cells than headers would shift or lose some.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        table = pd.read_csv(
            io.StringIO(text),
            dtype=str,
            header=None,
            keep_default_na=False,
            sep=max(SEPARATORS, key=header.count),
            skip_blank_lines=False,
            index_col=False,
        )
    return table.map(_strip_apostrophe)


def _strip_apostrophe(cell: object) -> object:
    """Take off the apostrophe that `export` puts before what a spreadsheet would take for a formula: `'+49 30 …`."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and cell[1:2] in FORMULA_STARTS else cell


def _read_workbook(content: bytes) -> pd.DataFrame:
    return pd.read_excel(io.BytesIO(content), dtype=object, header=None, keep_default_na=False)
