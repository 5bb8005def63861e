"""Records of stock, channels and shipments -> frames: each becomes a row, or a reject with its reason.

Orders, which are many, have ways of their own: see `order_pages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
import pandas as pd

from cenports_nb.api import records
from cenports_nb.api.almost_json import MARK
from cenports_nb.frames import columns
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.rejects import key_of, reject_of, shown, snake
from cenports_nb.frames.tables import CHANNELS, EMPTY, SHIPMENTS, STOCK, WAREHOUSES, Field

T = TypeVar("T")


@dataclass(frozen=True)
class Decoded:
    """Rows that could be read, and records that could not.

    Attributes:
        frame: The columns of the decoded table, and `_index`, the place of the record of each row.
        rejects: The rest.
    """

    frame: pd.DataFrame
    rejects: tuple[Reject, ...]


def stock(raw: Sequence[bytes]) -> Decoded:
    """Decode the stock rows of warehouses; a SKU that repeats in its warehouse is a reject."""
    warehouses, _, rejects = _parse(raw, records.Warehouse, "warehouseCode")
    rows: list[bytes] = []
    codes: list[Any] = []
    names: list[Any] = []
    for warehouse in warehouses:
        of_warehouse = warehouse.warehouse_inventory or ()
        rows += of_warehouse
        codes += [warehouse.warehouse_code] * len(of_warehouse)
        names += [warehouse.warehouse_name] * len(of_warehouse)
    found, index, more = _parse(rows, records.Stock, "productSku")
    for item in found:
        if item.next_available_quantity is None:
            item.next_available_quantity = item.next_availabile_quantity
    frame, bad = _build(found, index, rows, STOCK, "productSku")
    at = frame["_index"].to_numpy()
    frame["product_extras"] = columns.text([_json_text(found[place].product_extras) for place in frame.pop("_place")])[
        0
    ]
    frame["warehouse_code"] = pd.Series(codes, dtype="str").take(at).array
    frame["warehouse_name"] = pd.Series(names, dtype="str").take(at).array
    repeated = frame.duplicated(["warehouse_code", "product_sku"]).to_numpy()
    twice = tuple(
        Reject(int(i), sku, "product_sku", "repeats a SKU of its warehouse", shown(rows[i]))
        for i, sku in zip(at[repeated], frame["product_sku"][repeated], strict=True)
    )
    return Decoded(frame[~repeated].reset_index(drop=True), (*rejects, *more, *bad, *twice))


def warehouses(raw: Sequence[bytes]) -> Decoded:
    """Decode warehouses and their addresses."""
    found, index, rejects = _parse(raw, records.Warehouse, "warehouseCode")
    frame, more = _build(found, index, raw, WAREHOUSES, "warehouseCode")
    return Decoded(frame.drop(columns="_place").drop_duplicates("warehouse_code", ignore_index=True), (*rejects, *more))


def channels(raw: Sequence[bytes]) -> Decoded:
    """Decode sales channels."""
    found, index, rejects = _parse(raw, records.Channel, "channelId")
    for channel in found:
        channel.channel_name = channel.channel_name if channel.channel_name is not None else channel.channal_name
        if channel.features is not None and not isinstance(channel.features, str):
            channel.features = msgspec.json.encode(channel.features).decode()
    frame, more = _build(found, index, raw, CHANNELS, "channelId")
    return Decoded(frame.drop(columns="_place").drop_duplicates("channel_id", ignore_index=True), (*rejects, *more))


def shipments(raw: Sequence[bytes], channel_ids: Sequence[str | None]) -> Decoded:
    """Decode shipments, whose shape is undocumented: known fields typed, all others as text."""
    found: list[dict[str, Any]] = []
    index: list[int] = []
    rejects: list[Reject] = []
    seen: set[bytes] = set()
    for place, record in enumerate(raw):
        try:
            fields = _flatten(msgspec.json.decode(record, type=dict[str, Any]))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            rejects.append(reject_of(place, record, "orderNo", error))
            continue
        if fields.get("channel_id") is None:
            fields["channel_id"] = channel_ids[place]
        identity = msgspec.json.encode(fields, order="sorted")
        if identity in seen:  # the same shipment from the windows on both sides of an edge
            continue
        seen.add(identity)
        found.append(fields)
        index.append(place)
    known = {item.name for item in SHIPMENTS}
    extra = dict.fromkeys(name for fields in found for name in fields if name not in known)
    table = (*SHIPMENTS, *(Field(name, name, columns.text) for name in extra))
    values = {item.name: [fields.get(item.name) for fields in found] for item in table}
    frame, more = _assemble(values, index, raw, table, "orderNo")
    return Decoded(frame.drop(columns="_place"), (*rejects, *more))


def _parse(
    raw: Sequence[bytes], record_type: type[T], key: str, places: Sequence[int] | None = None
) -> tuple[list[T], list[int], list[Reject]]:
    """Read each record; what can't be read is a reject."""
    decode = records.reader(record_type)
    places = range(len(raw)) if places is None else places
    found: list[T] = []
    index: list[int] = []
    rejects: list[Reject] = []
    for place in places:
        record = raw[place]
        try:
            found.append(decode(record))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            rejects.append(reject_of(place, record, key, error))
        else:
            index.append(place)
    return found, index, rejects


