"""The lenient decoder: normalizes a page record by record to what the reference documents, and rejects the rest.

It accepts numbers as text, text as numbers, whole numbers with a decimal point, and instants in any form, and writes
them as the strict decoder requires, so that both produce the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from cenports_nb.api import models
from cenports_nb.api.http.record_page import split_records
from cenports_nb.api.models import forbid_unknown_fields
from cenports_nb.frames.decoding import columns
from cenports_nb.frames.decoding.arrow_orders import FIELDS_WITHOUT_COLUMN, KNOWN_FIELDS, NESTED_OBJECTS
from cenports_nb.frames.decoding.fields import LINE_ITEM_FIELDS, ORDER_FIELDS, Field
from cenports_nb.frames.decoding.rejects import explain_reject, format_record
from cenports_nb.frames.provenance import Reject

DECODE_PAGE = msgspec.json.Decoder(list[models.Order], strict=False).decode
DECODE_DOCUMENTED_PAGE = msgspec.json.Decoder(list[forbid_unknown_fields(models.Order)], strict=False).decode  # type: ignore[misc]
DECODE_ORDER = models.build_decoder(models.OrderOfLines)
DECODE_LINE = models.build_decoder(models.LineItem)
DECODE_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
ENCODE = msgspec.json.Encoder().encode


@dataclass
class NormalizedPage:
    """The readable part of a page.

    Attributes:
        page: JSON of a list of the readable orders, for the strict decoder.
        record_indexes: The position of each on the page.
        line_counts: The number of lines that each was sent with, including unreadable ones.
        positions: The position of each line in its order as sent, from 1.
        rejects: Orders that can't be read.
        line_rejects: Lines that can't be read, by the position of their order.
        unknown: Received fields that aren't documented.
    """

    page: bytes
    record_indexes: np.ndarray
    line_counts: np.ndarray
    positions: np.ndarray
    rejects: list[Reject] = field(default_factory=list)
    line_rejects: list[Reject] = field(default_factory=list)
    unknown_fields: frozenset[str] = frozenset()


def normalize_page(page: bytes | memoryview, channel_id: str | None) -> NormalizedPage:
    """Read a page, a JSON list of orders, record by record.

    Args:
        page: The received JSON.
        channel_id: The requested channel, for orders that name none.
    """
    rejects: list[Reject] = []
    line_rejects: list[Reject] = []
    lines: dict[int, Sequence[int]] = {}  # positions of the readable lines of orders that also have others
    sent: dict[int, int] = {}  # the number of lines that those were sent with
    raw: Sequence[msgspec.Raw] | None = None
    unknown: frozenset[str] = frozenset()
    try:
        try:
            found = DECODE_DOCUMENTED_PAGE(page)
        except msgspec.ValidationError:
            found, unknown = DECODE_PAGE(page), find_unknown_fields(page)
        if any(line.product_sku == "" for order in found for line in order.line_items or ()):
            raise msgspec.ValidationError("a line without its SKU spoils only itself")
        if models.NULL_AS_TEXT.search(page):
            raise msgspec.ValidationError("this text may have been read as null")
        record_indexes = list(range(len(found)))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raw, found, record_indexes, unknown = split_records(page), [], [], find_unknown_fields(page)
        for record_index, record in enumerate(raw):
            try:
                order = DECODE_ORDER(record)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                rejects.append(explain_reject(record_index, record, "orderNo", error))
                continue
            of_order = order.line_items or ()
            good, bad = _decode_lines(of_order, record_index, str(order.order_no))
            order.line_items = [line for _, line in good]  # type: ignore[misc]
            lines[record_index], sent[record_index] = [position for position, _ in good], len(of_order)
            line_rejects += bad
            found.append(order)
            record_indexes.append(record_index)
    failed = _find_incomplete(found, channel_id)
    for row, (column, reason) in sorted(failed.items()):
        raw = raw or split_records(page)
        record = raw[record_indexes[row]]
        rejects.append(
            Reject(record_indexes[row], str(found[row].order_no), column, f"{column} {reason}", format_record(record))
        )
    kept = [row for row in range(len(found)) if row not in failed]
    gone = {record_indexes[row] for row in failed}
    orders = [found[row] for row in kept]
    _write_digits(orders, ORDER_FIELDS)
    every = [line for order in orders for line in order.line_items or ()]
    _write_digits(every, LINE_ITEM_FIELDS)
    for line in every:
        line.order_no = None  # fills no column, so its type doesn't matter
        if line.line_item is not None and type(line.line_item) is not str:
            line.line_item = str(line.line_item)
    at = [record_indexes[row] for row in kept]
    counts = [len(order.line_items or ()) for order in orders]
    positions = [lines.get(record_index, range(1, count + 1)) for record_index, count in zip(at, counts, strict=True)]
    return NormalizedPage(
        ENCODE(orders),
        np.array(at, dtype="int64"),
        np.array(
            [sent.get(record_index, count) for record_index, count in zip(at, counts, strict=True)], dtype="int64"
        ),
        np.fromiter((position for of_order in positions for position in of_order), dtype="int64", count=len(every)),
        sorted(rejects, key=lambda reject: reject.record_index),
        # A reject contains the whole order, so its lines are not listed.
        [reject for reject in line_rejects if reject.record_index not in gone],
        unknown,
    )


def find_unknown_fields(page: bytes | memoryview) -> frozenset[str]:
    """Name the fields of a page that aren't documented."""
    names: set[str] = set()
    for record in _split_objects(page):
        names |= record.keys()
        for group in NESTED_OBJECTS & record.keys():
            names |= {f"{group}.{name}" for name in _split_object(record[group])}
        for line in _split_objects(bytes(record.get("lineItems", b"[]"))):
            names |= {f"lineItems.{name}" for name in line}
    return frozenset(names - KNOWN_FIELDS - FIELDS_WITHOUT_COLUMN)


