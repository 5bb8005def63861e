"""Orders and their lines from one and the same reading, for whoever must not miss a line of what is there now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.frames.decoding.order_frames import orders_of
from cenports_nb.frames.loaders.finalize import Handling, finish, framed
from cenports_nb.frames.loaders.query import parse_query, read_orders
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.schema import schemas

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def load_orders_with_lines(
    client: Client,
    *,
    acknowledged: bool,
    channel_id: Sequence[str] | None = None,
    progress: bool | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load orders and line items at once; two loads by acknowledgement are two readings, and may differ.

    Args:
        client: The account.
        acknowledged: Which orders.
        channel_id: Of these channels; of all by default.
        progress: Show a bar; by default only when it takes more than two seconds.

    Returns:
        The frames of `load_orders` and `load_line_items`.

    Raises:
        IncompleteError: Records are missing.
    """
    asked = parse_query(client, None, None, last=None, channel_id=channel_id, order_nos=None, acknowledged=acknowledged)
    read = read_orders(client, asked, lambda: load_channel_ids(client), refresh=True, progress=progress)
    found = orders_of(read, asked.days, client.settings.time_zone)
    handling = Handling(asked.params, allow_partial=False, on_reject="warn")
    orders = finish(
        client, "GET /orders", read, framed(found.order_columns(), schemas.Orders), found.rejects, handling,
        int(found.outside.sum()), found.doubt, found.unknown,
    )  # fmt: skip
    lines = finish(
        client, "GET /orders", read, framed(found.line_columns(), schemas.LineItems), found.line_rejects, handling,
        found.lines_outside, found.doubt,
    )  # fmt: skip
    return orders, lines
