"""A frame as lines of text for a terminal: numbers right-aligned, text left-aligned, nothing that moves a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cenports_nb.rendering.text import make_printable, truncate

if TYPE_CHECKING:
    import pandas as pd

COLUMN_MAX_LENGTH = 60
"""Maximum width of a column that is not the last."""


def format_table(frame: pd.DataFrame, *, signed: str = "") -> str:
    """Format a frame as aligned columns below their names; nulls are blank, instants end in Z.

    Args:
        frame: Any frame.
        signed: A column of whole numbers to show with their sign.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import, and commands import this at once

    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    columns = [_format_values(frame[name], "+" if name == signed else "") for name in frame.columns]
    if columns:
        columns[:-1] = [[truncate(text, COLUMN_MAX_LENGTH) for text in column] for column in columns[:-1]]
    names = [str(name).replace("_", " ") for name in frame.columns]
    widths = [max(map(len, [name, *column])) for name, column in zip(names, columns, strict=True)]
    lines = [names, *(list(row) for row in zip(*columns, strict=True))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _format_values(values: pd.Series[Any], sign: str) -> list[str]:
    import pandas as pd  # noqa: PLC0415

    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%d %H:%M:%SZ")
    elif pd.api.types.is_integer_dtype(values.dtype):
        return ["" if null else f"{value:{sign},}" for value, null in zip(values, values.isna(), strict=True)]
    return ["" if null else make_printable(str(value)) for value, null in zip(values, values.isna(), strict=True)]