def _decode_lines(
    raw: Sequence[msgspec.Raw], record_index: int, number: str
) -> tuple[list[tuple[int, models.LineItem]], list[Reject]]:
    """Read the lines of one order; a bad one doesn't affect the others."""
    good: list[tuple[int, models.LineItem]] = []
    bad: list[Reject] = []
    for position, record in enumerate(raw, start=1):
        try:
            line = DECODE_LINE(record)
            if line.product_sku == "":
                raise msgspec.ValidationError("product_sku is missing - at `$.productSku`")
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            bad.append(
                explain_reject(record_index, record, "productSku", error, f"line {position} of order {number}: ")
            )
        else:
            good.append((position, line))
    return good, bad


def _find_incomplete(found: Sequence[Any], channel_id: str | None) -> dict[int, tuple[str, str]]:
    """Find orders without number, channel or date; write dates as the strict decoder reads them."""
    failed: dict[int, tuple[str, str]] = {}
    for row, order in enumerate(found):
        if order.channel_id is None:
            order.channel_id = channel_id
        if order.order_no == "":
            failed[row] = "order_no", "is missing"
        elif order.channel_id is None or order.channel_id == "":
            failed[row] = "channel_id", "is missing"
    dates, bad = columns.needed_instant([order.order_date for order in found])
    for row, reason in bad.items():
        failed.setdefault(row, ("order_date", reason))
    texts = np.datetime_as_string(dates.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))
    for order, text in zip(found, texts.tolist(), strict=True):
        order.order_date = f"{text}Z"
    return failed


def _write_digits(found: Sequence[Any], table: Iterable[Field]) -> None:
    """Write whole numbers in text fields as their digits."""
    groups: dict[str, list[Any]] = {"": list(found)}
    for item in table:
        if item.builder not in (columns.text, columns.key):
            continue
        group, _, name = item.path.rpartition(".")
        if group not in groups:
            groups[group] = [nested for nested in map(attrgetter(group), found) if nested is not None]
        read: Callable[[Any], Any] = attrgetter(name)
        if int in set(map(type, map(read, groups[group]))):
            for record in groups[group]:
                value = read(record)
                if type(value) is int:
                    setattr(record, name, str(value))


def _split_objects(page: bytes | memoryview) -> list[dict[str, msgspec.Raw]]:
    """Split a list of objects into fields without decoding them; anything else gives an empty list."""
    try:
        return DECODE_OBJECTS(page)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        whole = split_records(page)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return [_split_object(record) for record in whole]


def _split_object(record: msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
