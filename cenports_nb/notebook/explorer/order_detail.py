"""The details of one order, in sections: sums, lines, shipments, people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from cenports_nb.frames.dates import format_iso, parse_time_zone
from cenports_nb.frames.decoding.shipment_items import QUANTITY_FIELDS, SKU_FIELDS, find_lines
from cenports_nb.frames.line_status import CANCELLED_WORDS, CLOSED_WORDS
from cenports_nb.frames.privacy.masking import mask_for_display
from cenports_nb.frames.privacy.personal_columns import normalize_name
from cenports_nb.notebook.explorer.order_index import OrderIndex
from cenports_nb.notebook.grid.widget import DetailSection
from cenports_nb.rendering.text import format_number

SHOW_ACTION, HIDE_ACTION = "show", "hide"
ACTION_LABELS = {SHOW_ACTION: "Show personal data of this order", HIDE_ACTION: "Hide personal data"}

ORDER_FIELDS = {
    "customer_order_no": "Customer's number",
    "channel_id": "Channel id",
    "carrier_code": "Carrier",
    "service_level": "Service",
    "ship_from_warehouse_code": "Leaves from",
    "sub_total": "Sum of lines",
    "discount": "Discount",
    "ship_cost": "Shipping",
}
"""Fields of an order that the table does not show, with their titles."""

MONEY_FIELDS = ("sub_total", "discount", "ship_cost")

PEOPLE_FIELDS = {
    "customer_name": "Customer",
    "contact_name": "Contact",
    "contact_email": "E-mail",
    "contact_phone": "Telephone",
    "merchant_msg": "Message of the merchant",
    "retailer_msg": "Message of the retailer",
}
ADDRESS_PREFIXES = {"ship_to": "Ships to", "bill_to": "Bill to"}
ADDRESS_LINE_FIELDS = (("name",), ("address1",), ("address2",), ("city", "state", "postal_code"), ("country",))

SHIPMENT_NUMBER_FIELDS = ("shipment_no", "shipment_number", "shipment_id", "id")
MAX_TABLE_ROWS = 500
"""Maximum lines or shipments of one order on the page, which draws them all at once."""


def build_order_details(
    index: OrderIndex, at: int, *, show_pii: bool, can_toggle: bool = True, shown_channel: str | None = None
) -> list[DetailSection]:
    """Build the sections of one order.

    Args:
        index: The orders.
        at: The position of the order.
        show_pii: Show personal data instead of pseudonyms.
        can_toggle: Offer a button that changes that.
        shown_channel: What the row shows as its channel; an equal id is not repeated.
    """
    order = index.select_given([at])
    order = order.loc[:, ~order.columns.duplicated()]
    is_shown = index.orders["channel_id"].iloc[at] == shown_channel
    is_ambiguous = index.orders["order_no"].iloc[at] in index.ambiguous_order_nos
    fields = {name: title for name, title in ORDER_FIELDS.items() if name != "channel_id" or not is_shown}
    note = "⚠ Another channel has an order of this number, too." if is_ambiguous else ""
    return [
        DetailSection("Shipping and sums", facts=tuple(_list_facts(order, fields)), note=note),
        _build_lines(index, at, _format_fields(order, ["line_count"])),
        _build_shipments(index, at),
        *_build_people(order, show_pii=show_pii, can_toggle=can_toggle),
    ]


def build_error_details(error: Exception) -> list[DetailSection]:
    """Report that an order can't be shown: a frame made by a person may hold anything."""
    return [
        DetailSection(
            "This order can't be shown", note=f"Its columns hold something unforeseen ({type(error).__name__})."
        )
    ]


def _build_lines(index: OrderIndex, at: int, line_count: list[str]) -> DetailSection:
    lines = index.lines.take(index.lines_by_order.rows(at))
    if "line_item" in lines:
        lines = lines.sort_values("line_item", kind="stable")
    title = f"Lines ({len(lines):,})"
    if lines.empty:
        return DetailSection(title, note="No line of this order is among the line items.")
    notes = _describe_cut(len(lines), "lines")
    if line_count and line_count != [str(len(lines))]:
        notes.append(f"⚠ The order has {line_count[0]} lines.")
    return _build_table(title, notes, lines, LINE_CELLS, always_shown=("product_sku", "quantity", "status"))


def _build_shipments(index: OrderIndex, at: int) -> DetailSection:
    if index.shipments is None:
        return DetailSection("Shipments", note="Not known: OrderExplorer(orders, line_items, shipments) shows them.")
    shipments = index.shipments.take(index.shipments_by_order.rows(at))
    title = f"Shipments ({len(shipments):,})"
    if shipments.empty:
        return DetailSection(title, note="No shipment of this order is among the shipments.")
    notes = _describe_cut(len(shipments), "shipments")
    if shipments["channel_id"].isna().any() and index.orders["order_no"].iloc[at] in index.ambiguous_order_nos:
        notes.append("⚠ Some name no channel: they may be of another channel's order of this number.")
    shipments = shipments.head(MAX_TABLE_ROWS)
    number = next(
        (name for name in SHIPMENT_NUMBER_FIELDS if name in shipments and shipments[name].notna().any()), None
    )
    shipments = shipments.assign(
        number=range(1, len(shipments) + 1) if number is None else shipments[number],
        items=[", ".join(_list_items(row)) for row in shipments.to_dict("records")],
    )
    if "ship_date" in shipments:
        # Midnight UTC stands for a day, which is the same in every zone.
        texts = format_iso(shipments["ship_date"].rename("order_date"), parse_time_zone(index.time_zone)).str[:16]
        shipments["day"] = texts.str.replace("T", " ", regex=False).str.removesuffix(" 00:00")
    return _build_table(title, notes, shipments, SHIPMENT_CELLS, always_shown=("number",))


