"""Records of stock, channels and shipments -> frames: each becomes a row, or a reject with its reason.

Orders, which are many, have a faster way: see `order_pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cenports_nb.api import models
from cenports_nb.api.http.json_repair import REPAIR_MARK
from cenports_nb.frames.arrow_columns import from_arrow, take_text
from cenports_nb.frames.decoding import columns
from cenports_nb.frames.decoding.fields import (
    CHANNEL_FIELDS,
    EMPTY_OBJECTS,
    SHIPMENT_FIELDS,
    STOCK_FIELDS,
    WAREHOUSE_FIELDS,
    Field,
)
from cenports_nb.frames.decoding.rejects import explain_reject, format_record, read_key, snake_case
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.row_keys import encode_keys, index_first_rows

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)
RecordAt = Callable[[int], bytes]
"""Returns the JSON of a record by its position; called only for records that can't be read."""


@dataclass(frozen=True)
class DecodedRecords:
    """Readable rows, and rejects.

    Attributes:
        frame: The columns of the decoded table, and `_index`, the position of each row's record.
        rejects: Records that can't be read.
        unknown: Received fields that neither the frame nor the reference has.
    """

    frame: pd.DataFrame
    rejects: tuple[Reject, ...]
    unknown_fields: frozenset[str] = frozenset()


def decode_stock(raw: Sequence[bytes]) -> DecodedRecords:
    """Decode the stock rows of warehouses; a SKU that repeats in its warehouse is a reject.

    The rows of a warehouse are decoded at once, and one by one only if that fails.
    """
    found: list[Any] = []
    index: list[int] = []
    owners: list[Any] = []
    sizes: list[int] = []
    rejects: list[Reject] = []
    bad_rows: list[Reject] = []
    unknown: frozenset[str] = frozenset()
    kept: list[bytes] = []
    start = 0
    for record_index, record in enumerate(raw):
        try:
            owner, news = _decode_record(record, models.Inventory)
            good: Sequence[Any] = owner.warehouse_inventory or ()
            positions: Sequence[int] = range(start, start + len(good))
        except UNREADABLE:
            try:
                owner, _ = _decode_record(record, models.Warehouse)
            except UNREADABLE as error:
                rejects.append(explain_reject(record_index, record, "warehouseCode", error))
                continue
            news = models.find_unknown_fields(record, models.Inventory)
            good, positions, bad = _decode_stock_rows(owner.warehouse_inventory or (), start)
            bad_rows += bad
        kept.append(record)
        start += len(owner.warehouse_inventory or ())
        found += good
        index += positions
        owners.append(owner)
        sizes.append(len(good))
        unknown |= news

    @cache
    def rows() -> list[msgspec.Raw]:
        return [row for record in kept for row in _decode_record(record, models.Warehouse)[0].warehouse_inventory or ()]

    for item in found:
        if item.next_available_quantity is None:
            item.next_available_quantity = item.next_availabile_quantity
    frame, bad = _build_frame(found, index, lambda record_index: rows()[record_index], STOCK_FIELDS, "productSku")
    at = frame.pop("_place").to_numpy()
    frame["product_extras"] = from_arrow(_format_json([item.product_extras for item in found]).take(at))
    owner_of = np.repeat(np.arange(len(owners)), sizes)[at]
    for name in ("warehouse_code", "warehouse_name"):
        words = columns.text([getattr(owner, name) for owner in owners])[0]
        frame[name] = take_text(owner_of, words)
    numbered = encode_keys([frame["warehouse_code"], frame["product_sku"]])
    number = numbered.rows[0]
    again = np.flatnonzero(index_first_rows(number, numbered.size)[number] != np.arange(len(number)))
    if len(again):
        skus = frame["product_sku"].iloc[again]
        bad += [
            Reject(
                record_index, sku, "product_sku", "repeats a SKU of its warehouse", format_record(rows()[record_index])
            )
            for record_index, sku in zip(frame["_index"].iloc[again].tolist(), skus, strict=True)
        ]
        frame = frame.drop(index=list(again)).reset_index(drop=True)
    return DecodedRecords(frame, (*rejects, *bad_rows, *bad), unknown)


