"""Frames of orders and line items -> orders with their lines, as far as they can be read, and what is wrong."""

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
from cenports_nb.submissions.orders.order_cells import LINE_READINGS, ORDER_READINGS, Reading, is_empty, text
from cenports_nb.submissions.orders.request_body import NEEDED_OF_LINES, NEEDED_OF_ORDERS

SHOWN = 5
LINE_SUB_TOTAL = "line_sub_total"
"""In a table of one row a line `sub_total` is the order's, as on each of its other rows; this is the line's."""


@dataclass
class ReadLine:
    """A line as far as it could be read.

    Attributes:
        label: Its own number, else its place in the order, from 1.
        numbered: Whether its frame gives it a number, readable or not.
    """

    label: str
    cells: dict[str, Any]
    numbered: bool


@dataclass
class ReadOrder:
    """An order as far as it could be read; `name` is what it is called in errors."""

    name: str
    cells: dict[str, Any] = field(default_factory=dict)
    lines: list[ReadLine] = field(default_factory=list)


class Faults:
    """What is wrong, by place; no value of a person stands in it."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}

    def add(self, place: str, reason: str) -> None:
        """Note one more reason at a place."""
        found = self.errors.setdefault(place, [])
        if reason not in found:
            found.append(reason)

    def stop(self) -> None:
        """Raise if anything is wrong.

        Raises:
            InvalidRequestError: The first reasons, and how many more there are; `.errors` has all.
        """
        if self.errors:
            said = [f"{place} {reason}" for place, reasons in self.errors.items() for reason in reasons]
            more = f"; and {len(said) - SHOWN:,} more" if len(said) > SHOWN else ""
            raise InvalidRequestError(
                f"These orders can't be created as they are: {'; '.join(said[:SHOWN])}{more}. Nothing was sent; "
                "mend them and try again (the error's .errors has all).",
                errors=self.errors,
                sent=False,
            )


def read_orders(
    orders: pd.DataFrame, line_items: pd.DataFrame | None, channel_id: str, zone: ZoneInfo, faults: Faults
) -> list[ReadOrder]:
    """Read the orders of a channel, each with its lines, in frame order.

    Raises:
        InvalidRequestError: A column is missing, doubled or misspelt.
    """
    _check_columns(orders, line_items)
    _check_channel(orders, "orders", channel_id, faults)
    if line_items is None:
        return _of_one_table(orders, zone, faults)
    _check_channel(line_items, "line_items", channel_id, faults)
    return _of_two_frames(orders, line_items, zone, faults)


def _check_columns(orders: pd.DataFrame, line_items: pd.DataFrame | None) -> None:
    """Refuse frames that lack a column, have one twice, or have one that is nearly ours."""
    said: dict[str, list[str]] = {}
    flat = line_items is None
    ours_of_orders = {*ORDER_READINGS, *((*LINE_READINGS, LINE_SUB_TOTAL) if flat else ())}
    needed = {
        "orders": (orders, (*NEEDED_OF_ORDERS, *(NEEDED_OF_LINES[1:] if flat else ())), ours_of_orders),
        "line_items": (line_items, NEEDED_OF_LINES, {"order_no", *LINE_READINGS}),
    }
    known = {*schemas.Orders.to_schema().columns, *schemas.LineItems.to_schema().columns}
    for what, (frame, names, ours) in needed.items():
        if frame is None:
            continue
        if not isinstance(frame, pd.DataFrame):
            raise InvalidRequestError(f"{what} must be a DataFrame, not {type(frame).__name__}.")
        there = [str(name) for name in frame.columns]
        absent = ours - set(there)
        if lacking := [name for name in names if name in absent]:
            said.setdefault(what, []).append(f"lacks the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}")
        for name in dict.fromkeys(there):
            if there.count(name) > 1 and name in (*ours, "channel_id"):
                said.setdefault(what, []).append(f"has the column {name} more than once")
            near = difflib.get_close_matches(name, sorted(absent), 1, 0.85)
            if near and name not in known and name not in ours:
                said.setdefault(what, []).append(f"has a column {name!r}: {near[0]} is meant, or leave it out")
    if said:
        texts = "; ".join(f"{what} {text}" for what, found in said.items() for text in found)
        raise InvalidRequestError(
            f"{texts}. Nothing was sent; mend the columns and try again.", errors=said, sent=False
        )


def _check_channel(frame: pd.DataFrame, what: str, channel_id: str, faults: Faults) -> None:
    if "channel_id" in frame.columns:
        for label, value in zip(frame.index, frame["channel_id"].tolist(), strict=True):
            if not is_empty(value) and value != channel_id:
                faults.add(f"{what} row {label}: channel_id", f"is another channel than {channel_id}")


def _of_two_frames(orders: pd.DataFrame, line_items: pd.DataFrame, zone: ZoneInfo, faults: Faults) -> list[ReadOrder]:
    """Give each order its lines."""
    by_number: dict[str, ReadOrder] = {}
    found: list[ReadOrder] = []
    for label, row in _rows(orders, ORDER_READINGS):
        number = _number(row, f"orders row {label}", zone, faults)
        order = ReadOrder(f"orders row {label}" if number is None else f"order {number}")
        if number in by_number:
            faults.add(f"{order.name}: order_no", f"is in more than one row of orders (again in row {label})")
            continue
        order.cells = _read(order.name, row, ORDER_READINGS, zone, faults)
        found.append(order)
        if number is not None:
            by_number[number] = order
    for label, row in _rows(line_items, {"order_no": text, **LINE_READINGS}):
        number = _number(row, f"line_items row {label}", zone, faults)
        if number is None:
            continue
        if number in by_number:
            _add_line(by_number[number], row, zone, faults)
        else:
            faults.add(f"order {number}", f"is in line_items (row {label}) and not in orders")
    return found


def _of_one_table(table: pd.DataFrame, zone: ZoneInfo, faults: Faults) -> list[ReadOrder]:
    """Read one row a line; an order's columns agree on all its rows, or stand on some of them only."""
    by_number: dict[str, ReadOrder] = {}
    for label, row in _rows(table, {**ORDER_READINGS, **LINE_READINGS, LINE_SUB_TOTAL: text}):
        number = _number(row, f"orders row {label}", zone, faults)
        if number is None:
            continue
        order = by_number.setdefault(number, ReadOrder(f"order {number}"))
        for name, value in _read(order.name, row, ORDER_READINGS, zone, faults).items():
            if order.cells.setdefault(name, value) != value:
                hint = f"; a line's own is {LINE_SUB_TOTAL}" if name == "sub_total" else ""
                faults.add(f"{order.name}: {name}", f"differs between the order's rows (row {label}){hint}")
        _add_line(order, {**row, "sub_total": row.get(LINE_SUB_TOTAL)}, zone, faults)
    return list(by_number.values())


