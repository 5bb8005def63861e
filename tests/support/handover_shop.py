"""A shop whose orders are handed over: what is in the files, and what the sandbox has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)


def orders_in_file(path: Path) -> list[str]:
    return sorted(read(path)["order_no"].unique())


def orders_in(folder: Path) -> list[str]:
    """The orders of all files in a folder, once for each file that has them."""
    return sorted(number for path in folder.glob("*.csv") for number in orders_in_file(path))


def open_orders(client: cn.Client) -> set[str]:
    return set(cn.load_orders(client, acknowledged=False)["order_no"])


def acknowledgements(sandbox: Sandbox) -> list[Any]:
    return [
        request for request in sandbox.requests if (request.method, request.path) == ("PATCH", "/orders/acknowledge")
    ]


def arrive(client: cn.Client, sandbox: Sandbox, number: str, **changes: Any) -> None:
    """Let one more order come in."""
    record = client.api.get_orders(channelId="NW-EU", limit=1, isAcknowledged=False, isPaginated=True)["data"]
    known = record or client.api.get_orders(
        channelId="NW-EU", limit=1, startDate="1996-07-01", endDate="1998-06-01", isPaginated=True
    )["data"]  # fmt: skip
    lines = [{**line, "orderNo": number, "status": "pending"} for line in known[0]["lineItems"]]
    sandbox.add_order({**known[0], "orderNo": number, "lineItems": lines, **changes})
