"""The last sheet of a workbook: what each of its sheets is, and the totals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.frames.export.headers import MONEY_COLUMNS, is_summable, write_title
from cenports_nb.frames.provenance import ACCOUNTS_PARAM, Provenance, provenance
from cenports_nb.rendering.text import format_count

SHEET_NAME = "About"
HEADINGS = ("Sheet", "Content", "Account", "Source", "As of", "Complete", "Time zone")
HEADERS_NOTE = "Point at a header to see the name of its column, which programs read."
NO_ANSWER = "no answer used"


def describe_sheets(
    sheets: Mapping[str, pd.DataFrame], left_out: Mapping[str, pd.DataFrame], zones: Mapping[str, ZoneInfo]
) -> list[tuple[str, ...]]:
    """Describe each sheet in one row of the headings; empty frames, which have no sheet, come last.

    Args:
        sheets: The frames that have a sheet, by its name.
        left_out: The empty frames that have none.
        zones: The zone of each frame's instants.
    """
    return [
        (name, format_count(len(frame), "row") if name in sheets else "empty, so it has no sheet", *_describe_origin(frame, zones[name]))
        for name, frame in (*sheets.items(), *left_out.items())
    ]  # fmt: skip


def sum_sheets(sheets: Mapping[str, pd.DataFrame]) -> list[tuple[str, str, float, bool]]:
    """Return the totals of money and units: sheet, title of the column, total, and whether it is money."""
    return [
        (name, write_title(str(label)), _sum(column), label in MONEY_COLUMNS)
        for name, frame in sheets.items()
        for label, column in frame.items()
        if frame.columns.is_unique and is_summable(column)
    ]


def _sum(column: pd.Series[Any]) -> float:
    """Sum exactly, rounded once; infinite values have no total."""
    values = [float(value) for value in column.dropna()]
    return math.fsum(value for value in values if math.isfinite(value))


def _describe_origin(frame: pd.DataFrame, zone: ZoneInfo) -> tuple[str, str, str, str, str]:
    found = provenance(frame)
    if found is None:
        return "", "", "", "", zone.key
    as_of = f"{found.as_of.astimezone(zone):%Y-%m-%d %H:%M}" if found.as_of else NO_ANSWER
    complete = "yes" if found.complete else "NO: orders are missing" if "orders" in found.source else "NO"
    if found.rejected:
        complete += f", {format_count(found.rejected, 'record')} rejected"
    return _describe_account(found), found.source, as_of, complete, zone.key


def _describe_account(found: Provenance) -> str:
    accounts = found.params.get(ACCOUNTS_PARAM)
    if accounts:
        return ", ".join(map(str, accounts))
    return f"{found.environment}, partner {found.partner_id}" if found.partner_id else found.environment
