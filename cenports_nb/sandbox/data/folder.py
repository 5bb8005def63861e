"""Data folders: four files of records in the API's format, plain or gzip."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cenports_nb.sandbox.clock import parse_instant
from cenports_nb.sandbox.records import Json, Seed

Check = Callable[[Json], str | None]


def read_folder(folder: Path) -> Seed:
    """Read `orders.jsonl`, `inventories.json`, `channels.json` and, if present, `shipments.jsonl`, plain or `.gz`.

    Raises:
        ValueError: A file is missing or malformed; the message says which one and what to do.
    """
    orders = _read_lines(folder, "orders.jsonl", check_order)
    shipments = _read_lines(folder, "shipments.jsonl", _check_shipment, optional=True)
    warehouses = _read_list(folder, "inventories.json", _check_warehouse)
    channels = _read_list(folder, "channels.json", _check_channel)
    _check_unique(folder / "orders.jsonl", "order", _list_keys(orders, "channelId", "orderNo"))
    _check_unique(folder / "channels.json", "channel", _list_keys(channels, "channelId"))
    stock_file = folder / "inventories.json"
    _check_unique(stock_file, "warehouse", _list_keys(warehouses, "warehouseCode"))
    for warehouse in warehouses:
        noun = f"in warehouse {warehouse['warehouseCode']}, product"
        _check_unique(stock_file, noun, _list_keys(warehouse["warehouseInventory"], "productSku"))
    return Seed(orders, shipments, warehouses, channels)


def _read_text(folder: Path, name: str, *, optional: bool = False) -> tuple[Path, str]:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            try:
                raw = path.read_bytes()
                return path, (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
            except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
                raise ValueError(f"{path}: can't be read as UTF-8 text ({error}); write the file again.") from error
    if optional:
        return folder / name, ""
    raise ValueError(f"{folder / name}: no such file; a data folder needs it (or {name}.gz).")


def _read_lines(folder: Path, name: str, check: Check, *, optional: bool = False) -> list[Json]:
    path, text = _read_text(folder, name, optional=optional)
    records: list[Json] = []
    # Not splitlines(): a text may contain U+2028, which does not end a line in JSON.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            records.append(_check_record(where, _parse_json(where, line, "one whole object on the line"), check))
    return records


def _read_list(folder: Path, name: str, check: Check) -> list[Json]:
    path, text = _read_text(folder, name)
    advice = "the `data` list of the API's answer"
    records = _parse_json(str(path), text, advice)
    if not isinstance(records, list):
        raise ValueError(f"{path}: not a JSON list; write {advice}.")
    return [_check_record(f"{path}, entry {number}", record, check) for number, record in enumerate(records, start=1)]


def _parse_json(where: str, text: str, advice: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON ({error}); write {advice}.") from error


def _check_record(where: str, record: Any, check: Check) -> Json:
    flaw = check(record) if isinstance(record, dict) else "not a JSON object; write one as the API answers it"
    if flaw is not None:
        raise ValueError(f"{where}: {flaw}.")
    checked: Json = record
    return checked


def check_order(order: Json) -> str | None:
    """Return what is wrong with an order; None if nothing is."""
    lines = order.get("lineItems")
    flaw = _find_missing_text(order, "orderNo", "channelId") or _find_bad_instant(order, "orderDate")
    if flaw is None and not isinstance(lines, list):
        return "`lineItems` is not a list; write it as the API answers it"
    for line in _iterate_objects(lines) if flaw is None else ():
        flaw = flaw or _find_missing_text(line, "productSku") or _find_bad_count(line, "quantity")
    return flaw


def _check_shipment(row: Json) -> str | None:
    # A shipment may lack a date, but a date must be valid.
    return _find_missing_text(row, "orderNo", "channelId") or (
        _find_bad_instant(row, "shipDate") if row.get("shipDate") else None
    )


def _check_warehouse(warehouse: Json) -> str | None:
    rows = warehouse.get("warehouseInventory")
    flaw = _find_missing_text(warehouse, "warehouseCode")
    if flaw is None and not isinstance(rows, list):
        return "`warehouseInventory` is not a list; write it as the API answers it"
    for row in _iterate_objects(rows) if flaw is None else ():
        flaw = flaw or _find_missing_text(row, "productSku") or _find_bad_count(row, "quantity")
        if flaw is None and row.get("nextAvailabilityDate"):
            flaw = _find_bad_instant(row, "nextAvailabilityDate")
    return flaw


def _check_channel(channel: Json) -> str | None:
    return _find_missing_text(channel, "channelId")


def _list_keys(records: Iterable[Json], *names: str) -> Iterator[tuple[str, ...]]:
    return (tuple(record[name] for name in names) for record in records)


def _check_unique(path: Path, noun: str, keys: Iterable[tuple[str, ...]]) -> None:
    seen: set[tuple[str, ...]] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{path}: {noun} {' / '.join(key)} is there twice; keep one of them.")
        seen.add(key)


def _iterate_objects(values: Any) -> Iterator[Json]:
    return (value if isinstance(value, dict) else {} for value in values)


def _find_missing_text(record: Json, *names: str) -> str | None:
    for name in names:
        if not isinstance(record.get(name), str) or not record[name]:
            return f"`{name}` is missing or not a text; add it"
    return None


def _find_bad_instant(record: Json, name: str) -> str | None:
    try:
        parse_instant(record[name])
    except (KeyError, TypeError, ValueError):
        return f"`{name}` is not a date; write it like 2024-12-31T09:30:00.000000Z"
    return None


def _find_bad_count(record: Json, name: str) -> str | None:
    try:
        if isinstance(record[name], bool | float):
            raise TypeError
        int(record[name])
    except (KeyError, TypeError, ValueError):
        return f"`{name}` is not a whole number; write one"
    return None
