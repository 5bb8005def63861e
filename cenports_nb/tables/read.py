"""Any file made by a person -> a table of text; the content decides the format, so that a buffer needs no name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.surface import name_argument
from cenports_nb.tables.delimited import read_delimited
from cenports_nb.tables.encodings import CANDIDATES, decode_headers, decode_text
from cenports_nb.tables.file_kinds import detect_kind, refuse_markup
from cenports_nb.tables.headers import Score
from cenports_nb.tables.parquet import read_parquet
from cenports_nb.tables.table import Table

Source = str | Path | IO[bytes] | IO[str]


def read_table(source: Source, score: Score, *, sheet: str | None = None, encoding: str | None = None) -> Table:
    """Read a file of any format.

    Args:
        source: A path, or an open file.
        score: Counts how many of the wanted columns a row seems to name.
        sheet: The sheet of a workbook; None if only one has the wanted headers.
        encoding: The encoding of a text file; None to detect it.

    Returns:
        The table. If `encodings` is not empty, `encodings.decode_columns` decodes the columns that are read.

    Raises:
        InvalidRequestError: The file is missing, isn't a table, or leaves a question open.
    """
    if sheet is not None and not isinstance(sheet, str):
        raise InvalidRequestError(f"sheet={sheet!r} isn't the name of a sheet: pass it as text.")
    name, content = _load(source)
    if isinstance(content, str):
        kind, text, is_provisional = "text", content.removeprefix("\ufeff"), False
    else:
        kind = detect_kind(content, name)
        if kind != "text" and encoding is not None:
            raise InvalidRequestError(f"{name} isn't a text file: leave {name_argument('encoding')} out.")
        if kind == "parquet":
            _refuse_sheet(name, sheet, "a Parquet file")
            return read_parquet(content, name)
        if kind == "workbook":
            from cenports_nb.tables.workbook import read_workbook  # noqa: PLC0415 - openpyxl is slow to import

            return read_workbook(content, name, score, sheet)
        text, is_provisional = decode_text(content, name, encoding)
    _refuse_sheet(name, sheet, "a text file")
    refuse_markup(text, name)
    table = read_delimited(text, name, score)
    return decode_headers(replace(table, encodings=CANDIDATES), score) if is_provisional else table


def _load(source: Source) -> tuple[str, str | bytes]:
    """Read a file; return its name for errors, and its content."""
    is_path = isinstance(source, str | Path)
    name = Path(str(source if is_path else getattr(source, "name", "the buffer"))).name
    try:
        content: object = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except FileNotFoundError:
        raise InvalidRequestError(f"There is no file {str(source)!r}: check the path.") from None
    except UnicodeDecodeError:
        raise InvalidRequestError(
            f"{name} was opened as text, which it isn't: pass its path, or open it with 'rb'."
        ) from None
    except OSError as error:
        raise InvalidRequestError(f"{name} can't be read: {error.strerror}.") from None
    except ValueError as error:  # a closed file, or a path with a null character
        raise InvalidRequestError(f"{name!r} can't be read: {error}.") from None
    except AttributeError:
        raise InvalidRequestError(f"A {type(source).__name__} is no file: pass a path or an open file.") from None
    if not isinstance(content, str | bytes):
        raise InvalidRequestError(f"{name} gave a {type(content).__name__}: pass a path or an open file.")
    return name, content


def _refuse_sheet(name: str, sheet: str | None, what: str) -> None:
    if sheet is not None:
        raise InvalidRequestError(f"{name} is {what}, which has no sheets: leave {name_argument('sheet')} out.")
