"""Records -> frames: each record becomes a row, or a reject with its reason; nothing vanishes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
import numpy as np
import pandas as pd

from cenports_nb.api import records
from cenports_nb.frames import columns
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.tables import (
    CHANNELS,
    EMPTY,
    LINE_ITEMS,
    ORDERS,
    SHIPMENTS,
    STOCK,
    WAREHOUSES,
    Field,
)

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


def orders(raw: Sequence[bytes], channel_ids: Sequence[str | None]) -> Decoded:
    """Decode orders, each once: of several copies the last one, which is the newest answer.

    An order without a channel takes the channel that was asked for.
    """
    # The very same record from the windows on both sides of an edge is one, readable or not.
    copies = {(bytes(record), channel): i for i, (record, channel) in enumerate(zip(raw, channel_ids, strict=True))}
    found, index, rejects = _parse(raw, records.Order, "orderNo", sorted(copies.values()))
    for place, order in zip(index, found, strict=True):
        if order.channel_id is None:
            order.channel_id = channel_ids[place]
    frame, more = _build(found, index, raw, ORDERS, "orderNo")
    frame["line_count"] = np.array([len(found[place].line_items or ()) for place in frame.pop("_place")], dtype="int64")
    older = frame.duplicated(["channel_id", "order_no"], keep="last")
    return Decoded(frame[~older].reset_index(drop=True), (*rejects, *more))


def line_items(raw: Sequence[bytes], channel_ids: Sequence[str | None]) -> Decoded:
    """Decode the lines of orders; a bad line is rejected alone, a bad order with all its lines.

    The frame's `_index` is the place of the order among the records.
    """
    parents = orders(raw, channel_ids)
    decode = msgspec.json.Decoder(records.Order, strict=False).decode
    lines: list[bytes] = []
    owners: list[int] = []
    positions: list[int] = []
    for row, place in enumerate(parents.frame["_index"].to_numpy()):
        of_order = decode(raw[place]).line_items or ()
        lines += of_order
        owners += [row] * len(of_order)
        positions += range(1, len(of_order) + 1)
    found, index, rejects = _parse(lines, records.LineItem, "productSku")
    frame, more = _build(found, index, lines, LINE_ITEMS, "productSku")
    places = frame.pop("_place").to_numpy()
    row_of = np.array(owners, dtype="int64")[frame["_index"].to_numpy()]
    for name in ("order_no", "channel_id", "order_date"):
        frame[name] = parents.frame[name].take(row_of).array
    position = np.array(positions, dtype="int64")[frame["_index"].to_numpy()]
    frame["line_item"] = _line_numbers([found[place].line_item for place in places], row_of, position)
    frame["_index"] = parents.frame["_index"].to_numpy()[row_of]
    return Decoded(frame, (*parents.rejects, *rejects, *more))


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
        Reject(int(i), sku, "product_sku", "repeats a SKU of its warehouse", _shown(rows[i]))
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
            rejects.append(_reject(place, record, "orderNo", error))
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
    decode: Callable[[bytes], T] = msgspec.json.Decoder(record_type, strict=False).decode
    places = range(len(raw)) if places is None else places
    found: list[T] = []
    index: list[int] = []
    rejects: list[Reject] = []
    for place in places:
        record = raw[place]
        try:
            found.append(decode(record))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            rejects.append(_reject(place, record, key, error))
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
        Reject(index[row], _key_of(raw[index[row]], key), column, f"{column} {reason}", _shown(raw[index[row]]))
        for row, (column, reason) in sorted(failed.items())
    ]
    if failed:
        frame = frame.drop(index=list(failed)).reset_index(drop=True)
    return frame, rejects


def _line_numbers(sent: Sequence[Any], owner: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Number the lines of each order as sent; missing, unreadable or repeated ones by their position."""
    numbers = position.copy()
    taken: set[tuple[int, int]] = set()
    late: list[int] = []
    for i, value in enumerate(sent):
        try:
            number = int(str(value))
        except ValueError:
            late.append(i)
            continue
        if (int(owner[i]), number) in taken or not 0 <= number < 2**31:
            late.append(i)
        else:
            taken.add((int(owner[i]), number))
            numbers[i] = number
    for i in late:
        number = int(position[i])
        while (int(owner[i]), number) in taken:
            number += 1
        taken.add((int(owner[i]), number))
        numbers[i] = number
    return numbers


def _reject(place: int, record: bytes, key: str, error: Exception) -> Reject:
    text, _, path = str(error).partition(" - at `$")
    column = _snake(path.strip("`.").rpartition(".")[2])
    if "required field" in text:
        column = _snake(text.split("`")[1])
    return Reject(place, _key_of(record, key), column, text, _shown(record))


def _key_of(record: bytes, key: str) -> str:
    try:
        found = msgspec.json.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return str(found.get(key) or "") if isinstance(found, dict) else ""


def _snake(name: str) -> str:
    """Write `trackingURL` as `tracking_url`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().lstrip("_")


def _shown(record: bytes) -> str:
    return bytes(record).decode("utf-8", "replace")


def _json_text(value: msgspec.Raw) -> str | None:
    text = bytes(value).decode("utf-8", "replace")
    return None if text in ("", "null") else text


def _flatten(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Snake case for names, nested objects into their parent, lists into JSON text."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        snake = prefix + _snake(name)
        if isinstance(value, dict):
            flat |= _flatten(value, f"{snake}_")
        elif isinstance(value, list):
            flat[snake] = msgspec.json.encode(value).decode()
        elif isinstance(value, bool) and snake != "acknowledged":
            flat[snake] = str(value).lower()
        elif isinstance(value, float):
            flat[snake] = repr(value)
        else:
            flat[snake] = value
    return flat