def decode_warehouses(raw: Sequence[bytes]) -> DecodedRecords:
    """Decode warehouses and their addresses."""
    found, index, rejects, unknown = _decode_records(raw, models.Warehouse, "warehouseCode")
    frame, more = _build_frame(found, index, raw.__getitem__, WAREHOUSE_FIELDS, "warehouseCode")
    frame = frame.drop(columns="_place").drop_duplicates("warehouse_code", ignore_index=True)
    return DecodedRecords(frame, (*rejects, *more), unknown)


def decode_channels(raw: Sequence[bytes]) -> DecodedRecords:
    """Decode sales channels."""
    found, index, rejects, unknown = _decode_records(raw, models.Channel, "channelId")
    for channel in found:
        channel.channel_name = channel.channel_name if channel.channel_name is not None else channel.channal_name
        if channel.features is not None and not isinstance(channel.features, str):
            channel.features = msgspec.json.encode(channel.features).decode()
    frame, more = _build_frame(found, index, raw.__getitem__, CHANNEL_FIELDS, "channelId")
    frame = frame.drop(columns="_place").drop_duplicates("channel_id", ignore_index=True)
    return DecodedRecords(frame, (*rejects, *more), unknown)


def decode_shipments(
    raw: Sequence[bytes], channel_ids: Sequence[str | None], acknowledged: Sequence[bool | None] = ()
) -> DecodedRecords:
    """Decode shipments, whose format is not documented: known fields typed, all others as text.

    Args:
        raw: JSON of each record.
        channel_ids: The requested channel of each, for shipments that name none.
        acknowledged: The requested half of each, if both were requested: a shipment that is acknowledged in between is
            in both, and the later answer wins.
    """
    found: list[dict[str, Any]] = []
    index: list[int] = []
    rejects: list[Reject] = []
    seen: dict[bytes, int] = {}
    for record_index, record in enumerate(raw):
        try:
            fields = flatten(msgspec.json.decode(record, type=dict[str, Any]))
        except UNREADABLE as error:
            rejects.append(explain_reject(record_index, record, "orderNo", error))
            continue
        if fields.get("channel_id") is None:
            fields["channel_id"] = channel_ids[record_index]
        described = {name: value for name, value in fields.items() if not (acknowledged and name == "acknowledged")}
        identity = msgspec.json.encode(described, order="sorted")
        if acknowledged and fields.get("acknowledged") is None:
            fields["acknowledged"] = acknowledged[record_index]
        if identity in seen:  # the same shipment from adjacent windows, or from both halves
            if acknowledged:
                found[seen[identity]], index[seen[identity]] = fields, record_index
            continue
        seen[identity] = len(found)
        found.append(fields)
        index.append(record_index)
    known = {item.name for item in SHIPMENT_FIELDS}
    extra = dict.fromkeys(name for fields in found for name in fields if name not in known)
    table = (*SHIPMENT_FIELDS, *(Field(name, name, columns.text) for name in extra))
    values = {item.name: [fields.get(item.name) for fields in found] for item in table}
    frame, more = _assemble_columns(values, index, raw.__getitem__, table, "orderNo")
    return DecodedRecords(frame.drop(columns="_place"), (*rejects, *more))


def _decode_stock_rows(raw: Sequence[bytes], start: int) -> tuple[list[Any], list[int], list[Reject]]:
    """Decode each stock row, counting positions from `start`; a row that can't be read is a reject."""
    found: list[Any] = []
    index: list[int] = []
    rejects: list[Reject] = []
    read = _build_decoders(models.Stock)[1]
    for record_index, record in enumerate(raw, start):
        try:
            found.append(read(record))
        except UNREADABLE as error:
            rejects.append(explain_reject(record_index, record, "productSku", error))
        else:
            index.append(record_index)
    return found, index, rejects


