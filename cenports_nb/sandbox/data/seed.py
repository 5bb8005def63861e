"""The seed of an account: Northwind, a folder of your own, or generated orders, with their days shifted if asked for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from cenports_nb.sandbox.clock import format_instant, parse_instant
from cenports_nb.sandbox.data.folder import read_folder
from cenports_nb.sandbox.data.generated import generate_seed
from cenports_nb.sandbox.records import Json, Seed

_NORTHWIND: Final = Path(__file__).parent / "northwind"
_GENERATED_END: Final = date(2024, 12, 31)


def choose_seed(*, orders: int | None, seed: int, data: str | Path | None, shift: bool, now: datetime) -> Seed:
    """Choose and read the seed that the arguments of a sandbox describe.

    Raises:
        ValueError: They contradict each other, or the data can't be read.
    """
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    if orders is not None:
        if data is not None:
            raise ValueError("Sandbox() takes either orders= or data=, not both.")
        if orders < 0:
            raise ValueError("Sandbox(orders=...) can't be negative.")
        return generate_seed(orders, seed, end=yesterday if shift else _GENERATED_END)
    if data is None:
        return _read_northwind(yesterday if shift else None)
    found = read_folder(Path(data))
    return shift_seed(found, yesterday) if shift else found


@lru_cache(maxsize=4)
def _read_northwind(last_day: date | None) -> Seed:
    """Read and check the sample data once per process; accounts that start with it share its records."""
    seed = read_folder(_NORTHWIND) if last_day is None else shift_seed(_read_northwind(None), last_day)
    return replace(seed, shared=True)


def shift_seed(seed: Seed, last_day: date) -> Seed:
    """Move all days by the same number, so that the last order is on `last_day` (UTC); times of day stay."""
    if not seed.orders:
        return seed
    step = last_day - max(parse_instant(order["orderDate"]) for order in seed.orders).date()
    return Seed(
        orders=[_shift_day(order, "orderDate", step) for order in seed.orders],
        shipments=[_shift_day(row, "shipDate", step) for row in seed.shipments],
        warehouses=[
            {
                **warehouse,
                "warehouseInventory": [
                    _shift_day(row, "nextAvailabilityDate", step) for row in warehouse["warehouseInventory"]
                ],
            }
            for warehouse in seed.warehouses
        ],
        channels=seed.channels,
    )


def _shift_day(record: Json, name: str, step: timedelta) -> Json:
    text = record.get(name)
    if not text:
        return record
    try:
        if len(text) == len("2024-12-31"):
            return {**record, name: (date.fromisoformat(text) + step).isoformat()}
        return {**record, name: format_instant(parse_instant(text) + step)}
    except OverflowError:
        return record  # 9999-12-31 means "never"
