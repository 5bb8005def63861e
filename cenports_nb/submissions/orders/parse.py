"""Frames of orders and line items -> orders with their lines, as far as they can be read, and the errors."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.submissions.orders.order_columns import (
    LINE_COLUMNS,
    LINE_SUB_TOTAL,
    ORDER_COLUMNS,
    Column,
    is_empty,
    read_text,
)

MAX_SHOWN_ERRORS = 5


@dataclass
class ParsedLine:
    """A line as far as it can be read.

    Attributes:
        label: Its own number, else its position in the order, from 1.
        is_numbered: Whether its frame has a number for it, readable or not.
    """

    label: str
    cells: dict[str, Any]
    is_numbered: bool


@dataclass
class ParsedOrder:
    """An order as far as it can be read; `name` is its name in errors."""

    name: str
    cells: dict[str, Any] = field(default_factory=dict)
    lines: list[ParsedLine] = field(default_factory=list)


class ErrorCollector:
    """Errors by location such as `order A1: price`; they contain no personal values."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}

    def add(self, location: str, reason: str) -> None:
        """Add a reason at a location."""
        reasons = self.errors.setdefault(location, [])
        if reason not in reasons:
            reasons.append(reason)

    def raise_if_any(self) -> None:
        """Raise if there are errors.

        Raises:
            InvalidRequestError: The first reasons, and the number of others; `.errors` has all.
        """
        if self.errors:
            texts = [f"{location} {reason}" for location, reasons in self.errors.items() for reason in reasons]
            more = f"; and {len(texts) - MAX_SHOWN_ERRORS:,} more" if len(texts) > MAX_SHOWN_ERRORS else ""
            raise InvalidRequestError(
                f"These orders can't be created as they are: {'; '.join(texts[:MAX_SHOWN_ERRORS])}{more}. Nothing was "
                "sent; fix them and try again (the error's .errors has all).",
                errors=self.errors,
                sent=False,
            )


def parse_orders(
    orders: pd.DataFrame, line_items: pd.DataFrame | None, channel_id: str, zone: ZoneInfo, errors: ErrorCollector
) -> list[ParsedOrder]:
    """Parse the orders of a channel with their lines, in frame order.

    Raises:
        InvalidRequestError: A column is missing, repeated or misspelt.
    """
    refuse_swapped(orders=orders, line_items=line_items)
    required_of_lines = [name for name, column in LINE_COLUMNS.items() if column.is_required]
    required = [name for name, column in ORDER_COLUMNS.items() if column.is_required]
    if line_items is None:
        frames = {"orders": (orders, [*required, *required_of_lines], {*ORDER_COLUMNS, *LINE_COLUMNS, LINE_SUB_TOTAL})}
    else:
        frames = {
            "orders": (orders, required, {*ORDER_COLUMNS}),
            "line_items": (line_items, ["order_no", *required_of_lines], {"order_no", *LINE_COLUMNS}),
        }
    _check_columns(frames)
    for what, (frame, _, _) in frames.items():
        if "channel_id" in frame.columns:
            for label, value in zip(frame.index, frame["channel_id"].tolist(), strict=True):
                if not is_empty(value) and value != channel_id:
                    errors.add(f"{what} row {label}: channel_id", f"is another channel than {channel_id}")
    parser = _Parser(zone, errors)
    return parser.parse_table(orders) if line_items is None else parser.parse_two_frames(orders, line_items)


def _check_columns(frames: Mapping[str, tuple[pd.DataFrame, list[str], set[str]]]) -> None:
    """Refuse frames that lack a column, have one twice, or have a misspelt one.

    Args:
        frames: By name: the frame, the columns that it needs, and those that it may have.
    """
    errors: dict[str, list[str]] = {}
    of_loaders = {*schemas.Orders.to_schema().columns, *schemas.LineItems.to_schema().columns}
    for what, (frame, required, known) in frames.items():
        if not isinstance(frame, pd.DataFrame):
            raise InvalidRequestError(f"{what} must be a DataFrame, not {type(frame).__name__}.")
        names = [str(name) for name in frame.columns]
        absent = known - set(names)
        texts = errors.setdefault(what, [])
        if lacking := [name for name in required if name in absent]:
            texts.append(f"lacks the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}")
        for name in dict.fromkeys(names):
            if names.count(name) > 1 and name in {*known, "channel_id"}:
                texts.append(f"has the column {name} more than once")
            near = difflib.get_close_matches(name, sorted(absent), 1, 0.85)
            if near and name not in of_loaders and name not in known:
                texts.append(f"has a column {name!r}: {near[0]} is meant, or leave it out")
    if texts := [f"{what} {text}" for what, found in errors.items() for text in found]:
        raise InvalidRequestError(
            f"{'; '.join(texts)}. Nothing was sent; fix the columns and try again.",
            errors={what: found for what, found in errors.items() if found},
            sent=False,
        )