def _decode_records(
    raw: Sequence[bytes], kind: type[models.Record], key: str
) -> tuple[list[Any], list[int], list[Reject], frozenset[str]]:
    """Decode each record; one that can't be read is a reject."""
    found: list[Any] = []
    index: list[int] = []
    rejects: list[Reject] = []
    unknown: frozenset[str] = frozenset()
    for record_index, record in enumerate(raw):
        try:
            item, news = _decode_record(record, kind)
        except UNREADABLE as error:
            rejects.append(explain_reject(record_index, record, key, error))
        else:
            found.append(item)
            index.append(record_index)
            unknown |= news
    return found, index, rejects, unknown


def _decode_record(record: bytes, kind: type[models.Record]) -> tuple[Any, frozenset[str]]:
    """Decode a record; also return its undocumented fields, of which most have none."""
    documented, lax = _build_decoders(kind)
    try:
        return documented(record), frozenset()
    except msgspec.ValidationError:
        return lax(record), models.find_unknown_fields(record, kind)


@cache
def _build_decoders(kind: type[models.Record]) -> tuple[Callable[[bytes], Any], Callable[[bytes], Any]]:
    """Build a decoder that refuses other fields, and one that ignores them."""
    kinds = (models.forbid_unknown_fields(kind), kind)
    documented, lax = map(models.build_decoder, kinds)
    return documented, lax


def _build_frame(
    found: Sequence[Any], index: Sequence[int], record: RecordAt, table: Iterable[Field], key: str
) -> tuple[pd.DataFrame, list[Reject]]:
    """Take the columns of a table out of records."""
    table = tuple(table)
    groups: dict[str, list[Any]] = {"": list(found)}
    values: dict[str, list[Any]] = {}
    for item in table:
        group, _, name = item.path.rpartition(".")
        if group not in groups:
            empty = EMPTY_OBJECTS[group]
            groups[group] = [nested or empty for nested in map(attrgetter(group), found)]
        values[item.name] = list(map(attrgetter(name), groups[group]))
    return _assemble_columns(values, index, record, table, key)


def _assemble_columns(
    values: dict[str, list[Any]], index: Sequence[int], record: RecordAt, table: Iterable[Field], key: str
) -> tuple[pd.DataFrame, list[Reject]]:
    """Build the columns, and take out the rows with a value that can't be read."""
    built: dict[str, pd.Series[Any]] = {}
    failed: dict[int, tuple[str, str]] = {}
    for item in table:
        built[item.name], bad = item.builder(values[item.name])
        for row, reason in bad.items():
            failed.setdefault(row, (item.name, reason))
    built["_index"] = pd.Series(list(index), dtype="int64")
    built["_place"] = pd.Series(range(len(index)), dtype="int64")
    frame = pd.DataFrame(built)
    rejects = [
        Reject(
            record_index,
            read_key(record(record_index), key),
            column,
            f"{column} {reason}",
            format_record(record(record_index)),
        )
        for record_index, (column, reason) in ((index[row], failed[row]) for row in sorted(failed))
    ]
    if failed:
        frame = frame.drop(index=list(failed)).reset_index(drop=True)
    return frame, rejects


def _format_json(values: Sequence[msgspec.Raw]) -> pa.Array:
    """Return JSON as text; missing values and null are null."""
    raw = list(map(bytes, values))
    try:
        texts = pa.array(raw, pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        texts = pa.array([value.decode("utf-8", "replace") for value in raw], pa.large_string())
    nothing = pc.is_in(texts, pa.array(["", "null"], pa.large_string()))
    return pc.if_else(nothing, pa.scalar(None, pa.large_string()), texts)


def flatten(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Convert names to snake case, nested objects to fields, and lists to JSON text."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        column = prefix + snake_case(name)
        if isinstance(value, dict) and value.keys() == {REPAIR_MARK}:
            flat[column] = str(value[REPAIR_MARK])
        elif isinstance(value, dict):
            flat |= flatten(value, f"{column}_")
        elif isinstance(value, list):
            flat[column] = msgspec.json.encode(value).decode()
        elif isinstance(value, bool) and column != "acknowledged":
            flat[column] = str(value).lower()
        elif isinstance(value, float):
            flat[column] = repr(value)
        else:
            flat[column] = value
    return flat
