"""A process that creates orders and kills itself just before a request: `create_orders_worker.py URL NUMBER ORDERS`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from support.made_orders import line, lines, order, orders


def main() -> None:
    url, kill_at, names = sys.argv[1], int(sys.argv[2]), [f"K{number}" for number in range(int(sys.argv[3]))]
    sent = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal sent
        if event == "http.client.send" and bytes(arguments[1]).startswith(b"POST /v2/orders"):
            sent += 1
            if sent == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    with cn.connect(
        "staging", base_url=url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        rate_limit=100_000,
    ) as client:  # fmt: skip
        cn.create_orders(client, orders(*map(order, names)), lines(*map(line, names)), channel_id="NW-EU", batch_size=2)


if __name__ == "__main__":
    main()
