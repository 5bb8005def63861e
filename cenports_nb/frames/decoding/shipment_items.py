"""The lines of shipments, whose location and format are not documented: found by name, or by what they hold.

The lists in a shipment are examined, those in its objects, and those in each object of a list, such as packages. The
name decides: lines before items before products or contents; else the first list whose objects have a SKU.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from cenports_nb.api.models import Count
from cenports_nb.frames.decoding import columns
from cenports_nb.frames.decoding.records import flatten
from cenports_nb.frames.decoding.rejects import format_record, snake_case
from cenports_nb.frames.provenance import Reject

LIST_NAME_PATTERNS = (
    re.compile(r"(^|_)line_?items?$|(^|_)lines?$"),
    re.compile(r"(^|_)items?$"),
    re.compile(r"(^|_)(products?|skus?|contents?)$"),
)
"""Names of a list of lines, best first."""
SKU_FIELDS = ("product_sku", "sku")
QUANTITY_FIELDS = ("quantity", "qty")
LINE_NUMBER_FIELDS = ("line_item", "line_number")
SHIPMENT_COLUMNS = ("order_no", "channel_id", "ship_date", "tracking_number")
LINE_COLUMNS = ("line_item", "product_sku", "quantity")
MAX_LINE_NUMBER = 2**31

Line = tuple[Any, str | None]
"""A line as received, and the tracking number of its package."""
Fields = dict[str, Any]


def decode_shipment_items(shipments: pd.DataFrame, raw: Sequence[bytes]) -> tuple[pd.DataFrame, tuple[Reject, ...]]:
    """Take the lines out of shipments; one that can't be read is a reject and doesn't affect the others.

    Args:
        shipments: The readable shipments, with `_index`, the position of each record.
        raw: JSON of all records.

    Returns:
        The columns of `schemas.ShipmentItems`, then every other field of a line as text, in the order of the
        shipments and their lines; and the rejects.
    """
    rows: list[Fields] = []
    owners: list[int] = []
    packages: list[str | None] = []
    rejects: list[Reject] = []
    for owner, record_index in enumerate(shipments["_index"].tolist()):
        record = msgspec.json.decode(raw[record_index])
        shipment = flatten(record)
        for position, (line, package) in enumerate(find_lines(record), start=1):
            try:
                rows.append(_decode_line(line, position, shipment))
            except msgspec.ValidationError as error:
                rejects.append(_reject(record_index, line, position, shipment, error))
            else:
                owners.append(owner)
                packages.append(package)
    at = np.array(owners, dtype=np.int64)
    frame = pd.DataFrame({name: shipments[name].take(at).reset_index(drop=True) for name in SHIPMENT_COLUMNS})
    frame["tracking_number"] = frame["tracking_number"].fillna(columns.text(packages)[0])
    frame["line_item"] = pd.Series([fields["line_item"] for fields in rows], dtype="int64")
    frame["product_sku"] = columns.text([fields["product_sku"] for fields in rows])[0]
    frame["quantity"] = columns.count_or_null([fields["quantity"] for fields in rows])[0]
    others = dict.fromkeys(name for fields in rows for name in fields if name not in LINE_COLUMNS)
    texts = {name: columns.text([fields.get(name) for fields in rows])[0] for name in others}
    return pd.concat([frame, pd.DataFrame(texts, index=frame.index)], axis=1), tuple(rejects)


def find_lines(record: Fields) -> list[Line]:
    """Find the lines of a shipment; an empty list if nothing looks like lines."""
    found = [
        (not any(isinstance(line, dict) for line, _ in lines), _rank_list(name, lines), lines)
        for name, lines in _find_lists(record)
    ]
    # A list of lines without objects is better than none: it is reported as rejects.
    likely = [one for one in found if one[1] is not None and (not one[0] or one[1] < 2)]
    return min(likely, key=lambda one: one[:2])[2] if likely else []


def _find_lists(record: Fields) -> Iterator[tuple[str, list[Line]]]:
    """List candidates for the lines with their names, those of the shipment itself first."""
    for name, value in record.items():
        if isinstance(value, list) and value:
            yield snake_case(name), [(line, None) for line in value]
    for value in record.values():
        inner: defaultdict[str, list[Line]] = defaultdict(list)
        for package in value if isinstance(value, list) else [value]:
            if isinstance(package, dict):
                tracking = flatten(package).get("tracking_number")
                for name, lines in package.items():
                    if isinstance(lines, list):
                        inner[snake_case(name)] += [
                            (line, None if tracking is None else str(tracking)) for line in lines
                        ]
        yield from ((name, lines) for name, lines in inner.items() if lines)


def _rank_list(name: str, lines: Sequence[Line]) -> int | None:
    """Return how much a list looks like lines, 0 for the most; None if not at all."""
    for rank, pattern in enumerate(LIST_NAME_PATTERNS):
        if pattern.search(name):
            return rank
    has_sku = any(isinstance(line, dict) and not {*map(snake_case, line)}.isdisjoint(SKU_FIELDS) for line, _ in lines)
    return len(LIST_NAME_PATTERNS) if has_sku else None


def _decode_line(line: Any, position: int, shipment: Fields) -> Fields:
    """Decode one line.

    Raises:
        msgspec.ValidationError: It isn't an object, or its quantity isn't a count.
    """
    if not isinstance(line, dict):
        raise msgspec.ValidationError("it isn't an object")
    sent = flatten(line)
    number = _take_first(sent, LINE_NUMBER_FIELDS, _is_number)
    sku = _take_first(sent, SKU_FIELDS)
    count = _take_first(sent, QUANTITY_FIELDS)
    fields: Fields = {
        "line_item": position if number is None else int(number),
        "product_sku": sku,
        "quantity": None if count is None else _parse_quantity(count),
    }
    for name, value in sent.items():
        if name in SHIPMENT_COLUMNS and value in (None, shipment.get(name)):
            continue  # already part of its shipment
        column = name
        while column in fields or column in SHIPMENT_COLUMNS or (column != name and column in sent):
            column = f"item_{column}"
        fields[column] = value
    return fields


def _take_first(sent: Fields, names: Sequence[str], fits: Any = lambda _: True) -> Any:
    """Take the first of these values out of a record; what is left becomes columns."""
    for name in names:
        if sent.get(name) is not None and fits(sent[name]):
            return sent.pop(name)
        if name in sent and sent[name] is None:
            del sent[name]
    return None


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"\d{1,10}", str(value), re.ASCII) is not None and int(value) < MAX_LINE_NUMBER


def _parse_quantity(value: Any) -> int:
    """Parse a quantity as in stock."""
    try:
        return msgspec.convert(value, Count, strict=False)
    except msgspec.ValidationError:
        raise msgspec.ValidationError(f"quantity isn't a whole number: {value!r}") from None


def _reject(record_index: int, line: Any, position: int, shipment: Fields, error: Exception) -> Reject:
    fields = flatten(line) if isinstance(line, dict) else {}
    key = next((str(fields[name]) for name in SKU_FIELDS if fields.get(name) is not None), "")
    column = "quantity" if fields else ""
    where = f"line {position} of a shipment of order {shipment.get('order_no')}"
    return Reject(record_index, key, column, f"{where}: {error}", format_record(msgspec.json.encode(line)))
