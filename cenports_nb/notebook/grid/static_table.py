"""A grid as plain HTML, for a saved or exported notebook without a kernel."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from cenports_nb.notebook.grid.columns import Column, list_values
from cenports_nb.notebook.grid.widget import RowMask
from cenports_nb.rendering.text import format_count, format_number

MAX_STATIC_ROWS = 100

# Notebook 7 puts an output into a small scroll box if it is higher than 1,820 px when it first comes.
STYLE = """
<style>
.cn-static-table{font-size:13px;line-height:1.45;margin:4px 0;max-width:100%;overflow-x:auto;color:var(--jp-content-font-color1,inherit)}
.cn-static-table table{border-collapse:collapse;margin:4px 0;font-size:inherit}
.cn-static-table :is(th,td){padding:3px 14px 3px 0!important;text-align:left!important;vertical-align:top;background:none!important;
 border:0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35));max-width:40em;white-space:normal!important;
 overflow-wrap:anywhere}
.cn-static-table tr{background:none!important}
.cn-static-table th{font-weight:600;white-space:nowrap!important}
@media screen{.cn-static-table td:not(.n){min-width:8.5em}}
.cn-static-table .n{text-align:right!important;font-variant-numeric:tabular-nums;white-space:nowrap!important}
.cn-static-table .off td{opacity:.75}
@media screen{.jp-NotebookPanel .cn-static-table{max-height:480px;overflow-y:auto}}
</style>
"""

BELOW_GRID_MARKER = """
<style>
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cn-below-grid):is(:not(:has(.cn-grid)),:has(.cn-disconnected)),
.jp-OutputArea-child:has(.cn-grid):not(:has(.cn-disconnected)) + .jp-OutputArea-child:has(.cn-below-grid)
{display:none}
</style>
<span class="cn-below-grid"></span>
"""
"""Goes before the table in the output below a live grid, and hides the table while the grid is on the page.

The table is shown where the grid is disconnected (a notebook opened again, a kernel restarted) or was never made
(an export).
"""


def render_static_table(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    selected: RowMask | None = None,
    live: Mapping[str, Sequence[str]] | None = None,
    max_rows: int = MAX_STATIC_ROWS,
    what: str = "row",
) -> str:
    """Render the first rows of a grid as an HTML table, everything escaped.

    Args:
        frame: The grid's frame.
        columns: Its columns.
        selected: Which rows are selected; None for a grid without check boxes.
        time_zone: The zone of instants.
        live: The values of `live` columns; those without values are left out.
        max_rows: Maximum rows; the number of further rows is written below.
        what: The noun for a row.
    """
    live = live or {}
    columns = [column for column in columns if not column.hidden and (column.kind != "live" or column.name in live)]
    shown = frame.iloc[:max_rows]
    cells = [[_render_cell(column, value) for value in _column_values(column, shown, live)] for column in columns]
    heads = "".join(f'<th scope="col"{_class_attribute(column)}>{html.escape(column.title)}</th>' for column in columns)
    marks = None if selected is None else [("☑" if on else "☐", on) for on in selected[:max_rows].tolist()]
    if marks is not None:
        heads = f'<th scope="col">Ticked</th>{heads}'
    lines = []
    for i, values in enumerate(zip(*cells, strict=True) if cells else ()):
        mark = "" if marks is None else f"<td>{marks[i][0]} {'yes' if marks[i][1] else 'no'}</td>"
        off = ' class="off"' if marks is not None and not marks[i][1] else ""
        lines.append(f"<tr{off}>{mark}{''.join(values)}</tr>")
    hidden = len(frame) - len(shown)
    more = f"<div>{format_count(hidden, f'more {what}')}.</div>" if hidden > 0 else ""
    return (
        f'{STYLE}<div class="cn-static-table"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
        f"{more}</div>"
    )


def _column_values(column: Column, frame: pd.DataFrame, live: Mapping[str, Sequence[str]]) -> list[Any]:
    if column.kind == "live":
        return list(live[column.name][: len(frame)])
    return list_values(frame[column.name], column.kind)


def _render_cell(column: Column, value: Any) -> str:
    return f"<td{_class_attribute(column)}>{'' if value is None else html.escape(FORMATTERS[column.kind](value))}</td>"


def _class_attribute(column: Column) -> str:
    return ' class="n"' if column.kind in ("number", "money", "change", "bar") else ""


def format_signed(value: float) -> str:
    """Format a change with its sign."""
    return format_number(value, "+,") if value else "0"


FORMATTERS: Mapping[str, Callable[[Any], str]] = {
    "text": str,
    "instant": str,
    "live": str,
    "number": lambda value: f"{value:,}",
    "money": lambda value: format_number(value, ",.2f"),
    "change": format_signed,
    "bar": format_signed,
    "flag": lambda value: "✓ yes" if value else "✗ no",
}