def _rows(frame: pd.DataFrame, names: Iterable[str]) -> list[tuple[Any, dict[str, Any]]]:
    there = [name for name in names if name in frame.columns]
    values = zip(*(frame[name].tolist() for name in there), strict=True)
    return [(label, dict(zip(there, row, strict=True))) for label, row in zip(frame.index, values, strict=True)]


def _number(row: Mapping[str, Any], place: str, zone: ZoneInfo, faults: Faults) -> str | None:
    """Read an order number; what has none can't be matched."""
    value = row.get("order_no")
    if is_empty(value):
        faults.add(f"{place}: order_no", "is missing")
        return None
    try:
        number = text(value, zone)
    except ValueError as error:
        faults.add(f"{place}: order_no", str(error))
        return None
    if "," in number:
        faults.add(f"{place}: order_no", "has a comma: the order could never be asked for")
    return number


def _add_line(order: ReadOrder, row: Mapping[str, Any], zone: ZoneInfo, faults: Faults) -> None:
    number = row.get("line_item")
    line = ReadLine(str(len(order.lines) + 1), {}, not is_empty(number))
    with contextlib.suppress(ValueError):
        line.label = str(LINE_READINGS["line_item"](number, zone))
    line.cells = _read(f"{order.name}, line {line.label}", row, LINE_READINGS, zone, faults)
    order.lines.append(line)


def _read(
    place: str, row: Mapping[str, Any], readings: Mapping[str, Reading], zone: ZoneInfo, faults: Faults
) -> dict[str, Any]:
    """Read the cells of a row that have something in them."""
    cells: dict[str, Any] = {}
    for name, reading in readings.items():
        value = row.get(name)
        if is_empty(value):
            continue
        try:
            cells[name] = reading(value, zone)
        except ValueError as error:
            if name != "order_no":  # told already
                faults.add(f"{place}: {name}", str(error))
    return cells
