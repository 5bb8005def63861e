"""Fixtures: a sandbox in place of staging, whose journal is in `CENPORTS_HOME` like a real account's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.staging import connect_staging

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox


@pytest.fixture
def connect(northwind: Sandbox, clock: FakeClock) -> Iterator[Callable[..., Client]]:
    """Connect again, as another process after a restart."""
    opened: list[Client] = []

    def connect_again(**changes: object) -> Client:
        opened.append(connect_staging(northwind, clock, **changes))
        return opened[-1]

    yield connect_again
    for client in opened:
        client.close()


@pytest.fixture
def account(connect: Callable[..., Client]) -> Client:
    return connect()


@pytest.fixture
def plan(account: Client) -> Callable[..., pd.DataFrame]:
    """Plan changes of Northwind's SKUs: `plan("0001", "0002")` sets each to two more than its stock."""

    def build(*skus: str, type: str = "TRUE_UP", by: int = 2) -> pd.DataFrame:  # noqa: A002 - the column's name
        stock = cn.load_actual_stock(account, refresh=True).set_index("product_sku").loc[list(skus)].reset_index()
        return pd.DataFrame(
            {
                "warehouse_code": stock["warehouse_code"],
                "product_sku": stock["product_sku"],
                "type": pd.Series([type] * len(stock), dtype="str"),
                "quantity": stock["quantity"] + by if type == "TRUE_UP" else by,
                "current_quantity": stock["quantity"].astype("Int64"),
                "change": pd.Series([by] * len(stock), dtype="Int64"),
                "known_sku": True,
                "reason": pd.Series(["test"] * len(stock), dtype="str"),
                "reference": pd.Series([None] * len(stock), dtype="str"),
            }
        )

    return build


@pytest.fixture
def stock(northwind: Sandbox) -> Callable[[str], int]:
    """Return the server's stock of a SKU in all warehouses."""

    def read_units(sku: str) -> int:
        with northwind.state.lock:
            northwind.state.settle()
            return sum(units for (_, name), units in northwind.state.stock.quantities.items() if name == sku)

    return read_units


@pytest.fixture
def writes(northwind: Sandbox) -> Callable[[], list[list[str]]]:
    """Return the SKUs of each stock update received."""

    def list_writes() -> list[list[str]]:
        return [
            [item["productSKU"] for item in request.params["inventories"]]
            for request in northwind.requests
            if request.method == "PATCH" and request.path == "/inventories"
        ]

    return list_writes
