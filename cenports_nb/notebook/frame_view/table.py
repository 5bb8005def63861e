"""Rows of a frame as an HTML table: text to the left, short times, a dash for a null."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import pandas as pd
from pandas.api import types

from cenports_nb.notebook.frame_view.columns import cut_middle
from cenports_nb.rendering.note import NO_MATHJAX
from cenports_nb.rendering.text import truncate

NULL_TEXT = "\N{EN DASH}"
CUT_TEXT = "..."
UNBROKEN_LETTERS = 24
"""A column of texts up to this length is not broken into lines."""

LONG_NAME_LETTERS = 16

LEFT, UNBROKEN = "text-align:left", "white-space:nowrap"


def render_table(frame: pd.DataFrame, columns: Sequence[int], rows: Sequence[int]) -> str:
    """Render rows and columns as HTML, everything escaped.

    Args:
        frame: The frame, masked.
        columns: Positions of the columns to show; -1 for those that are left out there.
        rows: Positions of the rows to show; -1 for those that are left out there.
    """
    at = [row for row in rows if row >= 0]
    name = "" if frame.index.name is None else str(frame.index.name)
    cut_cells = [f"<th>{CUT_TEXT}</th>"]
    heads = [f"<th{_style(LEFT) if name else ''}>{_break_name(name)}</th>"]
    index = frame.index.to_series().iloc[at].reset_index(drop=True)
    cells = [[f"<th{_style(LEFT) if name else ''}>{html.escape(text)}</th>" for text in format_cells(index)]]
    for position in columns:
        if position < 0:
            heads.append(f"<th>{CUT_TEXT}</th>")
            cut_cells.append(f"<td>{CUT_TEXT}</td>")
            cells.append([f"<td>{CUT_TEXT}</td>"] * len(at))
            continue
        column = frame.iloc[:, position].iloc[at]
        texts = format_cells(column)
        is_left = not _is_number(column)
        is_short = any(" " in text for text in texts) and max(map(len, texts)) <= UNBROKEN_LETTERS
        style = _style(*[LEFT] * is_left, *[UNBROKEN] * is_short)
        cut_cells.append(f"<td{_style(LEFT) if is_left else ''}>{CUT_TEXT}</td>")
        heads.append(f"<th{_style(LEFT) if is_left else ''}>{_break_name(str(column.name))}</th>")
        cells.append([f"<td{style}>{html.escape(text)}</td>" for text in texts])
    lines = ["".join(line) for line in zip(*cells, strict=True)]
    if -1 in rows:
        lines.insert(list(rows).index(-1), "".join(cut_cells))
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div>\n<table border="{pd.get_option("display.html.border")}" class="dataframe {NO_MATHJAX}">\n<thead><tr>{"".join(heads)}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def select_rows(rows: int) -> list[int]:
    """Select the positions that pandas' own view would show; -1 for those that are left out there."""
    most, least = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
    most = least if most == 0 else most  # 0 means the height of a terminal
    return cut_middle(range(rows), min(most, least) if most and least and rows > most else most)


def format_cells(column: pd.Series[Any]) -> list[str]:
    """Format the values of a column for a reader; numbers as pandas' options say."""
    if _is_number(column):
        texts = column.to_string(index=False, header=False).split("\n") if len(column) else []
        texts = [text.strip() for text in texts]
    else:
        length = pd.get_option("display.max_colwidth")
        texts = [str(value) if length is None else truncate(str(value), length) for value in format_times(column)]
    return [NULL_TEXT if is_null else text for text, is_null in zip(texts, column.isna(), strict=True)]


def format_times(column: pd.Series[Any]) -> pd.Series[Any]:
    """Format instants to the minute in their zone, and days as days; other columns stay as they are."""
    if not types.is_datetime64_any_dtype(column.dtype):
        return column
    texts: pd.Series[Any] = column.dt.strftime("%Y-%m-%d %H:%M")
    is_local = isinstance(column.dtype, pd.DatetimeTZDtype) and str(column.dtype.tz) != "UTC"
    return texts if is_local else texts.str.removesuffix(" 00:00")  # midnight UTC stands for a day


def _is_number(column: pd.Series[Any]) -> bool:
    return types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)


def _style(*rules: str) -> str:
    return f' style="{";".join(rules)}"' if rules else ""


def _break_name(name: str) -> str:
    """Let a long column name break after an underscore."""
    return html.escape(name).replace("_", "_<wbr>" if len(name) > LONG_NAME_LETTERS else "_")
