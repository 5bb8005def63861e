"""The fast lane: pages exactly as documented -> Arrow columns, at the speed at which the JSON can be read.

It is strict: text for a number, `5.0` for a count, a number for a SKU, a doubled key, a missing order number,
bytes that are not UTF-8 all make it refuse the page, and the careful lane reads it record by record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from cenports_nb.frames.decoding import columns
from cenports_nb.frames.decoding.arrow_columns import POOL
from cenports_nb.frames.decoding.fields import LINE_ITEM_AS_SENT, LINE_ITEMS, ORDERS, Field

TYPES: dict[columns.Build, pa.DataType] = {
    columns.text: pa.large_string(),
    columns.key: pa.large_string(),
    columns.needed_instant: pa.timestamp("us", "UTC"),
    columns.money: pa.float64(),
    columns.count: pa.int64(),
    columns.flag_or_null: pa.bool_(),
}
FIRST, LAST = (int(moment.asm8.astype("int64")) for moment in (columns.FIRST, columns.LAST))
NEEDED = (columns.key, columns.needed_instant, columns.count)
KNOWN = frozenset({"lineItems.orderNo"})
"""Fields that the reference shows and no frame has."""


@dataclass(frozen=True)
class Columns:
    """Orders and their lines as columns, named as in the frames.

    Attributes:
        sizes: Records of each page.
        orders: One value an order.
        lines: One value a line, and `line_item` as sent.
        line_counts: Lines of each order.
        unknown: Fields that came and that no frame has.
    """

    sizes: tuple[int, ...]
    orders: dict[str, pa.Array]
    lines: dict[str, pa.Array]
    line_counts: np.ndarray
    unknown: frozenset[str] = frozenset()


def read(pages: Sequence[bytes], channel_id: str | None) -> Columns | None:
    """Read pages, each a JSON list of orders; None if anything in them is a surprise.

    Args:
        pages: JSON as it came.
        channel_id: The channel that was asked for, for orders that name none.
    """
    try:
        for page in pages:
            str(page, "utf-8")  # Arrow takes what is no UTF-8
        found = arrow_json.read_json(
            pa.BufferReader(_rows(pages)),
            # One block: blocks are what threads of Arrow share, and here each thread reads pages of its own.
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=sum(map(len, pages)) + 16 * len(pages)),
            memory_pool=POOL,
            parse_options=arrow_json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="infer"),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if found.num_columns != 1 or found.num_rows != len(pages) or found.column(0).num_chunks != 1:
        return None
    lists = found.column(0).chunk(0)
    records = lists.flatten()
    if lists.null_count or records.null_count:
        return None
    orders, groups = _columns(records, ORDERS)
    lists_of_lines = groups[""]["lineItems"]
    lines = lists_of_lines.flatten()
    if lines.null_count:
        return None
    items, line_groups = _columns(lines, (*LINE_ITEMS, LINE_ITEM_AS_SENT))
    if channel_id is not None:
        orders["channel_id"] = pc.fill_null(orders["channel_id"], channel_id)
    if not (_sound(orders, ORDERS) and _sound(items, LINE_ITEMS)):
        return None
    return Columns(
        tuple(pc.list_value_length(lists).to_pylist()),
        orders,
        items,
        np.asarray(pc.fill_null(pc.list_value_length(lists_of_lines), 0)),
        _unknown(groups) | _unknown(line_groups, "lineItems."),
    )


def _rows(pages: Sequence[bytes]) -> bytes:
    """Write each page as one row; a line break between records is none of Arrow's rows."""
    parts: list[bytes] = []
    for page in pages:
        parts += (b'{"data":', page, b"}\n")
    rows = b"".join(parts)
    return rows if rows.count(b"\n") == len(pages) else _rows([bytes(page).replace(b"\n", b" ") for page in pages])


def _columns(
    records: pa.StructArray, table: Iterable[Field]
) -> tuple[dict[str, pa.Array], dict[str, dict[str, pa.Array]]]:
    """Take the columns of a table out of records, and all that came, by nested object."""
    groups = {"": _fields(records)}
    for name, array in groups[""].items():
        if pa.types.is_struct(array.type):
            groups[name] = _fields(array)
    found = {}
    for item in table:
        group, _, name = item.sent.rpartition(".")
        found[item.name] = groups[group][name]
    return found, {name: fields for name, fields in groups.items() if not name or name in NESTED}


def _fields(array: pa.StructArray) -> dict[str, pa.Array]:
    """Split an object into its fields; where it is null, so are they."""
    return dict(zip((field.name for field in array.type), array.flatten(), strict=True))


def _sound(found: dict[str, pa.Array], table: Iterable[Field]) -> bool:
    """Tell whether all is there that must be, and no amount is infinite."""
    for item in table:
        array = found[item.name]
        if item.build in NEEDED and array.null_count:
            return False
        if item.build is columns.key and pc.any(pc.equal(array, "")).as_py():
            return False
        if item.build is columns.needed_instant and _beyond_calendars(array):
            return False
        if item.build is columns.money and pc.all(pc.is_finite(array)).as_py() is False:
            return False
    return True


def _beyond_calendars(instants: pa.Array) -> bool:
    """Tell whether an instant lies in a year that dates don't have; an offset may lead there."""
    reach = pc.min_max(instants.cast(pa.int64())).as_py()
    return reach["min"] is not None and not FIRST <= reach["min"] <= reach["max"] <= LAST


def _unknown(groups: dict[str, dict[str, pa.Array]], prefix: str = "") -> frozenset[str]:
    """Name the fields that came and that the reference does not show."""
    known = FIELDS | KNOWN
    names = {f"{prefix}{group}.{name}" if group else f"{prefix}{name}" for group in groups for name in groups[group]}
    return frozenset(names - known)


def _struct(table: Iterable[Field], *more: pa.Field) -> pa.DataType:
    """Write a table as the object that it is read from."""
    flat: list[Any] = []
    nested: dict[str, list[Any]] = {}
    for item in table:
        group, _, name = item.sent.rpartition(".")
        (nested.setdefault(group, []) if group else flat).append(pa.field(name, TYPES[item.build]))
    return pa.struct([*flat, *(pa.field(name, pa.struct(fields)) for name, fields in nested.items()), *more])


LINE = _struct((*LINE_ITEMS, LINE_ITEM_AS_SENT))
SCHEMA = pa.schema([("data", pa.list_(_struct(ORDERS, pa.field("lineItems", pa.list_(LINE)))))])
NESTED = frozenset(item.sent.partition(".")[0] for item in ORDERS if "." in item.sent)
FIELDS = frozenset(
    {"lineItems", *NESTED, *(item.sent for item in ORDERS)}
    | {f"lineItems.{item.sent}" for item in (*LINE_ITEMS, LINE_ITEM_AS_SENT)}
)
