"""A seed: the records that an account starts with, on the days they are given."""

from dataclasses import dataclass
from datetime import date, timedelta

from cenports_nb.sandbox.clock import instant, stamp
from cenports_nb.sandbox.http.replies import Json


@dataclass(frozen=True)
class Seed:
    """Records as the API answers them."""

    orders: list[Json]
    shipments: list[Json]
    warehouses: list[Json]
    channels: list[Json]


def shifted(seed: Seed, last_day: date) -> Seed:
    """Move every day by the same whole days, so that the last order is from `last_day` (UTC); times stay."""
    if not seed.orders:
        return seed
    step = last_day - max(instant(order["orderDate"]) for order in seed.orders).date()
    return Seed(
        orders=[_moved(order, "orderDate", step) for order in seed.orders],
        shipments=[_moved(row, "shipDate", step) for row in seed.shipments],
        warehouses=[
            {
                **warehouse,
                "warehouseInventory": [
                    _moved(row, "nextAvailabilityDate", step) for row in warehouse["warehouseInventory"]
                ],
            }
            for warehouse in seed.warehouses
        ],
        channels=seed.channels,
    )


def _moved(record: Json, name: str, step: timedelta) -> Json:
    text = record.get(name)
    if not text:
        return record
    try:
        if len(text) == len("2024-12-31"):
            return {**record, name: (date.fromisoformat(text) + step).isoformat()}
        return {**record, name: stamp(instant(text) + step)}
    except OverflowError:
        return record  # 9999-12-31 means "never", whatever today is
