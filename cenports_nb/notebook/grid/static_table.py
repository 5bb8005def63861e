"""A grid as plain HTML: what a saved or exported notebook shows, where there is no kernel."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from cenports_nb.notebook.grid.columns import Column, values_of
from cenports_nb.notebook.grid.row_selection import Mask

MOST_ROWS = 100

STYLE = """
<style>
.cn-still{font-size:13px;line-height:1.45;margin:4px 0;max-width:100%;overflow-x:auto;color:var(--jp-content-font-color1,inherit)}
.cn-still table{border-collapse:collapse;margin:4px 0;font-size:inherit}
.cn-still :is(th,td){padding:3px 14px 3px 0!important;text-align:left!important;vertical-align:top;background:none!important;
 border:0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35));max-width:40em;white-space:normal!important;
 overflow-wrap:anywhere}
.cn-still tr{background:none!important}
.cn-still th{font-weight:600;white-space:nowrap!important}
@media screen{.cn-still td:not(.n){min-width:8.5em}}
.cn-still .n{text-align:right!important;font-variant-numeric:tabular-nums;white-space:nowrap!important}
.cn-still .off td{opacity:.75}
</style>
"""


def still_of(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    ticked: Mask | None = None,
    zone: str = "UTC",
    live: Mapping[str, Sequence[str]] | None = None,
    most: int = MOST_ROWS,
    what: str = "row",
) -> str:
    """Draw the first rows of a grid as an HTML table; everything in it is escaped.

    Args:
        frame: What the grid was made of.
        columns: Its columns.
        ticked: Which rows are ticked; None for a grid without tick boxes.
        zone: The zone in which instants are written.
        live: The values of `live` columns; of others they are left out.
        most: Rows that are shown; how many more there are is said below.
        what: One of the rows.
    """
    live = live or {}
    columns = [column for column in columns if not column.hidden and (column.kind != "live" or column.name in live)]
    shown = frame.iloc[:most]
    cells = [[_cell(column, value) for value in _values(column, shown, live, zone)] for column in columns]
    heads = "".join(f'<th scope="col"{_class(column)}>{html.escape(column.title)}</th>' for column in columns)
    marks = None if ticked is None else [("☑" if on else "☐", on) for on in ticked[:most].tolist()]
    if marks is not None:
        heads = f'<th scope="col">Ticked</th>{heads}'
    lines = []
    for i, values in enumerate(zip(*cells, strict=True) if cells else ()):
        mark = "" if marks is None else f"<td>{marks[i][0]} {'yes' if marks[i][1] else 'no'}</td>"
        off = ' class="off"' if marks is not None and not marks[i][1] else ""
        lines.append(f"<tr{off}>{mark}{''.join(values)}</tr>")
    hidden = len(frame) - len(shown)
    more = f"<div>{hidden:,} more {what}{'s' if hidden > 1 else ''}.</div>" if hidden > 0 else ""
    return (
        f'{STYLE}<div class="cn-still"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
        f"{more}</div>"
    )


def _values(column: Column, frame: pd.DataFrame, live: Mapping[str, Sequence[str]], zone: str) -> list[Any]:
    if column.kind == "live":
        return list(live[column.name][: len(frame)])
    return values_of(frame[column.name], column.kind, zone)


def _cell(column: Column, value: Any) -> str:
    return f"<td{_class(column)}>{'' if value is None else html.escape(WRITE[column.kind](value))}</td>"


def _class(column: Column) -> str:
    return ' class="n"' if column.kind in ("number", "money", "change", "bar") else ""


def signed(value: float) -> str:
    """Write a change with its sign."""
    return f"{value:+,}".replace("-", "−") if value else "0"


WRITE: Mapping[str, Callable[[Any], str]] = {
    "text": str,
    "instant": str,
    "live": str,
    "number": lambda value: f"{value:,}",
    "money": lambda value: f"{value:,.2f}".replace("-", "−"),
    "change": signed,
    "bar": signed,
    "flag": lambda value: "✓ yes" if value else "✗ no",
}
