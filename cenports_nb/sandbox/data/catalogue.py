"""The choice of data: Northwind, a folder of your own, or as many generated orders as you like."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from cenports_nb.sandbox.data.folder import read_folder
from cenports_nb.sandbox.data.generated import generate
from cenports_nb.sandbox.data.seed import Seed, shifted

_NORTHWIND: Final = Path(__file__).parent / "northwind"
_GENERATED_END: Final = date(2024, 12, 31)


def seed_for(*, orders: int | None, seed: int, data: str | Path | None, shift: bool, now: datetime) -> Seed:
    """Choose and read the seed that the arguments of a sandbox mean.

    Raises:
        ValueError: They contradict each other, or the data can't be read.
    """
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    if orders is not None:
        if data is not None:
            raise ValueError("Sandbox() takes either orders= or data=, not both.")
        if orders < 0:
            raise ValueError("Sandbox(orders=...) can't be negative.")
        return generate(orders, seed, end=yesterday if shift else _GENERATED_END)
    found = read_folder(_NORTHWIND if data is None else Path(data))
    return shifted(found, yesterday) if shift else found
