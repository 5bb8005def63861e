"""One order, told in parts: the order, its lines, its shipments, its people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from cenports_nb.frames.dates import format_iso, parse_time_zone
from cenports_nb.frames.decoding.shipment_items import QUANTITY_FIELDS, SKU_FIELDS, find_lines
from cenports_nb.frames.line_status import CANCELLED_WORDS, CLOSED_WORDS
from cenports_nb.frames.masking import mask_pii
from cenports_nb.frames.personal_columns import snake_case
from cenports_nb.notebook.explorer.order_index import OrderBook
from cenports_nb.notebook.grid.widget import Part

SHOW, HIDE = "show", "hide"
BUTTONS = {SHOW: "Show personal data of this order", HIDE: "Hide personal data"}

ABOUT = {
    "customer_order_no": "Customer's number",
    "channel_id": "Channel id",
    "carrier_code": "Carrier",
    "service_level": "Service",
    "ship_from_warehouse_code": "Leaves from",
    "sub_total": "Sum of lines",
    "discount": "Discount",
    "ship_cost": "Shipping",
}
"""What is told of an order besides its row."""

MONEY = ("sub_total", "discount", "ship_cost")

PEOPLE = {
    "customer_name": "Customer",
    "contact_name": "Contact",
    "contact_email": "E-mail",
    "contact_phone": "Telephone",
    "merchant_msg": "Message of the merchant",
    "retailer_msg": "Message of the retailer",
}
ADDRESSES = {"ship_to": "Ships to", "bill_to": "Bill to"}
ADDRESS_LINES = (("name",), ("address1",), ("address2",), ("city", "state", "postal_code"), ("country",))

SHIPMENT_NUMBERS = ("shipment_no", "shipment_number", "shipment_id", "id")
MOST_ROWS = 500
"""Lines or shipments of one order on the page: they are drawn all at once."""


def story_of(book: OrderBook, at: int, *, shown: bool, button: bool = True) -> list[Part]:
    """Tell an order.

    Args:
        book: The orders.
        at: Which of them.
        shown: Whether people and addresses stand as they are, else pseudonyms stand for them.
        button: Whether that can be changed.
    """
    order = book.given([at])
    order = order.loc[:, ~order.columns.duplicated()]
    twice = book.orders["order_no"].iloc[at] in book.several_channels
    note = "⚠ Another channel has an order of this number, too." if twice else ""
    return [
        Part("Shipping and sums", facts=tuple(_facts(order, ABOUT)), note=note),
        _lines(book, at, _values(order, ["line_count"])),
        _shipments(book, at),
        *_people(order, shown=shown, button=button),
    ]


def excuse_of(error: Exception) -> list[Part]:
    """Say that an order can't be told: what a person's frame holds is not ours to foresee."""
    return [Part("This order can't be shown", note=f"Its columns hold something unforeseen ({type(error).__name__}).")]


def _lines(book: OrderBook, at: int, told: list[str]) -> Part:
    lines = book.lines.take(book.line_rows.of(at))
    if "line_item" in lines:
        lines = lines.sort_values("line_item", kind="stable")
    title = f"Lines ({len(lines):,})"
    if lines.empty:
        return Part(title, note="No line of this order is among the line items.")
    notes = _cut(len(lines), "lines")
    if told and told != [str(len(lines))]:
        notes.append(f"⚠ The order has {told[0]} lines.")
    return _table(title, notes, lines, LINE_CELLS, always=("product_sku", "quantity", "status"))


def _shipments(book: OrderBook, at: int) -> Part:
    if book.shipments is None:
        return Part("Shipments", note="Not known: OrderExplorer(orders, line_items, shipments) shows them.")
    sent = book.shipments.take(book.shipment_rows.of(at))
    title = f"Shipments ({len(sent):,})"
    if sent.empty:
        return Part(title, note="No shipment of this order is among the shipments.")
    notes = _cut(len(sent), "shipments")
    if sent["channel_id"].isna().any() and book.orders["order_no"].iloc[at] in book.several_channels:
        notes.append("⚠ Some name no channel: they may be of another channel's order of this number.")
    sent = sent.head(MOST_ROWS)
    number = next((name for name in SHIPMENT_NUMBERS if name in sent and sent[name].notna().any()), None)
    sent = sent.assign(
        number=range(1, len(sent) + 1) if number is None else sent[number],
        items=[", ".join(_items(row)) for row in sent.to_dict("records")],
    )
    if "ship_date" in sent:
        # A day, written as midnight UTC, is the same day in every zone.
        texts = format_iso(sent["ship_date"].rename("order_date"), parse_time_zone(book.zone)).str[:16]
        sent["day"] = texts.str.replace("T", " ", regex=False).str.removesuffix(" 00:00")
    return _table(title, notes, sent, SHIPMENT_CELLS, always=("number",))


def _table(
    title: str, notes: Sequence[str], frame: pd.DataFrame, cells: Mapping[str, Cell], *, always: Sequence[str]
) -> Part:
    """Write rows as text; of a column that says nothing only a few are kept."""
    frame = frame.head(MOST_ROWS)
    names = [name for name in cells if name in frame and (name in always or _says(frame[name]))]
    texts = [[cells[name][1](value) for value in frame[name]] for name in names]
    return Part(
        title,
        note=" ".join(notes),
        head=tuple(cells[name][0] for name in names),
        rows=tuple(zip(*texts, strict=True)),
        right=tuple(i for i, name in enumerate(names) if cells[name][1] in (_number, _money)),
    )


def _items(shipment: Mapping[Any, Any]) -> Iterator[str]:
    """Name what is in a shipment, as far as Cenports' answer tells: it is not documented."""
    record = {}
    for name, value in shipment.items():
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                record[str(name)] = json.loads(value)
            except (ValueError, RecursionError):
                continue
    for line, _ in find_lines(record):
        if isinstance(line, dict):
            plain = {snake_case(str(name)): value for name, value in line.items()}
            sku, count = (
                next((plain[name] for name in names if plain.get(name) is not None), None)
                for names in (SKU_FIELDS, QUANTITY_FIELDS)
            )
            if sku is not None:
                yield str(sku) if count is None else f"{count}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{sku}"