@dataclass
class _Parser:
    """Parses rows into orders."""

    zone: ZoneInfo
    errors: ErrorCollector

    def parse_two_frames(self, orders: pd.DataFrame, line_items: pd.DataFrame) -> list[ParsedOrder]:
        """Parse orders, and assign their lines."""
        by_number: dict[str, ParsedOrder] = {}
        parsed: list[ParsedOrder] = []
        for label, row in _list_rows(orders, ORDER_COLUMNS):
            number = self._read_order_no(row, f"orders row {label}")
            order = ParsedOrder(f"orders row {label}" if number is None else f"order {number}")
            if number in by_number:
                self.errors.add(f"{order.name}: order_no", f"is in more than one row of orders (again in row {label})")
                continue
            order.cells = self._read_cells(order.name, row, ORDER_COLUMNS)
            parsed.append(order)
            if number is not None:
                by_number[number] = order
        for label, row in _list_rows(line_items, ["order_no", *LINE_COLUMNS]):
            number = self._read_order_no(row, f"line_items row {label}")
            if number in by_number:
                self._add_line(by_number[number], row)
            elif number is not None:
                self.errors.add(f"order {number}", f"is in line_items (row {label}) and not in orders")
        return parsed

    def parse_table(self, table: pd.DataFrame) -> list[ParsedOrder]:
        """Parse one row per line; an order's columns must agree on all its rows or be on some of them only."""
        by_number: dict[str, ParsedOrder] = {}
        for label, row in _list_rows(table, [*{**ORDER_COLUMNS, **LINE_COLUMNS}, LINE_SUB_TOTAL]):
            number = self._read_order_no(row, f"orders row {label}")
            if number is None:
                continue
            order = by_number.setdefault(number, ParsedOrder(f"order {number}"))
            for name, value in self._read_cells(order.name, row, ORDER_COLUMNS).items():
                if order.cells.setdefault(name, value) != value:
                    hint = f"; a line's own is {LINE_SUB_TOTAL}" if name == "sub_total" else ""
                    self.errors.add(f"{order.name}: {name}", f"differs between the order's rows (row {label}){hint}")
            self._add_line(order, {**row, "sub_total": row.get(LINE_SUB_TOTAL)})
        return list(by_number.values())

    def _add_line(self, order: ParsedOrder, row: Mapping[str, Any]) -> None:
        number = row.get("line_item")
        label = str(len(order.lines) + 1)
        with contextlib.suppress(ValueError):
            label = str(LINE_COLUMNS["line_item"].read(number, self.zone))
        cells = self._read_cells(f"{order.name}, line {label}", row, LINE_COLUMNS)
        order.lines.append(ParsedLine(label, cells, not is_empty(number)))

    def _read_order_no(self, row: Mapping[str, Any], location: str) -> str | None:
        """Read an order number; a row without one can't be matched."""
        value = row.get("order_no")
        try:
            number = None if is_empty(value) else read_text(value, self.zone)
        except ValueError as error:
            self.errors.add(f"{location}: order_no", str(error))
            return None
        if number is None:
            self.errors.add(f"{location}: order_no", "is missing")
        elif "," in number:
            self.errors.add(f"{location}: order_no", "has a comma: the order could never be asked for")
        return number

    def _read_cells(self, location: str, row: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
        """Read the non-empty cells of a row."""
        cells: dict[str, Any] = {}
        for name, column in columns.items():
            value = row.get(name)
            if is_empty(value):
                continue
            try:
                cells[name] = column.read(value, self.zone)
            except ValueError as error:
                if name != "order_no":  # reported already
                    self.errors.add(f"{location}: {name}", str(error))
        return cells


def _list_rows(frame: pd.DataFrame, columns: Iterable[str]) -> list[tuple[Any, dict[str, Any]]]:
    """List the label of each row, and its cells in these columns."""
    names = [name for name in columns if name in frame.columns]
    values = zip(*(frame[name].tolist() for name in names), strict=True)
    return [(label, dict(zip(names, row, strict=True))) for label, row in zip(frame.index, values, strict=True)]
