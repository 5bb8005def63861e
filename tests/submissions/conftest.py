"""A sandbox that stands in for staging: its journal stays in `CENPORTS_HOME`, as that of a real account does."""

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
    """Connect once more, as another process would after a restart."""
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
    """Plan changes of Northwind's first SKUs: `plan("0001", "0002")` sets each to two more than it has."""

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
    """What the server itself has of a SKU, in all warehouses."""

    def read_units(sku: str) -> int:
        with northwind.state.lock:
            northwind.state.settle()
            return sum(units for (_, name), units in northwind.state.stock.quantities.items() if name == sku)

    return read_units


@pytest.fixture
def writes(northwind: Sandbox) -> Callable[[], list[list[str]]]:
    """The SKUs of each stock update that arrived."""

    def list_writes() -> list[list[str]]:
        return [
            [item["productSKU"] for item in request.params["inventories"]]
            for request in northwind.requests
            if request.method == "PATCH" and request.path == "/inventories"
        ]

    return list_writes