def _people(order: pd.DataFrame, *, shown: bool, button: bool) -> list[Part]:
    order = order if shown else mask_pii(order)
    people, addresses = tuple(_facts(order, PEOPLE)), tuple(_addresses(order))
    if not people and not addresses:
        return [Part("People", note="The orders tell nothing of them.")]
    note = (
        "" if shown else "Masked: pseudonyms stand for names, streets, postal codes, telephones, e-mails and messages."
    )
    key = HIDE if shown else SHOW
    actions = ((key, BUTTONS[key]),) if button else ()
    return [Part("People", facts=people, note=note), Part("Addresses", facts=addresses, actions=actions)]


def _addresses(order: pd.DataFrame) -> Iterator[tuple[str, str]]:
    told = ""
    for begin, title in ADDRESSES.items():
        lines = (" ".join(_values(order, [f"{begin}_{name}" for name in names])) for names in ADDRESS_LINES)
        text = "\n".join(filter(None, lines))
        if text:
            yield title, "the same address" if text == told else text
        told = told or text


def _facts(order: pd.DataFrame, titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, title in titles.items():
        for text in _values(order, [name]):
            yield title, text


def _values(order: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Write what is known of these columns; a frame that a person made may hold anything in them."""
    texts = [
        _money(value) if name in MONEY and isinstance(value, int | float) else _plain(value)
        for name, value in ((name, order[name].iloc[0]) for name in names if name in order.columns)
    ]
    return [text for text in texts if text]


def _says(values: pd.Series[Any]) -> bool:
    return bool((values.notna() & (values.astype("str") != "")).any())


def _missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _plain(value: Any) -> str:
    """Write anything as text; a telephone that became a number in somebody's spreadsheet has no `.0`."""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return "" if _missing(value) else str(value)


def _number(value: Any) -> str:
    return "" if _missing(value) else f"{value:,}".replace("-", "−")


def _money(value: Any) -> str:
    """Write an amount to the cent, and further only if it was sent so: prices have up to four decimals."""
    text = "" if _missing(value) else f"{value:,.4f}".replace("-", "−")
    return text.removesuffix("0").removesuffix("0")


def _state(value: Any) -> str:
    """Write a line's status with a sign: shipped or the like, cancelled, or open."""
    word = _plain(value).strip()
    if word.lower() in CANCELLED_WORDS:
        return f"✗ {word}"
    if word.lower() in CLOSED_WORDS:
        return f"✓ {word}"
    return f"○ open: {word}" if word else "○ open"


def _cut(rows: int, what: str) -> list[str]:
    return [f"The first {MOST_ROWS:,} of {rows:,} {what}."] if rows > MOST_ROWS else []


Cell = tuple[str, Callable[[Any], str]]

LINE_CELLS: Mapping[str, Cell] = {
    "line_item": ("Line", _number),
    "product_sku": ("SKU", _plain),
    "retailer_sku": ("Retailer's SKU", _plain),
    "product_name": ("Product", _plain),
    "quantity": ("Quantity", _number),
    "price": ("Price", _money),
    "ship_from_warehouse_code": ("Leaves from", _plain),
    "status": ("Status", _state),
}
"""Columns of a line: header, and how a value is written."""

SHIPMENT_CELLS: Mapping[str, Cell] = {
    "number": ("Shipment", _plain),
    "day": ("Day", _plain),
    "carrier_code": ("Carrier", _plain),
    "service_level": ("Service", _plain),
    "tracking_number": ("Tracking number", _plain),
    "warehouse_code": ("Leaves from", _plain),
    "items": ("Items", _plain),
}