def _build_table(
    title: str,
    notes: Sequence[str],
    frame: pd.DataFrame,
    cells: Mapping[str, CellFormat],
    *,
    always_shown: Sequence[str],
) -> DetailSection:
    """Format rows as text; columns without values are left out, except for a few."""
    frame = frame.head(MAX_TABLE_ROWS)
    names = [name for name in cells if name in frame and (name in always_shown or _has_values(frame[name]))]
    texts = [[cells[name][1](value) for value in frame[name]] for name in names]
    return DetailSection(
        title,
        note=" ".join(notes),
        headers=tuple(cells[name][0] for name in names),
        rows=tuple(zip(*texts, strict=True)),
        numeric_columns=tuple(i for i, name in enumerate(names) if cells[name][1] in (_format_number, _format_money)),
    )


def _list_items(shipment: Mapping[Any, Any]) -> Iterator[str]:
    """Name a shipment's items as far as the answer has them: their format is not documented."""
    record = {}
    for name, value in shipment.items():
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                record[str(name)] = json.loads(value)
            except (ValueError, RecursionError):
                continue
    for line, _ in find_lines(record):
        if isinstance(line, dict):
            plain = {normalize_name(str(name)): value for name, value in line.items()}
            sku, count = (
                next((plain[name] for name in names if plain.get(name) is not None), None)
                for names in (SKU_FIELDS, QUANTITY_FIELDS)
            )
            if sku is not None:
                yield str(sku) if count is None else f"{count}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{sku}"


def _build_people(order: pd.DataFrame, *, show_pii: bool, can_toggle: bool) -> list[DetailSection]:
    order = order if show_pii else mask_for_display(order)
    people, addresses = tuple(_list_facts(order, PEOPLE_FIELDS)), tuple(_list_addresses(order))
    if not people and not addresses:
        return [DetailSection("People", note="The orders tell nothing of them.")]
    note = (
        ""
        if show_pii
        else "Masked: pseudonyms stand for names, streets, postal codes, telephones, e-mails and messages."
    )
    key = HIDE_ACTION if show_pii else SHOW_ACTION
    actions = ((key, ACTION_LABELS[key]),) if can_toggle else ()
    return [
        DetailSection("People", facts=people, note=note),
        DetailSection("Addresses", facts=addresses, actions=actions),
    ]


def _list_addresses(order: pd.DataFrame) -> Iterator[tuple[str, str]]:
    line_count = ""
    for begin, title in ADDRESS_PREFIXES.items():
        lines = (
            " ".join(_format_fields(order, [f"{begin}_{name}" for name in names])) for names in ADDRESS_LINE_FIELDS
        )
        text = "\n".join(filter(None, lines))
        if text:
            yield title, "the same address" if text == line_count else text
        line_count = line_count or text


def _list_facts(order: pd.DataFrame, titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, title in titles.items():
        for text in _format_fields(order, [name]):
            yield title, text


def _format_fields(order: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Format the known values of these columns; a frame made by a person may hold anything in them."""
    texts = [
        _format_money(value) if name in MONEY_FIELDS and isinstance(value, int | float) else _format_plain(value)
        for name, value in ((name, order[name].iloc[0]) for name in names if name in order.columns)
    ]
    return [text for text in texts if text]


def _has_values(values: pd.Series[Any]) -> bool:
    return bool((values.notna() & (values.astype("str") != "")).any())


def _is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _format_plain(value: Any) -> str:
    """Format any value as text; a phone number that a spreadsheet made a number gets no `.0`."""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return "" if _is_missing(value) else str(value)


def _format_number(value: Any) -> str:
    return "" if _is_missing(value) else format_number(value)


def _format_money(value: Any) -> str:
    """Format an amount to the cent, or with more decimals if it has them: prices have up to four."""
    text = "" if _is_missing(value) else format_number(value, ",.4f")
    return text.removesuffix("0").removesuffix("0")


def _format_line_status(value: Any) -> str:
    """Format a line's status with a sign: shipped, cancelled, or open."""
    word = _format_plain(value).strip()
    if word.lower() in CANCELLED_WORDS:
        return f"✗ {word}"
    if word.lower() in CLOSED_WORDS:
        return f"✓ {word}"
    return f"○ open: {word}" if word else "○ open"


def _describe_cut(rows: int, what: str) -> list[str]:
    return [f"The first {MAX_TABLE_ROWS:,} of {rows:,} {what}."] if rows > MAX_TABLE_ROWS else []


CellFormat = tuple[str, Callable[[Any], str]]

LINE_CELLS: Mapping[str, CellFormat] = {
    "line_item": ("Line", _format_number),
    "product_sku": ("SKU", _format_plain),
    "retailer_sku": ("Retailer's SKU", _format_plain),
    "product_name": ("Product", _format_plain),
    "quantity": ("Quantity", _format_number),
    "price": ("Price", _format_money),
    "ship_from_warehouse_code": ("Leaves from", _format_plain),
    "status": ("Status", _format_line_status),
}
"""Columns of a line: header, and how a value is formatted."""

SHIPMENT_CELLS: Mapping[str, CellFormat] = {
    "number": ("Shipment", _format_plain),
    "day": ("Day", _format_plain),
    "carrier_code": ("Carrier", _format_plain),
    "service_level": ("Service", _format_plain),
    "tracking_number": ("Tracking number", _format_plain),
    "warehouse_code": ("Leaves from", _format_plain),
    "items": ("Items", _format_plain),
}
