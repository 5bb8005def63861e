"""Cells of a report's table, formatted for people and escaped."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from cenports_nb.frames.dates import is_plain_day, parse_time_zone
from cenports_nb.rendering.text import format_number

UNBROKEN_MAX_LENGTH = 16
"""Maximum characters of a text that stays on one line, such as a code with a hyphen."""
LONG_WORD_LENGTH = 22
"""Characters above which a word may be broken, so that a table fits on paper."""


def render_rows(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    signed: Collection[str],
    money: Collection[str],
    minor: Collection[str] = (),
    time_zone: str,
) -> str:
    """Render the head and the body of a table.

    Args:
        frame: The rows to show.
        columns: Column to header, in order.
        signed: Columns that show a change, with + or −.
        money: Columns with two decimals.
        minor: Columns that small screens leave out.
        time_zone: The zone of instants.
    """
    kinds = {name: _cell_attributes(frame[name], is_minor=name in minor) for name in columns}
    heads = "".join(f'<th{kinds[name]} scope="col">{html.escape(text)}</th>' for name, text in columns.items())
    written = [
        [
            f"<td{kind}>{render_value}</td>"
            for render_value in _render_column(frame[name], name in signed, name in money, time_zone)
        ]
        for name, kind in kinds.items()
    ]
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*written, strict=True))
    return f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>"


def render_value(value: Any) -> str:
    """Format one value: thousands separators, an empty text for null, yes or no for a flag."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, int):
        return format_number(value)
    if isinstance(value, float):
        return format_number(value, ",.0f" if value == int(value) else ",.2f")
    return html.escape(str(value))


def _render_column(column: pd.Series[Any], signed: bool, money: bool, time_zone: str) -> list[str]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _format_instants(column, time_zone)
    if pd.api.types.is_datetime64_dtype(column):
        return ["" if pd.isna(value) else f"{value:%Y-%m-%d}" for value in column]
    if pd.api.types.is_bool_dtype(column):
        return [render_value(None if pd.isna(value) else bool(value)) for value in column]
    if not _is_numeric(column):
        return [render_value(value) for value in column]
    values = [None if pd.isna(value) else value for value in column]
    whole = not money and all(value is None or value == int(value) for value in values)
    form = f"{'+' if signed else ''},.{0 if whole else 2}f"
    return ["" if value is None else _format_signed(value, form) for value in values]


def _format_signed(value: Any, form: str) -> str:
    """Format a number with its sign; zero has none."""
    text = format_number(value, form)
    return text if any(sign in "123456789" for sign in text) else text.lstrip("+\N{MINUS SIGN}")


def _format_instants(column: pd.Series[Any], time_zone: str) -> list[str]:
    """Format instants in the zone, and plain days as days."""
    local = column.dt.tz_convert(parse_time_zone(time_zone))
    plain = is_plain_day(column.dt.tz_convert("UTC"))
    return [
        "" if pd.isna(there) else f"{utc:%Y-%m-%d}" if day else f"{there:%Y-%m-%d %H:%M}"
        for utc, there, day in zip(column.dt.tz_convert("UTC"), local, plain, strict=True)
    ]


def _is_numeric(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _cell_attributes(column: pd.Series[Any], *, is_minor: bool) -> str:
    """Choose how a column is set: numbers right-aligned, short texts on one line, long words broken."""
    minor = ["minor"] if is_minor else []
    if _is_numeric(column):
        return f' class="{" ".join(["n", *minor])}"'
    texts = [value for value in column if isinstance(value, str)]
    whole = pd.api.types.is_datetime64_any_dtype(column) or all(len(text) <= UNBROKEN_MAX_LENGTH for text in texts)
    long = not whole and any(len(word) > LONG_WORD_LENGTH for text in texts for word in text.split())
    names = [*(["whole"] if whole else ["long"] if long else []), *minor]
    name = f' class="{" ".join(names)}"' if names else ""
    return f'{name} style="text-align:left"'  # an attribute, because JupyterLab removes style sheets from untrusted notebooks
