"""A process that creates orders and kills itself just before a request."""

from __future__ import annotations

from typing import Any

import cenports_nb as cn
from support.forked import connect, kill_before
from support.made_orders import line, lines, order, orders


def create_orders(url: str, kill_at: int, count: int) -> None:
    """Create so many orders in batches of two, until the request of a number."""
    names = [f"K{number}" for number in range(count)]

    def is_step(event: str, arguments: tuple[Any, ...]) -> bool:
        return event == "http.client.send" and bytes(arguments[1]).startswith(b"POST /v2/orders")

    kill_before(kill_at, is_step)
    with connect(url) as client:
        cn.create_orders(client, orders(*map(order, names)), lines(*map(line, names)), channel_id="NW-EU", batch_size=2)