def _build(
    found: Sequence[Any], index: Sequence[int], raw: Sequence[bytes], table: Iterable[Field], key: str
) -> tuple[pd.DataFrame, list[Reject]]:
    """Take the columns of a table out of records."""
    table = tuple(table)
    groups: dict[str, list[Any]] = {"": list(found)}
    values: dict[str, list[Any]] = {}
    for item in table:
        group, _, name = item.path.rpartition(".")
        if group not in groups:
            empty = EMPTY[group]
            groups[group] = [nested or empty for nested in map(attrgetter(group), found)]
        values[item.name] = list(map(attrgetter(name), groups[group]))
    return _assemble(values, index, raw, table, key)


def _assemble(
    values: dict[str, list[Any]], index: Sequence[int], raw: Sequence[bytes], table: Iterable[Field], key: str
) -> tuple[pd.DataFrame, list[Reject]]:
    """Build the columns and take out the rows of which one can't be read."""
    built: dict[str, pd.Series[Any]] = {}
    failed: dict[int, tuple[str, str]] = {}
    for item in table:
        built[item.name], bad = item.build(values[item.name])
        for row, reason in bad.items():
            failed.setdefault(row, (item.name, reason))
    built["_index"] = pd.Series(list(index), dtype="int64")
    built["_place"] = pd.Series(range(len(index)), dtype="int64")
    frame = pd.DataFrame(built)
    rejects = [
        Reject(index[row], key_of(raw[index[row]], key), column, f"{column} {reason}", shown(raw[index[row]]))
        for row, (column, reason) in sorted(failed.items())
    ]
    if failed:
        frame = frame.drop(index=list(failed)).reset_index(drop=True)
    return frame, rejects


def _json_text(value: msgspec.Raw) -> str | None:
    text = bytes(value).decode("utf-8", "replace")
    return None if text in ("", "null") else text


def _flatten(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Snake case for names, nested objects into their parent, lists into JSON text."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        column = prefix + snake(name)
        if isinstance(value, dict) and value.keys() == {MARK}:
            flat[column] = str(value[MARK])
        elif isinstance(value, dict):
            flat |= _flatten(value, f"{column}_")
        elif isinstance(value, list):
            flat[column] = msgspec.json.encode(value).decode()
        elif isinstance(value, bool) and column != "acknowledged":
            flat[column] = str(value).lower()
        elif isinstance(value, float):
            flat[column] = repr(value)
        else:
            flat[column] = value
    return flat
